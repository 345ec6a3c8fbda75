/**
 * The line tables' invariant under everything that can end an entry's right to be there, in random order, with random
 * replacement: accesses of several contexts and aliases, exclusives, TLB entries that vanish, watches, flash modes, DMA,
 * maintenance. Values are checked against a plain array: with all accesses cacheable, caches must not be visible to loads.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SeededRandom } from '../../../src/base/random';
import type { Confirm } from '../../../src/memory/subset';
import { Bench, coreConfig, memoryConfig, RAM } from './harness';

const SPACE = 0x1000;
const ALIASES = [0, 0x4000, 0x7000];

/** A TLB of 4 pages a core, direct-mapped by page number: what it drops, the line tables must drop. */
class FakeTlb {
  private readonly held: (number | undefined)[][];
  constructor(private readonly b: Bench) {
    this.held = b.config.cores.map(() => new Array<number | undefined>(4).fill(undefined));
    const { translator } = b;
    const translate = translator.translate.bind(translator);
    translator.translate = (core, context, hi, lo, access) => {
      const page = lo >>> 12;
      const index = page & 3;
      const old = this.held[core][index];
      if (old !== undefined && old !== page) b.memory.dropTranslations(core, 0, old << 12, 12, index);
      this.held[core][index] = page;
      translator.tlbIndex = index;
      return translate(core, context, hi, lo, access);
    };
  }
  readonly confirm: Confirm = (core, _slot, _hi, lo) => {
    const page = lo >>> 12;
    if (this.held[core][page & 3] !== page) return -1;
    return (this.b.translator.pages.get(page)?.pa ?? page << 12) + (lo & 4095);
  };
  drop(core: number, page: number, everything: boolean): void {
    this.held[core].forEach((p, i) => {
      if (everything || p === page) this.held[core][i] = undefined;
    });
    this.b.memory.dropTranslations(core, 0, (page << 12) >>> 0, everything ? 64 : 12);
  }
}

for (const [seed, dic, checker] of [
  [1, false, 'off'],
  [2, true, 'off'],
  [3, false, 'actual'],
  [4, true, 'architectural'],
] as const)
  test(`random accesses keep the invariant, seed ${seed}, DIC ${dic}, checker ${checker}`, () => {
    const core = coreConfig({ idc: dic, dic, l1d: { sets: 4, ways: 4, lineBytes: 64, replacement: 'random' } });
    const lru = coreConfig({ l1d: { sets: 2, ways: 4, lineBytes: 128, replacement: 'lru' }, idc: dic, dic });
    const b = new Bench(memoryConfig({ cores: [core, lru, core], checker }));
    const tlb = new FakeTlb(b);
    for (const alias of ALIASES.slice(1)) b.translator.pages.set((RAM + alias) >>> 12, { pa: RAM });
    const random = new SeededRandom(new Uint32Array(1));
    random.seed(seed);
    const memory = new Uint32Array(SPACE / 4);
    for (let i = 0; i < 1500; i++) {
      const c = random.below(3);
      const word = random.below(random.below(2) ? memory.length : 48);
      const va = RAM + word * 4 + ALIASES[random.below(3)];
      const value = random.next();
      const kind = random.below(20);
      if (kind < 7) assert.equal(b.load(c, va), memory[word]);
      else if (kind < 12) {
        b.store(c, va, value);
        memory[word] = value;
      } else if (kind < 14) b.run(c, va);
      else if (kind === 14) assert.equal(b.memory.load(c, 0, va, 2 | 32), 0);
      else if (kind === 15) {
        b.setValue(c, value, 0);
        assert.equal(b.memory.store(c, 0, va, 2 | 32), 0);
        if (b.memory.exclusiveStatus === 0) memory[word] = value;
      } else if (kind === 16) tlb.drop(c, va >>> 12, random.below(4) === 0);
      else if (kind === 17) b.memory.selectContext(c, [random.below(12)]);
      else if (kind === 18)
        b.op(c, (['CVAU', 'CVAC', 'CIVAC', 'IVAU', 'IALLUIS', 'CISW'] as const)[random.below(6)], va);
      else b.memory.setWatchGranules(new Set(random.below(2) ? [RAM + word * 4] : []));
      if (random.below(8) === 0) b.memory.dsb(c);
      if (i % 3 === 0) assert.deepEqual(b.memory.checkSubset(tlb.confirm), [], `step ${i}, kind ${kind}`);
    }
  });
