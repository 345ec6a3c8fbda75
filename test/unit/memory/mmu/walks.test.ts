import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Access } from '../../../../src/memory/translator';
import { MemoryType } from '../../../../src/memory/types';
import { AF, block, context, MmuRig, PXN, page, RO, range, USER, UXN } from './rig';

/** Granule, VA bits -> first level. */
const firstLevels = [
  [12, 48, 0],
  [12, 40, 0],
  [12, 39, 1],
  [12, 31, 1],
  [12, 30, 2],
  [12, 25, 2],
  [14, 48, 0],
  [14, 47, 1],
  [14, 36, 2],
  [14, 25, 3],
  [16, 48, 1],
  [16, 42, 2],
  [16, 29, 3],
  [16, 25, 3],
] as const;

test('the first level follows from granule and size', () => {
  for (const [granuleLog2, vaBits, level] of firstLevels) {
    const rig = new MmuRig();
    const r = range({ granuleLog2, vaBits, base: 0x10_0000 });
    const ctx = context({ ranges: [r, r] });
    rig.put(0x10_0000, 0n);
    assert.equal(rig.translate(ctx, 0n), `translation ${level}`, `2^${vaBits}, granule 2^${granuleLog2}`);
    assert.deepEqual(rig.reads, [0x10_0000]);
  }
});

/** Granule, VA bits, level -> leaf of a level, its size; every table on the way is read at the right place. */
const leaves = [
  [12, 48, 3, 12],
  [12, 48, 2, 21],
  [12, 48, 1, 30],
  [12, 39, 1, 30],
  [12, 33, 3, 12],
  [14, 48, 3, 14],
  [14, 48, 2, 25],
  [14, 40, 3, 14],
  [16, 48, 3, 16],
  [16, 48, 2, 29],
  [16, 42, 3, 16],
] as const;

for (const [granuleLog2, vaBits, level, sizeLog2] of leaves) {
  test(`granule 2^${granuleLog2}, ${vaBits} bits: a leaf at level ${level} maps 2^${sizeLog2} bytes`, () => {
    const rig = new MmuRig();
    for (const upper of [false, true]) {
      const r = range({ granuleLog2, vaBits, base: upper ? 0x2000_0000 : 0x1000_0000 });
      const ctx = context({ ranges: [r, r] });
      const all = (1n << 64n) - 1n;
      const va =
        (upper ? all & ~((1n << BigInt(vaBits)) - 1n) : 0n) | (0x1_5a5a_5a5a_5a5an & ((1n << BigInt(vaBits)) - 1n));
      const pa = 0x7b00_0000_0000n;
      rig.map(r, va, level, level === 3 ? page(pa) : block(pa));
      const offset = va & ((1n << BigInt(sizeLog2)) - 1n);
      assert.equal(rig.translate(ctx, va), `ok 0x${(pa + offset).toString(16)}`);
      assert.equal(rig.mmu.result.pageLog2, sizeLog2);
      assert.equal(rig.mmu.result.type, MemoryType.NormalWB);
      assert.equal(rig.mmu.result.shareability, 3);
      const walk = rig.peek(ctx, va);
      assert.equal(walk.pa, pa + offset);
      assert.equal(walk.pageLog2, sizeLog2);
      assert.deepEqual(
        walk.steps.map((s) => Number(s.descriptorPa)),
        rig.reads,
      );
      assert.equal(walk.steps[walk.steps.length - 1].level, level);
      rig.reads.length = 0;
    }
  });
}

test('block descriptors where no block is allowed, and reserved ones at level 3, are translation faults', () => {
  const cases = [
    [12, 0, 1n, 'translation 0'],
    [12, 3, 1n, 'translation 3'],
    [14, 0, 1n, 'translation 0'],
    [14, 1, 1n, 'translation 1'],
    [14, 3, 1n, 'translation 3'],
    [16, 1, 1n, 'translation 1'],
    [16, 3, 1n, 'translation 3'],
    [12, 2, 2n, 'translation 2'],
    [12, 3, 2n, 'translation 3'],
    [12, 1, 0n, 'translation 1'],
  ] as const;
  for (const [granuleLog2, level, type, expected] of cases) {
    const rig = new MmuRig();
    const r = range({ granuleLog2 });
    rig.map(r, 0n, level, AF | type);
    assert.equal(
      rig.translate(context({ ranges: [r, r] }), 0n),
      expected,
      `2^${granuleLog2} level ${level} type ${type}`,
    );
    assert.equal(rig.mmu.peekTlb(0).length, 0, 'faults are not cached');
  }
});

