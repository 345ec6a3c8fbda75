/**
 * Routines for whole vectors of singles or doubles: the host's operation on all lanes where it gives Arm's result in each and
 * nothing is to be recorded (fast.ts), otherwise the routine for numbers lane by lane. A vector of 64 bits is given twice over:
 * then no lane does anything that another does not.
 */
import { extendS, extendU, type I32, i32, type Local, op32, type V128, type ValueType, wrap } from '../../wasm/code';
import { bits, demoteZero, f32x4, f64x2, i32x4, i64x2, promoteLow, shuffle, v128 } from '../../wasm/vector';
import { hostSuffices, type Site } from './fast';
import { double, type Format, FPCR, single } from './format';
import { errorOfProduct, errorOfSum, LEAST_SPLIT, twoDoubles } from './host';
import { type Routine, type RoutineCode, routine } from './routine';

const { and, or } = bits;

/** The lanes of one width. */
interface Lanes {
  readonly format: Format;
  readonly count: number;
  readonly ops: typeof f32x4;
  allTrue(mask: V128): I32;
}
const singles: Lanes = { format: single, count: 4, ops: f32x4, allTrue: i32x4.allTrue };
const doubles: Lanes = { format: double, count: 2, ops: f64x2, allTrue: i64x2.allTrue };

/** The same bits in each lane. */
const each = ({ format }: Lanes, lane: bigint): V128 => {
  const half = format.bits === 64 ? lane : lane | (lane << 32n);
  return v128(half, half);
};
const eachDouble = (n: number): V128 => {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, n);
  return each(doubles, view.getBigUint64(0));
};
const zeros = v128(0n, 0n);

const siteOf = (c: RoutineCode): Site => ({ code: c, fpcr: () => c.fpcr(-1), fpsr: () => c.fpsr() });
const vectors = (c: RoutineCode, count: number): Local<'v128'>[] =>
  Array.from({ length: count }, (_, i) => c.param(i + 1, 'v128'));

/** All lanes by the routine for one number, which answers with bits, or with 0 or 1 for all zeros or ones. */
function returnEach(c: RoutineCode, l: Lanes, name: string, operands: readonly Local<'v128'>[], asks: boolean): void {
  const index = c.index(`${name}${l.format.bits}`);
  const result = c.let(zeros);
  for (let i = 0; i < l.count; i++) {
    const lane = (v: V128) => (l === singles ? extendU(i32x4.extract(v, i)) : i64x2.extract(v, i));
    const args = operands.map(lane);
    if (asks) {
      const answer = op32.sub(i32(0), c.call(index, 'i32', c.core, ...args));
      c.set(result, l === singles ? i32x4.replace(result, i, answer) : i64x2.replace(result, i, extendS(answer)));
    } else {
      const value = c.call(index, 'i64', c.core, ...args);
      c.set(result, l === singles ? i32x4.replace(result, i, wrap(value)) : i64x2.replace(result, i, value));
    }
  }
  c.return(result);
}

const operandTypes = (count: number): ValueType[] => Array<ValueType>(count).fill('v128');

interface Attempt {
  readonly result: V128;
  /** Lanes in which the result is Arm's under the host's rounding: all ones. */
  readonly right: V128;
}

/** Arithmetic: `make` gives the host's result. */
const arithmetic = (
  l: Lanes,
  name: string,
  count: number,
  make: (c: RoutineCode, operands: readonly Local<'v128'>[]) => Attempt,
): Routine =>
  routine(
    operandTypes(count),
    (c) => {
      const operands = vectors(c, count);
      const { result, right } = make(c, operands);
      c.if(op32.and(l.allTrue(right), hostSuffices(siteOf(c))), () => c.return(result));
      returnEach(c, l, name, operands, false);
    },
    'v128',
  );

const belowInfinity = (l: Lanes, result: V128): V128 => l.ops.lt(l.ops.abs(result), each(l, l.format.exponentMask));
/** Above the smallest normal number. */
const isNormal = (l: Lanes, result: V128): V128 => l.ops.gt(l.ops.abs(result), each(l, 1n << BigInt(l.format.F)));
const isZero = (l: Lanes, value: V128): V128 => l.ops.eq(value, zeros);

/** A result that can be tiny: it must not be, except that zero operands in `zeroFrom` make exact zeros. */
function scaled(c: RoutineCode, l: Lanes, value: V128, zeroFrom: readonly V128[]): Attempt {
  const result = c.let(value);
  const notTiny = zeroFrom.map((operand) => isZero(l, operand)).reduce(or, isNormal(l, result));
  return { result, right: and(belowInfinity(l, result), notTiny) };
}

