/** Bare-metal programs log the same on elscope as on QEMU (program.ts); what differs has a reason. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import type { Machine, Stop } from '../../../src/machine/api';
import { launch } from '../../../src/machine/launch';
import { nodePorts } from '../../../src/worker/nodePorts';
import { fixtureFile, readLog, type SystemFixture } from './makeFixtures';
import type { Program } from './program';
import { programs } from './programs';

const MEMORY = 16 * 2 ** 20;
const MAX_INSTRUCTIONS = 50_000_000;
const presetOf: Readonly<Record<string, string>> = {
  'cortex-a57': 'cortex-a57',
  max: 'max',
  'neoverse-n1': 'neoverse-n1',
};

const fixtureOf = (program: Program): SystemFixture =>
  JSON.parse(readFileSync(fixtureFile(program.name), 'utf8')) as SystemFixture;

function machineOf(program: Program, fixture: SystemFixture): Machine {
  const image = Buffer.from(fixture.image, 'base64');
  const { el, gic, cpus } = program;
  return launch(
    { program: 'a.elf', machine: presetOf[program.cpu], memory: MEMORY, el, gic, cpus },
    { ...nodePorts(), readFile: () => image },
  ).machine;
}

/** The log of a program; `go` lets the machine run on until it is over. */
function run(
  program: Program,
  fixture: SystemFixture,
  go: (machine: Machine) => Stop = (machine) => machine.run(MAX_INSTRUCTIONS),
  machine = machineOf(program, fixture),
  bytes: number[] = [],
): string[] {
  machine.onConsole((_uart, some) => void bytes.push(...some));
  const stop = go(machine);
  assert.equal(stop.reason, 'exited', `${program.name}: ${JSON.stringify(stop)}, log of ${bytes.length} bytes`);
  return readLog(Uint8Array.from(bytes));
}

/** Values of each step. */
function bySteps(log: readonly string[]): Map<number, string[]> {
  const steps = new Map<number, string[]>();
  for (const line of log) {
    const step = Number(line.split(' ')[0]);
    steps.set(step, [...(steps.get(step) ?? []), line.split(' ')[1]]);
  }
  return steps;
}

for (const program of programs)
  test(`${program.name}: as QEMU's ${program.cpu}`, () => {
    const fixture = fixtureOf(program);
    assert.deepEqual(
      program.steps.map((step) => step.label),
      fixture.steps,
      'the program was changed: record it anew',
    );
    const theirs = bySteps(fixture.log);
    const mine = bySteps(run(program, fixture));
    const used = new Set<string>();
    const differences: string[] = [];
    program.steps.forEach((step, n) => {
      const a = (mine.get(n) ?? []).join(' ');
      const b = (theirs.get(n) ?? []).join(' ');
      if (a === b) return;
      const reason = program.known?.find(([pattern]) => pattern.test(step.label))?.[1];
      if (reason === undefined) differences.push(`${n} ${step.label}: ${a}; QEMU ${b}`);
      else used.add(reason);
    });
    assert.deepEqual(differences, []);
    const idle = (program.known ?? []).map(([, reason]) => reason).filter((reason) => !used.has(reason));
    assert.deepEqual(idle, [], 'every known difference is still one');
  });

/** Runs on in slices, past the debugger's stops, until the guest ends. */
function inSlices(machine: Machine, slice: number): Stop {
  for (let i = 0; i < MAX_INSTRUCTIONS / slice; i++) {
    const stop = machine.run(slice);
    if (stop.reason !== 'limit' && stop.reason !== 'breakpoint' && stop.reason !== 'watchpoint') return stop;
  }
  return { reason: 'limit' };
}

for (const program of programs)
  test(`${program.name}: slices leave no trace`, () => {
    const fixture = fixtureOf(program);
    assert.deepEqual(
      run(program, fixture, (machine) => inSlices(machine, 37)),
      run(program, fixture),
    );
  });

for (const program of programs)
  test(`${program.name}: what was saved half-way goes on in another machine`, () => {
    const fixture = fixtureOf(program);
    const straight = machineOf(program, fixture);
    const log = run(program, fixture, undefined, straight);
    const length = straight.statistics().instructions;
    for (const part of [0.05, 0.15]) {
      const first = machineOf(program, fixture);
      const bytes: number[] = [];
      first.onConsole((_uart, some) => void bytes.push(...some));
      first.run(Math.floor(length * part));
      const second = machineOf(program, fixture);
      assert.ok(second.restore(first.save()));
      assert.deepEqual(run(program, fixture, undefined, second, bytes), log, `at ${part}`);
    }
  });

test("the debugger's breakpoints and watchpoints do not disturb the guest's, nor these them", () => {
  const program = programs.find(({ name }) => name === 'debug')!;
  const fixture = fixtureOf(program);
  const alone = run(program, fixture);
  const values = alone.map((line) => BigInt(`0x${line.split(' ')[1]}`));
  // Where the guest breaks, and two instructions before.
  const places = values.flatMap((value, i) =>
    ((value >> 26n) & 0x3en) === 0x30n && value >> 60n === 0xen ? [values[i + 1]] : [],
  );
  assert.ok(places.length > 10);
  let breakpoints = 0;
  let watchpoints = 0;
  const watched = run(program, fixture, (machine) => {
    machine.setBreakpoints(
      places.flatMap((address, id) => [0n, 8n].map((back) => ({ id, address: address - back, space: 'va' as const }))),
    );
    machine.setWatchpoints([{ id: 1, space: 'va', address: 0x40e0_0000n, size: 8, access: 'readWrite' }]);
    for (;;) {
      const stop = machine.run(MAX_INSTRUCTIONS);
      if (stop.reason === 'breakpoint') breakpoints++;
      else if (stop.reason === 'watchpoint') watchpoints++;
      else return stop;
    }
  });
  assert.deepEqual(watched, alone);
  assert.ok(breakpoints > places.length && watchpoints > 10, `${breakpoints} and ${watchpoints} stops`);
});
