/** What cpu/ says of pointer authentication at a level: enables, traps, masks, keys, and the exceptions. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PauthFlag } from '../../../src/arch/pointerAuthentication';
import { CORE_BLOCK_BYTES, coreLayout } from '../../../src/cpu/layout';
import { coreOf, Rig } from './rig';

const max = coreOf('max');
const machine = (highestEl: 1 | 2 | 3): Rig => new Rig({ highestEl, ...max });
const flags = (rig: Rig): number => rig.cpu.state.get('pauthFlags');
const trap = (rig: Rig): number => (flags(rig) & PauthFlag.trap) >> PauthFlag.trapShift;
const masks = (rig: Rig): string[] => {
  const { u32 } = rig.cpu.state;
  const at = (CORE_BLOCK_BYTES + coreLayout.pauthMasks[0]) >> 2;
  return [0, 1, 2, 3].map((i) => ((BigInt(u32[at + 2 * i + 1]) << 32n) | BigInt(u32[at + 2 * i])).toString(16));
};

test('enables are those of the level that owns the regime', () => {
  const rig = machine(2);
  rig.set('HCR_EL2.API', 1);
  rig.set('SCTLR_EL1.EnIA', 1);
  rig.set('SCTLR_EL1.EnDB', 1);
  rig.set('SCTLR_EL2.EnIB', 1);
  const enabled = (el: number): number => flags(rig.at(el)) & 15;
  assert.deepEqual([0, 1, 2].map(enabled), [0b1001, 0b1001, 0b0010]);
});

test('HCR_EL2.API and SCR_EL3.API trap lower levels', () => {
  const two = machine(2);
  assert.deepEqual(
    [0, 1, 2].map((el) => trap(two.at(el))),
    [2, 2, 0],
  );
  two.set('HCR_EL2.API', 1);
  assert.deepEqual(
    [0, 1, 2].map((el) => trap(two.at(el))),
    [0, 0, 0],
  );
  const three = machine(3);
  three.set('SCR_EL3.NS', 1);
  three.set('HCR_EL2.API', 1);
  three.set('SCR_EL3.API', 0);
  assert.deepEqual(
    [0, 1, 2, 3].map((el) => trap(three.at(el))),
    [3, 3, 3, 0],
  );
  three.at(1).cpu.pauthTrap();
  assert.deepEqual([three.ec, three.cpu.state.el], [9, 3]);
});

test('masks follow TCR_EL1: sizes, tags, tags of data only', () => {
  const rig = machine(1).at(1);
  rig.msr('TCR_EL1', 25n | (16n << 16n));
  assert.deepEqual(masks(rig), ['ffffff8000000000', 'ffff000000000000', 'ffffff8000000000', 'ffff000000000000']);
  assert.equal(flags(rig) & (PauthFlag.instructionsBy55 | PauthFlag.dataBy55), 0);
  rig.msr('TCR_EL1', 25n | (16n << 16n) | (1n << 37n));
  assert.deepEqual(masks(rig), ['ffff8000000000', 'ffff000000000000', 'ffff8000000000', 'ffff000000000000']);
  rig.msr('TCR_EL1', 25n | (16n << 16n) | (1n << 37n) | (1n << 51n));
  assert.deepEqual(masks(rig), ['ffffff8000000000', 'ffff000000000000', 'ffff8000000000', 'ffff000000000000']);
  assert.equal(flags(rig) & (PauthFlag.instructionsBy55 | PauthFlag.dataBy55), PauthFlag.dataBy55);
  rig.msr('TCR_EL1', 0n);
  assert.equal(masks(rig)[0], 'ffff000000000000', 'no address has more than 48 bits');
  rig.msr('TCR_EL1', 63n);
  assert.equal(masks(rig)[0], 'fffffffffe000000', 'nor fewer than 25');
});

test('keys are registers that APK traps', () => {
  const rig = machine(2).at(1);
  assert.ok(!rig.msr('APIAKeyLo_EL1', 5n), 'HCR_EL2.APK is 0');
  assert.deepEqual([rig.ec, rig.cpu.state.el], [0x18, 2]);
  rig.set('HCR_EL2.APK', 1);
  rig.at(1);
  assert.ok(rig.msr('APGAKeyHi_EL1', 5n));
  assert.equal(rig.mrs('APGAKeyHi_EL1'), 5n);
  assert.equal(new Rig({ highestEl: 1 }).at(1).mrs('APIAKeyLo_EL1'), undefined, 'an Armv8.0 core has none');
});

test('a failure names the key', () => {
  const rig = machine(1).at(0);
  rig.cpu.pauthFail(3);
  assert.deepEqual([rig.ec, rig.last.esr & 0xffffff, rig.cpu.state.el], [0x1c, 3, 1]);
});

test('ERETAA and ERETAB: UNDEFINED at EL0, else ELR goes out and a target comes in', () => {
  const rig = machine(1).at(1);
  rig.poke('ELR_EL1', 0x1234_0000_5678n);
  rig.poke('SPSR_EL1', 0x3c5n);
  assert.equal(rig.cpu.exceptionLink(), 0);
  assert.deepEqual([rig.cpu.state.valueHi, rig.cpu.state.valueLo], [0x1234, 0x5678]);
  rig.cpu.state.setValue(0x21, 0x40);
  assert.equal(rig.cpu.eretTo(), 1);
  assert.deepEqual([rig.cpu.state.pcHi, rig.cpu.state.pcLo], [0x21, 0x40]);
  rig.at(0).cpu.exceptionLink();
  assert.equal(rig.ec, 0);
});
