/** Random accesses, maintenance, DMA, contexts, monitors and watches for several memory systems that are to end up the same. */
import assert from 'node:assert/strict';
import type { SeededRandom } from '../../../src/base/random';
import { CORE_BLOCK_BYTES, coreLayout } from '../../../src/cpu/layout';
import { COUNTER_NAMES, Counter } from '../../../src/memory/counters';
import { PAGE_ENTRIES, PAGE_ENTRY_BYTES, RECORD_BYTES } from '../../../src/memory/layout';
import { MAX_CORES } from '../../../src/memory/plan';
import { type CacheGeometry, type MemoryConfig, MemoryType } from '../../../src/memory/types';
import { Bench, coreConfig, memoryConfig, type OpName, RAM } from '../memory/harness';

const SPACE = 0x4000;
/** VAs at this distance reach the same memory. */
const ALIAS = 0x8000;
/** Every page has a TLB entry of its own. */
const tlbIndex = (va: number): number => (va >>> 12) & 15;
/** Stores of instructions: some that may be modified while they run, and descriptors of pages. */
const NOP = 0xd503201f;
const B = 0x14000001;

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

export interface Case {
  readonly config: MemoryConfig;
  /** Most slow accesses that may be left to memory/, in percent: without this the test could be of nothing. */
  readonly outside: number;
  /** The same under the checker. */
  readonly checked: number;
}
export const cases: Readonly<Record<string, Case>> = {
  'one core, random': {
    config: memoryConfig({ cores: [coreConfig({ l1d: l1('random', 4) })] }),
    outside: 45,
    checked: 72,
  },
  'one core, true LRU, three ways': {
    config: memoryConfig({ cores: [coreConfig({ l1d: l1('lru', 3) })], l2: [l2('lru', 3)] }),
    outside: 45,
    checked: 72,
  },
  'two cores, FIFO': {
    config: memoryConfig({ cores: [1, 2].map(() => coreConfig({ l1d: l1('fifo') })), l2: [l2('fifo')] }),
    outside: 65,
    checked: 78,
  },
  'two cores, smaller I-lines': {
    config: memoryConfig({
      cores: [1, 2].map(() => coreConfig({ l1i: { ...l1('random'), lineBytes: 32, policy: 'PIPT' }, l1d: l1('lru') })),
    }),
    outside: 65,
    checked: 78,
  },
  'smaller I-lines, one core with IDC and DIC': {
    config: memoryConfig({
      cores: [0, 1].map((n) =>
        coreConfig({ l1i: { ...l1('random'), lineBytes: 32, policy: 'PIPT' }, idc: n === 1, dic: n === 1 }),
      ),
    }),
    outside: 65,
    checked: 100,
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
    checked: 84,
  },
  'an outer cache smaller than the inner ones': {
    config: memoryConfig({
      cores: [1, 2].map(() => coreConfig({ l1d: l1('lru', 4) })),
      l2: [{ sets: 2, ways: 2, lineBytes: 64, replacement: 'random' }],
    }),
    outside: 75,
    checked: 82,
  },
  'an outer cache with longer lines': {
    config: memoryConfig({ cores: [coreConfig({ l1d: l1('lru', 4) })], l2: [l2('random', 4, 128)] }),
    outside: 100,
    checked: 100,
  },
  'lines of two units beside lines of one': {
    config: memoryConfig({
      cores: [coreConfig({ l1d: l1('lru', 2, 128), l2: 0 }), coreConfig({ l1d: l1('lru'), l2: 1 })],
      l2: [l2('random', 4, 128), l2('random')],
    }),
    outside: 90,
    checked: 93,
  },
};

