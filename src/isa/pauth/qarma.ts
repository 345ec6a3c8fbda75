/**
 * ComputePAC() as a routine of generated code: QARMA5, and an IMPLEMENTATION DEFINED hash. A state of QARMA is 16 cells of four
 * bits; here each cell is a byte of a vector. Shared pseudocode: ComputePAC, PACCellShuffle, PACSub, PACMult, TweakShuffle.
 */
import { PauthFlag } from '../../arch/pointerAuthentication';
import { FunctionBuilder, type I64, i32, i64, type Local, op32, op64, type V128 } from '../../wasm/code';
import { bits, i8x16, i64x2, shuffle, swizzle, v128 } from '../../wasm/vector';
import type { Routine } from '../fp';

/** Cell numbers by place in the result. */
const CELL_SHUFFLE = [13, 6, 11, 0, 7, 12, 1, 10, 8, 3, 14, 5, 2, 9, 4, 15] as const;
const TWEAK_SHUFFLE = [4, 5, 6, 7, 11, 2, 3, 8, 12, 13, 14, 15, 0, 1, 10, 9] as const;
/** Cells of the shuffled tweak that are rotated as well. */
const TWEAK_ROTATED = [2, 4, 7, 11, 12, 14, 15] as const;
const SUB = [11, 6, 8, 15, 12, 0, 9, 14, 3, 7, 4, 5, 13, 2, 1, 10] as const;
const ROUND_CONSTANTS = [
  0n,
  0x13198a2e03707344n,
  0xa4093822299f31d0n,
  0x082efa98ec4e6c89n,
  0x452821e638d01377n,
] as const;
const ALPHA = 0xc0ac29b7c97c50ddn;

const inverse = (order: readonly number[]): number[] => order.map((_, i) => order.indexOf(i));
const vectorOf = (bytes: readonly number[]): V128 => {
  const half = (from: number): bigint =>
    bytes.slice(from, from + 8).reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n);
  return v128(half(0), half(8));
};
const spread = (value: bigint): V128 =>
  vectorOf(Array.from({ length: 16 }, (_, i) => Number((value >> BigInt(4 * i)) & 15n)));
const every = (byte: number): V128 => vectorOf(new Array(16).fill(byte));

const NIBBLES = 0x0f0f0f0f0f0f0f0fn;
const interleaved = [0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23] as const;

/** A 64-bit value as cells. */
function cells(f: FunctionBuilder, value: I64): Local<'v128'> {
  const v = f.let(value);
  const low = i64x2.splat(op64.and(v, i64(NIBBLES)));
  const high = i64x2.splat(op64.and(op64.shrU(v, i64(4)), i64(NIBBLES)));
  return f.let(shuffle(low, high, interleaved));
}

/** Cells as a 64-bit value. */
function packed(f: FunctionBuilder, v: V128): I64 {
  const state = f.let(v);
  const even = shuffle(state, state, [0, 2, 4, 6, 8, 10, 12, 14, 0, 0, 0, 0, 0, 0, 0, 0]);
  const odd = shuffle(state, state, [1, 3, 5, 7, 9, 11, 13, 15, 0, 0, 0, 0, 0, 0, 0, 0]);
  return op64.or(i64x2.extract(even, 0), op64.shl(i64x2.extract(odd, 0), i64(4)));
}

class Qarma {
  constructor(private readonly f: FunctionBuilder) {}

  xor(...values: readonly V128[]): Local<'v128'> {
    return this.f.let(values.reduce((a, b) => bits.xor(a, b)));
  }
  shuffled(v: Local<'v128'>, order: readonly number[]): Local<'v128'> {
    return this.f.let(shuffle(v, v, order));
  }
  substituted(v: V128, box: readonly number[]): Local<'v128'> {
    return this.f.let(swizzle(vectorOf(box), v));
  }
  /** RotCell() of every cell, to the left. */
  private rotated(v: V128, n: number): Local<'v128'> {
    const moved = bits.or(i8x16.shl(v, i32(n)), i8x16.shrU(v, i32(4 - n)));
    return this.f.let(bits.and(moved, every(15)));
  }
  multiplied(v: Local<'v128'>): Local<'v128'> {
    const [once, twice] = [this.rotated(v, 1), this.rotated(v, 2)];
    const turned = (value: Local<'v128'>, by: number): V128 =>
      shuffle(
        value,
        value,
        CELL_SHUFFLE.map((_, i) => (i + by) & 15),
      );
    return this.xor(turned(once, 4), turned(twice, 8), turned(once, 12));
  }
  tweaked(v: Local<'v128'>): Local<'v128'> {
    const moved = this.shuffled(v, TWEAK_SHUFFLE);
    const half = this.f.let(i8x16.shrU(moved, i32(1)));
    const top = i8x16.shl(bits.and(bits.xor(moved, half), every(1)), i32(3));
    const rotates = vectorOf(TWEAK_SHUFFLE.map((_, i) => (TWEAK_ROTATED.some((cell) => cell === i) ? 255 : 0)));
    return this.f.let(bits.select(rotates, bits.or(half, top), moved));
  }
}

