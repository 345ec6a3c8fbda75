import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MemoryType } from '../../../src/memory/types';
import { Bench, coreConfig, MMIO, memoryConfig, RAM } from './harness';

const X = 32;
const A = RAM + 0x40;

function loadExclusive(b: Bench, core: number, va: number): number {
  assert.equal(b.memory.load(core, 0, va, 2 | X), 0);
  return b.value(core);
}
function storeExclusive(b: Bench, core: number, va: number, word: number): number {
  b.setValue(core, word, 0);
  assert.equal(b.memory.store(core, 0, va, 2 | X), 0);
  return b.memory.exclusiveStatus;
}

test('load and store exclusive succeed once', () => {
  const b = new Bench();
  loadExclusive(b, 0, A);
  assert.equal(storeExclusive(b, 0, A, 5), 0);
  assert.equal(b.load(0, A), 5);
  assert.equal(storeExclusive(b, 0, A, 6), 1);
  assert.equal(b.load(0, A), 5);
});

test('what clears a monitor and what does not', () => {
  const table: [string, (b: Bench) => void, number][] = [
    ['nothing', () => {}, 0],
    ['own store to the granule', (b) => b.store(0, A + 8, 1), 0],
    ["another's load", (b) => void b.load(1, A), 0],
    ["another's store elsewhere", (b) => b.store(1, A + 0x400, 1), 0],
    ["another's store to the granule", (b) => b.store(1, A + 60, 1), 1],
    ["another's non-cacheable store", (b) => b.store(1, A, 1, MemoryType.NormalNC), 1],
    ["another's DC ZVA", (b) => void b.op(1, 'ZVA', A), 1],
    ['DMA', (b) => b.dma(A, 1), 1],
    ['CLREX', (b) => b.memory.clearExclusive(0), 1],
    ['a load exclusive elsewhere', (b) => void loadExclusive(b, 0, A + 0x400), 1],
    ["another's exclusive pair", (b) => void [loadExclusive(b, 1, A), storeExclusive(b, 1, A, 3)], 1],
  ];
  for (const [name, between, status] of table) {
    const b = new Bench();
    loadExclusive(b, 0, A);
    between(b);
    assert.equal(storeExclusive(b, 0, A, 9), status, name);
  }
});

test("another core's fast stores are seen: its store entry goes when the monitor is armed", () => {
  const b = new Bench();
  b.store(1, A, 1);
  assert.notEqual(b.fast(1, 'storeTable', A), 0);
  loadExclusive(b, 0, A);
  assert.equal(b.fast(1, 'storeTable', A), 0);
  b.store(1, A, 2);
  assert.deepEqual(b.cleared, [0]);
  assert.equal(storeExclusive(b, 0, A, 9), 1);
  assert.equal(b.load(0, A), 2);
});

test('the granule is the largest D-line, whatever the unit', () => {
  const b = new Bench(
    memoryConfig({
      cores: [coreConfig(), coreConfig({ l1d: { sets: 4, ways: 2, lineBytes: 128, replacement: 'fifo' } })],
    }),
  );
  assert.equal(b.memory.exclusiveGranuleBytes, 128);
  b.store(1, RAM + 0x40, 1);
  loadExclusive(b, 0, RAM);
  assert.deepEqual(b.memory.checkSubset(), []);
  b.store(1, RAM + 0x40, 2);
  assert.equal(storeExclusive(b, 0, RAM, 9), 1);
});

test('exclusives want alignment and memory; a failing store exclusive does not translate', () => {
  const b = new Bench();
  assert.equal(b.memory.load(0, 0, A + 2, 2 | X), 1);
  assert.equal(b.memory.fault.kind, 'alignment');
  assert.equal(b.memory.load(0, 0, MMIO, 2 | X), 1);
  assert.equal(b.memory.fault.kind, 'unsupportedExclusive');
  b.translator.pages.set(A >>> 12, { fault: true });
  assert.equal(storeExclusive(b, 0, A, 1), 1);
});

test('a pair of 16 bytes is stored whole', () => {
  const b = new Bench();
  assert.equal(b.memory.load(0, 0, A, 4 | X), 0);
  b.setValue(0, 1, 2, 3, 4);
  assert.equal(b.memory.store(0, 0, A, 4 | X), 0);
  assert.equal(b.memory.exclusiveStatus, 0);
  assert.deepEqual([...new Uint32Array(b.memory.peekView(A, 16).buffer)], [1, 2, 3, 4]);
});
