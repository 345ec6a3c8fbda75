/**
 * The generated data path against memory/ alone: the same random accesses, maintenance, DMA, contexts, monitors and watches
 * leave the same linear memory, byte for byte. Left out are only what a hit that reorders its set does differently by design:
 * in generated code it counts as no slow access and needs no page.
 *
 * Under the checker a third memory system tells its checker of every store, as if none were known: all three find the same.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SeededRandom } from '../../../src/base/random';
import { coreLayout } from '../../../src/cpu/layout';
import { Dir } from '../../../src/memory/shared';
import { RAM } from '../memory/harness';
import { cases, difference, Side, step } from './dataPathSides';

const STEPS = 4000;

function seeded(seed: number): SeededRandom {
  const random = new SeededRandom(new Uint32Array(1));
  random.seed(seed);
  return random;
}

function assertMostlyInside({ slow, b }: Side, outside: number): void {
  assert.ok(slow > STEPS / 4, `${slow} slow accesses`);
  assert.ok(b.outside * 100 < slow * outside, `${b.outside} of ${slow} left to memory/`);
}

for (const [name, { config, outside }] of Object.entries(cases))
  for (const seed of [1, 2])
    test(`generated data path and memory/ do the same: ${name}, seed ${seed}`, () => {
      const sides = [new Side(config, false), new Side(config, true)] as const;
      const random = seeded(seed);
      for (let i = 0; i < STEPS; i++) {
        const label = `step ${i}: ${step(sides, random, i)}`;
        if (i % 20 === 0 || i === STEPS - 1) assert.equal(difference(...sides), '', label);
        // It brings the directory's word about I-caches up to date: in both.
        if (i % 100 === 0) for (const { b } of sides) assert.deepEqual(b.memory.checkSubset(), [], label);
      }
      assertMostlyInside(sides[1], outside);
    });

for (const [name, { config, checked }] of Object.entries(cases))
  for (const seed of [1, 2])
    test(`they do and find the same under the checker: ${name}, seed ${seed}`, () => {
      const actual = { ...config, checker: 'actual' } as const;
      const [alone, generated, all] = [new Side(actual, false), new Side(actual, true), new Side(actual, false, true)];
      const sides = [alone, generated, all];
      for (const { b } of sides) for (const context of b.contexts) context.mmu = false;
      const random = seeded(seed);
      for (let i = 0; i < STEPS; i++) {
        const label = `step ${i}: ${step(sides, random, i)}`;
        for (const { b } of [generated, all]) {
          assert.deepEqual(b.findings.slice(-2), alone.b.findings.slice(-2), label);
          assert.equal(b.findings.length, alone.b.findings.length, label);
        }
        if (i % 20 !== 0 && i < STEPS - 1) continue;
        assert.equal(difference(alone, generated), '', label);
        assert.equal(difference(alone, all, false), '', label);
        for (const { b } of [generated, all]) {
          assert.deepEqual(b.marked, alone.b.marked, label);
          assert.deepEqual(b.findings, alone.b.findings, label);
          assert.equal(b.memory.checker?.notes, alone.b.memory.checker?.notes, label);
        }
        if (i % 100 === 0) for (const { b } of sides) assert.deepEqual(b.memory.checkSubset(), [], label);
      }
      assert.deepEqual(generated.b.memory.save(), alone.b.memory.save());
      const kinds = new Set(alone.b.findings.map(({ kind }) => kind));
      for (const kind of ['stale fetch', 'mismatched attributes', 'break-before-make'] as const)
        assert.ok(kinds.has(kind), kind);
      assertMostlyInside(generated, checked);
    });

/** Loads by generated code of lines at a distance, which push others out. */
const sweep = (side: Side, first: number, distance: number, count: number): void => {
  for (let i = 0; i < count; i++) side.access(0, RAM + first + i * distance, 2, false, 0);
};

test('the line below shows when the outer cache drops what an I-cache holds', () => {
  const side = new Side({ ...cases['one core, random'].config, checker: 'actual' }, true);
  const { b } = side;
  b.run(0, RAM);
  b.dma(RAM, 1);
  assert.deepEqual([b.run(0, RAM), b.findings.length], [0, 0]);
  sweep(side, 0x440, 0x1000, 4); // from now on the pages are known
  sweep(side, 0x400, 0x400, 15);
  assert.deepEqual([b.viewChanges, b.versions(RAM).V], [1, 1]);
  b.run(0, RAM);
  assert.deepEqual(
    b.findings.map(({ kind, executed, current }) => [kind, executed, current]),
    [['stale fetch', 0, 1]],
  );
});

test('the line below shows when L1D drops what an I-cache holds', () => {
  const side = new Side({ ...cases['an outer cache smaller than the inner ones'].config, checker: 'actual' }, true);
  const { b } = side;
  b.run(0, RAM);
  side.access(0, RAM, 2, false, 0);
  sweep(side, 0x80, 0x100, 15);
  const { directory, plan } = b.memory.shared;
  assert.equal(directory[(b.memory.ramAddress(RAM) - plan.ram) >>> plan.unitLog2] & (Dir.L1D | Dir.L2), 1);
  b.dma(RAM, 1);
  assert.deepEqual([b.run(0, RAM), b.findings.length, b.viewChanges], [0, 0, 0]);
  sweep(side, 0x100, 0x100, 5);
  assert.deepEqual([b.viewChanges, b.versions(RAM).V], [1, 1]);
  b.run(0, RAM);
  assert.deepEqual(
    b.findings.map(({ kind, executed, current }) => [kind, executed, current]),
    [['stale fetch', 0, 1]],
  );
});

test('in architectural mode and beside prefetch buffers the checker sees all misses', () => {
  const { config } = cases['one core, random'];
  const buffered = { ...config, cores: config.cores.map((c) => ({ ...c, prefetch: 8 })) };
  for (const checked of [
    { ...config, checker: 'architectural' },
    { ...buffered, checker: 'actual' },
  ] as const) {
    const side = new Side(checked, true);
    for (let i = 0; i < 20; i++) side.access(0, RAM + i * 64, 2, i % 2 === 0, i);
    assert.equal(side.b.outside, side.slow);
  }
});

test('passing the penalty limit is told', () => {
  const side = new Side(cases['one core, random'].config, true);
  const limit = new Float64Array(side.b.u32.buffer, coreLayout.penaltyLimit[0], 1);
  limit[0] = Number.POSITIVE_INFINITY;
  side.access(0, RAM, 2, false, 0);
  side.access(0, RAM + 64, 2, false, 0);
  assert.deepEqual([side.b.looks, side.b.penalty(0)], [0, 220]);
  limit[0] = 330;
  side.access(0, RAM + 128, 2, false, 0);
  assert.equal(side.b.looks, 1);
});