const ROUNDS = ROUND_CONSTANTS.length;

/** @param key0 bits 127:64 of the key, `key1` bits 63:0. */
function qarma5(f: FunctionBuilder, data: I64, modifier: I64, key0: I64, key1: I64): I64 {
  const q = new Qarma(f);
  const k0 = cells(f, key0);
  const k1 = cells(f, key1);
  const mixed = op64.or(op64.shl(key0, i64(63)), op64.xor(op64.shrU(key0, i64(1)), op64.shrU(key0, i64(63))));
  const modk0 = cells(f, mixed);
  const unshuffle = inverse(CELL_SHUFFLE);
  const unsub = inverse(SUB);
  const tweaks = [cells(f, modifier)];
  for (let i = 0; i < ROUNDS; i++) tweaks.push(q.tweaked(tweaks[i]));
  let v = q.xor(cells(f, data), k0);
  for (let i = 0; i < ROUNDS; i++) {
    v = q.xor(v, k1, tweaks[i], spread(ROUND_CONSTANTS[i]));
    if (i > 0) v = q.multiplied(q.shuffled(v, CELL_SHUFFLE));
    v = q.substituted(v, SUB);
  }
  v = q.xor(v, modk0, tweaks[ROUNDS]);
  v = q.substituted(q.multiplied(q.shuffled(v, CELL_SHUFFLE)), SUB);
  v = q.xor(q.multiplied(q.shuffled(v, CELL_SHUFFLE)), k1);
  v = q.multiplied(q.substituted(q.shuffled(v, unshuffle), unsub));
  v = q.xor(q.shuffled(v, unshuffle), k0, tweaks[ROUNDS]);
  for (let i = ROUNDS - 1; i >= 0; i--) {
    v = q.substituted(v, unsub);
    if (i > 0) v = q.shuffled(q.multiplied(v), unshuffle);
    v = q.xor(v, spread(ROUND_CONSTANTS[i]), k1, tweaks[i], spread(ALPHA));
  }
  return packed(f, q.xor(v, modk0));
}

/** Multiplications and shifts by turns: nothing that anybody should rely on, as an implementation's own may be. */
function ownHash(f: FunctionBuilder, data: I64, modifier: I64, key0: I64, key1: I64): Local<'i64'> {
  const v = f.let(op64.xor(data, key0));
  for (const input of [modifier, key1, op64.rotl(key0, i64(29))]) {
    f.set(v, op64.mul(op64.xor(v, op64.shrU(v, i64(32))), i64(0xd6e8feb86659fd93n)));
    f.set(v, op64.add(op64.rotl(v, i64(23)), input));
  }
  f.set(v, op64.mul(op64.xor(v, op64.shrU(v, i64(29))), i64(0xbf58476d1ce4e5b9n)));
  f.set(v, op64.xor(v, op64.shrU(v, i64(31))));
  return v;
}

/** (core, data, modifier, key bits 127:64, key bits 63:0, flags) -> the code. */
export const computePac: Routine = {
  params: ['i32', 'i64', 'i64', 'i64', 'i64', 'i32'],
  result: 'i64',
  body: () => {
    const f = new FunctionBuilder(computePac.params);
    const [data, modifier, key0, key1] = [1, 2, 3, 4].map((i) => f.param(i, 'i64'));
    f.if(op32.and(f.param(5, 'i32'), i32(PauthFlag.IMP)), () => f.return(ownHash(f, data, modifier, key0, key1)));
    f.return(qarma5(f, data, modifier, key0, key1));
    return f.finish();
  },
};
