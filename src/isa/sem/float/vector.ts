/** Vectors of floating-point numbers, and the scalar forms of their encoding groups. */
import { type I64, i32, i64, type V128, wrap } from '../../../wasm/code';
import { i32x4, i64x2, v128 } from '../../../wasm/vector';
import type { Semantics, SemanticsContext } from '../context';
import {
  absolute,
  absoluteLanes,
  allOnesIf,
  asking,
  both,
  eachElement,
  element,
  elementsOf,
  laneRoutine,
  negated,
  negatedLanes,
  type RoundingMode,
  rounding,
  routine,
  setElements,
  setScalar,
  setWhole,
  type Width,
  whole,
  widthOf,
} from './common';

type Emit = Semantics['emit'];
type Unary = (s: SemanticsContext, n: Width, a: I64) => I64;
type Binary = (s: SemanticsContext, n: Width, a: I64, b: I64) => I64;

/** Of each element of Rn, and of one. */
const mapVector =
  (operation: Unary): Emit =>
  (s) => {
    const n = widthOf(s);
    eachElement(s, n, (i) => operation(s, n, element(s, 'Rn', n, i)));
  };
const mapScalar =
  (operation: Unary): Emit =>
  (s) => {
    const n = widthOf(s);
    setScalar(s, n, operation(s, n, element(s, 'Rn', n)));
  };
/** Of the elements of Rn and Rm. */
const zipVector =
  (operation: Binary): Emit =>
  (s) => {
    const n = widthOf(s);
    eachElement(s, n, (i) => operation(s, n, element(s, 'Rn', n, i), element(s, 'Rm', n, i)));
  };
const zipScalar =
  (operation: Binary): Emit =>
  (s) => {
    const n = widthOf(s);
    setScalar(s, n, operation(s, n, element(s, 'Rn', n), element(s, 'Rm', n)));
  };

const named =
  (name: string): Binary =>
  (s, n, a, b) =>
    routine(s, name, n, a, b);
const namedUnary =
  (name: string): Unary =>
  (s, n, a) =>
    routine(s, name, n, a);
const test =
  (name: string): Binary =>
  (s, n, a, b) =>
    allOnesIf(n, asking(s, name, n, a, b));
const absoluteTest =
  (name: string): Binary =>
  (s, n, a, b) =>
    test(name)(s, n, absolute(n, a), absolute(n, b));
const absoluteDifference: Binary = (s, n, a, b) => absolute(n, routine(s, 'FPSub', n, a, b));
/** With zero, on the right or on the left. */
const zeroTest =
  (name: string, left = false): Unary =>
  (s, n, a) =>
    left ? test(name)(s, n, i64(0), a) : test(name)(s, n, a, i64(0));
const roundTo =
  (mode: RoundingMode, exact = 0): Unary =>
  (s, n, a) =>
    routine(s, 'FPRoundInt', n, a, rounding(s, mode), i32(exact));
const roundToSize =
  (mode: RoundingMode, size: 32 | 64): Unary =>
  (s, n, a) =>
    routine(s, 'FPRoundIntN', n, a, rounding(s, mode), i32(size));

/** Vectors of singles and doubles have routines for all lanes at once; half precision goes element by element. */
const lanes =
  (operation: (s: SemanticsContext, n: 32 | 64) => V128, otherwise: Emit): Emit =>
  (s) => {
    const n = widthOf(s);
    if (n === 16) otherwise(s);
    else setWhole(s, s.code.let(operation(s, n)));
  };
/** The routine of that name of Rn and Rm, or of Rn alone. */
const zipLanes = (name: string): Emit =>
  lanes((s, n) => laneRoutine(s, name, n, whole(s, 'Rn'), whole(s, 'Rm')), zipVector(named(name)));
const testLanes = (name: string): Emit =>
  lanes((s, n) => laneRoutine(s, name, n, whole(s, 'Rn'), whole(s, 'Rm')), zipVector(test(name)));
