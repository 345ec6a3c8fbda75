/**
 * BFloat16, the upper half of a single-precision number. Manual: FPConvertBF, BFMul, BFAdd, BFDotAdd. The arithmetic is the one
 * of FEAT_BF16 without FEAT_EBF16: rounding to odd, denormals are zeros, every NaN is the default one, FPCR and FPSR play no part.
 */
import { type F64, type I32, type I64, i32, i64, type Local, op32, op64, select, wrap } from '../../wasm/code';
import { bitsOf64, f64, float32Of, opF64, promote } from '../../wasm/float';
import { FPCR, FPSR, Rounding, single } from './format';
import { isAnyNaN, isInfinite, isQuiet, isZero, type Routine, type RoutineCode, routine, sign } from './routine';

const { add, and, or, xor, shl, shrU, eq, eqz, ne, geU, ltU } = op64;
const isMode = (mode: Local<'i32'>, wanted: number): I32 => op32.eq(mode, i32(wanted));

/** Denormals are zeros. */
function flushed(c: RoutineCode, a: Local<'i64'>): void {
  c.if(eqz(and(a, i64(single.exponentMask))), () => c.set(a, and(a, i64(single.signMask))));
}

const returnDefaultNaN = (c: RoutineCode): void => c.return(i64(single.defaultNaN));
const asDouble = (a: I64): F64 => promote(float32Of(wrap(a)));

/** BFRound() of a double that is not special: bits that fall out make the lowest one 1. */
function returnOdd(c: RoutineCode, bits: I64): void {
  const value = c.let(bits);
  const signBit = c.let(shl(shrU(value, i64(63)), i64(31)));
  const size = c.let(and(value, i64((1n << 63n) - 1n)));
  const exponent = (n: number): I64 => i64(BigInt(n + 1023) << 52n);
  c.if(ltU(size, exponent(single.minExponent)), () => c.return(signBit));
  c.if(geU(size, exponent(single.bias + 1)), () => c.return(or(signBit, i64(single.exponentMask))));
  const dropped = 52 - single.F;
  const lost = ne(and(size, i64((1n << BigInt(dropped)) - 1n)), i64(0));
  const rebased = op64.sub(shrU(size, i64(dropped)), i64(BigInt(1023 - single.bias) << BigInt(single.F)));
  c.return(or(or(signBit, rebased), select(lost, i64(1), i64(0))));
}

/** A product of two numbers of 8 bits is exact in a double. */
const multiply = routine(['i64', 'i64'], (c) => {
  const [a, b] = [c.bits(1), c.bits(2)];
  for (const operand of [a, b]) flushed(c, operand);
  c.if(op32.or(isAnyNaN(single, a), isAnyNaN(single, b)), () => returnDefaultNaN(c));
  c.if(op32.or(isInfinite(single, a), isInfinite(single, b)), () => {
    c.if(op32.or(isZero(single, a), isZero(single, b)), () => returnDefaultNaN(c));
    c.return(or(and(xor(a, b), i64(single.signMask)), i64(single.exponentMask)));
  });
  returnOdd(c, bitsOf64(opF64.mul(asDouble(a), asDouble(b))));
});

/**
 * The sum in double precision and its exact error make the sum rounded to odd there, which rounded to odd once more is that of
 * single precision.
 */
const addition = routine(['i64', 'i64'], (c) => {
  const [a, b] = [c.bits(1), c.bits(2)];
  for (const operand of [a, b]) flushed(c, operand);
  c.if(op32.or(isAnyNaN(single, a), isAnyNaN(single, b)), () => returnDefaultNaN(c));
  c.if(isInfinite(single, a), () => {
    c.if(op32.and(isInfinite(single, b), ne(a, b)), () => returnDefaultNaN(c));
    c.return(a);
  });
  c.if(isInfinite(single, b), () => c.return(b));
  const [x, y] = [c.let(asDouble(a)), c.let(asDouble(b))];
  const sum = c.let(opF64.add(x, y));
  const part = c.let(opF64.sub(sum, x));
  const error = c.let(opF64.add(opF64.sub(x, opF64.sub(sum, part)), opF64.sub(y, part)));
  const bits = c.let(bitsOf64(sum));
  c.if(op32.and(opF64.ne(error, f64(0)), eqz(and(bits, i64(1)))), () => {
    const isBelow = ne(shrU(xor(bits, bitsOf64(error)), i64(63)), i64(0));
    c.set(bits, add(bits, select(isBelow, i64(-1), i64(1))));
  });
  returnOdd(c, bits);
});

/** Pairs of BFloat16 numbers in 32 bits. */
const dotAdd = routine(['i64', 'i64', 'i64'], (c) => {
  const half = (field: number, upper: boolean): I64 =>
    upper ? and(c.bits(field), i64(0xffff0000)) : and(shl(c.bits(field), i64(16)), i64(0xffff0000));
  const product = (upper: boolean): I64 => c.callBits('BFMul', half(2, upper), half(3, upper));
  c.return(c.callBits('BFAdd', c.bits(1), c.callBits('BFAdd', product(false), product(true))));
});

/** Rounding is an increment of the upper half: a carry moves into the exponent, from the largest one to infinity. */
const convert = routine(['i64'], (c) => {
  const a = c.bits(1);
  c.if(isAnyNaN(single, a), () => {
    c.if(op32.eqz(isQuiet(single, a)), () => c.raise(FPSR.IOC));
    c.if(c.fpcr(FPCR.DN), () => c.return(i64(single.defaultNaN >> 16n)));
    c.return(shrU(or(a, i64(single.quietBit)), i64(16)));
  });
  c.flush(single, a);
  const lost = c.let(and(a, i64(0xffff)));
  const result = c.let(shrU(a, i64(16)));
  c.if(eqz(lost), () => c.return(result));
  const mode = c.let(c.roundingMode());
  const even = op64.gtU(add(lost, and(result, i64(1))), i64(0x8000));
  const away = select(sign(single, a), isMode(mode, Rounding.NegInf), isMode(mode, Rounding.PosInf));
  c.if(select(isMode(mode, Rounding.TieEven), even, away), () => c.set(result, add(result, i64(1))));
  c.raise(FPSR.IXC);
  c.if(eqz(and(a, i64(single.exponentMask))), () => c.raise(FPSR.UFC));
  const exponent = i64(single.exponentMask >> 16n);
  c.if(eq(and(result, exponent), exponent), () => c.raise(FPSR.OFC));
  c.return(result);
});

export const brainFloatRoutines: Readonly<Record<string, Routine>> = {
  BFMul: multiply,
  BFAdd: addition,
  BFDotAdd: dotAdd,
  FPConvertBF: convert,
};
