import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Access } from '../../../../src/memory/translator';
import type { TranslationContext } from '../../../../src/memory/types';
import { AF, block, context, MmuRig, NG, page, RO, range, USER } from './rig';

const VA = 0x12_3000n;

/** A rig with one page mapped at VA, translated once in `ctx`. */
function filled(leaf: bigint, ctx: TranslationContext = context()): MmuRig {
  const rig = new MmuRig();
  rig.map(ctx.ranges[0], VA, 3, leaf);
  assert.ok(rig.translate(ctx, VA).startsWith('ok'));
  return rig;
}

/** Whether a translation hits without a walk. */
function hits(rig: MmuRig, ctx: TranslationContext, va = VA): boolean {
  rig.reads.length = 0;
  rig.translate(ctx, va);
  return rig.reads.length === 0;
}

test('a hit reads no table, costs nothing, and may be stale', () => {
  const ctx = context();
  const rig = filled(page(0x5000_0000n), ctx);
  assert.equal(rig.penalty, 4 * 8);
  rig.map(ctx.ranges[0], VA, 3, page(0x6000_0000n));
  assert.equal(rig.translate(ctx, VA + 4n), 'ok 0x50000004');
  rig.map(ctx.ranges[0], VA, 3, 0n);
  assert.equal(rig.translate(ctx, VA, Access.Fetch), 'ok 0x50000000');
  assert.equal(rig.penalty, 4 * 8);
  rig.tlbi('VMALLE1', 0n, ctx);
  assert.equal(rig.translate(ctx, VA), 'translation 3');
});

test('entries are told apart by ASID, VMID, security state and regime', () => {
  const ctx = context({ asid: 7, vmid: 3 });
  const rig = filled(page(0x5000_0000n, NG), ctx);
  assert.ok(hits(rig, ctx));
  for (const other of [{ asid: 8 }, { vmid: 4 }, { secure: true }, { regime: 'EL2', el: 2 }] as const) {
    const copy = filled(page(0x5000_0000n, NG), ctx);
    assert.ok(!hits(copy, { ...ctx, ...other }), JSON.stringify(other));
  }
  const global = filled(page(0x5000_0000n), ctx);
  assert.ok(hits(global, { ...ctx, asid: 8 }), 'a global entry is for all ASIDs');
  assert.ok(!hits(global, { ...ctx, vmid: 4 }), 'but for its own VMID');
});

test('permissions are judged by the accessing context, not when the entry was filled', () => {
  const ctx = context();
  const rig = filled(page(0x5000_0000n, USER), ctx);
  assert.ok(hits(rig, { ...ctx, el: 0 }));
  assert.equal(rig.translate({ ...ctx, pan: true }, VA), 'permission 3');
  assert.equal(rig.translate(ctx, VA, Access.Fetch), 'permission 3');
  assert.equal(rig.translate({ ...ctx, el: 0 }, VA, Access.Fetch), 'ok 0x50000000');
  assert.equal(rig.translate({ ...ctx, el: 0, wxn: true }, VA, Access.Fetch), 'permission 3');
});

test('a permission fault leaves its entry: only TLBI makes a relaxed descriptor seen', () => {
  const ctx = context();
  const rig = new MmuRig();
  rig.map(ctx.ranges[0], VA, 3, page(0x5000_0000n, RO));
  assert.equal(rig.translate(ctx, VA, Access.Write), 'permission 3');
  rig.map(ctx.ranges[0], VA, 3, page(0x5000_0000n));
  assert.equal(rig.translate(ctx, VA, Access.Write), 'permission 3');
  rig.tlbi('VAE1', VA >> 12n, ctx);
  assert.equal(rig.translate(ctx, VA, Access.Write), 'ok 0x50000000');
});

test('pages and blocks of several sizes live side by side', () => {
  const ctx = context();
  const rig = new MmuRig();
  rig.map(ctx.ranges[0], 0n, 3, page(0x5000_0000n));
  rig.map(ctx.ranges[0], 0x20_0000n, 2, block(0x6000_0000n));
  rig.map(ctx.ranges[0], 0x4000_0000n, 1, block(0x8000_0000n));
  const expected = [
    [0x10n, 'ok 0x50000010'],
    [0x3f_fff8n, 'ok 0x601ffff8'],
    [0x7fff_fff0n, 'ok 0xbffffff0'],
  ] as const;
  for (const [va, result] of expected) assert.equal(rig.translate(ctx, va), result);
  rig.reads.length = 0;
  for (const [va, result] of expected) assert.equal(rig.translate(ctx, va), result);
  assert.equal(rig.reads.length, 0);
  assert.deepEqual(
    rig.mmu.peekTlb(0).map((e) => [e.va, e.pageLog2]),
    [
      [0n, 12],
      [0x20_0000n, 21],
      [0x4000_0000n, 30],
    ].sort((a, b) => (a[1] as number) - (b[1] as number)),
  );
});

