/** Floating-point formats and the bits of FPCR and FPSR, as numbers. Manual: "Floating-point", FPCR, FPSR, FPRounding. */

/** An IEEE 754 format of `bits` bits: sign, E bits of exponent, F bits of fraction. */
export interface Format {
  readonly bits: 16 | 32 | 64;
  readonly E: number;
  readonly F: number;
  readonly bias: number;
  /** Exponent of the smallest normal number. */
  readonly minExponent: number;
  /** All ones: NaN or infinity. */
  readonly maxBiased: number;
  readonly signMask: bigint;
  readonly exponentMask: bigint;
  readonly fractionMask: bigint;
  /** Everything but the sign. */
  readonly magnitudeMask: bigint;
  /** The fraction bit that tells a quiet NaN. */
  readonly quietBit: bigint;
  readonly defaultNaN: bigint;
  readonly maxNormal: bigint;
}

function format(bits: 16 | 32 | 64, E: number): Format {
  const F = bits - 1 - E;
  const bias = 2 ** (E - 1) - 1;
  const exponentMask = ((1n << BigInt(E)) - 1n) << BigInt(F);
  const quietBit = 1n << BigInt(F - 1);
  return {
    bits,
    E,
    F,
    bias,
    minExponent: 1 - bias,
    maxBiased: 2 ** E - 1,
    signMask: 1n << BigInt(bits - 1),
    exponentMask,
    fractionMask: (1n << BigInt(F)) - 1n,
    magnitudeMask: (1n << BigInt(bits - 1)) - 1n,
    quietBit,
    defaultNaN: exponentMask | quietBit,
    maxNormal: exponentMask - 1n,
  };
}

export const half = format(16, 5);
export const single = format(32, 8);
export const double = format(64, 11);
export const formats = { 16: half, 32: single, 64: double } as const;
export type FormatBits = keyof typeof formats;

export const FPCR = {
  FZ16: 1 << 19,
  RMode: 3 << 22,
  FZ: 1 << 24,
  DN: 1 << 25,
  AHP: 1 << 26,
} as const;
export const RMODE_SHIFT = 22;

/** Cumulative exception bits. */
export const FPSR = {
  IOC: 1 << 0, // invalid operation
  DZC: 1 << 1, // division by zero
  OFC: 1 << 2, // overflow
  UFC: 1 << 3, // underflow
  IXC: 1 << 4, // inexact
  IDC: 1 << 7, // input denormal
} as const;

/** FPRounding: the first four are the values of FPCR.RMode. */
export const Rounding = { TieEven: 0, PosInf: 1, NegInf: 2, Zero: 3, TieAway: 4, Odd: 5 } as const;
