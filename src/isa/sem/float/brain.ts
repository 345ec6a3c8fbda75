/** Semantics of BFloat16 instructions. Rows: arch/instructions/float/brain. */
import { extendU, type I32, type I64, i64, op64, wrap } from '../../../wasm/code';
import type { Semantics, SemanticsContext } from '../context';
import { setElements } from './common';

const each = (count: number, of: (i: number) => I64, s: SemanticsContext): I64[] =>
  Array.from({ length: count }, (_, i) => s.code.let(of(i)));

const converted = (s: SemanticsContext, i: number): I64 => s.call('FPConvertBF', 'i64', s.element64('Rn', 2, i));

/** H:L, and M if there is one. */
const elementIndex = (s: SemanticsContext): I32 =>
  s.tiny((f) => (f.M === undefined ? (f.H << 1) | f.L : (f.H << 2) | (f.L << 1) | f.M));

type Pair = (i: number) => I64;

/** Sums of two products each. */
function dot(s: SemanticsContext, pairOfM: Pair): void {
  const of = (i: number): I64 =>
    s.call('BFDotAdd', 'i64', s.element64('Rd', 2, i), s.element64('Rn', 2, i), pairOfM(i));
  setElements(s, 32, each(2 << s.statics.Q, of, s));
}

/** A BFloat16 number as a single-precision one. */
const single = (bits: I64): I64 => op64.shl(bits, i64(16));

/** FPMulAdd() of the even (B) or odd (T) elements of Vn. */
function multiplyAddLong(s: SemanticsContext, elementOfM: (n: number) => I64): void {
  const of = (i: number): I64 => {
    const n = 2 * i + s.statics.Q;
    return s.call('FPMulAdd32', 'i64', s.element64('Rd', 2, i), single(s.element64('Rn', 1, n)), single(elementOfM(n)));
  };
  setElements(s, 32, each(4, of, s));
}

export const brainFloatSemantics = {
  BFCVT: { emit: (s) => s.setLow32('Rd', 1, wrap(converted(s, 0))) },
  BFCVTN: {
    emit: (s) => {
      const [a, b, c, d] = each(4, (i) => converted(s, i), s);
      const pair = (low: I64, high: I64): I64 => op64.or(low, op64.shl(high, i64(16)));
      const all = op64.or(pair(a, b), op64.shl(pair(c, d), i64(32)));
      if (s.statics.Q === 1) s.setElement64('Rd', 3, 1, all);
      else s.setLow64('Rd', all);
    },
  },
  BFDOT_vec: { emit: (s) => dot(s, (i) => s.element64('Rm', 2, i)) },
  BFDOT_elem: {
    emit: (s) => {
      const pair = s.code.let(extendU(s.element32('Rm', 2, elementIndex(s))));
      dot(s, () => pair);
    },
  },
  BFMLAL_vec: { emit: (s) => multiplyAddLong(s, (n) => s.element64('Rm', 1, n)) },
  BFMLAL_elem: {
    emit: (s) => {
      const factor = s.code.let(extendU(s.element32('Rm', 1, elementIndex(s))));
      multiplyAddLong(s, () => factor);
    },
  },
  /** Rows of four of Vn with rows of four of Vm. */
  BFMMLA: {
    emit: (s) => {
      const half = (sum: I64, row: number, column: number, k: number): I64 =>
        s.call('BFDotAdd', 'i64', sum, s.element64('Rn', 2, 2 * row + k), s.element64('Rm', 2, 2 * column + k));
      const of = (i: number): I64 => {
        const [row, column] = [i >> 1, i & 1];
        return half(half(s.element64('Rd', 2, i), row, column, 0), row, column, 1);
      };
      setElements(s, 32, each(4, of, s));
    },
  },
} as const satisfies Record<string, Semantics>;
