import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assign, type Environment, evaluate, scalar } from '../../../src/session/expressions/evaluate';
import { ExpressionError, parseExpression } from '../../../src/session/expressions/syntax';

const registers: Record<string, bigint> = { x0: 0n, x1: 0xffff_ffff_ffff_ffffn, w0: 0xffff_ffffn, SCTLR_EL1: 0b1101n };
const memory = new Map<string, bigint>();
const env: Environment = {
  register: (name) => {
    if (!Object.hasOwn(registers, name)) return undefined;
    const fields =
      name === 'SCTLR_EL1'
        ? [
            { name: 'M', hi: 0, lo: 0 },
            { name: 'FOO', hi: 3, lo: 2 },
          ]
        : undefined;
    const write = (value: bigint): boolean => {
      registers[name] = value;
      return true;
    };
    return { name, size: name[0] === 'w' ? 4 : 8, read: () => registers[name], write, fields };
  },
  special: (name) => (name === 'core' ? { value: 2n, size: 8, signed: false } : undefined),
  modelled: (name) => (name === '$trap' ? 'CTR_EL0' : undefined),
  isVariable: () => false,
  object: () => 'none',
  scalarOf: () => undefined,
  pointer: () => undefined,
  symbol: (name) => (name === 'main' ? 0x4000n : undefined),
  memory: (core, space, address, size) => {
    if (address >= 0x1_0000n) return undefined;
    const bytes = new Uint8Array(size);
    bytes[0] = Number(address & 255n) ^ (space === 'pa' ? 0x80 : 0) ^ (core ?? 0);
    return bytes;
  },
  writeMemory: (_core, space, address, bytes) => {
    memory.set(`${space}:${address}`, BigInt(bytes[0]));
    return true;
  },
};
const value = (text: string): bigint => scalar(parseExpression(text), env).value;
const fails = (text: string, message: RegExp): void =>
  assert.throws(
    () => value(text),
    (error: unknown) => error instanceof ExpressionError && message.test(error.message),
    text,
  );

test('C’s operators with C’s precedence', () => {
  const cases: [string, bigint][] = [
    ['1 + 2 * 3', 7n],
    ['(1 + 2) * 3', 9n],
    ['7 - 2 - 1', 4n],
    ['1 << 2 + 1', 8n],
    ['0xf0 | 0x0f & 0x3', 0xf3n],
    ['6 ^ 3 & 1', 7n],
    ['1 == 1 && 2 > 3', 0n],
    ['0 || 5', 1n],
    ['!0 + ~0', 0n],
    ['-5 / 2', -2n],
    ['-5 % 3', -2n],
    ['0b101 + 1_000', 1005n],
    ["'A' + '\\n'", 75n],
    ['x0 ? 1 / 0 : 1 ? 7 : 8', 7n],
    ['(1 ? 2 : 3) + 1', 3n],
  ];
  for (const [text, expected] of cases) assert.equal(value(text), expected, text);
});

test('widths and signs: registers are unsigned, literals take the other side’s width', () => {
  assert.equal(value('x1 == -1'), 1n);
  assert.equal(value('w0 == -1'), 1n);
  assert.equal(value('x1 > 5'), 1n);
  assert.equal(value('x0 - 1'), 0xffff_ffff_ffff_ffffn);
  assert.equal(value('w0 + 1'), 0n);
  assert.equal(value('w0 == 0x1ffffffff'), 0n);
  assert.equal(value('w0 + 0x100000000'), 0x1_ffff_ffffn);
  assert.equal(value('-1 < 0'), 1n);
});

test('registers, fields, symbols, the debugger’s own values', () => {
  assert.equal(value('SCTLR_EL1.M'), 1n);
  assert.equal(value('SCTLR_EL1.foo + $SCTLR_EL1.M'), 4n);
  assert.equal(value('main + 4'), 0x4004n);
  assert.equal(value('$core * 10'), 20n);
  fails('SCTLR_EL1.BAR', /no field/);
  fails('core', /not known/);
  fails('main.x', /type of "main"/);
});

test('memory by space and size', () => {
  assert.equal(value('va:0x12'), 0x12n);
  assert.equal(value('pa:0x12.b'), 0x92n);
  assert.equal(value('core1/icache:(main + 1).w'), 0n);
  assert.equal(value('pa:main'), 0x80n);
  fails('va:0x10000', /cannot be read/);
  fails('va:0x12.q', /size \.b/);
});

test('mistakes are told in one line', () => {
  for (const text of ['', '1 +', '(1', '1)', '#', 'x0.', "'ab'", '1 / 0', '1 << 64', 'va:', '0x'])
    fails(text, /^[^\n]+$/);
  fails(`${'('.repeat(500)}1${')'.repeat(500)}`, /nested too deeply/);
  fails('-'.repeat(500) + '1', /nested too deeply/);
  fails('99999999999999999999', /more than 64 bits/);
});

test('assignment to registers, fields and memory', () => {
  const set = (text: string, to: bigint): string | undefined => {
    const result = evaluate(parseExpression(text), env);
    return result.kind === 'object' ? 'an object' : assign(result, to, env);
  };
  assert.equal(set('SCTLR_EL1.FOO', 2n), undefined);
  assert.equal(registers.SCTLR_EL1, 0b1001n);
  assert.match(set('SCTLR_EL1.M', 2n) ?? '', /one bit/);
  assert.match(set('w0', 1n << 40n) ?? '', /32 bits/);
  assert.equal(set('w0', -1n), undefined);
  assert.equal(registers.w0, 0xffff_ffffn);
  assert.equal(set('pa:0x30.b', 0x1ffn), undefined);
  assert.equal(memory.get('pa:48'), 0xffn);
  assert.match(set('main', 1n) ?? '', /value/);
});
