import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { UserError, type UserErrorCode } from '../../../src/base/errors';
import { choiceOption, helpText, numberOption, parseOptions, runOptions, typedBytes } from '../../../src/cli/options';

const parse = (...args: string[]) => parseOptions(args, runOptions);
const throwsCode = (body: () => unknown, code: UserErrorCode): void =>
  assert.throws(body, (error: unknown) => error instanceof UserError && error.code === code);

test('values, switches, operands, in order', () => {
  const options = parse(
    'a.elf',
    '--cpus',
    '2',
    '--all',
    '--memory=1G',
    '--expect',
    'x',
    '--send=y',
    '--expect=z',
    '--send',
    '',
  );
  assert.deepEqual(options.positional, ['a.elf']);
  assert.deepEqual(options.values, { cpus: ['2'], all: [''], memory: ['1G'], expect: ['x', 'z'], send: ['y', ''] });
  assert.deepEqual(
    options.sequence.map(({ name }) => name),
    ['cpus', 'all', 'memory', 'expect', 'send', 'expect', 'send'],
  );
  assert.deepEqual(parse('--append', '--quiet').values, { append: ['--quiet'] }, 'a value may look like an option');
  assert.deepEqual(parse('--append=a=b').values, { append: ['a=b'] });
});

test('after -- everything is an operand', () => assert.deepEqual(parse('--', '--all', 'x').positional, ['--all', 'x']));

test('what cannot be understood is refused', () => {
  throwsCode(() => parse('--frobnicate'), 'cli.option');
  throwsCode(() => parse('--toString'), 'cli.option');
  throwsCode(() => parse('-x'), 'cli.option');
  throwsCode(() => parse('--cpus'), 'cli.value');
  throwsCode(() => parse('--all=yes'), 'cli.switch');
  throwsCode(() => parse('--cpus', '1', '--cpus=2'), 'cli.twice');
  throwsCode(() => parse('--constructor', '1'), 'cli.option');
});

describe('numbers', () => {
  const number = (text: string): number | undefined => numberOption(parse('--cpus', text), 'cpus', 1, 8);
  test('within bounds, decimal or hexadecimal', () => {
    assert.deepEqual(['1', '8', '0x4'].map(number), [1, 8, 4]);
    assert.equal(numberOption(parse(), 'cpus', 1, 8), undefined);
  });
  for (const text of ['0', '9', '', '-1', '1.5', '1e0', 'two', '0x', ' 1'])
    test(`"${text}" is refused`, () => throwsCode(() => number(text), 'cli.number'));
});

test('choices', () => {
  const choice = (text: string) => choiceOption(parse('--check', text), 'check', ['actual', 'off']);
  assert.equal(choice('off'), 'off');
  throwsCode(() => choice('on'), 'cli.choice');
});

test('typed text', () => {
  const text = (s: string): string => Buffer.from(typedBytes(s)).toString('latin1');
  assert.equal(text('a\\nb\\r\\t\\\\n'), 'a\nb\r\t\\n');
  assert.equal(text('\\x1b[A\\x00\\xfF'), '\x1b[A\0\xff');
  assert.equal(text('\\q\\x1\\'), '\\q\\x1\\', 'anything else stands for itself');
  assert.deepEqual([...typedBytes('ä')], [0xc3, 0xa4]);
});

test('help has a line for each option', () => {
  const lines = helpText(runOptions).split('\n');
  assert.equal(lines.length, runOptions.length);
  for (const [i, { name, doc }] of runOptions.entries()) {
    assert.ok(lines[i].startsWith(`  --${name}`) && lines[i].endsWith(doc), lines[i]);
  }
  const column = lines.map((line) => line.length - runOptions[lines.indexOf(line)].doc.length);
  assert.equal(new Set(column).size, 1, 'aligned');
});
