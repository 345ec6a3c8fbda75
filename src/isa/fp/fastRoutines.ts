/** The routines that try the host's operation first (fast.ts), then integer code. */
import { type I32, type I64, i32, i64, type Local, op32, op64, type ValueType } from '../../wasm/code';
import {
  type Attempt,
  attemptMulAdd,
  attemptProduct,
  attemptQuotient,
  attemptRoot,
  attemptSum,
  type Site,
} from './fast';
import { type Format, FPCR, FPSR } from './format';
import { type Float, type Host, host32, host64, isSafelyNormal } from './host';
import { type Routine, type RoutineCode, routine } from './routine';

const { and, sub, geU } = op64;

const siteOf = (c: RoutineCode): Site => ({ code: c, fpcr: () => c.fpcr(-1), fpsr: () => c.fpsr() });

/** Zero, or at least the smallest normal number: FPCR.FZ leaves it alone. */
const isNotDenormal = (f: Format, bits: I64): I32 =>
  geU(sub(and(bits, i64(f.magnitudeMask)), i64(1)), i64((1n << BigInt(f.F)) - 1n));

/**
 * Returns the attempt's result if it is right and nothing is to be recorded. Under FZ it is if neither an operand nor the
 * result is to be flushed.
 */
function returnIfRight<T extends Float>(
  c: RoutineCode,
  h: Host<T>,
  given: readonly Local<'i64'>[],
  { result, right, exact }: Attempt<T>,
): void {
  const returnIfRecorded = (): void => {
    c.if(op32.and(c.fpsr(), i32(FPSR.IXC)), () => c.return(h.bits(result)));
    c.if(exact(), () => c.return(h.bits(result)));
  };
  c.if(right, () => {
    const mode = c.let(c.fpcr(FPCR.RMode | FPCR.FZ));
    c.if(op32.eqz(mode), returnIfRecorded);
    c.if(op32.eq(mode, i32(FPCR.FZ)), () => {
      const untouched = given.map((bits) => isNotDenormal(h.format, bits));
      c.if(untouched.reduce(op32.and, isSafelyNormal(h.format, h.bits(result))), returnIfRecorded);
    });
  });
}

const operandTypes = (count: number): ValueType[] => Array<ValueType>(count).fill('i64');
const operandsOf = (c: RoutineCode, count: number): Local<'i64'>[] =>
  Array.from({ length: count }, (_, i) => c.bits(i + 1));

/** `soft` is the routine in integer code, which takes `more` after the operands. */
function tried<T extends Float>(
  h: Host<T>,
  count: number,
  soft: string,
  make: (s: Site, operands: readonly Local<T>[]) => Attempt<T>,
  more: readonly bigint[] = [],
): Routine {
  return routine(operandTypes(count), (c) => {
    const given = operandsOf(c, count);
    const values = given.map((bits) => c.let(h.of(bits)));
    returnIfRight(c, h, given, make(siteOf(c), values));
    c.tailCall(c.index(`${soft}${h.format.bits}`), c.core, ...given, ...more.map(i64));
  });
}

function hostRoutines<T extends Float>(h: Host<T>): Record<string, Routine> {
  const n = h.format.bits;
  return {
    [`FPAdd${n}`]: tried(h, 2, 'FPAddSubSoft', (s, [a, b]) => attemptSum(s, h, a, b, false), [0n]),
    [`FPSub${n}`]: tried(h, 2, 'FPAddSubSoft', (s, [a, b]) => attemptSum(s, h, a, b, true), [h.format.signMask]),
    [`FPMul${n}`]: tried(h, 2, 'FPMulSoft', (s, [a, b]) => attemptProduct(s, h, a, b)),
    [`FPDiv${n}`]: tried(h, 2, 'FPDivSoft', (s, [a, b]) => attemptQuotient(s, h, a, b)),
    [`FPSqrt${n}`]: tried(h, 1, 'FPSqrtSoft', (s, [a]) => attemptRoot(s, h, a)),
  };
}

/** Half precision has no host operations: its names lead to integer code. */
function softOnly(name: string, count: number, soft: string, ...more: bigint[]): Record<string, Routine> {
  const made = routine(operandTypes(count), (c) => {
    c.tailCall(c.index(soft), c.core, ...operandsOf(c, count), ...more.map(i64));
  });
  return { [name]: made };
}

export const fastRoutines: Record<string, Routine> = {
  ...hostRoutines(host32),
  ...hostRoutines(host64),
  FPMulAdd32: tried(host32, 3, 'FPMulAddSoft', (s, [addend, a, b]) => attemptMulAdd(s, host32, addend, a, b)),
  FPMulAdd64: tried(host64, 3, 'FPMulAddSoft', (s, [addend, a, b]) => attemptMulAdd(s, host64, addend, a, b)),
  ...softOnly('FPAdd16', 2, 'FPAddSubSoft16', 0n),
  ...softOnly('FPSub16', 2, 'FPAddSubSoft16', 0x8000n),
  ...softOnly('FPMul16', 2, 'FPMulSoft16'),
  ...softOnly('FPDiv16', 2, 'FPDivSoft16'),
  ...softOnly('FPSqrt16', 1, 'FPSqrtSoft16'),
  ...softOnly('FPMulAdd16', 3, 'FPMulAddSoft16'),
};
