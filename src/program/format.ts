/** One line of text for a typed value. */

import type { EvaluationPort } from './debugModel';
import { addressOf, isMissing, readBytes, readInteger, readObject } from './objects';
import { decodeText } from './reader';
import type { ArrayType, BaseType, CType, EnumType, PointerType, RecordType } from './types';
import { sizeOf, spell, strip } from './typeTools';
import type { FormatOptions, TypedObject } from './valueModel';

const MAX_TEXT = 200;
const MAX_ITEMS = 10;
const MAX_LINE = 160;
const NESTED = '{…}';

const hexText = (n: bigint, size = 8): string => `0x${BigInt.asUintN(size * 8, n).toString(16)}`;
const problem = (reason: string): string => `<${reason}>`;

/** True for the types that C text is made of. */
export function isCharacter(type: CType): boolean {
  const plain = strip(type);
  return plain.kind === 'base' && plain.size === 1 && (plain.encoding === 'char' || plain.encoding === 'unsignedChar');
}

/** The value of an object as one line. `depth` 0 shows what is inside of records and arrays. */
export function formatObject(object: TypedObject, port: EvaluationPort, options: FormatOptions, depth = 0): string {
  const type = strip(object.type);
  switch (type.kind) {
    case 'void':
      return '<void>';
    case 'unknown':
      return problem('unknown type');
    case 'function':
      return formatFunction(object, options);
    case 'record':
      return depth > 0 ? NESTED : formatRecord(object, type, port, options);
    case 'array':
      return formatArray(object, type, port, options, depth);
    case 'base':
      if (type.encoding === 'float' || type.encoding === 'other') return formatFloat(object, type, port);
      break;
  }
  const value = readInteger(object, port);
  if (isMissing(value)) return problem(value.missing);
  if (type.kind === 'pointer') return formatPointer(value, type, port, options);
  return type.kind === 'enum' ? formatEnum(value, type, options) : formatInteger(value, type, options);
}

function formatInteger(value: bigint, type: BaseType, options: FormatOptions): string {
  if (type.encoding === 'bool' && (value === 0n || value === 1n)) return value === 1n ? 'true' : 'false';
  const number = options.hex || type.encoding === 'address' ? hexText(value, type.size) : value.toString();
  const character = type.encoding === 'char' || type.encoding === 'unsignedChar' || type.encoding === 'utf';
  return character ? `${number} ${quoteCharacter(value)}` : number;
}

function formatEnum(value: bigint, type: EnumType, options: FormatOptions): string {
  const number = options.hex ? hexText(value, type.size) : value.toString();
  const named = type.enumerators.find((e) => e.value === value);
  return named === undefined ? number : `${named.name} (${number})`;
}

function formatPointer(value: bigint, type: PointerType, port: EvaluationPort, options: FormatOptions): string {
  const address = hexText(value, type.size);
  const name = value === 0n ? undefined : options.symbolAt?.(value);
  const base = name === undefined ? address : `${address} <${name}>`;
  if (value === 0n || !isCharacter(type.target)) return base;
  const text = textAt(value, port);
  return text === undefined ? base : `${base} ${text}`;
}

function formatFunction(object: TypedObject, options: FormatOptions): string {
  if (object.location.kind !== 'address') return problem('function without an address');
  const { address } = object.location;
  const name = options.symbolAt?.(address);
  return `{${spell(object.type)}} ${hexText(address)}${name === undefined ? '' : ` <${name}>`}`;
}

/** Quoted text at an address up to its NUL; undefined when it cannot be read. */
function textAt(address: bigint, port: EvaluationPort): string | undefined {
  const bytes: number[] = [];
  const CHUNK = 16n;
  while (bytes.length < MAX_TEXT) {
    // Aligned chunks, so that text at the end of a mapped region can still be read.
    const at = address + BigInt(bytes.length);
    const size = Number(CHUNK - (at % CHUNK));
    const chunk = port.memory(BigInt.asUintN(64, at), size);
    if (chunk === undefined) return bytes.length === 0 ? undefined : `${quote(bytes)}…`;
    const end = chunk.indexOf(0);
    bytes.push(...(end < 0 ? chunk : chunk.subarray(0, end)));
    if (end >= 0) return quote(bytes);
  }
  return `${quote(bytes)}…`;
}

const escapes: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t', '"': '\\"', '\\': '\\\\' };

function escapeText(text: string): string {
  let result = '';
  for (const c of text) {
    const code = c.codePointAt(0) as number;
    const plain = code >= 0x20 && code !== 0x7f && !(code >= 0x80 && code < 0xa0);
    result += escapes[c] ?? (plain ? c : `\\x${code.toString(16).padStart(2, '0')}`);
  }
  return result;
}

