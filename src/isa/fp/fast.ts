/**
 * Fast paths: where the host's operation, which rounds to nearest with ties to even, provably gives Arm's result and flags.
 *
 * They hold when FPCR asks for that rounding and for no flushing, and the result is finite and not tiny. Then no operand was a
 * NaN, denormal operands are plain numbers, and IXC is the only flag that can be due: it must be set already, or the result
 * be seen to be exact. Everything else goes to integer code.
 */
import { type I32, i32, i64, type Local, load, op32, op64, type Value } from '../../wasm/code';
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
} from './host';
import { type Routine, type RoutineCode, routine } from './routine';

const { and } = op64;

/** FPCR asks for what the host does. */
const hostRounds = (c: RoutineCode): I32 => op32.eqz(c.fpcr(FPCR.RMode | FPCR.FZ));

/** Returns if inexactness is recorded already or `exact` holds, which may be costly and is not asked otherwise. */
function returnUnlessInexact(c: RoutineCode, bits: () => Value<'i64'>, exact: () => I32): void {
  c.if(op32.and(load.i32(c.core, c.state.fpsr), i32(FPSR.IXC)), () => c.return(bits()));
  c.if(exact(), () => c.return(bits()));
}

/** Sums and differences: a finite one is right whatever its size, since tiny ones are exact. */
function sum<T extends Float>(h: Host<T>, subtracts: boolean): Routine {
  const { format, ops } = h;
  return routine(['i64', 'i64'], (c) => {
    const [a, b] = [c.bits(1), c.bits(2)];
    const x = c.let(h.of(a));
    const y = c.let(subtracts ? ops.neg(h.of(b)) : h.of(b));
    const result = c.let(ops.add(x, y));
    const finite = ops.lt(ops.abs(result), h.of(i64(format.exponentMask)));
    c.if(op32.and(finite, hostRounds(c)), () =>
      returnUnlessInexact(
        c,
        () => h.bits(result),
        () => ops.eq(errorOfSum(c, ops, x, y, result), h.of(i64(0))),
      ),
    );
    const flip = subtracts ? format.signMask : 0n;
    c.tailCall(c.index(`FPAddSubSoft${format.bits}`), c.core, a, b, i64(flip));
  });
}

interface Operation<T extends Float> {
  readonly name: string;
  readonly operands: 1 | 2;
  readonly compute: (x: Local<T>, y: Local<T>) => Value<T>;
  readonly exact: (c: RoutineCode, x: Local<T>, y: Local<T>, result: Local<T>) => I32;
}

/** Products, quotients and roots; the second operand of a root is the first. */
function scaled<T extends Float>(h: Host<T>, { name, operands, compute, exact }: Operation<T>): Routine {
  const { format } = h;
  return routine(Array<'i64'>(operands).fill('i64'), (c) => {
    const given = Array.from({ length: operands }, (_, i) => c.bits(i + 1));
    const [x, y] = [given[0], given[operands - 1]].map((bits) => c.let(h.of(bits)));
    const result = c.let(compute(x, y));
    const bits = c.let(h.bits(result));
    c.if(op32.and(isSafelyNormal(format, bits), hostRounds(c)), () =>
      returnUnlessInexact(
        c,
        () => bits,
        () => exact(c, x, y, result),
      ),
    );
    c.tailCall(c.index(`${name}Soft${format.bits}`), c.core, ...given);
  });
}

function operations<T extends Float>(h: Host<T>): readonly Operation<T>[] {
  const { mul, div, sqrt } = h.ops;
  return [
    { name: 'FPMul', operands: 2, compute: mul, exact: (c, x, y, r) => h.isProduct(c, x, y, r) },
    { name: 'FPDiv', operands: 2, compute: div, exact: (c, x, y, r) => h.isProduct(c, r, y, x) },
    { name: 'FPSqrt', operands: 1, compute: sqrt, exact: (c, x, _y, r) => h.isProduct(c, r, r, x) },
  ];
}

/**
 * Single precision: the product is exact as a double, so the sum is rounded twice. That is wrong only where the first rounding
 * gave the middle between two singles.
 */