test('access flag, address size, external aborts on walks: kind and level', () => {
  const fresh = (): [MmuRig, ReturnType<typeof context>] => [new MmuRig(), context()];
  let [rig, ctx] = fresh();
  rig.map(ctx.ranges[0], 0n, 2, block(0n) & ~AF);
  assert.equal(rig.translate(ctx, 0x1000n), 'accessFlag 2');
  rig.map(ctx.ranges[0], 0n, 2, block(0n));
  assert.equal(rig.translate(ctx, 0x1000n), 'ok 0x1000');

  [rig, ctx] = fresh();
  rig.map(ctx.ranges[0], 0n, 3, page(0x1_0000_0000n) & ~AF);
  ctx.ipsBits = 32;
  assert.equal(rig.translate(ctx, 0n), 'addressSize 3', 'before the access flag');
  ctx.ipsBits = 33;
  assert.equal(rig.translate(ctx, 0n), 'accessFlag 3');

  [rig, ctx] = fresh();
  rig.put(0x10_0000, 0x10_0000_0000n | 3n);
  ctx.ipsBits = 36;
  assert.equal(rig.translate(ctx, 0n), 'addressSize 0', 'a table');
  ctx.ipsBits = 40;
  assert.equal(rig.translate(ctx, 0n), 'externalWalk 1');

  [rig, ctx] = fresh();
  (ctx.ranges[0] as { base: number }).base = 0x10_0000_0000;
  ctx.ipsBits = 36;
  assert.equal(rig.translate(ctx, 0n), 'addressSize 0', 'TTBR');
  assert.equal(rig.reads.length, 0);
});

test('addresses beyond the range, and sizes out of range, fault at level 0 without a walk', () => {
  const rig = new MmuRig();
  const at = (vaBits: number, va: bigint, tbi = false): string => {
    const r = range({ vaBits, tbi });
    rig.put(0x10_0000, 0n);
    return rig.translate(context({ ranges: [r, r] }), va);
  };
  assert.equal(at(39, 0x80_0000_0000n), 'translation 0');
  assert.equal(at(39, 0n), 'translation 1');
  assert.equal(at(32, 0x1_0000_0000n), 'translation 0');
  assert.equal(at(30, 0x4000_0000n), 'translation 0');
  assert.equal(at(48, 0xfffe_ffff_ffff_ffffn), 'translation 0', 'upper range, a hole');
  assert.equal(at(39, 0xffff_ff7f_ffff_ffffn), 'translation 0');
  assert.equal(at(30, 0xffff_ffff_bfff_ffffn), 'translation 0');
  assert.equal(at(48, 0x0100_0000_0000_0000n), 'translation 0');
  rig.reads.length = 0;
  for (const vaBits of [0, 1, 24, 49, 64]) assert.equal(at(vaBits, 0n), 'translation 0', `2^${vaBits}`);
  assert.equal(rig.reads.length, 0);
});

test('TBI: the top byte is no part of the address, bit 55 chooses the range', () => {
  const rig = new MmuRig();
  const low = range({ tbi: true });
  const high = range({ base: 0x20_0000, tbi: true });
  const ctx = context({ ranges: [low, high] });
  rig.map(low, 0x1000n, 3, page(0x5000_0000n));
  rig.map(high, 0xffff_ffff_ffff_1000n, 3, page(0x6000_0000n));
  assert.equal(rig.translate(ctx, 0x1008n), 'ok 0x50000008');
  assert.equal(rig.translate(ctx, 0xab00_0000_0000_1008n), 'ok 0x50000008');
  assert.equal(rig.translate(ctx, 0x00ff_ffff_ffff_1008n), 'ok 0x60000008');
  assert.equal(rig.translate(ctx, 0x12ff_ffff_ffff_1008n), 'ok 0x60000008');
  assert.equal(rig.mmu.peekTlb(0).length, 2, 'one entry whatever the tag');
  const without = context({ ranges: [range(), high] });
  assert.equal(rig.translate(without, 0xab00_0000_0000_1008n), 'translation 0');
});

