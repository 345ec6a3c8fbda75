/**
 * Semantics of loads and stores of structures. Rows: arch/instructions/simdStructures.
 *
 * Multiple structures: the manual accesses element by element; here the bytes of as many registers are accessed 16 (or 8) at a
 * time, each one data access for counting, and sorted into registers by shuffles. Alignment is still that of the elements.
 */
import { extendU, type I32, type I64, i64, op64, type V128, wrap } from '../../wasm/code';
import { fromLow64, i8x16, i16x8, i32x4, i64x2, shuffle } from '../../wasm/vector';
import { base, stackBase } from './address';
import type { Semantics, SemanticsContext } from './context';

type Direction = 'load' | 'store';
type SizeLog2 = 0 | 1 | 2 | 3;

/** The 16 bytes of which byte i is number wanted[i] of the bytes of all sources, counted through; shared sources are locals. */
function gather(s: SemanticsContext, sources: readonly V128[], wanted: readonly number[]): V128 {
  if (sources.length === 1) return shuffle(sources[0], sources[0], wanted);
  let result = shuffle(
    sources[0],
    sources[1],
    wanted.map((n) => (n < 32 ? n : 0)),
  );
  for (let k = 2; k < sources.length; k++)
    result = shuffle(
      s.code.let(result),
      sources[k],
      wanted.map((n, i) => (n >= 16 * k && n < 16 * (k + 1) ? 16 + (n - 16 * k) : i)),
    );
  return result;
}

const sixteen = (of: (i: number) => number): number[] => Array.from({ length: 16 }, (_, i) => of(i));

/** After the access: the base moves by Rm, or by the bytes transferred where Rm is 31, which reads as zero. */
function writeBack(s: SemanticsContext, start: I64, bytes: number): void {
  const immediate = extendU(s.tiny((f) => (f.Rm === 31 ? bytes : 0)));
  s.setX('Rn', op64.add(op64.add(start, s.x('Rm')), immediate));
}

/** `registers` from Rt on, each of 16 or 8 bytes by Q; `interleave`: element k of register r is element k * registers + r. */
function multiple(direction: Direction, registers: number, interleave: boolean, post: boolean): Semantics {
  const count = direction === 'load' ? { loads: registers } : { stores: registers };
  return {
    extra: stackBase,
    ...count,
    emit: (s) => {
      const bytes = s.statics.Q === 1 ? 16 : 8;
      // LD1 and ST1 leave the order of bytes alone: their elements matter for alignment only, and are taken as bytes.
      const size = interleave ? s.statics.size : 0;
      const start = base(s);
      const chunk = (k: number): I64 => (k === 0 ? start : s.code.let(op64.add(start, i64(k * bytes))));
      const kind = { elementLog2: size };
      const all = Array.from({ length: registers }, (_, k) => k);
      if (direction === 'store') {
        const sources = all.map((r) => s.code.let(s.v('Rt', r)));
        for (const k of all) {
          const value = interleave
            ? gather(
                s,
                sources,
                sixteen((i) => stored(k * bytes + i, registers, size)),
              )
            : sources[k];
          if (bytes === 16) s.storeV(chunk(k), value, kind);
          else s.store(chunk(k), i64x2.extract(value, 0), 3, kind);
        }
      } else {
        const read = all.map((k) => (bytes === 16 ? s.loadV(chunk(k), kind) : fromLow64(s.load(chunk(k), 3, kind))));
        if (!interleave) for (const r of all) s.setV('Rt', read[r], r);
        else
          deinterleave(
            s,
            read.map((v) => s.code.let(v)),
            registers,
            size,
            bytes,
          );
      }
      if (post) writeBack(s, start, registers * bytes);
    },
  };
}

/** Where byte n of memory comes from: byte of all registers, counted through in 16s. Bytes past the last one are anything. */
function stored(n: number, registers: number, size: number): number {
  const element = n >> size;
  const register = element % registers;
  const at = (Math.floor(element / registers) << size) | (n & ((1 << size) - 1));
  return 16 * register + (at & 15);
}

