/** What atomic and ordered accesses ask of the memory system: permission to read and write, alignment, FEAT_LSE2. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Desc } from '../../../src/memory/dataAccess';
import { Bench, coreConfig, memoryConfig, RAM } from './harness';

const A = RAM + 0x40;
const PAGE = RAM >>> 12;
const DOUBLEWORD = 3;
const PAIR = 4;

test('the load of an atomic access needs write permission; it reports a write only where a read would do', () => {
  const b = new Bench();
  const fault = (page: object): unknown => {
    b.translator.pages.set(PAGE, page);
    const failed = b.memory.load(0, 0, A, DOUBLEWORD | Desc.ForWrite);
    return failed === 0 ? 'none' : [b.memory.fault.kind, b.memory.fault.write];
  };
  assert.deepEqual(fault({}), 'none');
  assert.deepEqual(fault({ readOnly: true }), ['permission', true]);
  assert.deepEqual(fault({ fault: true }), ['translation', false]);
  assert.equal(b.memory.load(0, 0, A, DOUBLEWORD), 1);
  b.translator.pages.set(PAGE, { readOnly: true });
  assert.equal(b.memory.load(0, 0, A, DOUBLEWORD), 0, 'a plain load does not write');
});

test("an atomic access clears the monitors of other cores, not the core's own", () => {
  const b = new Bench();
  for (const core of [0, 1]) assert.equal(b.memory.load(core, 0, A, 2 | Desc.Exclusive), 0);
  assert.equal(b.memory.load(1, 0, A, 2 | Desc.ForWrite), 0);
  b.setValue(1, 7, 0);
  assert.equal(b.memory.store(1, 0, A, 2), 0);
  assert.deepEqual(b.cleared, [0]);
  b.setValue(0, 1, 0);
  b.memory.store(0, 0, A, 2 | Desc.Exclusive);
  assert.equal(b.memory.exclusiveStatus, 1);
  assert.equal(b.load(0, A), 7);
});

/** AArch64.UnalignedAccessFaults() by what the access is, its offset in 16 bytes, FEAT_LSE2, SCTLR.nAA and SCTLR.A. */
const rows: readonly [
  what: number,
  size: number,
  offset: number,
  lse2: boolean,
  nAA: boolean,
  a: boolean,
  fine: boolean,
][] = [
  [0, DOUBLEWORD, 1, false, false, false, true],
  [0, DOUBLEWORD, 1, true, true, true, false],
  [Desc.Ordered, DOUBLEWORD, 4, false, false, false, false],
  [Desc.Ordered, DOUBLEWORD, 4, true, false, false, true],
  [Desc.Ordered, DOUBLEWORD, 4, true, false, true, false],
  [Desc.Ordered, DOUBLEWORD, 9, true, false, false, false],
  [Desc.Ordered, DOUBLEWORD, 9, true, true, false, true],
  [Desc.Ordered, DOUBLEWORD, 9, false, true, false, false],
  [Desc.ForWrite, DOUBLEWORD, 3, false, true, false, false],
  [Desc.ForWrite, DOUBLEWORD, 3, true, false, false, true],
  [Desc.ForWrite, DOUBLEWORD, 9, true, true, false, false],
  [Desc.ForWrite, PAIR, 8, true, true, false, false],
  [Desc.Exclusive, DOUBLEWORD, 3, false, false, false, false],
  [Desc.Exclusive, DOUBLEWORD, 3, true, false, false, true],
  [Desc.Exclusive, DOUBLEWORD, 9, true, true, false, false],
  [Desc.Exclusive, PAIR, 8, true, true, false, false],
];

for (const [what, size, offset, lse2, nAA, a, fine] of rows)
  test(`access ${what} of ${1 << size} bytes at ${offset}, LSE2 ${lse2}, nAA ${nAA}, A ${a}: ${fine ? 'fine' : 'faults'}`, () => {
    const b = new Bench(memoryConfig({ cores: [coreConfig({ lse2 }), coreConfig()] }));
    b.contexts[0].nAA = nAA;
    b.contexts[0].alignmentCheck = a;
    assert.equal(b.memory.load(0, 0, A + offset, size | what), fine ? 0 : 1);
    if (!fine) assert.deepEqual([b.memory.fault.kind, b.memory.faultLo], ['alignment', A + offset]);
  });
