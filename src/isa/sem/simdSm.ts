/** Semantics of the SM3 and SM4 instructions. Rows: arch/instructions/simdSm. Names are those of the manual's pseudocode. */
import { type I32, i32, type Local, load, op32 } from '../../wasm/code';
import { i32x4, v128 } from '../../wasm/vector';
import { constantAddress } from './constants';
import type { Semantics, SemanticsContext } from './context';

type Word = Local<'i32'>;
const { add, and, or, xor } = op32;
const rol = (v: I32, n: number): I32 => op32.rotl(v, i32(n));
const sum = (...values: readonly I32[]): I32 => values.reduce(add);
const parity = (...values: readonly I32[]): I32 => values.reduce(xor);

const wordsOf = (s: SemanticsContext, field: string): Word[] =>
  [0, 1, 2, 3].map((i) => s.code.let(s.element32(field, 2, i)));

/** Words are all computed before one is written: Rd may be an operand. */
function setWords(s: SemanticsContext, words: readonly I32[]): void {
  const values = words.map((word) => s.code.let(word));
  s.setV(
    'Rd',
    values.reduce((v, word, i) => i32x4.replace(v, i, word), v128(0n, 0n)),
  );
}

/** The words that are all bits exclusive or, or a choice of them. */
type Mix = (x: I32, y: I32, z: I32) => I32;
const majority: Mix = (x, y, z) => or(or(and(x, y), and(x, z)), and(y, z));
const choose: Mix = (x, y, z) => or(and(x, y), and(xor(x, i32(-1)), z));

/** SM3TT1A, SM3TT1B: of D = d…a, with SS1 in the highest word of Vn. */
const firstRound = (mix: Mix): Semantics => ({
  emit: (s) => {
    const [d, c, b, a] = wordsOf(s, 'Rd');
    const n = s.element32('Rn', 2, 3);
    const w = s.element32(
      'Rm',
      2,
      s.tiny((f) => f.imm2),
    );
    const tt1 = sum(mix(a, c, b), d, xor(n, rol(a, 12)), w);
    setWords(s, [c, rol(b, 9), a, tt1]);
  },
});

/** SM3TT2A, SM3TT2B: of D = h…e. */
const secondRound = (mix: Mix): Semantics => ({
  emit: (s) => {
    const [h, g, f, e] = wordsOf(s, 'Rd');
    const n = s.element32('Rn', 2, 3);
    const w = s.element32(
      'Rm',
      2,
      s.tiny((fields) => fields.imm2),
    );
    const tt2 = s.code.let(sum(mix(e, f, g), h, n, w));
    setWords(s, [g, rol(f, 19), e, parity(tt2, rol(tt2, 9), rol(tt2, 17))]);
  },
});

const spread = (v: Word): I32 => parity(v, rol(v, 15), rol(v, 23));

const partW1: Semantics = {
  emit: (s) => {
    const [d, n, m] = [wordsOf(s, 'Rd'), wordsOf(s, 'Rn'), wordsOf(s, 'Rm')];
    const result: Word[] = [];
    for (let i = 0; i < 3; i++) result.push(s.code.let(parity(d[i], n[i], rol(m[i + 1], 15))));
    const words = result.map((word) => s.code.let(spread(word)));
    const last = s.code.let(parity(d[3], n[3], rol(words[0], 15)));
    setWords(s, [...words, spread(last)]);
  },
};

const partW2: Semantics = {
  emit: (s) => {
    const [d, n, m] = [wordsOf(s, 'Rd'), wordsOf(s, 'Rn'), wordsOf(s, 'Rm')];
    const mixed = n.map((word, i) => s.code.let(xor(word, rol(m[i], 7))));
    const turned = s.code.let(rol(mixed[0], 15));
    const result = mixed.map((word, i) => xor(d[i], word));
    setWords(s, [result[0], result[1], result[2], xor(result[3], spread(turned))]);
  },
};

/** Sbox() of the four bytes. */
function substituted(s: SemanticsContext, word: I32): Word {
  const from = s.code.let(word);
  const byte = (at: number): I32 => {
    const index = and(op32.shrU(from, i32(at)), i32(255));
    return op32.shl(load.u8(index, constantAddress('sm4Sbox')), i32(at));
  };
  return s.code.let(or(or(byte(0), byte(8)), or(byte(16), byte(24))));
}

/** Four rounds, each with one word of a key; `turns` are the rotations of the linear transformation. */
function sm4Rounds(s: SemanticsContext, state: readonly Word[], keys: readonly Word[], turns: readonly number[]): void {
  const x = [...state];
  for (const key of keys) {
    const [oldest, ...others] = x.slice(-4);
    const t = substituted(s, parity(...others, key));
    x.push(s.code.let(parity(oldest, t, ...turns.map((n) => rol(t, n)))));
  }
  setWords(s, x.slice(-4));
}

export const simdSmSemantics = {
  SM3SS1: {
    emit: (s) => {
      const [n, m, a] = ['Rn', 'Rm', 'Ra'].map((field) => s.element32(field, 2, 3));
      setWords(s, [i32(0), i32(0), i32(0), rol(sum(rol(n, 12), m, a), 7)]);
    },
  },
  SM3TT1A: firstRound(parity),
  SM3TT1B: firstRound(majority),
  SM3TT2A: secondRound(parity),
  SM3TT2B: secondRound(choose),
  SM3PARTW1: partW1,
  SM3PARTW2: partW2,
  SM4E: { emit: (s) => sm4Rounds(s, wordsOf(s, 'Rd'), wordsOf(s, 'Rn'), [2, 10, 18, 24]) },
  SM4EKEY: { emit: (s) => sm4Rounds(s, wordsOf(s, 'Rn'), wordsOf(s, 'Rm'), [13, 23]) },
} as const satisfies Record<string, Semantics>;