test('a full set is replaced in the order of filling, whatever was used since, and tells what went', () => {
  const ctx = context();
  const rig = new MmuRig({ sets: 4, ways: 2 });
  const va = (n: number): bigint => BigInt(n * 4) << 12n; // all in set 0
  for (let n = 0; n < 4; n++) rig.map(ctx.ranges[0], va(n), 3, page(BigInt(0x5000_0000 + n * 0x1000)));
  rig.translate(ctx, va(0));
  rig.translate(ctx, va(1));
  for (let i = 0; i < 10; i++) rig.translate(ctx, va(0));
  rig.translate(ctx, va(2));
  assert.deepEqual(rig.drops, [{ core: 0, va: va(0), pageLog2: 12 }]);
  rig.translate(ctx, va(3));
  assert.deepEqual(rig.drops[1], { core: 0, va: va(1), pageLog2: 12 });
  assert.equal(rig.mmu.peekTlb(0).length, 2);
  rig.tlbi('VAE1', va(2) >> 12n, ctx);
  rig.translate(ctx, va(1));
  assert.equal(rig.drops.length, 3, 'an invalid way is filled before a valid one is replaced');
});

// ---- TLBI ----

/** Entries that an operation may or may not remove: name -> how each was made. */
const population: Readonly<Record<string, { va: bigint; leaf: bigint; ctx: Partial<TranslationContext> }>> = {
  asid1: { va: VA, leaf: page(0x5000_0000n, NG), ctx: { asid: 1 } },
  asid2: { va: VA, leaf: page(0x5000_0000n, NG), ctx: { asid: 2 } },
  global: { va: 0x40_0000n, leaf: page(0x5100_0000n), ctx: { asid: 1 } },
  block: { va: 0x8020_0000n, leaf: block(0x5200_0000n, NG), ctx: { asid: 1 } },
  otherVm: { va: VA, leaf: page(0x5000_0000n, NG), ctx: { asid: 1, vmid: 9 } },
  secure: { va: VA, leaf: page(0x5000_0000n, NG), ctx: { asid: 1, secure: true } },
  el2: { va: VA, leaf: page(0x5000_0000n), ctx: { regime: 'EL2', el: 2, asid: 0 } },
  el3: { va: VA, leaf: page(0x5000_0000n), ctx: { regime: 'EL3', el: 3, secure: true, asid: 0 } },
};

function populated(): MmuRig {
  const rig = new MmuRig({ sets: 16, ways: 8 });
  const r = range();
  for (const { va, leaf, ctx } of Object.values(population)) {
    const ranges = [r, range({ base: 0x20_0000 })] as const;
    rig.map(r, va, leaf & 2n ? 3 : 2, leaf);
    assert.ok(rig.translate(context({ ...ctx, ranges }), va).startsWith('ok'));
  }
  assert.equal(rig.mmu.peekTlb(0).length, Object.keys(population).length);
  return rig;
}

const asid = (n: number, va = 0n): bigint => (BigInt(n) << 48n) | (va >> 12n);
const EL1 = context({ asid: 1 });
const EL2: Partial<TranslationContext> = { regime: 'EL2', el: 2, asid: 0 };