test('EL2 and EL3 have one range', () => {
  const rig = new MmuRig();
  const r = range();
  rig.map(r, 0x1000n, 3, page(0x5000_0000n));
  for (const [regime, el] of [
    ['EL2', 2],
    ['EL3', 3],
  ] as const) {
    const ctx = context({ regime, el, secure: el === 3, ranges: [r, range({ enabled: false })] });
    assert.equal(rig.translate(ctx, 0x1000n), 'ok 0x50000000');
    assert.equal(rig.translate(ctx, 0xffff_ffff_ffff_1000n), 'translation 0');
  }
});

test('EPD: no walk, a fault at level 0; a TLB entry still serves', () => {
  const rig = new MmuRig();
  const r = range();
  rig.map(r, 0x1000n, 3, page(0x5000_0000n));
  const off = context({ ranges: [{ ...r, disabledWalks: true }, range()] });
  assert.equal(rig.translate(off, 0x1000n), 'translation 0');
  assert.equal(rig.reads.length, 0);
  rig.translate(context({ ranges: [r, range()] }), 0x1000n);
  assert.equal(rig.translate(off, 0x1000n), 'ok 0x50000000');
});

test('big-endian tables', () => {
  const rig = new MmuRig();
  const r = range({ vaBits: 30 });
  const swapped = (v: bigint): bigint => {
    const bytes = v.toString(16).padStart(16, '0').match(/../g)!;
    return BigInt(`0x${bytes.reverse().join('')}`);
  };
  rig.put(0x10_0000, swapped(block(0x8000_0000n, UXN)));
  const ctx = context({ ranges: [r, r], bigEndianWalks: true });
  assert.equal(rig.translate(ctx, 0x1234n), 'ok 0x80001234');
  assert.match(rig.peek(ctx, 0x1234n).steps[0].meaning, /block at 0x80000000/);
  assert.notEqual(rig.translate({ ...ctx, bigEndianWalks: false, asid: 2, vmid: 1 }, 0x1234n), 'ok 0x80001234');
});

test('the first table is aligned to its size, whatever TTBR says below', () => {
  const rig = new MmuRig();
  const r = range({ vaBits: 25, granuleLog2: 12, base: 0x10_0080 });
  // 25 bits at level 2: 16 entries, 128 bytes
  rig.put(0x10_0080 + 8, block(0x4000_0000n));
  assert.equal(rig.translate(context({ ranges: [r, r] }), 0x20_0000n), 'ok 0x40000000');
  const odd = range({ vaBits: 25, base: 0x10_00c0 });
  assert.equal(rig.translate(context({ ranges: [odd, odd], asid: 3, vmid: 9 }), 0x20_0000n), 'ok 0x40000000');
});

// ---- permissions ----

const R = Access.Read;
const W = Access.Write;
const X = Access.Fetch;
const PRIVILEGED = 1;
const USERMODE = 0;

/** AP, PXN, UXN, WXN -> what EL1 and EL0 may do, letters of 'rwx'. */
const rights: readonly [bigint, bigint, boolean, string, string][] = [
  [0n, 0n, false, 'rwx', 'x'],
  [0n, PXN, false, 'rw', 'x'],
  [0n, UXN, false, 'rwx', ''],
  [USER, 0n, false, 'rw', 'rwx'], // writable at EL0: not executable at EL1
  [USER, UXN, false, 'rw', 'rw'],
  [RO, 0n, false, 'rx', 'x'],
  [RO | USER, 0n, false, 'rx', 'rx'],
  [RO | USER, PXN | UXN, false, 'r', 'r'],
  [0n, 0n, true, 'rw', 'x'],
  [USER, 0n, true, 'rw', 'rw'],
  [RO, 0n, true, 'rx', 'x'],
  [RO | USER, 0n, true, 'rx', 'rx'],
];