const quote = (bytes: readonly number[] | Uint8Array): string => `"${escapeText(decodeText(Uint8Array.from(bytes)))}"`;

function quoteCharacter(value: bigint): string {
  const code = Number(BigInt.asUintN(32, value));
  if (code === 0) return "'\\0'";
  if (code === 0x27) return "'\\''";
  if (code > 0x10ffff || (code >= 0x80 && code <= 0xff)) return `'\\x${(code & 0xff).toString(16)}'`;
  const c = String.fromCodePoint(code);
  return c === '"' ? `'"'` : `'${escapeText(c)}'`;
}

function formatRecord(object: TypedObject, type: RecordType, port: EvaluationPort, options: FormatOptions): string {
  if (type.incomplete) return problem('incomplete type');
  const parts: string[] = [];
  let length = 0;
  for (const member of type.members) {
    if (parts.length >= MAX_ITEMS || length > MAX_LINE) {
      parts.push('…');
      break;
    }
    const { location } = object;
    const inner = { type: member.type, location, offset: object.offset + member.offset, bits: member.bits };
    const text = formatObject(inner, port, options, 1);
    const part = member.name === '' ? text : `${member.name} = ${text}`;
    length += part.length;
    parts.push(part);
  }
  return `{${parts.join(', ')}}`;
}

function formatArray(
  object: TypedObject,
  type: ArrayType,
  port: EvaluationPort,
  options: FormatOptions,
  depth: number,
): string {
  const { count = 0 } = type;
  // Declared without a bound, as `extern const char banner[]`, or the last member of a record.
  const address = type.count === undefined && isCharacter(type.element) ? addressOf(object) : undefined;
  const text = address === undefined ? undefined : textAt(address, port);
  if (text !== undefined) return text;
  if (isCharacter(type.element) && type.stride === 1) return formatText(object, count, port);
  if (depth > 1) return NESTED;
  const parts: string[] = [];
  for (let i = 0; i < Math.min(count, MAX_ITEMS); i++) {
    parts.push(formatObject(elementOf(object, type, i), port, options, depth + 1));
    if (parts[i].startsWith('<') && i === 0) return parts[0];
  }
  if (count > MAX_ITEMS) parts.push('…');
  return `{${parts.join(', ')}}`;
}

/** Element of an array object. */
export function elementOf(object: TypedObject, type: ArrayType, index: number): TypedObject {
  return { type: type.element, location: object.location, offset: object.offset + index * type.stride };
}

function formatText(object: TypedObject, count: number, port: EvaluationPort): string {
  const bytes = readBytes(object.location, object.offset, Math.min(count, MAX_TEXT), port);
  if (isMissing(bytes)) return problem(bytes.missing);
  let end = bytes.indexOf(0);
  // A NUL with something behind it ends the text only if that is zeroes too: otherwise the array holds data.
  if (end >= 0 && bytes.subarray(end).some((byte) => byte !== 0)) end = lastNonZero(bytes) + 1;
  return `${quote(end < 0 ? bytes : bytes.subarray(0, end))}${count > MAX_TEXT ? '…' : ''}`;
}

function lastNonZero(bytes: Uint8Array): number {
  let i = bytes.length - 1;
  while (i >= 0 && bytes[i] === 0) i--;
  return i;
}

function formatFloat(object: TypedObject, type: BaseType, port: EvaluationPort): string {
  const bytes = readObject(object, port);
  if (isMissing(bytes)) return problem(bytes.missing);
  if (type.encoding !== 'float' || ![2, 4, 8].includes(sizeOf(type))) {
    return `0x${[...bytes]
      .reverse()
      .map((byte) => byte.toString(16).padStart(2, '0'))
      .join('')}`;
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (type.size === 8) return view.getFloat64(0, true).toString();
  return type.size === 4 ? shortest32(view.getFloat32(0, true)) : halfText(view.getUint16(0, true));
}

/** Shortest decimal that reads back as the same single-precision number. */
function shortest32(value: number): string {
  if (!Number.isFinite(value)) return value.toString();
  for (let digits = 1; digits <= 9; digits++) {
    const text = Number(value.toPrecision(digits));
    if (Math.fround(text) === value) return text.toString();
  }
  return value.toString();
}

function halfText(bits: number): string {
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 0x3ff;
  const sign = bits & 0x8000 ? -1 : 1;
  if (exponent === 31) return fraction === 0 ? (sign * Number.POSITIVE_INFINITY).toString() : 'NaN';
  const value = exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1024) * 2 ** (exponent - 15);
  return (sign * value).toString();
}