function deinterleave(
  s: SemanticsContext,
  read: readonly V128[],
  registers: number,
  size: number,
  bytes: number,
): void {
  for (let r = 0; r < registers; r++) {
    const value = gather(
      s,
      read,
      sixteen((i) => {
        const at = ((((i & (bytes - 1)) >> size) * registers + r) << size) | (i & ((1 << size) - 1));
        // Chunks of eight bytes stand in sources of sixteen.
        return bytes === 16 ? at : 16 * (at >> 3) + (at & 7);
      }),
    );
    if (bytes === 16) s.setV('Rt', value, r);
    else s.setLow64('Rt', i64x2.extract(value, 0), r);
  }
}

/** Index of the element: the bits of Q:S:size that its size leaves. */
const elementIndex = (s: SemanticsContext, size: SizeLog2): I32 =>
  s.tiny((f) => [(f.Q << 3) | (f.S << 2) | f.size, (f.Q << 2) | (f.S << 1) | f.size, (f.Q << 1) | f.S, f.Q][size]);

/** One element of each register. */
function single(direction: Direction, registers: number, size: SizeLog2, post: boolean): Semantics {
  const count = direction === 'load' ? { loads: registers } : { stores: registers };
  return {
    extra: stackBase,
    ...count,
    emit: (s) => {
      const start = base(s);
      const index = s.code.let(elementIndex(s, size));
      const all = Array.from({ length: registers }, (_, r) => r);
      const at = (r: number): I64 => (r === 0 ? start : s.code.let(op64.add(start, i64(r << size))));
      if (direction === 'store') for (const r of all) s.store(at(r), s.element64('Rt', size, index, r), size);
      else {
        const values = all.map((r) => s.load(at(r), size));
        for (const r of all) s.setElement64('Rt', size, index, values[r], r);
      }
      if (post) writeBack(s, start, registers << size);
    },
  };
}

const splats = [
  (v: I64): V128 => i8x16.splat(wrap(v)),
  (v: I64): V128 => i16x8.splat(wrap(v)),
  (v: I64): V128 => i32x4.splat(wrap(v)),
  i64x2.splat,
] as const;

/** One element, copied to all elements of its register. */
const replicate = (registers: number, post: boolean): Semantics => ({
  extra: stackBase,
  loads: registers,
  emit: (s) => {
    const size = s.statics.size as SizeLog2;
    const start = base(s);
    const all = Array.from({ length: registers }, (_, r) => r);
    const values = all.map((r) => s.load(r === 0 ? start : s.code.let(op64.add(start, i64(r << size))), size));
    for (const r of all) {
      const value = splats[size](values[r]);
      if (s.statics.Q === 1) s.setV('Rt', value, r);
      else s.setLow64('Rt', i64x2.extract(value, 0), r);
    }
    if (post) writeBack(s, start, registers << size);
  },
});

