/**
 * The generated data path against memory/ alone: the same random accesses, maintenance, DMA, contexts, monitors and watches
 * leave the same linear memory, byte for byte. Left out are only what a hit that reorders its set does differently by design:
 * in generated code it counts as no slow access and needs no page.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SeededRandom } from '../../../src/base/random';
import { CORE_BLOCK_BYTES, coreLayout } from '../../../src/cpu/layout';
import { COUNTER_NAMES, Counter } from '../../../src/memory/counters';
import { PAGE_ENTRIES, PAGE_ENTRY_BYTES } from '../../../src/memory/layout';
import type { CacheGeometry, MemoryConfig } from '../../../src/memory/types';
import { Bench, coreConfig, memoryConfig, RAM } from '../memory/harness';

const SPACE = 0x4000;
/** VAs at this distance reach the same memory. */
const ALIAS = 0x8000;
const STEPS = 4000;
/** Every page has a TLB entry of its own. */
const tlbIndex = (va: number): number => (va >>> 12) & 15;

const l1 = (replacement: CacheGeometry['replacement'], ways = 2, lineBytes: 64 | 128 = 64): CacheGeometry => ({
  sets: 4,
  ways,
  lineBytes,
  replacement,
});
const l2 = (replacement: CacheGeometry['replacement'], ways = 4, lineBytes: 64 | 128 = 64): CacheGeometry => ({
  ...l1(replacement, ways, lineBytes),
  sets: 16,
});

interface Case {
  readonly config: MemoryConfig;
  /** Most slow accesses that may be left to memory/, in percent: without this the test could be of nothing. */
  readonly outside: number;
}
const cases: Readonly<Record<string, Case>> = {
  'one core, random': { config: memoryConfig({ cores: [coreConfig({ l1d: l1('random', 4) })] }), outside: 45 },
  'one core, true LRU, three ways': {
    config: memoryConfig({ cores: [coreConfig({ l1d: l1('lru', 3) })], l2: [l2('lru', 3)] }),
    outside: 45,
  },
  'two cores, FIFO': {
    config: memoryConfig({ cores: [1, 2].map(() => coreConfig({ l1d: l1('fifo') })), l2: [l2('fifo')] }),
    outside: 65,
  },
  'three cores, two outer caches, one with DIC': {
    config: memoryConfig({
      cores: [
        coreConfig({ l1d: l1('lru') }),
        coreConfig({ l1d: l1('random', 3), idc: true, dic: true, l2: 1 }),
        coreConfig({ l1d: l1('fifo'), l2: 1 }),
      ],
      l2: [l2('random', 2), l2('lru', 3)],
    }),
    outside: 75,
  },
  'an outer cache smaller than the inner ones': {
    config: memoryConfig({
      cores: [1, 2].map(() => coreConfig({ l1d: l1('lru', 4) })),
      l2: [{ sets: 2, ways: 2, lineBytes: 64, replacement: 'random' }],
    }),
    outside: 75,
  },
  'an outer cache with longer lines': {
    config: memoryConfig({ cores: [coreConfig({ l1d: l1('lru', 4) })], l2: [l2('random', 4, 128)] }),
    outside: 100,
  },
  'lines of two units beside lines of one': {
    config: memoryConfig({
      cores: [coreConfig({ l1d: l1('lru', 2, 128), l2: 0 }), coreConfig({ l1d: l1('lru'), l2: 1 })],
      l2: [l2('random', 4, 128), l2('random')],
    }),
    outside: 90,
  },
};

/** One machine of the two. */
class Side {
  readonly b: Bench;
  slow = 0;
  constructor(config: MemoryConfig, generated: boolean) {
    this.b = new Bench(config, generated);
    const { translator } = this.b;
    const translate = translator.translate.bind(translator);
    translator.translate = (core, context, hi, lo, access) => {
      translator.tlbIndex = tlbIndex(lo);
      return translate(core, context, hi, lo, access);
    };
    for (let page = 0; page < SPACE; page += 4096)
      this.b.translator.pages.set((RAM + ALIAS + page) >>> 12, { pa: RAM + page });
  }

  /** An access as generated code does it: through the table where its entry is a plain hit. */
  access(core: number, va: number, log2: number, write: boolean, word: number): number[] {
    const { b } = this;
    const bytes = 1 << log2;
    b.setValue(core, word, ~word);
    const host = b.fast(core, write ? 'storeTable' : 'loadTable', va);
    if (host === 0 || va % bytes !== 0) {
      this.slow++;
      b.slow(core, va, log2, write);
    } else {
      const at = core * CORE_BLOCK_BYTES + coreLayout.value[0];
      const u8 = new Uint8Array(b.u32.buffer);
      if (!write) u8.fill(0, at, at + 8);
      if (write) u8.copyWithin(host, at, at + bytes);
      else u8.copyWithin(at, host, host + bytes);
    }
    const v = (core * CORE_BLOCK_BYTES + coreLayout.value[0]) >>> 2;
    return [...b.u32.subarray(v, v + 4)];
  }

