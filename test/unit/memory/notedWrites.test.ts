/**
 * What the tracker need not hear of (notedWrites.ts): one that hears of all stores and one that hears only of those it does not
 * know judge the same, whatever happens in between.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SeededRandom } from '../../../src/base/random';
import { NotedWrites } from '../../../src/memory/notedWrites';
import { MAX_CORES } from '../../../src/memory/plan';
import { SyncTracker } from '../../../src/memory/syncTracker';
import type { MemoryConfig } from '../../../src/memory/types';
import { coreConfig, memoryConfig } from './harness';

const BYTES = 0x3000;
const STEPS = 3000;
const iLines = (lineBytes: 32 | 64 | 128) => ({ ...coreConfig().l1i, lineBytes });

const machines: Readonly<Record<string, { readonly config: MemoryConfig; readonly pieceLog2: number }>> = {
  'two cores': { config: memoryConfig(), pieceLog2: 6 },
  'two cores, architectural mode': { config: memoryConfig({ checker: 'architectural' }), pieceLog2: 6 },
  'IDC and DIC, architectural mode': {
    config: memoryConfig({ cores: [1, 2].map(() => coreConfig({ idc: true, dic: true })), checker: 'architectural' }),
    pieceLog2: 6,
  },
  'longer I-lines, smaller pieces, IDC': {
    config: memoryConfig({ cores: [coreConfig({ l1i: iLines(128), idc: true }), coreConfig({ l1i: iLines(32) })] }),
    pieceLog2: 5,
  },
  'IDC and DIC': {
    config: memoryConfig({ cores: [1, 2].map(() => coreConfig({ idc: true, dic: true })) }),
    pieceLog2: 6,
  },
  'IDC and DIC on one of two': {
    config: memoryConfig({ cores: [coreConfig({ idc: true, dic: true }), coreConfig()] }),
    pieceLog2: 6,
  },
};

class Trackers {
  readonly all: SyncTracker;
  readonly one: SyncTracker;
  readonly noted: NotedWrites;
  /** Writes that `one` did not hear of. */
  spared = 0;
  constructor(
    readonly config: MemoryConfig,
    readonly pieceLog2: number,
  ) {
    const pieces = BYTES >>> pieceLog2;
    const timed = config.cores.some((c) => c.idc && c.dic);
    const plan = { epoch: 0, marks: 8, pieces, times: timed ? 8 * (pieces + 1) : 0 };
    this.noted = new NotedWrites(new ArrayBuffer(16 * (pieces + 1)), plan);
    this.one = new SyncTracker(config, pieceLog2, BYTES, this.noted);
    const times = new Float64Array(timed ? pieces : 0);
    const never = { end: () => {}, has: () => false, note: () => {}, forget: () => {}, times };
    this.all = new SyncTracker(config, pieceLog2, BYTES, never);
  }

  both(what: (tracker: SyncTracker) => void): void {
    what(this.all);
    what(this.one);
  }

  write(
    core: number,
    offset: number,
    size: number,
    coherent: boolean,
    seen: boolean,
    mmu: boolean,
    time: number,
  ): void {
    const writer = { pcHi: 0, pcLo: time, mmu, everyStoreSeen: seen, time };
    this.all.wrote(core, offset, size, coherent, writer);
    if (this.one.knows(core, offset, size, coherent, seen)) {
      this.one.repeated(offset, size, time);
      this.spared++;
    } else this.one.wrote(core, offset, size, coherent, writer);
  }

  /** All that the checker asks for, of every piece. */
  answers(tracker: SyncTracker, time: number): unknown[] {
    const answers: unknown[] = [];
    for (let offset = 0; offset < BYTES; offset += 1 << this.pieceLog2) {
      answers.push(tracker.writer(offset));
      for (const [core] of this.config.cores.entries())
        answers.push(
          tracker.synchronisedSinceWrite(core, offset),
          tracker.judge(core, offset, false, time),
          tracker.judge(core, offset, true, time),
          tracker.judgeWord(core, offset + 4, false, time),
        );
    }
    return answers;
  }
}

function step(t: Trackers, random: SeededRandom, time: number, mmu: boolean): void {
  const core = random.below(2);
  // Few pieces, in pages that are fetched from at different times, or never.
  const offset = random.below(3) * 0x1000 + random.below(0x80);
  const size = 1 << random.below(5);
  const kind = random.below(40);
  const toAll = random.below(2) === 0;
  if (kind < 24) t.write(core, offset, size, false, false, mmu, time);
  else if (kind < 26) t.write(core, offset, size, false, true, mmu, time);
  else if (kind < 27) t.write(core, offset, size, true, false, mmu, time);
  else if (kind < 28) t.write(-1, offset, size, true, false, false, time);
  else if (kind < 30) t.both((tracker) => tracker.cleaned(core, offset, toAll));
  else if (kind < 32) t.both((tracker) => tracker.invalidated(core, offset, toAll ? 3 : 1 << core));
  else if (kind < 33) t.both((tracker) => tracker.invalidatedAll(core, toAll ? 3 : 1 << core));
  else if (kind < 35) t.both((tracker) => tracker.dsb(core));
  else if (kind < 37) t.both((tracker) => tracker.isb(core));
  else if (kind < 38) t.both((tracker) => tracker.synchronised(offset, size));
  else if (kind < 39 && random.below(4) === 0) t.both((tracker) => tracker.fetched(toAll ? offset & 0x1fff : 0, mmu));
  else assert.equal(t.one.firstReport(core, offset), t.all.firstReport(core, offset));
}

for (const [name, { config, pieceLog2 }] of Object.entries(machines))
  for (const seed of [1, 2])
    test(`nothing is missed of stores that are known: ${name}, seed ${seed}`, () => {
      const t = new Trackers(config, pieceLog2);
      const random = new SeededRandom(new Uint32Array(1));
      random.seed(seed);
      let time = 0;
      for (let i = 0; i < STEPS; i++) {
        if (i % 50 === 0) t.both((tracker) => tracker.reset());
        time += random.below(20) === 0 ? 5000 : 10;
        step(t, random, time, i % 50 > 10);
        assert.deepEqual(t.answers(t.one, time), t.answers(t.all, time), `step ${i}`);
      }
      if (config.checker !== 'architectural') assert.ok(t.spared > STEPS / 60, `${t.spared} spared`);
    });

test('epochs begin anew when their numbers run out', () => {
  const u32 = new Uint32Array(3);
  const noted = new NotedWrites(u32.buffer, { marks: 4, pieces: 2, epoch: 0, times: 0 });
  assert.deepEqual([u32[0], noted.has(0, 0, 0)], [MAX_CORES, false]);
  noted.note(0, 1);
  assert.deepEqual([noted.has(0, 1, 1), noted.has(1, 1, 1), noted.has(0, 0, 1)], [true, false, false]);
  u32[0] = 2 ** 32 - MAX_CORES;
  noted.note(0, 0);
  noted.end();
  assert.deepEqual([...u32], [MAX_CORES, 0, 0]);
  assert.equal(noted.has(0, 1, 1), false);
});
