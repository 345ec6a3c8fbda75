/**
 * Bytes of typed objects: reading and writing them wherever they are (memory, registers, in pieces, nowhere). Reading never
 * throws: what cannot be read says why.
 */

import { UserError } from '../base/errors';
import type { EvaluationPort, Location, WritablePort } from './debugModel';
import { registerName } from './dwarf/expressionContext';
import { bytesOf } from './dwarf/operands';
import type { CType } from './types';
import { sizeOf, strip } from './typeTools';
import type { TypedObject } from './valueModel';

/** Why bytes are missing. */
export interface Missing {
  readonly missing: string;
}

export const isMissing = (result: unknown): result is Missing =>
  typeof result === 'object' && result !== null && 'missing' in result;

/** Most bytes that one read may ask for. */
const MAX_READ = 1 << 20;

const mod64 = (n: bigint): bigint => BigInt.asUintN(64, n);
const hex = (n: bigint): string => `0x${mod64(n).toString(16)}`;

/** General registers have 8 bytes, vector registers 16. */
const registerSize = (n: number): number => (n >= 64 && n < 96 ? 16 : 8);

/** Address of an object in memory; undefined for bit fields and objects that are elsewhere. */
export function addressOf(object: TypedObject): bigint | undefined {
  if (object.location.kind !== 'address' || object.bits !== undefined) return undefined;
  return mod64(object.location.address + BigInt(object.offset));
}

/** `size` bytes at `offset` of a location. */
export function readBytes(
  location: Location,
  offset: number,
  size: number,
  port: EvaluationPort,
): Uint8Array | Missing {
  if (size > MAX_READ || !(offset >= 0 && offset <= 2 ** 48)) return { missing: 'too large' };
  switch (location.kind) {
    case 'address': {
      const address = mod64(location.address + BigInt(offset));
      return port.memory(address, size) ?? { missing: `cannot read memory at ${hex(address)}` };
    }
    case 'register': {
      const value = port.register(location.register);
      if (value === undefined) return { missing: `${registerName(location.register)} is not known in this frame` };
      return slice(bytesOf(value, registerSize(location.register)), offset, size);
    }
    case 'value':
      return slice(location.bytes, offset, size);
    case 'pieces':
      return readPieces(location, offset, size, port);
    case 'unavailable':
      return { missing: location.reason };
  }
}

/** Bytes of a value, followed by zeroes where it is shorter than the object. */
function slice(bytes: Uint8Array, offset: number, size: number): Uint8Array {
  const result = new Uint8Array(size);
  result.set(bytes.subarray(Math.min(offset, bytes.length), Math.min(offset + size, bytes.length)));
  return result;
}

/** The pieces that hold bits [offset*8, (offset+size)*8): each with the bits of it that are wanted. */
function* overlapping(
  location: Extract<Location, { kind: 'pieces' }>,
  offset: number,
  size: number,
): Generator<{ location: Location; from: number; to: number; length: number }> {
  let start = 0;
  for (const piece of location.pieces) {
    const low = Math.max(start, offset * 8);
    const high = Math.min(start + piece.bitSize, (offset + size) * 8);
    if (low < high) {
      const from = piece.bitOffset + (low - start);
      yield { location: piece.location, from, to: low - offset * 8, length: high - low };
    }
    start += piece.bitSize;
  }
}

function readPieces(
  location: Extract<Location, { kind: 'pieces' }>,
  offset: number,
  size: number,
  port: EvaluationPort,
): Uint8Array | Missing {
  const result = new Uint8Array(size);
  let found = 0;
  for (const part of overlapping(location, offset, size)) {
    const first = part.from >> 3;
    const bytes = readBytes(part.location, first, ((part.from + part.length + 7) >> 3) - first, port);
    if (isMissing(bytes)) return bytes;
    copyBits(bytes, part.from - first * 8, result, part.to, part.length);
    found += part.length;
  }
  return found === size * 8 ? result : { missing: 'optimized out' };
}

