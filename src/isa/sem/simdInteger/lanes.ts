/**
 * Integer lanes of every width behind one face, with what wasm lacks for some widths, and the orders of lanes that pairwise,
 * narrowing and reversing instructions need.
 */
import type { I32, V128 } from '../../../wasm/code';
import { bits, i8x16, i16x8, i32x4, i64x2, shuffle, v128 } from '../../../wasm/vector';

/** log2 of the bytes of a lane. */
export type Size = 0 | 1 | 2 | 3;

type Unary = (a: V128) => V128;
type Binary = (a: V128, b: V128) => V128;
type Shift = (a: V128, amount: I32) => V128;

/** Operators of one width. Comparisons give all ones or all zeros. */
export interface Lanes {
  readonly size: Size;
  readonly width: 8 | 16 | 32 | 64;
  readonly abs: Unary;
  readonly neg: Unary;
  readonly add: Binary;
  readonly sub: Binary;
  readonly eq: Binary;
  readonly ne: Binary;
  readonly gtS: Binary;
  readonly geS: Binary;
  readonly gtU: Binary;
  readonly geU: Binary;
  readonly shl: Shift;
  readonly shrS: Shift;
  readonly shrU: Shift;
  /** The same value in every lane. */
  readonly all: (value: bigint) => V128;
}

const repeated =
  (width: number) =>
  (value: bigint): V128 => {
    let half = 0n;
    for (let at = 0; at < 64; at += width) half |= BigInt.asUintN(width, value) << BigInt(at);
    return v128(half, half);
  };

/** Unsigned 64-bit comparisons are signed ones with the sign bits changed. */
const flipped = (a: V128): V128 => bits.xor(a, v128(1n << 63n, 1n << 63n));

export const lanes8: Lanes & typeof i8x16 = { size: 0, width: 8, all: repeated(8), ...i8x16 };
export const lanes16: Lanes & typeof i16x8 = { size: 1, width: 16, all: repeated(16), ...i16x8 };
export const lanes32: Lanes & typeof i32x4 = { size: 2, width: 32, all: repeated(32), ...i32x4 };
export const lanes64: Lanes & typeof i64x2 = {
  size: 3,
  width: 64,
  all: repeated(64),
  ...i64x2,
  gtU: (a, b) => i64x2.gtS(flipped(a), flipped(b)),
  geU: (a, b) => i64x2.geS(flipped(a), flipped(b)),
};
export const lanesOf = (size: number): Lanes => [lanes8, lanes16, lanes32, lanes64][size];

/** The lanes of up to 32 bits have minimum and maximum. */
export const smallLanes = (size: number): typeof lanes8 | typeof lanes16 | typeof lanes32 =>
  [lanes8, lanes16, lanes32][size];

/** The lanes that two lanes of `size` fit in, with the operators that make them. */
export const wideLanes = (size: number): typeof lanes16 | typeof lanes32 | typeof lanes64 =>
  [lanes16, lanes32, lanes64][size];

const LOW_HALF = v128((1n << 64n) - 1n, 0n);

/** The low bits of a vector: 8 to 128 of them. */
export function lowBits(count: number): V128 {
  if (count === 64) return LOW_HALF;
  return count === 128 ? v128(-1n, -1n) : v128((1n << BigInt(count)) - 1n, 0n);
}

/** Byte numbers of whole lanes, for a shuffle. */
const bytesOf = (size: Size, laneNumbers: readonly number[]): number[] =>
  laneNumbers.flatMap((lane) => Array.from({ length: 1 << size }, (_, i) => (lane << size) + i));

/** The even (`odd` = 0) or odd lanes of two vectors of `bytes` (8 or 16), those of `a` first. */
export function alternate(size: Size, odd: 0 | 1, a: V128, b: V128, bytes = 16): V128 {
  const perVector = bytes >> size;
  const chosen = Array.from({ length: perVector }, (_, i) => {
    const lane = 2 * i + odd;
    return lane < perVector ? lane : (16 >> size) + lane - perVector;
  });
  return shuffle(a, b, bytesOf(size, bytes === 16 ? chosen : [...chosen, ...chosen]));
}

/** Reverses the order of lanes of `size` within containers of `container`. */
export function reversed(size: Size, container: Size, a: V128): V128 {
  const mask = (1 << (container - size)) - 1;
  return shuffle(
    a,
    a,
    bytesOf(
      size,
      Array.from({ length: 16 >> size }, (_, lane) => lane ^ mask),
    ),
  );
}

/** Byte `distance + i` of the vector in byte i. */
export const movedDown = (a: V128, distance: number): V128 =>
  shuffle(
    a,
    a,
    Array.from({ length: 16 }, (_, i) => (i + distance) & 15),
  );

/** Lower halves of the lanes of twice `size` in `wide`, in the lower 64 bits; or, with `lower`, above its lower 64 bits. */
export function truncated(size: Size, wide: V128, lower?: V128): V128 {
  const halves = bytesOf(
    size,
    Array.from({ length: 8 >> size }, (_, i) => 2 * i),
  );
  if (!lower) return shuffle(wide, v128(0n, 0n), [...halves, ...Array<number>(8).fill(16)]);
  return shuffle(lower, wide, [0, 1, 2, 3, 4, 5, 6, 7, ...halves.map((byte) => byte + 16)]);
}