/** Two doubles: as attemptMulAdd64, but a factor of zero or a sum that cancels need not go to the routine. */
function mulAddDoubles(c: RoutineCode, addend: Local<'v128'>, a: Local<'v128'>, b: Local<'v128'>): Attempt {
  const l = doubles;
  const { add, mul, eq, ge, abs } = f64x2;
  const product = c.let(mul(a, b));
  const low = c.let(errorOfProduct(c, twoDoubles, a, b, product));
  const sum = c.let(add(product, addend));
  const lost = c.let(errorOfSum(c, f64x2, product, addend, sum));
  const error = c.let(add(lost, low));
  const result = c.let(add(sum, error));
  const near = (factor: number): V128 => eq(result, add(sum, mul(error, eachDouble(factor))));
  const certain = and(near(1 + 2 ** -52), near(1 - 2 ** -52));
  const normal = c.let(isNormal(l, result));
  const split = and(ge(abs(product), eachDouble(LEAST_SPLIT)), or(normal, isZero(l, result)));
  const noProduct = and(or(isZero(l, a), isZero(l, b)), normal);
  return { result, right: and(and(certain, belowInfinity(l, result)), or(split, noProduct)) };
}

/** Sums below this round to a finite single. */
const BEYOND_SINGLE = 2 ** 128 - 2 ** 103;

/** Two of four singles, as doubles: see attemptMulAdd32. The sum of zeros, or one that cancels, is exact. */
function mulAddHalf(c: RoutineCode, addend: V128, a: V128, b: V128): Attempt {
  const { add, mul, lt, gt, abs } = f64x2;
  const total = c.let(add(mul(promoteLow(a), promoteLow(b)), promoteLow(addend)));
  const dropped = and(total, each(doubles, (1n << 29n) - 1n));
  const notMiddle = i64x2.ne(dropped, each(doubles, 1n << 28n));
  const magnitude = c.let(abs(total));
  const normal = gt(magnitude, eachDouble(2 ** -126 * (1 + 2 ** -23)));
  const inRange = and(lt(magnitude, eachDouble(BEYOND_SINGLE)), or(normal, isZero(doubles, total)));
  return { result: demoteZero(total), right: and(notMiddle, inRange) };
}

const LOW_HALVES = [0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23];
const HIGH_HALF = [8, 9, 10, 11, 12, 13, 14, 15, 8, 9, 10, 11, 12, 13, 14, 15];

function mulAddSingles(c: RoutineCode, addend: Local<'v128'>, a: Local<'v128'>, b: Local<'v128'>): Attempt {
  const high = (v: Local<'v128'>): V128 => shuffle(v, v, HIGH_HALF);
  const first = mulAddHalf(c, addend, a, b);
  const second = mulAddHalf(c, high(addend), high(a), high(b));
  return { result: shuffle(first.result, second.result, LOW_HALVES), right: and(first.right, second.right) };
}

/** Comparisons and extremes of numbers: the host's are right if no operand is a NaN or is flushed. */
const ordered = (l: Lanes, name: string, compute: (a: V128, b: V128) => V128, asks: boolean): Routine =>
  routine(
    operandTypes(2),
    (c) => {
      const [a, b] = vectors(c, 2);
      const numbers = and(l.ops.eq(a, a), l.ops.eq(b, b));
      c.if(op32.and(l.allTrue(numbers), op32.eqz(c.fpcr(FPCR.FZ))), () => c.return(compute(a, b)));
      returnEach(c, l, name, [a, b], asks);
    },
    'v128',
  );

function routinesOf(l: Lanes): Record<string, Routine> {
  const { ops } = l;
  const sum = (result: Local<'v128'>): Attempt => ({ result, right: belowInfinity(l, result) });
  const all: Record<string, Routine> = {
    FPAdd: arithmetic(l, 'FPAdd', 2, (c, [a, b]) => sum(c.let(ops.add(a, b)))),
    FPSub: arithmetic(l, 'FPSub', 2, (c, [a, b]) => sum(c.let(ops.sub(a, b)))),
    FPMul: arithmetic(l, 'FPMul', 2, (c, [a, b]) => scaled(c, l, ops.mul(a, b), [a, b])),
    FPDiv: arithmetic(l, 'FPDiv', 2, (c, [a, b]) => scaled(c, l, ops.div(a, b), [a])),
    FPSqrt: arithmetic(l, 'FPSqrt', 1, (c, [a]) => scaled(c, l, ops.sqrt(a), [a])),
    FPMulAdd: arithmetic(l, 'FPMulAdd', 3, (c, [addend, a, b]) =>
      l === doubles ? mulAddDoubles(c, addend, a, b) : mulAddSingles(c, addend, a, b),
    ),
    FPMax: ordered(l, 'FPMax', ops.max, false),
    FPMin: ordered(l, 'FPMin', ops.min, false),
    FPMaxNum: ordered(l, 'FPMaxNum', ops.max, false),
    FPMinNum: ordered(l, 'FPMinNum', ops.min, false),
    FPCompareEQ: ordered(l, 'FPCompareEQ', ops.eq, true),
    FPCompareGE: ordered(l, 'FPCompareGE', ops.ge, true),
    FPCompareGT: ordered(l, 'FPCompareGT', ops.gt, true),
  };
  return Object.fromEntries(Object.entries(all).map(([name, made]) => [`${name}Lanes${l.format.bits}`, made]));
}

/** By name: FPAddLanes32. */
export const laneRoutines: Readonly<Record<string, Routine>> = { ...routinesOf(singles), ...routinesOf(doubles) };
