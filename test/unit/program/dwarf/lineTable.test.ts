/** Line tables against what objdump decodes and where GDB puts breakpoints. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FunctionInfo } from '../../../../src/program/index';
import { FIXTURES, fixtureDebug, fixtureText, recording } from '../fixture';

interface GoldenRow {
  readonly file: string;
  readonly line: number;
  readonly address: bigint;
  readonly isStmt: boolean;
}

/** Sequences of `objdump --dwarf=decodedline`: rows up to the one with "-" for a line, which is the end. */
function goldenSequences(name: string): { rows: GoldenRow[]; end: bigint }[] {
  const result: { rows: GoldenRow[]; end: bigint }[] = [];
  let rows: GoldenRow[] = [];
  for (const text of fixtureText(`${name}.lines.txt`).split('\n')) {
    const match = /^(\S+)\s+(\d+|-)\s+0x([0-9a-f]+)\s*(?:\[\d+\])?\s*(?:\d+)?\s*(x?)\s*(END)?$/.exec(text);
    if (match === null) continue;
    const [, file, line, address, stmt] = match;
    if (line === '-') {
      result.push({ rows, end: BigInt(`0x${address}`) });
      rows = [];
    } else rows.push({ file, line: Number(line), address: BigInt(`0x${address}`), isStmt: stmt === 'x' });
  }
  return result;
}

for (const name of FIXTURES) {
  test(`${name}: every address has the line that objdump decodes`, () => {
    const lines = fixtureDebug(name).lines;
    const sequences = goldenSequences(name);
    assert.ok(sequences.length >= 3);
    for (const { rows, end } of sequences) {
      for (let address = rows[0].address; address < end; address += 4n) {
        const last = rows.filter((row) => row.address <= address).length - 1;
        const same = rows.filter((row) => row.address === rows[last].address);
        // The last row of an address counts, unless an earlier one is the last that starts a statement.
        const expected = same.filter((row) => row.isStmt).at(-1) ?? rows[last];
        const entry = lines.at(address);
        assert.ok(entry, `0x${address.toString(16)}`);
        assert.deepEqual(
          { file: entry.file.split('/').at(-1), line: entry.line, isStmt: entry.isStmt },
          { file: expected.file, line: expected.line, isStmt: expected.isStmt },
          `0x${address.toString(16)}`,
        );
      }
      assert.notEqual(lines.at(end)?.address, rows.at(-1)?.address, 'the end of a sequence belongs to no row');
    }
    assert.equal(lines.at(0x40100000n), undefined);
  });

  test(`${name}: breakpoints on lines go where GDB puts them`, () => {
    const { lines } = fixtureDebug(name);
    const differences: string[] = [];
    for (const [place, golden] of Object.entries(recording(name).lines)) {
      const [file, line] = place.split(':');
      const found = lines.locate(`/home/user/project/${file}`, Number(line))?.addresses ?? [];
      const text = found.map((address) => `0x${address.toString(16)}`).join(' ');
      if (text !== golden.join(' ')) differences.push(`${place}: ${text}, GDB ${golden.join(' ')}`);
    }
    assert.deepEqual(differences, []);
  });

  test(`${name}: breakpoints on functions go where GDB puts them`, () => {
    const debug = fixtureDebug(name);
    for (const [fn, golden] of Object.entries(recording(name).functions)) {
      // For inlined copies this GDB takes the first range's start, not DW_AT_entry_pc, which is where the copy is entered.
      const place = (f: FunctionInfo): bigint => (f.callSite === undefined ? debug.afterPrologue(f) : f.ranges[0].low);
      const found = debug.functionsNamed(fn).map((f) => `0x${place(f).toString(16)}`);
      assert.deepEqual(found.sort(), [...golden], fn);
    }
  });
}

test('the entry of an inlined copy is its DW_AT_entry_pc', () => {
  const copies = fixtureDebug('v5-O2')
    .functionsNamed('add')
    .filter((fn) => fn.callSite !== undefined);
  assert.equal(copies.length, 1);
  assert.equal(copies[0].entry, 0x402002acn);
  assert.deepEqual(copies[0].callSite, { file: '/src/list.c', line: 25, column: 17 });
});
