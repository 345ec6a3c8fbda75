/**
 * Estimates of reciprocals and reciprocal square roots, eight bits good. Manual: FPRecipEstimate, FPRSqrtEstimate, FPRecpX,
 * RecipEstimate, RecipSqrtEstimate.
 */
import { extendU, type I32, type I64, i32, i64, op32, op64, select, wrap } from '../../wasm/code';
import { prepare } from './arithmetic';
import { type Format, FPCR, FPSR, Rounding } from './format';
import { isInfinite, isZero, magnitude, type Routine, type RoutineCode, routine, sign } from './routine';

const { and, or, xor, shl, shrU, sub, mul, eqz, ltU, geU } = op64;

const FRACTION = 52;
const fractionMask = (1n << BigInt(FRACTION)) - 1n;

/** (a of 256 to 511) -> 256 to 511: the reciprocal of a / 512, times 256. */
const recipEstimate: Routine = routine(
  ['i32'],
  (c) => {
    const a = op32.add(op32.shl(c.word(1), i32(1)), i32(1));
    c.return(op32.shrU(op32.add(op32.divU(i32(1 << 19), a), i32(1)), i32(1)));
  },
  'i32',
);

/** (a of 128 to 511) -> 256 to 511: the reciprocal square root of a / 512, times 256. */
const recipSqrtEstimate: Routine = routine(
  ['i32'],
  (c) => {
    const given = c.word(1);
    const doubled = op32.add(op32.shl(given, i32(1)), i32(1));
    const a = c.let(select(op32.ltU(given, i32(256)), doubled, op32.shl(op32.or(given, i32(1)), i32(1))));
    // The largest b with a * b * b < 2^28, bit by bit: a is below 1024, so b is at least 512.
    const b = c.let(i32(512));
    for (let bit = 256; bit > 0; bit >>= 1) {
      const next = c.let(op32.or(b, i32(bit)));
      const square = mul(extendU(a), extendU(op32.mul(next, next)));
      c.if(ltU(square, i64(1n << 28n)), () => c.set(b, next));
    }
    c.return(op32.shrU(op32.add(b, i32(1)), i32(1)));
  },
  'i32',
);

/** Exponent field and 52-bit fraction of a number that is not zero; a denormal has its leading one shifted out. */
function parts(c: RoutineCode, f: Format, a: I64) {
  const exponent = c.let(wrap(shrU(magnitude(f, a), i64(f.F))));
  const fraction = c.let(shl(and(a, i64(f.fractionMask)), i64(FRACTION - f.F)));
  c.if(op32.eqz(exponent), () => {
    const zeros = c.let(sub(op64.clz(fraction), i64(63 - FRACTION)));
    c.set(exponent, op32.sub(i32(1), wrap(zeros)));
    c.set(fraction, and(shl(fraction, zeros), i64(fractionMask)));
  });
  return { exponent, fraction };
}

function pack(f: Format, signBit: I64, exponent: I32, fraction: I64): I64 {
  return or(or(signBit, shl(extendU(exponent), i64(f.F))), shrU(fraction, i64(FRACTION - f.F)));
}

/** The lower eight bits of an estimate at the top of a fraction. */
const estimatedFraction = (estimate: I32): I64 => shl(and(extendU(estimate), i64(0xff)), i64(FRACTION - 8));

const reciprocal = (f: Format): Routine =>
  routine(['i64'], (c) => {
    const a = c.bits(1);
    prepare(c, f, a);
    const signBit = c.let(and(a, i64(f.signMask)));
    const infinity = or(signBit, i64(f.exponentMask));
    c.if(isInfinite(f, a), () => c.return(signBit));
    c.if(isZero(f, a), () => {
      c.raise(FPSR.DZC);
      c.return(infinity);
    });
    c.if(ltU(magnitude(f, a), i64(1n << BigInt(f.F - 2))), () => {
      const rounding = c.let(c.roundingMode());
      const isMode = (mode: number): I32 => op32.eq(rounding, i32(mode));
      const away = select(sign(f, a), isMode(Rounding.NegInf), isMode(Rounding.PosInf));
      c.raise(FPSR.OFC | FPSR.IXC);
      c.return(select(op32.or(isMode(Rounding.TieEven), away), infinity, or(signBit, i64(f.maxNormal))));
    });
    const large = geU(magnitude(f, a), i64(BigInt(f.maxBiased - 2) << BigInt(f.F)));
    c.if(op32.and(large, op32.ne(c.fpcr(f.bits === 16 ? FPCR.FZ16 : FPCR.FZ), i32(0))), () => {
      c.raise(FPSR.UFC);
      c.return(signBit);
    });
    const { exponent, fraction } = parts(c, f, a);
    const scaled = op32.or(i32(256), wrap(shrU(fraction, i64(FRACTION - 8))));
    const estimate = c.call(c.index('RecipEstimate'), 'i32', c.core, scaled);
    const result = c.let(estimatedFraction(estimate));
    const exponentOut = c.let(op32.sub(i32(f.maxBiased - 2), exponent));
    // Results below the normal range: the leading one becomes part of the fraction.
    c.if(op32.leS(exponentOut, i32(0)), () => {
      const amount = extendU(op32.sub(i32(1), exponentOut));
      c.set(result, shrU(or(result, i64(1n << BigInt(FRACTION))), amount));
      c.set(exponentOut, i32(0));
    });
    c.return(pack(f, signBit, exponentOut, result));
  });

const reciprocalRoot = (f: Format): Routine =>
  routine(['i64'], (c) => {
    const a = c.bits(1);
    prepare(c, f, a);
    c.if(isZero(f, a), () => {
      c.raise(FPSR.DZC);
      c.return(or(a, i64(f.exponentMask)));
    });
    c.if(sign(f, a), () => c.returnInvalid(f));
    c.if(isInfinite(f, a), () => c.return(i64(0)));
    const { exponent, fraction } = parts(c, f, a);
    const leading = wrap(shrU(or(fraction, i64(1n << BigInt(FRACTION))), i64(FRACTION - 8)));
    const scaled = op32.shrU(leading, op32.and(exponent, i32(1)));
    const estimate = c.let(c.call(c.index('RecipSqrtEstimate'), 'i32', c.core, scaled));
    const exponentOut = op32.shrS(op32.sub(i32(3 * f.bias - 1), exponent), i32(1));
    c.return(pack(f, i64(0), exponentOut, estimatedFraction(estimate)));
  });

/** The exponent field inverted: of a zero or denormal, the largest that is finite. */
const recpX = (f: Format): Routine =>
  routine(['i64'], (c) => {
    const a = c.bits(1);
    prepare(c, f, a);
    const signBit = and(a, i64(f.signMask));
    const field = c.let(and(a, i64(f.exponentMask)));
    const finest = i64(BigInt(f.maxBiased - 1) << BigInt(f.F));
    c.return(or(signBit, select(eqz(field), finest, xor(field, i64(f.exponentMask)))));
  });

export const estimateRoutines = (f: Format): Record<string, Routine> => ({
  [`FPRecipEstimate${f.bits}`]: reciprocal(f),
  [`FPRSqrtEstimate${f.bits}`]: reciprocalRoot(f),
  [`FPRecpX${f.bits}`]: recpX(f),
});

export const tableRoutines: Record<string, Routine> = {
  RecipEstimate: recipEstimate,
  RecipSqrtEstimate: recipSqrtEstimate,
};
