/** Break-before-make: which changes of a descriptor that a TLB holds are found, and which are fine. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Dir } from '../../../src/memory/shared';
import { leaf, leaf2, OTHER_LEVEL3, TableBench } from './tableBench';

const FOUND = ['break-before-make by core 0 at 1000'];
const LEAF = leaf(0);

/** Core 1's TLB holds page 0. */
function bench(): TableBench {
  const b = new TableBench();
  b.read(1, 0);
  return b;
}

for (const [name, value, found] of [
  ['another output address', leaf(1), true],
  ['another memory type', LEAF ^ 0x4n, true],
  ['other permissions', LEAF | 0xc0n, false],
  ['the access flag', LEAF & ~0x400n, false],
  ['an invalid one', 0n, false],
  ['the same value', LEAF, false],
] as const)
  test(name, () => {
    const b = bench();
    b.store(0, b.entry(0), value);
    assert.deepEqual(b.found, found ? FOUND : []);
  });

for (const [name, value] of [
  ['another table', BigInt(OTHER_LEVEL3) | 3n],
  ['a block where a table was', LEAF & ~0x2n],
] as const)
  test(name, () => {
    const b = bench();
    b.store(0, b.table, value);
    assert.deepEqual(b.found, FOUND);
    assert.match(b.findings[0].detail ?? '', /of the table descriptor 0x0000000040001003, which a TLB of core 1 holds/);
  });

test('MemAttr of stage 2 has a bit more than AttrIndx', () => {
  const [one, two] = [new TableBench(), new TableBench().withStage2()];
  for (const b of [one, two]) b.read(1, 0);
  one.store(0, one.entry(0), LEAF ^ 0x20n);
  assert.deepEqual(one.found, []);
  two.map(0, leaf(0) + 0x4000_0000n - 0x1_0000n);
  two.tlbi(0, 'VMALLS12E1IS');
  two.read(1, 0);
  two.store(0, two.entry2(0), leaf2(0) ^ 0x20n);
  assert.deepEqual(two.found, FOUND);
});

test('an invalid entry in between is not enough: the TLBI is missing', () => {
  const b = bench();
  b.store(0, b.entry(0), 0n);
  assert.deepEqual(b.found, []);
  b.store(0, b.entry(0), leaf(1));
  assert.deepEqual(b.found, FOUND);
  assert.deepEqual(b.findings[0].missing, ['TLBI', 'DSB ISH']);
});

test('without an invalid entry all steps are missing', () => {
  const b = bench();
  b.store(0, b.entry(0), leaf(1));
  assert.deepEqual(b.findings[0].missing, ['an invalid entry', 'DSB ISHST', 'TLBI', 'DSB ISH']);
});

test('after the TLB entry has gone nothing is found, and stores are fast again', () => {
  const b = bench();
  const isMarked = (pa: number): boolean => {
    const { shared } = b.memory;
    return (shared.directory[shared.unitOf(b.memory.ramAddress(pa))] & Dir.Walk) !== 0;
  };
  b.store(0, b.entry(0), LEAF);
  assert.ok(isMarked(b.entry(0)) && isMarked(b.table), 'table descriptors are watched too');
  const fast = (): string => b.access(0, b.entry(0) - 0x4000_0000, 1);
  assert.equal(fast(), 'ok');
  assert.equal(fast(), 'ok', 'no store entry while a TLB holds a descriptor of the line');
  b.store(0, b.entry(0), 0n);
  b.tlbi(0, 'VAE1IS');
  b.store(0, b.entry(0), leaf(1));
  assert.deepEqual(b.found, []);
  assert.ok(!isMarked(b.entry(0)));
  b.store(0, b.entry(0), LEAF);
  assert.equal(fast(), 'fast');
});

test('the entry is told with both values and the core whose TLB holds it', () => {
  const b = bench();
  b.store(0, b.entry(0), leaf(1));
  assert.equal(
    b.findings[0].detail,
    'made 0x0000000040011f1b of the descriptor 0x0000000040010f1b, which a TLB of core 1 holds',
  );
  assert.equal(b.findings[0].pa, b.entry(0));
});
