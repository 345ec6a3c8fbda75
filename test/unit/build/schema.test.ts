/** The schema of machine files says what their parser takes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { machineSchema, type Schema } from '../../../src/build/schema';
import { machineFields, parseMachineFile } from '../../../src/machine/machineFile';

const schema = machineSchema() as Schema;
const field = (...names: string[]): Schema => {
  let at: Schema | undefined = schema;
  for (const name of names) at = name === '[]' ? at?.items : at?.properties?.[name];
  assert.ok(at, names.join('.'));
  return at;
};

test('every field of a machine file is there, and nothing else', () => {
  assert.deepEqual(Object.keys(schema.properties ?? {}), ['$schema', ...Object.keys(machineFields)]);
  assert.equal(schema.additionalProperties, false);
  assert.equal(field('cores', '[]').additionalProperties, false);
});

test('types, bounds and choices are the parser’s', () => {
  assert.deepEqual(field('cores', '[]', 'l1i', 'lineBytes').enum, [16, 32, 64, 128, 256]);
  assert.deepEqual(field('cores', '[]', 'l1i', 'policy').enum, ['PIPT', 'VIPT', 'VPIPT']);
  assert.deepEqual(field('cores', '[]', 'l2').type, ['object', 'null']);
  assert.deepEqual([field('el').minimum, field('el').maximum], [1, 3]);
  assert.ok(field('cores', '[]', 'l1d', 'sets').enum?.every((sets) => Number.isInteger(Math.log2(Number(sets)))));
});

test('the values that the schema allows are taken by the parser', () => {
  const text = (body: object): string => JSON.stringify(body);
  for (const bytes of field('cores', '[]', 'l1i', 'lineBytes').enum ?? []) {
    const { cores } = parseMachineFile(text({ cores: [{ l1i: { lineBytes: bytes } }] }), 'm.elscope.json');
    assert.equal(cores[0].l1i.lineBytes, bytes);
  }
  for (const name of field('preset').enum ?? []) parseMachineFile(text({ preset: name }), 'm.elscope.json');
  for (const size of ['512M', '1G', '0x40000000']) {
    assert.match(size, new RegExp(field('memory').pattern ?? '^$'));
    parseMachineFile(text({ memory: size }), 'm.elscope.json');
  }
});
