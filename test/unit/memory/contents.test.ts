/**
 * Contents of a line at the three points after every kind of write in every state and every way to end it, against results
 * worked out by hand. "2 1 1" means: the view is 2, the point of unification 1, the point of coherency 1. Memory holds 1 to
 * begin with; the state's own stores write 2 (and 3); the other agent writes 9.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MemoryType } from '../../../src/memory/types';
import { Bench, coreConfig, memoryConfig, RAM } from './harness';

const A = RAM + 0x40;
const ACTIONS = ['nothing', 'CVAU', 'CVAC', 'IVAC', 'CIVAC', 'evictL1', 'evictAll'] as const;
type Action = (typeof ACTIONS)[number];
type Expected = Readonly<Record<Action, string>>;
const row = (...text: string[]): Expected =>
  Object.fromEntries(ACTIONS.map((name, i) => [name, text[i]])) as Record<Action, string>;

const states: Record<string, (b: Bench) => void> = {
  uncached: () => {},
  'L1 and L2 clean': (b) => {
    b.load(0, A);
  },
  'L1 dirty, L2 clean': (b) => {
    b.store(0, A, 2);
  },
  'L1 clean, L2 dirty': (b) => {
    b.store(0, A, 2);
    b.op(0, 'CVAU', A);
  },
  'L1 dirty, L2 dirty': (b) => {
    b.store(0, A, 2);
    b.op(0, 'CVAU', A);
    b.store(0, A, 3);
  },
  'L2 clean': (b) => {
    b.load(0, A);
    evictL1(b);
  },
  'L2 dirty': (b) => {
    b.store(0, A, 2);
    evictL1(b);
  },
};

/** Other lines of the same L1 set (4 sets of 2 ways, LRU) but of other L2 sets. */
function evictL1(b: Bench): void {
  for (const core of [0, 1]) for (const i of [1, 2]) b.load(core, A + i * 256);
}
/** Other lines of the same L2 set (16 sets of 4 ways, LRU). */
function evictAll(b: Bench): void {
  for (const core of [0, 1]) for (let i = 1; i <= 5; i++) b.load(core, A + i * 1024);
}

function act(b: Bench, action: Action): void {
  if (action === 'evictL1') evictL1(b);
  else if (action === 'evictAll') evictAll(b);
  else if (action !== 'nothing') b.op(1, action, A);
}

const agents: Record<string, (b: Bench) => void> = {
  nobody: () => {},
  'non-cacheable store': (b) => b.store(1, A, 9, MemoryType.NormalNC),
  'Device store': (b) => b.store(1, A, 9, MemoryType.DeviceNGnRnE),
  DMA: (b) => b.dma(A, 9),
  'cacheable store': (b) => b.store(1, A, 9),
  'write-through store': (b) => b.store(1, A, 9, MemoryType.NormalWT),
};

const clean = row('1 1 1', '1 1 1', '1 1 1', '1 1 1', '1 1 1', '1 1 1', '1 1 1');
const nine = row('9 9 9', '9 9 9', '9 9 9', '9 9 9', '9 9 9', '9 9 9', '9 9 9');
/** One L1D dirty with 9 over 1. */
const stored = row('9 1 1', '9 9 1', '9 9 9', '1 1 1', '9 9 9', '9 9 1', '9 9 9');
/** The same over an L2 line dirty with 2. */
const storedOver2 = row('9 2 1', '9 9 1', '9 9 9', '1 1 1', '9 9 9', '9 9 1', '9 9 9');
const newerBelow = row('1 1 9', '1 1 9', '1 1 9', '9 9 9', '9 9 9', '1 1 9', '9 9 9');
const l2DirtyNewerBelow = row('2 2 9', '2 2 9', '2 2 2', '9 9 9', '2 2 2', '2 2 9', '2 2 2');
const l2Dirty = row('2 2 1', '2 2 1', '2 2 2', '1 1 1', '2 2 2', '2 2 1', '2 2 2');

const nobody: Record<string, Expected> = {
  uncached: clean,
  'L1 and L2 clean': clean,
  'L1 dirty, L2 clean': row('2 1 1', '2 2 1', '2 2 2', '1 1 1', '2 2 2', '2 2 1', '2 2 2'),
  'L1 clean, L2 dirty': l2Dirty,
  'L1 dirty, L2 dirty': row('3 2 1', '3 3 1', '3 3 3', '1 1 1', '3 3 3', '3 3 1', '3 3 3'),
  'L2 clean': clean,
  'L2 dirty': l2Dirty,
};
const below: Record<string, Expected> = {
  uncached: nine,
  'L1 and L2 clean': newerBelow,
  'L1 dirty, L2 clean': row('2 1 9', '2 2 9', '2 2 2', '9 9 9', '2 2 2', '2 2 9', '2 2 2'),
  'L1 clean, L2 dirty': l2DirtyNewerBelow,
  'L1 dirty, L2 dirty': row('3 2 9', '3 3 9', '3 3 3', '9 9 9', '3 3 3', '3 3 9', '3 3 3'),
  'L2 clean': newerBelow,
  'L2 dirty': l2DirtyNewerBelow,
};
const cacheable: Record<string, Expected> = {
  uncached: stored,
  'L1 and L2 clean': stored,
  'L1 dirty, L2 clean': stored, // dirty data passes from core 0 to core 1 without being written below
  'L1 clean, L2 dirty': storedOver2,
  'L1 dirty, L2 dirty': storedOver2,
  'L2 clean': stored,
  'L2 dirty': storedOver2,
};
const through: Record<string, Expected> = Object.fromEntries(Object.keys(states).map((name) => [name, nine]));

