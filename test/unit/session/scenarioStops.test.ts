/** What the stops of scenarios show: the finding in a few words and in full, and the whole stack under code that nobody knows. */
import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { SAMPLES } from '../../../src/build/paths';
import { ModelBench } from './modelBench';

test('a finding stops with its kind as the description, and all of it as the text', () => {
  const b = new ModelBench('kvm-isolation', { kvm: '5.11', checker: 'actual' });
  const { reason, description, text } = b.start();
  assert.deepEqual([reason, description], ['exception', 'stale fetch']);
  assert.match(text ?? '', /^stale fetch: ran mov w0, #1, memory holds mov w0, #2; missing: DC CVAC/);
  let info = b.ask('exceptionInfo', { threadId: 1 });
  assert.equal(info.exceptionId, 'stale fetch');
  while (info.exceptionId !== 'inherited line') {
    assert.equal(b.go('continue').reason, 'exception');
    info = b.ask('exceptionInfo', { threadId: 1 });
  }
  assert.match(
    info.description ?? '',
    /^inherited line: vm1\/vcpu0 ran mov w0, #1 of a line that vm1\/vcpu1 had brought, memory holds mov w0, #2; missing: IC IALLU/,
  );
  assert.match(info.details?.message ?? '', /^core 0, EL1, .*\nvm1\/vcpu0, line brought by vm1\/vcpu1\n/);
});

test('code without a symbol was called by the function that X30 leads to, with that function’s registers', () => {
  const b = new ModelBench('kvm-vpipt', { kvm: '5.15', checker: 'actual' });
  const { threadId } = b.start();
  const frames = b.frames(threadId);
  assert.deepEqual(
    frames.map(({ name }) => name),
    ['0x0000000090001000', 'patch', 'main', 'leave_higher_levels'],
  );
  assert.equal(b.value('kind', frames[1].id), '3');
  assert.equal(b.value('core', frames[2].id), '1');
  assert.equal(b.value('first', frames[2].id), '3');
});

test('what KVM refuses is in the view of the VMs and in the host’s log', () => {
  const b = new ModelBench('kvm-pfnmap', {
    kvm: '6.17',
    checker: 'off',
    machine: path.join(SAMPLES, 'kvm-pfnmap-no-fwb.json'),
  });
  b.breakAt({ name: 'main' });
  b.start();
  const { slots } = b.ask('elscope/vms', {}).vms[0];
  assert.deepEqual(
    slots.map(({ id, mapping, refused }) => [id, mapping, refused]),
    [
      [0, 'ordinary, NORMAL', undefined],
      [1, 'pfnmap, NORMAL', 'EINVAL'],
      [2, 'ordinary, NORMAL', 'EFAULT'],
    ],
  );
  b.go('continue');
  assert.match(
    b.output().join(''),
    /^host: vmm \[1\]: KVM_RUN vcpu0: EFAULT: a page that the host does not map as KVM can$/m,
  );
});