/** One machine of several. */
export class Side {
  readonly b: Bench;
  slow = 0;
  /** `all`: the checker hears of every store, whether it would change anything that the checker knows or not. */
  constructor(
    config: MemoryConfig,
    generated: boolean,
    private readonly all = false,
  ) {
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

  /** Before each step: what findings tell of the time and the instruction. */
  begin(step: number): void {
    const { b } = this;
    this.setTime(10_000 + step * 300);
    for (let core = 0; core < b.config.cores.length; core++) b.setPc(core, 0x1000 + (step % 997) * 4);
    if (this.all) b.u32[b.memory.shared.plan.noted.epoch >>> 2] += MAX_CORES;
  }

  /** As machines have it: what all cores have done, and of this run some, the straight run's last instructions among them. */
  private setTime(time: number): void {
    const { b } = this;
    const [limit, budget, straight] = [900, 200, 5];
    b.time = time;
    b.record = 0x1000 + straight * RECORD_BYTES;
    const f64 = new Float64Array(b.u32.buffer);
    const cores = b.config.cores.length;
    for (let core = 0; core < cores; core++) {
      const at = (name: keyof typeof coreLayout): number => (core * CORE_BLOCK_BYTES + coreLayout[name][0]) >>> 2;
      const others = core === 0 ? time - (limit - budget + straight) - 7 * (cores - 1) : 7;
      f64[at('instructions') >>> 1] = others;
      b.u32[at('limit')] = limit;
      b.u32[at('budget')] = budget;
      b.u32[at('entryRec')] = 0x1000;
    }
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

  /** A TLB entry is made anew from the descriptor at an address: under the checker stores to it have to be seen. */
  walk(core: number, va: number, pa: number): void {
    const { memory, u32 } = this.b;
    const index = tlbIndex(va);
    memory.dropTranslations(core, 0, va, 12, index);
    const checks = memory.checker?.translations;
    if (checks === undefined) return;
    const at = memory.ramAddress(pa & -8) >>> 2;
    checks.walk(core, 1, false);
    checks.read(1, 3, pa & -8, u32[at + 1], u32[at]);
    checks.filled(core, index, 1, 0, va & -4096, 12);
  }

  /** All linear memory but what a hit that reorders its set does differently, and what is left out beyond that. */
  memory(withNoted = true): Buffer {
    const { plan } = this.b.memory.shared;
    const all = Buffer.from(this.b.u32.buffer.slice(0));
    for (const at of plan.pages) all.fill(0, at, at + PAGE_ENTRIES * PAGE_ENTRY_BYTES);
    for (let core = 0; core < this.b.config.cores.length; core++)
      for (const counter of [Counter.slowLoads, Counter.slowStores, Counter.lineTableRefills]) {
        const at = plan.counters + 8 * (core * COUNTER_NAMES.length + counter);
        all.fill(0, at, at + 8);
      }
    if (withNoted) return all;
    const { marks, pieces, epoch } = plan.noted;
    return all.fill(0, marks, marks + 4 * pieces).fill(0, epoch, epoch + 4);
  }
}

/** Where two differ first; empty: nowhere. */
export function difference(one: Side, other: Side, withNoted = true): string {
  const [a, b] = [one.memory(withNoted), other.memory(withNoted)];
  if (a.equals(b)) return '';
  const at = a.findIndex((byte, i) => byte !== b[i]);
  const { plan } = one.b.memory.shared;
  const parts = Object.entries(plan).filter(([, start]) => typeof start === 'number' && start > 1000 && start <= at);
  const [part, start] = parts.sort((x, y) => y[1] - x[1])[0] ?? ['core blocks', 0];
  return `${part} + ${at - start}`;
}

type Action = (b: Bench, side: Side) => void;
interface Place {
  readonly core: number;
  readonly va: number;
  /** Physical. */
  readonly pa: number;
  readonly word: number;
}

const operations: readonly OpName[] = ['CVAU', 'CVAC', 'IVAC', 'CIVAC', 'ZVA'];

/** What happens besides loads and stores, and how often. */
const actions: readonly (readonly [number, (p: Place) => Action])[] = [
  [
    2,
    ({ core, va, word }) =>
      (b) =>
        b.op(core, operations[word % operations.length], va),
  ],
  [
    2,
    ({ core, va }) =>
      (b) =>
        b.run(core, va & -4),
  ],
  [
    1,
    ({ core, word }) =>
      (b) =>
        b.memory.selectContext(core, [(word & 0x700) === 0 ? word % 12 : word % 2]),
  ],
  [
    1,
    ({ core, va }) =>
      (b) =>
        b.memory.dropTranslations(core, 0, va, 12, tlbIndex(va)),
  ],
  [
    2,
    ({ pa, word }) =>
      (b) =>
        b.dma(pa & -4, word, (word & 0x300) === 0),
  ],
  [
    1,
    ({ core, va }) =>
      (b) =>
        b.memory.load(core, 0, va & -4, 2 | 32),
  ],
  [
    2,
    ({ core }) =>
      (b) =>
        b.memory.clearExclusive(core),
  ],
  [
    1,
    ({ pa, word }) =>
      (b) =>
        b.memory.setWatchGranules(new Set(word & 1 ? [pa] : [])),
  ],
  [
    1,
    ({ core }) =>
      (b) =>
        b.op(core, 'IALLUIS'),
  ],
];

function runLine(b: Bench, core: number, va: number): void {
  for (let at = va & -64, end = at + 64; at < end; at += 4) b.run(core, at);
}

/** What the checker makes more of. */
const checkedActions: typeof actions = [
  [
    10,
    ({ core, va }) =>
      (b) =>
        runLine(b, core, va),
  ],
  [
    4,
    ({ pa, word }) =>
      (b) =>
        b.dma(pa & -4, word),
  ],
  [
    2,
    ({ core, va }) =>
      (b) =>
        b.op(core, 'CVAU', va),
  ],
  [
    2,
    ({ core, va }) =>
      (b) =>
        b.op(core, 'IVAU', va),
  ],
  [
    1,
    ({ core, word }) =>
      (b) =>
        b.op(core, word & 1 ? 'IALLU' : 'IALLUIS'),
  ],
  [
    1,
    ({ core }) =>
      (b) =>
        b.memory.dsb(core),
  ],
  [
    1,
    ({ core }) =>
      (b) =>
        b.memory.isb(core),
  ],
  [
    1,
    ({ pa, word }) =>
      (b) =>
        b.poke(pa & -4, word),
  ],
  [
    1,
    ({ core, va }) =>
      (b) =>
        b.load(core, va & -4, MemoryType.NormalNC),
  ],
  [
    1,
    ({ core, va, word }) =>
      (b) =>
        b.store(core, va & -4, word, MemoryType.NormalNC),
  ],
  [
    2,
    ({ core, va, pa }) =>
      (_b, side) =>
        side.walk(core, va, pa),
  ],
  [
    1,
    ({ core, word }) =>
      (b) =>
        b.memory.setOwner(core, word % 3),
  ],
  [
    1,
    ({ core }) =>
      (b) =>
        (b.contexts[core].mmu = true),
  ],
];

export function step(sides: readonly Side[], random: SeededRandom, number: number): string {
  const { config } = sides[0].b;
  const checked = config.checker !== 'off';
  const core = random.below(config.cores.length);
  const log2 = random.below(5);
  const aligned = random.below(16) !== 0;
  // Half of them in few lines, so that cores share.
  const offset = random.below(random.below(2) === 0 ? SPACE : SPACE / 16) & (aligned ? -(1 << log2) : -1);
  const va = RAM + offset + (random.below(3) === 0 ? ALIAS : 0);
  const random32 = random.next();
  const word = checked ? [random32, (random32 | 3) >>> 0, NOP, B][random32 & 3] : random32;
  for (const side of sides) side.begin(number);
  const kinds = checked ? [...actions, ...checkedActions] : actions;
  const total = kinds.reduce((sum, [n]) => sum + n, 0);
  let kind = random.below(4 * total) - 3 * total;
  if (kind < 0) {
    const write = random.below(2) === 0;
    const [first, ...others] = sides.map((side) => side.access(core, va, log2, write, word));
    for (const other of others) assert.deepEqual(other, first);
    return `${write ? 'store' : 'load'} ${log2} core ${core} ${va.toString(16)}`;
  }
  const place = { core, va, pa: RAM + offset, word };
  for (const [n, make] of kinds) {
    kind -= n;
    if (kind >= 0) continue;
    const action = make(place);
    for (const side of sides) action(side.b, side);
    return `${action} core ${core} ${va.toString(16)}`;
  }
  return '';
}
