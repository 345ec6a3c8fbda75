/** Snapshots of machines with the hypervisor model: what was loaded goes on as if it had never been saved, bit for bit. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { UserError } from '../../../../src/base/errors';
import type { ElscopeMachine } from '../../../../src/machine/machine';
import type { Chunk, MachineState } from '../../../../src/machine/snapshot/state';
import {
  assertSame,
  besideOf,
  finish,
  goesOn,
  loadSnapshot,
  machineFile,
  modelMachine,
  snapshotOf,
} from './modelBench';

const copied = ({ at, bytes }: Chunk): Chunk => ({ at, bytes: bytes.slice() });

describe('a machine with the hypervisor model goes on as if it had not been saved', () => {
  test('two vCPUs of one core', () => goesOn('kvm-isolation', {}));

  const migrating = machineFile('migrating', {
    cores: [{}, {}],
    hypervisor: { slice: 5000, migrate: true, vms: [{ memory: '4M', vcpus: [{}, {}, { core: 0 }] }, { memory: '4M' }] },
  });
  test('slices, random migration, two VMs', () => goesOn('cache-ids', { machine: migrating }));

  test('at every step of an exit', () => {
    const straight = modelMachine('kvm-isolation');
    straight.machine.run(20_000);
    const { machine } = modelMachine('kvm-isolation');
    loadSnapshot(machine, snapshotOf(straight.machine));
    for (let step = 0; step < 60; step++) {
      machine.step(0);
      straight.machine.step(0);
      const state = machine.save();
      // Into the machine that it is of: what is not put back would stay as the next one has left it.
      if (step % 4 === 0) assert.ok(machine.restore({ ...state, chunks: [...state.chunks].map(copied) }));
      assert.equal(besideOf(machine), besideOf(straight.machine), `step ${step}`);
    }
    assertSame(straight.machine, machine);
  });

  test('a machine goes back to a state of its own', () => {
    const { machine } = modelMachine('kvm-isolation');
    machine.run(30_000);
    const file = snapshotOf(machine);
    const { machine: fresh } = modelMachine('kvm-isolation');
    loadSnapshot(fresh, file);
    finish(machine);
    loadSnapshot(machine, file);
    assertSame(fresh, machine);
    finish(machine);
    finish(fresh);
    assertSame(fresh, machine);
  });
});

describe('what is no state of this machine is refused', () => {
  const refused = (machine: ElscopeMachine, file: Uint8Array, code: string): void =>
    assert.throws(
      () => loadSnapshot(machine, file),
      (error) => error instanceof UserError && error.code === code,
      code,
    );

  test('another release, other policies, no model', () => {
    const { machine } = modelMachine('kvm-isolation');
    machine.run(20_000);
    const file = snapshotOf(machine);
    for (const options of [{ kvm: '6.2' }, { policies: ['cacheTrap=tid2'] }, { machine: 'cortex-a57' }])
      refused(modelMachine('kvm-isolation', options).machine, file, 'snapshot.other');
  });

  test('routines, steps, vCPUs and cores that there are not', () => {
    const { machine } = modelMachine('kvm-isolation');
    machine.run(20_000);
    const state = machine.save();
    const { hypervisor, ...others } = state.beside as { hypervisor: unknown };
    const text = JSON.stringify(hypervisor, bigints);
    const other = modelMachine('kvm-isolation').machine;
    const changes: readonly [from: RegExp, to: string][] = [
      [/"routine":"kvm_arch_vcpu_ioctl_run"/, '"routine":"kvm_arch_vcpu_ioctl_ran"'],
      [/"routine":"kvm_arch_vcpu_ioctl_run","at":\d+/, '"routine":"kvm_arch_vcpu_ioctl_run","at":99'],
      [/"vcpu":257/, '"vcpu":259'],
      [/"current":\d/, '"current":5'],
      [/"core":0/, '"core":64'],
      [/"host":\{/, '"hast":{'],
    ];
    for (const [from, to] of changes) {
      assert.match(text, from);
      const damaged: MachineState = {
        ...state,
        beside: { ...others, hypervisor: JSON.parse(text.replace(from, to), unBigints) as unknown },
      };
      assert.throws(
        () => other.restore(damaged),
        (error) => error instanceof RangeError || error instanceof TypeError,
        to,
      );
    }
  });
});

const bigints = (_key: string, value: unknown): unknown => (typeof value === 'bigint' ? `bigint ${value}` : value);
const unBigints = (_key: string, value: unknown): unknown =>
  typeof value === 'string' && value.startsWith('bigint ') ? BigInt(value.slice(7)) : value;
