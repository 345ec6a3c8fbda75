/** SIMD&FP registers by name, by element and as floats. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { floatToText, textToFloat } from '../../../src/session/floatText';
import type { Frame } from '../../../src/session/frames';
import { vectorNamed } from '../../../src/session/vectorRegisters';

const registers = new Array<bigint>(32).fill(0n);
const core = {
  v: (n: number) => registers[n],
  setV: (n: number, value: bigint) => {
    registers[n] = value;
  },
} as never;
const innermost = { live: true } as Frame;

test('names and elements', () => {
  registers[7] = 0x0123456789abcdef_fedcba9876543210n;
  const read = (name: string, part = ''): bigint | undefined => {
    const access = vectorNamed(core, innermost, name);
    return (part === '' ? access : access?.part?.(part))?.read();
  };
  assert.equal(read('v7'), registers[7]);
  assert.equal(read('q7'), registers[7]);
  assert.equal(read('d7'), 0xfedcba9876543210n);
  assert.equal(read('s7'), 0x76543210n);
  assert.equal(read('h7'), 0x3210n);
  assert.equal(read('b7'), 0x10n);
  assert.equal(read('v7', '.d[1]'), 0x0123456789abcdefn);
  assert.equal(read('v7', '.S[2]'), 0x89abcdefn);
  assert.equal(read('v7', '.h[7]'), 0x0123n);
  assert.equal(read('v7', '.b[15]'), 0x01n);
  assert.equal(read('v7', '.d[2]'), undefined);
  assert.equal(read('v7', '.q[0]'), undefined);
  for (const name of ['v32', 'v', 'x7', 'd07', 'z7']) assert.equal(vectorNamed(core, innermost, name), undefined, name);
});

test('a write leaves the other elements, and outer frames know nothing', () => {
  registers[3] = (1n << 128n) - 1n;
  assert.ok(vectorNamed(core, innermost, 'v3')?.part?.('.h[2]')?.write?.(0x1234n));
  assert.equal(registers[3], 0xffffffffffffffff_ffff1234ffffffffn);
  const outer = vectorNamed(core, { live: false } as Frame, 'v3');
  assert.equal(outer?.read(), undefined);
  assert.equal(outer?.write, undefined);
});

test('floats as text and back', () => {
  const rows: readonly [bytes: number, bits: bigint, text: string][] = [
    [8, 0x3ff8000000000000n, '1.5'],
    [8, 0x8000000000000000n, '-0'],
    [8, 0x7ff0000000000000n, 'inf'],
    [8, 1n, '5e-324'],
    [4, 0x40490fdbn, '3.1415927'],
    [4, 0x3dcccccdn, '0.1'],
    [4, 0xff800000n, '-inf'],
    [2, 0x3c00n, '1'],
    [2, 0x0001n, `${2 ** -24}`],
    [2, 0x03ffn, `${1023 * 2 ** -24}`],
    [2, 0x7bffn, '65504'],
    [2, 0xfc00n, '-inf'],
    [2, 0x8000n, '-0'],
  ];
  for (const [bytes, bits, text] of rows) {
    assert.equal(floatToText(bits, bytes), text);
    assert.equal(textToFloat(text, bytes), bits, text);
  }
  assert.equal(floatToText(0x7f800001n, 4), 'nan (0x7f800001)');
  assert.equal(textToFloat('nan', 8), 0x7ff8000000000000n);
  assert.equal(textToFloat('2049', 2), 0x6800n, 'ties to even');
  assert.equal(textToFloat('2051', 2), 0x6802n);
  assert.equal(textToFloat('65519', 2), 0x7bffn);
  assert.equal(textToFloat('65520', 2), 0x7c00n);
  assert.equal(textToFloat('0x10', 8), undefined, 'digits are bits');
  assert.equal(textToFloat('x0', 4), undefined);
});
