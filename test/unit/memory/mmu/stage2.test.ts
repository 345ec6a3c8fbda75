/** Stage 2 on hand-made tables: walks, faults, attributes, hardware updates, and what the TLB keeps of it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Access } from '../../../../src/memory/translator';
import { MemoryType, type Stage2Controls, type TranslationContext } from '../../../../src/memory/types';
import { AF, context, MmuRig, NG, page, RO, stage2, USER } from './rig';

const VA = 0x12_3000n;
const IPA = 0x40_5000n;
const PA = 0x5000_0000n;
const DBM = 1n << 51n;
/** Stage 2 leaves: read-write, Normal Write-Back, Inner Shareable. */
const S2_RW = 3n << 6n;
const S2_RO = 1n << 6n;
const S2_WB = 15n << 2n;
const leaf2 = (pa: bigint, more = S2_RW | S2_WB): bigint => pa | 3n | AF | (3n << 8n) | more;
const XN = 1n << 54n;
const XN0 = 1n << 53n;

/** Maps one stage 2 page; the first table is at level 1, entries 30 bits apart. */
function map2(rig: MmuRig, s2: Stage2Controls, ipa: bigint, leaf: bigint): void {
  const tables = [
    s2.base,
    s2.base + 0x10_0000 + Number(ipa >> 30n) * 0x1000,
    s2.base + 0x20_0000 + Number(ipa >> 21n) * 0x1000,
  ];
  rig.put(tables[0] + Number(ipa >> 30n) * 8, BigInt(tables[1]) | 3n);
  rig.put(tables[1] + Number((ipa >> 21n) & 511n) * 8, BigInt(tables[2]) | 3n);
  rig.put(tables[2] + Number((ipa >> 12n) & 511n) * 8, leaf);
}

/** Stage 1 maps VA to IPA with tables at 1 MiB, which stage 2 maps to themselves; stage 2 maps IPA to PA. */
function nested(
  more: Partial<TranslationContext> = {},
  leaf1 = page(IPA),
  leaf = leaf2(PA),
  s2More: Partial<Stage2Controls> = {},
) {
  const s2 = stage2(s2More);
  const ctx = context({ vmid: 5, s2, ...more });
  const rig = new MmuRig();
  rig.map(ctx.ranges[0], VA, 3, leaf1);
  for (let n = 0; n < 16; n++) map2(rig, s2, BigInt(0x10_0000 + n * 0x1_0000), leaf2(BigInt(0x10_0000 + n * 0x1_0000)));
  map2(rig, s2, IPA, leaf);
  return { rig, ctx, s2 };
}

const fault = ({ mmu }: MmuRig): string =>
  `${mmu.fault.stage2 ? 'stage 2' : 'stage 1'} ${mmu.fault.s1ptw ? 'walk ' : ''}0x${mmu.fault.ipa.toString(16)}`;

test('an address goes through both stages, and so do the tables of the first', () => {
  const { rig, ctx } = nested();
  assert.equal(rig.translate(ctx, VA + 4n), 'ok 0x50000004');
  assert.equal(rig.mmu.result.pageLog2, 12);
  // Four descriptors of stage 1, each after three of stage 2, and three for the result.
  assert.equal(rig.reads.length, 4 + 4 * 3 + 3);
  assert.equal(rig.penalty, 19 * 8);
  rig.reads.length = 0;
  assert.equal(rig.translate(ctx, VA + 8n, Access.Write), 'ok 0x50000008');
  assert.equal(rig.reads.length, 0);
  const [entry] = rig.mmu.peekTlb(0).filter((e) => e.regime === 'EL1&0');
  assert.deepEqual([entry.vmid, entry.ipa, entry.pa], [5, IPA, PA]);
});

