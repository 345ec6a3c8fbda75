import assert from 'node:assert/strict';
import { test } from 'node:test';
import { count, listOf, maybe, object, oneOf, text, workerRequests } from '../../../src/protocol';

const shape = object({
  name: text,
  size: maybe(count),
  kind: oneOf('I', 'D'),
  list: maybe(listOf(object({ n: count }))),
});

test('a value of the shape passes, further fields and null for what may be missing included', () => {
  assert.equal(shape.check({ name: 'x', kind: 'D', size: null, other: 1 }, ''), undefined);
  assert.equal(shape.check({ name: '', kind: 'I', size: 0, list: [{ n: 1 }] }, ''), undefined);
});

test('the first wrong place is named', () => {
  assert.equal(shape.check(undefined, ''), 'the arguments must be an object');
  assert.equal(shape.check([], ''), 'the arguments must be an object');
  assert.equal(shape.check({ kind: 'I' }, ''), 'name must be a string');
  assert.equal(shape.check({ name: 'x', kind: 'U' }, ''), 'kind must be one of I, D');
  assert.equal(shape.check({ name: 'x', kind: 'I', size: -1 }, ''), 'size must be a whole number of at least 0');
  assert.equal(shape.check({ name: 'x', kind: 'I', size: 0.5 }, ''), 'size must be a whole number of at least 0');
  assert.equal(
    shape.check({ name: 'x', kind: 'I', list: [{ n: 1 }, {}] }, ''),
    'list[1].n must be a whole number of at least 0',
  );
});

test('every custom request is documented', () => {
  for (const [name, row] of Object.entries(workerRequests)) {
    if (name.startsWith('elscope/')) assert.ok(row.doc.endsWith('.'), name);
  }
});

test('a shape says its form as TypeScript does', () => {
  assert.equal(shape.form, "{ name: string, size?: number, kind: 'I' | 'D', list?: { n: number }[] }");
  assert.equal(listOf(oneOf('I', 'D')).form, "('I' | 'D')[]");
});
