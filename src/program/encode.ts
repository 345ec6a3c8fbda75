/** Text that a user typed for a value, as bytes of the value's type. */

import { UserError } from '../base/errors';
import type { WritablePort } from './debugModel';
import { bytesOf } from './dwarf/operands';
import { isCharacter } from './format';
import { isSigned, writeObject } from './objects';
import type { CType, EnumType } from './types';
import { sizeOf, spell, strip } from './typeTools';
import type { TypedObject } from './valueModel';

/** Gives numbers that are no C literals: registers, symbols, other expressions. */
export type ResolveNumber = (text: string) => bigint | undefined;

/** A C integer or character literal; undefined for other text. */
export function parseNumber(text: string): bigint | undefined {
  const match = /^([+-]?)\s*(0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO]?[0-7]*|[1-9][0-9]*)[uUlL]*$/.exec(text.trim());
  if (match !== null) {
    const digits = /^0[0-7]+$/.test(match[2]) ? `0o${match[2].slice(1)}` : match[2];
    const value = BigInt(digits.replace(/^0[oO]$/, '0'));
    return match[1] === '-' ? -value : value;
  }
  return parseCharacter(text.trim());
}

const simpleEscapes: Readonly<Record<string, number>> = { n: 10, r: 13, t: 9, '0': 0, a: 7, b: 8, f: 12, v: 11, e: 27 };

function parseCharacter(text: string): bigint | undefined {
  const match = /^'(?:\\x([0-9a-fA-F]{1,2})|\\(.)|([^\\']))'$/u.exec(text);
  if (match === null) return undefined;
  const [, code, escaped, plain] = match;
  if (code !== undefined) return BigInt(`0x${code}`);
  if (escaped !== undefined) return BigInt(simpleEscapes[escaped] ?? (escaped.codePointAt(0) as number));
  return BigInt(plain.codePointAt(0) as number);
}

function enumNumber(text: string, type: EnumType): bigint | undefined {
  let value = 0n;
  for (const part of text.split('|')) {
    const name = part.trim().replace(/\s*\(-?\w+\)$/, '');
    const found = type.enumerators.find((e) => e.name === name)?.value ?? parseNumber(name);
    if (found === undefined) return undefined;
    value |= found;
  }
  return value;
}

/**
 * Bytes of a value of a type (`bits` wide for bit fields: the value is in the low bits).
 * @throws UserError `value.syntax`, `value.range`, `value.aggregate`
 */
export function encodeValue(type: CType, text: string, bits?: number, resolve?: ResolveNumber): Uint8Array {
  const plain = strip(type);
  const wrong = (): never => {
    throw new UserError('value.syntax', { text, type: spell(type) });
  };
  switch (plain.kind) {
    case 'base':
      if (plain.encoding === 'float') return encodeFloat(text, plain.size) ?? wrong();
      if (plain.encoding === 'bool' && /^(true|false)$/.test(text.trim())) {
        return bytesOf(text.trim() === 'true' ? 1n : 0n, plain.size);
      }
      return encodeInteger(type, parseNumber(text) ?? resolve?.(text) ?? wrong(), text, bits);
    case 'pointer':
      return encodeInteger(type, parseNumber(text.replace(/\s*<.*$/, '')) ?? resolve?.(text) ?? wrong(), text, bits);
    case 'enum':
      return encodeInteger(type, enumNumber(text, plain) ?? resolve?.(text) ?? wrong(), text, bits);
    case 'array':
      if (isCharacter(plain.element) && plain.count !== undefined)
        return encodeText(type, text, plain.count) ?? wrong();
      throw new UserError('value.aggregate', { type: spell(type) });
    default:
      throw new UserError('value.aggregate', { type: spell(type) });
  }
}

/** A number of a type's width: what is in the type's range, or in the range of the same bits without a sign. */
function encodeInteger(type: CType, value: bigint, text: string, bits?: number): Uint8Array {
  const size = sizeOf(type);
  const width = BigInt(bits ?? size * 8);
  const low = isSigned(type) || strip(type).kind !== 'pointer' ? -(1n << (width - 1n)) : 0n;
  if (size === 0 || size > 16 || value < low || value >= 1n << width) {
    throw new UserError('value.range', { text: text.trim(), type: spell(type) });
  }
  return bytesOf(value, size);
}

function encodeFloat(text: string, size: number): Uint8Array | undefined {
  const trimmed = text.trim();
  const value = Number(trimmed);
  const known = trimmed !== '' && (!Number.isNaN(value) || /^nan$/i.test(trimmed));
  if (!known || (size !== 4 && size !== 8)) return undefined;
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  if (size === 8) view.setFloat64(0, value, true);
  else view.setFloat32(0, value, true);
  return bytes;
}

/** A C string literal, filled with zeroes to the array's length. */
function encodeText(type: CType, text: string, count: number): Uint8Array | undefined {
  const match = /^"((?:[^"\\]|\\.)*)"$/su.exec(text.trim());
  if (match === null) return undefined;
  const bytes: number[] = [];
  for (const [, code, escaped, plain] of match[1].matchAll(/\\x([0-9a-fA-F]{1,2})|\\(.)|([^\\])/gsu)) {
    if (code !== undefined) bytes.push(Number.parseInt(code, 16));
    else if (escaped !== undefined) bytes.push(simpleEscapes[escaped] ?? escaped.charCodeAt(0) & 0xff);
    else bytes.push(...utf8(plain));
  }
  if (bytes.length > count) throw new UserError('value.range', { text: text.trim(), type: spell(type) });
  const result = new Uint8Array(count);
  result.set(bytes);
  return result;
}

function utf8(text: string): number[] {
  const encoded = encodeURIComponent(text);
  return [...encoded.matchAll(/%([0-9A-F]{2})|(.)/g)].map(([, code, c]) =>
    code === undefined ? c.charCodeAt(0) : Number.parseInt(code, 16),
  );
}

/**
 * Sets an object to what the text says.
 * @throws UserError `value.*`
 */
export function setObject(object: TypedObject, text: string, port: WritablePort, resolve?: ResolveNumber): void {
  writeObject(object, encodeValue(object.type, text, object.bits?.size, resolve), port);
}
