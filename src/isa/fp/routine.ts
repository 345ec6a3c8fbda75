/**
 * What the bodies of floating-point routines are written with. A routine is one wasm function; its first parameter is the core
 * block, values are passed as bits in i64, zero-extended. Results are bits too: no wasm float leaves a routine, and none of its
 * NaNs. FPCR is read from the core block, cumulative exceptions are added to FPSR there.
 */
import {
  extendU,
  FunctionBuilder,
  type I32,
  type I64,
  i32,
  i64,
  type Local,
  load,
  op32,
  op64,
  type ValueType,
  wrap,
} from '../../wasm/code';
import { type Format, FPCR, FPSR, RMODE_SHIFT, Rounding } from './format';

const { and, or, xor, shl, shrU, sub, eq, eqz, ne, gtU } = op64;

/** Byte offsets of FPCR and FPSR in the core block, each the low 32 bits of the register. */
export interface FpState {
  readonly fpcr: number;
  readonly fpsr: number;
}

/** Function index of a routine by name. */
export type RoutineIndex = (name: string) => number;

/** A shared function of generated code. */
export interface Routine {
  readonly params: readonly ValueType[];
  readonly result: ValueType;
  readonly body: (state: FpState, index: RoutineIndex) => number[];
}

/** A finite number that is not zero: (-1)^sign * significand / 2^63 * 2^exponent, where bit 63 of the significand is set. */
export interface Unpacked {
  readonly sign: I32;
  readonly exponent: Local<'i32'>;
  readonly significand: Local<'i64'>;
}

export class RoutineCode extends FunctionBuilder {
  readonly core: I32 = this.param(0, 'i32');

  constructor(
    params: readonly ValueType[],
    readonly state: FpState,
    readonly index: RoutineIndex,
  ) {
    super(params);
  }

  bits(index: number): Local<'i64'> {
    return this.param(index, 'i64');
  }
  word(index: number): Local<'i32'> {
    return this.param(index, 'i32');
  }

  /** FPCR AND mask. */
  fpcr(mask: number): I32 {
    return op32.and(load.i32(this.core, this.state.fpcr), i32(mask));
  }
  fpsr(): I32 {
    return load.i32(this.core, this.state.fpsr);
  }
  /** FPRoundingMode(). */
  roundingMode(): I32 {
    return op32.shrU(this.fpcr(FPCR.RMode), i32(RMODE_SHIFT));
  }
  /** FPProcessException(): exceptions are never trapped here. */
  raise(flags: number): void {
    this.raiseValue(i32(flags));
  }
  raiseValue(flags: I32): void {
    this.store('i32', this.core, op32.or(load.i32(this.core, this.state.fpsr), flags), this.state.fpsr);
  }
  /** The default NaN of an invalid operation. */
  returnInvalid(f: Format): void {
    this.raise(FPSR.IOC);
    this.return(i64(f.defaultNaN));
  }

  callBits(name: string, ...args: (I32 | I64)[]): I64 {
    return this.call(this.index(name), 'i64', this.core, ...args);
  }

  /**
   * FPUnpack()'s flush: a denormal becomes a zero of its sign under FPCR.FZ (IDC), or under FZ16 for half precision (no flag).
   */
  flush(f: Format, a: Local<'i64'>): void {
    const fraction = and(a, i64(f.fractionMask));
    this.if(eqz(and(a, i64(f.exponentMask))), () =>
      this.if(ne(fraction, i64(0)), () =>
        this.if(this.fpcr(f.bits === 16 ? FPCR.FZ16 : FPCR.FZ), () => {
          this.set(a, and(a, i64(f.signMask)));
          if (f.bits !== 16) this.raise(FPSR.IDC);
        }),
      ),
    );
  }

  /** Parts of a number that is neither NaN nor infinity. A zero has a zero significand. */
  unpack(f: Format, a: I64): Unpacked {
    const biased = this.let(op32.and(wrap(shrU(a, i64(f.F))), i32(f.maxBiased)));
    const significand = this.let(shl(and(a, i64(f.fractionMask)), i64(63 - f.F)));
    const exponent = this.let(op32.sub(biased, i32(f.bias)));
    this.if(
      biased,
      () => this.set(significand, or(significand, i64(1n << 63n))),
      () => {
        const zeros = this.let(op64.clz(significand));
        this.set(significand, shl(significand, zeros));
        this.set(exponent, op32.sub(i32(f.minExponent), wrap(zeros)));
      },
    );
    return { sign: sign(f, a), exponent, significand };
  }

  /** Shifts right by 0 or more; what falls out sticks in bit 0. */
  shiftRightJam(a: Local<'i64'>, amount: Local<'i32'>): void {
    this.if(
      op32.ltU(amount, i32(64)),
      () => {
        const n = extendU(amount);
        const lost = and(a, sub(shl(i64(1), n), i64(1)));
        this.set(a, or(shrU(a, n), extendU(ne(lost, i64(0)))));
      },
      () => this.set(a, extendU(ne(a, i64(0)))),
    );
  }

  /** The zero that an exact cancellation gives: negative when rounding towards minus infinity. */
  returnCancelled(f: Format): void {
    const negative = op32.eq(this.roundingMode(), i32(Rounding.NegInf));
    this.return(shl(extendU(negative), i64(f.bits - 1)));
  }

  /** FPRound() with the rounding mode of FPCR. */
  returnRounded(f: Format, signBit: I32, exponent: I32, significand: I64, rounding: I32 = this.roundingMode()): void {
    this.return(this.callBits(`FPRound${f.bits}`, signBit, exponent, significand, rounding));
  }
}

export const sign = (f: Format, a: I64): I32 => wrap(shrU(a, i64(f.bits - 1)));
export const magnitude = (f: Format, a: I64): I64 => and(a, i64(f.magnitudeMask));
export const isZero = (f: Format, a: I64): I32 => eqz(magnitude(f, a));
export const isInfinite = (f: Format, a: I64): I32 => eq(magnitude(f, a), i64(f.exponentMask));
export const isAnyNaN = (f: Format, a: I64): I32 => gtU(magnitude(f, a), i64(f.exponentMask));
export const isQuiet = (f: Format, a: I64): I32 => ne(and(a, i64(f.quietBit)), i64(0));
/** NaN or infinity. */
export const isSpecial = (f: Format, a: I64): I32 => op64.geU(magnitude(f, a), i64(f.exponentMask));
/** The sign bit of the product or quotient, in its place. */
export const signOfProduct = (f: Format, a: I64, b: I64): I64 => and(xor(a, b), i64(f.signMask));

/** A routine's table entry. */
export function routine(
  params: readonly ValueType[],
  emit: (c: RoutineCode) => void,
  result: ValueType = 'i64',
): Routine {
  const all = ['i32', ...params] as const;
  return {
    params: all,
    result,
    body: (state, index) => {
      const code = new RoutineCode(all, state, index);
      emit(code);
      code.unreachable();
      return code.finish();
    },
  };
}
