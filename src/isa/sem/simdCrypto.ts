/**
 * Semantics of the cryptographic instructions. Rows: arch/instructions/simdCrypto. Names are those of the manual's pseudocode
 * (AESSubBytes, SHA256hash …) and of the standards.
 */
import { type I32, type I64, i32, i64, type Local, load, op32, op64, type V128 } from '../../wasm/code';
import { bits, i8x16, i16x8, i64x2, shuffle } from '../../wasm/vector';
import { constantAddress } from './constants';
import type { Semantics, SemanticsContext } from './context';

const sixteen = (of: (i: number) => number): number[] => Array.from({ length: 16 }, (_, i) => of(i));

// ---- AES: byte r + 4c of the state is row r of column c ----

/** AESShiftRows or its inverse, then the substitution of `table`, of Vd EOR Vn. */
const aesRound = (table: string, direction: 1 | -1): Semantics => ({
  emit: (s) => {
    const state = s.code.let(bits.xor(s.v('Rd'), s.v('Rn')));
    for (let at = 0; at < 16; at++) {
      const row = at & 3;
      const from = row + 4 * (((at >> 2) + direction * row) & 3);
      s.setElement32('Rd', 0, at, load.u8(i8x16.extractU(state, from), constantAddress(table)));
    }
  },
});

/** Each byte times x in GF(2^8). */
function timesX(s: SemanticsContext, value: V128): Local<'v128'> {
  const v = s.code.let(value);
  const carry = bits.and(i8x16.shrS(v, i32(7)), i8x16.splat(i32(0x1b)));
  return s.code.let(bits.xor(i8x16.shl(v, i32(1)), carry));
}

/** Each column's byte r becomes its byte r + n. */
const rotated = (v: V128, n: number): V128 =>
  shuffle(
    v,
    v,
    sixteen((i) => (i & 12) | ((i + n) & 3)),
  );

function mixColumns(s: SemanticsContext, value: V128): V128 {
  const a = s.code.let(value);
  const twice = timesX(s, a);
  const others = bits.xor(bits.xor(rotated(a, 1), rotated(a, 2)), rotated(a, 3));
  return bits.xor(bits.xor(twice, rotated(twice, 1)), others);
}

/** The inverse is MixColumns after adding 4 times (a + the byte two rows on). */
function inverseMixColumns(s: SemanticsContext, value: V128): V128 {
  const a = s.code.let(value);
  return mixColumns(s, bits.xor(a, timesX(s, timesX(s, bits.xor(a, rotated(a, 2))))));
}

// ---- polynomials over {0,1} ----

const polynomial8: Semantics = {
  emit: (s) => {
    const widen = s.statics.Q === 1 ? i16x8.extendHighU : i16x8.extendLowU;
    const a = s.code.let(widen(s.v('Rn')));
    const b = s.code.let(widen(s.v('Rm')));
    let product: V128 | undefined;
    for (let bit = 0; bit < 8; bit++) {
      const chosen = i16x8.shrS(i16x8.shl(b, i32(15 - bit)), i32(15));
      const term = bits.and(i16x8.shl(a, i32(bit)), chosen);
      product = product ? bits.xor(product, term) : term;
    }
    s.setV('Rd', product as V128);
  },
};

/** The upper half of a product is the lower half of that of the reversed operands, reversed, less its top bit. */
const polynomial64: Semantics = {
  emit: (s) => {
    const half = s.statics.Q === 1 ? 1 : 0;
    const a = s.code.let(s.element64('Rn', 3, half));
    const b = s.code.let(s.element64('Rm', 3, half));
    const reverse = (v: I64): I64 => s.call('BitReverse64', 'i64', v);
    const low = s.code.let(s.call('PolynomialMultLow64', 'i64', a, b));
    const high = s.code.let(reverse(s.call('PolynomialMultLow64', 'i64', reverse(a), reverse(b))));
    s.setElement64('Rd', 3, 0, low);
    s.setElement64('Rd', 3, 1, op64.shrU(high, i64(1)));
  },
};

// ---- SHA1 and SHA256: on words ----

type Word = Local<'i32'>;
const { add, and, or, xor } = op32;
const ror = (v: I32, n: number): I32 => op32.rotr(v, i32(n));
const rol = (v: I32, n: number): I32 => op32.rotl(v, i32(n));
const choose = (x: I32, y: I32, z: I32): I32 => xor(and(xor(y, z), x), z);
const majority = (x: I32, y: I32, z: I32): I32 => or(and(x, y), and(or(x, y), z));
const parity = (x: I32, y: I32, z: I32): I32 => xor(xor(x, y), z);
const sigma0Big = (v: I32): I32 => parity(ror(v, 2), ror(v, 13), ror(v, 22));
const sigma1Big = (v: I32): I32 => parity(ror(v, 6), ror(v, 11), ror(v, 25));
const sigma0 = (v: I32): I32 => parity(ror(v, 7), ror(v, 18), op32.shrU(v, i32(3)));
const sigma1 = (v: I32): I32 => parity(ror(v, 17), ror(v, 19), op32.shrU(v, i32(10)));