const operations: readonly [string, bigint, TranslationContext, string[]][] = [
  ['VMALLE1', 0n, EL1, ['asid1', 'asid2', 'global', 'block']],
  ['VMALLE1IS', 0n, EL1, ['asid1', 'asid2', 'global', 'block']],
  ['VMALLS12E1', 0n, EL1, ['asid1', 'asid2', 'global', 'block']],
  ['ALLE1', 0n, EL1, ['asid1', 'asid2', 'global', 'block', 'otherVm']],
  ['VMALLE1', 0n, context({ asid: 1, vmid: 9 }), ['otherVm']],
  ['ALLE1', 0n, context({ asid: 1, secure: true }), ['secure']],
  ['ASIDE1', asid(1), EL1, ['asid1', 'block']],
  ['ASIDE1', asid(2), EL1, ['asid2']],
  ['VAE1', asid(1, VA), EL1, ['asid1']],
  ['VAE1', asid(2, VA + 0x800n), EL1, ['asid2']],
  ['VAE1', asid(3, VA), EL1, []],
  ['VAE1', asid(9, 0x40_0000n), EL1, ['global']],
  ['VAE1', asid(1, 0x803f_f000n), EL1, ['block']],
  ['VAE1', asid(1, 0x8040_0000n), EL1, []],
  ['VALE1', asid(1, VA), EL1, ['asid1']],
  ['VAAE1', asid(0, VA), EL1, ['asid1', 'asid2']],
  ['VAALE1', asid(7, VA), EL1, ['asid1', 'asid2']],
  ['VAE1IS', asid(1, VA), EL1, ['asid1']],
  ['ALLE2', 0n, context(EL2), ['el2']],
  ['VAE2', VA >> 12n, context(EL2), ['el2']],
  ['VAE2', (VA + 0x1000n) >> 12n, context(EL2), []],
  ['VALE2IS', VA >> 12n, context(EL2), ['el2']],
  ['ALLE3', 0n, context({ regime: 'EL3', el: 3, secure: true }), ['el3']],
  ['VAE3', VA >> 12n, context({ regime: 'EL3', el: 3, secure: true }), ['el3']],
  ['IPAS2E1', VA >> 12n, EL1, []],
  ['IPAS2LE1IS', VA >> 12n, EL1, []],
];

for (const [name, value, ctx, gone] of operations) {
  test(`TLBI ${name} 0x${value.toString(16)}${ctx.vmid ? ' VMID 9' : ''}${ctx.secure ? ' Secure' : ''}: removes ${gone.join(', ') || 'nothing'}`, () => {
    const rig = populated();
    rig.drops.length = 0;
    rig.tlbi(name, value, ctx);
    const left = new Set(rig.mmu.peekTlb(0).map((e) => `${e.va} ${e.asid} ${e.vmid} ${e.secure} ${e.regime}`));
    const removed = Object.keys(population).filter((key) => {
      const { va, leaf, ctx: c } = population[key];
      const made = context(c);
      const nG = (leaf & NG) !== 0n && made.regime === 'EL1&0';
      const base = leaf & 2n ? va : va & ~0x1f_ffffn;
      return !left.has(`${base} ${nG ? made.asid : 0} ${made.vmid} ${made.secure} ${made.regime}`);
    });
    assert.deepEqual(removed, gone);
    assert.equal(rig.drops.length, gone.length, 'each is reported');
  });
}

test('upper addresses: TLBI operands have no top byte', () => {
  const ctx = context({ asid: 1 });
  const rig = new MmuRig();
  const va = 0xffff_8000_0123_4000n;
  rig.map(ctx.ranges[1], va, 3, page(0x5000_0000n));
  rig.translate(ctx, va);
  rig.tlbi('VAAE1', (va >> 12n) & 0xfff_ffff_ffffn, ctx);
  assert.equal(rig.mmu.peekTlb(0).length, 0);
});

test('each core has a TLB of its own', () => {
  const ctx = context();
  const rig = new MmuRig({ sets: 16, ways: 2 }, 2);
  rig.map(ctx.ranges[0], VA, 3, page(0x5000_0000n));
  rig.translate(ctx, VA, Access.Read, { core: 0 });
  rig.translate(ctx, VA, Access.Read, { core: 1 });
  rig.tlbi('VMALLE1', 0n, ctx, 0);
  assert.deepEqual([rig.mmu.peekTlb(0).length, rig.mmu.peekTlb(1).length], [0, 1]);
});

test('save and load keep entries, order of replacement and counts', () => {
  const rig = populated();
  const state = structuredClone(rig.mmu.save());
  const before = rig.mmu.peekTlb(0);
  rig.tlbi('ALLE1', 0n, EL1);
  rig.mmu.load(state);
  assert.deepEqual(rig.mmu.peekTlb(0), before);
  assert.ok(hits(rig, context({ asid: 1, ranges: [range(), range({ base: 0x20_0000 })] })));
});

