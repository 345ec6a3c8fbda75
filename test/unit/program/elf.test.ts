/** ELF files as they are, and each way in which they can be wrong. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UserError } from '../../../src/base/errors';
import { loadSegments, physicalEntry, readElf, readSymbols, sectionNamed } from '../../../src/program/index';
import { fixtureBytes, fixtureElf } from './fixture';

const bytes = fixtureBytes('v5-O0.elf');

/** A copy with some bytes changed: [offset, size, value]. */
function changed(...edits: readonly (readonly [offset: number, size: 1 | 2 | 4 | 8, value: bigint])[]): Uint8Array {
  const copy = bytes.slice();
  const view = new DataView(copy.buffer);
  for (const [offset, size, value] of edits) {
    if (size === 8) view.setBigUint64(offset, value, true);
    else if (size === 4) view.setUint32(offset, Number(value), true);
    else if (size === 2) view.setUint16(offset, Number(value), true);
    else view.setUint8(offset, Number(value));
  }
  return copy;
}

/** First and second program header of the fixture, by field. */
const PHDR = { offset: 8, vaddr: 16, paddr: 24, fileSize: 32, memSize: 40 };
const first = (field: number): number => 64 + field;
const second = (field: number): number => 64 + 56 + field;

const code = (body: () => unknown): string => {
  try {
    body();
  } catch (error) {
    if (error instanceof UserError) {
      assert.ok(!error.message.includes('\n') && !error.message.includes('{'), error.message);
      return error.code;
    }
    throw error;
  }
  return 'none';
};
const load = (image: Uint8Array): unknown => loadSegments(readElf(image, 'program'));

test('headers, segments and sections of a linked program', () => {
  const elf = fixtureElf('v5-O0');
  assert.equal(elf.type, 'executable');
  assert.equal(elf.entry, 0x40200000n);
  assert.equal(physicalEntry(elf), 0x40200000);
  const segments = loadSegments(elf);
  assert.deepEqual(
    segments.map((s) => [s.address, s.memSize > s.data.length, s.flags]),
    [
      [0x40200000, false, { read: true, write: false, execute: true }],
      [0x40201000, true, { read: true, write: true, execute: false }],
    ],
  );
  assert.equal(sectionNamed(elf, '.text')?.address, 0x40200000n);
  assert.deepEqual(elf.problems, []);
  // adrp x1, stack_top: the first instruction of the program.
  const word = new DataView(segments[0].data.buffer, segments[0].data.byteOffset).getUint32(0, true);
  assert.equal((word & 0x9f00001f) >>> 0, 0x90000001);
});

const wrong: readonly (readonly [name: string, image: Uint8Array, code: string])[] = [
  ['no ELF', changed([0, 4, 0n]), 'elf.notElf'],
  ['nothing', new Uint8Array(0), 'elf.notElf'],
  ['32-bit', changed([4, 1, 1n]), 'elf.class'],
  ['big endian', changed([5, 1, 2n]), 'elf.endian'],
  ['x86-64', changed([18, 2, 62n]), 'elf.machine'],
  ['an object file', changed([16, 2, 1n]), 'elf.notLinked'],
  ['cut in its header', bytes.slice(0, 40), 'elf.truncated'],
  ['cut before its section headers', bytes.slice(0, 0x1100), 'elf.truncated'],
  ['program headers outside', changed([32, 8, BigInt(bytes.length)]), 'elf.truncated'],
  ['program headers of another size', changed([54, 2, 32n]), 'elf.malformed'],
  ['section headers of another size', changed([58, 2, 40n]), 'elf.malformed'],
  ['an offset beyond all numbers', changed([32, 8, 0xffff_ffff_ffff_ffffn]), 'elf.malformed'],
  ['a segment outside of the file', changed([first(PHDR.offset), 8, BigInt(bytes.length)]), 'elf.truncated'],
  ['more file than memory', changed([first(PHDR.memSize), 8, 1n]), 'elf.malformed'],
  ['a segment of 1 TiB', changed([second(PHDR.memSize), 8, 1n << 40n]), 'elf.oversized'],
  ['an address above 48 bits', changed([first(PHDR.paddr), 8, 1n << 50n]), 'elf.address'],
  ['segments that overlap', changed([second(PHDR.paddr), 8, 0x40200010n]), 'elf.overlap'],
  ['nothing to load', changed([64, 4, 4n], [64 + 56, 4, 4n]), 'elf.nothingToLoad'],
];

for (const [name, image, expected] of wrong) {
  test(`refused: ${name}`, () =>
    assert.equal(
      code(() => load(image)),
      expected,
    ));
}

test('the entry moves with its segment when virtual and physical addresses differ', () => {
  const high = 0xffff_8000_0020_0000n;
  const elf = readElf(changed([24, 8, high + 0x10n], [first(PHDR.vaddr), 8, high]), 'program');
  assert.equal(elf.entry, high + 0x10n);
  assert.equal(physicalEntry(elf), 0x40200010);
});

test('a section outside of the file is left out and told', () => {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const shoff = Number(view.getBigUint64(40, true));
  const elf = readElf(changed([shoff + 64 * 2 + 32, 8, 1n << 40n]), 'program');
  assert.equal(elf.problems.length, 1);
  assert.match(elf.problems[0], /section 2 .*outside of the file/);
});

test('counts that do not fit the header are taken from section 0', () => {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const shoff = Number(view.getBigUint64(40, true));
  const sections = view.getUint16(60, true);
  const image = changed([60, 2, 0n], [shoff + 32, 8, BigInt(sections)], [56, 2, 0xffffn], [shoff + 44, 4, 2n]);
  const elf = readElf(image, 'program');
  assert.equal(elf.sections.length, sections);
  assert.equal(elf.segments.length, 2);
});

test('symbols, with mapping symbols apart', () => {
  const { symbols, marks, problems } = readSymbols(fixtureElf('v5-O0'));
  assert.deepEqual(problems, []);
  const find = (name: string) => symbols.filter((symbol) => symbol.name === name);
  assert.deepEqual(
    find('main').map(({ kind, binding, file }) => [kind, binding, file]),
    [['function', 'global', undefined]],
  );
  assert.deepEqual(
    find('add').map(({ kind, binding, file }) => [kind, binding, file]),
    [
      ['function', 'local', 'tour.c'],
      ['function', 'local', 'list.c'],
    ],
  );
  assert.equal(find('limit_constant')[0].section, -1);
  assert.equal(find('_start')[0].size, 28n);
  assert.ok(!symbols.some((symbol) => symbol.name.startsWith('$')));
  assert.ok(marks.some((mark) => mark.code && mark.address === 0x40200000n));
  assert.ok(marks.some((mark) => !mark.code));
});

test('a program without symbols has none', () => {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const shoff = Number(view.getBigUint64(40, true));
  const stripped = changed([40, 8, 0n], [60, 2, 0n], [62, 2, 0n]);
  assert.ok(shoff > 0);
  assert.deepEqual(readSymbols(readElf(stripped, 'program')), { symbols: [], marks: [], problems: [] });
});
