/** A virtual machine whose vCPUs wait for their timers, restored in another machine: counts and interrupts go on. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { hasCrossCompiler } from '../../../src/build/crossCompiler';
import { inMidstOf } from '../../../src/hypervisor/run/guestState';
import { launch } from '../../../src/machine/launch';
import type { ElscopeMachine } from '../../../src/machine/machine';
import { writeVm } from '../../../src/machine/vmFile';
import { nodePorts } from '../../../src/worker/nodePorts';
import { machineFile } from '../hypervisor/run/modelBench';
import { busyGuest } from './snapshot/busy';

const skip = hasCrossCompiler() ? false : 'there is no cross compiler';

test('timers of a guest go on from where they were', { skip }, async () => {
  const program = await busyGuest();
  const hypervisor = { vms: [{ memory: '16M', vcpus: [{}, {}] }] };
  const machine = machineFile('busy-vm', { cores: [{}, {}], memory: '52M', hypervisor });
  const make = (restoreVm?: string): ElscopeMachine =>
    launch({ program, machine, restoreVm }, nodePorts()).machine as ElscopeMachine;
  const first = make();
  first.run(2_000_000);
  const model = first.hypervisor ?? assert.fail('no model');
  while (inMidstOf(model, model.vms[0])) first.run(1);
  const restoreVm = machineFile('saved', {});
  const text = writeVm(first, 1);
  writeFileSync(restoreVm, text);
  const saved = Number(/"CNTVCT_EL0","\w+","(\w+)"/.exec(text)?.[1]);
  const second = make(restoreVm);
  let said = '';
  second.onConsole((uart, bytes) => {
    if (uart === 0) said += Buffer.from(bytes).toString('latin1');
  });
  while (second.hypervisor?.cores[0].guest !== 'entered') second.run(1);
  const count = Number(second.cores[0].peekSystem('CNTVCT_EL0'));
  assert.ok(saved > 20_000 && count >= saved && count < saved + 5_000, `${saved} was saved, the guest finds ${count}`);
  second.run(2_000_000);
  const vcpus = second.hypervisor?.vms[0].vcpus ?? [];
  assert.ok(
    vcpus.every(({ exits }) => exits.WFx > 10),
    JSON.stringify(vcpus.map(({ exits }) => exits)),
  );
  assert.match(said, /\w/, 'it still prints');
});
