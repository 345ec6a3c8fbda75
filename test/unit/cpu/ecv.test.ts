/** FEAT_ECV and CNTPOFF_EL2: sections Enhanced Counter Virtualization, CNTHCTL_EL2, PhysicalCountInt and the accessors' pseudocode. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { a57, Rig } from './rig';

const features = new Set([...a57.features, 'FEAT_ECV', 'FEAT_ECV_POFF']);
const core = (highestEl: 2 | 3 = 2): Rig => new Rig({ highestEl, features });
const COUNTS = 3n;
const ECV = 1n << 12n;

test('the self-synchronised views give the counts, and are UNDEFINED without the feature', () => {
  const rig = core();
  rig.at(2);
  rig.msr('CNTVOFF_EL2', 300n);
  assert.equal(rig.mrs('CNTPCTSS_EL0'), 1000n);
  assert.equal(rig.mrs('CNTVCTSS_EL0'), 700n);
  assert.equal(rig.mrs('ID_AA64MMFR0_EL1')! >> 60n, 2n);
  const plain = new Rig({ highestEl: 2 });
  for (const name of ['CNTPCTSS_EL0', 'CNTVCTSS_EL0', 'CNTPOFF_EL2'])
    assert.equal(plain.at(2).mrs(name), undefined, name);
  assert.equal(plain.ec, 0);
});

test('CNTHCTL_EL2 traps the virtual count and timer of EL1 and EL0', () => {
  const rig = core();
  rig.poke('CNTKCTL_EL1', 0x303n);
  rig.poke('CNTHCTL_EL2', COUNTS | (1n << 14n));
  for (const el of [0, 1]) {
    rig.at(el);
    assert.equal(rig.mrs('CNTVCT_EL0'), undefined);
    assert.equal(rig.ec, 0x18);
    assert.equal(rig.at(el).mrs('CNTVCTSS_EL0'), undefined);
    assert.notEqual(rig.at(el).mrs('CNTV_CTL_EL0'), undefined);
  }
  rig.poke('CNTHCTL_EL2', COUNTS | (1n << 13n));
  assert.equal(rig.at(1).mrs('CNTV_CVAL_EL0'), undefined);
  assert.equal(rig.at(1).mrs('CNTVCT_EL0'), 1000n);
  assert.equal(rig.at(2).mrs('CNTV_CVAL_EL0'), 0n, 'not of EL2');
});

test('CNTPOFF_EL2 moves the physical count and timer of EL1 and EL0 while ECV is set', () => {
  const rig = core();
  rig.at(2);
  rig.msr('CNTPOFF_EL2', 400n);
  assert.equal(rig.at(1).mrs('CNTPCT_EL0'), 1000n);
  rig.poke('CNTHCTL_EL2', COUNTS | ECV);
  assert.equal(rig.at(1).mrs('CNTPCT_EL0'), 600n);
  assert.equal(rig.at(2).mrs('CNTPCT_EL0'), 1000n, 'EL2 has the count as such');
  rig.at(1).msr('CNTP_CVAL_EL0', 700n);
  rig.msr('CNTP_CTL_EL0', 1n);
  assert.equal(rig.mrs('CNTP_CTL_EL0'), 1n);
  assert.deepEqual(rig.timerCalls.at(-1), [0, 0, 1100], 'it is met when the count reaches 700 plus the offset');
  rig.count = 1100;
  assert.equal(rig.mrs('CNTP_CTL_EL0'), 5n);
  rig.count = 1000;
  rig.at(2).msr('CNTPOFF_EL2', 0n);
  assert.deepEqual(rig.timerCalls.at(-1), [0, 1, Number.POSITIVE_INFINITY], 'a write moves the timer');
});

test('with EL3 the offset counts only while SCR_EL3.ECVEn is set', () => {
  const rig = core(3);
  rig.at(3);
  rig.msr('SCR_EL3', 0x431n);
  rig.msr('CNTHCTL_EL2', COUNTS | ECV);
  rig.msr('CNTPOFF_EL2', 400n);
  assert.equal(rig.at(1).mrs('CNTPCT_EL0'), 1000n);
  assert.equal(rig.at(2).mrs('CNTPOFF_EL2'), undefined);
  assert.equal(rig.ec, 0x18);
  rig.at(3).msr('SCR_EL3', 0x431n | (1n << 28n));
  assert.equal(rig.at(1).mrs('CNTPCT_EL0'), 600n);
  assert.equal(rig.at(2).mrs('CNTPOFF_EL2'), 400n);
});

test('EVNTIS makes event streams of bits 8 to 23', () => {
  const rig = core();
  rig.at(2);
  rig.count = 5;
  rig.msr('CNTHCTL_EL2', COUNTS | 4n | (2n << 4n));
  assert.equal(rig.cpu.timers.nextEvent(5), 12, 'bit 2 rises at 4 modulo 8');
  rig.msr('CNTHCTL_EL2', COUNTS | 4n | (2n << 4n) | (1n << 17n));
  assert.equal(rig.cpu.timers.nextEvent(5), 1024, 'bit 10 rises at 1024');
});