test('stage 1 off: addresses are intermediate ones, and stage 2 decides', () => {
  const { rig, ctx } = nested({ mmu: false });
  assert.equal(rig.translate(ctx, IPA + 12n), 'ok 0x5000000c');
  assert.equal(rig.mmu.result.type, MemoryType.DeviceNGnRnE);
  assert.equal(rig.translate({ ...ctx, hcrDC: true }, IPA), 'ok 0x50000000');
  assert.equal(rig.mmu.result.type, MemoryType.NormalWB);
  rig.put(ctx.s2.base + 8, 0n);
  assert.equal(rig.translate(ctx, 0x7000_0000n), 'translation 1');
  assert.equal(fault(rig), 'stage 2 0x70000000');
  assert.equal(rig.translate(ctx, 1n << 40n), 'translation 0', 'beyond the IPA size');
});

test('faults of stage 2 say the intermediate address, and whether stage 1 was walking', () => {
  const { rig, ctx, s2 } = nested();
  map2(rig, s2, IPA, 0n);
  assert.equal(rig.translate(ctx, VA + 0x18n), 'translation 3');
  assert.equal(fault(rig), 'stage 2 0x405018');
  map2(rig, s2, IPA, leaf2(PA) & ~AF);
  assert.equal(rig.translate(ctx, VA), 'accessFlag 3');
  const { rig: other, ctx: there, s2: s2There } = nested();
  map2(other, s2There, BigInt(there.ranges[0].base), 0n);
  assert.equal(other.translate(there, VA, Access.Write), 'translation 3');
  assert.equal(fault(other), 'stage 2 walk 0x100000');
});

test('a fault of stage 1 comes before any of stage 2', () => {
  const { rig, ctx, s2 } = nested({}, page(IPA, RO));
  map2(rig, s2, IPA, 0n);
  assert.equal(rig.translate(ctx, VA, Access.Write), 'permission 3');
  assert.equal(fault(rig), 'stage 1 0x0');
});

test('permissions of stage 2: read, write, execution, by level with FEAT_XNX', () => {
  const of = (leaf: bigint, xnx = false, el: 0 | 1 = 1) => {
    const { rig, ctx } = nested({ el }, page(IPA, el === 0 ? USER : 0n), leaf2(PA, leaf | S2_WB), { xnx });
    return [Access.Read, Access.Write, Access.Fetch]
      .map((access) => (rig.translate(ctx, VA, access).startsWith('ok') ? 'rwx'[access] : '-'))
      .join('');
  };
  assert.equal(of(S2_RW), 'rwx');
  assert.equal(of(S2_RO), 'r-x');
  assert.equal(of(2n << 6n), '-wx');
  assert.equal(of(0n), '--x');
  assert.equal(of(S2_RW | XN), 'rw-');
  assert.equal(of(S2_RW | XN0), 'rwx', 'ignored without FEAT_XNX');
  assert.equal(of(S2_RW | XN0, true), 'rw-', 'not at EL1');
  assert.equal(of(S2_RW | XN0, true, 0), 'rwx');
  assert.equal(of(S2_RW | XN, true, 0), 'rw-');
  assert.equal(of(S2_RW | XN | XN0, true), 'rwx');
  assert.equal(of(S2_RW | XN | XN0, true, 0), 'rw-', 'not at EL0');
});