const absoluteTestLanes = (name: string): Emit =>
  lanes(
    (s, n) => laneRoutine(s, name, n, absoluteLanes(n, whole(s, 'Rn')), absoluteLanes(n, whole(s, 'Rm'))),
    zipVector(absoluteTest(name)),
  );
const zeroTestLanes = (name: string, left = false): Emit =>
  lanes(
    (s, n) => {
      const operands = [whole(s, 'Rn'), v128(0n, 0n)];
      return laneRoutine(s, name, n, ...(left ? operands.reverse() : operands));
    },
    mapVector(zeroTest(name, left)),
  );

const vectorAndScalar = <M extends string>(m: M, operation: Binary, vector = zipVector(operation)) => ({
  ...both(`${m}_vec`, vector),
  ...both(`${m}_scalar`, zipScalar(operation)),
});
const unaryBoth = <M extends string>(m: M, operation: Unary, vector = mapVector(operation)) => ({
  ...both(`${m}_vec`, vector),
  ...both(`${m}_scalar`, mapScalar(operation)),
});

/** Multiply-accumulate; subtracting negates the first factor. */
const accumulate =
  (subtract: boolean): Emit =>
  (s) => {
    const n = widthOf(s);
    eachElement(s, n, (i) => {
      const a = element(s, 'Rn', n, i);
      return routine(s, 'FPMulAdd', n, element(s, 'Rd', n, i), subtract ? negated(n, a) : a, element(s, 'Rm', n, i));
    });
  };
const accumulateLanes = (subtract: boolean): Emit =>
  lanes((s, n) => {
    const a = subtract ? negatedLanes(n, whole(s, 'Rn')) : whole(s, 'Rn');
    return laneRoutine(s, 'FPMulAdd', n, whole(s, 'Rd'), a, whole(s, 'Rm'));
  }, accumulate(subtract));

// ---- pairs and across lanes ----

/** Neighbours of Rn followed by Rm. */
const pairwise =
  (name: string): Emit =>
  (s) => {
    const n = widthOf(s);
    const count = elementsOf(s, n);
    const at = (i: number): I64 => (i < count ? element(s, 'Rn', n, i) : element(s, 'Rm', n, i - count));
    eachElement(s, n, (i) => routine(s, name, n, at(2 * i), at(2 * i + 1)));
  };
const pairScalar =
  (name: string): Emit =>
  (s) => {
    const n = widthOf(s);
    setScalar(s, n, routine(s, name, n, element(s, 'Rn', n, 0), element(s, 'Rn', n, 1)));
  };
/** Reduce(): the halves first. */
function reduce(s: SemanticsContext, name: string, n: Width, from: number, count: number): I64 {
  if (count === 1) return element(s, 'Rn', n, from);
  const low = s.code.let(reduce(s, name, n, from, count / 2));
  const high = s.code.let(reduce(s, name, n, from + count / 2, count / 2));
  return routine(s, name, n, low, high);
}
const across = <M extends string>(m: M, name: string) =>
  ({
    [`${m}_vec` as const]: { emit: (s: SemanticsContext) => setScalar(s, 32, reduce(s, name, 32, 0, 4)) },
    [`${m}_vec_h` as const]: {
      emit: (s: SemanticsContext) => setScalar(s, 16, reduce(s, name, 16, 0, elementsOf(s, 16))),
    },
  }) as Record<`${M}_vec` | `${M}_vec_h`, Semantics>;

const pairs = <M extends string>(m: M, name: string) => ({
  ...both(`${m}_vec`, pairwise(name)),
  ...both(`${m}_scalar`, pairScalar(name)),
});

// ---- by element ----

