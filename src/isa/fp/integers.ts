/**
 * Between floating point and integers or fixed point, and rounding to integral values. Manual: FPToFixed, FPToFixedJS,
 * FixedToFP, FPRoundInt, FPRoundIntN.
 */
import { extendU, type I32, type I64, i32, i64, type Local, op32, op64, select, wrap } from '../../wasm/code';
import { prepare } from './arithmetic';
import { double, type Format, FPSR, Rounding } from './format';
import {
  isAnyNaN,
  isInfinite,
  isSpecial,
  isZero,
  type Routine,
  type RoutineCode,
  routine,
  sign,
  type Unpacked,
} from './routine';

const { add, and, or, xor, shl, shrU, sub, clz, eqz, ne, gtU, geU, leU } = op64;

/** A magnitude below 2^64 as an integer and a fraction of 64 bits, what is below those sticking in the lowest. */
interface Split {
  readonly integer: Local<'i64'>;
  readonly fraction: Local<'i64'>;
}

/** The exponent of `u` is below 64. */
function split(c: RoutineCode, u: Unpacked): Split {
  const amount = c.let(op32.sub(i32(63), u.exponent));
  const integer = c.let(u.significand);
  const fraction = c.let(i64(0));
  c.if(amount, () =>
    c.if(
      op32.geU(amount, i32(64)),
      () => {
        c.set(fraction, select(op32.eq(amount, i32(64)), integer, i64(1)));
        c.set(integer, i64(0));
      },
      () => {
        const n = c.let(extendU(amount));
        c.set(fraction, shl(integer, sub(i64(0), n)));
        c.set(integer, shrU(integer, n));
      },
    ),
  );
  return { integer, fraction };
}

/** Rounds the integer of a split by its fraction, which stays as it is. */
function roundInteger(c: RoutineCode, s: Split, negative: I32, rounding: I32): void {
  const HALF = 1n << 63n;
  const isMode = (mode: number): I32 => op32.eq(rounding, i32(mode));
  const up = c.let(i32(0));
  c.if(isMode(Rounding.TieEven), () => {
    const even = xor(and(s.integer, i64(1)), i64(1));
    c.set(up, geU(s.fraction, add(even, i64(HALF))));
  });
  c.if(isMode(Rounding.TieAway), () => c.set(up, geU(s.fraction, i64(HALF))));
  c.if(select(negative, isMode(Rounding.NegInf), isMode(Rounding.PosInf)), () => c.set(up, ne(s.fraction, i64(0))));
  c.set(s.integer, add(s.integer, extendU(up)));
}

const allOnes = (bits: I32): I64 => shrU(i64(-1), sub(i64(64), extendU(bits)));

/** (a, fraction bits, 1 if unsigned, rounding, width of the integer) -> integer, saturated, zero-extended. */
const toFixed = (f: Format): Routine =>
  routine(['i64', 'i32', 'i32', 'i32', 'i32'], (c) => {
    const [a, fractionBits, unsigned, rounding, width] = [c.bits(1), c.word(2), c.word(3), c.word(4), c.word(5)];
    c.flush(f, a);
    c.if(isAnyNaN(f, a), () => {
      c.raise(FPSR.IOC);
      c.return(i64(0));
    });
    c.if(isZero(f, a), () => c.return(i64(0)));
    const u = c.unpack(f, a);
    const negative = c.let(u.sign);
    const all = c.let(allOnes(width));
    const limit = c.let(add(shrU(all, i64(1)), extendU(negative)));
    c.if(unsigned, () => c.set(limit, select(negative, i64(0), all)));
    c.set(u.exponent, op32.add(u.exponent, fractionBits));
    const result = c.let(limit);
    const inRange = op32.and(op32.ltS(u.exponent, i32(64)), op32.eqz(isInfinite(f, a)));
    c.block((done) => {
      c.if(inRange, () => {
        const s = split(c, u);
        roundInteger(c, s, negative, rounding);
        c.if(leU(s.integer, limit), () => {
          c.set(result, s.integer);
          c.if(ne(s.fraction, i64(0)), () => c.raise(FPSR.IXC));
          done();
        });
      });
      c.raise(FPSR.IOC);
    });
    c.if(negative, () => c.set(result, sub(i64(0), result)));
    c.return(and(result, all));
  });

/** (integer of 64 bits, fraction bits, 1 if unsigned, rounding). */
const fromFixed = (f: Format): Routine =>
  routine(['i64', 'i32', 'i32', 'i32'], (c) => {
    const a = c.bits(1);
    const negative = c.let(op32.and(op64.ltS(a, i64(0)), op32.eqz(c.word(3))));
    c.if(negative, () => c.set(a, sub(i64(0), a)));
    c.if(eqz(a), () => c.return(i64(0)));
    const zeros = c.let(clz(a));
    const exponent = op32.sub(op32.sub(i32(63), wrap(zeros)), c.word(2));
    c.returnRounded(f, negative, exponent, shl(a, zeros), c.word(4));
  });

