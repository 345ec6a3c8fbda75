/** What `elscope run` and `elscope scenario` refuse of the hypervisor model, in one line, before anything runs. */
import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { SAMPLES } from '../../../src/build/paths';
import { elscope, scratch } from './program';

const SELFMOD = path.join(SAMPLES, 'selfmod.elf');

test('--save-vm needs a host with KVM', async () => {
  const { code, stdout, stderr } = await elscope(['run', SELFMOD, '--save-vm', path.join(scratch(), 'none.json')]);
  assert.deepEqual([code, stdout], [2, '']);
  assert.match(stderr, /^elscope: saving a virtual machine needs a host with KVM: /);
});

test('scenario --all takes no name', async () => {
  const { code, stdout, stderr } = await elscope(['scenario', '--all', 'ccsidr']);
  assert.deepEqual([code, stdout], [2, '']);
  assert.match(stderr, /^elscope: .*ccsidr/);
});