/** The one element of Rm: H:L of singles, H of doubles, H:L:M of halves. */
function indexed(s: SemanticsContext, n: Width): I64 {
  const index = s.tiny((f) => (n === 64 ? f.H : n === 32 ? (f.H << 1) | f.L : (f.H << 2) | (f.L << 1) | f.M));
  return s.code.let(element(s, 'Rm', n, index));
}
const splat = (n: 32 | 64, value: I64): V128 => (n === 64 ? i64x2.splat(value) : i32x4.splat(wrap(value)));
const byElement = <M extends string>(
  m: M,
  operation: (s: SemanticsContext, n: Width, addend: () => I64, a: I64, b: I64) => I64,
  onLanes?: (s: SemanticsContext, n: 32 | 64, b: V128) => V128,
) => {
  const eachOne: Emit = (s) => {
    const n = widthOf(s);
    const b = indexed(s, n);
    eachElement(s, n, (i) => operation(s, n, () => element(s, 'Rd', n, i), element(s, 'Rn', n, i), b));
  };
  const scalar: Emit = (s) => {
    const n = widthOf(s);
    const b = indexed(s, n);
    setScalar(
      s,
      n,
      operation(s, n, () => element(s, 'Rd', n), element(s, 'Rn', n), b),
    );
  };
  const vector = onLanes ? lanes((s, n) => onLanes(s, n, splat(n, indexed(s, n))), eachOne) : eachOne;
  return { ...both(`${m}_elem`, vector), ...both(`${m}_elem_scalar`, scalar) };
};

// ---- products of halves ----

/** (sign of the product, which half of the elements of Rn and Rm). */
const halfProducts = <M extends string>(m: M, subtract: boolean, part: 0 | 1) => {
  const make =
    (factor: (s: SemanticsContext, i: number) => I64): Emit =>
    (s) => {
      const count = elementsOf(s, 32);
      const results = Array.from({ length: count }, (_, i) => {
        const a = element(s, 'Rn', 16, part * count + i);
        const first = subtract ? negated(16, a) : a;
        return s.code.let(s.call('FPMulAddH', 'i64', element(s, 'Rd', 32, i), first, factor(s, part * count + i)));
      });
      setElements(s, 32, results);
    };
  const byIndex: Emit = (s) => {
    const b = indexed(s, 16);
    make(() => b)(s);
  };
  const rows = {
    [`${m}_vec`]: { emit: make((s, i) => element(s, 'Rm', 16, i)) },
    [`${m}_elem`]: { emit: byIndex },
  };
  return rows as Record<`${M}_vec` | `${M}_elem`, Semantics>;
};

