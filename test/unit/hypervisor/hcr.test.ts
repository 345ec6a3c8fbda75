/** HCR_EL2 as KVM composes it, and its set/way and cache switch decisions. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { getField } from '../../../src/hypervisor/fields';
import { cacheTrap, composeHcr, type HcrFacts } from '../../../src/hypervisor/hcr';
import { policiesOf } from '../../../src/hypervisor/policies';
import { cachesOn, controlWrite, setWayTrap } from '../../../src/hypervisor/setWay';

const facts: HcrFacts = {
  policies: policiesOf('v6.12'),
  vhe: false,
  evt: false,
  stage2Fwb: false,
  mismatchedCacheType: false,
  mismatchedAssociativity: false,
  ras: false,
  hostCtr: true,
  mte: false,
  pointerAuthentication: false,
  tvm: true,
  alone: false,
};
const set = (more: Partial<HcrFacts>): readonly string[] => composeHcr({ ...facts, ...more }).set;
const has = (field: string, more: Partial<HcrFacts>): boolean =>
  getField(`HCR_EL2.${field}`, composeHcr({ ...facts, ...more }).value) !== 0n;

test('A0: base guest HCR_EL2', () => {
  const always = 'TSC TSW TWE TWI VM BSU FB TACR AMO SWIO TIDCP RW TLOR FMO IMO PTW TID3'.split(' ');
  assert.deepEqual([...set({})].sort(), [...always, 'TID2', 'TVM'].sort());
  // TSC 19, TSW 22, TWE 14, TWI 13, VM 0, BSU 10, FB 9, TACR 21, AMO 5, SWIO 1, TIDCP 20, RW 31, TLOR 35, FMO 3, IMO 4, PTW 2,
  // TID3 18, TID2 17, TVM 26
  const bits = [19, 22, 14, 13, 0, 10, 9, 21, 5, 1, 20, 31, 35, 3, 4, 2, 18, 17, 26];
  assert.equal(
    composeHcr(facts).value,
    bits.reduce((value, bit) => value | (1n << BigInt(bit)), 0n),
  );
});

test('A0: FWB when it is there, else TVM until the guest’s caches are on', () => {
  assert.deepEqual([has('FWB', {}), has('TVM', {}), has('TVM', { tvm: false })], [false, true, false]);
  assert.deepEqual([has('FWB', { stage2Fwb: true }), has('TVM', { stage2Fwb: true })], [true, false]);
  const off = { stage2Fwb: true, policies: policiesOf('v6.12', { fwb: 'off' }) };
  assert.deepEqual([has('FWB', off), has('TVM', off)], [false, true]);
});

test('A0: TID4 with FEAT_EVT, matching cache types and the host’s CTR_EL0; else TID2', () => {
  const evt = { ...facts, evt: true };
  assert.equal(cacheTrap(evt), 'TID4');
  assert.equal(cacheTrap(facts), 'TID2');
  assert.equal(cacheTrap({ ...evt, mismatchedCacheType: true }), 'TID2');
  assert.equal(cacheTrap({ ...evt, hostCtr: false }), 'TID2');
  assert.equal(cacheTrap({ ...evt, policies: policiesOf('v6.4') }), 'TID2');
  assert.deepEqual([has('TID4', evt), has('TID2', evt)], [true, false]);
});

test('A4: TID2 always in v6.3; before, only with mismatched cache types', () => {
  assert.equal(cacheTrap({ ...facts, policies: policiesOf('v6.3') }), 'TID2');
  const old = { ...facts, policies: policiesOf('v6.2'), evt: true };
  assert.equal(cacheTrap(old), 'none');
  assert.equal(cacheTrap({ ...old, mismatchedAssociativity: true }), 'none');
  assert.equal(cacheTrap({ ...old, mismatchedCacheType: true }), 'TID2');
  const posted = { ...old, policies: policiesOf('v6.2', { ccsidr: 'overrideAssociativity' }) };
  assert.equal(cacheTrap(posted), 'none');
  assert.equal(cacheTrap({ ...posted, mismatchedAssociativity: true }), 'TID2');
});

test('bits that follow from the host and the VM', () => {
  assert.ok(has('E2H', { vhe: true }) && !has('E2H', {}));
  assert.ok(has('TEA', { ras: true }) && has('TERR', { ras: true }) && !has('TEA', {}));
  assert.ok(has('ATA', { mte: true }) && !has('ATA', {}));
  assert.ok(has('API', { pointerAuthentication: true }) && has('APK', { pointerAuthentication: true }));
  assert.ok(!has('TWE', { alone: true }) && has('TWI', { alone: true }));
  assert.ok(!has('FB', { policies: policiesOf('v6.12', { fb: 'off' }) }));
});

test('A4: set/way: the first flushes the VM and sets TVM, later ones wait for the caches; FWB ignores them', () => {
  assert.deepEqual(setWayTrap(false, false), { flush: true, tvm: true });
  assert.deepEqual(setWayTrap(true, false), { flush: false, tvm: true });
  assert.deepEqual(setWayTrap(false, true), { flush: false, tvm: false });
});

test('A4: kvm_toggle_cache: flush when M and C together change, no more traps once they are on', () => {
  const M = 1n;
  const C = 4n;
  assert.deepEqual([cachesOn(M), cachesOn(C), cachesOn(M | C)], [false, false, true]);
  assert.deepEqual(controlWrite(true, 0n, M), { flush: false, tvm: true });
  assert.deepEqual(controlWrite(true, M, M | C), { flush: true, tvm: false });
  assert.deepEqual(controlWrite(true, M | C, 0n), { flush: true, tvm: true });
  assert.deepEqual(controlWrite(true, M | C, M | C | (1n << 12n)), { flush: false, tvm: false });
});