const expected: Record<string, Record<string, Expected>> = {
  nobody,
  'non-cacheable store': below,
  'Device store': below,
  DMA: below,
  'cacheable store': cacheable,
  'write-through store': through,
};

const lru = { sets: 4, ways: 2, lineBytes: 64, replacement: 'lru' } as const;
const config = memoryConfig({
  cores: [coreConfig({ l1d: lru }), coreConfig({ l1d: lru })],
  l2: [{ sets: 16, ways: 4, lineBytes: 64, replacement: 'lru' }],
});

for (const [agent, byState] of Object.entries(expected))
  for (const [state, results] of Object.entries(byState))
    test(`${state}, then ${agent}`, () => {
      for (const action of ACTIONS) {
        const b = new Bench(config);
        b.poke(A, 1);
        states[state](b);
        agents[agent](b);
        act(b, action);
        const { V, P, C } = b.versions(A);
        assert.equal(`${V} ${P} ${C}`, results[action], action);
        assert.deepEqual(b.memory.checkSubset(), []);
        // Who reads what: a Non-cacheable load C, cacheable loads of either core V.
        assert.equal(b.load(0, A, MemoryType.NormalNC), C);
        assert.equal(b.load(0, A), V);
        assert.equal(b.load(1, A), V);
      }
    });

test('without an outer cache the point of unification is the point of coherency', () => {
  const table: [string, string, Expected][] = [
    ['nobody', 'L1 dirty, L2 clean', row('2 1 1', '2 2 2', '2 2 2', '1 1 1', '2 2 2', '2 2 2', '2 2 2')],
    ['DMA', 'L1 and L2 clean', row('1 9 9', '1 9 9', '1 9 9', '9 9 9', '9 9 9', '9 9 9', '9 9 9')],
    ['DMA', 'L1 dirty, L2 clean', row('2 9 9', '2 2 2', '2 2 2', '9 9 9', '2 2 2', '2 2 2', '2 2 2')],
  ];
  for (const [agent, state, results] of table)
    for (const action of ACTIONS) {
      const b = new Bench({ ...config, cores: config.cores.map((c) => ({ ...c, l2: -1 })), l2: [] });
      b.poke(A, 1);
      states[state](b);
      agents[agent](b);
      act(b, action);
      const { V, P, C } = b.versions(A);
      assert.equal(`${V} ${P} ${C}`, results[action], `${agent} ${state} ${action}`);
    }
});

test('a load of a line that is dirty elsewhere writes it back one level', () => {
  const b = new Bench(config);
  b.poke(A, 1);
  b.store(0, A, 2);
  assert.equal(b.load(1, A), 2);
  assert.deepEqual(b.versions(A), { V: 2, P: 2, C: 1 });
});

test('a line of an outer cache of another cluster has the same content', () => {
  const two = { ...config, cores: [config.cores[0], { ...config.cores[1], l2: 1 }], l2: [config.l2[0], config.l2[0]] };
  const b = new Bench(two);
  b.poke(A, 1);
  b.store(0, A, 2);
  b.op(0, 'CVAU', A); // dirty in cluster 0
  b.load(1, A); // clean in cluster 1
  b.store(1, A, 3);
  b.op(1, 'CVAU', A); // now dirty in cluster 1, and cluster 0 has it too
  assert.deepEqual(b.versions(A), { V: 3, P: 3, C: 1 });
  const dirty = b.memory.lineState(A)!.copies.filter((c) => c.where.startsWith('L2'));
  assert.deepEqual(
    dirty.map((c) => [c.present, c.dirty, c.bytes?.[0]]),
    [
      [true, false, 3],
      [true, true, 3],
    ],
  );
});

test('lines of different sizes move their units together', () => {
  const wide = { sets: 4, ways: 2, lineBytes: 128, replacement: 'lru' } as const;
  const b = new Bench({ ...config, cores: [coreConfig({ l1d: wide }), coreConfig({ l1d: lru })] });
  const near = RAM + 0x100;
  const far = RAM + 0x140; // the same 128-byte line
  b.store(0, near, 2);
  b.store(0, far, 3);
  b.store(1, far, 4); // takes the whole line of core 0: its other unit is written back
  assert.deepEqual(b.versions(near), { V: 2, P: 2, C: 0 });
  assert.deepEqual(b.versions(far), { V: 4, P: 0, C: 0 });
  b.store(0, near, 5);
  b.store(0, far, 6);
  b.op(1, 'CVAU', near); // by VA: in core 0 the line that contains it
  assert.deepEqual(b.versions(far), { V: 6, P: 6, C: 0 });
});
