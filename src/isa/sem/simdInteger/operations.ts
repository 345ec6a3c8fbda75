/** Operations on elements that several forms of instructions share; saturating ones are in saturate.ts, shifts in shifts.ts. */
import { i32, type V128 } from '../../../wasm/code';
import { bits, i16x8, i32x4, v128 } from '../../../wasm/vector';
import type { Elements, Operation } from './elements';
import { alternate, lanes8, smallLanes } from './lanes';
import { signsOf } from './saturate';

export const ZERO = v128(0n, 0n);

/** (a + b) >> 1, without the carry that a sum would lose; rounded up if asked. */
export const halvingAdd =
  (isSigned: boolean, round: boolean): Operation =>
  ({ z }, a, b) => {
    const differing = bits.xor(a, b);
    const half = isSigned ? z.shrS(differing, i32(1)) : z.shrU(differing, i32(1));
    return round ? z.sub(bits.or(a, b), half) : z.add(bits.and(a, b), half);
  };

/** (a - b) >> 1: the difference of the halves, less one if only b is odd. */
export const halvingSub =
  (isSigned: boolean): Operation =>
  ({ z }, a, b) => {
    const half = (v: V128): V128 => (isSigned ? z.shrS(v, i32(1)) : z.shrU(v, i32(1)));
    return z.sub(z.sub(half(a), half(b)), bits.and(bits.andNot(b, a), z.all(1n)));
  };

export const add: Operation = ({ z }, a, b) => z.add(a, b);
export const sub: Operation = ({ z }, a, b) => z.sub(a, b);

/** Minimum and maximum of elements up to 32 bits. */
export const order =
  (which: 'minS' | 'minU' | 'maxS' | 'maxU'): Operation =>
  ({ size }, a, b) =>
    smallLanes(size)[which](a, b);

/** |a - b|. */
export const difference =
  (isSigned: boolean): Operation =>
  (e, a, b) =>
    e.z.sub(order(isSigned ? 'maxS' : 'maxU')(e, a, b), order(isSigned ? 'minS' : 'minU')(e, a, b));

/** wasm has no product of 8-bit lanes: the lower halves of the long ones. */
const multiply8 = (a: V128, b: V128): V128 => alternate(0, 0, i16x8.mulLowU(a, b), i16x8.mulHighU(a, b));

export const multiply: Operation = ({ size }, a, b) => [multiply8, i16x8.mul, i32x4.mul][size](a, b);

/** Adds what the operation gives to the destination, or subtracts it. */
export const accumulate =
  (operation: Operation, subtract = false): Operation =>
  (e, a, b) => {
    const value = operation(e, a, b);
    return subtract ? e.z.sub(e.d, value) : e.z.add(e.d, value);
  };

/** A product of polynomials over {0, 1}, of which the lower eight bits are kept. */
export const multiplyPolynomials: Operation = ({ c }, a, b) => {
  const result = c.let(ZERO);
  for (let bit = 0; bit < 8; bit++) {
    const chosen = signsOf(lanes8, lanes8.shl(b, i32(7 - bit)));
    c.set(result, bits.xor(result, bits.and(chosen, lanes8.shl(a, i32(bit)))));
  }
  return result;
};

/** Between neighbouring elements; those of the first operand come first. */
export const pairwise =
  (operation: Operation): Operation =>
  (e, a, b) => {
    const side = (odd: 0 | 1): V128 => alternate(e.size, odd, a, b, e.used / 8);
    return operation(e, e.c.let(side(0)), e.c.let(side(1)));
  };

export const compare =
  (which: 'eq' | 'gtS' | 'geS' | 'gtU' | 'geU'): Operation =>
  ({ z }, a, b) =>
    z[which](a, b);
export const testBits: Operation = ({ z }, a, b) => z.ne(bits.and(a, b), ZERO);

const widen = (isSigned: boolean, v: V128): readonly [low: V128, high: V128] =>
  isSigned ? [i16x8.extendLowS(v), i16x8.extendHighS(v)] : [i16x8.extendLowU(v), i16x8.extendHighU(v)];

/** Sums of neighbouring 32-bit lanes of both: those of `a` first. */
const neighbours = ({ c }: Elements, first: V128, second: V128): V128 => {
  const [a, b] = [c.let(first), c.let(second)];
  return i32x4.add(alternate(2, 0, a, b), alternate(2, 1, a, b));
};

/** The four products of bytes in each word, added up. */
export const dotProduct =
  (signedA: boolean, signedB: boolean): Operation =>
  (e, a, b) => {
    const [lowA, highA] = widen(signedA, a);
    const [lowB, highB] = widen(signedB, b);
    return neighbours(e, i32x4.dotS(lowA, lowB), i32x4.dotS(highA, highB));
  };

/** Rows of eight bytes of both operands, each with each: a 2 x 2 matrix of sums of products. */
export const matrixProduct =
  (signedA: boolean, signedB: boolean): Operation =>
  (e, a, b) => {
    const rowsB = widen(signedB, b).map((row) => e.c.let(row));
    const sums = widen(signedA, a).map((rowA) => {
      const row = e.c.let(rowA);
      return neighbours(e, i32x4.dotS(row, rowsB[0]), i32x4.dotS(row, rowsB[1]));
    });
    return neighbours(e, sums[0], sums[1]);
  };
