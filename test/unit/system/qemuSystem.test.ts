/** Bare-metal programs log the same on elscope as on QEMU (program.ts); what differs has a reason. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
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

function run(program: Program, fixture: SystemFixture): string[] {
  const image = Buffer.from(fixture.image, 'base64');
  const { machine } = launch(
    {
      program: 'a.elf',
      machine: presetOf[program.cpu],
      memory: MEMORY,
      el: program.el,
      gic: program.gic,
      cpus: program.cpus,
    },
    { ...nodePorts(), readFile: () => image },
  );
  const bytes: number[] = [];
  machine.onConsole((_uart, some) => void bytes.push(...some));
  const stop = machine.run(MAX_INSTRUCTIONS);
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
