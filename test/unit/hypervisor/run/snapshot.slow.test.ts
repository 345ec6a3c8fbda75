/** Snapshots of machines with the hypervisor model, of more guests than snapshot.test.ts has. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { hasCrossCompiler } from '../../../../src/build/crossCompiler';
import { launch } from '../../../../src/machine/launch';
import type { LaunchOptions } from '../../../../src/machine/launch.types';
import type { ElscopeMachine } from '../../../../src/machine/machine';
import { nodePorts } from '../../../../src/worker/nodePorts';
import { busyGuest } from '../../machine/snapshot/busy';
import { assertSame, goesOn, loadSnapshot, machineFile, snapshotOf } from './modelBench';

const guests: Readonly<Record<string, readonly [sample: string, options: Omit<LaunchOptions, 'program'>]>> = {
  'migration by hypercall': ['kvm-ccsidr', { kvm: '6.12' }],
  'two vCPUs of one core, GICv3': ['kvm-isolation', { gic: 3, checker: 'actual' }],
  'late onlining, and a program of the host': ['kvm-vpipt', {}],
  'faults that user space fixes': ['kvm-pfnmap', { policies: ['cacheablePfnmap=buyIn'] }],
};

describe('a machine with the hypervisor model goes on as if it had not been saved', () => {
  for (const [name, [sample, options]] of Object.entries(guests)) test(name, () => goesOn(sample, options));

  const skip = hasCrossCompiler() ? false : 'there is no cross compiler';
  test('vCPUs that wait for their timers and move', { skip }, async () => {
    const program = await busyGuest();
    const hypervisor = { slice: 30_000, migrate: true, vms: [{ memory: '16M', vcpus: [{}, {}] }] };
    const machine = machineFile('busy', { cores: [{}, {}, {}], memory: '52M', hypervisor });
    const make = (): ElscopeMachine => launch({ program, machine }, nodePorts()).machine as ElscopeMachine;
    const straight = make();
    let moved = make();
    for (const n of [400_000, 123_457, 77_777, 250_000]) {
      straight.run(n);
      moved.run(n);
      const next = make();
      loadSnapshot(next, snapshotOf(moved));
      moved = next;
    }
    const vcpus = straight.hypervisor?.vms[0].vcpus ?? [];
    assert.ok(
      vcpus.every(({ exits }) => exits.IRQ > 5 && exits.WFx > 5),
      JSON.stringify(vcpus.map((v) => v.exits)),
    );
    assertSame(straight, moved);
  });
});