export const floatVectorSemantics = {
  ...both('FADD_vec', zipLanes('FPAdd')),
  ...both('FSUB_vec', zipLanes('FPSub')),
  ...both('FMUL_vec', zipLanes('FPMul')),
  ...both('FDIV_vec', zipLanes('FPDiv')),
  ...both('FMAX_vec', zipLanes('FPMax')),
  ...both('FMIN_vec', zipLanes('FPMin')),
  ...both('FMAXNM_vec', zipLanes('FPMaxNum')),
  ...both('FMINNM_vec', zipLanes('FPMinNum')),
  ...both('FMLA_vec', accumulateLanes(false)),
  ...both('FMLS_vec', accumulateLanes(true)),
  ...vectorAndScalar('FMULX', named('FPMulX')),
  ...vectorAndScalar('FRECPS', named('FPRecipStepFused')),
  ...vectorAndScalar('FRSQRTS', named('FPRSqrtStepFused')),
  ...vectorAndScalar(
    'FABD',
    absoluteDifference,
    lanes(
      (s, n) => absoluteLanes(n, laneRoutine(s, 'FPSub', n, whole(s, 'Rn'), whole(s, 'Rm'))),
      zipVector(absoluteDifference),
    ),
  ),
  ...vectorAndScalar('FCMEQ', test('FPCompareEQ'), testLanes('FPCompareEQ')),
  ...vectorAndScalar('FCMGE', test('FPCompareGE'), testLanes('FPCompareGE')),
  ...vectorAndScalar('FCMGT', test('FPCompareGT'), testLanes('FPCompareGT')),
  ...vectorAndScalar('FACGE', absoluteTest('FPCompareGE'), absoluteTestLanes('FPCompareGE')),
  ...vectorAndScalar('FACGT', absoluteTest('FPCompareGT'), absoluteTestLanes('FPCompareGT')),
  ...unaryBoth('FCMEQ_zero', zeroTest('FPCompareEQ'), zeroTestLanes('FPCompareEQ')),
  ...unaryBoth('FCMGE_zero', zeroTest('FPCompareGE'), zeroTestLanes('FPCompareGE')),
  ...unaryBoth('FCMGT_zero', zeroTest('FPCompareGT'), zeroTestLanes('FPCompareGT')),
  ...unaryBoth('FCMLE_zero', zeroTest('FPCompareGE', true), zeroTestLanes('FPCompareGE', true)),
  ...unaryBoth('FCMLT_zero', zeroTest('FPCompareGT', true), zeroTestLanes('FPCompareGT', true)),

  ...both(
    'FABS_vec',
    mapVector((_s, n, a) => absolute(n, a)),
  ),
  ...both(
    'FNEG_vec',
    mapVector((_s, n, a) => negated(n, a)),
  ),
  ...both(
    'FSQRT_vec',
    lanes((s, n) => laneRoutine(s, 'FPSqrt', n, whole(s, 'Rn')), mapVector(namedUnary('FPSqrt'))),
  ),
  ...both('FRINTN_vec', mapVector(roundTo('TieEven'))),
  ...both('FRINTP_vec', mapVector(roundTo('PosInf'))),
  ...both('FRINTM_vec', mapVector(roundTo('NegInf'))),
  ...both('FRINTZ_vec', mapVector(roundTo('Zero'))),
  ...both('FRINTA_vec', mapVector(roundTo('TieAway'))),
  ...both('FRINTX_vec', mapVector(roundTo('Fpcr', 1))),
  ...both('FRINTI_vec', mapVector(roundTo('Fpcr'))),
  FRINT32Z_vec: { emit: mapVector(roundToSize('Zero', 32)) },
  FRINT32X_vec: { emit: mapVector(roundToSize('Fpcr', 32)) },
  FRINT64Z_vec: { emit: mapVector(roundToSize('Zero', 64)) },
  FRINT64X_vec: { emit: mapVector(roundToSize('Fpcr', 64)) },
  ...unaryBoth('FRECPE', namedUnary('FPRecipEstimate')),
  ...unaryBoth('FRSQRTE', namedUnary('FPRSqrtEstimate')),
  ...both('FRECPX_scalar', mapScalar(namedUnary('FPRecpX'))),

  ...pairs('FADDP', 'FPAdd'),
  ...pairs('FMAXP', 'FPMax'),
  ...pairs('FMINP', 'FPMin'),
  ...pairs('FMAXNMP', 'FPMaxNum'),
  ...pairs('FMINNMP', 'FPMinNum'),
  ...across('FMAXV', 'FPMax'),
  ...across('FMINV', 'FPMin'),
  ...across('FMAXNMV', 'FPMaxNum'),
  ...across('FMINNMV', 'FPMinNum'),

  ...byElement(
    'FMUL',
    (s, n, _addend, a, b) => routine(s, 'FPMul', n, a, b),
    (s, n, b) => laneRoutine(s, 'FPMul', n, whole(s, 'Rn'), b),
  ),
  ...byElement('FMULX', (s, n, _addend, a, b) => routine(s, 'FPMulX', n, a, b)),
  ...byElement(
    'FMLA',
    (s, n, addend, a, b) => routine(s, 'FPMulAdd', n, addend(), a, b),
    (s, n, b) => laneRoutine(s, 'FPMulAdd', n, whole(s, 'Rd'), whole(s, 'Rn'), b),
  ),
  ...byElement(
    'FMLS',
    (s, n, addend, a, b) => routine(s, 'FPMulAdd', n, addend(), negated(n, a), b),
    (s, n, b) => laneRoutine(s, 'FPMulAdd', n, whole(s, 'Rd'), negatedLanes(n, whole(s, 'Rn')), b),
  ),
  ...halfProducts('FMLAL', false, 0),
  ...halfProducts('FMLSL', true, 0),
  ...halfProducts('FMLAL2', false, 1),
  ...halfProducts('FMLSL2', true, 1),
} as const satisfies Record<string, Semantics>;
