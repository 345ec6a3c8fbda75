/** Hand vectors for DWARF expressions: operation by operation, and the ways in which they can be wrong. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type EvaluationPort, evaluateLocation, type Location } from '../../../../src/program/index';

const registers = new Map<number, bigint>([
  [0, 0x1000n],
  [29, 0x7fffn],
  [31, 0x8000n],
]);

const port: EvaluationPort = {
  register: (n) => registers.get(n),
  memory: (address, size) =>
    address < 0x10000n ? Uint8Array.from({ length: size }, (_, i) => (Number(address) + i) & 0xff) : undefined,
  cfa: () => 0x9000n,
  frameBase: () => 0xa000n,
  tls: (offset) => 0x5000n + offset,
  entryValue: (expression) => (expression[0] === 0x50 ? 77n : undefined),
};

const run = (...bytes: number[]): Location => evaluateLocation(Uint8Array.from(bytes), port);
const address = (value: bigint): Location => ({ kind: 'address', address: BigInt.asUintN(64, value) });

const addresses: readonly (readonly [name: string, bytes: readonly number[], expected: bigint])[] = [
  ['addr', [0x03, 0x78, 0x56, 0x34, 0x12, 0, 0, 0, 0], 0x12345678n],
  ['lit31', [0x4f], 31n],
  ['const1u', [0x08, 0xff], 255n],
  ['const1s', [0x09, 0xff], -1n],
  ['const2u', [0x0a, 0x34, 0x12], 0x1234n],
  ['const2s', [0x0b, 0xfe, 0xff], -2n],
  ['const4u', [0x0c, 0xff, 0xff, 0xff, 0xff], 0xffffffffn],
  ['const4s', [0x0d, 0xff, 0xff, 0xff, 0xff], -1n],
  ['const8u', [0x0e, 1, 0, 0, 0, 0, 0, 0, 0x80], 0x8000000000000001n],
  ['constu', [0x10, 0xe5, 0x8e, 0x26], 624485n],
  ['consts', [0x11, 0x80, 0x7f], -128n],
  ['breg0', [0x70, 0x10], 0x1010n],
  ['breg31 with a negative offset', [0x8f, 0x78], 0x7ff8n],
  ['bregx', [0x92, 29, 0x01], 0x8000n],
  ['fbreg', [0x91, 0x68], 0x9fe8n],
  ['call_frame_cfa', [0x9c], 0x9000n],
  ['deref', [0x0a, 0x00, 0x10, 0x06], 0x0706050403020100n],
  ['deref_size 2', [0x0a, 0x04, 0x10, 0x94, 2], 0x0504n],
  ['dup and plus', [0x33, 0x12, 0x22], 6n],
  ['over', [0x31, 0x32, 0x14, 0x1c], 1n],
  ['pick 2', [0x31, 0x32, 0x33, 0x15, 2], 1n],
  ['swap and minus', [0x31, 0x35, 0x16, 0x1c], 4n],
  ['rot', [0x31, 0x32, 0x33, 0x17, 0x1c], 1n - 2n + 0n],
  ['abs', [0x09, 0xf0, 0x19], 16n],
  ['neg', [0x35, 0x1f], -5n],
  ['not', [0x30, 0x20], -1n],
  ['and, or, xor', [0x3f, 0x33, 0x1a, 0x38, 0x21, 0x31, 0x27], 10n],
  ['div is signed', [0x09, 0xf9, 0x32, 0x1b], -3n],
  ['mod is unsigned', [0x08, 17, 0x35, 0x1d], 2n],
  ['mul', [0x08, 200, 0x08, 200, 0x1e], 40000n],
  ['shl', [0x31, 0x4f, 0x24], 1n << 31n],
  ['shl by 64 and more', [0x31, 0x08, 64, 0x24], 0n],
  ['shr', [0x09, 0xff, 0x08, 60, 0x25], 15n],
  ['shra', [0x09, 0x80, 0x34, 0x26], -8n],
  ['plus_uconst', [0x31, 0x23, 0x80, 0x01], 129n],
  ['comparisons are signed', [0x09, 0xff, 0x31, 0x2d], 1n],
  ['eq', [0x35, 0x35, 0x29], 1n],
  ['bra taken', [0x31, 0x28, 1, 0, 0x45, 0x46], 22n],
  ['bra not taken', [0x30, 0x28, 1, 0, 0x45], 21n],
  ['skip', [0x2f, 1, 0, 0x45, 0x46], 22n],
  ['entry_value of a register', [0xa3, 1, 0x50], 77n],
  ['GNU entry_value', [0xf3, 1, 0x50], 77n],
  ['form_tls_address', [0x38, 0x9b], 0x5008n],
  ['nop', [0x31, 0x96], 1n],
];

for (const [name, bytes, expected] of addresses) {
  test(`DW_OP ${name}`, () => assert.deepEqual(run(...bytes), address(expected)));
}

test('registers, values and pieces', () => {
  assert.deepEqual(run(0x50), { kind: 'register', register: 0 });
  assert.deepEqual(run(0x90, 64), { kind: 'register', register: 64 });
  assert.deepEqual(run(0x35, 0x9f), { kind: 'value', bytes: Uint8Array.of(5, 0, 0, 0, 0, 0, 0, 0) });
  assert.deepEqual(run(0x9e, 2, 7, 8), { kind: 'value', bytes: Uint8Array.of(7, 8) });
  assert.deepEqual(run(0x50, 0x93, 4, 0x93, 4, 0x9c, 0x9d, 8, 3), {
    kind: 'pieces',
    pieces: [
      { location: { kind: 'register', register: 0 }, bitSize: 32, bitOffset: 0 },
      { location: { kind: 'unavailable', reason: 'optimized out' }, bitSize: 32, bitOffset: 0 },
      { location: address(0x9000n), bitSize: 8, bitOffset: 3 },
    ],
  });
});

const reasons: readonly (readonly [name: string, bytes: readonly number[], reason: RegExp])[] = [
  ['nothing', [], /^optimized out$/],
  ['a register that the frame lost', [0x75, 0], /needs X5, which is not known in this frame/],
  ['memory that is not mapped', [0x0c, 0, 0, 0, 0x80, 0x06], /cannot read memory at 0x80000000/],
  ['a value known at entry only', [0xa3, 1, 0x51], /only its value at function entry was known/],
  ['a pointer to nothing', [0xa0, 1, 0, 0, 0, 0], /optimized out/],
  ['an unknown operation', [0xe1], /operation 0xe1/],
  ['an empty stack', [0x22], /stack is empty/],
  ['division by zero', [0x31, 0x30, 0x1b], /division by zero/],
  ['cut off operands', [0x0c, 1, 2], /data ends/],
  ['a jump out of the expression', [0x2f, 0x7f, 0], /outside/],
  ['an endless loop', [0x2f, 0xfd, 0xff], /too long/],
  ['a growing stack', [0x31, 0x2f, 0xfc, 0xff], /too deep/],
  ['an operation after a register', [0x50, 0x12], /after a location/],
  ['an index without a unit', [0xa1, 0], /without a unit/],
  ['an endless LEB128', [0x10, ...Array<number>(40).fill(0x80)], /too long/],
  ['pieces of great size', [0x93, 0xff, 0xff, 0xff, 0xff, 0x0f], /too large/],
];

for (const [name, bytes, reason] of reasons) {
  test(`unavailable: ${name}`, () => {
    const location = run(...bytes);
    assert.equal(location.kind, 'unavailable');
    if (location.kind === 'unavailable') assert.match(location.reason, reason);
  });
}
