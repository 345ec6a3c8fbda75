/**
 * Operators on 128-bit vectors: bits, integer lanes and float lanes. There are no relaxed operations. NaNs that come out of
 * arithmetic on float lanes have bits that differ between tiers of one engine, as with float.ts: whoever uses it for a guest's
 * values tests the result. Lane 0 is the least significant.
 */
import { type I32, type I64, unsignedLeb, type V128, Value, type ValueType } from './code';

const op = (n: number): number[] => [0xfd, ...unsignedLeb(n)];
const unary =
  (n: number) =>
  (a: V128): V128 =>
    new Value('v128', [...a.code, ...op(n)]);
const binary =
  (n: number) =>
  (a: V128, b: V128): V128 =>
    new Value('v128', [...a.code, ...b.code, ...op(n)]);
const test =
  (n: number) =>
  (a: V128): I32 =>
    new Value('i32', [...a.code, ...op(n)]);
/** The amount is taken modulo the lane's width. */
const shift =
  (n: number) =>
  (a: V128, amount: I32): V128 =>
    new Value('v128', [...a.code, ...amount.code, ...op(n)]);
const splat =
  <T extends ValueType>(n: number) =>
  (a: Value<T>): V128 =>
    new Value('v128', [...a.code, ...op(n)]);
const extract =
  <T extends ValueType>(n: number, type: T) =>
  (a: V128, lane: number): Value<T> =>
    new Value(type, [...a.code, ...op(n), lane]);
const replace =
  <T extends ValueType>(n: number) =>
  (a: V128, lane: number, value: Value<T>): V128 =>
    new Value('v128', [...a.code, ...value.code, ...op(n), lane]);

/** A constant: two 64-bit halves. */
export function v128(low: bigint, high: bigint): V128 {
  const bytes = new Uint8Array(16);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, BigInt.asUintN(64, low), true);
  view.setBigUint64(8, BigInt.asUintN(64, high), true);
  return new Value('v128', [...op(12), ...bytes]);
}

/** Bytes of `a` (0 to 15) and `b` (16 to 31) in a fixed order. */
export function shuffle(a: V128, b: V128, bytes: readonly number[]): V128 {
  if (bytes.length !== 16) throw new Error('elscope bug: a shuffle names 16 bytes');
  return new Value('v128', [...a.code, ...b.code, ...op(13), ...bytes]);
}
/** Bytes of `a` in the order that `indices` says; zero where an index is 16 or more. */
export const swizzle = binary(14);

/** All 128 bits. */
export const bits = {
  not: unary(77),
  and: binary(78),
  /** a AND NOT b. */
  andNot: binary(79),
  or: binary(80),
  xor: binary(81),
  /** Bits of `yes` where `mask` is one, else of `no`. */
  select: (mask: V128, yes: V128, no: V128): V128 =>
    new Value('v128', [...yes.code, ...no.code, ...mask.code, ...op(82)]),
  anyTrue: test(83),
} as const;

/** Comparisons of integer lanes: all ones or all zeros. */
const compares = (first: number) => ({
  eq: binary(first),
  ne: binary(first + 1),
  ltS: binary(first + 2),
  ltU: binary(first + 3),
  gtS: binary(first + 4),
  gtU: binary(first + 5),
  leS: binary(first + 6),
  leU: binary(first + 7),
  geS: binary(first + 8),
  geU: binary(first + 9),
});
const shifts = (first: number) => ({ shl: shift(first), shrS: shift(first + 1), shrU: shift(first + 2) });
const minMax = (first: number) => ({
  minS: binary(first),
  minU: binary(first + 1),
  maxS: binary(first + 2),
  maxU: binary(first + 3),
});
const saturatingSums = (first: number) => ({
  add: binary(first),
  addSatS: binary(first + 1),
  addSatU: binary(first + 2),
  sub: binary(first + 3),
  subSatS: binary(first + 4),
  subSatU: binary(first + 5),
});
/** From lanes of half the width, of the lower or upper half of the vector. */
const widening = (first: number) => ({
  extendLowS: unary(first),
  extendHighS: unary(first + 1),
  extendLowU: unary(first + 2),
  extendHighU: unary(first + 3),
});
const wideningProducts = (first: number) => ({
  mulLowS: binary(first),
  mulHighS: binary(first + 1),
  mulLowU: binary(first + 2),
  mulHighU: binary(first + 3),
});

