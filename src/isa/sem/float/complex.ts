/** Complex numbers, real and imaginary part in neighbouring elements: FCADD, FCMLA. */
import { type I64, i32, op32 } from '../../../wasm/code';
import type { Semantics, SemanticsContext } from '../context';
import { element, elementsOf, negated, routine, setElements, type Width } from './common';

type Part = 0 | 1;
/** An element of a pair, negated or not. */
type Term = readonly [part: Part, negate: boolean];

/** By rotation: what is added to the real and to the imaginary part of Rn. */
const addends: readonly (readonly [real: Term, imaginary: Term])[] = [
  [
    [1, true],
    [0, false],
  ],
  [
    [1, false],
    [0, true],
  ],
];

/** By rotation: the part of Rn, and the terms of Rm that it is multiplied with for the real and the imaginary part. */
const factors: readonly (readonly [Part, real: Term, imaginary: Term])[] = [
  [0, [0, false], [1, false]],
  [1, [1, true], [0, false]],
  [0, [0, true], [1, true]],
  [1, [1, false], [0, true]],
];

function pairs(s: SemanticsContext, n: Width, compute: (pair: number, part: Part) => I64): void {
  const count = elementsOf(s, n);
  setElements(
    s,
    n,
    Array.from({ length: count }, (_, i) => s.code.let(compute(i >> 1, (i & 1) as Part))),
  );
}

const sized = ({ statics }: SemanticsContext): Width => ([16, 16, 32, 64] as const)[statics.size];
const term = (s: SemanticsContext, n: Width, first: number, [part, negate]: Term): I64 => {
  const value = element(s, 'Rm', n, first + part);
  return negate ? negated(n, value) : value;
};

function multiply(s: SemanticsContext, n: Width, second: (pair: number, t: Term) => I64): void {
  const [used, ...terms] = factors[s.statics.rot];
  pairs(s, n, (pair, part) =>
    routine(
      s,
      'FPMulAdd',
      n,
      element(s, 'Rd', n, 2 * pair + part),
      element(s, 'Rn', n, 2 * pair + used),
      second(pair, terms[part]),
    ),
  );
}

/** With the one pair that an index names. */
function multiplyByElement(s: SemanticsContext, n: Width): void {
  const index = s.tiny((f) => 2 * (n === 32 ? f.H : (f.H << 1) | f.L));
  const parts = [0, 1].map((part) => s.code.let(element(s, 'Rm', n, op32.add(index, i32(part)))));
  multiply(s, n, (_pair, [part, negate]) => (negate ? negated(n, parts[part]) : parts[part]));
}

export const floatComplexSemantics = {
  FCADD: {
    emit: (s) => {
      const n = sized(s);
      const terms = addends[s.statics.rot];
      pairs(s, n, (pair, part) =>
        routine(s, 'FPAdd', n, element(s, 'Rn', n, 2 * pair + part), term(s, n, 2 * pair, terms[part])),
      );
    },
  },
  FCMLA_vec: {
    emit: (s) => {
      const n = sized(s);
      multiply(s, n, (pair, t) => term(s, n, 2 * pair, t));
    },
  },
  FCMLA_elem_h: { emit: (s) => multiplyByElement(s, 16) },
  FCMLA_elem_s: { emit: (s) => multiplyByElement(s, 32) },
} as const satisfies Record<string, Semantics>;
