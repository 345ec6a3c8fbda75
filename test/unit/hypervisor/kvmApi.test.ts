/** Numbers of KVM's interface, and error numbers, as user space has them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { errnoMeaning, errnoNames, outcomeOf, returnValue } from '../../../src/hypervisor/errno';
import {
  capabilities,
  ccsidrId,
  decodeOneReg,
  exitReasons,
  ioctlRequest,
  ioctls,
  sysregId,
  validateKvmApi,
} from '../../../src/hypervisor/kvmApi';

test('the tables hold, and numbers given twice are found', () => {
  assert.deepEqual(validateKvmApi(), []);
  const twice = { ...ioctls, KVM_RUN: { ...ioctls.KVM_RUN, number: 0x41 } } as unknown as typeof ioctls;
  assert.match(validateKvmApi({ ioctls: twice, capabilities, exitReasons })[0], /KVM_RUN and KVM_CREATE_VCPU/);
  const sized = { ...ioctls, KVM_RUN: { ...ioctls.KVM_RUN, bytes: 4 } } as unknown as typeof ioctls;
  assert.match(validateKvmApi({ ioctls: sized, capabilities, exitReasons })[0], /KVM_RUN has no matching size/);
});

test('ioctl requests are those that strace shows', () => {
  assert.equal(ioctlRequest('KVM_RUN'), 0xae80);
  assert.equal(ioctlRequest('KVM_CREATE_VM'), 0xae01);
  assert.equal(ioctlRequest('KVM_SET_USER_MEMORY_REGION'), 0x4020ae46);
  assert.equal(ioctlRequest('KVM_GET_ONE_REG'), 0x4010aeab);
  assert.equal(ioctlRequest('KVM_SET_ONE_REG'), 0x4010aeac);
  assert.equal(ioctlRequest('KVM_ARM_VCPU_INIT'), 0x4020aeae);
  assert.equal(ioctlRequest('KVM_ARM_PREFERRED_TARGET'), 0x8020aeaf);
  assert.equal(ioctlRequest('KVM_GET_REG_LIST'), 0xc008aeb0);
});

test('A3: KVM_CAP_ARM_CACHEABLE_PFNMAP_SUPPORTED is 243, KVM_CAP_ARM_SEA_TO_USER 245', () => {
  assert.equal(capabilities.KVM_CAP_ARM_CACHEABLE_PFNMAP_SUPPORTED, 243);
  assert.equal(capabilities.KVM_CAP_ARM_SEA_TO_USER, 245);
  assert.equal(exitReasons.KVM_EXIT_MEMORY_FAULT, 39);
});

test('A4: one-reg ids of CCSIDR_EL1 are KVM_REG_ARM_DEMUX, 32 bits wide', () => {
  assert.equal(ccsidrId(0), 0x6020_0000_0011_0000n);
  assert.equal(ccsidrId(13), 0x6020_0000_0011_000dn);
  assert.equal(sysregId('CTR_EL0'), 0x6030_0000_0013_d801n);
  assert.equal(sysregId('CLIDR_EL1'), 0x6030_0000_0013_c801n);
});

test('A4: ids with other bits, sizes or kinds are none', () => {
  assert.deepEqual(decodeOneReg(ccsidrId(3)), { kind: 'ccsidr', csselr: 3 });
  assert.deepEqual(decodeOneReg(sysregId('CLIDR_EL1')), { kind: 'sysreg', key: 0xc801 });
  assert.deepEqual(decodeOneReg(0x6030_0000_0010_0000n), { kind: 'core', index: 0 });
  const wrong = [
    ccsidrId(0) | (1n << 28n), // an unused bit
    (ccsidrId(0) & ~(0xfn << 52n)) | (3n << 52n), // 64 bits wide
    ccsidrId(0) | 0x100n, // something else behind demux
    sysregId('CTR_EL0') & ~(1n << 52n), // 32 bits wide
    0x6030_0000_0014_0000n, // firmware registers are not there
  ];
  for (const id of wrong) assert.deepEqual(decodeOneReg(id), { kind: 'unknown' }, id.toString(16));
  // Of another architecture, or with a bit of [51:32]: EINVAL, as Debian's 6.1 and 6.12 have it.
  for (const id of [ccsidrId(0) & ~(6n << 60n), ccsidrId(0) | (1n << 32n), sysregId('CTR_EL0') | (1n << 40n)])
    assert.deepEqual(decodeOneReg(id), { kind: 'foreign' }, id.toString(16));
});

test('errors go to the numbers of Linux and back', () => {
  assert.equal(returnValue('ok'), 0);
  assert.deepEqual(
    (['ENOENT', 'EFAULT', 'EBUSY', 'EINVAL', 'ENODEV', 'E2BIG', 'ENOEXEC'] as const).map(returnValue),
    [-2, -14, -16, -22, -19, -7, -8],
  );
  for (const name of errnoNames) {
    assert.equal(outcomeOf(returnValue(name)), name);
    assert.ok(errnoMeaning(name));
  }
  assert.equal(outcomeOf(0), 'ok');
  assert.throws(() => outcomeOf(-99));
});
