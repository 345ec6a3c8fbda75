/** The MMU under the memory system: whatever vanishes from the TLB takes its line-table entries along. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { operationByName } from '../../../../src/arch/sysops/index';
import { SeededRandom } from '../../../../src/base/random';
import { CORE_BLOCK_BYTES, coreLayout } from '../../../../src/cpu/layout';
import { MemorySystem } from '../../../../src/memory/memorySystem';
import { Mmu } from '../../../../src/memory/mmu/index';
import type { Translator, TranslatorPort } from '../../../../src/memory/translator';
import type { TranslationContext } from '../../../../src/memory/types';
import { coreConfig, memoryConfig, RAM } from '../harness';
import { context, NG, page, range } from './rig';

const MEMORY = 0x1_0000;
const TABLE = RAM; // one 4 KB table of level 3 per ASID, 25-bit ranges: level 2 first
const PAGES = RAM + 0x1_0000;
const PAGE_COUNT = 24;

class Whole {
  readonly memory: MemorySystem;
  readonly mmu: Mmu;
  readonly contexts: TranslationContext[];
  /** By context slot. */
  readonly ofSlot = new Map<number, TranslationContext>();
  current: TranslationContext;
  private readonly u32: Uint32Array;

  constructor() {
    const config = memoryConfig({ cores: [coreConfig({ tlb: { sets: 4, ways: 2 } })] });
    const buffer = new ArrayBuffer(MEMORY + MemorySystem.bytesNeeded(config, MEMORY));
    this.u32 = new Uint32Array(buffer);
    const late: { memory?: MemorySystem } = {};
    const port: TranslatorPort = {
      walkRead: (core, pa, cacheable) => late.memory!.walkRead(core, pa, cacheable),
      get walkLo() {
        return late.memory!.walkLo;
      },
      get walkHi() {
        return late.memory!.walkHi;
      },
      dropTranslations: (core, hi, lo, log2, index) => late.memory!.dropTranslations(core, hi, lo, log2, index),
      penalty: () => {},
    };
    this.mmu = new Mmu(config, port);
    const translator: Translator = this.mmu;
    this.memory = late.memory = new MemorySystem(buffer, MEMORY, config, {
      layout: coreLayout,
      translator,
      bus: { read: () => false, write: () => false, peek: () => undefined },
      context: () => this.current,
      blockBase: () => CORE_BLOCK_BYTES,
      decode: () => {},
      markStale: () => {},
      finding: () => {},
      time: () => 0,
    });
    this.contexts = [0, 1, 2].map((asid) => {
      const r = range({ vaBits: 25, base: TABLE + asid * 0x2000 });
      this.put(r.base, BigInt(r.base + 0x1000) | 3n);
      return context({ asid, ranges: [r, r] });
    });
    this.current = this.contexts[0];
  }

  put(pa: number, value: bigint): void {
    const bytes = new Uint8Array(8);
    new DataView(bytes.buffer).setBigUint64(0, value, true);
    this.memory.pokeView(pa, bytes);
  }

  /** Every fifth page is global in all address spaces: a page that is both would be two entries for one address. */
  map(asid: number, n: number, frame: number): void {
    this.put(TABLE + asid * 0x2000 + 0x1000 + n * 8, page(BigInt(PAGES + frame * 4096), n % 5 === 0 ? 0n : NG));
  }

  select(asid: number): void {
    this.current = this.contexts[asid];
    this.memory.selectContext(0, [asid]);
    this.ofSlot.set(this.u32[(CORE_BLOCK_BYTES + coreLayout.contextSlot[0]) >> 2], this.current);
  }

  check(what: string): void {
    const wrong = this.memory.checkSubset((core, slot, hi, lo) => {
      const va = (BigInt(hi) << 32n) | BigInt(lo);
      const entry = this.mmu.peekEntry(core, this.ofSlot.get(slot)!, va);
      return entry === undefined ? -1 : Number(entry.pa + (va & ((1n << BigInt(entry.pageLog2)) - 1n)));
    });
    assert.deepEqual(wrong, [], what);
  }
}

const selector = (asid: number, va: number): [number, number] => [asid << 16, va >>> 12];

test('random accesses, remapping, TLBI and context changes keep line tables within the TLB', () => {
  const random = new SeededRandom(new Uint32Array(1));
  random.seed(5);
  const below = (n: number): number => random.next() % n;
  const whole = new Whole();
  for (const asid of [0, 1, 2]) for (let n = 0; n < PAGE_COUNT; n++) whole.map(asid, n, below(PAGE_COUNT));
  whole.select(0);
  const names = ['VMALLE1', 'VAE1', 'ASIDE1', 'VAAE1', 'VALE1', 'VMALLE1IS', 'ALLE1'];
  let entries = 0;
  for (let step = 0; step < 3000; step++) {
    const va = (below(PAGE_COUNT) << 12) + (below(4) << 6);
    const what = below(40);
    if (what < 2) whole.select(below(3));
    else if (what < 4) whole.map(below(3), below(PAGE_COUNT), below(PAGE_COUNT));
    else if (what < 6) {
      const row = operationByName(`TLBI ${names[below(names.length)]}`)!;
      const [hi, lo] = selector(below(3), va);
      whole.mmu.tlbi(0, row, hi, lo, whole.current);
    } else if (what < 12) whole.memory.fetch(0, 0, va, true);
    else if (what < 25) whole.memory.load(0, 0, va, 2);
    else whole.memory.store(0, 0, va, 2);
    entries += whole.mmu.peekTlb(0).length;
    if (step % 5 === 0) whole.check(`step ${step}`);
  }
  assert.ok(entries / 3000 > 4, 'the TLB was in use');
  whole.check('end');
});

test('a TLB entry that stays keeps serving what it maps, whatever the tables say', () => {
  const whole = new Whole();
  whole.select(1);
  whole.map(1, 3, 0);
  assert.equal(whole.memory.load(0, 0, 0x3000, 2), 0);
  whole.map(1, 3, 1);
  whole.check('stale, and consistent');
  const entry = whole.mmu.peekEntry(0, whole.current, 0x3010n);
  assert.equal(entry?.pa, BigInt(PAGES));
  whole.mmu.tlbi(0, operationByName('TLBI VAE1')!, ...selector(1, 0x3000), whole.current);
  assert.equal(whole.mmu.peekEntry(0, whole.current, 0x3010n), undefined);
  whole.check('gone');
  assert.equal(whole.memory.load(0, 0, 0x3000, 2), 0);
  assert.equal(whole.mmu.peekEntry(0, whole.current, 0x3010n)?.pa, BigInt(PAGES + 4096));
});
