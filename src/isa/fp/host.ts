/** The host's float operations of one width, and exact errors of their results: what the fast paths are made of. */
import {
  extendU,
  type F64,
  type FunctionBuilder,
  type I32,
  type I64,
  i64,
  type Local,
  op32,
  op64,
  type Value,
  type ValueType,
  wrap,
} from '../../wasm/code';
import {
  bitsOf32,
  bitsOf64,
  type FloatOps,
  f32,
  f64,
  float32Of,
  float64Of,
  opF32,
  opF64,
  promote,
} from '../../wasm/float';
import { f64x2, i64x2, bits as lanes, v128 } from '../../wasm/vector';
import { double, type Format, single } from './format';

const { and, add, sub, ltU } = op64;

export type Float = 'f32' | 'f64';

/** One width. */
export interface Host<T extends Float> {
  readonly type: T;
  readonly format: Format;
  readonly ops: FloatOps<T>;
  readonly zero: Value<T>;
  readonly infinity: Value<T>;
  of(bits: I64): Value<T>;
  bits(value: Value<T>): I64;
  /** Whether a * b is exactly `product`; says no where it cannot tell. */
  isProduct(c: FunctionBuilder, a: Local<T>, b: Local<T>, product: Local<T>): I32;
}

/** Whether the magnitude is above the smallest normal number and finite. */
export const isSafelyNormal = (f: Format, bits: I64): I32 => {
  const lowest = (1n << BigInt(f.F)) + 1n;
  return ltU(sub(and(bits, i64(f.magnitudeMask)), i64(lowest)), i64(f.exponentMask - lowest));
};

/** What rounding lost in sum = a + b: exact whenever the sum is finite (TwoSum). */
export function errorOfSum<T extends ValueType>(
  c: FunctionBuilder,
  ops: { add(a: Value<T>, b: Value<T>): Value<T>; sub(a: Value<T>, b: Value<T>): Value<T> },
  a: Local<T>,
  b: Local<T>,
  sum: Local<T>,
): Value<T> {
  const second = c.let(ops.sub(sum, a));
  return ops.add(ops.sub(a, ops.sub(sum, second)), ops.sub(b, second));
}

/** Operators on doubles, one or two of them at once. */
export interface DoubleOps<T extends ValueType> {
  add(a: Value<T>, b: Value<T>): Value<T>;
  sub(a: Value<T>, b: Value<T>): Value<T>;
  mul(a: Value<T>, b: Value<T>): Value<T>;
  /** The upper 26 bits, rounded, so that the rest has 26 bits and a sign. */
  upperHalf(value: Value<T>): Value<T>;
}

const [ROUNDING, UPPER] = [1n << 26n, -1n << 27n];
export const oneDouble: DoubleOps<'f64'> = {
  ...opF64,
  upperHalf: (value) => float64Of(and(add(bitsOf64(value), i64(ROUNDING)), i64(UPPER))),
};
export const twoDoubles: DoubleOps<'v128'> = {
  ...f64x2,
  upperHalf: (value) => lanes.and(i64x2.add(value, v128(ROUNDING, ROUNDING)), v128(UPPER, UPPER)),
};

/** What rounding lost in product = a * b (Dekker); see `isSplitProduct`. */
export function errorOfProduct<T extends ValueType>(
  c: FunctionBuilder,
  { add, sub, mul, upperHalf }: DoubleOps<T>,
  a: Local<T>,
  b: Local<T>,
  product: Local<T>,
): Value<T> {
  const [aHigh, bHigh] = [c.let(upperHalf(a)), c.let(upperHalf(b))];
  const [aLow, bLow] = [c.let(sub(a, aHigh)), c.let(sub(b, bHigh))];
  const crossed = add(add(sub(mul(aHigh, bHigh), product), mul(aHigh, bLow)), mul(aLow, bHigh));
  return add(crossed, mul(aLow, bLow));
}

export const LEAST_SPLIT = 2 ** -960;
/** Whether `errorOfProduct` is exact; where it is not and the product is not tiny, it is a NaN. */
export const isSplitProduct = (product: F64): I32 => opF64.ge(opF64.abs(product), f64(LEAST_SPLIT));

export const host32: Host<'f32'> = {
  type: 'f32',
  format: single,
  ops: opF32,
  zero: f32(0),
  infinity: f32(Infinity),
  of: (bits) => float32Of(wrap(bits)),
  bits: (value) => extendU(bitsOf32(value)),
  isProduct: (_c, a, b, product) => opF64.eq(opF64.mul(promote(a), promote(b)), promote(product)),
};

export const host64: Host<'f64'> = {
  type: 'f64',
  format: double,
  ops: opF64,
  zero: f64(0),
  infinity: f64(Infinity),
  of: float64Of,
  bits: bitsOf64,
  isProduct: (c, a, b, product) => {
    const rounded = opF64.eq(opF64.mul(a, b), product);
    const exact = opF64.eq(errorOfProduct(c, oneDouble, a, b, product), f64(0));
    return op32.and(op32.and(rounded, exact), isSplitProduct(product));
  },
};