const wordsOf = (s: SemanticsContext, field: string): Word[] =>
  [0, 1, 2, 3].map((i) => s.code.let(s.element32(field, 2, i)));
function setWords(s: SemanticsContext, words: readonly I32[]): void {
  words.forEach((word, i) => {
    s.setElement32('Rd', 2, i, word);
  });
}

/** Four rounds: SHA1hash with its function of b, c and d. */
const sha1Rounds = (of: (x: I32, y: I32, z: I32) => I32): Semantics => ({
  emit: (s) => {
    let x = wordsOf(s, 'Rd');
    let y = s.code.let(s.element32('Rn', 2));
    const w = wordsOf(s, 'Rm');
    for (let e = 0; e < 4; e++) {
      const sum = s.code.let(add(add(add(y, rol(x[0], 5)), of(x[1], x[2], x[3])), w[e]));
      const turned = s.code.let(rol(x[1], 30));
      [x, y] = [[sum, x[0], turned, x[2]], x[3]];
    }
    setWords(s, x);
  },
});

/** SHA256hash: four rounds on X = a…d and Y = e…h; part1 gives X. */
const sha256Rounds = (xField: string, yField: string, part1: boolean): Semantics => ({
  emit: (s) => {
    let x = wordsOf(s, xField);
    let y = wordsOf(s, yField);
    const w = wordsOf(s, 'Rm');
    for (let e = 0; e < 4; e++) {
      const t = s.code.let(add(add(add(y[3], sigma1Big(y[0])), choose(y[0], y[1], y[2])), w[e]));
      const newY = s.code.let(add(t, x[3]));
      const newX = s.code.let(add(add(t, sigma0Big(x[0])), majority(x[0], x[1], x[2])));
      [x, y] = [
        [newX, x[0], x[1], x[2]],
        [newY, y[0], y[1], y[2]],
      ];
    }
    setWords(s, part1 ? x : y);
  },
});

const sha256Schedule0: Semantics = {
  emit: (s) => {
    const a = wordsOf(s, 'Rd');
    const next = s.code.let(s.element32('Rn', 2));
    setWords(
      s,
      a.map((word, e) => add(sigma0(e < 3 ? a[e + 1] : next), word)),
    );
  },
};

const sha256Schedule1: Semantics = {
  emit: (s) => {
    const [a, b, c] = [wordsOf(s, 'Rd'), wordsOf(s, 'Rn'), wordsOf(s, 'Rm')];
    const plain = a.map((word, e) => add(word, e < 3 ? b[e + 1] : c[0]));
    const first = [c[2], c[3]].map((word, e) => s.code.let(add(sigma1(word), plain[e])));
    setWords(s, [...first, ...first.map((word, e) => add(sigma1(word), plain[e + 2]))]);
  },
};

// ---- SHA512 and SHA3: on doublewords ----

const ror64 = (v: I64, n: number): I64 => op64.rotr(v, i64(n));
const xor3 = (a: I64, b: I64, c: I64): I64 => op64.xor(op64.xor(a, b), c);
const sum3 = (a: I64, b: I64, c: I64): I64 => op64.add(op64.add(a, b), c);
const doubles = (s: SemanticsContext, field: string): readonly [low: Local<'i64'>, high: Local<'i64'>] => [
  s.code.let(s.element64(field, 3, 0)),
  s.code.let(s.element64(field, 3, 1)),
];
function setDoubles(s: SemanticsContext, low: I64, high: I64): void {
  s.setElement64('Rd', 3, 0, low);
  s.setElement64('Rd', 3, 1, high);
}
const choose64 = (x: I64, y: I64, z: I64): I64 => op64.xor(op64.and(op64.xor(y, z), x), z);
const majority64 = (x: I64, y: I64, z: I64): I64 => op64.or(op64.and(x, y), op64.and(op64.or(x, y), z));

const sha512Hash: Semantics = {
  emit: (s) => {
    const [x, y, w] = [doubles(s, 'Rn'), doubles(s, 'Rm'), doubles(s, 'Rd')];
    const sigma = (v: I64): I64 => xor3(ror64(v, 14), ror64(v, 18), ror64(v, 41));
    const high = s.code.let(sum3(choose64(y[1], x[0], x[1]), sigma(y[1]), w[1]));
    const turned = s.code.let(op64.add(high, y[0]));
    setDoubles(s, sum3(choose64(turned, y[1], x[0]), sigma(turned), w[0]), high);
  },
};

