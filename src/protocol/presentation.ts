/** How the strings of the view models are shown, in trees and webviews alike: short addresses, bytes in rows, what differs. */
import type { Hex64, HexBytes, LineCopyRow } from './views';

/** `0x40201000`: without the leading zeros of a 64-bit value, but at least 8 digits. */
export const shortHex = (value: Hex64): string =>
  `0x${value.replace(/^0x/, '').replace(/^0+/, '').toLowerCase().padStart(8, '0')}`;

/** `0x40201234 main+0x10`, or the address alone. */
export const withSymbol = (value: Hex64, symbol: string | undefined): string =>
  symbol === undefined ? shortHex(value) : `${shortHex(value)} ${symbol}`;

/** The address `offset` bytes on, as a 64-bit value. */
export const plus = (value: Hex64, offset: number): Hex64 =>
  `0x${BigInt.asUintN(64, BigInt(value) + BigInt(offset))
    .toString(16)
    .padStart(16, '0')}`;

/** One row of a hexadecimal dump. */
export interface DumpRow {
  /** Of the first byte, from the line's start. */
  readonly offset: number;
  /** Two digits each. */
  readonly bytes: readonly string[];
  readonly ascii: string;
  /** For each byte: it is not what the other copy has there. */
  readonly differs: readonly boolean[];
}

const printable = (byte: string): string => {
  const code = Number.parseInt(byte, 16);
  return code >= 0x20 && code < 0x7f ? String.fromCharCode(code) : '.';
};

/** Bytes in rows of `width`, compared with `other` where it has as many bytes. */
export function dumpRows(bytes: HexBytes, other: HexBytes | undefined, width = 16): DumpRow[] {
  const list = bytes.match(/../g) ?? [];
  const compared = other?.match(/../g) ?? [];
  const rows: DumpRow[] = [];
  for (let offset = 0; offset < list.length; offset += width) {
    const part = list.slice(offset, offset + width);
    rows.push({
      offset,
      bytes: part,
      ascii: part.map(printable).join(''),
      differs: part.map((byte, i) => compared[offset + i] !== undefined && compared[offset + i] !== byte),
    });
  }
  return rows;
}

/** The instruction word (`0x` and eight digits) at `offset` of a line; undefined beyond its end. */
export function wordAt(bytes: HexBytes, offset: number): string | undefined {
  const part = bytes.slice(offset * 2, offset * 2 + 8);
  return part.length === 8 ? `0x${(part.match(/../g) ?? []).reverse().join('')}` : undefined;
}

/** `1 way`, `3 ways`. */
export const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;

/** What a copy is called: `L1I core0`, with its place in the line where a cache has shorter ones. */
export const copyName = (copy: LineCopyRow): string => {
  const name = copy.where === 'view' ? 'cacheable accesses' : copy.where;
  return copy.offset === 0 ? name : `${name} +0x${copy.offset.toString(16)}`;
};
