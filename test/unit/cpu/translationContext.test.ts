import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CoreTypeName } from '../../../src/machine/presets';
import { coreOf, Rig } from './rig';

const M = 1n;
const sctlr = (more = 0n): bigint => 0x30d0_0980n | M | more;

/** Changes one register and says whether line tables may still be shared. */
function shared(change: (rig: Rig) => void, highestEl: 1 | 2 | 3 = 2, el = 1): boolean {
  const rig = new Rig({ highestEl, ...coreOf('max') });
  rig.poke('SCTLR_EL1', sctlr());
  rig.at(el);
  const before = rig.selected[rig.selected.length - 1];
  change(rig);
  return JSON.stringify(rig.selected[rig.selected.length - 1]) === JSON.stringify(before);
}

test('line tables are kept apart by everything that translation and permission read, but not by table bases', () => {
  const changes: readonly [string, (rig: Rig) => void, boolean][] = [
    ['TTBR0 base', (r) => r.msr('TTBR0_EL1', 0x8000_0000n), true],
    ['TTBR1 base', (r) => r.msr('TTBR1_EL1', 0x8000_0000n), true],
    ['ASID', (r) => r.msr('TTBR0_EL1', 0x0001_0000_8000_0000n), false],
    ['ASID of the other TTBR', (r) => r.msr('TTBR1_EL1', 0x0001_0000_8000_0000n), true],
    ['TCR', (r) => r.msr('TCR_EL1', 0x10n), false],
    ['MAIR', (r) => r.msr('MAIR_EL1', 0xffn), false],
    ['SCTLR.M', (r) => r.msr('SCTLR_EL1', sctlr() & ~M), false],
    ['SCTLR.C', (r) => r.msr('SCTLR_EL1', sctlr(4n)), false],
    ['SCTLR.I', (r) => r.msr('SCTLR_EL1', sctlr(1n << 12n)), false],
    ['SCTLR.A', (r) => r.msr('SCTLR_EL1', sctlr(2n)), false],
    ['SCTLR.WXN', (r) => r.msr('SCTLR_EL1', sctlr(1n << 19n)), false],
    ['SCTLR.UCI', (r) => r.msr('SCTLR_EL1', sctlr(1n << 26n)), true],
    ['PAN', (r) => void r.cpu.msrImmediate(0, 4, 1), false],
    ['EL0', (r) => void r.at(0), false],
    ['EL2', (r) => void r.at(2), false],
    ['VMID', (r) => r.poke('VTTBR_EL2', 0x0007_0000_0000_0000n), false],
    ['VTTBR base', (r) => r.poke('VTTBR_EL2', 0x8000_0000n), true],
    ['HCR.DC', (r) => r.set('HCR_EL2.DC', 1), false],
    ['HCR.IMO', (r) => r.set('HCR_EL2.IMO', 1), true],
    ['TPIDR', (r) => r.msr('TPIDR_EL1', 1n), true],
    ['DAIF', (r) => r.msr('DAIF', 0n), true],
  ];
  for (const [name, change, expected] of changes) assert.equal(shared(change), expected, name);
  assert.equal(
    shared((r) => r.set('SCR_EL3.NS', 1), 3),
    false,
    'security state',
  );
});

test('the ASID: chosen by TCR_EL1.A1, of 8 or 16 bits', () => {
  const rig = new Rig({ highestEl: 1 }).at(1);
  rig.msr('TTBR0_EL1', 0x1234_0000_0000_0000n);
  rig.msr('TTBR1_EL1', 0x5678_0000_0000_0000n);
  assert.equal(rig.cpu.context.asid, 0x34);
  rig.msr('TCR_EL1', 1n << 36n);
  assert.equal(rig.cpu.context.asid, 0x1234);
  rig.msr('TCR_EL1', (1n << 36n) | (1n << 22n));
  assert.equal(rig.cpu.context.asid, 0x5678);
});

test('HCR_EL2.TGE and DC turn stage 1 of EL1&0 off, the register still reads as written', () => {
  for (const field of ['TGE', 'DC']) {
    const rig = new Rig({ highestEl: 2 });
    rig.poke('SCTLR_EL1', sctlr());
    assert.ok(rig.at(0).cpu.context.mmu);
    rig.set(`HCR_EL2.${field}`, 1);
    assert.equal(rig.at(0).cpu.context.mmu, false, field);
    assert.equal(rig.cpu.context.hcrDC, field === 'DC');
    assert.equal(rig.at(2).mrs('SCTLR_EL1'), sctlr());
  }
  const secure = new Rig({ highestEl: 3 });
  secure.poke('SCTLR_EL1', sctlr());
  secure.set('HCR_EL2.TGE', 1);
  assert.ok(secure.at(0).cpu.context.mmu, 'EL2 is not there in Secure state');
});

test('granules: reserved values, and 16 KB on a core that has none, choose 4 KB', () => {
  const granules = (type: CoreTypeName, tg0: bigint, tg1: bigint): number[] => {
    const rig = new Rig({ highestEl: 1, ...coreOf(type) }).at(1);
    rig.msr('TCR_EL1', (tg0 << 14n) | (tg1 << 30n));
    return rig.cpu.context.ranges.map((r) => r.granuleLog2);
  };
  const a57 = 'cortex-a57';
  const n1 = 'neoverse-n1';
  assert.deepEqual(granules(a57, 0n, 2n), [12, 12]);
  assert.deepEqual(granules(a57, 1n, 3n), [16, 16]);
  assert.deepEqual(granules(n1, 2n, 1n), [14, 14]);
  assert.deepEqual(granules(a57, 2n, 1n), [12, 12]);
  assert.deepEqual(granules(n1, 3n, 0n), [12, 12]);
});

test('output size: the smaller of TCR and the core; the core alone with stage 1 off', () => {
  const rig = new Rig({ highestEl: 1 }).at(1);
  assert.equal(rig.cpu.context.ipsBits, 44);
  rig.msr('SCTLR_EL1', sctlr());
  for (const [ips, bits] of [32, 36, 40, 42, 44, 44, 44, 44].entries()) {
    rig.msr('TCR_EL1', BigInt(ips) << 32n);
    assert.equal(rig.cpu.context.ipsBits, bits, `IPS ${ips}`);
  }
});

test("the debugger's copy of another level's context leaves the current one alone", () => {
  const rig = new Rig({ highestEl: 2 });
  rig.poke('SCTLR_EL1', sctlr());
  rig.poke('TTBR0_EL1', 0x4000_0000n);
  rig.at(0);
  const el1 = rig.cpu.contextOf(1);
  assert.deepEqual([el1.el, el1.mmu, el1.ranges[0].base], [1, true, 0x4000_0000]);
  assert.equal(rig.cpu.context.el, 0);
  assert.equal(rig.cpu.contextOf(2).regime, 'EL2');
  rig.msr('TTBR0_EL1', 0n);
  rig.poke('TTBR0_EL1', 0x5000_0000n);
  assert.equal(el1.ranges[0].base, 0x4000_0000);
});
