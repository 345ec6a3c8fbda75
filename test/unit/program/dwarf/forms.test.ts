/** What gcc does not write, from the hand-made `forms.elf`: indexed forms, range and location lists, MD5 sums, implicit constants. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sizeOf, spell, strip, withFrameBase } from '../../../../src/program/index';
import { fixtureDebug, registerPort } from '../fixture';

const LOAD = 0x1_0000_0000n;
const ONE = 0x40200000n + LOAD;
const debug = fixtureDebug('forms', LOAD);

test('names, folders and addresses by index', () => {
  const one = debug.functionAt(ONE);
  assert.equal(one?.name, 'one');
  assert.deepEqual(one?.ranges, [{ low: ONE, high: ONE + 24n }]);
  assert.deepEqual(one?.declared, { file: '/src/forms.c', line: 10, column: 0 });
  const two = debug.functionAt(ONE + 24n);
  assert.equal(two?.name, 'two');
  assert.deepEqual(two?.ranges, [{ low: ONE + 24n, high: ONE + 36n }]);
  assert.equal(debug.functionAt(ONE + 36n)?.name, 'three');
  assert.equal(debug.functionAt(ONE + 44n), undefined);
  assert.equal(debug.functionAt(ONE - LOAD), undefined);
  assert.deepEqual(debug.problems, []);
});

test('file tables with MD5 sums', () => {
  assert.deepEqual(debug.lines.files(), ['/src/forms.c', '/src/inc/head.h']);
  assert.deepEqual(debug.lines.at(ONE + 8n), {
    file: '/src/inc/head.h',
    line: 5,
    column: 2,
    address: ONE + 8n,
    end: ONE + 12n,
    isStmt: true,
    prologueEnd: false,
  });
  assert.equal(debug.lines.at(ONE + 12n)?.isStmt, false);
});

test('statements, prologue ends and lines of no source', () => {
  const lines = debug.lines;
  assert.deepEqual(lines.locate('/src/forms.c', 11)?.addresses, [ONE + 4n]);
  // Line 12 starts no statement: the next one that does is meant.
  assert.equal(lines.locate('/src/forms.c', 12)?.line, 13);
  // The first line of a function means the end of its prologue.
  assert.deepEqual(lines.locate('/src/forms.c', 10)?.addresses, [ONE + 4n]);
  assert.deepEqual(lines.locate('forms.c', 21), { file: '/src/forms.c', line: 22, column: 1, addresses: [ONE + 32n] });
  assert.equal(lines.locate('forms.c', 52), undefined);
  assert.equal(lines.locate('other.c', 1), undefined);
  assert.equal(lines.at(ONE + 28n)?.line, 0);
  const found = lines.breakpointLocations('inc/head.h', 1, 9);
  assert.deepEqual(found, [{ file: '/src/inc/head.h', line: 5, column: 2, addresses: [ONE + 8n] }]);
  assert.deepEqual(
    lines.breakpointLocations('forms.c', 1, 99).map((location) => location.line),
    [10, 11, 13, 20, 22, 29, 30, 31, 50, 51],
  );
});

test('paths match by what they share at their end', () => {
  assert.deepEqual(debug.lines.match('/src/inc/head.h'), ['/src/inc/head.h']);
  assert.deepEqual(debug.lines.match('C:\\work\\inc\\head.h'), ['/src/inc/head.h']);
  assert.deepEqual(debug.lines.match('/src/inc/../forms.c'), ['/src/forms.c']);
  assert.deepEqual(debug.lines.match('head.c'), []);
});

test('location lists: each kind of entry, then the default', () => {
  const registers: (number | string)[] = [];
  for (const offset of [0n, 4n, 8n, 12n, 16n]) {
    const moving = debug.functionAt(ONE)?.ranges && debug.scopesAt(ONE + offset).at(-1)?.variables[0];
    assert.equal(moving?.name, 'moving');
    const location = moving?.locate(ONE + offset, registerPort(new Map()));
    registers.push(location?.kind === 'register' ? location.register : 'none');
  }
  assert.deepEqual(registers, [0, 0, 1, 2, 3]);
});

test('range lists: a block that is not contiguous', () => {
  const covered = [0n, 4n, 8n, 12n, 16n, 20n].map((offset) => debug.scopesAt(ONE + offset)[0].kind);
  assert.deepEqual(covered, ['function', 'block', 'block', 'function', 'block', 'block']);
  const inner = debug.scopesAt(ONE + 20n)[0].variables[0];
  assert.deepEqual(inner.locate(ONE + 20n, registerPort(new Map())), {
    kind: 'value',
    bytes: Uint8Array.of(4, 0, 0, 0, 0, 0, 0, 0),
  });
});

test('frame base in a register, implicit constants', () => {
  const one = debug.functionAt(ONE);
  assert.ok(one);
  const port = withFrameBase(registerPort(new Map([[31, 0x1000n]])), one, ONE);
  const [, framed, constant] = debug.scopesAt(ONE)[0].variables;
  assert.deepEqual(framed.locate(ONE, port), { kind: 'address', address: 0x100cn });
  assert.deepEqual(constant.locate(ONE, port), { kind: 'value', bytes: Uint8Array.of(0xf9, 0xff, 0xff, 0xff) });
  const lost = withFrameBase(registerPort(new Map()), one, ONE);
  assert.deepEqual(framed.locate(ONE, lost), { kind: 'unavailable', reason: 'the frame base is not known' });
});

test('globals, also in a namespace and with an indirect form', () => {
  const [cell] = debug.globalsNamed('cell');
  assert.equal(cell.external, true);
  assert.equal(spell(cell.type), 'long');
  assert.deepEqual(cell.locate(0n, registerPort(new Map())), { kind: 'address', address: 0x40201000n + LOAD });
  assert.deepEqual(
    debug.fileGlobals(ONE).map((variable) => variable.name),
    ['cell', 'record'],
  );
});

test('bit fields that count from the top of their storage', () => {
  const type = debug.typeNamed('struct old');
  assert.ok(type);
  const plain = strip(type);
  assert.equal(sizeOf(plain), 4);
  assert.ok(plain.kind === 'record');
  assert.deepEqual(
    plain.members.map((member) => [member.name, member.offset, member.bits]),
    [
      ['first', 0, undefined],
      ['low', 2, { offset: 0, size: 4 }],
      ['high', 2, { offset: 4, size: 12 }],
    ],
  );
});

test('types by their names, however the words stand', () => {
  for (const name of ['long', 'long int', 'unsigned short', 'short unsigned int'])
    assert.ok(debug.typeNamed(name), name);
  assert.equal(debug.typeNamed('struct cell'), undefined);
  assert.equal(debug.typeNamed('float'), undefined);
});

test('two lines at the start of a function mean that it has no prologue', () => {
  const [three] = debug.functionsNamed('three');
  assert.equal(debug.afterPrologue(three), ONE + 36n);
  assert.deepEqual(debug.lines.locate('forms.c', 30)?.addresses, [ONE + 36n]);
});

test('rows after a long stretch of code', () => {
  assert.deepEqual(debug.lines.locate('forms.c', 51)?.addresses, [ONE + 64n]);
  assert.deepEqual(debug.lines.rangeAt(ONE + 52n), { low: ONE + 44n, high: ONE + 64n });
});

test('code that the linker dropped is nowhere', () => {
  assert.deepEqual(debug.functionsNamed('dead'), []);
  assert.equal(debug.lines.locate('forms.c', 40)?.line, 50);
  assert.equal(debug.lines.at(LOAD), undefined);
  assert.equal(debug.functionAt(LOAD), undefined);
});
