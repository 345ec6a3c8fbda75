import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TimerLine } from '../../../src/cpu/index';
import { Rig } from './rig';

const lastCall = (rig: Rig) => rig.timerCalls[rig.timerCalls.length - 1];
const NEVER = Number.POSITIVE_INFINITY;

test('counts: the virtual one is behind by CNTVOFF_EL2, modulo 2^64', () => {
  const rig = new Rig({ highestEl: 2 }).at(2);
  rig.count = 0x1_0000_0005;
  assert.equal(rig.mrs('CNTPCT_EL0'), 0x1_0000_0005n);
  rig.msr('CNTVOFF_EL2', 0x1_0000_0006n);
  assert.equal(rig.mrs('CNTVCT_EL0'), 0xffff_ffff_ffff_ffffn);
  rig.msr('CNTVOFF_EL2', 6n);
  assert.equal(rig.mrs('CNTVCT_EL0'), 0xffff_ffffn);
  assert.equal(rig.mrs('CNTFRQ_EL0'), 62_500_000n);
});

const timers = [
  ['CNTP', 'EL0', TimerLine.physical],
  ['CNTV', 'EL0', TimerLine.virtual],
  ['CNTHP', 'EL2', TimerLine.hypervisor],
  ['CNTPS', 'EL1', TimerLine.secure],
] as const;

for (const [prefix, suffix, line] of timers) {
  test(`${prefix}: level, mask, ISTATUS and the next deadline`, () => {
    const rig = new Rig({ highestEl: 3 });
    const [ctl, cval, tval] = ['CTL', 'CVAL', 'TVAL'].map((r) => `${prefix}_${r}_${suffix}`);
    rig.count = 1000;
    rig.msr(cval, 1500n);
    assert.deepEqual(lastCall(rig), [0, 0, NEVER], 'off');
    rig.msr(ctl, 1n);
    assert.deepEqual(lastCall(rig), [0, 0, 1500]);
    assert.equal(rig.mrs(ctl), 1n);
    assert.equal(rig.mrs(tval), 500n);
    rig.count = 1500;
    rig.cpu.timersDue();
    assert.deepEqual(lastCall(rig), [0, line, NEVER]);
    assert.equal(rig.mrs(ctl), 5n);
    rig.msr(ctl, 3n);
    assert.deepEqual(lastCall(rig), [0, 0, NEVER], 'masked');
    assert.equal(rig.mrs(ctl), 7n);
    rig.msr(tval, 0xffff_fff6n);
    assert.equal(rig.mrs(cval), 1490n, 'TVAL is signed');
    rig.msr(tval, 0x10n);
    rig.msr(ctl, 1n);
    assert.deepEqual(lastCall(rig), [0, 0, 1516]);
    rig.count = 1520;
    assert.equal(rig.mrs(tval), 0xffff_fffcn);
    rig.msr(ctl, 0n);
    assert.equal(rig.mrs(ctl), 0n);
  });
}

test('comparisons are unsigned and of 64 bits', () => {
  const rig = new Rig({ highestEl: 1 }).at(1);
  rig.count = 0x1_0000_0000;
  rig.msr('CNTP_CTL_EL0', 1n);
  for (const [cval, met] of [
    [0n, true],
    [0xffff_ffffn, true],
    [0x1_0000_0000n, true],
    [0x1_0000_0001n, false],
    [0xffff_ffff_ffff_ffffn, false],
  ] as const) {
    rig.msr('CNTP_CVAL_EL0', cval);
    assert.equal(rig.mrs('CNTP_CTL_EL0'), met ? 5n : 1n, `${cval}`);
  }
  assert.deepEqual(lastCall(rig), [0, 0, NEVER], 'a deadline that never comes');
});

test('the deadline is the nearest of all timers; moving CNTVOFF_EL2 moves the virtual one', () => {
  const rig = new Rig({ highestEl: 2 }).at(2);
  rig.msr('CNTP_CVAL_EL0', 3000n);
  rig.msr('CNTP_CTL_EL0', 1n);
  rig.msr('CNTV_CVAL_EL0', 2000n);
  rig.msr('CNTV_CTL_EL0', 1n);
  assert.equal(lastCall(rig)[2], 2000);
  rig.msr('CNTVOFF_EL2', 500n);
  assert.equal(lastCall(rig)[2], 2500);
  rig.msr('CNTVOFF_EL2', 5000n);
  assert.deepEqual(lastCall(rig), [0, TimerLine.virtual, 3000], 'the virtual count is before zero: huge, unsigned');
});

// ---- waiting ----

test('WFI waits for an interrupt, masked or not, and is no wait when one is there', () => {
  const rig = new Rig({ highestEl: 1 }).at(1).pc(0x1000);
  assert.equal(rig.cpu.wfi(), 1);
  assert.equal(rig.cpu.waitState, 'wfi');
  assert.equal(rig.pcValue, 0x1004);
  rig.cpu.signalEvent();
  assert.equal(rig.cpu.ready, false, 'an event is nothing to WFI');
  rig.cpu.setIrq(true);
  assert.equal(rig.cpu.ready, true);
  assert.equal(rig.cpu.wfi(), 0);
});

test('WFI wakes for virtual interrupts that are enabled', () => {
  const rig = new Rig({ highestEl: 2 });
  rig.set('HCR_EL2.VI', 1);
  assert.equal(rig.at(1).cpu.wfi(), 1);
  rig.cpu.state.set('waitState', 0);
  rig.set('HCR_EL2.IMO', 1);
  assert.equal(rig.at(1).cpu.wfi(), 0);
});

