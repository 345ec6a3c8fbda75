/** Semantics of extract, permute and table look-up. Rows: arch/instructions/simdPermute. */
import { i32, type V128 } from '../../wasm/code';
import { bits, i8x16, i64x2, shuffle, swizzle, v128 } from '../../wasm/vector';
import type { Semantics, SemanticsContext } from './context';
import { setByQ } from './simdMove';

/** Bytes 0 to 15. */
const countUp = v128(0x0706050403020100n, 0x0f0e0d0c0b0a0908n);
/** Indices from which 16 * n was taken: what was smaller is out of range then. */
const lower = (indices: V128, n: number): V128 => (n === 0 ? indices : i8x16.sub(indices, i8x16.splat(i32(16 * n))));

/** Bytes from imm4 on, of Vn followed by Vm. */
const extract: Semantics = {
  emit: (s) => {
    const indices = s.code.let(i8x16.add(countUp, i8x16.splat(s.tiny((f) => f.imm4))));
    if (s.statics.Q === 1)
      return s.setV('Rd', bits.or(swizzle(s.v('Rn'), indices), swizzle(s.v('Rm'), lower(indices, 1))));
    const both = i64x2.replace(i64x2.splat(s.element64('Rn', 3)), 1, s.element64('Rm', 3));
    s.setLow64('Rd', i64x2.extract(swizzle(both, indices), 0));
  },
};

/** Element e of the result is element `from(e, count)` of Vn (below count) and Vm (from count on). */
const permute = (from: (e: number, count: number) => number): Semantics => ({
  emit: (s) => {
    const size = s.statics.size;
    const bytes = s.statics.Q === 1 ? 16 : 8;
    const count = bytes >> size;
    const order = Array.from({ length: 16 }, (_, i) => {
      const e = from((i & (bytes - 1)) >> size, count);
      const inRegister = ((e % count) << size) | (i & ((1 << size) - 1));
      return inRegister + (e >= count ? 16 : 0);
    });
    setByQ(s, 'Rd', shuffle(s.v('Rn'), s.v('Rm'), order));
  },
});

/** Bytes of one to four registers by index; others are zero (TBL) or stay (TBX). */
const lookUp = (extend: boolean): Semantics => ({
  emit: (s: SemanticsContext) => {
    const registers = s.statics.len + 1;
    const indices = s.code.let(s.v('Rm'));
    let result = swizzle(s.v('Rn'), indices);
    for (let n = 1; n < registers; n++) result = bits.or(result, swizzle(s.v('Rn', n), lower(indices, n)));
    if (extend) {
      const inside = i8x16.ltU(indices, i8x16.splat(i32(16 * registers)));
      result = bits.select(inside, result, s.v('Rd'));
    }
    setByQ(s, 'Rd', result);
  },
});

export const simdPermuteSemantics = {
  EXT: extract,
  UZP1: permute((e) => 2 * e),
  UZP2: permute((e) => 2 * e + 1),
  TRN1: permute((e, count) => (e & 1 ? count + e - 1 : e)),
  TRN2: permute((e, count) => (e & 1 ? count + e : e + 1)),
  ZIP1: permute((e, count) => (e & 1 ? count : 0) + (e >> 1)),
  ZIP2: permute((e, count) => (e & 1 ? count : 0) + (count >> 1) + (e >> 1)),
  TBL: lookUp(false),
  TBX: lookUp(true),
} as const satisfies Record<string, Semantics>;
