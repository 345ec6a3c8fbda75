/** Between formats. Manual: FPConvert, FPConvertNaN. */
import { type I64, i64, op32, op64 } from '../../wasm/code';
import { type Format, FPCR, FPSR, formats } from './format';
import { isAnyNaN, isInfinite, isQuiet, isZero, type Routine, type RoutineCode, routine, sign } from './routine';

const { and, or, shl, shrU } = op64;

const moveBits = (a: I64, from: number, to: number): I64 => {
  if (from === to) return a;
  return from < to ? shl(a, i64(to - from)) : shrU(a, i64(from - to));
};

/** The sign of `a`, in the place that it has in `to`. */
const signBit = (from: Format, to: Format, a: I64): I64 => moveBits(and(a, i64(from.signMask)), from.bits, to.bits);

/** NaNs keep the upper bits of their payload and become quiet. */
function returnConvertedNaN(c: RoutineCode, from: Format, to: Format, a: I64): void {
  c.if(op32.eqz(isQuiet(from, a)), () => c.raise(FPSR.IOC));
  c.if(c.fpcr(FPCR.DN), () => c.return(i64(to.defaultNaN)));
  const payload = moveBits(and(a, i64(from.fractionMask)), from.F, to.F);
  c.return(or(or(signBit(from, to, a), i64(to.exponentMask | to.quietBit)), payload));
}

/** NaNs and infinities, which Alternative half precision does not have. */
function returnSpecial(c: RoutineCode, from: Format, to: Format, a: I64): void {
  c.if(isAnyNaN(from, a), () => {
    if (to.bits === 16)
      c.if(c.fpcr(FPCR.AHP), () => {
        c.raise(FPSR.IOC);
        c.return(signBit(from, to, a));
      });
    returnConvertedNaN(c, from, to, a);
  });
  c.if(isInfinite(from, a), () => {
    if (to.bits === 16)
      c.if(c.fpcr(FPCR.AHP), () => {
        c.raise(FPSR.IOC);
        c.return(or(signBit(from, to, a), i64(to.magnitudeMask)));
      });
    c.return(or(signBit(from, to, a), i64(to.exponentMask)));
  });
}

/** (a, rounding). FZ16 does not count in conversions. */
const convert = (from: Format, to: Format): Routine =>
  routine(['i64', 'i32'], (c) => {
    const a = c.bits(1);
    if (from.bits === 16) c.if(op32.eqz(c.fpcr(FPCR.AHP)), () => returnSpecial(c, from, to, a));
    else {
      c.flush(from, a);
      returnSpecial(c, from, to, a);
    }
    c.if(isZero(from, a), () => c.return(signBit(from, to, a)));
    const u = c.unpack(from, a);
    const round = to.bits === 16 ? 'FPRoundCV16' : `FPRound${to.bits}`;
    c.return(c.callBits(round, sign(from, a), u.exponent, u.significand, c.word(2)));
  });

/** FPConvert from one format to another, by name: FPConvert32to64. */
export const convertRoutines: Record<string, Routine> = Object.fromEntries(
  Object.values(formats).flatMap((from) =>
    Object.values(formats)
      .filter((to) => to !== from)
      .map((to) => [`FPConvert${from.bits}to${to.bits}`, convert(from, to)]),
  ),
);