export const simdStructureSemantics = {
  ST4_mult: multiple('store', 4, true, false),
  LD4_mult: multiple('load', 4, true, false),
  ST1_mult4: multiple('store', 4, false, false),
  LD1_mult4: multiple('load', 4, false, false),
  ST3_mult: multiple('store', 3, true, false),
  LD3_mult: multiple('load', 3, true, false),
  ST1_mult3: multiple('store', 3, false, false),
  LD1_mult3: multiple('load', 3, false, false),
  ST1_mult1: multiple('store', 1, false, false),
  LD1_mult1: multiple('load', 1, false, false),
  ST2_mult: multiple('store', 2, true, false),
  LD2_mult: multiple('load', 2, true, false),
  ST1_mult2: multiple('store', 2, false, false),
  LD1_mult2: multiple('load', 2, false, false),
  ST4_mult_post: multiple('store', 4, true, true),
  LD4_mult_post: multiple('load', 4, true, true),
  ST1_mult4_post: multiple('store', 4, false, true),
  LD1_mult4_post: multiple('load', 4, false, true),
  ST3_mult_post: multiple('store', 3, true, true),
  LD3_mult_post: multiple('load', 3, true, true),
  ST1_mult3_post: multiple('store', 3, false, true),
  LD1_mult3_post: multiple('load', 3, false, true),
  ST1_mult1_post: multiple('store', 1, false, true),
  LD1_mult1_post: multiple('load', 1, false, true),
  ST2_mult_post: multiple('store', 2, true, true),
  LD2_mult_post: multiple('load', 2, true, true),
  ST1_mult2_post: multiple('store', 2, false, true),
  LD1_mult2_post: multiple('load', 2, false, true),
  ST1_b: single('store', 1, 0, false),
  ST1_h: single('store', 1, 1, false),
  ST1_s: single('store', 1, 2, false),
  ST1_d: single('store', 1, 3, false),
  LD1_b: single('load', 1, 0, false),
  LD1_h: single('load', 1, 1, false),
  LD1_s: single('load', 1, 2, false),
  LD1_d: single('load', 1, 3, false),
  ST2_b: single('store', 2, 0, false),
  ST2_h: single('store', 2, 1, false),
  ST2_s: single('store', 2, 2, false),
  ST2_d: single('store', 2, 3, false),
  LD2_b: single('load', 2, 0, false),
  LD2_h: single('load', 2, 1, false),
  LD2_s: single('load', 2, 2, false),
  LD2_d: single('load', 2, 3, false),
  ST3_b: single('store', 3, 0, false),
  ST3_h: single('store', 3, 1, false),
  ST3_s: single('store', 3, 2, false),
  ST3_d: single('store', 3, 3, false),
  LD3_b: single('load', 3, 0, false),
  LD3_h: single('load', 3, 1, false),
  LD3_s: single('load', 3, 2, false),
  LD3_d: single('load', 3, 3, false),
  ST4_b: single('store', 4, 0, false),
  ST4_h: single('store', 4, 1, false),
  ST4_s: single('store', 4, 2, false),
  ST4_d: single('store', 4, 3, false),
  LD4_b: single('load', 4, 0, false),
  LD4_h: single('load', 4, 1, false),
  LD4_s: single('load', 4, 2, false),
  LD4_d: single('load', 4, 3, false),
  ST1_b_post: single('store', 1, 0, true),
  ST1_h_post: single('store', 1, 1, true),
  ST1_s_post: single('store', 1, 2, true),
  ST1_d_post: single('store', 1, 3, true),
  LD1_b_post: single('load', 1, 0, true),
  LD1_h_post: single('load', 1, 1, true),
  LD1_s_post: single('load', 1, 2, true),
  LD1_d_post: single('load', 1, 3, true),
  ST2_b_post: single('store', 2, 0, true),
  ST2_h_post: single('store', 2, 1, true),
  ST2_s_post: single('store', 2, 2, true),
  ST2_d_post: single('store', 2, 3, true),
  LD2_b_post: single('load', 2, 0, true),
  LD2_h_post: single('load', 2, 1, true),
  LD2_s_post: single('load', 2, 2, true),
  LD2_d_post: single('load', 2, 3, true),
  ST3_b_post: single('store', 3, 0, true),
  ST3_h_post: single('store', 3, 1, true),
  ST3_s_post: single('store', 3, 2, true),
  ST3_d_post: single('store', 3, 3, true),
  LD3_b_post: single('load', 3, 0, true),
  LD3_h_post: single('load', 3, 1, true),
  LD3_s_post: single('load', 3, 2, true),
  LD3_d_post: single('load', 3, 3, true),
  ST4_b_post: single('store', 4, 0, true),
  ST4_h_post: single('store', 4, 1, true),
  ST4_s_post: single('store', 4, 2, true),
  ST4_d_post: single('store', 4, 3, true),
  LD4_b_post: single('load', 4, 0, true),
  LD4_h_post: single('load', 4, 1, true),
  LD4_s_post: single('load', 4, 2, true),
  LD4_d_post: single('load', 4, 3, true),
  LD1R: replicate(1, false),
  LD2R: replicate(2, false),
  LD3R: replicate(3, false),
  LD4R: replicate(4, false),
  LD1R_post: replicate(1, true),
  LD2R_post: replicate(2, true),
  LD3R_post: replicate(3, true),
  LD4R_post: replicate(4, true),
} as const satisfies Record<string, Semantics>;
