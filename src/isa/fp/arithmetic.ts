/**
 * Addition, multiplication, division and square root in integer code. It is right for all operands, rounding modes and
 * controls; fast.ts says when the host's float operations give the same. Manual: FPAdd, FPSub, FPMul, FPMulX, FPDiv, FPSqrt.
 */
import { extendU, type I32, type I64, i32, i64, type Local, op32, op64, type ValueType, wrap } from '../../wasm/code';
import { type Format, FPSR } from './format';
import {
  isAnyNaN,
  isInfinite,
  isSpecial,
  isZero,
  type Routine,
  type RoutineCode,
  routine,
  sign,
  signOfProduct,
  type Unpacked,
} from './routine';

const { add, and, or, xor, shl, shrU, sub, mul, clz, eq, eqz, ne, ltU, geU } = op64;

/** Flushes denormal operands and answers for NaNs. */
export function prepare(c: RoutineCode, f: Format, ...operands: Local<'i64'>[]): void {
  for (const a of operands) c.flush(f, a);
  const anyNaN = operands.map((a) => isAnyNaN(f, a)).reduce((x, y) => op32.or(x, y));
  const name = ['FPProcessNaN', 'FPProcessNaNs', 'FPProcessNaNs3'][operands.length - 1];
  c.if(anyNaN, () => c.return(c.callBits(`${name}${f.bits}`, ...operands)));
}

/** A finite number as locals that may be changed. Zero has a zero significand. */
export interface Term extends Unpacked {
  readonly sign: Local<'i32'>;
}

export function term(c: RoutineCode, f: Format, a: I64): Term {
  const u = c.unpack(f, a);
  return { ...u, sign: c.let(u.sign) };
}

function swap<T extends ValueType>(c: RoutineCode, a: Local<T>, b: Local<T>): void {
  const kept = c.let(a);
  c.set(a, b);
  c.set(b, kept);
}

/** Puts the term with the greater magnitude first; `below` says that significands with equal exponents are out of order. */
export function orderTerms(c: RoutineCode, a: Term, b: Term, below: I32, more: () => void = () => {}): void {
  const greater = op32.or(op32.gtS(b.exponent, a.exponent), op32.and(op32.eq(b.exponent, a.exponent), below));
  c.if(op32.and(ne(b.significand, i64(0)), op32.or(greater, eqz(a.significand))), () => {
    swap(c, a.sign, b.sign);
    swap(c, a.exponent, b.exponent);
    swap(c, a.significand, b.significand);
    more();
  });
}

/** Adds two numbers and rounds; no significand has a bit set below bit 10. `scale` is added to the sum's exponent. */
export function returnSum(c: RoutineCode, f: Format, a: Term, b: Term, scale = 0): void {
  orderTerms(c, a, b, ltU(a.significand, b.significand));
  const sum = c.let(shrU(a.significand, i64(1)));
  const other = c.let(shrU(b.significand, i64(1)));
  c.if(ne(other, i64(0)), () => c.shiftRightJam(other, c.let(op32.sub(a.exponent, b.exponent))));
  c.if(
    op32.eq(a.sign, b.sign),
    () => c.set(sum, add(sum, other)),
    () => c.set(sum, sub(sum, other)),
  );
  c.if(eqz(sum), () => c.returnCancelled(f));
  const zeros = c.let(clz(sum));
  const exponent = op32.sub(op32.add(a.exponent, i32(1 + scale)), wrap(zeros));
  c.returnRounded(f, a.sign, exponent, shl(sum, zeros));
}

/** (a, b, mask to flip the sign of b). NaNs keep their sign. */
const addSubtract = (f: Format): Routine =>
  routine(['i64', 'i64', 'i64'], (c) => {
    const [a, b] = [c.bits(1), c.bits(2)];
    prepare(c, f, a, b);
    c.set(b, xor(b, c.bits(3)));
    c.if(isSpecial(f, a), () => {
      c.if(op32.and(isSpecial(f, b), ne(a, b)), () => c.returnInvalid(f));
      c.return(a);
    });
    c.if(isSpecial(f, b), () => c.return(b));
    c.if(isZero(f, or(a, b)), () => {
      c.if(eq(a, b), () => c.return(a));
      c.returnCancelled(f);
    });
    returnSum(c, f, term(c, f, a), term(c, f, b));
  });

/** The 128-bit product of two locals. */
export function multiplyWide(c: RoutineCode, a: I64, b: I64): { hi: Local<'i64'>; lo: Local<'i64'> } {
  const low = (v: I64): I64 => and(v, i64(0xffffffff));
  const high = (v: I64): I64 => shrU(v, i64(32));
  const ll = c.let(mul(low(a), low(b)));
  const t = c.let(add(mul(high(a), low(b)), high(ll)));
  const u = c.let(add(mul(low(a), high(b)), low(t)));
  const hi = c.let(add(add(mul(high(a), high(b)), high(t)), high(u)));
  return { hi, lo: c.let(or(shl(u, i64(32)), low(ll))) };
}

/** The product of two significands as its upper 64 bits with a sticky bit; bit 63 or 62 is set. */
export function productOf(c: RoutineCode, f: Format, a: Unpacked, b: Unpacked): Local<'i64'> {
  if (f.bits !== 64) return c.let(mul(shrU(a.significand, i64(32)), shrU(b.significand, i64(32))));
  const { hi, lo } = multiplyWide(c, a.significand, b.significand);
  return c.let(or(hi, extendU(ne(lo, i64(0)))));
}

