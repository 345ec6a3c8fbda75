/**
 * Bit helpers for 32-bit fields and for 64-bit values kept as (hi, lo) pairs of unsigned 32-bit numbers, the form in which
 * slow paths see guest values (no BigInt there). BigInt versions serve tables and the debugger's edge only.
 */

/** Bits [hi:lo] of an unsigned 32-bit word. */
export const field32 = (word: number, hi: number, lo: number): number =>
  hi - lo === 31 ? word >>> 0 : (word >>> lo) & ((1 << (hi - lo + 1)) - 1);

/** Sign-extends the low `bits` bits of `value` to a JavaScript integer (bits <= 32). */
export const signExtend32 = (value: number, bits: number): number => (value << (32 - bits)) >> (32 - bits);

/** log2 of a power of two, or -1. */
export function log2Exact(n: number): number {
  const l = Math.round(Math.log2(n));
  return 2 ** l === n ? l : -1;
}

export const isPowerOfTwo = (n: number): boolean => n > 0 && Number.isInteger(n) && log2Exact(n) >= 0;

/** Bits [hi:lo] of a BigInt (edge code and tables only). */
export const fieldBig = (value: bigint, hi: number, lo: number): bigint =>
  (value >> BigInt(lo)) & ((1n << BigInt(hi - lo + 1)) - 1n);

/** Joins a pair into a BigInt (edge only). */
export const joinBig = (hi: number, lo: number): bigint => (BigInt(hi >>> 0) << 32n) | BigInt(lo >>> 0);

/** `0x` and exactly 16 hexadecimal digits. */
export const hex64 = (value: bigint): string => '0x' + BigInt.asUintN(64, value).toString(16).padStart(16, '0');

export const hex = (value: number | bigint): string =>
  '0x' + (typeof value === 'number' ? value >>> 0 : value).toString(16);