  /** All linear memory but what is left out. */
  memory(): Buffer {
    const { plan } = this.b.memory.shared;
    const all = Buffer.from(this.b.u32.buffer.slice(0));
    for (const at of plan.pages) all.fill(0, at, at + PAGE_ENTRIES * PAGE_ENTRY_BYTES);
    for (let core = 0; core < this.b.config.cores.length; core++)
      for (const counter of [Counter.slowLoads, Counter.slowStores, Counter.lineTableRefills]) {
        const at = plan.counters + 8 * (core * COUNTER_NAMES.length + counter);
        all.fill(0, at, at + 8);
      }
    return all;
  }
}

/** Where the two differ first; empty: nowhere. */
function difference(sides: readonly Side[]): string {
  const [a, b] = sides.map((side) => side.memory());
  if (a.equals(b)) return '';
  const at = a.findIndex((byte, i) => byte !== b[i]);
  const { plan } = sides[0].b.memory.shared;
  const parts = Object.entries(plan).filter(([, start]) => typeof start === 'number' && start > 1000 && start <= at);
  const [part, start] = parts.sort((x, y) => y[1] - x[1])[0] ?? ['core blocks', 0];
  return `${part} + ${at - start}`;
}

function step(sides: readonly Side[], random: SeededRandom): string {
  const core = random.below(sides[0].b.config.cores.length);
  const log2 = random.below(5);
  const aligned = random.below(16) !== 0;
  // Half of them in few lines, so that cores share.
  const offset = random.below(random.below(2) === 0 ? SPACE : SPACE / 16) & (aligned ? -(1 << log2) : -1);
  const va = RAM + offset + (random.below(3) === 0 ? ALIAS : 0);
  const word = random.next();
  const kind = random.below(64);
  const each = (what: (b: Bench) => void): void => {
    for (const { b } of sides) what(b);
  };
  if (kind < 50) {
    const write = random.below(2) === 0;
    const [a, b] = sides.map((side) => side.access(core, va, log2, write, word));
    assert.deepEqual(a, b);
    return `${write ? 'store' : 'load'} ${log2} core ${core} ${va.toString(16)}`;
  }
  if (kind < 52) each((b) => b.op(core, (['CVAU', 'CVAC', 'IVAC', 'CIVAC', 'ZVA'] as const)[word % 5], va));
  else if (kind < 54) each((b) => b.run(core, va & -4));
  else if (kind < 55) each((b) => b.memory.selectContext(core, [word % 2]));
  else if (kind < 56 && (word & 0x700) === 0) each((b) => b.memory.selectContext(core, [word % 12]));
  else if (kind < 57) each((b) => b.memory.dropTranslations(core, 0, va, 12, tlbIndex(va)));
  else if (kind < 59) each((b) => b.dma(RAM + (offset & -4), word));
  else if (kind < 60) each((b) => b.memory.load(core, 0, va & -4, 2 | 32));
  else if (kind < 62) each((b) => b.memory.clearExclusive(core));
  else if (kind < 63) each((b) => b.memory.setWatchGranules(new Set(word & 1 ? [RAM + offset] : [])));
  else each((b) => b.op(core, 'IALLUIS'));
  return `kind ${kind} core ${core} ${va.toString(16)}`;
}

for (const [name, { config, outside }] of Object.entries(cases))
  for (const seed of [1, 2])
    test(`generated data path and memory/ do the same: ${name}, seed ${seed}`, () => {
      const sides = [new Side(config, false), new Side(config, true)];
      const random = new SeededRandom(new Uint32Array(1));
      random.seed(seed);
      for (let i = 0; i < STEPS; i++) {
        const label = `step ${i}: ${step(sides, random)}`;
        if (i % 20 === 0 || i === STEPS - 1) assert.equal(difference(sides), '', label);
        // It brings the directory's word about I-caches up to date: in both.
        if (i % 100 === 0) for (const { b } of sides) assert.deepEqual(b.memory.checkSubset(), [], label);
      }
      const [, side] = sides;
      assert.ok(side.slow > STEPS / 4, `${side.slow} slow accesses`);
      assert.ok(side.b.outside * 100 < side.slow * outside, `${side.b.outside} of ${side.slow} left to memory/`);
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

test('nothing but reordering hits is done under a checker', () => {
  const side = new Side({ ...cases['one core, random'].config, checker: 'actual' }, true);
  for (let i = 0; i < 20; i++) side.access(0, RAM + i * 64, 2, i % 2 === 0, i);
  assert.equal(side.b.outside, side.slow);
});