/** Infinities and zeros of a product: returns for them. `extended` is FPMulX(), where infinity times zero is 2.0. */
function returnSpecialProduct(c: RoutineCode, f: Format, extended: boolean): void {
  const [a, b] = [c.bits(1), c.bits(2)];
  const signBit = c.let(signOfProduct(f, a, b));
  const anyZero = c.let(op32.or(isZero(f, a), isZero(f, b)));
  c.if(op32.or(isSpecial(f, a), isSpecial(f, b)), () => {
    c.if(anyZero, () => {
      if (extended) c.return(or(signBit, i64(BigInt(f.bias + 1) << BigInt(f.F))));
      else c.returnInvalid(f);
    });
    c.return(or(signBit, i64(f.exponentMask)));
  });
  c.if(anyZero, () => c.return(signBit));
}

const multiply = (f: Format, extended: boolean): Routine =>
  routine(['i64', 'i64'], (c) => {
    const [a, b] = [c.bits(1), c.bits(2)];
    prepare(c, f, a, b);
    returnSpecialProduct(c, f, extended);
    const [x, y] = [c.unpack(f, a), c.unpack(f, b)];
    const product = productOf(c, f, x, y);
    const zeros = c.let(clz(product));
    const exponent = op32.sub(op32.add(op32.add(x.exponent, y.exponent), i32(1)), wrap(zeros));
    c.returnRounded(f, op32.xor(x.sign, y.sign), exponent, shl(product, zeros));
  });

/** Bits of the quotient of significands that are computed: more than any format's precision by at least two. */
const QUOTIENT_BITS = { 16: 39, 32: 39, 64: 55 } as const;

/** a / b * 2^QUOTIENT_BITS of two significands, with a sticky bit. */
function quotientOf(c: RoutineCode, f: Format, a: Unpacked, b: Unpacked): Local<'i64'> {
  const unused = i64(f.bits === 64 ? 11 : 40);
  const divisor = c.let(shrU(b.significand, unused));
  const rest = c.let(shrU(a.significand, unused));
  const quotient = c.let(i64(0));
  const digits = (count: number): void => {
    c.set(rest, shl(rest, i64(count)));
    c.set(quotient, or(shl(quotient, i64(count)), op64.divU(rest, divisor)));
    c.set(rest, op64.remU(rest, divisor));
  };
  if (f.bits === 64) {
    digits(0);
    for (let i = 0; i < 5; i++) digits(11); // the remainder has 53 bits, so 11 more fit
  } else digits(QUOTIENT_BITS[f.bits]);
  const zeros = c.let(clz(quotient));
  c.set(quotient, or(shl(quotient, zeros), extendU(ne(rest, i64(0)))));
  const exponent = op32.sub(a.exponent, b.exponent);
  c.set(a.exponent, op32.sub(op32.add(exponent, i32(63 - QUOTIENT_BITS[f.bits])), wrap(zeros)));
  return quotient;
}

const divide = (f: Format): Routine =>
  routine(['i64', 'i64'], (c) => {
    const [a, b] = [c.bits(1), c.bits(2)];
    prepare(c, f, a, b);
    const signBit = c.let(signOfProduct(f, a, b));
    const infinity = or(signBit, i64(f.exponentMask));
    c.if(isInfinite(f, a), () => {
      c.if(isInfinite(f, b), () => c.returnInvalid(f));
      c.return(infinity);
    });
    c.if(isZero(f, b), () => {
      c.if(isZero(f, a), () => c.returnInvalid(f));
      c.raise(FPSR.DZC);
      c.return(infinity);
    });
    c.if(op32.or(isZero(f, a), isInfinite(f, b)), () => c.return(signBit));
    const [x, y] = [c.unpack(f, a), c.unpack(f, b)];
    const quotient = quotientOf(c, f, x, y);
    c.returnRounded(f, op32.xor(x.sign, y.sign), x.exponent, quotient);
  });

/** The root, digit by digit: `root` squared and `rest` always make up the digits of the radicand read so far. */
function rootOf(c: RoutineCode, f: Format, radicand: Local<'i64'>): I64 {
  const digits = f.F + 3;
  const root = c.let(i64(0));
  const rest = c.let(i64(0));
  const left = c.let(i32(digits));
  c.loop((again) => {
    c.set(rest, or(shl(rest, i64(2)), shrU(radicand, i64(62))));
    c.set(radicand, shl(radicand, i64(2)));
    const trial = c.let(or(shl(root, i64(2)), i64(1)));
    c.set(root, shl(root, i64(1)));
    c.if(geU(rest, trial), () => {
      c.set(rest, sub(rest, trial));
      c.set(root, or(root, i64(1)));
    });
    c.set(left, op32.sub(left, i32(1)));
    again(left);
  });
  return or(shl(root, i64(64 - digits)), extendU(ne(rest, i64(0))));
}

const squareRoot = (f: Format): Routine =>
  routine(['i64'], (c) => {
    const a = c.bits(1);
    prepare(c, f, a);
    c.if(isZero(f, a), () => c.return(a));
    c.if(sign(f, a), () => c.returnInvalid(f));
    c.if(isInfinite(f, a), () => c.return(a));
    const { exponent, significand } = c.unpack(f, a);
    // The radicand has two bits before its point: 1.x when the exponent is even, twice that when it is odd.
    c.if(op32.eqz(op32.and(exponent, i32(1))), () => c.set(significand, shrU(significand, i64(1))));
    const root = c.let(rootOf(c, f, significand));
    c.returnRounded(f, i32(0), op32.shrS(exponent, i32(1)), root);
  });

export const arithmeticRoutines = (f: Format): Record<string, Routine> => ({
  [`FPAddSubSoft${f.bits}`]: addSubtract(f),
  [`FPMulSoft${f.bits}`]: multiply(f, false),
  [`FPMulX${f.bits}`]: multiply(f, true),
  [`FPDivSoft${f.bits}`]: divide(f),
  [`FPSqrtSoft${f.bits}`]: squareRoot(f),
});
