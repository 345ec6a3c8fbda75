/**
 * Operators on wasm's floats. Their NaNs have bits that differ between tiers of one engine: whoever uses the arithmetic here
 * for a guest's values tests the result for NaN and does that case in integer code.
 */
import { binary, type F32, type F64, type I32, unary, Value, type ValueType } from './code';

const bytesOf = (data: Float32Array | Float64Array): Uint8Array => new Uint8Array(data.buffer);
export const f32 = (n: number): F32 => new Value('f32', [0x43, ...bytesOf(new Float32Array([n]))]);
export const f64 = (n: number): F64 => new Value('f64', [0x44, ...bytesOf(new Float64Array([n]))]);

/** Operators of one width. Comparisons give i32 and are false for NaN (`ne`: true); abs, neg and copysign change bits only. */
export interface FloatOps<T extends ValueType> {
  eq(a: Value<T>, b: Value<T>): I32;
  ne(a: Value<T>, b: Value<T>): I32;
  lt(a: Value<T>, b: Value<T>): I32;
  gt(a: Value<T>, b: Value<T>): I32;
  le(a: Value<T>, b: Value<T>): I32;
  ge(a: Value<T>, b: Value<T>): I32;
  abs(a: Value<T>): Value<T>;
  neg(a: Value<T>): Value<T>;
  ceil(a: Value<T>): Value<T>;
  floor(a: Value<T>): Value<T>;
  trunc(a: Value<T>): Value<T>;
  /** To nearest, ties to even. */
  nearest(a: Value<T>): Value<T>;
  sqrt(a: Value<T>): Value<T>;
  add(a: Value<T>, b: Value<T>): Value<T>;
  sub(a: Value<T>, b: Value<T>): Value<T>;
  mul(a: Value<T>, b: Value<T>): Value<T>;
  div(a: Value<T>, b: Value<T>): Value<T>;
  copysign(magnitude: Value<T>, sign: Value<T>): Value<T>;
}

function floatOps<T extends ValueType>(type: T, compare: number, first: number): FloatOps<T> {
  return {
    eq: binary(compare, 'i32'),
    ne: binary(compare + 1, 'i32'),
    lt: binary(compare + 2, 'i32'),
    gt: binary(compare + 3, 'i32'),
    le: binary(compare + 4, 'i32'),
    ge: binary(compare + 5, 'i32'),
    abs: unary(first, type),
    neg: unary(first + 1, type),
    ceil: unary(first + 2, type),
    floor: unary(first + 3, type),
    trunc: unary(first + 4, type),
    nearest: unary(first + 5, type),
    sqrt: unary(first + 6, type),
    add: binary(first + 7, type),
    sub: binary(first + 8, type),
    mul: binary(first + 9, type),
    div: binary(first + 10, type),
    copysign: binary(first + 13, type),
  };
}

export const opF32 = floatOps('f32', 0x5b, 0x8b);
export const opF64 = floatOps('f64', 0x61, 0x99);

/** Whether a value is a NaN. The operand is evaluated twice. */
export const isNaN32 = (a: F32): I32 => opF32.ne(a, a);
export const isNaN64 = (a: F64): I32 => opF64.ne(a, a);

export const demote = unary<'f64', 'f32'>(0xb6, 'f32');
export const promote = unary<'f32', 'f64'>(0xbb, 'f64');

/** Bits as they are. */
export const bitsOf32 = unary<'f32', 'i32'>(0xbc, 'i32');
export const bitsOf64 = unary<'f64', 'i64'>(0xbd, 'i64');
export const float32Of = unary<'i32', 'f32'>(0xbe, 'f32');
export const float64Of = unary<'i64', 'f64'>(0xbf, 'f64');

/** From integers, to nearest, ties to even. */
export const fromInteger = {
  f32: {
    i32S: unary<'i32', 'f32'>(0xb2, 'f32'),
    i32U: unary<'i32', 'f32'>(0xb3, 'f32'),
    i64S: unary<'i64', 'f32'>(0xb4, 'f32'),
    i64U: unary<'i64', 'f32'>(0xb5, 'f32'),
  },
  f64: {
    i32S: unary<'i32', 'f64'>(0xb7, 'f64'),
    i32U: unary<'i32', 'f64'>(0xb8, 'f64'),
    i64S: unary<'i64', 'f64'>(0xb9, 'f64'),
    i64U: unary<'i64', 'f64'>(0xba, 'f64'),
  },
} as const;

const saturating =
  <A extends ValueType, R extends ValueType>(opcode: number, result: R) =>
  (a: Value<A>): Value<R> =>
    new Value(result, [...a.code, 0xfc, opcode]);

/** To integers, toward zero; out of range to the nearest end, NaN to zero: as FCVTZS and FCVTZU do. */
export const toInteger = {
  f32: {
    i32S: saturating<'f32', 'i32'>(0, 'i32'),
    i32U: saturating<'f32', 'i32'>(1, 'i32'),
    i64S: saturating<'f32', 'i64'>(4, 'i64'),
    i64U: saturating<'f32', 'i64'>(5, 'i64'),
  },
  f64: {
    i32S: saturating<'f64', 'i32'>(2, 'i32'),
    i32U: saturating<'f64', 'i32'>(3, 'i32'),
    i64S: saturating<'f64', 'i64'>(6, 'i64'),
    i64U: saturating<'f64', 'i64'>(7, 'i64'),
  },
} as const;

/** Counters and penalties: never a guest's values. */
export const addF64: (a: F64, b: F64) => F64 = opF64.add;
export const geF64: (a: F64, b: F64) => I32 = opF64.ge;