test('types: the weaker stage without FWB, what stage 2 says with it, and the overrides of HCR_EL2', () => {
  const of = (memAttr: bigint, attrIndex: bigint, more: Partial<Stage2Controls> = {}, access: Access = Access.Read) => {
    const leaf1 = (page(IPA) & ~(7n << 2n)) | (attrIndex << 2n);
    const { rig, ctx } = nested({}, leaf1, leaf2(PA, S2_RW | (memAttr << 2n)), more);
    assert.ok(rig.translate(ctx, VA, access).startsWith('ok'));
    return rig.mmu.result.type;
  };
  // The rig's MAIR: 0 … 3 Device in order of strength, 4 NC, 5 WT, 6 WB.
  const WB = 6n;
  assert.equal(of(15n, WB), MemoryType.NormalWB);
  assert.equal(of(10n, WB), MemoryType.NormalWT);
  assert.equal(of(7n, WB), MemoryType.NormalNC, 'outer NC, inner WB');
  assert.equal(of(15n, 4n), MemoryType.NormalNC);
  assert.equal(of(1n, WB), MemoryType.DeviceNGnRE);
  assert.equal(of(15n, 3n), MemoryType.DeviceGRE);
  assert.equal(of(2n, 0n), MemoryType.DeviceNGnRnE);
  const fwb = { forcedWriteBack: true };
  assert.equal(of(6n, 4n, fwb), MemoryType.NormalWB);
  assert.equal(of(6n, 0n, fwb), MemoryType.NormalWB, 'even over Device');
  assert.equal(of(7n, 4n, fwb), MemoryType.NormalNC);
  assert.equal(of(7n, WB, fwb), MemoryType.NormalWB);
  assert.equal(of(5n, WB, fwb), MemoryType.NormalNC);
  assert.equal(of(5n, 1n, fwb), MemoryType.DeviceNGnRE);
  assert.equal(of(1n, WB, fwb), MemoryType.DeviceNGnRE);
  assert.equal(of(15n, WB, { dataUncached: true }), MemoryType.NormalNC);
  assert.equal(of(15n, WB, { dataUncached: true }, Access.Fetch), MemoryType.NormalWB);
  assert.equal(of(15n, WB, { fetchUncached: true }, Access.Fetch), MemoryType.NormalNC);
  assert.equal(of(1n, WB, {}, Access.Fetch), MemoryType.NormalNC);
  assert.equal(of(6n, WB, { ...fwb, dataUncached: true }), MemoryType.NormalNC);
});

test('a stage 1 table in Device memory: read Non-cacheable, or a permission fault under HCR_EL2.PTW', () => {
  for (const protectedWalks of [false, true]) {
    const { rig, ctx, s2 } = nested({}, page(IPA), leaf2(PA), { protectedWalks });
    map2(rig, s2, BigInt(ctx.ranges[0].base), leaf2(BigInt(ctx.ranges[0].base), S2_RW));
    assert.equal(rig.translate(ctx, VA), protectedWalks ? 'permission 3' : 'ok 0x50000000');
    if (protectedWalks) assert.equal(fault(rig), 'stage 2 walk 0x100000');
  }
});

test('hardware sets access flags and dirty states of both stages', () => {
  const hardware = { hardwareFlag: true, hardwareDirty: true };
  const { rig, ctx } = nested(hardware, page(IPA, RO | DBM) & ~AF, leaf2(PA, S2_RO | S2_WB | DBM) & ~AF, hardware);
  assert.equal(rig.translate(ctx, VA), 'ok 0x50000000');
  assert.equal(rig.writes.length, 2, 'both access flags');
  assert.equal(rig.translate(ctx, VA + 8n), 'ok 0x50000008');
  assert.equal(rig.writes.length, 2);
  assert.equal(rig.translate(ctx, VA, Access.Write), 'ok 0x50000000');
  assert.equal(rig.writes.length, 4, 'both dirty states');
  assert.equal(rig.translate(ctx, VA, Access.Write), 'ok 0x50000000');
  assert.equal(rig.writes.length, 4);
  const values = rig.writes.slice(2).map((pa) => rig.memory.get(pa)!);
  assert.equal(values[0] & RO, 0n);
  assert.equal(values[1] & (2n << 6n), 2n << 6n);
});

test('without HD a DBM page is read only, and a descriptor that cannot be updated is a fault of its own', () => {
  const { rig, ctx } = nested({ hardwareFlag: true }, page(IPA, RO | DBM));
  assert.equal(rig.translate(ctx, VA, Access.Write), 'permission 3');
  const { rig: other, ctx: there } = nested({ hardwareFlag: true }, page(IPA) & ~AF);
  const table = other.memory;
  const { get } = table;
  table.has = () => false;
  assert.equal(other.translate(there, VA), 'hardwareUpdate 3');
  assert.equal(get, table.get);
});

