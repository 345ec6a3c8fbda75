/** The host's float operations of one width, and exact errors of their results: what the fast paths are made of. */
import { extendU, type F64, type I32, type I64, i64, type Local, op32, op64, type Value, wrap } from '../../wasm/code';
import { bitsOf32, bitsOf64, type FloatOps, f64, float32Of, float64Of, opF32, opF64, promote } from '../../wasm/float';
import { double, type Format, single } from './format';
import type { RoutineCode } from './routine';

const { and, add, sub, ltU } = op64;

export type Float = 'f32' | 'f64';

/** One width. */
export interface Host<T extends Float> {
  readonly format: Format;
  readonly ops: FloatOps<T>;
  of(bits: I64): Value<T>;
  bits(value: Value<T>): I64;
  /** Whether a * b is exactly `product`; says no where it cannot tell. */
  isProduct(c: RoutineCode, a: Local<T>, b: Local<T>, product: Local<T>): I32;
}

/** Whether the magnitude is above the smallest normal number and finite. */
export const isSafelyNormal = (f: Format, bits: I64): I32 => {
  const lowest = (1n << BigInt(f.F)) + 1n;
  return ltU(sub(and(bits, i64(f.magnitudeMask)), i64(lowest)), i64(f.exponentMask - lowest));
};

/** What rounding lost in sum = a + b: exact whenever the sum is finite (TwoSum). */
export function errorOfSum<T extends Float>(
  c: RoutineCode,
  ops: FloatOps<T>,
  a: Local<T>,
  b: Local<T>,
  sum: Local<T>,
): Value<T> {
  const second = c.let(ops.sub(sum, a));
  return ops.add(ops.sub(a, ops.sub(sum, second)), ops.sub(b, second));
}

/** The upper 26 bits of a double, rounded, so that the rest has 26 bits and a sign. */
function upperHalf(value: F64): F64 {
  return float64Of(and(add(bitsOf64(value), i64(1n << 26n)), i64(-1n << 27n)));
}

/** What rounding lost in product = a * b (Dekker); see `isSplitProduct`. */
export function errorOfProduct(c: RoutineCode, a: Local<'f64'>, b: Local<'f64'>, product: Local<'f64'>): F64 {
  const { mul, sub, add } = opF64;
  const [aHigh, bHigh] = [c.let(upperHalf(a)), c.let(upperHalf(b))];
  const [aLow, bLow] = [c.let(sub(a, aHigh)), c.let(sub(b, bHigh))];
  const crossed = add(add(sub(mul(aHigh, bHigh), product), mul(aHigh, bLow)), mul(aLow, bHigh));
  return add(crossed, mul(aLow, bLow));
}

/** Whether `errorOfProduct` is exact; where it is not and the product is not tiny, it is a NaN. */
export const isSplitProduct = (product: F64): I32 => opF64.ge(opF64.abs(product), f64(2 ** -960));

export const host32: Host<'f32'> = {
  format: single,
  ops: opF32,
  of: (bits) => float32Of(wrap(bits)),
  bits: (value) => extendU(bitsOf32(value)),
  isProduct: (_c, a, b, product) => opF64.eq(opF64.mul(promote(a), promote(b)), promote(product)),
};

export const host64: Host<'f64'> = {
  format: double,
  ops: opF64,
  of: float64Of,
  bits: bitsOf64,
  isProduct: (c, a, b, product) => {
    const rounded = opF64.eq(opF64.mul(a, b), product);
    const exact = opF64.eq(errorOfProduct(c, a, b, product), f64(0));
    return op32.and(op32.and(rounded, exact), isSplitProduct(product));
  },
};