function allowed(rig: MmuRig, ctx: ReturnType<typeof context>, el: 0 | 1 | 2 | 3, va = 0n): string {
  const letters = [
    [R, 'r'],
    [W, 'w'],
    [X, 'x'],
  ] as const;
  return letters
    .filter(([access]) => {
      const got = rig.translate({ ...ctx, el }, va, access);
      assert.ok(got.startsWith('ok') || got === 'permission 3', got);
      assert.equal(rig.mmu.fault.write, !got.startsWith('ok') ? access === W : rig.mmu.fault.write);
      assert.equal(rig.peek({ ...ctx, el }, va, access).ok, got.startsWith('ok'), 'the debugger says the same');
      return got.startsWith('ok');
    })
    .map(([, letter]) => letter)
    .join('');
}

test('EL1&0 permissions: AP, PXN, UXN, WXN', () => {
  for (const [ap, xn, wxn, el1, el0] of rights) {
    const rig = new MmuRig();
    const ctx = context({ wxn });
    rig.map(ctx.ranges[0], 0n, 3, page(0x5000_0000n, ap | xn));
    const what = `AP ${ap >> 6n} XN ${(xn >> 53n) & 3n} WXN ${wxn}`;
    assert.equal(allowed(rig, ctx, PRIVILEGED), el1, `${what} EL1`);
    assert.equal(allowed(rig, ctx, USERMODE), el0, `${what} EL0`);
  }
});

test('EL2 and EL3 permissions: AP[2] and XN', () => {
  const cases: readonly [bigint, boolean, string][] = [
    [USER, false, 'rwx'],
    [0n, false, 'rwx'],
    [USER | UXN, false, 'rw'],
    [USER | RO, false, 'rx'],
    [USER, true, 'rw'],
    [USER | RO, true, 'rx'],
    [USER | PXN, false, 'rwx'],
  ];
  for (const [bits, wxn, expected] of cases) {
    for (const [regime, el] of [
      ['EL2', 2],
      ['EL3', 3],
    ] as const) {
      const rig = new MmuRig();
      const ctx = context({ regime, el, wxn });
      rig.map(ctx.ranges[0], 0n, 3, page(0x5000_0000n, bits));
      assert.equal(allowed(rig, ctx, el), expected, `${bits.toString(16)} WXN ${wxn} ${regime}`);
    }
  }
});

const APT0 = 1n << 61n;
const APT1 = 1n << 62n;
const UXNT = 1n << 60n;
const PXNT = 1n << 59n;

test('table attributes limit what leaves below give', () => {
  const cases: readonly [bigint, bigint, string, string][] = [
    [APT0, USER, 'rwx', 'x'],
    [APT1, USER, 'rx', 'rx'],
    [APT0 | APT1, USER, 'rx', 'x'],
    [UXNT, RO | USER, 'rx', 'r'],
    [PXNT, RO | USER, 'r', 'rx'],
  ];
  for (const [table, leaf, el1, el0] of cases) {
    const rig = new MmuRig();
    const ctx = context();
    rig.map(ctx.ranges[0], 0n, 3, page(0x5000_0000n, leaf), table);
    assert.equal(allowed(rig, ctx, 1), el1, `table ${table.toString(16)} EL1`);
    assert.equal(allowed(rig, ctx, 0), el0, `table ${table.toString(16)} EL0`);
  }
  const rig = new MmuRig();
  const ctx = context({ regime: 'EL2', el: 2 });
  rig.map(ctx.ranges[0], 0n, 3, page(0x5000_0000n, USER), APT1 | UXNT | PXNT | APT0);
  assert.equal(allowed(rig, ctx, 2), 'r');
});

test('PAN takes EL0 memory away from EL1; LDTR and STTR act as EL0', () => {
  const rig = new MmuRig();
  const ctx = context();
  rig.map(ctx.ranges[0], 0n, 3, page(0x5000_0000n, RO | USER));
  rig.map(ctx.ranges[0], 0x1000n, 3, page(0x6000_0000n));
  const pan = { ...ctx, pan: true };
  assert.equal(rig.translate(pan, 0n), 'permission 3');
  assert.equal(rig.translate(pan, 0n, X), 'ok 0x50000000');
  assert.equal(rig.translate(pan, 0x1000n, W), 'ok 0x60000000');
  assert.equal(rig.translate(pan, 0n, R, { unprivileged: true }), 'ok 0x50000000');
  assert.equal(rig.translate(ctx, 0n, W, { unprivileged: true }), 'permission 3');
  assert.equal(rig.translate(ctx, 0x1000n, R, { unprivileged: true }), 'permission 3');
  const el2 = context({ regime: 'EL2', el: 2 });
  assert.equal(
    rig.translate(el2, 0x1000n, R, { unprivileged: true }),
    'ok 0x60000000',
    'EL2 has no unprivileged access',
  );
  assert.equal(rig.translate({ ...ctx, el: 0 }, 0x1000n, Access.Maintenance), 'ok 0x60000000');
});

