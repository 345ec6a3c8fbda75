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
import { block, context, NG, page, range, stage2 } from './rig';

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
      walkWrite: (core, pa, cacheable, hi, lo) => late.memory!.walkWrite(core, pa, cacheable, hi, lo),
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
    this.ofSlot.set(this.slot(), this.current);
  }
  /** The current context slot. */
  slot(): number {
    return this.u32[(CORE_BLOCK_BYTES + coreLayout.contextSlot[0]) >> 2];
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

// ---- two guests behind stage 2, each with its stage 1 on and off ----

const GUESTS = RAM + 0x2_8000;
const GUEST_BYTES = 0x6000;
/** Of one guest: the stage 2 tables of levels 1, 2 and 3, and its stage 1 tables of levels 2 and 3. */
const guestTables = (vmid: number) => {
  const base = GUESTS + vmid * GUEST_BYTES;
  return { first: base, second: base + 0x1000, third: base + 0x2000, stage1: base + 0x3000, leaves: base + 0x4000 };
};

class Guests extends Whole {
  readonly guests: TranslationContext[];

  constructor() {
    super();
    this.guests = [1, 2].flatMap((vmid) => {
      const t = guestTables(vmid);
      this.put(t.first, BigInt(t.second) | 3n);
      this.put(t.first + 8, block(BigInt(RAM), 3n << 6n) | (15n << 2n));
      this.put(t.second, BigInt(t.third) | 3n);
      this.put(t.stage1, BigInt(t.leaves) | 3n);
      const r = range({ vaBits: 25, base: t.stage1 });
      const s2 = stage2({ base: t.first, ipaBits: 31 });
      const own = context({ vmid, s2, ranges: [r, r], asid: 3 });
      return [own, { ...own, mmu: false, hcrDC: true }];
    });
  }
  /** A page of the guest's own map, VA to IPA. */
  map1(vmid: number, n: number, to: number): void {
    this.put(guestTables(vmid).leaves + n * 8, page(BigInt(to * 4096), NG));
  }
  /** A page of the hypervisor's map, IPA to PA. */
  map2(vmid: number, n: number, frame: number): void {
    this.put(guestTables(vmid).third + n * 8, page(BigInt(PAGES + frame * 4096), 3n << 6n) | (15n << 2n));
  }
  enter(n: number): void {
    this.current = this.guests[n];
    this.memory.selectContext(0, [100 + n]);
    this.ofSlot.set(this.slot(), this.current);
  }
}

/** Runs `steps` random events on two guests; `check` follows each. */
function guestsAtRandom(seed: number, steps: number, check: (whole: Guests, step: number) => void): Guests {
  const random = new SeededRandom(new Uint32Array(1));
  random.seed(seed);
  const below = (n: number): number => random.next() % n;
  const whole = new Guests();
  for (const vmid of [1, 2])
    for (let n = 0; n < PAGE_COUNT; n++) {
      whole.map1(vmid, n, below(PAGE_COUNT));
      whole.map2(vmid, n, below(PAGE_COUNT));
    }
  whole.enter(0);
  const names = ['VMALLE1', 'VAE1', 'ASIDE1', 'VMALLS12E1IS', 'IPAS2E1IS', 'IPAS2LE1', 'ALLE1', 'RIPAS2E1', 'RVAAE1'];
  for (let step = 0; step < steps; step++) {
    const va = (below(PAGE_COUNT) << 12) + (below(4) << 6);
    const what = below(40);
    if (what < 3) whole.enter(below(4));
    else if (what < 5) whole.map1(1 + below(2), below(PAGE_COUNT), below(PAGE_COUNT));
    else if (what < 7) whole.map2(1 + below(2), below(PAGE_COUNT), below(PAGE_COUNT));
    else if (what < 9) {
      const row = operationByName(`TLBI ${names[below(names.length)]}`)!;
      const [hi, lo] = row.operand === 'range' ? [(3 << 16) | (1 << 14) | (below(4) << 7), va >>> 12] : selector(3, va);
      whole.mmu.tlbi(0, row, hi, lo, whole.current);
    } else if (what < 14) whole.memory.fetch(0, 0, va, true);
    else if (what < 26) whole.memory.load(0, 0, va, 2);
    else whole.memory.store(0, 0, va, 2);
    check(whole, step);
  }
  return whole;
}

test('with stage 2 and VMIDs line tables stay within the TLB', () => {
  let both = 0;
  let alone = 0;
  guestsAtRandom(7, 3000, (whole, step) => {
    for (const { regime } of whole.mmu.peekTlb(0)) regime === 'EL1&0' ? both++ : alone++;
    if (step % 5 === 0) whole.check(`step ${step}`);
  });
  assert.ok(both > 3000 && alone > 3000, 'both kinds of entries were in use');
});

test('an omitted removal at the end of a TLB entry is found with stage 2, too', () => {
  assert.throws(() => {
    guestsAtRandom(7, 3000, (whole, step) => {
      if (step === 0) whole.memory.omit = 'tlb';
      whole.check(`step ${step}`);
    });
  }, /no TLB entry|another address/);
});
