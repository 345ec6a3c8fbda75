/** What fields of a machine file may be, and a reader that checks untrusted values against tables of them. */
import { isPowerOfTwo } from '../base/bits';
import { UserError } from '../base/errors';
import { byteCount, memorySize } from './sizes';

export interface FieldRow {
  readonly kind:
    | 'number'
    | 'boolean'
    | 'choice'
    | 'size'
    | 'text'
    | 'texts'
    | 'object'
    | 'list'
    | 'registers'
    | 'features';
  readonly choices?: readonly string[];
  readonly low?: number;
  readonly high?: number;
  readonly powerOfTwo?: true;
  /** Of an object, or of each item of a list. */
  readonly fields?: FieldTable;
  /** Items of a list. */
  readonly least?: number;
  readonly most?: number;
  readonly doc: string;
}
export type FieldTable = Readonly<Record<string, FieldRow>>;

/** Longest text. */
const MAX_TEXT = 200;

export type Json = Readonly<Record<string, unknown>>;

/** Checks values against a table. Every error names the field. */
export class Reader {
  constructor(private readonly path: string) {}

  fail(field: string, what: string): never {
    throw new UserError('machine.field', { path: this.path, field: `"${field}"`, what });
  }

  object(value: unknown, field: string, table: FieldTable): Json {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      if (field === '') throw new UserError('machine.notObject', { path: this.path });
      this.fail(field, 'it must be an object');
    }
    // The parser takes "__proto__" for what it is in JavaScript.
    const names = [...Object.keys(value), ...(Object.getPrototypeOf(value) === Object.prototype ? [] : ['__proto__'])];
    for (const name of names) {
      const known = Object.hasOwn(table, name);
      if (!known) this.fail(field ? `${field}.${name}` : name, `known are ${Object.keys(table).join(', ')}`);
    }
    return value as Json;
  }

  number(row: FieldRow, value: unknown, field: string): number {
    const { low = 0, high = Number.MAX_SAFE_INTEGER } = row;
    if (typeof value !== 'number' || !Number.isInteger(value) || value < low || value > high) {
      this.fail(field, `it must be a whole number from ${low} to ${high}`);
    }
    if (row.powerOfTwo && !isPowerOfTwo(value)) this.fail(field, 'it must be a power of two');
    return value;
  }

  choice(row: FieldRow, value: unknown, field: string): string {
    const text = typeof value === 'string' || typeof value === 'number' ? String(value) : '';
    if (!row.choices?.includes(text)) this.fail(field, `it must be one of ${row.choices?.join(', ')}`);
    return text;
  }

  size(value: unknown, field: string): number {
    if (typeof value !== 'string' && typeof value !== 'number') this.fail(field, 'it must be a size, such as "1G"');
    return memorySize(value);
  }

  boolean(value: unknown, field: string): boolean {
    if (typeof value !== 'boolean') this.fail(field, 'it must be true or false');
    return value;
  }

  /** A simple field, or the value that stood there. */
  simple<T>(from: Json, name: string, table: FieldTable, prefix: string, otherwise: T): T {
    if (from[name] === undefined) return otherwise;
    const row = table[name];
    const field = prefix ? `${prefix}.${name}` : name;
    if (row.kind === 'number') return this.number(row, from[name], field) as T;
    if (row.kind === 'boolean') return this.boolean(from[name], field) as T;
    return this.choice(row, from[name], field) as T;
  }

  text(value: unknown, field: string): string {
    if (typeof value !== 'string' || value.length > MAX_TEXT) this.fail(field, 'it must be a short text');
    return value;
  }

  /** Texts by name. */
  texts(value: unknown, field: string): Record<string, string> {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) this.fail(field, 'it must be an object');
    return Object.fromEntries(
      Object.entries(value).map(([name, text]) => [name, this.text(text, `${field}.${name}`)] as const),
    );
  }

  list<T>(row: FieldRow, value: unknown, field: string, read: (value: unknown, field: string) => T): T[] {
    const { least = 0, most = 0 } = row;
    if (!Array.isArray(value) || value.length < least || value.length > most)
      this.fail(field, `it must be a list of ${least} to ${most}`);
    return value.map((item: unknown, i) => read(item, `${field}[${i}]`));
  }

  /** A number of bytes or an address, written as a size. */
  bytes(value: unknown, field: string): number {
    const bytes = typeof value === 'string' || typeof value === 'number' ? byteCount(value) : Number.NaN;
    if (!Number.isSafeInteger(bytes)) this.fail(field, 'it must be a number of bytes, such as "64K" or "0x40000000"');
    return bytes;
  }
}