test('an update of a stage 1 descriptor needs stage 2 to allow the write', () => {
  const { rig, ctx, s2 } = nested({ hardwareFlag: true }, page(IPA) & ~AF);
  const at = rig.map(ctx.ranges[0], VA, 3, page(IPA) & ~AF) & ~0xfff;
  map2(rig, s2, BigInt(at), leaf2(BigInt(at), S2_RO | S2_WB));
  assert.equal(rig.translate(ctx, VA), 'permission 3');
  assert.match(fault(rig), /^stage 2 walk/);
});

// ---- the TLB ----

/** What of three kinds of entries an operation leaves: both stages, stage 2, and both stages of another VMID. */
function left(name: string, value: bigint, ctx: Partial<TranslationContext> = {}): string {
  const { rig, ctx: own } = nested({}, page(IPA, NG));
  rig.translate(own, VA);
  const other = { ...own, vmid: 6 };
  rig.translate(other, VA);
  rig.tlbi(name, value, { ...own, ...ctx });
  const entries = rig.mmu.peekTlb(0);
  const has = (regime: string, vmid: number): string =>
    entries.some((e) => e.regime === regime && e.vmid === vmid && [VA, IPA].includes(e.va)) ? '1' : '0';
  return [5, 6].map((vmid) => has('EL1&0', vmid) + has('stage 2', vmid)).join(' ');
}

test('TLBI: by IPA only stage 2 of the VMID, VMALLE1 only both stages of it, S12 and ALLE1 as they say', () => {
  const ipa = IPA >> 12n;
  assert.equal(left('IPAS2E1', ipa), '10 11');
  assert.equal(left('IPAS2LE1IS', ipa), '10 11');
  assert.equal(left('IPAS2E1', ipa + 1n), '11 11');
  assert.equal(left('VMALLE1', 0n), '01 11');
  assert.equal(left('VAE1', (1n << 48n) | (VA >> 12n)), '01 11');
  assert.equal(left('VAE1', (2n << 48n) | (VA >> 12n)), '11 11', 'another ASID');
  assert.equal(left('VMALLS12E1', 0n), '00 11');
  assert.equal(left('VMALLS12E1IS', 0n, { vmid: 6 }), '11 00');
  assert.equal(left('ALLE1', 0n), '00 00');
  assert.equal(left('ALLE2', 0n, { regime: 'EL2' }), '11 11');
});

test('range TLBI: base, scale and number; of stage 2 by IPA', () => {
  const range = (base: bigint, scale: bigint, num: bigint, tg = 1n): bigint =>
    (1n << 48n) | (tg << 46n) | (scale << 44n) | (num << 39n) | base;
  assert.equal(left('RVAE1', range((VA >> 12n) - 1n, 0n, 0n)), '01 11', 'two pages');
  assert.equal(left('RVAE1', range((VA >> 12n) - 2n, 0n, 0n)), '11 11');
  assert.equal(left('RVAE1', range((VA >> 12n) - 2n, 0n, 1n)), '01 11', 'four pages');
  assert.equal(left('RVAAE1', range(0n, 1n, 31n)), '01 11', '2048 pages');
  assert.equal(left('RVAE1', range((VA >> 12n) - 1n, 0n, 0n, 0n)), '11 11', 'a reserved granule names nothing');
  assert.equal(left('RIPAS2E1', range((IPA >> 12n) & ~1n, 0n, 0n)), '10 11');
});

