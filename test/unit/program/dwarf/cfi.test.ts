/** Unwind rows against `readelf --debug-dump=frames-interp`. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RegisterRule, UnwindRow } from '../../../../src/program/index';
import { FIXTURES, fixtureDebug, fixtureText } from '../fixture';

interface GoldenRow {
  readonly low: bigint;
  readonly high: bigint;
  readonly cfa: string;
  readonly registers: Readonly<Record<string, string>>;
  readonly source: string;
}

/** Rows of every FDE: "LOC CFA x29 ra" headings name the columns. */
function goldenRows(name: string): GoldenRow[] {
  const result: GoldenRow[] = [];
  let source = '';
  let end: bigint | undefined;
  let columns: string[] = [];
  let rows: Omit<GoldenRow, 'high'>[] = [];
  const finish = (): void => {
    rows.forEach((row, i) => {
      const high = rows[i + 1]?.low ?? (end as bigint);
      if (row.low < high) result.push({ ...row, high });
    });
    rows = [];
  };
  for (const line of fixtureText(`${name}.frames.txt`).split('\n')) {
    const section = /^Contents of the (\S+) section/.exec(line);
    const fde = / FDE .*pc=[0-9a-f]+\.\.([0-9a-f]+)/.exec(line);
    const words = line.trim().split(/\s+/);
    if (section !== null) source = section[1];
    else if (/ CIE /.test(line) || fde !== null) {
      finish();
      end = fde === null ? undefined : BigInt(`0x${fde[1]}`);
    } else if (words[0] === 'LOC') columns = words.slice(2);
    else if (end !== undefined && /^[0-9a-f]{16}$/.test(words[0])) {
      const registers = Object.fromEntries(columns.map((column, i) => [column, words[i + 2]]));
      rows.push({ low: BigInt(`0x${words[0]}`), cfa: words[1], registers, source });
    }
  }
  finish();
  return result;
}

function ruleText(rule: RegisterRule | undefined): string {
  if (rule === undefined || rule.kind === 'undefined') return 'u';
  if (rule.kind === 'offset') return `c${rule.offset < 0 ? '' : '+'}${rule.offset}`;
  return rule.kind;
}

function cfaText(row: UnwindRow): string {
  if (row.cfa.kind !== 'register') return 'exp';
  return `${row.cfa.register === 31 ? 'sp' : `x${row.cfa.register}`}+${row.cfa.offset}`;
}

for (const name of FIXTURES) {
  test(`${name}: unwind rows are those that readelf decodes`, () => {
    const debug = fixtureDebug(name);
    const rows = goldenRows(name);
    assert.ok(rows.length > 10);
    for (const golden of rows) {
      for (const pc of [golden.low, golden.high - 4n]) {
        const row = debug.unwindRow(pc);
        assert.ok(row, `0x${pc.toString(16)}`);
        const registers = Object.fromEntries(
          Object.keys(golden.registers).map((column) => {
            const number = column === 'ra' ? row.returnRegister : Number(column.slice(1));
            return [column, ruleText(row.registers.get(number))];
          }),
        );
        assert.deepEqual(
          { cfa: cfaText(row), registers, source: row.source },
          { cfa: golden.cfa, registers: golden.registers, source: golden.source },
        );
        assert.ok(row.low <= pc && pc < row.high);
      }
    }
    assert.deepEqual(debug.problems, []);
  });
}

test('code without unwind information has no row', () => {
  assert.equal(fixtureDebug('v5-O0').unwindRow(0x40200000n), undefined);
});

test('the return address is signed between PACIASP and AUTIASP', () => {
  const debug = fixtureDebug('v4-O2');
  const main = debug.functionsNamed('main')[0];
  assert.equal(debug.unwindRow(main.entry)?.signedReturn, false);
  assert.equal(debug.unwindRow(main.entry + 4n)?.signedReturn, true);
  assert.equal(debug.unwindRow(main.ranges[0].high - 4n)?.signedReturn, false);
});

test('rows move with the load offset', () => {
  const offset = 0xffff_8000_0000_0000n;
  for (const name of ['v5-O0', 'v4-O0']) {
    const debug = fixtureDebug(name, offset);
    const fn = debug.functionsNamed('fill')[0];
    assert.ok(fn.entry > offset);
    const row = debug.unwindRow(fn.entry + 8n);
    assert.deepEqual(row?.cfa, { kind: 'register', register: 31, offset: 32 });
    assert.equal(debug.lines.at(fn.entry)?.line, 46);
  }
});
