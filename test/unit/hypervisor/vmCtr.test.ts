/** CTR_EL0 of a VM: what user space may write, errno for errno. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setField } from '../../../src/hypervisor/fields';
import { policiesOf } from '../../../src/hypervisor/policies';
import { type CtrHost, checkFeatures, ctrWritableMask, VmCtr } from '../../../src/hypervisor/vmCtr';

/** PIPT, IDC, DIC, 64-byte lines. */
const HOST = 0xb444c004n;
const VIPT_HOST = 0xb4448004n;
const changed = (field: string, value: bigint, from = HOST): bigint => setField(`CTR_EL0.${field}`, from, value);

const v610 = policiesOf('v6.10');
const v611 = policiesOf('v6.11');
const v613 = policiesOf('v6.13');
/** A host whose late cores changed nothing, or lowered CTR_EL0 to `now`. */
const hostWith = (bootCtr: bigint, now = bootCtr): CtrHost => ({ bootCtr, sanitisedCtr: now });
const set = (value: bigint, policies = v613, host = HOST): string =>
  new VmCtr(hostWith(host), policies).set(value, false);

test('A0: the writable mask is DIC, IDC, DminLine and IminLine, and L1Ip since v6.13', () => {
  assert.equal(ctrWritableMask(v610), 0n);
  assert.equal(ctrWritableMask(v611), 0x300f_000fn);
  assert.equal(ctrWritableMask(v613), 0x300f_c00fn);
});

test('before v6.11 only the host’s value is accepted', () => {
  assert.equal(set(HOST, v610), 'ok');
  assert.equal(set(changed('DIC', 0n), v610), 'EINVAL');
});

test('before v6.11 one-reg has the value of KVM’s start, a trapped guest that of now; since then a VM has its own', () => {
  const host = hostWith(HOST, VIPT_HOST);
  const old = new VmCtr(host, v610);
  assert.deepEqual([old.oneReg, old.value, old.isHost], [HOST, VIPT_HOST, true]);
  assert.deepEqual([old.set(HOST, false), old.set(VIPT_HOST, false)], ['ok', 'EINVAL']);
  const own = new VmCtr(host, v611);
  assert.deepEqual([own.oneReg, own.value, own.isHost], [VIPT_HOST, VIPT_HOST, true]);
});

test('A0: DIC, IDC and the line sizes may go down, not up', () => {
  for (const [field, lower, higher] of [
    ['DIC', 0n, undefined],
    ['IDC', 0n, undefined],
    ['DminLine', 3n, 5n],
    ['IminLine', 3n, 5n],
  ] as const) {
    assert.equal(set(changed(field, lower)), 'ok', field);
    if (higher !== undefined) assert.equal(set(changed(field, higher)), 'EINVAL', field);
  }
  const poor = 0x8444c004n;
  assert.equal(set(changed('DIC', 1n, poor), v613, poor), 'EINVAL');
  assert.equal(set(changed('IDC', 1n, poor), v613, poor), 'EINVAL');
});

test('A0: PIPT may become VIPT, VIPT not PIPT, and 0b00 and 0b01 are EINVAL', () => {
  assert.equal(set(changed('L1Ip', 2n)), 'ok');
  assert.equal(set(changed('L1Ip', 3n, VIPT_HOST), v613, VIPT_HOST), 'EINVAL');
  assert.equal(set(changed('L1Ip', 0n)), 'EINVAL');
  assert.equal(set(changed('L1Ip', 1n)), 'EINVAL');
  assert.equal(set(changed('L1Ip', 2n), v611), 'EINVAL', 'not yet in v6.11');
});

test('A0: fields that are not writable must be the host’s', () => {
  assert.equal(set(changed('CWG', 3n)), 'EINVAL');
  assert.equal(set(changed('ERG', 3n)), 'EINVAL');
  assert.equal(set(HOST | (1n << 32n)), 'EINVAL');
  assert.equal(set(HOST & ~(1n << 31n)), 'EINVAL');
});

test('A0: arm64_check_features says E2BIG, which user space sees as EINVAL', () => {
  assert.equal(checkFeatures(changed('IminLine', 5n), HOST, ctrWritableMask(v613)), 'E2BIG');
  assert.equal(checkFeatures(changed('CWG', 3n), HOST, ctrWritableMask(v613)), 'E2BIG');
  assert.equal(checkFeatures(changed('IminLine', 3n), HOST, ctrWritableMask(v613)), 'ok');
});

test('A0: after the first run the same value is accepted, another one is EBUSY', () => {
  const vm = new VmCtr(hostWith(HOST), v613);
  const lower = changed('DIC', 0n);
  assert.equal(vm.set(lower, false), 'ok');
  assert.equal(vm.set(lower, true), 'ok');
  assert.equal(vm.set(HOST, true), 'EBUSY');
  for (const policy of [0n, 1n])
    assert.equal(vm.set(changed('L1Ip', policy), true), 'EINVAL', 'the policy field is looked at first');
  assert.equal(vm.value, lower);
  const older = new VmCtr(hostWith(HOST), v611);
  assert.equal(older.set(changed('L1Ip', 0n), true), 'EBUSY', 'not looked at before v6.13');
});

test('A0: one value for the VM, checked against the host each time: it can be raised again before the first run', () => {
  const vm = new VmCtr(hostWith(HOST), v613);
  assert.ok(vm.isHost);
  assert.equal(vm.set(changed('IDC', 0n), false), 'ok');
  assert.equal(vm.isHost, false);
  assert.equal(vm.set(changed('IminLine', 9n), false), 'EINVAL');
  assert.equal(vm.value, changed('IDC', 0n));
  assert.equal(vm.set(HOST, false), 'ok');
  assert.ok(vm.isHost);
});
