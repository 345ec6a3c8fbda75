import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createVm } from '../../../src/hypervisor/createVm';

test('KVM_CREATE_VM: 0 is 40 bits, others from 32 to the limit; everything else is EINVAL', () => {
  const of = (type: number, limit: number) => {
    const { outcome, ipaBits } = createVm(type, limit);
    return outcome === 'ok' ? ipaBits : outcome;
  };
  assert.deepEqual([of(0, 44), of(32, 44), of(44, 44), of(48, 48)], [40, 32, 44, 48]);
  assert.deepEqual([of(31, 44), of(45, 44), of(0x100 | 40, 44), of(0x80000028, 44)], Array(4).fill('EINVAL'));
  assert.equal(of(0, 36), 'EINVAL', 'a VMM that does not ask gets 40 bits or nothing');
});
