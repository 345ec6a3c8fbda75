/** Performance monitors of a core whose totals are moved by hand: whose counters are whose, chains, the interrupt. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Rig } from './rig';

const L1D_CACHE = 4n;
const CHAIN = 0x1en;
const NSH = 0x0800_0000n;

test('MDCR_EL2.HPMN gives EL1 the counters below it, HPME enables the others', () => {
  const rig = new Rig({ highestEl: 2 });
  rig.at(2);
  assert.equal(rig.mrs('MDCR_EL2'), 6n, 'HPMN resets to all of them');
  rig.msr('MDCR_EL2', 0x82n); // HPME, HPMN = 2
  rig.msr('PMEVTYPER1_EL0', L1D_CACHE);
  rig.msr('PMEVTYPER2_EL0', L1D_CACHE);
  rig.msr('PMCNTENSET_EL0', 0x3fn);
  assert.equal(rig.mrs('PMCR_EL0'), 0x4100_3000n);
  rig.at(1);
  assert.equal(rig.mrs('PMCR_EL0'), 0x4100_1000n, 'N is two');
  assert.equal(rig.mrs('PMCNTENSET_EL0'), 3n);
  rig.msr('PMCNTENCLR_EL0', 0x3fn);
  rig.counts.L1D_CACHE = 10;
  assert.equal(rig.mrs('PMEVCNTR1_EL0'), 0n, 'PMCR_EL0.E is clear, and so is its enable');
  assert.equal(rig.mrs('PMEVCNTR2_EL0'), 0n, 'not of EL1');
  rig.msr('PMEVCNTR2_EL0', 77n);
  rig.msr('PMCR_EL0', 2n);
  rig.at(2);
  assert.equal(rig.mrs('PMCNTENSET_EL0'), 0x3cn);
  assert.equal(rig.mrs('PMEVCNTR2_EL0'), 10n, 'HPME lets it count, EL1 did not touch it');
});

test('a chained counter takes the overflows of the one before it', () => {
  const rig = new Rig({ highestEl: 2 });
  rig.at(2);
  rig.msr('PMEVTYPER4_EL0', NSH | L1D_CACHE);
  rig.msr('PMEVTYPER5_EL0', NSH | CHAIN);
  rig.msr('PMEVCNTR4_EL0', 0xffff_fff0n);
  rig.msr('PMEVCNTR5_EL0', 0xffff_ffffn);
  rig.msr('PMCNTENSET_EL0', 0x30n);
  rig.msr('PMCR_EL0', 1n);
  rig.counts.L1D_CACHE = 0xf;
  assert.deepEqual([rig.mrs('PMEVCNTR4_EL0'), rig.mrs('PMEVCNTR5_EL0')], [0xffff_ffffn, 0xffff_ffffn]);
  rig.counts.L1D_CACHE = 0x11;
  assert.deepEqual([rig.mrs('PMEVCNTR4_EL0'), rig.mrs('PMEVCNTR5_EL0')], [1n, 0n]);
  assert.equal(rig.mrs('PMOVSSET_EL0'), 0x30n);
});

test('an overflow is foreseen, looked at again, and raised while it is enabled', () => {
  const rig = new Rig({ highestEl: 2 });
  rig.at(2);
  rig.msr('PMEVTYPER0_EL0', NSH | L1D_CACHE);
  rig.msr('PMEVCNTR0_EL0', 0xffff_fc00n);
  rig.msr('PMCNTENSET_EL0', 1n);
  rig.msr('PMCR_EL0', 1n);
  assert.equal(rig.monitorCalls.length, 0, 'nobody wants to know');
  rig.msr('PMINTENSET_EL1', 1n);
  assert.deepEqual(rig.monitorCalls.pop(), [0, false, 128], '1024 events at most eight an instruction');
  rig.counts.L1D_CACHE = 1000;
  rig.cpu.monitorsDue();
  assert.deepEqual(rig.monitorCalls.pop(), [0, false, 3]);
  rig.counts.L1D_CACHE = 1023;
  rig.cpu.monitorsDue();
  assert.deepEqual(rig.monitorCalls.pop(), [0, false, 1]);
  rig.counts.L1D_CACHE = 1024;
  rig.cpu.monitorsDue();
  assert.deepEqual(rig.monitorCalls.pop(), [0, true, Number.POSITIVE_INFINITY]);
  rig.msr('PMOVSCLR_EL0', 1n);
  assert.equal(rig.monitorCalls.pop()?.[1], false);
});

test('a waiting core is not looked at until it wakes', () => {
  const rig = new Rig({ highestEl: 2 });
  rig.at(2);
  rig.msr('PMCCFILTR_EL0', NSH);
  rig.msr('PMCCNTR_EL0', 0xffff_ff00n);
  rig.msr('PMCNTENSET_EL0', 0x8000_0000n);
  rig.msr('PMINTENSET_EL1', 0x8000_0000n);
  rig.msr('PMCR_EL0', 1n);
  assert.deepEqual(rig.monitorCalls.at(-1), [0, false, 256]);
  rig.cpu.wfi();
  rig.cpu.monitorsDue();
  assert.equal(rig.monitorCalls.at(-1)?.[2], Number.POSITIVE_INFINITY);
  rig.cpu.setIrq(true);
  assert.deepEqual(rig.monitorCalls.at(-1), [0, false, 256]);
});

test('filters by level and Security state, and Secure counting only with SPME', () => {
  const rig = new Rig({ highestEl: 3 });
  rig.at(3);
  rig.msr('PMEVTYPER0_EL0', L1D_CACHE | 0x8000_0000n); // P: neither EL1 nor, with M clear, EL3
  rig.msr('PMCNTENSET_EL0', 1n);
  rig.msr('PMCR_EL0', 1n);
  const counts = (): bigint => {
    rig.msr('PMEVCNTR0_EL0', 0n);
    rig.counts.L1D_CACHE = (rig.counts.L1D_CACHE ?? 0) + 5;
    return rig.mrs('PMEVCNTR0_EL0') ?? -1n;
  };
  assert.equal(counts(), 0n);
  rig.msr('PMEVTYPER0_EL0', L1D_CACHE);
  assert.equal(counts(), 0n, 'Secure');
  rig.msr('MDCR_EL3', 0x2_0000n);
  assert.equal(counts(), 5n, 'SPME');
});