test('stale stage 2: what each kind of entry keeps until its own TLBI', () => {
  const { rig, ctx, s2 } = nested({}, page(IPA, NG));
  assert.equal(rig.translate(ctx, VA), 'ok 0x50000000');
  map2(rig, s2, IPA, leaf2(0x6000_0000n));
  assert.equal(rig.translate(ctx, VA), 'ok 0x50000000');
  rig.tlbi('IPAS2E1IS', IPA >> 12n, ctx);
  assert.equal(rig.translate(ctx, VA), 'ok 0x50000000', 'the entry of both stages is still there');
  rig.tlbi('VMALLE1IS', 0n, ctx);
  assert.equal(rig.translate(ctx, VA), 'ok 0x60000000');
  map2(rig, s2, IPA, leaf2(0x7000_0000n));
  rig.tlbi('VMALLE1IS', 0n, ctx);
  assert.equal(rig.translate(ctx, VA), 'ok 0x60000000', 'the entry of stage 2 is still there');
  rig.tlbi('VMALLS12E1', 0n, ctx);
  assert.equal(rig.translate(ctx, VA), 'ok 0x70000000');
});

test('two guests with the same addresses do not meet in the TLB', () => {
  const { rig, ctx } = nested();
  const other = stage2({ base: 0x100_0000 });
  for (let n = 0; n < 16; n++)
    map2(rig, other, BigInt(0x10_0000 + n * 0x1_0000), leaf2(BigInt(0x10_0000 + n * 0x1_0000)));
  map2(rig, other, IPA, leaf2(0x6000_0000n));
  const second = { ...ctx, vmid: 0x1205, s2: other };
  for (let i = 0; i < 2; i++) {
    assert.equal(rig.translate(ctx, VA), 'ok 0x50000000');
    assert.equal(rig.translate(second, VA), 'ok 0x60000000');
  }
  assert.equal(rig.translate({ ...ctx, vmid: 0x1205 }, VA), 'ok 0x60000000', 'the same VMID is the same guest');
});

test('AT of stage 1 whose walk stage 2 stops: PAR_EL1 for EL2, an abort for EL1', () => {
  const { rig, ctx, s2 } = nested();
  map2(rig, s2, BigInt(ctx.ranges[0].base), 0n);
  const S = 1n << 9n;
  const PTW = 1n << 8n;
  assert.equal(rig.at('S1E1R', VA, ctx, 2), 0x800n | S | PTW | (7n << 1n) | 1n);
  assert.equal(rig.at('S1E1R', VA, ctx, 1), 'abort');
  assert.ok(rig.mmu.fault.stage2 && rig.mmu.fault.s1ptw && rig.mmu.fault.cacheMaintenance);
  const mild = nested();
  assert.equal(rig.mmu.peekTlb(0).filter((e) => e.regime === 'EL1&0').length, 0);
  assert.equal((mild.rig.at('S1E1R', VA, mild.ctx, 1) as bigint) & 0xffff_ffff_f000n, IPA);
  assert.equal((mild.rig.at('S12E1R', VA, mild.ctx, 2) as bigint) & 0xffff_ffff_f000n, PA);
  assert.equal((mild.rig.at('S1E1R', VA, mild.ctx, 1) as bigint) & 0xffff_ffff_f000n, IPA, 'from the entry of both');
});

test('the debugger sees both walks and changes nothing', () => {
  const { rig, ctx, s2 } = nested({ hardwareFlag: true }, page(IPA) & ~AF);
  const seen = rig.peek(ctx, VA + 4n);
  assert.deepEqual([seen.ok, seen.pa, seen.ipa], [true, PA + 4n, IPA + 4n]);
  assert.equal(seen.steps.length, 19 + 3, 'the update of the access flag is looked up as well');
  assert.equal(rig.writes.length, 0);
  assert.equal(rig.mmu.peekTlb(0).length, 0);
  assert.match(seen.steps.at(-1)!.meaning, /Normal WB/);
  const forced = nested({}, page(IPA), leaf2(PA, S2_RW | (7n << 2n)), { forcedWriteBack: true });
  assert.match(forced.rig.peek(forced.ctx, VA).steps.at(-1)!.meaning, /as stage 1/);
  map2(rig, s2, IPA, 0n);
  assert.equal(rig.peek(ctx, VA).fault, 'stage 2 translation fault, level 3, IPA 0x405000');
});
