/**
 * Fast paths: where the host's operation, which rounds to nearest with ties to even, provably gives Arm's result and flags.
 *
 * They hold when FPCR asks for that rounding and for no flushing, and the result is finite and not tiny. Then no operand was a
 * NaN, denormal operands are plain numbers, and IXC is the only flag that can be due: it must be set already, or the result
 * be seen to be exact. Under FZ the routines take it if nothing is to be flushed. Everything else goes to integer code.
 *
 * The attempts are emitted into routines and, for the most frequent instructions, into handlers (sem/float).
 */
import {
  type F32,
  type F64,
  type FunctionBuilder,
  type I32,
  i32,
  i64,
  type Local,
  op32,
  op64,
  type Value,
} from '../../wasm/code';
import { demote, f64, opF64, promote } from '../../wasm/float';
import { FPCR, FPSR } from './format';
import {
  errorOfProduct,
  errorOfSum,
  type Float,
  type Host,
  host32,
  host64,
  isSafelyNormal,
  isSplitProduct,
  oneDouble,
} from './host';

const { and } = op64;

/** Where code is emitted to: a routine or a handler. */
export interface Site {
  readonly code: FunctionBuilder;
  fpcr(): I32;
  fpsr(): I32;
}

/** A result of the host. */
export interface Attempt<T extends Float> {
  readonly result: Local<T>;
  /** The result is Arm's if FPCR asks for what the host does; a flag is due only if it is not exact. */
  readonly right: I32;
  /** Whether it is exact; costly, and no where that cannot be told. */
  readonly exact: () => I32;
}

const FLUSHES_OR_ROUNDS_OTHERWISE = FPCR.RMode | FPCR.FZ;

/** FPCR asks for what the host does, and FPSR.IXC is set: nothing is to be recorded. */
export const hostSuffices = (s: Site): I32 => {
  const otherwise = op32.and(s.fpcr(), i32(FLUSHES_OR_ROUNDS_OTHERWISE));
  return op32.eq(op32.or(otherwise, op32.and(s.fpsr(), i32(FPSR.IXC))), i32(FPSR.IXC));
};

/** A sum, or a difference: a finite one is right whatever its size, since tiny ones are exact. */
export function attemptSum<T extends Float>(
  s: Site,
  h: Host<T>,
  a: Value<T>,
  b: Value<T>,
  subtracts: boolean,
): Attempt<T> {
  const { ops } = h;
  const [x, y] = [s.code.let(a), s.code.let(subtracts ? ops.neg(b) : b)];
  const result = s.code.let(ops.add(x, y));
  return {
    result,
    right: ops.lt(ops.abs(result), h.infinity),
    exact: () => ops.eq(errorOfSum(s.code, ops, x, y, result), h.zero),
  };
}

function attempt<T extends Float>(s: Site, h: Host<T>, value: Value<T>, exact: (result: Local<T>) => I32): Attempt<T> {
  const result = s.code.let(value);
  return { result, right: isSafelyNormal(h.format, h.bits(result)), exact: () => exact(result) };
}

export function attemptProduct<T extends Float>(s: Site, h: Host<T>, a: Value<T>, b: Value<T>): Attempt<T> {
  const [x, y] = [s.code.let(a), s.code.let(b)];
  return attempt(s, h, h.ops.mul(x, y), (result) => h.isProduct(s.code, x, y, result));
}
export function attemptQuotient<T extends Float>(s: Site, h: Host<T>, a: Value<T>, b: Value<T>): Attempt<T> {
  const [x, y] = [s.code.let(a), s.code.let(b)];
  return attempt(s, h, h.ops.div(x, y), (result) => h.isProduct(s.code, result, y, x));
}
export function attemptRoot<T extends Float>(s: Site, h: Host<T>, a: Value<T>): Attempt<T> {
  const x = s.code.let(a);
  return attempt(s, h, h.ops.sqrt(x), (result) => h.isProduct(s.code, result, result, x));
}

/**
 * Single precision: the product is exact as a double, so the sum is rounded twice. That is wrong only where the first rounding
 * gave the middle between two singles.
 */
function attemptMulAdd32(s: Site, addend: F32, a: F32, b: F32): Attempt<'f32'> {
  const c = s.code;
  const product = c.let(opF64.mul(promote(a), promote(b)));
  const term = c.let(promote(addend));
  const total = c.let(opF64.add(product, term));
  const result = c.let(demote(total));
  const dropped = (1n << 29n) - 1n;
  const notMiddle = op64.ne(and(host64.bits(total), i64(dropped)), i64(1n << 28n));
  return {
    result,
    right: op32.and(isSafelyNormal(host32.format, host32.bits(result)), notMiddle),
    exact: () => {
      const whole = opF64.eq(errorOfSum(c, opF64, product, term, total), f64(0));
      return op32.and(whole, opF64.eq(promote(result), total));
    },
  };
}

/**
 * Double precision: a * b + addend = sum + error exactly up to the rounding of the error, which is less than 2^-52 of it.
 * Where sum plus a little less and sum plus a little more round to the same, that is the result.
 */
function attemptMulAdd64(s: Site, addend: F64, a: F64, b: F64): Attempt<'f64'> {
  const c = s.code;
  const { add, mul, abs, eq } = opF64;
  const [x, y, z] = [c.let(a), c.let(b), c.let(addend)];
  const product = c.let(mul(x, y));
  const low = c.let(errorOfProduct(c, oneDouble, x, y, product));
  const sum = c.let(add(product, z));
  const lost = c.let(errorOfSum(c, opF64, product, z, sum));
  const error = c.let(add(lost, low));
  const result = c.let(add(sum, error));
  const near = (factor: number): I32 => eq(result, add(sum, mul(error, f64(factor))));
  const certain = op32.and(near(1 + 2 ** -52), near(1 - 2 ** -52));
  const safe = op32.and(isSafelyNormal(host64.format, host64.bits(result)), isSplitProduct(product));
  return { result, right: op32.and(certain, safe), exact: () => eq(add(abs(low), abs(lost)), f64(0)) };
}

const mulAdds: { [T in Float]: (s: Site, addend: Value<T>, a: Value<T>, b: Value<T>) => Attempt<T> } = {
  f32: attemptMulAdd32,
  f64: attemptMulAdd64,
};
/** addend + a * b. */
export const attemptMulAdd = <T extends Float>(
  s: Site,
  h: Host<T>,
  addend: Value<T>,
  a: Value<T>,
  b: Value<T>,
): Attempt<T> => mulAdds[h.type](s, addend, a, b);
