/** Pages that misses need not have translated again: what is kept, for whom, and what ends it; in generated code as well. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MemoryType } from '../../../src/memory/types';
import { Bench, memoryConfig, RAM } from './harness';

const A = RAM + 0x1040;
const TLB = 3;

/** Accesses that reach the slow path: each to a line that was not there. */
class Pages {
  readonly b: Bench;
  private next = 0;
  constructor(generated: boolean, over: Parameters<typeof memoryConfig>[0] = {}) {
    this.b = new Bench(memoryConfig(over), generated);
    this.b.translator.tlbIndex = TLB;
  }
  /** Whether an access to another line of the page asked the translator. */
  asks(write: boolean, page = A & -4096, core = 0, desc = 2, hi = 0): boolean {
    const before = this.b.translator.log.length;
    this.b.slow(core, page + (this.next++ % 60) * 64, desc, write, hi);
    return this.b.translator.log.length > before;
  }
}

for (const generated of [false, true]) {
  const where = generated ? ' (generated)' : '';
  test(`a second miss in a page is not translated again, loads and stores each for themselves${where}`, () => {
    const p = new Pages(generated);
    assert.deepEqual([p.asks(false), p.asks(false)], [true, false]);
    assert.deepEqual([p.asks(true), p.asks(true), p.asks(false)], [true, false, false]);
    assert.equal(p.asks(false, A & -4096, 1), true);
    assert.equal(p.asks(false, A & -4096, 0, 2, 1), true);
    assert.deepEqual(p.b.memory.checkSubset(), []);
  });

  test(`unprivileged, ordered and exclusive accesses always ask${where}`, () => {
    const p = new Pages(generated);
    p.asks(false);
    for (const desc of [8, 16, 32, 64]) assert.equal(p.asks(false, A & -4096, 0, 2 | desc), true);
  });

  test(`a translation that no TLB entry stands behind is not kept, nor memory that is not Write-Back RAM${where}`, () => {
    const p = new Pages(generated);
    p.b.translator.tlbIndex = -1;
    assert.deepEqual([p.asks(false), p.asks(false)], [true, true]);
    p.b.translator.tlbIndex = TLB;
    p.b.translator.type = MemoryType.NormalWT;
    assert.deepEqual([p.asks(false), p.asks(false)], [true, true]);
    p.b.translator.type = MemoryType.NormalWB;
    assert.deepEqual([p.asks(false, 0x1000), p.asks(false, 0x1000)], [true, true]);
    const end = new Pages(generated, { regions: [{ kind: 'ram', base: RAM, size: 0x1800 }] });
    end.b.load(0, RAM + 0x1000);
    end.b.load(0, RAM + 0x1040);
    assert.equal(end.b.translator.log.length, 2);
  });

  test(`the end of the TLB entry ends it, that of another one does not${where}`, () => {
    for (const pageLog2 of [12, 16, 21, 64]) {
      const p = new Pages(generated);
      p.asks(false);
      p.b.memory.dropTranslations(0, 0, A, pageLog2, TLB + 1);
      assert.equal(p.asks(false), false);
      p.b.memory.dropTranslations(0, 0, A, pageLog2, TLB);
      assert.equal(p.asks(false), true, `2^${pageLog2} bytes`);
    }
    // The page is known from a unit that gets no entry; that of another unit goes with the TLB entry all the same.
    const p = new Pages(generated);
    p.b.memory.setWatchGranules(new Set([A]));
    p.b.slow(0, A, 2, false);
    p.b.slow(0, A + 64, 2, false);
    assert.notEqual(p.b.fast(0, 'loadTable', A + 64), 0);
    p.b.memory.dropTranslations(0, 0, A, 12, TLB);
    assert.equal(p.b.fast(0, 'loadTable', A + 64), 0);
  });

  test(`contexts do not see the pages of others, and a context that gets a used slot sees none${where}`, () => {
    const p = new Pages(generated);
    p.asks(false);
    p.b.memory.selectContext(0, [1]);
    assert.equal(p.asks(false), true);
    p.b.memory.selectContext(0, [0]);
    assert.equal(p.asks(false), true); // one entry a page: the other context took it
    p.b.memory.selectContext(0, [1]);
    p.b.memory.selectContext(0, [0]);
    assert.equal(p.asks(false), false);
    for (let key = 2; key <= 8; key++) p.b.memory.selectContext(0, [key]);
    assert.equal(p.asks(false), true);
  });

  test(`a region that answers on the bus, and watched units, are told${where}`, () => {
    const p = new Pages(generated);
    p.asks(false);
    p.b.memory.setRegionMode(1, 'bus');
    assert.equal(p.asks(false), true);
    p.b.memory.setWatchGranules(new Set([A]));
    p.b.slow(0, A, 2, false);
    p.b.slow(0, A, 2, true);
    assert.equal(p.b.accesses.length, 2);
  });
}