/** Packs an integral value, which fits the format exactly. */
function returnIntegral(c: RoutineCode, f: Format, negative: I32, s: Split): void {
  c.if(eqz(s.integer), () => c.return(shl(extendU(negative), i64(f.bits - 1))));
  const zeros = c.let(clz(s.integer));
  c.returnRounded(f, negative, op32.sub(i32(63), wrap(zeros)), shl(s.integer, zeros), i32(Rounding.Zero));
}

/** (a, rounding, 1 if inexactness is to be reported). */
const roundInt = (f: Format): Routine =>
  routine(['i64', 'i32', 'i32'], (c) => {
    const a = c.bits(1);
    prepare(c, f, a);
    c.if(op32.or(isZero(f, a), isInfinite(f, a)), () => c.return(a));
    const u = c.unpack(f, a);
    c.if(op32.geS(u.exponent, i32(f.F)), () => c.return(a));
    const s = split(c, u);
    const negative = c.let(u.sign);
    roundInteger(c, s, negative, c.word(2));
    c.if(op32.and(c.word(3), ne(s.fraction, i64(0))), () => c.raise(FPSR.IXC));
    returnIntegral(c, f, negative, s);
  });

/** (a, rounding, 32 or 64): to an integral value of that many bits; the most negative one when it does not fit. */
const roundIntN = (f: Format): Routine =>
  routine(['i64', 'i32', 'i32'], (c) => {
    const [a, rounding, size] = [c.bits(1), c.word(2), c.word(3)];
    c.flush(f, a);
    c.if(isZero(f, a), () => c.return(a));
    const u = c.unpack(f, a);
    const negative = c.let(u.sign);
    const finite = op32.eqz(isSpecial(f, a));
    c.if(op32.and(finite, op32.ltS(u.exponent, i32(64))), () => {
      const s = split(c, u);
      roundInteger(c, s, negative, rounding);
      c.if(leU(s.integer, add(shrU(allOnes(size), i64(1)), extendU(negative))), () => {
        c.if(ne(s.fraction, i64(0)), () => c.raise(FPSR.IXC));
        returnIntegral(c, f, negative, s);
      });
    });
    c.raise(FPSR.IOC);
    const exponent = op32.add(size, i32(f.bias - 1));
    c.return(or(i64(f.signMask), shl(extendU(exponent), i64(f.F))));
  });

/** (a) -> the low 32 bits of the integer towards zero; bit 32 is PSTATE.Z, set if nothing was lost. */
const toFixedJS: Routine = routine(['i64'], (c) => {
  const f = double;
  const a = c.bits(1);
  const wasZero = c.let(isZero(f, a));
  c.flush(f, a);
  c.if(isZero(f, a), () => {
    const exact = op32.and(wasZero, op32.eqz(sign(f, a)));
    c.return(shl(extendU(exact), i64(32)));
  });
  const u = c.unpack(f, a);
  const result = c.let(i64(0));
  const exact = c.let(i32(0));
  c.block((done) => {
    const above = c.let(op32.sub(u.exponent, i32(63)));
    c.if(op32.geS(above, i32(1)), () => {
      c.raise(FPSR.IOC);
      c.if(op32.ltS(above, i32(64)), () => c.set(result, shl(u.significand, extendU(above))));
      done();
    });
    const s = split(c, u);
    c.set(result, s.integer);
    c.if(gtU(s.integer, add(i64(0x7fffffff), extendU(u.sign))), () => {
      c.raise(FPSR.IOC);
      done();
    });
    c.set(exact, eqz(s.fraction));
    c.if(op32.eqz(exact), () => c.raise(FPSR.IXC));
  });
  c.if(isSpecial(f, a), () => c.set(result, i64(0)));
  c.if(u.sign, () => c.set(result, sub(i64(0), result)));
  c.return(or(and(result, i64(0xffffffff)), shl(extendU(exact), i64(32))));
});

export const integerRoutines = (f: Format): Record<string, Routine> => ({
  [`FPToFixed${f.bits}`]: toFixed(f),
  [`FixedToFP${f.bits}`]: fromFixed(f),
  [`FPRoundInt${f.bits}`]: roundInt(f),
  ...(f.bits === 16 ? {} : { [`FPRoundIntN${f.bits}`]: roundIntN(f) }),
  ...(f.bits === 64 ? { FPToFixedJS: toFixedJS } : {}),
});
