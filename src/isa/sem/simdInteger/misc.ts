/** Semantics of Advanced SIMD two registers, across lanes and bitwise immediates. Rows: arch/instructions/simdInteger/misc. */
import type { Fields } from '../../../arch/instructions';
import { i32, type V128 } from '../../../wasm/code';
import { bits, i16x8, i32x4, i64x2, swizzle, v128 } from '../../../wasm/vector';
import type { Semantics, SemanticsContext } from '../context';
import { Elements, inForms, longUnary, narrowUnary, type Operation, unary } from './elements';
import { lanes8, lanesOf, movedDown, reversed, type Size, wideLanes } from './lanes';
import { add, order, ZERO } from './operations';
import { addMixedSaturating, limitedQ, negationSaturating, type Saturation, signsOf } from './saturate';

/** A table of 16 bytes. */
const table = (of: (nibble: number) => number): V128 => {
  const half = (from: number): bigint =>
    Array.from({ length: 8 }, (_, i) => BigInt(of(from + i)) << BigInt(8 * i)).reduce((a, b) => a | b);
  return v128(half(0), half(8));
};
const lowNibbles = (a: V128): V128 => bits.and(a, lanes8.all(15n));
const highNibbles = (a: V128): V128 => lanes8.shrU(a, i32(4));

const REVERSED_NIBBLE = table((n) => ((n & 1) << 3) | ((n & 2) << 1) | ((n & 4) >> 1) | (n >> 3));
const reversedBits = (a: V128): V128 =>
  bits.or(lanes8.shl(swizzle(REVERSED_NIBBLE, lowNibbles(a)), i32(4)), swizzle(REVERSED_NIBBLE, highNibbles(a)));

const NIBBLE_ZEROS = table((n) => Math.clz32(n) - 28);
/** Of halves: the upper one's count, and the lower one's too where the upper half has no bit set. */
function leadingZeros({ c, size }: Elements, a: V128): V128 {
  const value = c.let(a);
  const upper = c.let(swizzle(NIBBLE_ZEROS, highNibbles(value)));
  let count = lanes8.add(upper, bits.and(swizzle(NIBBLE_ZEROS, lowNibbles(value)), lanes8.eq(upper, lanes8.all(4n))));
  for (let s = 1; s <= size; s++) {
    const z = lanesOf(s);
    const halves = c.let(count);
    const half = i32(z.width / 2);
    const high = c.let(z.shrU(halves, half));
    const low = z.shrU(z.shl(halves, half), half);
    count = z.add(high, bits.and(low, z.eq(high, z.all(BigInt(z.width / 2)))));
  }
  return count;
}

/** Sums of neighbours, in elements of twice the width. */
const pairSums =
  (isSigned: boolean) =>
  ({ size }: Elements, a: V128): V128 => {
    if (size === 0) return isSigned ? i16x8.addPairsS(a) : i16x8.addPairsU(a);
    if (size === 1) return isSigned ? i32x4.addPairsS(a) : i32x4.addPairsU(a);
    const upper = (v: V128): V128 => (isSigned ? i64x2.shrS(v, i32(32)) : i64x2.shrU(v, i32(32)));
    return i64x2.add(upper(a), upper(i64x2.shl(a, i32(32))));
  };

/** Reduces the lowest `bytes` to one lane in lane 0. */
function reduce(e: Elements, size: Size, operation: (a: V128, b: V128) => V128, vector: V128, bytes: number): V128 {
  let value = e.c.let(vector);
  for (let half = bytes / 2; half >= 1 << size; half /= 2) value = e.c.let(operation(value, movedDown(value, half)));
  return value;
}
const across = (operation: Operation): Semantics => ({
  emit: (s) => {
    const size = s.statics.size as Size;
    const e = new Elements(s, size, 64 << s.statics.Q);
    const combine = (a: V128, b: V128): V128 => operation(e, e.c.let(a), e.c.let(b));
    e.write(reduce(e, size, combine, e.n, e.used / 8), 8 << size);
  },
});
const acrossLong = (isSigned: boolean): Semantics => ({
  emit: (s) => {
    const size = s.statics.size as Size;
    const e = new Elements(s, size, 64 << s.statics.Q);
    const w = wideLanes(size);
    const low = isSigned ? w.extendLowS(e.n) : w.extendLowU(e.n);
    const high = isSigned ? w.extendHighS(e.n) : w.extendHighU(e.n);
    const wide = s.statics.Q === 1 ? w.add(low, high) : low;
    e.write(reduce(e, w.size, w.add, wide, 16), 16 << size);
  },
});

/**
 * The quotients or roots below, bit by bit: the largest number from 512 to 1023 of which `fits` is true in each lane, then
 * halved, rounded up.
 */
function estimate({ c }: Elements, fits: (guess: V128) => V128): V128 {
  const result = c.let(i32x4.splat(i32(512)));
  for (let bit = 256; bit >= 1; bit >>= 1) {
    const guess = c.let(bits.or(result, i32x4.splat(i32(bit))));
    c.set(result, bits.select(fits(guess), guess, result));
  }
  return i32x4.shrU(i32x4.add(result, i32x4.splat(i32(1))), i32(1));
}
/** Bits [31:23] of a result, all ones where the operand is below the range that has an estimate. */
const estimated = (below: number, a: V128, estimates: V128): V128 =>
  bits.or(i32x4.shl(estimates, i32(23)), i32x4.eq(i32x4.shrU(a, i32(below)), ZERO));