const mulAdd32: Routine = routine(['i64', 'i64', 'i64'], (c) => {
  const [addend, a, b] = [1, 2, 3].map((i) => c.bits(i));
  const wide = (bits: Local<'i64'>): Value<'f64'> => promote(host32.of(bits));
  const product = c.let(opF64.mul(wide(a), wide(b)));
  const term = c.let(wide(addend));
  const total = c.let(opF64.add(product, term));
  const result = c.let(demote(total));
  const bits = c.let(host32.bits(result));
  const dropped = (1n << 29n) - 1n;
  const middle = op64.ne(and(host64.bits(total), i64(dropped)), i64(1n << 28n));
  c.if(op32.and(op32.and(isSafelyNormal(host32.format, bits), middle), hostRounds(c)), () =>
    returnUnlessInexact(
      c,
      () => bits,
      () => {
        const whole = opF64.eq(errorOfSum(c, opF64, product, term, total), f64(0));
        return op32.and(whole, opF64.eq(promote(result), total));
      },
    ),
  );
  c.tailCall(c.index('FPMulAddSoft32'), c.core, addend, a, b);
});

/**
 * Double precision: a * b + addend = sum + error exactly up to the rounding of the error, which is a few units of 2^-53 of it.
 * Where sum plus a little less and sum plus a little more round to the same, that is the result.
 */
const mulAdd64: Routine = routine(['i64', 'i64', 'i64'], (c) => {
  const [addend, a, b] = [1, 2, 3].map((i) => c.bits(i));
  const { add, mul } = opF64;
  const [x, y, z] = [a, b, addend].map((bits) => c.let(host64.of(bits)));
  const product = c.let(mul(x, y));
  const low = c.let(errorOfProduct(c, x, y, product));
  const sum = c.let(add(product, z));
  const lost = c.let(errorOfSum(c, opF64, product, z, sum));
  const error = c.let(add(lost, low));
  const result = c.let(add(sum, mul(error, f64(1 + 2 ** -52))));
  const certain = opF64.eq(result, add(sum, mul(error, f64(1 - 2 ** -52))));
  const bits = c.let(host64.bits(result));
  const safe = op32.and(isSafelyNormal(host64.format, bits), isSplitProduct(product));
  c.if(op32.and(op32.and(certain, safe), hostRounds(c)), () =>
    returnUnlessInexact(
      c,
      () => bits,
      () => opF64.eq(add(opF64.abs(low), opF64.abs(lost)), f64(0)),
    ),
  );
  c.tailCall(c.index('FPMulAddSoft64'), c.core, addend, a, b);
});

function hostRoutines<T extends Float>(h: Host<T>): Record<string, Routine> {
  const n = h.format.bits;
  return {
    [`FPAdd${n}`]: sum(h, false),
    [`FPSub${n}`]: sum(h, true),
    ...Object.fromEntries(operations(h).map((o) => [`${o.name}${n}`, scaled(h, o)])),
  };
}

/** Half precision has no host operations: its names lead to integer code. */
function softOnly(name: string, operands: number, soft: string, ...more: bigint[]): Record<string, Routine> {
  const made = routine(Array<'i64'>(operands).fill('i64'), (c) => {
    const given = Array.from({ length: operands }, (_, i) => c.bits(i + 1));
    c.tailCall(c.index(soft), c.core, ...given, ...more.map(i64));
  });
  return { [name]: made };
}

export const fastRoutines: Record<string, Routine> = {
  ...hostRoutines(host32),
  ...hostRoutines(host64),
  FPMulAdd32: mulAdd32,
  FPMulAdd64: mulAdd64,
  ...softOnly('FPAdd16', 2, 'FPAddSubSoft16', 0n),
  ...softOnly('FPSub16', 2, 'FPAddSubSoft16', 0x8000n),
  ...softOnly('FPMul16', 2, 'FPMulSoft16'),
  ...softOnly('FPDiv16', 2, 'FPDivSoft16'),
  ...softOnly('FPSqrt16', 1, 'FPSqrtSoft16'),
  ...softOnly('FPMulAdd16', 3, 'FPMulAddSoft16'),
};
