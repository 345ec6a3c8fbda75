/** Semantics of Advanced SIMD three registers of the same type. Rows: arch/instructions/simdInteger/threeSame. */
import { bits } from '../../../wasm/vector';
import type { Semantics } from '../context';
import { binary, Elements, inForms, type Operation } from './elements';
import {
  accumulate,
  add,
  compare,
  difference,
  dotProduct,
  halvingAdd,
  halvingSub,
  matrixProduct,
  multiply,
  multiplyPolynomials,
  order,
  pairwise,
  sub,
  testBits,
} from './operations';
import { addSaturating, doublingAccumulateHigh, doublingHigh, subSaturating } from './saturate';
import { byRegister } from './shifts';

const addition = (isSigned: boolean): Semantics => binary((e, a, b) => addSaturating(e, e.z, isSigned, a, b));
const subtraction = (isSigned: boolean): Semantics => binary((e, a, b) => subSaturating(e, e.z, isSigned, a, b));
const doubling = (round: boolean): Semantics => binary((e, a, b) => doublingHigh(e, round, a, b));
const doublingAccumulate = (subtract: boolean): Semantics =>
  binary((e, a, b) => doublingAccumulateHigh(e, subtract, a, b));
const shift = (isSigned: boolean, { round = false, saturate = false } = {}): Semantics =>
  binary(byRegister({ isSigned, round, saturate }));
/** Into 32-bit elements, whatever the size of the operands'. */
const products = (operation: Operation): Semantics => binary(accumulate(operation), 2);
/** Matrices fill whole vectors. */
const matrices = (signedN: boolean, signedM: boolean): Semantics => ({
  emit: (s) => {
    const e = new Elements(s, 2, 128);
    e.write(accumulate(matrixProduct(signedN, signedM))(e, e.n, e.m));
  },
});

export const threeSameSemantics = {
  ...inForms(['vec', 'scalar'], {
    SQADD: addition(true),
    UQADD: addition(false),
    SQSUB: subtraction(true),
    UQSUB: subtraction(false),
    CMGT: binary(compare('gtS')),
    CMGE: binary(compare('geS')),
    CMHI: binary(compare('gtU')),
    CMHS: binary(compare('geU')),
    CMEQ: binary(compare('eq')),
    CMTST: binary(testBits),
    SSHL: shift(true),
    USHL: shift(false),
    SRSHL: shift(true, { round: true }),
    URSHL: shift(false, { round: true }),
    SQSHL: shift(true, { saturate: true }),
    UQSHL: shift(false, { saturate: true }),
    SQRSHL: shift(true, { round: true, saturate: true }),
    UQRSHL: shift(false, { round: true, saturate: true }),
    ADD: binary(add),
    SUB: binary(sub),
    SQDMULH: doubling(false),
    SQRDMULH: doubling(true),
    SQRDMLAH: doublingAccumulate(false),
    SQRDMLSH: doublingAccumulate(true),
  }),
  ...inForms(['vec'], {
    SHADD: binary(halvingAdd(true, false)),
    UHADD: binary(halvingAdd(false, false)),
    SRHADD: binary(halvingAdd(true, true)),
    URHADD: binary(halvingAdd(false, true)),
    SHSUB: binary(halvingSub(true)),
    UHSUB: binary(halvingSub(false)),
    SMAX: binary(order('maxS')),
    UMAX: binary(order('maxU')),
    SMIN: binary(order('minS')),
    UMIN: binary(order('minU')),
    SABD: binary(difference(true)),
    UABD: binary(difference(false)),
    SABA: binary(accumulate(difference(true))),
    UABA: binary(accumulate(difference(false))),
    MUL: binary(multiply),
    MLA: binary(accumulate(multiply)),
    MLS: binary(accumulate(multiply, true)),
    PMUL: binary(multiplyPolynomials),
    ADDP: binary(pairwise(add)),
    SMAXP: binary(pairwise(order('maxS'))),
    UMAXP: binary(pairwise(order('maxU'))),
    SMINP: binary(pairwise(order('minS'))),
    UMINP: binary(pairwise(order('minU'))),
    AND: binary((_e, n, m) => bits.and(n, m)),
    BIC: binary((_e, n, m) => bits.andNot(n, m)),
    ORR: binary((_e, n, m) => bits.or(n, m)),
    ORN: binary((_e, n, m) => bits.or(n, bits.not(m))),
    EOR: binary((_e, n, m) => bits.xor(n, m)),
    BSL: binary((e, n, m) => bits.select(e.d, n, m)),
    BIT: binary((e, n, m) => bits.select(m, n, e.d)),
    BIF: binary((e, n, m) => bits.select(m, e.d, n)),
    SDOT: products(dotProduct(true, true)),
    UDOT: products(dotProduct(false, false)),
    USDOT: products(dotProduct(false, true)),
    SMMLA: matrices(true, true),
    UMMLA: matrices(false, false),
    USMMLA: matrices(false, true),
  }),
} as const;
