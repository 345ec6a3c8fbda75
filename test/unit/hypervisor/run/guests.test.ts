/** Guests of the hypervisor model: programs that know nothing of it, and those of threads 1 and 4 before and after. */
import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { SAMPLES } from '../../../../src/build/paths';
import { allRoutines } from '../../../../src/hypervisor/run/allRoutines';
import { done, step, validateRoutines } from '../../../../src/hypervisor/run/routines';
import type { LaunchOptions } from '../../../../src/machine/launch.types';
import type { ElscopeMachine } from '../../../../src/machine/machine';
import { launchSample } from '../../machine/samples';

interface Ran {
  readonly text: string;
  readonly machine: ElscopeMachine;
  readonly log: readonly string[];
}

function ran(name: string, options: Omit<LaunchOptions, 'program'>): Ran {
  const machineFile = options.machine?.endsWith('.json') ? path.join(SAMPLES, options.machine) : options.machine;
  const { machine, text } = launchSample(name, { memory: '128M', ...options, machine: machineFile });
  const host: string[] = [];
  for (;;) {
    const stop = machine.run(5_000_000);
    if (stop.reason === 'limit' && machine.instructions() < 20_000_000) continue;
    assert.deepEqual([stop.reason, stop.reason === 'exited' && stop.code], ['exited', 0], text());
    break;
  }
  const log = machine.hypervisor?.log ?? [];
  // The host's log comes by the same door, as a console of its own.
  return { text: log.reduce((rest, line) => rest.replace(`${line}\n`, ''), text()), machine, log: [...host, ...log] };
}

test('the routines are well-formed, and what is not is told', () => {
  assert.deepEqual(validateRoutines(allRoutines), []);
  const twice = { name: 'a', steps: [step('x', 1, () => done()), step('x', 1, () => done())] };
  assert.deepEqual(validateRoutines([twice, { name: 'a', steps: [] }]), [
    'a: two steps "x"',
    'a: there are two',
    'a: has no steps',
  ]);
});

test('programs run as guests as they do alone', () => {
  for (const name of ['selfmod', 'jit']) {
    const alone = launchSample(name, { el: 1 });
    while (alone.machine.run(1e6).reason === 'limit');
    assert.equal(ran(name, { kvm: '6.12' }).text, alone.text(), name);
  }
});

test('a core for each vCPU, started by PSCI', () => {
  const { text, machine } = ran('cache-ids', { kvm: '6.2', machine: 'm2-like' });
  assert.match(text, /cache-ids: 8 cores/);
  assert.deepEqual(
    machine.hypervisor?.vms[0].vcpus.map((vcpu) => [vcpu.core, vcpu.hasRun]),
    Array.from({ length: 8 }, (_, core) => [core, true]),
  );
});

test('A0: the host’s log and sanitised CTR_EL0 on a PIPT and a VIPT core', () => {
  const { text, log } = ran('cache-ids', { kvm: '6.12', machine: 'pipt-vipt' });
  assert.deepEqual(log.slice(0, 2), ['Detected PIPT I-cache on CPU0', 'Detected VIPT I-cache on CPU1']);
  const values = [...text.matchAll(/CTR_EL0 (0x\w+)/g)].map((match) => match[1]);
  assert.deepEqual(values, ['0x84448004', '0x84448004'], 'L1Ip is VIPT for guests on both');
});

test('A4: CCSIDR_EL1 follows the physical core before v6.3, and says one set and one way since', () => {
  const seen = (kvm: string): { lines: string[]; machine: ElscopeMachine } => {
    const { text, machine } = ran('kvm-ccsidr', { kvm, machine: 'kvm-ccsidr.json' });
    return { lines: [...text.matchAll(/^core .*$/gm)].map((match) => match[0]), machine };
  };
  const before = seen('6.2');
  assert.deepEqual(before.lines, [
    'core 0: CTR_EL0 0x8554c004 CLIDR_EL1 0xa200023 CCSIDR_EL1 L1D 0x700fe03a L1I 0x203fe01a L2 0x70ffe07b',
    'core 4: CTR_EL0 0x8554c004 CLIDR_EL1 0xa200023 CCSIDR_EL1 L1D 0x701fe03a L1I 0x203fe02a L2 0x73ffe07b',
  ]);
  assert.equal(before.machine.hypervisor?.vms[0].vcpus[0].traps.CCSIDR_EL1, undefined);
  const after = seen('6.3');
  assert.deepEqual(after.lines, [
    'core 0: CTR_EL0 0x8554c004 CLIDR_EL1 0x9200003 CCSIDR_EL1 L1D 0x2 L1I 0x2 L2 0x2',
    'core 4: CTR_EL0 0x8554c004 CLIDR_EL1 0x9200003 CCSIDR_EL1 L1D 0x2 L1I 0x2 L2 0x2',
  ]);
  const traps = after.machine.hypervisor?.vms[0].vcpus[0].traps ?? {};
  assert.deepEqual([traps.CCSIDR_EL1, traps.CSSELR_EL1, traps.CLIDR_EL1], [12, 12, 2]);
  assert.ok(traps.CTR_EL0 >= 1002, 'TID2 traps CTR_EL0 at EL0 as well');
  const tid4 = seen('6.12').machine.hypervisor?.vms[0].vcpus[0].traps ?? {};
  assert.equal(tid4.CTR_EL0, undefined, 'TID4 does not');
  assert.equal(tid4.CCSIDR_EL1, 12);
});

test('A1: a vCPU runs a line that another vCPU of its VM left, until v5.12', () => {
  const says = (options: Partial<LaunchOptions>): string =>
    ran('kvm-isolation', { machine: 'kvm-isolation.json', ...options })
      .text.trim()
      .split('\n')
      .at(-1) ?? '';
  assert.equal(says({ kvm: '5.11' }), 'vCPU 0: the function returns 1: a line of vCPU 1');
  assert.equal(says({ kvm: '5.12' }), 'vCPU 0: the function returns 2');
  assert.equal(says({ kvm: '5.12', policies: ['icacheIsolation=none'] }).endsWith('a line of vCPU 1'), true);
});

test('the same run twice, and in slices', () => {
  const run = (slice: number): string => {
    const { machine, text } = launchSample('kvm-isolation', {
      machine: path.join(SAMPLES, 'kvm-isolation.json'),
      memory: '128M',
    });
    while (machine.run(slice).reason === 'limit');
    const { instructions, guestSeconds, cores } = machine.statistics();
    return JSON.stringify([text(), instructions, guestSeconds, cores[0].l1i, cores[0].l1d, cores[0].l2]);
  };
  const whole = run(1e7);
  assert.equal(run(1e7), whole);
  assert.equal(run(997), whole);
  assert.equal(run(1), whole);
});