export const i8x16 = {
  splat: splat<'i32'>(15),
  extractS: extract(21, 'i32'),
  extractU: extract(22, 'i32'),
  replace: replace<'i32'>(23),
  ...compares(35),
  abs: unary(96),
  neg: unary(97),
  popcnt: unary(98),
  allTrue: test(99),
  bitmask: test(100),
  /** From the 16-bit lanes of both, saturating. */
  narrowS: binary(101),
  narrowU: binary(102),
  ...shifts(107),
  ...saturatingSums(110),
  ...minMax(118),
  /** (a + b + 1) >> 1. */
  avgU: binary(123),
} as const;

export const i16x8 = {
  splat: splat<'i32'>(16),
  extractS: extract(24, 'i32'),
  extractU: extract(25, 'i32'),
  replace: replace<'i32'>(26),
  ...compares(45),
  /** Sums of neighbouring 8-bit lanes. */
  addPairsS: unary(124),
  addPairsU: unary(125),
  abs: unary(128),
  neg: unary(129),
  /** (a * b + 0x4000) >> 15, saturating: SQRDMULH, but without its saturation flag. */
  roundMulHigh: binary(130),
  allTrue: test(131),
  bitmask: test(132),
  narrowS: binary(133),
  narrowU: binary(134),
  ...widening(135),
  ...shifts(139),
  ...saturatingSums(142),
  mul: binary(149),
  ...minMax(150),
  avgU: binary(155),
  ...wideningProducts(156),
} as const;

export const i32x4 = {
  splat: splat<'i32'>(17),
  extract: extract(27, 'i32'),
  replace: replace<'i32'>(28),
  ...compares(55),
  addPairsS: unary(126),
  addPairsU: unary(127),
  abs: unary(160),
  neg: unary(161),
  allTrue: test(163),
  bitmask: test(164),
  ...widening(167),
  ...shifts(171),
  add: binary(174),
  sub: binary(177),
  mul: binary(181),
  ...minMax(182),
  /** Sums of the products of two neighbouring signed 16-bit lanes. */
  dotS: binary(186),
  ...wideningProducts(188),
} as const;

/** There is no unsigned comparison of 64-bit lanes. */
export const i64x2 = {
  splat: splat<'i64'>(18),
  extract: extract(29, 'i64'),
  replace: replace<'i64'>(30),
  eq: binary(214),
  ne: binary(215),
  ltS: binary(216),
  gtS: binary(217),
  leS: binary(218),
  geS: binary(219),
  abs: unary(192),
  neg: unary(193),
  allTrue: test(195),
  bitmask: test(196),
  ...widening(199),
  ...shifts(203),
  add: binary(206),
  sub: binary(209),
  mul: binary(213),
  ...wideningProducts(220),
} as const;

/** Comparisons give all ones or all zeros and are false for NaN (`ne`: true); abs and neg change bits only. */
const floatLanes = (compare: number, first: number, sqrt: number) => ({
  eq: binary(compare),
  ne: binary(compare + 1),
  lt: binary(compare + 2),
  gt: binary(compare + 3),
  le: binary(compare + 4),
  ge: binary(compare + 5),
  abs: unary(first),
  neg: unary(first + 1),
  sqrt: unary(sqrt),
  add: binary(sqrt + 1),
  sub: binary(sqrt + 2),
  mul: binary(sqrt + 3),
  div: binary(sqrt + 4),
  /** Of two zeros of different sign the negative one is the lesser. */
  min: binary(sqrt + 5),
  max: binary(sqrt + 6),
});
export const f32x4 = floatLanes(65, 224, 227);
export const f64x2 = floatLanes(71, 236, 239);
/** The lower two singles as doubles; doubles as the lower two singles, the upper two zero. */
export const promoteLow = unary(95);
export const demoteZero = unary(94);

/** A 64-bit value in the lower half, the upper half zero. */
export const fromLow64 = (low: I64): V128 => i64x2.replace(v128(0n, 0n), 0, low);