// ---- attributes ----

test('MAIR to memory type; SCTLR.C and I; shareability of what is not cacheable', () => {
  const { DeviceNGnRnE, DeviceNGnRE, DeviceNGRE, DeviceGRE, NormalNC, NormalWT, NormalWB } = MemoryType;
  const types = [DeviceNGnRnE, DeviceNGnRE, DeviceNGRE, DeviceGRE, NormalNC, NormalWT, NormalWB, NormalNC];
  for (const [index, type] of types.entries()) {
    const rig = new MmuRig();
    const ctx = context();
    rig.map(ctx.ranges[0], 0n, 3, (page(0n) & ~0x31cn) | (BigInt(index) << 2n) | (3n << 8n));
    const seen = (c: typeof ctx, access: Access): (number | string)[] => {
      assert.ok(rig.translate(c, 0n, access).startsWith('ok'));
      return [rig.mmu.result.type, rig.mmu.result.shareability];
    };
    const normal = type >= NormalWT;
    assert.deepEqual(seen(ctx, R), [type, normal ? 3 : 2], `index ${index} data`);
    assert.deepEqual(seen(ctx, X), normal ? [type, 3] : [NormalNC, 2], `index ${index} fetch`);
    const off = { ...ctx, dataCacheable: false, fetchCacheable: false };
    assert.deepEqual(seen(off, W), [Math.min(type, NormalNC), 2], `index ${index} C=0`);
    assert.deepEqual(seen(off, X), [NormalNC, 2], `index ${index} I=0`);
    assert.deepEqual(seen(off, Access.Maintenance), [type, normal ? 3 : 2], `index ${index} maintenance`);
  }
});

test('stage 1 off: a flat map up to the physical size, types by SCTLR.I and HCR_EL2.DC', () => {
  const rig = new MmuRig();
  const ctx = context({ mmu: false, ipsBits: 44, fetchCacheable: false });
  const seen = (c: typeof ctx, access: Access): number[] => {
    assert.equal(rig.translate(c, 0xfff_1234_5678n, access), 'ok 0xfff12345678');
    return [rig.mmu.result.type, rig.mmu.result.shareability, rig.mmu.result.pageLog2, rig.mmu.result.tlbIndex];
  };
  assert.deepEqual(seen(ctx, R), [MemoryType.DeviceNGnRnE, 2, 64, -1]);
  assert.deepEqual(seen(ctx, X), [MemoryType.NormalNC, 2, 64, -1]);
  assert.deepEqual(seen({ ...ctx, fetchCacheable: true }, X), [MemoryType.NormalWT, 2, 64, -1]);
  const dc = { ...ctx, hcrDC: true, dataCacheable: false };
  assert.deepEqual(seen(dc, R), [MemoryType.NormalWB, 0, 64, -1]);
  assert.deepEqual(seen(dc, X), [MemoryType.NormalWB, 0, 64, -1]);
  assert.equal(rig.translate(ctx, 0x1000_0000_0000n), 'addressSize 0');
  assert.equal(rig.translate(ctx, 0xab00_0000_0000_0000n), 'addressSize 0');
  const tbi = {
    ...ctx,
    ranges: [range({ tbi: true }), range()] as [ReturnType<typeof range>, ReturnType<typeof range>],
  };
  assert.equal(rig.translate(tbi, 0xab00_0000_0000_1000n), 'ok 0x1000');
  assert.equal(rig.peek(tbi, 0xab00_0000_0000_1000n).pa, 0x1000n);
  assert.equal(rig.reads.length, 0);
});