const sha512Hash2: Semantics = {
  emit: (s) => {
    const [x, y, w] = [doubles(s, 'Rn'), doubles(s, 'Rm'), doubles(s, 'Rd')];
    const sigma = (v: I64): I64 => xor3(ror64(v, 28), ror64(v, 34), ror64(v, 39));
    const high = s.code.let(sum3(majority64(x[0], y[1], y[0]), sigma(y[0]), w[1]));
    setDoubles(s, sum3(majority64(high, y[0], y[1]), sigma(high), w[0]), high);
  },
};

const sha512Schedule0: Semantics = {
  emit: (s) => {
    const w = doubles(s, 'Rd');
    const next = s.code.let(s.element64('Rn', 3));
    const sigma = (v: I64): I64 => xor3(ror64(v, 1), ror64(v, 8), op64.shrU(v, i64(7)));
    setDoubles(s, op64.add(w[0], sigma(w[1])), op64.add(w[1], sigma(next)));
  },
};

const sha512Schedule1: Semantics = {
  emit: (s) => {
    const [x, y, w] = [doubles(s, 'Rn'), doubles(s, 'Rm'), doubles(s, 'Rd')];
    const sigma = (v: I64): I64 => xor3(ror64(v, 19), ror64(v, 61), op64.shrU(v, i64(6)));
    setDoubles(s, sum3(w[0], sigma(x[0]), y[0]), sum3(w[1], sigma(x[1]), y[1]));
  },
};

export const simdCryptoSemantics = {
  AESE: aesRound('aesSubBytes', 1),
  AESD: aesRound('aesInvSubBytes', -1),
  AESMC: { emit: (s) => s.setV('Rd', mixColumns(s, s.v('Rn'))) },
  AESIMC: { emit: (s) => s.setV('Rd', inverseMixColumns(s, s.v('Rn'))) },
  PMULL: polynomial8,
  PMULL_64: polynomial64,
  SHA1C: sha1Rounds(choose),
  SHA1P: sha1Rounds(parity),
  SHA1M: sha1Rounds(majority),
  SHA1SU0: {
    emit: (s) => {
      const [a, b] = [s.code.let(s.v('Rd')), s.code.let(s.v('Rn'))];
      const middle = shuffle(
        a,
        b,
        sixteen((i) => 8 + i),
      );
      s.setV('Rd', bits.xor(bits.xor(middle, a), s.v('Rm')));
    },
  },
  SHA1H: { emit: (s) => s.setLow32('Rd', 2, rol(s.element32('Rn', 2), 30)) },
  SHA1SU1: {
    emit: (s) => {
      const [a, b] = [wordsOf(s, 'Rd'), wordsOf(s, 'Rn')];
      const t = a.map((word, e) => (e < 3 ? s.code.let(xor(word, b[e + 1])) : word));
      setWords(s, [rol(t[0], 1), rol(t[1], 1), rol(t[2], 1), xor(rol(t[3], 1), rol(t[0], 2))]);
    },
  },
  SHA256H: sha256Rounds('Rd', 'Rn', true),
  SHA256H2: sha256Rounds('Rn', 'Rd', false),
  SHA256SU0: sha256Schedule0,
  SHA256SU1: sha256Schedule1,
  SHA512H: sha512Hash,
  SHA512H2: sha512Hash2,
  SHA512SU0: sha512Schedule0,
  SHA512SU1: sha512Schedule1,
  RAX1: {
    emit: (s) => {
      const m = s.code.let(s.v('Rm'));
      const turned = bits.or(i64x2.shl(m, i32(1)), i64x2.shrU(m, i32(63)));
      s.setV('Rd', bits.xor(s.v('Rn'), turned));
    },
  },
  EOR3: { emit: (s) => s.setV('Rd', bits.xor(bits.xor(s.v('Rn'), s.v('Rm')), s.v('Ra'))) },
  BCAX: { emit: (s) => s.setV('Rd', bits.xor(s.v('Rn'), bits.andNot(s.v('Rm'), s.v('Ra')))) },
  XAR: {
    emit: (s) => {
      const v = s.code.let(bits.xor(s.v('Rn'), s.v('Rm')));
      const right = i64x2.shrU(
        v,
        s.tiny((f) => f.imm6),
      );
      const left = i64x2.shl(
        v,
        s.tiny((f) => (64 - f.imm6) & 63),
      );
      s.setV('Rd', bits.or(right, left));
    },
  },
} as const satisfies Record<string, Semantics>;
