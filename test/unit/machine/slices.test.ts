/**
 * Where `run` is left and entered again must not matter: any cutting of a run into slices, single steps included, gives the same
 * state. Checked on guests with timers, WFI, PSCI and two cores.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SeededRandom } from '../../../src/base/random';
import type { Stop } from '../../../src/machine/api';
import { type Bench, MAX_INSTRUCTIONS, sampleOn, stateHash } from './samples';

/** Runs to `total` instructions or to the end of the guest; `slice` gives the size of each call. */
function runInSlices({ machine }: Bench, total: number, slice: () => number): Stop {
  for (;;) {
    const left = total - machine.instructions();
    const stop = left > 0 ? machine.run(Math.min(left, slice())) : ({ reason: 'limit' } as const);
    if (stop.reason !== 'limit' || left <= 0) return stop;
  }
}

const randomSlices = (seed: number, most: number): (() => number) => {
  const random = new SeededRandom(new Uint32Array(1));
  random.seed(seed);
  return () => 1 + random.below(most);
};

const MACHINES: readonly (readonly [sample: string, preset: string, cpus: number, jitter: boolean])[] = [
  ['el-tour', 'cortex-a57', 1, false],
  ['el-tour', 'cortex-a53', 2, true],
  ['selfmod', 'cortex-a57', 1, false],
  ['two-lines', 'mixed-lines', 2, false],
  ['two-lines', 'mixed-lines', 2, true],
];

for (const [sample, preset, cpus, jitter] of MACHINES) {
  const name = `${sample} on ${preset}, ${cpus} cores${jitter ? ', jitter' : ''}`;
  const start = (): Bench => sampleOn(sample, preset, cpus, { jitter });

  test(`${name}: slices leave no trace at the end of the guest`, () => {
    const whole = start();
    const stop = runInSlices(whole, MAX_INSTRUCTIONS, () => MAX_INSTRUCTIONS);
    assert.equal(stop.reason, 'exited', whole.text());
    const wanted = stateHash(whole.machine);
    for (const [what, slice] of [
      ['7', () => 7],
      ['1000', () => 1000],
      ['random', randomSlices(3, 5000)],
    ] as const) {
      const cut = start();
      assert.deepEqual(runInSlices(cut, MAX_INSTRUCTIONS, slice), stop, `${what}\n${cut.text()}`);
      assert.equal(cut.text(), whole.text(), what);
      assert.equal(cut.machine.instructions(), whole.machine.instructions(), what);
      assert.equal(stateHash(cut.machine), wanted, what);
    }
  });
}