function copyBits(source: Uint8Array, from: number, target: Uint8Array, to: number, length: number): void {
  for (let i = 0; i < length; i++) {
    const bit = (source[(from + i) >> 3] >> ((from + i) & 7)) & 1;
    const mask = 1 << ((to + i) & 7);
    const at = (to + i) >> 3;
    target[at] = bit ? target[at] | mask : target[at] & ~mask;
  }
}

const toBig = (bytes: Uint8Array): bigint => {
  let value = 0n;
  for (let i = bytes.length - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[i]);
  return value;
};

/** All bytes of an object (not of bit fields). */
export const readObject = (object: TypedObject, port: EvaluationPort): Uint8Array | Missing =>
  readBytes(object.location, object.offset, sizeOf(object.type), port);

/** True for types whose values count below zero. */
export function isSigned(type: CType): boolean {
  const plain = strip(type);
  if (plain.kind === 'enum') return plain.signed;
  return plain.kind === 'base' && (plain.encoding === 'signed' || plain.encoding === 'char');
}

/** Value of an integer, pointer or enum (bit fields too), signed where its type is. */
export function readInteger(object: TypedObject, port: EvaluationPort): bigint | Missing {
  const { bits } = object;
  const size = sizeOf(object.type);
  const width = bits?.size ?? size * 8;
  if (width === 0 || width > 128) return { missing: 'has no value' };
  const count = bits === undefined ? size : (bits.offset + bits.size + 7) >> 3;
  const bytes = readBytes(object.location, object.offset, count, port);
  if (isMissing(bytes)) return bytes;
  const raw = toBig(bytes) >> BigInt(bits?.offset ?? 0);
  return isSigned(object.type) ? BigInt.asIntN(width, raw) : BigInt.asUintN(width, raw);
}

/**
 * Writes bytes to an object; for bit fields, the low bits of `bytes`.
 * @throws UserError `value.readOnly`, `value.refused`
 */
export function writeObject(object: TypedObject, bytes: Uint8Array, port: WritablePort): void {
  const { bits } = object;
  if (bits === undefined) {
    writeBytes(object.location, object.offset, bytes, port);
    return;
  }
  const count = (bits.offset + bits.size + 7) >> 3;
  const old = readBytes(object.location, object.offset, count, port);
  if (isMissing(old)) throw new UserError('value.readOnly', { why: old.missing });
  const merged = old.slice();
  copyBits(bytes, 0, merged, bits.offset, bits.size);
  writeBytes(object.location, object.offset, merged, port);
}

function writeBytes(location: Location, offset: number, bytes: Uint8Array, port: WritablePort): void {
  switch (location.kind) {
    case 'address': {
      const address = mod64(location.address + BigInt(offset));
      if (!port.writeMemory(address, bytes))
        throw new UserError('value.refused', { what: `memory at ${hex(address)}` });
      return;
    }
    case 'register': {
      const n = location.register;
      const old = port.register(n);
      if (old === undefined || offset + bytes.length > registerSize(n)) {
        throw new UserError('value.readOnly', { why: `${registerName(n)} is not known in this frame` });
      }
      const whole = bytesOf(old, registerSize(n));
      whole.set(bytes, offset);
      if (!port.writeRegister(n, toBig(whole))) throw new UserError('value.refused', { what: registerName(n) });
      return;
    }
    case 'pieces':
      writePieces(location, offset, bytes, port);
      return;
    case 'value':
      throw new UserError('value.readOnly', { why: 'it has no place in memory or registers' });
    case 'unavailable':
      throw new UserError('value.readOnly', { why: location.reason });
  }
}

function writePieces(
  location: Extract<Location, { kind: 'pieces' }>,
  offset: number,
  bytes: Uint8Array,
  port: WritablePort,
): void {
  for (const part of overlapping(location, offset, bytes.length)) {
    const first = part.from >> 3;
    const old = readBytes(part.location, first, ((part.from + part.length + 7) >> 3) - first, port);
    if (isMissing(old)) throw new UserError('value.readOnly', { why: old.missing });
    const merged = old.slice();
    copyBits(bytes, part.to, merged, part.from - first * 8, part.length);
    writeBytes(part.location, first, merged, port);
  }
}
