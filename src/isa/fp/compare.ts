/** Comparison, maximum and minimum: no rounding. Manual: FPCompare, FPCompareEQ/GE/GT, FPMax, FPMin, FPMaxNum, FPMinNum. */
import { type I32, type I64, i32, i64, type Local, op32, op64, select } from '../../wasm/code';
import { prepare } from './arithmetic';
import { type Format, FPSR } from './format';
import { isAnyNaN, isQuiet, isZero, magnitude, type Routine, type RoutineCode, routine } from './routine';

const { and, or, xor, shl, shrS, sub, eq, gtS, geS, ltS } = op64;

/** Numbers as integers in the same order; both zeros are 0. */
function ordered(c: RoutineCode, f: Format, a: I64): I64 {
  const negative = c.let(shrS(shl(a, i64(64 - f.bits)), i64(63)));
  return sub(xor(magnitude(f, a), negative), negative);
}

/** Returns `result` when an operand is a NaN: an invalid operation if it is signalling, or if all of them are to signal. */
function returnUnordered(c: RoutineCode, f: Format, a: I64, b: I64, signals: I32 | true, result: number): void {
  c.if(op32.or(isAnyNaN(f, a), isAnyNaN(f, b)), () => {
    if (signals === true) c.raise(FPSR.IOC);
    else {
      const signalling = (v: I64): I32 => op32.and(isAnyNaN(f, v), op32.eqz(isQuiet(f, v)));
      const invalid = op32.or(op32.or(signalling(a), signalling(b)), signals);
      c.raiseValue(op32.mul(invalid, i32(FPSR.IOC)));
    }
    c.return(i32(result));
  });
}

const NZCV = { less: 0b1000, equal: 0b0110, greater: 0b0010, unordered: 0b0011 } as const;

/** (a, b, whether quiet NaNs signal: 0 or 1) -> NZCV. */
const compare = (f: Format): Routine =>
  routine(
    ['i64', 'i64', 'i32'],
    (c) => {
      const [a, b] = [c.bits(1), c.bits(2)];
      c.flush(f, a);
      c.flush(f, b);
      returnUnordered(c, f, a, b, c.word(3), NZCV.unordered);
      const x = c.let(ordered(c, f, a));
      const y = c.let(ordered(c, f, b));
      const unequal = select(ltS(x, y), i32(NZCV.less), i32(NZCV.greater));
      c.return(select(eq(x, y), i32(NZCV.equal), unequal));
    },
    'i32',
  );

/** (a, b) -> 0 or 1. */
const test = (f: Format, signals: boolean, holds: (x: I64, y: I64) => I32): Routine =>
  routine(
    ['i64', 'i64'],
    (c) => {
      const [a, b] = [c.bits(1), c.bits(2)];
      c.flush(f, a);
      c.flush(f, b);
      returnUnordered(c, f, a, b, signals || i32(0), 0);
      const x = c.let(ordered(c, f, a));
      c.return(holds(x, c.let(ordered(c, f, b))));
    },
    'i32',
  );

/** The greater or lesser of two numbers. Of two zeros the maximum is negative only if both are. */
function returnExtreme(c: RoutineCode, f: Format, a: Local<'i64'>, b: Local<'i64'>, max: boolean): void {
  c.if(isZero(f, or(a, b)), () => c.return(max ? and(a, b) : or(a, b)));
  const x = c.let(ordered(c, f, a));
  const y = c.let(ordered(c, f, b));
  c.return(select(max ? gtS(x, y) : ltS(x, y), a, b));
}

const extreme = (f: Format, max: boolean): Routine =>
  routine(['i64', 'i64'], (c) => {
    const [a, b] = [c.bits(1), c.bits(2)];
    prepare(c, f, a, b);
    returnExtreme(c, f, a, b, max);
  });

/** A quiet NaN loses against a number: it counts as the infinity that never wins. */
const extremeNumber = (f: Format, max: boolean): Routine =>
  routine(['i64', 'i64'], (c) => {
    const [a, b] = [c.bits(1), c.bits(2)];
    const loser = i64(f.exponentMask | (max ? f.signMask : 0n));
    const isQuietNaN = (v: I64): I32 => op32.and(isAnyNaN(f, v), isQuiet(f, v));
    c.if(
      isQuietNaN(a),
      () => c.if(op32.eqz(isAnyNaN(f, b)), () => c.set(a, loser)),
      () => c.if(op32.and(isQuietNaN(b), op32.eqz(isAnyNaN(f, a))), () => c.set(b, loser)),
    );
    prepare(c, f, a, b);
    returnExtreme(c, f, a, b, max);
  });

export const compareRoutines = (f: Format): Record<string, Routine> => ({
  [`FPCompare${f.bits}`]: compare(f),
  [`FPCompareEQ${f.bits}`]: test(f, false, eq),
  [`FPCompareGE${f.bits}`]: test(f, true, geS),
  [`FPCompareGT${f.bits}`]: test(f, true, gtS),
  [`FPMax${f.bits}`]: extreme(f, true),
  [`FPMin${f.bits}`]: extreme(f, false),
  [`FPMaxNum${f.bits}`]: extremeNumber(f, true),
  [`FPMinNum${f.bits}`]: extremeNumber(f, false),
});
