/** VMIDs by both algorithms: in order, used up, kept where they are in use. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newVmids, Vmids } from '../../../src/hypervisor/vmids';

const CORES = 4;
const LAST = 255;
const owner = () => ({ vmid: 0, generation: 0 });

test('exitAll: numbers in order from 1; at the end all begin anew, whoever runs', () => {
  const vmids = new Vmids(newVmids(CORES), 8, 'exitAll');
  const first = owner();
  assert.deepEqual([vmids.update(first, 0), first.vmid], ['given', 1]);
  assert.equal(vmids.update(first, 1), 'kept');
  for (let n = 2; n <= LAST; n++) {
    const other = owner();
    assert.deepEqual([vmids.update(other, 2), other.vmid], ['given', n]);
  }
  const last = owner();
  assert.deepEqual([vmids.update(last, 2), last], ['rolledOver', { vmid: 1, generation: 2 }]);
  assert.deepEqual([vmids.update(first, 0), first], ['given', { vmid: 2, generation: 2 }]);
});

/** Others come and go on a core. */
function others(vmids: Vmids, core: number, count: number): string[] {
  return Array.from({ length: count }, () => {
    const outcome = vmids.update(owner(), core);
    vmids.clearActive(core);
    return outcome;
  });
}

test('reserve: the VMID that a core runs is nobody else’s when they begin anew, and keeps its number', () => {
  const vmids = new Vmids(newVmids(CORES), 8, 'reserve');
  const [running, sleeping] = [owner(), owner()];
  assert.deepEqual([vmids.update(running, 3), running.vmid], ['given', 1]);
  vmids.update(sleeping, 0);
  vmids.clearActive(0);
  assert.equal(others(vmids, 0, LAST - 2).includes('rolledOver'), false);
  const next = owner();
  assert.deepEqual([vmids.update(next, 1), next], ['rolledOver', { vmid: 2, generation: 2 }], '1 is reserved');
  assert.deepEqual([vmids.update(running, 3), running], ['given', { vmid: 1, generation: 2 }]);
  assert.deepEqual([vmids.update(sleeping, 0), sleeping], ['given', { vmid: 3, generation: 2 }], '2 was given away');
  assert.equal(vmids.update(running, 3), 'kept');
});

test('reserve: one that sleeps gets its number back if nobody took it, and none is reserved for it', () => {
  const vmids = new Vmids(newVmids(CORES), 8, 'reserve');
  others(vmids, 0, 9);
  const tenth = owner();
  vmids.update(tenth, 0);
  vmids.clearActive(0);
  others(vmids, 1, LAST - 10);
  const next = owner();
  assert.equal(vmids.update(next, 1), 'rolledOver');
  assert.equal(next.vmid, 1);
  assert.deepEqual([vmids.update(tenth, 0), tenth.vmid], ['given', 10]);
});

test('reserve: one that runs through two beginnings without an exit keeps its number', () => {
  const vmids = new Vmids(newVmids(CORES), 8, 'reserve');
  const running = owner();
  vmids.update(running, 3);
  assert.equal(others(vmids, 0, 3 * LAST).filter((outcome) => outcome === 'rolledOver').length, 3);
  const { generation } = running;
  assert.equal(generation, 1);
  assert.deepEqual([vmids.update(running, 3), running.vmid], ['given', 1]);
});

test('16 bits', () => {
  const vmids = new Vmids(newVmids(1), 16, 'reserve');
  assert.equal(others(vmids, 0, 65535).includes('rolledOver'), false);
  assert.deepEqual(others(vmids, 0, 1), ['rolledOver']);
});
