/**
 * Same image, same machine, same seed: the same run, bit for bit, in this process and in others, whichever of V8's compilers
 * makes the interpreter's machine code.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import path from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { ROOT } from '../../../src/build/paths';
import { presetConfig } from '../../../src/machine/presets';
import { type Bench, MAX_INSTRUCTIONS, sampleOn, stateHash } from './samples';

const execute = promisify(execFile);
const SCRIPT = path.join(ROOT, 'test', 'unit', 'machine', 'runGuest.ts');

interface Outcome {
  readonly stop: unknown;
  readonly text: string;
  readonly instructions: number;
  readonly hash: string;
}

async function inProcess(flags: readonly string[], sample: string, preset: string, cpus: number): Promise<Outcome> {
  const args = [...flags, '--import', 'tsx', SCRIPT, sample, preset, `${cpus}`, '1'];
  const { stdout } = await execute(process.execPath, args, { cwd: ROOT });
  return JSON.parse(stdout) as Outcome;
}

const TIERS: readonly (readonly string[])[] = [['--liftoff-only'], ['--no-liftoff']];

for (const [sample, preset, cpus] of [
  ['el-tour', 'cortex-a53', 1],
  ['two-lines', 'mixed-lines', 2],
] as const)
  test(`${sample} on ${preset} comes out the same in V8's tiers`, async () => {
    const outcomes = await Promise.all(TIERS.map((flags) => inProcess(flags, sample, preset, cpus)));
    assert.deepEqual(outcomes[0].stop, { reason: 'exited', code: 0, how: 'PSCI SYSTEM_OFF' }, outcomes[0].text);
    for (const [i, outcome] of outcomes.entries()) assert.deepEqual(outcome, outcomes[0], TIERS[i].join(' '));
    const here = sampleOn(sample, preset, cpus, { seed: 1, checker: 'actual' });
    here.machine.run(MAX_INSTRUCTIONS);
    assert.equal(stateHash(here.machine), outcomes[0].hash, 'nor does it matter what this process ran before');
  });

const finished = (bench: Bench): Bench => {
  assert.equal(bench.machine.run(MAX_INSTRUCTIONS).reason, 'exited', bench.text());
  return bench;
};
const l1iMisses = ({ machine }: Bench): number => machine.statistics().cores[0].l1i.misses;

test('another seed gives other victims but the same results', () => {
  const tiny = { sets: 2, ways: 2, lineBytes: 64, replacement: 'random' } as const;
  const withSeed = (seed: number): Bench => {
    const cores = presetConfig('cortex-a53').cores.map((core) => ({
      ...core,
      l1i: { ...tiny, policy: 'VIPT' as const },
      l1d: tiny,
    }));
    return finished(sampleOn('jit', 'cortex-a53', 1, { seed, cores }));
  };
  const runs = [1, 2, 1].map(withSeed);
  for (const { text } of runs) assert.match(text(), /2000 rounds, 0 wrong: PASS/);
  assert.ok(new Set(runs.map(l1iMisses)).size > 1, 'the seed reaches the caches');
  assert.equal(stateHash(runs[0].machine), stateHash(runs[2].machine));
  assert.notEqual(stateHash(runs[0].machine), stateHash(runs[1].machine), 'the hash sees the difference');
});

test('looking at a machine leaves no trace', () => {
  const plain = sampleOn('el-tour', 'cortex-a57', 1);
  const watched = sampleOn('el-tour', 'cortex-a57', 1);
  for (let i = 0; i < 15; i++) {
    plain.machine.run(1700);
    const { machine } = watched;
    machine.run(1700);
    for (const space of ['va', 'el0', 'el1', 'el2', 'pa', 'pou', 'poc', 'icache'] as const) {
      machine.peek(0, space, 0x4020_0000n + BigInt(i * 64), 256);
      machine.translate(0, space, 0x4020_0000n);
      machine.lineState(0, space, 0x4020_1000n);
    }
    for (const { level, kind } of machine.caches(0)) machine.cacheLines(0, level, kind);
    for (const name of ['CTR_EL0', 'CNTVCT_EL0', 'ESR_EL1', 'ISR_EL1', 'SCTLR_EL2']) machine.cores[0].peekSystem(name);
    machine.peek(0, 'pa', 0x0900_0000n, 4);
    machine.peek(0, 'pa', 0x0801_000cn, 4);
    machine.statistics();
    machine.findings();
    machine.setCatch({ exceptions: new Set(), elChange: false, undefined: false, finding: true });
  }
  assert.equal(stateHash(watched.machine), stateHash(plain.machine));
  assert.equal(finished(watched).text(), finished(plain).text());
});
