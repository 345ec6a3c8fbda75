/** Reading and writing typed objects wherever they are, values from text, and C paths that are wrong. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UserError } from '../../../src/base/errors';
import {
  type CType,
  encodeValue,
  frameScope,
  isMissing,
  type Location,
  type Member,
  parseNumber,
  readInteger,
  readObject,
  resolvePath,
  setObject,
  spell,
  type TypedObject,
  valueNode,
  type WritablePort,
} from '../../../src/program/index';
import { fixtureDebug, fixtureElf, recording, StoppedMemory } from './fixture';

const base = (
  name: string,
  size: number,
  encoding: 'signed' | 'unsigned' | 'bool' | 'float' | 'unsignedChar',
): CType => ({
  kind: 'base',
  name,
  size,
  encoding,
});
const int = base('int', 4, 'signed');
const long = base('long', 8, 'signed');
const byte = base('unsigned char', 1, 'unsigned');
const colour: CType = {
  kind: 'enum',
  name: 'colour',
  size: 4,
  signed: true,
  enumerators: [
    { name: 'RED', value: 0n },
    { name: 'GREEN', value: 5n },
    { name: 'BLUE', value: -2n },
  ],
};

class Machine implements WritablePort {
  readonly registers = new Map<number, bigint>([
    [0, 0x1122334455667788n],
    [1, 0xffff_ffff_ffff_fffen],
    [64, 0x0102030405060708090a0b0c0d0e0f10n],
  ]);
  readonly bytes = new Uint8Array(256).map((_, i) => i);
  register = (n: number): bigint | undefined => this.registers.get(n);
  memory = (address: bigint, size: number): Uint8Array | undefined =>
    address + BigInt(size) <= 256n ? this.bytes.slice(Number(address), Number(address) + size) : undefined;
  cfa = (): undefined => undefined;
  frameBase = (): undefined => undefined;
  writeRegister = (n: number, value: bigint): boolean => n !== 1 && this.registers.set(n, value) !== undefined;
  writeMemory(address: bigint, bytes: Uint8Array): boolean {
    if (address >= 128n) return false;
    this.bytes.set(bytes, Number(address));
    return true;
  }
}

const at = (type: CType, location: Location, offset = 0, bits?: Member['bits']): TypedObject => ({
  type,
  location,
  offset,
  bits,
});
const memory = (address: bigint): Location => ({ kind: 'address', address });
const register = (n: number): Location => ({ kind: 'register', register: n });
const pieces: Location = {
  kind: 'pieces',
  pieces: [
    { location: register(0), bitSize: 16, bitOffset: 8 },
    { location: memory(16n), bitSize: 16, bitOffset: 0 },
    { location: { kind: 'unavailable', reason: 'optimized out' }, bitSize: 32, bitOffset: 0 },
    { location: register(1), bitSize: 4, bitOffset: 4 },
    { location: memory(32n), bitSize: 4, bitOffset: 4 },
  ],
};

const code = (body: () => unknown): string => {
  try {
    body();
  } catch (error) {
    if (error instanceof UserError) {
      assert.ok(!/[{}]/.test(error.message.replace(/\{\.\.\.\}/g, '')), error.message);
      return error.code;
    }
    throw error;
  }
  return 'none';
};

test('integers in memory, in registers and in pieces', () => {
  const port = new Machine();
  assert.equal(readInteger(at(int, memory(4n)), port), 0x07060504n);
  assert.equal(readInteger(at(int, memory(4n), 4), port), 0x0b0a0908n);
  assert.equal(readInteger(at(int, register(0)), port), 0x55667788n);
  assert.equal(readInteger(at(int, register(0), 4), port), 0x11223344n);
  assert.equal(readInteger(at(int, register(1)), port), -2n);
  assert.equal(readInteger(at(long, register(64), 8), port), 0x0102030405060708n);
  assert.equal(readInteger(at(int, pieces), port), 0x11106677n);
  assert.deepEqual(readInteger(at(int, pieces, 4), port), { missing: 'optimized out' });
  assert.equal(readInteger(at(byte, pieces, 8), port), 0x2fn);
  assert.deepEqual(readInteger(at(int, pieces, 8), port), { missing: 'optimized out' });
  assert.deepEqual(readInteger(at(int, memory(254n)), port), { missing: 'cannot read memory at 0xfe' });
  assert.deepEqual(readInteger(at(int, register(9)), port), { missing: 'X9 is not known in this frame' });
  assert.equal(readInteger(at(long, { kind: 'value', bytes: Uint8Array.of(0xff) }), port), 255n);
});

test('bit fields', () => {
  const port = new Machine();
  port.bytes.set([0b10110101, 0b00000110], 8);
  assert.equal(readInteger(at(int, memory(8n), 0, { offset: 2, size: 3 }), port), -3n);
  assert.equal(readInteger(at(byte, memory(8n), 0, { offset: 2, size: 3 }), port), 5n);
  assert.equal(readInteger(at(byte, memory(8n), 0, { offset: 6, size: 5 }), port), 0b11010n);
  setObject(at(byte, memory(8n), 0, { offset: 6, size: 5 }), '1', port);
  assert.deepEqual([...port.bytes.subarray(8, 10)], [0b01110101, 0]);
  assert.equal(
    code(() => setObject(at(byte, memory(8n), 0, { offset: 6, size: 5 }), '32', port)),
    'value.range',
  );
  assert.equal(
    code(() => setObject(at(int, memory(8n), 0, { offset: 6, size: 5 }), '-17', port)),
    'value.range',
  );
});

test('writing keeps what is beside the object', () => {
  const port = new Machine();
  setObject(at(int, memory(4n)), '-2', port);
  assert.deepEqual([...port.bytes.subarray(3, 9)], [3, 0xfe, 0xff, 0xff, 0xff, 8]);
  setObject(at(int, register(0)), '1', port);
  assert.equal(port.registers.get(0), 0x1122334400000001n);
  setObject(at(byte, register(0), 7), '0xff', port);
  assert.equal(port.registers.get(0), 0xff22334400000001n);
  setObject(at(int, pieces), '0x0a0b0c0d', port);
  assert.equal(port.registers.get(0), 0xff223344000c0d01n);
  assert.deepEqual([...port.bytes.subarray(16, 19)], [0x0b, 0x0a, 18]);
});

test('what cannot be written says so', () => {
  const port = new Machine();
  assert.equal(
    code(() => setObject(at(int, memory(200n)), '1', port)),
    'value.refused',
  );
  assert.equal(
    code(() => setObject(at(int, register(1)), '1', port)),
    'value.refused',
  );
  assert.equal(
    code(() => setObject(at(int, register(9)), '1', port)),
    'value.readOnly',
  );
  assert.equal(
    code(() => setObject(at(int, { kind: 'value', bytes: Uint8Array.of(1) }), '1', port)),
    'value.readOnly',
  );
  assert.equal(
    code(() => setObject(at(int, { kind: 'unavailable', reason: 'gone' }), '1', port)),
    'value.readOnly',
  );
  assert.equal(
    code(() => setObject(at(int, pieces, 4), '1', port)),
    'value.readOnly',
  );
});

test('values from text', () => {
  const bytes = (type: CType, text: string): number[] => [...encodeValue(type, text)];
  assert.deepEqual(bytes(int, '258'), [2, 1, 0, 0]);
  assert.deepEqual(bytes(int, ' -1 '), [255, 255, 255, 255]);
  assert.deepEqual(bytes(int, '0xffffffff'), [255, 255, 255, 255]);
  assert.deepEqual(bytes(int, '0b101'), [5, 0, 0, 0]);
  assert.deepEqual(bytes(int, '017'), [15, 0, 0, 0]);
  assert.deepEqual(bytes(byte, "'A'"), [65]);
  assert.deepEqual(bytes(byte, "'\\n'"), [10]);
  assert.deepEqual(bytes(base('_Bool', 1, 'bool'), 'true'), [1]);
  assert.deepEqual(bytes(base('float', 4, 'float'), '0.5'), [0, 0, 0, 0x3f]);
  assert.deepEqual(bytes(colour, 'GREEN'), [5, 0, 0, 0]);
  assert.deepEqual(bytes(colour, 'BLUE (-2)'), [254, 255, 255, 255]);
  assert.deepEqual(bytes(colour, 'RED | GREEN'), [5, 0, 0, 0]);
  const pointer: CType = { kind: 'pointer', flavour: 'pointer', size: 8, target: int };
  assert.deepEqual(bytes(pointer, '0x40 <main+4>'), [64, 0, 0, 0, 0, 0, 0, 0]);
  const text: CType = { kind: 'array', element: base('char', 1, 'unsignedChar'), count: 4, stride: 1, vector: false };
  assert.deepEqual(bytes(text, '"a\\n"'), [97, 10, 0, 0]);
  assert.deepEqual([...encodeValue(int, 'x0 + 1', undefined, () => 7n)], [7, 0, 0, 0]);
});

test('text that is no value', () => {
  for (const text of ['', 'x', '1 2', '0x', '--1', "''", '1.5'])
    assert.equal(
      code(() => encodeValue(int, text)),
      'value.syntax',
      text,
    );
  for (const text of ['4294967296', '-2147483649'])
    assert.equal(
      code(() => encodeValue(int, text)),
      'value.range',
      text,
    );
  assert.equal(
    code(() => encodeValue(colour, 'PINK')),
    'value.syntax',
  );
  assert.equal(
    code(() => encodeValue(base('double', 8, 'float'), 'fast')),
    'value.syntax',
  );
  const record: CType = { kind: 'record', keyword: 'struct', name: 's', size: 4, incomplete: false, members: [] };
  assert.equal(
    code(() => encodeValue(record, '1')),
    'value.aggregate',
  );
  assert.equal(parseNumber('0'), 0n);
});

const debug = fixtureDebug('v5-O0');
const [stop] = recording('v5-O0').stops;
const stopped = new StoppedMemory(fixtureElf('v5-O0'), stop);
const pc = BigInt(stop.frames[0].pc);
const sp = BigInt(stop.frames[0].registers['31']);
const port: WritablePort = {
  register: (n) => (n === 31 ? sp : undefined),
  memory: (address, size) => stopped.read(address, size),
  cfa: () => sp + 32n,
  frameBase: () => sp + 32n,
  writeRegister: () => false,
  writeMemory: (address, bytes) => stopped.write(address, bytes),
};
const scope = frameScope(debug, pc, port);
const show = (text: string): string => {
  const object = resolvePath(scope, text);
  const value = readInteger(object, port);
  return `${spell(object.type)} ${isMissing(value) ? value.missing : value}`;
};

test('setting through paths', () => {
  setObject(resolvePath(scope, 'packet->flags'), '0x7f', port);
  setObject(resolvePath(scope, 'packet->length'), '2', port);
  assert.equal(show('packet->flags'), 'unsigned short 127');
  assert.equal(show('packet->length'), 'unsigned short 2');
  setObject(resolvePath(scope, 'packet->bits.high'), '-1', port);
  assert.equal(show('packet->bits.raw'), 'unsigned int 4293918720');
  setObject(resolvePath(scope, 'first.next'), '0x402010a0', port);
  assert.equal(show('first.next'), 'struct node * 1075843232');
  setObject(resolvePath(scope, 'n'), '3', port);
  assert.equal(show('n'), 'int 3');
  setObject(resolvePath(scope, 'packet->colour'), 'BLUE', port);
  assert.equal(show('packet->colour'), 'enum colour -2');
  setObject(resolvePath(scope, '*(matrix[1] + 2)'), '99', port);
  assert.equal(show('matrix[1][2]'), 'int 99');
});

test('pointer arithmetic, casts and literals', () => {
  const matrix = BigInt(show('&matrix[0][0]').split(' * ')[1]);
  assert.equal(show('matrix[0] + 1'), `int * ${matrix + 4n}`);
  assert.equal(show('&matrix[0][0] - 1'), `int * ${matrix - 4n}`);
  assert.equal(show('*(long *)&matrix'), `long ${(2n << 32n) | 1n}`);
  assert.equal(show('(unsigned char)0x1ff'), 'unsigned char 255');
  assert.equal(show('(int)(unsigned char)-1'), 'int 255');
  assert.equal(show('((struct node *)&second)->at.y'), 'int 4');
  assert.equal(show('1 + 2 - 5'), 'long -2');
  assert.equal(show('matrix[packet->kind - 2][0]'), 'int 4');
  // Beyond an array's end is what memory holds there.
  assert.equal(show('matrix[0][3]'), 'int 4');
  assert.equal(show('packet->body[3]'), 'unsigned char 9');
});

const wrong: readonly (readonly [text: string, code: string])[] = [
  ['', 'path.syntax'],
  ['first.', 'path.syntax'],
  ['first.next->', 'path.syntax'],
  ['first..x', 'path.syntax'],
  ['first next', 'path.syntax'],
  ['matrix[1', 'path.syntax'],
  ['(first', 'path.syntax'],
  ['first @ 2', 'path.syntax'],
  ['first = 2', 'path.syntax'],
  ['*'.repeat(100) + 'first', 'path.syntax'],
  ['('.repeat(100) + 'first' + ')'.repeat(100), 'path.syntax'],
  ['x'.repeat(2000), 'path.syntax'],
  ['nothing', 'path.noName'],
  ['first.nothing', 'path.noMember'],
  ['n.x', 'path.notRecord'],
  ['n->x', 'path.notPointer'],
  ['*n', 'path.notPointer'],
  ['n[1]', 'path.notPointer'],
  ['&packet->flags', 'path.noAddress'],
  ['&(n + 1)', 'path.noAddress'],
  ['first + 1', 'path.notNumber'],
  ['matrix[first]', 'path.notNumber'],
  ['(struct nothing *)packet', 'path.noType'],
  ['(struct node)packet', 'path.notNumber'],
  ['*(int *)*(long *)0x60000000', 'path.unavailable'],
];

for (const [text, expected] of wrong) {
  test(`refused: ${text.slice(0, 30)}`, () =>
    assert.equal(
      code(() => resolvePath(scope, text)),
      expected,
    ));
}

test('an object that cannot be read is no error of the path', () => {
  const object = resolvePath(scope, '*(int *)0x60000000');
  assert.deepEqual(readObject(object, port), { missing: 'cannot read memory at 0x60000000' });
});

test('text in an array without a bound reaches to its NUL', () => {
  const machine = new Machine();
  machine.bytes.set(Buffer.from('Linux version 6.1\0and more'), 64);
  const char = base('char', 1, 'unsignedChar');
  const type: CType = { kind: 'array', element: char, count: undefined, stride: 1, vector: false };
  const at = (address: bigint): string =>
    valueNode('banner', { type, location: { kind: 'address', address }, offset: 0 }, machine).display;
  assert.equal(at(64n), '"Linux version 6.1"');
  assert.equal(at(0x1000n), '<cannot read memory at 0x1000>');
});
