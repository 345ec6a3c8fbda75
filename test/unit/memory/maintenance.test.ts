/** Scope, operands, permissions and faults of DC and IC (FIDELITY B3, B4), set/way on the real geometry. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Access } from '../../../src/memory/translator';
import { MemoryType } from '../../../src/memory/types';
import { Bench, coreConfig, MMIO, memoryConfig, type OpName, RAM } from './harness';

const A = RAM + 0x40;

test('which permission each operation asks for', () => {
  const table: [OpName, number, Access][] = [
    ['IVAC', 1, Access.Write],
    ['CVAC', 1, Access.Maintenance],
    ['CVAU', 1, Access.Maintenance],
    ['CIVAC', 1, Access.Maintenance],
    ['CVAC', 0, Access.Read],
    ['CVAU', 0, Access.Read],
    ['CVAP', 0, Access.Read],
    ['CIVAC', 0, Access.Read],
    ['IVAU', 1, Access.Maintenance],
    ['IVAU', 0, Access.Maintenance],
    ['ZVA', 0, Access.Write],
  ];
  for (const [name, el, access] of table) {
    const b = new Bench();
    assert.equal(b.op(0, name, A, el), 0);
    assert.deepEqual(b.translator.log, [access], `${name} at EL${el}`);
  }
});

test('a fault of an operation by VA says so, and set/way and IALLU translate nothing', () => {
  for (const name of ['IVAC', 'CVAC', 'CVAU', 'CIVAC', 'IVAU'] as const) {
    const b = new Bench();
    b.translator.pages.set(A >>> 12, { fault: true });
    assert.equal(b.op(0, name, A + 4), 1);
    const { kind, cacheMaintenance, write } = b.memory.fault;
    assert.deepEqual([kind, cacheMaintenance, write, b.memory.faultLo], ['translation', true, true, A + 4]);
  }
  const b = new Bench();
  for (const name of ['ISW', 'CSW', 'CISW', 'IALLU', 'IALLUIS'] as const) assert.equal(b.op(0, name, A), 0);
  assert.deepEqual(b.translator.log, []);
});

test('DC ZVA is a store: its fault is no maintenance fault', () => {
  const b = new Bench();
  b.translator.pages.set(A >>> 12, { fault: true });
  assert.equal(b.op(0, 'ZVA', A + 4), 1);
  assert.deepEqual([b.memory.fault.cacheMaintenance, b.memory.fault.write, b.memory.faultLo], [false, true, A + 4]);
});

test('operations by VA act whatever the memory type, and do nothing where there is no memory', () => {
  const b = new Bench();
  b.store(0, A, 2);
  b.typed(MemoryType.NormalNC, () => b.op(1, 'CVAC', A));
  assert.equal(b.versions(A).C, 2);
  for (const name of ['IVAC', 'CVAC', 'CVAU', 'CIVAC', 'IVAU'] as const) assert.equal(b.op(0, name, MMIO), 0);
});

test('by VA reaches all caches of the domain, set/way those of this core only', () => {
  for (const [name, operand, expected] of [
    ['CVAU', A, 2],
    ['CSW', 1 << 6, 0],
  ] as const) {
    const b = new Bench(memoryConfig({ cores: [coreConfig(), coreConfig()] }));
    b.store(1, A, 2);
    for (const way of [0, 1]) b.op(0, name, (operand | (name === 'CSW' ? way << 31 : 0)) >>> 0);
    assert.equal(b.versions(A).P, expected, name);
  }
});

test('set/way: level, set and way stand where the geometry puts them', () => {
  // 3 ways need 2 bits at the top; 8 sets of 128-byte lines: set at bit 7.
  const l1d = { sets: 8, ways: 3, lineBytes: 128, replacement: 'fifo' } as const;
  const l2 = [{ sets: 16, ways: 4, lineBytes: 64, replacement: 'fifo' }] as const;
  const at = RAM + 5 * 128;
  const make = (): Bench => {
    const b = new Bench(memoryConfig({ cores: [coreConfig({ l1d })], l2 }));
    b.load(0, at + 8 * 128);
    b.store(0, at, 2); // way 1 of set 5
    return b;
  };
  const sw = (level: number, set: number, log2: number, way: number, bits: number): number =>
    ((way << (32 - bits)) | (set << log2) | ((level - 1) << 1)) >>> 0;
  const cleanedBy = (operand: number): boolean => {
    const b = make();
    b.op(0, 'CSW', operand);
    return b.versions(at).P === 2;
  };
  assert.equal(cleanedBy(sw(1, 5, 7, 1, 2)), true);
  assert.equal(cleanedBy(sw(1, 5, 7, 0, 2)), false);
  assert.equal(cleanedBy(sw(1, 4, 7, 1, 2)), false);
  assert.equal(cleanedBy(sw(2, 5, 7, 1, 2)), false);
  assert.equal(cleanedBy(sw(1, 5, 7, 3, 2)), false); // no such way
  const b = make();
  b.op(0, 'CSW', sw(1, 5, 7, 1, 2));
  const way = b.memory.cacheLines(0, 2, 'U').find((l) => l.valid && l.pa === at)!;
  b.op(0, 'CSW', sw(2, way.set, 6, way.way, 2));
  assert.equal(b.versions(at).C, 2);
  b.op(0, 'ISW', sw(3, 0, 6, 0, 2)); // no such level
});

test('set/way invalidation loses dirty data, clean and invalidate keeps it', () => {
  for (const [name, view] of [
    ['ISW', 0],
    ['CISW', 2],
  ] as const) {
    const b = new Bench();
    b.store(0, A, 2);
    for (const way of [0, 1]) b.op(0, name, ((way << 31) | (1 << 6)) >>> 0);
    assert.equal(b.versions(A).V, view);
    assert.equal(b.memory.lineState(A)!.copies.find((c) => c.where === 'L1D core0')!.present, false);
  }
});

test('penalties: each miss, operation and responding core by the cost table', () => {
  const cost = { ...memoryConfig().cost, perCore: 7 };
  const b = new Bench(memoryConfig({ cost }));
  b.load(0, A);
  assert.equal(b.penalty(0), 110);
  b.load(0, A);
  assert.equal(b.penalty(0), 110);
  b.run(0, A);
  assert.equal(b.penalty(0), 111);
  b.op(0, 'CVAU', A);
  assert.equal(b.penalty(0), 1118);
  b.op(0, 'IALLU', 0);
  assert.equal(b.penalty(0), 2118);
  b.op(0, 'IALLUIS', 0);
  assert.equal(b.penalty(0), 3125);
  b.load(0, MMIO);
  assert.equal(b.penalty(0), 13125);
  assert.equal(b.penalty(1), 0);
});

test('hits are accesses minus misses; lines that an access crosses and DC ZVA count', () => {
  const b = new Bench();
  b.load(0, RAM);
  b.load(0, RAM + 4);
  assert.equal(b.memory.load(0, 0, RAM + 62, 2), 0); // second half misses
  b.load(0, MMIO);
  b.run(0, RAM + 0x100);
  const s = b.memory.statistics(0, 4, 1);
  assert.deepEqual(s.l1d, { hits: 2, misses: 2 });
  assert.deepEqual(s.l2, { hits: 0, misses: 3 });
  assert.deepEqual(s.l1i, { hits: 0, misses: 1 });
  assert.equal(s.counters.deviceAccesses, 1);
  assert.equal(s.counters.secondAccesses, 1);
});
