/** FPRound(): a normalised significand and exponent of any size become a number of the format, with all of its exceptions. */
import { extendU, i32, i64, type Local, op32, op64, select } from '../../wasm/code';
import { type Format, FPCR, FPSR, Rounding } from './format';
import { type Routine, type RoutineCode, routine } from './routine';

const { add, and, or, shl, shrU, ne, geU } = op64;

interface Rounding64 {
  readonly sign: Local<'i32'>;
  readonly rounding: Local<'i32'>;
  /** The sign bit in its place. */
  readonly signBit: Local<'i64'>;
}

/** What is added to the bits that fall out, to carry where the result has to be incremented. */
function roundingTerm(c: RoutineCode, r: Rounding64, mantissa: Local<'i64'>, dropped: number): Local<'i64'> {
  const all = (1n << BigInt(dropped)) - 1n;
  const term = c.let(i64(0));
  const isMode = (mode: number) => op32.eq(r.rounding, i32(mode));
  c.if(
    isMode(Rounding.TieEven),
    () => c.set(term, add(i64(all >> 1n), and(mantissa, i64(1)))),
    () => {
      const away = select(r.sign, isMode(Rounding.NegInf), isMode(Rounding.PosInf));
      c.if(away, () => c.set(term, i64(all)));
    },
  );
  return term;
}

/** Too large: infinity or the largest number, by rounding mode; Alternative half precision has no infinity. */
function returnOverflow(c: RoutineCode, f: Format, r: Rounding64, converts: boolean): void {
  if (converts) {
    c.if(c.fpcr(FPCR.AHP), () => {
      c.raise(FPSR.IOC);
      c.return(or(r.signBit, i64(f.magnitudeMask)));
    });
  }
  c.raise(FPSR.OFC | FPSR.IXC);
  const isMode = (mode: number) => op32.eq(r.rounding, i32(mode));
  const away = select(r.sign, isMode(Rounding.NegInf), isMode(Rounding.PosInf));
  const toInfinity = op32.or(isMode(Rounding.TieEven), away);
  c.return(or(r.signBit, select(toInfinity, i64(f.exponentMask), i64(f.maxNormal))));
}

/**
 * (sign, exponent, significand with bit 63 set and a sticky bit 0, rounding) -> bits. Rounding is any but TieAway. `converts`
 * is FPRoundCV(): AHP counts and FZ16 does not.
 */
function round(f: Format, converts: boolean): Routine {
  return routine(['i32', 'i32', 'i64', 'i32'], (c) => {
    const significand = c.bits(3);
    const [sign, exponent, rounding] = [c.word(1), c.word(2), c.word(4)];
    const signBit = c.let(shl(extendU(sign), i64(f.bits - 1)));
    const r: Rounding64 = { sign, rounding, signBit };
    const dropped = 63 - f.F;
    const all = (1n << BigInt(dropped)) - 1n;
    const tiny = c.let(op32.ltS(exponent, i32(f.minExponent)));
    const biased = c.let(op32.sub(exponent, i32(f.minExponent - 1)));
    c.if(tiny, () => {
      const flushes = converts ? undefined : c.fpcr(f.bits === 16 ? FPCR.FZ16 : FPCR.FZ);
      if (flushes)
        c.if(flushes, () => {
          c.raise(FPSR.UFC);
          c.return(signBit);
        });
      c.shiftRightJam(significand, c.let(op32.sub(i32(f.minExponent), exponent)));
      c.set(biased, i32(1)); // the mantissa has no leading one, which would add 1 to the exponent's field
    });
    const mantissa = c.let(shrU(significand, i64(dropped)));
    const lost = c.let(and(significand, i64(all)));
    const term = roundingTerm(c, r, mantissa, dropped);
    c.set(mantissa, add(mantissa, shrU(add(lost, term), i64(dropped))));
    const inexact = c.let(ne(lost, i64(0)));
    c.if(op32.eq(rounding, i32(Rounding.Odd)), () => c.set(mantissa, or(mantissa, extendU(inexact))));
    const fieldOf = shl(extendU(op32.sub(biased, i32(1))), i64(f.F));
    const limit = converts ? select(c.fpcr(FPCR.AHP), i64(f.signMask), i64(f.exponentMask)) : i64(f.exponentMask);
    // Exponents that do not fit their field at all must not wrap round into it.
    c.if(op32.geS(biased, i32(f.maxBiased + 2)), () => returnOverflow(c, f, r, converts));
    const result = c.let(add(fieldOf, mantissa));
    c.if(geU(result, limit), () => returnOverflow(c, f, r, converts));
    c.if(inexact, () => c.raiseValue(op32.or(i32(FPSR.IXC), op32.mul(tiny, i32(FPSR.UFC)))));
    c.return(or(signBit, result));
  });
}

export const roundRoutines = (f: Format): Record<string, Routine> => ({
  [`FPRound${f.bits}`]: round(f, false),
  ...(f.bits === 16 ? { FPRoundCV16: round(f, true) } : {}),
});
