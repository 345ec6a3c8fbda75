/** SErrors of FEAT_RAS: what ESB defers, where DISR_EL1 is, and the syndrome of a virtual SError. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { coreOf, Rig } from './rig';

const A = 0x100;
const machine = (highestEl: 1 | 2 | 3): Rig => new Rig({ highestEl, ...coreOf('neoverse-n1') });

test('ESB defers a masked SError; one that is not masked stays to be taken', () => {
  const rig = machine(1).at(1);
  rig.cpu.setSError(true);
  rig.cpu.state.daif = A;
  assert.equal(rig.cpu.esb(), 0);
  assert.equal(rig.mrs('DISR_EL1'), 0x8000_0000n);
  assert.equal(rig.mrs('ISR_EL1'), 0n);
  rig.msr('DISR_EL1', 0n);
  rig.cpu.setSError(true);
  rig.cpu.state.daif = 0;
  rig.cpu.esb();
  assert.equal(rig.mrs('DISR_EL1'), 0n);
  assert.ok(rig.cpu.interruptPending());
});

test('a level above the target defers it whatever the mask', () => {
  const rig = machine(2).at(2);
  rig.cpu.setSError(true);
  rig.cpu.state.daif = 0;
  rig.cpu.esb();
  assert.equal(rig.mrs('DISR_EL1'), 0x8000_0000n);
});

test('a virtual SError is deferred to VDISR_EL2 with the syndrome of VSESR_EL2, which EL1 reads as DISR_EL1', () => {
  const rig = machine(2);
  rig.set('HCR_EL2.AMO', 1);
  rig.set('HCR_EL2.VSE', 1);
  rig.poke('VSESR_EL2', 0x123_4567n);
  rig.at(1).cpu.state.daif = A;
  rig.cpu.esb();
  assert.equal(rig.mrs('DISR_EL1'), 0x8123_4567n);
  rig.msr('DISR_EL1', 0n);
  rig.at(2);
  assert.deepEqual([rig.mrs('VDISR_EL2'), rig.mrs('DISR_EL1')], [0n, 0n]);
  assert.equal(rig.mrs('HCR_EL2')! & 0x100n, 0n, 'no longer pending');
});

test('a virtual SError that is taken has that syndrome too, without FEAT_RAS none', () => {
  const taken = (rig: Rig): number => {
    rig.set('HCR_EL2.AMO', 1);
    rig.set('HCR_EL2.VSE', 1);
    if (rig.cpu.identity.has('FEAT_RAS')) rig.poke('VSESR_EL2', 0x100_0055n);
    rig.at(1).cpu.state.daif = 0;
    assert.equal(rig.cpu.takeInterrupt(), 1);
    return rig.last.esr & 0x1ff_ffff;
  };
  assert.equal(taken(machine(2)), 0x100_0055);
  assert.equal(taken(new Rig({ highestEl: 2 })), 0);
});

test('EL1 has no DISR_EL1 of its own where EL3 takes SErrors', () => {
  const rig = machine(3);
  rig.set('SCR_EL3.NS', 1);
  rig.set('SCR_EL3.EA', 1);
  rig.at(3).msr('DISR_EL1', 0x8000_0000n);
  rig.at(1).msr('DISR_EL1', 0n);
  assert.equal(rig.mrs('DISR_EL1'), 0n);
  assert.equal(rig.at(3).mrs('DISR_EL1'), 0x8000_0000n);
});

test('ERRIDR_EL1 says that there are no records; HCR_EL2.TERR and SCR_EL3.TERR trap it', () => {
  const rig = machine(3);
  rig.set('SCR_EL3.NS', 1);
  assert.equal(rig.at(1).mrs('ERRIDR_EL1'), 0n);
  rig.set('SCR_EL3.TERR', 1);
  rig.at(1).mrs('ERRIDR_EL1');
  assert.deepEqual([rig.ec, rig.cpu.state.el], [0x18, 3]);
  rig.set('HCR_EL2.TERR', 1);
  rig.at(1).mrs('ERRIDR_EL1');
  assert.deepEqual([rig.ec, rig.cpu.state.el], [0x18, 2]);
});
