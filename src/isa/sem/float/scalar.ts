/** Scalar floating point: moves, arithmetic, comparison, selection. */
import { type I64, i32, i64, select } from '../../../wasm/code';
import { attemptMulAdd, attemptProduct, attemptSum } from '../../fp';
import type { Semantics, SemanticsContext } from '../context';
import {
  absolute,
  both,
  element,
  negated,
  type RoundingMode,
  rounding,
  routine,
  setScalar,
  type Width,
  widthOf,
} from './common';
import { tried } from './tried';

type Emit = Semantics['emit'];

const unary =
  (compute: (s: SemanticsContext, n: Width, a: I64) => I64): Emit =>
  (s) => {
    const n = widthOf(s);
    setScalar(s, n, compute(s, n, element(s, 'Rn', n)));
  };
const binary =
  (name: string): Emit =>
  (s) => {
    const n = widthOf(s);
    setScalar(s, n, routine(s, name, n, element(s, 'Rn', n), element(s, 'Rm', n)));
  };

/** FRINT*: `exact` reports inexactness. */
const roundTo = (mode: RoundingMode, exact = 0): Emit =>
  unary((s, n, a) => routine(s, 'FPRoundInt', n, a, rounding(s, mode), i32(exact)));
const roundToSize = (mode: RoundingMode, size: 32 | 64): Semantics => ({
  emit: unary((s, n, a) => routine(s, 'FPRoundIntN', n, a, rounding(s, mode), i32(size))),
});

const sum = (subtracts: boolean): Emit =>
  tried(
    (s, h, of) => attemptSum(s, h, of('Rn'), of('Rm'), subtracts),
    (s, n) => routine(s, subtracts ? 'FPSub' : 'FPAdd', n, element(s, 'Rn', n), element(s, 'Rm', n)),
  );
const product: Emit = tried(
  (s, h, of) => attemptProduct(s, h, of('Rn'), of('Rm')),
  (s, n) => routine(s, 'FPMul', n, element(s, 'Rn', n), element(s, 'Rm', n)),
);

/** Which of the addend and the first factor are negated, NaNs included. */
const multiplyAdd = (negateAddend: boolean, negateProduct: boolean): Emit =>
  tried(
    (s, h, of) => {
      const addend = negateAddend ? h.ops.neg(of('Ra')) : of('Ra');
      return attemptMulAdd(s, h, addend, negateProduct ? h.ops.neg(of('Rn')) : of('Rn'), of('Rm'));
    },
    (s, n) => {
      const sign = (field: string, negate: boolean): I64 =>
        negate ? negated(n, element(s, field, n)) : element(s, field, n);
      return routine(s, 'FPMulAdd', n, sign('Ra', negateAddend), sign('Rn', negateProduct), element(s, 'Rm', n));
    },
  );

const compared = (s: SemanticsContext, signals: boolean, withZero = false) => {
  const n = widthOf(s);
  const second = withZero ? i64(0) : element(s, 'Rm', n);
  return s.call(`FPCompare${n}`, 'i32', element(s, 'Rn', n), second, i32(Number(signals)));
};
const compare =
  (signals: boolean, withZero: boolean): Emit =>
  (s) =>
    s.setNzcv(s.code.let(compared(s, signals, withZero)));
const conditionalCompare =
  (signals: boolean): Emit =>
  (s) => {
    const otherwise = s.tiny((f) => f.nzcv);
    const result = s.code.let(otherwise);
    s.code.if(s.condition(s.statics.cond), () => s.code.set(result, compared(s, signals)));
    s.setNzcv(result);
  };
const conditionalSelect: Emit = (s) => {
  const n = widthOf(s);
  setScalar(s, n, select(s.condition(s.statics.cond), element(s, 'Rn', n), element(s, 'Rm', n)));
};

/** VFPExpandImm(): sign, an exponent between -3 and 4, four bits of fraction. */
export function expandImmediate(imm8: number, n: Width): bigint {
  const E = { 16: 5, 32: 8, 64: 11 }[n];
  const F = n - E - 1;
  const sign = BigInt(imm8 >> 7);
  const high = (imm8 >> 6) & 1;
  const exponent =
    (BigInt(1 - high) << BigInt(E - 1)) | (BigInt(high ? 2 ** (E - 3) - 1 : 0) << 2n) | BigInt((imm8 >> 4) & 3);
  return (sign << BigInt(n - 1)) | (exponent << BigInt(F)) | (BigInt(imm8 & 15) << BigInt(F - 4));
}
const moveImmediate: Emit = (s) => {
  const n = widthOf(s);
  const value = s.wide((f) => {
    const bits = expandImmediate(f.imm8, n);
    return [Number(bits >> 32n), Number(bits & 0xffffffffn)];
  });
  setScalar(s, n, value);
};

export const floatScalarSemantics = {
  ...both(
    'FMOV_scalar',
    unary((_s, _n, a) => a),
  ),
  ...both(
    'FABS_scalar',
    unary((_s, n, a) => absolute(n, a)),
  ),
  ...both(
    'FNEG_scalar',
    unary((_s, n, a) => negated(n, a)),
  ),
  ...both(
    'FSQRT_scalar',
    unary((s, n, a) => routine(s, 'FPSqrt', n, a)),
  ),
  ...both('FRINTN_scalar', roundTo('TieEven')),
  ...both('FRINTP_scalar', roundTo('PosInf')),
  ...both('FRINTM_scalar', roundTo('NegInf')),
  ...both('FRINTZ_scalar', roundTo('Zero')),
  ...both('FRINTA_scalar', roundTo('TieAway')),
  ...both('FRINTX_scalar', roundTo('Fpcr', 1)),
  ...both('FRINTI_scalar', roundTo('Fpcr')),
  FRINT32Z_scalar: roundToSize('Zero', 32),
  FRINT32X_scalar: roundToSize('Fpcr', 32),
  FRINT64Z_scalar: roundToSize('Zero', 64),
  FRINT64X_scalar: roundToSize('Fpcr', 64),
  ...both('FMUL_scalar', product),
  ...both('FDIV_scalar', binary('FPDiv')),
  ...both('FADD_scalar', sum(false)),
  ...both('FSUB_scalar', sum(true)),
  ...both('FMAX_scalar', binary('FPMax')),
  ...both('FMIN_scalar', binary('FPMin')),
  ...both('FMAXNM_scalar', binary('FPMaxNum')),
  ...both('FMINNM_scalar', binary('FPMinNum')),
  ...both('FNMUL_scalar', (s) => {
    const n = widthOf(s);
    setScalar(s, n, negated(n, routine(s, 'FPMul', n, element(s, 'Rn', n), element(s, 'Rm', n))));
  }),
  ...both('FMADD_scalar', multiplyAdd(false, false)),
  ...both('FMSUB_scalar', multiplyAdd(false, true)),
  ...both('FNMADD_scalar', multiplyAdd(true, true)),
  ...both('FNMSUB_scalar', multiplyAdd(true, false)),
  ...both('FCMP', compare(false, false)),
  ...both('FCMPE', compare(true, false)),
  ...both('FCMP_zero', compare(false, true)),
  ...both('FCMPE_zero', compare(true, true)),
  ...both('FCCMP', conditionalCompare(false)),
  ...both('FCCMPE', conditionalCompare(true)),
  ...both('FCSEL', conditionalSelect),
  ...both('FMOV_scalar_imm', moveImmediate),
} as const satisfies Record<string, Semantics>;
