/** Shifts of elements, by one amount or by one each, with rounding and saturation. */
import { type I32, i32, type Local, type V128 } from '../../../wasm/code';
import { bits, v128 } from '../../../wasm/vector';
import type { Elements, Operation } from './elements';
import type { Lanes } from './lanes';
import { limitOf, signsOf } from './saturate';

type Vector = Local<'v128'>;

/** The last step of a shift to the right, after one by one bit less: by one bit, adding the bit that falls out to round. */
function lastBit(z: Lanes, isSigned: boolean, round: boolean, before: Vector): V128 {
  const shifted = isSigned ? z.shrS(before, i32(1)) : z.shrU(before, i32(1));
  return round ? z.add(shifted, bits.and(before, z.all(1n))) : shifted;
}

/** By `less` + 1 bits, up to the whole width. */
export function right(e: Elements, z: Lanes, isSigned: boolean, round: boolean, a: V128, less: I32): V128 {
  const before = e.c.let(isSigned ? z.shrS(a, less) : z.shrU(a, less));
  return lastBit(z, isSigned, round, before);
}

/** Every element by its own amount below the width: bit by bit of the amounts. */
function shiftEach({ c, z }: Elements, way: 'shl' | 'shrS' | 'shrU', a: V128, amounts: Vector): Vector {
  const result = c.let(a);
  for (let bit = 0; 1 << bit < z.width; bit++) {
    const chosen = signsOf(z, z.shl(amounts, i32(z.width - 1 - bit)));
    c.set(result, bits.select(chosen, z[way](result, i32(1 << bit)), result));
  }
  return result;
}

/** To the right by `less` + 1 bits each; amounts past the width leave the sign, or nothing. */
function rightEach(e: Elements, isSigned: boolean, round: boolean, a: Vector, less: Vector): V128 {
  const { c, z } = e;
  const most = z.all(BigInt(z.width - 1));
  const past = c.let(z.gtS(less, most));
  const before = shiftEach(e, isSigned ? 'shrS' : 'shrU', a, c.let(bits.select(past, most, less)));
  return lastBit(z, isSigned, round, isSigned ? before : c.let(bits.andNot(before, past)));
}

interface RegisterShift {
  readonly isSigned: boolean;
  readonly round: boolean;
  readonly saturate: boolean;
}

/** SSHL and its kin: by the signed lowest byte of each element of b, negative to the right. */
export const byRegister =
  ({ isSigned, round, saturate }: RegisterShift): Operation =>
  (e, a, b) => {
    const { c, z } = e;
    const amounts = c.let(z.shrS(z.shl(b, i32(z.width - 8)), i32(z.width - 8)));
    const toRight = c.let(signsOf(z, amounts));
    const shiftedRight = c.let(rightEach(e, isSigned, round, a, c.let(bits.not(amounts))));
    const past = z.gtS(amounts, z.all(BigInt(z.width - 1)));
    const shifted = c.let(bits.andNot(shiftEach(e, 'shl', a, amounts), past));
    if (!saturate) return bits.select(toRight, shiftedRight, shifted);
    const back = shiftEach(e, isSigned ? 'shrS' : 'shrU', shifted, amounts);
    const over = c.let(bits.andNot(z.ne(back, a), toRight));
    e.saturated(over);
    const limit = isSigned ? limitOf(z, a) : v128(-1n, -1n);
    return bits.select(toRight, shiftedRight, bits.select(over, limit, shifted));
  };

/** SQSHL, UQSHL (immediate). */
export const leftSaturating =
  (isSigned: boolean) =>
  (e: Elements, a: Vector, amount: I32): V128 => {
    const { c, z } = e;
    const shifted = c.let(z.shl(a, amount));
    const over = c.let(z.ne(isSigned ? z.shrS(shifted, amount) : z.shrU(shifted, amount), a));
    e.saturated(over);
    return bits.select(over, isSigned ? limitOf(z, a) : over, shifted);
  };

/** SQSHLU: negative elements become zero, the others are shifted as unsigned ones. */
export function leftSaturatingUnsigned(e: Elements, a: Vector, amount: I32): V128 {
  const { c, z } = e;
  const negative = c.let(signsOf(z, a));
  const shifted = c.let(z.shl(a, amount));
  const over = c.let(z.ne(z.shrU(shifted, amount), a));
  e.saturated(bits.or(over, negative));
  return bits.andNot(bits.or(shifted, over), negative);
}

/** SLI: the destination keeps the bits that the shift would fill. */
export const leftInsert = ({ z, d }: Elements, a: Vector, amount: I32): V128 =>
  bits.select(z.shl(v128(-1n, -1n), amount), z.shl(a, amount), d);

/** SRI. */
export const rightInsert = ({ z, d }: Elements, a: Vector, less: I32): V128 => {
  const shifted = (v: V128): V128 => z.shrU(z.shrU(v, less), i32(1));
  return bits.select(shifted(v128(-1n, -1n)), shifted(a), d);
};
