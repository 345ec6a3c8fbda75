/** Break-before-make: which changes of a descriptor that a TLB holds are found, and which are fine. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Dir } from '../../../src/memory/shared';
import { Bench, memoryConfig, RAM } from './harness';

const TABLE = RAM + 0x800;
/** A page: valid, AttrIndx 1, AF, Inner Shareable. */
const LEAF = 0x4020_0707;
const INDEX = 3;

function bench(stage: 1 | 2 = 1): Bench {
  const b = new Bench(memoryConfig({ checker: 'actual' }));
  b.poke(TABLE, LEAF);
  b.poke(TABLE + 4, 0);
  b.setPc(0, 0x1234);
  // With a store entry: the fill has to take it away.
  b.store(0, TABLE, LEAF);
  assert.notEqual(b.fast(0, 'storeTable', TABLE), 0);
  b.memory.filled(1, INDEX, stage, TABLE, 0, LEAF);
  assert.equal(b.fast(0, 'storeTable', TABLE), 0);
  return b;
}
const kinds = (b: Bench): string[] => b.findings.map((f) => `${f.kind} by core ${f.core} at ${f.pcLo.toString(16)}`);
const FOUND = ['break-before-make by core 0 at 1234'];

for (const [name, value, found] of [
  ['another output address', LEAF + 0x1000, true],
  ['another memory type', LEAF ^ 0x4, true],
  ['a block where a page was', LEAF ^ 0x2, true],
  ['other permissions', LEAF | 0xc0, false],
  ['the access flag', LEAF & ~0x400, false],
  ['an invalid one', 0, false],
  ['the same value', LEAF, false],
] as const)
  test(name, () => {
    const b = bench();
    b.store(0, TABLE, value);
    assert.deepEqual(kinds(b), found ? FOUND : []);
  });

test('MemAttr of stage 2 has a bit more than AttrIndx', () => {
  const changed = LEAF ^ 0x20;
  const [one, two] = [bench(1), bench(2)];
  one.store(0, TABLE, changed);
  two.store(0, TABLE, changed);
  assert.deepEqual([kinds(one), kinds(two)], [[], FOUND]);
});

test('after the TLB entry has gone nothing is found, and stores are fast again', () => {
  const b = bench();
  b.store(0, TABLE, 0);
  b.memory.dropTranslations(1, 0, 0x1000, 12, INDEX);
  b.store(0, TABLE, LEAF + 0x1000);
  assert.deepEqual(kinds(b), []);
  assert.equal(b.memory.shared.directory[b.memory.shared.unitOf(b.memory.ramAddress(TABLE))] & Dir.Walk, 0);
  b.store(0, TABLE, LEAF);
  assert.notEqual(b.fast(0, 'storeTable', TABLE), 0);
});

test('the entry is told with both values and the core whose TLB holds it', () => {
  const b = bench();
  b.store(0, TABLE, LEAF + 0x1000);
  assert.equal(
    b.findings[0].detail,
    'made 0x0000000040201707 of the descriptor 0x0000000040200707, which a TLB of core 1 holds',
  );
});