// ---- AT ----

test('AT: PAR_EL1 of successes', () => {
  const ctx = context();
  const rig = new MmuRig();
  rig.map(ctx.ranges[0], VA, 3, page(0x1234_5678_9000n, USER | RO));
  // ATTR 0xff is MAIR index 6; NS; SH inner
  assert.equal(rig.at('S1E1R', VA + 0x123n, ctx), 0xff00_1234_5678_9b80n);
  assert.equal(rig.at('S1E0R', VA, ctx), 0xff00_1234_5678_9b80n);
  assert.equal(rig.at('S12E1R', VA, ctx), 0xff00_1234_5678_9b80n);
  assert.equal(rig.at('S1E1W', VA, ctx), 0x81fn, 'permission fault, level 3');
  assert.equal(rig.at('S1E0W', VA, ctx), 0x81fn);
  assert.equal(rig.at('S1E1R', VA, { ...ctx, pan: true }), 0xff00_1234_5678_9b80n, 'PAN is for the P forms');
  assert.equal(rig.at('S1E1RP', VA, { ...ctx, pan: true }), 0x81fn);
});

test('AT: Device memory is Outer Shareable, stage 1 off is Device-nGnRnE or, under HCR_EL2.DC, Write-Back', () => {
  const ctx = context();
  const rig = new MmuRig();
  rig.map(ctx.ranges[0], 0x80_0000n, 2, 0x8000_0000n | 1n | AF | (1n << 2n) | (3n << 8n));
  assert.equal(rig.at('S1E1R', 0x81_2345n, ctx), 0x0400_0000_8001_2b00n);
  const off = context({ mmu: false, ipsBits: 40 });
  assert.equal(rig.at('S1E1R', 0x12_3456_7890n, off), 0x0000_0012_3456_7b00n);
  assert.equal(rig.at('S1E1R', 0x12_3456_7890n, { ...off, hcrDC: true }), 0xff00_0012_3456_7a00n);
  assert.equal(rig.at('S1E1R', 0x100_0000_0000n, off), 0x801n, 'address size fault, level 0');
});

test('AT: faults with their level; an external abort is none of PAR', () => {
  const ctx = context();
  const rig = new MmuRig();
  rig.map(ctx.ranges[0], VA, 3, 0n);
  assert.equal(rig.at('S1E1R', VA, ctx), 0x800n | (7n << 1n) | 1n);
  assert.equal(rig.at('S1E1R', 0x1_0000_0000_0000n, ctx), 0x800n | (4n << 1n) | 1n);
  rig.map(ctx.ranges[0], VA, 3, page(0n) & ~AF);
  assert.equal(rig.at('S1E1R', VA, ctx), 0x800n | (11n << 1n) | 1n);
  rig.put(0x10_0000 + 8, 0x7000_0003n);
  assert.equal(rig.at('S1E1W', 0x80_0000_0000n, ctx), 'abort');
  assert.deepEqual(
    [rig.mmu.fault.kind, rig.mmu.fault.level, rig.mmu.fault.write, rig.mmu.fault.cacheMaintenance],
    ['externalWalk', 1, true, true],
  );
});

test('the debugger sees a walk without effects', () => {
  const ctx = context();
  const rig = new MmuRig();
  rig.map(ctx.ranges[0], VA, 3, page(0x5000_0000n, USER));
  const view = rig.peek(ctx, VA + 8n);
  assert.equal(view.ok, true);
  assert.equal(view.pa, 0x5000_0008n);
  assert.equal(view.attributes, 'Normal WB ISH, EL1 RW XN, EL0 RW X');
  assert.deepEqual(
    view.steps.map((s) => s.level),
    [0, 1, 2, 3],
  );
  assert.match(view.steps[3].meaning, /page at 0x50000000/);
  assert.equal(rig.peek(ctx, VA, Access.Fetch).fault, 'permission fault, level 3');
  rig.map(ctx.ranges[0], 0x40_0000n, 2, 0n);
  assert.equal(rig.peek(ctx, 0x40_1000n).fault, 'translation fault, level 2');
  assert.equal(rig.peek(ctx, 0x80_0000_0000n).fault, 'external abort on the table walk, level 0');
  assert.deepEqual([rig.reads.length, rig.mmu.peekTlb(0).length, rig.penalty], [0, 0, 0]);
});
