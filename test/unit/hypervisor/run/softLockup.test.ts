/** The host's soft-lockup watchdog, with time moved by hand. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SoftLockup } from '../../../../src/hypervisor/run/softLockup';

test('it barks once a step that ends more than 20 s after the core came to the kernel', () => {
  const dog = new SoftLockup(2);
  dog.touch(0, 100);
  assert.equal(dog.look(0, 'perform', 120, 'vm1/vcpu0'), undefined, '20 s are allowed');
  assert.equal(
    dog.look(0, 'perform', 123.9, 'vm1/vcpu0'),
    'watchdog: BUG: soft lockup - CPU#0 stuck for 23s! [vm1/vcpu0]',
  );
  assert.equal(dog.look(0, 'perform', 124, 'vm1/vcpu0'), undefined);
  assert.equal(Math.round(dog.longest), 24);
});

test('the loop around KVM_RUN, the idle thread and a guest are no lockup', () => {
  const dog = new SoftLockup(1);
  for (const routine of ['do_idle', 'kvm_arch_vcpu_ioctl_run']) {
    assert.equal(dog.look(0, routine, 1000, 'x'), undefined);
    assert.equal(dog.look(0, 'perform', 1010, 'x'), undefined);
    dog.touch(0, 0);
  }
  assert.equal(dog.longest, 10);
});