/** UnsignedRecipEstimate(), with RecipEstimate(). */
function reciprocal(e: Elements, a: V128): V128 {
  const operand = i32x4.shrU(a, i32(23));
  const divisor = e.c.let(i32x4.add(i32x4.shl(operand, i32(1)), i32x4.splat(i32(1))));
  const fits = (guess: V128): V128 => i32x4.gtS(i32x4.splat(i32(2 ** 19 + 1)), i32x4.mul(guess, divisor));
  return estimated(31, a, estimate(e, fits));
}
/** UnsignedRSqrtEstimate(), with RecipSqrtEstimate(). */
function reciprocalRoot(e: Elements, a: V128): V128 {
  const { c } = e;
  const operand = c.let(i32x4.shrU(a, i32(23)));
  const one = i32x4.splat(i32(1));
  const isSmall = i32x4.gtS(i32x4.splat(i32(256)), operand);
  const doubled = (v: V128): V128 => i32x4.shl(v, i32(1));
  const large = doubled(i32x4.add(bits.andNot(operand, one), one));
  const scaled = c.let(bits.select(isSmall, i32x4.add(doubled(operand), one), large));
  const fits = (guess: V128): V128 => i32x4.gtS(i32x4.splat(i32(2 ** 28)), i32x4.mul(i32x4.mul(scaled, guess), guess));
  return estimated(30, a, estimate(e, fits));
}

const extracted = (to?: Saturation): Semantics => narrowUnary((e, a) => (to ? limitedQ(e, to, a) : a));
const negation = (operation: 'abs' | 'neg'): Semantics => unary((e, a) => negationSaturating(e, operation, a));

/** A modified immediate of 32 or 16 bits, in every element. */
const immediate = (s: SemanticsContext, size: 's' | 'h'): V128 =>
  i32x4.splat(
    s.small((f: Fields) => {
      const value = ((f.abc << 5) | f.defgh) << (8 * f.hw);
      return size === 's' ? value : value | (value << 16);
    }),
  );
const withImmediate = (operation: (d: V128, immediate: V128) => V128, size: 's' | 'h'): Semantics => ({
  emit: (s) => {
    const e = new Elements(s, 0, 64 << s.statics.Q);
    e.write(operation(e.d, immediate(s, size)));
  },
});

export const miscSemantics = {
  ...inForms(['vec', 'scalar'], {
    SUQADD: unary((e, a) => addMixedSaturating(e, true, e.d, a)),
    USQADD: unary((e, a) => addMixedSaturating(e, false, e.d, a)),
    SQABS: negation('abs'),
    SQNEG: negation('neg'),
    ABS: unary(({ z }, a) => z.abs(a)),
    NEG: unary(({ z }, a) => z.neg(a)),
    SQXTN: extracted('signed'),
    SQXTUN: extracted('signedToUnsigned'),
    UQXTN: extracted('unsigned'),
  }),
  ...inForms(['zero_vec', 'zero_scalar'], {
    CMEQ: unary(({ z }, a) => z.eq(a, ZERO)),
    CMGE: unary(({ z }, a) => z.geS(a, ZERO)),
    CMGT: unary(({ z }, a) => z.gtS(a, ZERO)),
    CMLE: unary(({ z }, a) => z.geS(ZERO, a)),
    CMLT: unary(({ z }, a) => z.gtS(ZERO, a)),
  }),
  ...inForms(['vec'], {
    REV16: unary(({ size }, a) => reversed(size, 1, a)),
    REV32: unary(({ size }, a) => reversed(size, 2, a)),
    REV64: unary(({ size }, a) => reversed(size, 3, a)),
    RBIT: unary((_e, a) => reversedBits(a)),
    NOT: unary((_e, a) => bits.not(a)),
    CNT: unary((_e, a) => lanes8.popcnt(a)),
    CLZ: unary(leadingZeros),
    CLS: unary((e, a) => e.z.sub(leadingZeros(e, bits.xor(a, signsOf(e.z, a))), e.z.all(1n))),
    XTN: extracted(),
    SHLL: longUnary((e, a) => wideLanes(e.size).shl(e.widened(false, a), i32(e.z.width))),
    SADDLP: unary(pairSums(true)),
    UADDLP: unary(pairSums(false)),
    SADALP: unary((e, a) => wideLanes(e.size).add(e.d, pairSums(true)(e, a))),
    UADALP: unary((e, a) => wideLanes(e.size).add(e.d, pairSums(false)(e, a))),
    URECPE: unary(reciprocal),
    URSQRTE: unary(reciprocalRoot),
    SADDLV: acrossLong(true),
    UADDLV: acrossLong(false),
    ADDV: across(add),
    SMAXV: across(order('maxS')),
    UMAXV: across(order('maxU')),
    SMINV: across(order('minS')),
    UMINV: across(order('minU')),
  }),
  ADDP_scalar: unary((e, a) => e.z.add(a, movedDown(a, 8))),
  ORR_imm_s: withImmediate((d, imm) => bits.or(d, imm), 's'),
  ORR_imm_h: withImmediate((d, imm) => bits.or(d, imm), 'h'),
  BIC_imm_s: withImmediate((d, imm) => bits.andNot(d, imm), 's'),
  BIC_imm_h: withImmediate((d, imm) => bits.andNot(d, imm), 'h'),
} as const;
