/** Names and addresses of one and of several modules. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ElfFile, SymbolTable } from '../../../src/program/index';
import { fixtureElf } from './fixture';

const elf = fixtureElf('v5-O0');
const table = new SymbolTable();
table.add({ name: 'guest', elf });
const address = (name: string): bigint => table.byName(name)[0].address;

test('by name, with file-local duplicates', () => {
  assert.deepEqual(
    table.byName('main').map(({ kind, module }) => [kind, module]),
    [['function', 'guest']],
  );
  assert.deepEqual(
    table.byName('counter').map(({ file, size }) => [file, size]),
    [
      ['tour.c', 8n],
      ['list.c', 8n],
    ],
  );
  assert.deepEqual(table.byName('nothing'), []);
  assert.deepEqual(table.byName('constructor'), []);
});

test('by address: functions, objects, labels, gaps', () => {
  const main = address('main');
  assert.equal(table.byAddress(main)?.offset, 0n);
  assert.equal(table.describe(main + 16n), 'main+0x10');
  assert.equal(table.describe(address('matrix') + 4n), 'matrix+0x4');
  // A label inside of a sized function does not hide it.
  assert.equal(table.describe(address('park')), '_start+0x14');
  // A label without a size reaches to the end of what it stands in, not into the next section.
  assert.equal(table.describe(address('table') + 7n), 'table+0x7');
  assert.equal(table.byAddress(0x3fffffffn), undefined);
  assert.equal(table.byAddress(0xffff_ffff_ffff_fff0n), undefined);
  // A constant is no address.
  assert.equal(address('limit_constant'), 0x1234n);
  assert.equal(table.byAddress(0x1234n), undefined);
});

test('every address of a function belongs to it', () => {
  for (const fn of table.functions().filter((symbol) => symbol.size > 0n)) {
    for (const offset of [0n, 4n, fn.size - 4n]) {
      const found = table.byAddress(fn.address + offset);
      assert.deepEqual([found?.address, found?.offset], [fn.address, offset], fn.name);
    }
  }
});

test('prefixes', () => {
  assert.deepEqual(table.complete('s'), ['scale', 'second', 'secret', 'stack_top', 'sum_list']);
  assert.deepEqual(table.complete('s', 2), ['scale', 'second']);
  assert.deepEqual(table.complete('zzz'), []);
});

test('symbol expressions', () => {
  const main = address('main');
  assert.deepEqual(table.resolve('main'), [main]);
  assert.deepEqual(table.resolve(' main + 0x10 '), [main + 16n]);
  assert.deepEqual(table.resolve('main-4'), [main - 4n]);
  assert.equal(table.resolve('add').length, 2);
  assert.deepEqual(table.resolve('list.c:add'), [table.byName('add')[1].address]);
  for (const text of ['', 'main+', 'main + x', '0x40', 'a b', 'main+0x', 'nothing+4'])
    assert.deepEqual(table.resolve(text), []);
});

test('code and data by mapping symbols', () => {
  assert.equal(table.isCode(address('main')), true);
  assert.equal(table.isCode(address('table')), false);
  assert.equal(table.isCode(0n), undefined);
});

test('modules with load offsets', () => {
  const both = new SymbolTable();
  const offset = 0xffff_8000_0000_0000n;
  both.add({ name: 'low', elf });
  both.add({ name: 'high', elf, loadOffset: offset });
  assert.deepEqual(
    both.byName('main').map(({ address: at, module }) => [at, module]),
    [
      [address('main'), 'low'],
      [address('main') + offset, 'high'],
    ],
  );
  assert.equal(both.byAddress(address('main') + offset + 4n)?.module, 'high');
  assert.equal(both.byAddress(address('main') + 4n)?.module, 'low');
  // Constants do not move.
  assert.deepEqual(new Set(both.resolve('limit_constant')), new Set([0x1234n]));
  assert.equal(both.isCode(address('main') + offset), true);
  // A negative offset is one modulo 2^64.
  const moved = new SymbolTable();
  moved.add({ name: 'down', elf, loadOffset: BigInt.asUintN(64, -0x200000n) });
  assert.equal(moved.byName('main')[0].address, address('main') - 0x200000n);
  assert.equal(moved.describe(address('main') - 0x200000n), 'main');
});

test('no symbol reaches beyond the end of the address space', () => {
  // As a kernel's own table has them: without sizes, the last one without an end; and moved up, as KASLR does.
  const common = { section: 1, size: 0n, kind: 'function', binding: 'global', file: undefined } as const;
  const symbols = [{ ...common, name: 'last', value: 0xffff_8000_0800_0000n }];
  const elf: ElfFile = {
    path: 'k',
    bytes: new Uint8Array(),
    segments: [],
    sections: [],
    problems: [],
    type: 'executable',
    entry: 0n,
  };
  const table = new SymbolTable();
  const marks = [{ address: 0xffff_8000_0800_0000n, code: true, section: 1 }];
  table.add({ name: 'kernel', elf, loadOffset: 0x2000_0000_0000n, symbols: { symbols, marks, problems: [] } });
  assert.equal(table.describe(0xffff_a000_0800_0010n), 'last+0x10');
  assert.equal(table.isCode(0xffff_a000_0800_0010n), true);
  assert.equal(table.describe(0x400000n), undefined, 'user space');
  assert.equal(table.isCode(0x400000n), undefined);
});
