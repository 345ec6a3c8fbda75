/** The instruction table: sound as it stands, and each rule of its validator seen to fail. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type InstructionRow,
  instructionRows,
  isNarrower,
  type Pattern,
  parsePattern,
  patternsOverlap,
  validateInstructionRows,
} from '../../src/arch/instructions';
import { matches } from '../../src/isa/pattern';

const good: InstructionRow = {
  id: 'GOOD',
  section: 'GOOD',
  pattern: 'sf 0000000000000000000000000 a Rd:5',
  effect: 'none',
  asm: 'good <Rd>',
  status: 'done',
};

const onlyProblem = (rows: readonly InstructionRow[], problem: RegExp): void => {
  const problems = validateInstructionRows(rows);
  assert.equal(problems.length, 1, `expected one problem, got: ${problems.join('; ') || 'none'}`);
  assert.match(problems[0], problem);
};

const parsed = (text: string): Pattern => {
  const pattern = parsePattern(text);
  assert.ok(typeof pattern !== 'string', String(pattern));
  return pattern;
};

test('the table obeys every rule', () => {
  assert.deepEqual(validateInstructionRows(instructionRows), []);
});

test('the fixture itself is sound', () => assert.deepEqual(validateInstructionRows([good]), []));

const fixtures: readonly (readonly [string, Partial<InstructionRow>, RegExp])[] = [
  ['too few bits', { pattern: '0000 Rd:5' }, /9 bits instead of 32/],
  ['too many bits', { pattern: `${good.pattern} 0` }, /more than 32 bits/],
  ['a bad token', { pattern: '00x0 Rd:5' }, /bad token "00x0"/],
  ['a field twice', { pattern: 'sf 0000000000000000000000000 sf Rd:5' }, /field sf occurs twice/],
  ['a bad id', { id: 'good row' }, /id is not a name/],
  ['a static that is no field', { statics: ['size'] }, /static size is not a field/],
  ['an sp field that is no register', { sp: ['a'] }, /sp field a is not a register field/],
  ['an sp field that is no field', { sp: ['Rn'] }, /sp field Rn is not a register field/],
  ['over naming no row', { over: ['NONE'] }, /over names NONE/],
  ['a width for no field', { width: { Rt: 'w' } }, /width is given for Rt/],
  ['a width rule without its field', { width: 'size' }, /width rule size needs a field size/],
  ['a choice by no field', { asm: 'g{L:a|b} <Rd>' }, /chooses by L/],
  ['a choice with too few texts', { asm: 'g{sf:a} <Rd>' }, /choice \{sf\} has 1 texts/],
  ['a register that is no field', { asm: 'good <Rm>' }, /prints Rm/],
  ['such a register in an alias', { aliases: [{ when: () => true, asm: 'good <Rm:w>' }] }, /prints Rm/],
  ['an empty section', { section: ' ' }, /section is empty/],
  ['a done row without text', { asm: '' }, /needs a template/],
  ['an unimplemented row without a note', { status: 'unimplemented' }, /needs a note/],
];

for (const [name, change, problem] of fixtures) {
  test(`refused: ${name}`, () => onlyProblem([{ ...good, ...change }], problem));
}

const narrow: InstructionRow = { ...good, id: 'NARROW', pattern: 'sf 0000000000000000000000000 1 Rd:5' };

test('refused: the same id twice', () => {
  onlyProblem(
    [good, { ...narrow, id: 'GOOD', pattern: `1${'0'.repeat(26)} Rd:5`.replace('10', '11') }],
    /id occurs twice/,
  );
});

test('refused: overlapping patterns', () => onlyProblem([good, narrow], /pattern overlaps NARROW/));

test('accepted: a narrower row that says so, in either order', () => {
  const over = { ...narrow, over: ['GOOD'] };
  assert.deepEqual(validateInstructionRows([good, over]), []);
  assert.deepEqual(validateInstructionRows([over, good]), []);
});

test('refused: the wider row claims to win', () => {
  onlyProblem([{ ...good, over: ['NARROW'] }, narrow], /GOOD: is not narrower than NARROW/);
  onlyProblem([narrow, { ...good, over: ['NARROW'] }], /GOOD: is not narrower than NARROW/);
});

test('refused: over between disjoint rows', () => {
  const elsewhere = { ...narrow, pattern: 'sf 1000000000000000000000000 1 Rd:5', over: ['GOOD'] };
  onlyProblem([good, elsewhere], /patterns are disjoint/);
});

test('patterns become masks, values and field positions', () => {
  const p = parsed('sf 0 0 100010 sh imm12:12 Rn:5 Rd:5');
  assert.equal(p.mask, 0x7f800000);
  assert.equal(p.value, 0x11000000);
  assert.deepEqual(p.fields.slice(0, 3), [
    { name: 'sf', lsb: 31, width: 1 },
    { name: 'sh', lsb: 22, width: 1 },
    { name: 'imm12', lsb: 10, width: 12 },
  ]);
});

test('overlap and narrowness', () => {
  const wide = parsed(`1 a ${'0'.repeat(30)}`);
  const inside = parsed(`11 ${'0'.repeat(30)}`);
  const crossing = parsed(`b 1 ${'0'.repeat(30)}`);
  const apart = parsed(`0 a ${'0'.repeat(30)}`);
  assert.ok(patternsOverlap(wide, inside) && patternsOverlap(wide, crossing) && !patternsOverlap(wide, apart));
  assert.ok(isNarrower(inside, wide) && !isNarrower(wide, inside) && !isNarrower(crossing, wide));
  assert.ok(!isNarrower(wide, wide));
});

test('a field that is not zero leaves the words with zero to other rows', () => {
  const shift = parsed('0 Q 0 011110 immh:4!0 immb:3 000001 Rn:5 Rd:5');
  const immediate = parsed('0 Q op 0111100000 abc:3 cmode:4 01 defgh:5 Rd:5');
  const crossing = parsed('0 Q op 0111100 i:3 abc:3 cmode:4 01 defgh:5 Rd:5');
  const free = parsed('0 Q 0 011110 immh:4 immb:3 000001 Rn:5 Rd:5');
  assert.ok(!patternsOverlap(shift, immediate) && !patternsOverlap(immediate, shift));
  assert.ok(patternsOverlap(shift, crossing) && patternsOverlap(shift, free) && patternsOverlap(immediate, free));
  assert.ok(isNarrower(shift, free) && !isNarrower(free, shift) && !isNarrower(shift, shift));
  const above = parsed('0 Q 0 011110 1 immh:3 immb:3 000001 Rn:5 Rd:5');
  assert.ok(isNarrower(above, shift) && !isNarrower(shift, above));
  assert.ok(matches(shift, 0x0f080400) && !matches(shift, 0x0f000400));
});

test('every row of Armv8.0 executes, every extension is named', () => {
  for (const row of instructionRows) {
    assert.ok(row.status === 'done' || row.feature !== undefined, `${row.id}: ${row.status}`);
  }
});