test('WFE: the event register, SEV of another core, an unmasked interrupt', () => {
  const rig = new Rig({ highestEl: 1 }, {}, 2).at(1);
  const { cpu } = rig;
  cpu.sevl();
  assert.equal(cpu.wfe(), 0);
  assert.equal(cpu.wfe(), 1);
  assert.equal(cpu.waitState, 'wfe');
  rig.cpus[1].sev();
  assert.equal(cpu.ready, true);
  assert.equal(cpu.state.get('eventRegister'), 0, 'waking took the event');
  assert.equal(rig.cpus[1].state.get('eventRegister'), 1, 'SEV reaches its own core too');
  assert.equal(cpu.wfe(), 1);
  cpu.setIrq(true);
  assert.equal(cpu.ready, false, 'masked');
  cpu.setIrq(false);
  cpu.state.daif = 0;
  cpu.setIrq(true);
  assert.equal(cpu.ready, true);
});

test('event stream: a WFE ends at the next edge of the chosen bit', () => {
  const rig = new Rig({ highestEl: 1 }).at(1);
  rig.count = 1000;
  rig.cpu.wfe();
  rig.cpu.state.set('waitState', 0);
  // bit 4 of the virtual count, 0 to 1: every 32 ticks at 16 mod 32
  rig.msr('CNTKCTL_EL1', (4n << 4n) | 4n);
  rig.count = 1005;
  assert.equal(rig.cpu.wfe(), 1);
  assert.equal(lastCall(rig)[2], 1008);
  rig.count = 1008;
  rig.cpu.timersDue();
  assert.equal(rig.cpu.ready, true);
  rig.count = 1050;
  assert.equal(rig.cpu.wfe(), 0, 'an edge passed at 1040');
  assert.equal(rig.cpu.wfe(), 1);
  assert.equal(lastCall(rig)[2], 1072);
  rig.cpu.state.set('waitState', 0);
  rig.msr('CNTKCTL_EL1', (4n << 4n) | 8n | 4n);
  assert.equal(rig.cpu.wfe(), 1);
  assert.equal(lastCall(rig)[2], 1056, '1 to 0');
});

const waits: readonly [1 | 2 | 3, number, Readonly<Record<string, number>>, 'wfi' | 'wfe', number][] = [
  [1, 0, {}, 'wfi', 1],
  [1, 0, {}, 'wfe', 1],
  [1, 0, { 'SCTLR_EL1.nTWI': 1 }, 'wfi', 0],
  [1, 0, { 'SCTLR_EL1.nTWE': 1 }, 'wfe', 0],
  [2, 0, { 'HCR_EL2.TGE': 1 }, 'wfi', 2],
  [2, 0, { 'HCR_EL2.TWI': 1 }, 'wfi', 1],
  [2, 0, { 'HCR_EL2.TWI': 1, 'SCTLR_EL1.nTWI': 1 }, 'wfi', 2],
  [2, 1, { 'HCR_EL2.TWE': 1 }, 'wfe', 2],
  [2, 1, { 'HCR_EL2.TWE': 1 }, 'wfi', 0],
  [2, 2, { 'HCR_EL2.TWE': 1 }, 'wfe', 0],
  [3, 2, { 'SCR_EL3.TWE': 1 }, 'wfe', 3],
  [3, 1, { 'SCR_EL3.TWI': 1, 'SCR_EL3.NS': 1, 'HCR_EL2.TWI': 1 }, 'wfi', 2],
  [3, 1, { 'SCR_EL3.TWI': 1, 'HCR_EL2.TWI': 1, 'SCR_EL3.NS': 0 }, 'wfi', 3],
  [3, 3, { 'SCR_EL3.TWI': 1 }, 'wfi', 0],
];
for (const [highestEl, el, setup, what, target] of waits) {
  test(`${what} at EL${el} of ${highestEl} ${JSON.stringify(setup)}: ${target ? `trapped to EL${target}` : 'waits'}`, () => {
    const rig = new Rig({ highestEl });
    rig.set('SCTLR_EL1.nTWI', 0);
    rig.set('SCTLR_EL1.nTWE', 0);
    for (const [field, value] of Object.entries(setup)) rig.set(field, value);
    if (highestEl === 3 && !('SCR_EL3.NS' in setup)) rig.set('SCR_EL3.NS', 1);
    rig.at(el).pc(0x2000);
    assert.equal(rig.cpu[what](), 1);
    assert.equal(rig.cpu.ready, target !== 0);
    if (target === 0) return;
    assert.equal(rig.cpu.state.el, target);
    assert.deepEqual([rig.ec, rig.iss], [1, 0x1e0_0000 | (what === 'wfe' ? 1 : 0)]);
    assert.equal(rig.peek(`ELR_EL${target}`), 0x2000n);
  });
}

test('a trapped WFI or WFE that would not wait is not trapped', () => {
  const rig = new Rig({ highestEl: 2 });
  rig.set('HCR_EL2.TWI', 1);
  rig.set('HCR_EL2.TWE', 1);
  rig.at(1).cpu.setIrq(true);
  assert.equal(rig.cpu.wfi(), 0);
  rig.cpu.sevl();
  assert.equal(rig.cpu.wfe(), 0);
  assert.equal(rig.cpu.wfe(), 1);
  assert.equal(rig.cpu.state.el, 2);
});
