/** Semantics of moves between SIMD&FP registers, general registers and elements. Rows: arch/instructions/simdMove. */
import type { Fields } from '../../arch/instructions';
import { extend32S, extendU, type I64, i64, op64, type V128, wrap } from '../../wasm/code';
import { i8x16, i16x8, i32x4, i64x2 } from '../../wasm/vector';
import type { Semantics, SemanticsContext } from './context';

export type SizeLog2 = 0 | 1 | 2 | 3;

/** log2 of the element's bytes: the position of imm5's lowest one. */
const sizeOf = (f: Fields): SizeLog2 => (31 - Math.clz32(f.imm5 & -f.imm5)) as SizeLog2;
const indexOf = (f: Fields): number => f.imm5 >> (sizeOf(f) + 1);
const bySize = { name: 'sizeLog2', count: 4, of: sizeOf };
const sizeIn = (s: SemanticsContext): SizeLog2 => s.statics.sizeLog2 as SizeLog2;

/** All elements alike, from the low bits of a value. */
export const splat = (sizeLog2: SizeLog2, value: I64): V128 =>
  sizeLog2 === 3 ? i64x2.splat(value) : [i8x16.splat, i16x8.splat, i32x4.splat][sizeLog2](wrap(value));

/** Writes a register of Q's width: the upper half is zero for 64 bits. */
export function setByQ(s: SemanticsContext, field: string, value: V128): void {
  if (s.statics.Q === 1) s.setV(field, value);
  else s.setLow64(field, i64x2.extract(value, 0));
}

/** Element `imm5` of Vn, zero-extended. */
const element = (s: SemanticsContext): I64 => s.element64('Rn', sizeIn(s), s.tiny(indexOf));

/** AdvSIMDExpandImm: `unit` is the width of what the byte is put into, `shift` its place there, `ones` what lies below it. */
interface Expansion {
  readonly unit: 8 | 16 | 32 | 64;
  readonly shift?: (f: Fields) => number;
  readonly ones?: boolean;
  readonly invert?: boolean;
}

const imm8 = (f: Fields): bigint => BigInt((f.abc << 5) | f.defgh);

function pairOf(value: bigint): readonly [number, number] {
  return [Number((value >> 32n) & 0xffffffffn), Number(value & 0xffffffffn)];
}

function replicated(value: bigint, unit: number): bigint {
  let all = 0n;
  for (let at = 0; at < 64; at += unit) all |= value << BigInt(at);
  return all;
}

const expand =
  ({ unit, shift, ones, invert }: Expansion) =>
  (f: Fields): readonly [number, number] => {
    const amount = BigInt(shift?.(f) ?? 0);
    const value = (imm8(f) << amount) | (ones ? (1n << amount) - 1n : 0n);
    const all = replicated(value, unit);
    return pairOf(invert ? ~all & 0xffff_ffff_ffff_ffffn : all);
  };

/** Each bit of the byte becomes eight. */
function byteMask(f: Fields): readonly [number, number] {
  let value = 0n;
  for (let i = 0; i < 8; i++) if ((imm8(f) >> BigInt(i)) & 1n) value |= 0xffn << BigInt(8 * i);
  return pairOf(value);
}

/** VFPExpandImm of a format with so many exponent and fraction bits, in all elements. */
const expandFloat = (exponent: number, fraction: number) => {
  const width = 1 + exponent + fraction;
  return (f: Fields): readonly [number, number] => {
    const byte = imm8(f);
    const b6 = (byte >> 6n) & 1n;
    const repeated = b6 ? (1n << BigInt(exponent - 3)) - 1n : 0n;
    const biased = ((1n - b6) << BigInt(exponent - 1)) | (repeated << 2n) | ((byte >> 4n) & 3n);
    const value =
      ((byte >> 7n) << BigInt(width - 1)) | (biased << BigInt(fraction)) | ((byte & 15n) << BigInt(fraction - 4));
    return pairOf(replicated(value, width));
  };
};

/** `scalar`: the row has no Q and writes 64 bits; `whole`: it has none and writes 128. */
const immediate = (
  expansion: (f: Fields) => readonly [number, number],
  shape: 'byQ' | 'scalar' | 'whole' = 'byQ',
): Semantics => ({
  emit: (s) => {
    const value = s.wide(expansion);
    if (shape === 'scalar' || (shape === 'byQ' && s.statics.Q === 0)) s.setLow64('Rd', value);
    else s.setV('Rd', i64x2.splat(value));
  },
});

const byCmode = (f: Fields): number => f.cmode * 8;
const words = { unit: 32, shift: byCmode } as const;
const halves = { unit: 16, shift: byCmode } as const;
/** MSL: 8 or 16 ones below. */
const shiftingOnes = { unit: 32, shift: (f: Fields) => 8 * (f.cmode + 1), ones: true } as const;

const toGeneral = (value: (s: SemanticsContext) => I64): Semantics => ({ emit: (s) => s.setX('Rd', value(s)) });

export const simdMoveSemantics = {
  DUP_elem: { extra: bySize, emit: (s) => setByQ(s, 'Rd', splat(sizeIn(s), element(s))) },
  DUP_elem_scalar: { extra: bySize, emit: (s) => s.setLow64('Rd', element(s)) },
  DUP_gen: { extra: bySize, emit: (s) => setByQ(s, 'Rd', splat(sizeIn(s), s.x('Rn'))) },
  SMOV: {
    extra: bySize,
    emit: (s) => {
      const value = [op64.extend8, op64.extend16, extend32S][sizeIn(s) as 0 | 1 | 2](element(s));
      if (s.statics.Q === 1) s.setX('Rd', value);
      else s.setW('Rd', wrap(value));
    },
  },
  UMOV: { extra: bySize, emit: (s) => s.setX('Rd', element(s)) },
  INS_gen: { extra: bySize, emit: (s) => s.setElement64('Rd', sizeIn(s), s.tiny(indexOf), s.x('Rn')) },
  INS_elem: {
    extra: bySize,
    emit: (s) => {
      const value = s.code.let(
        s.element64(
          'Rn',
          sizeIn(s),
          s.tiny((f) => f.imm4 >> sizeOf(f)),
        ),
      );
      s.setElement64('Rd', sizeIn(s), s.tiny(indexOf), value);
    },
  },
  MOVI_32: immediate(expand(words)),
  MOVI_16: immediate(expand(halves)),
  MVNI_32: immediate(expand({ ...words, invert: true })),
  MVNI_16: immediate(expand({ ...halves, invert: true })),
  MOVI_ones: immediate(expand(shiftingOnes)),
  MVNI_ones: immediate(expand({ ...shiftingOnes, invert: true })),
  MOVI_8: immediate(expand({ unit: 8 })),
  MOVI_64_scalar: immediate(byteMask, 'scalar'),
  MOVI_64: immediate(byteMask, 'whole'),
  FMOV_vimm_s: immediate(expandFloat(8, 23)),
  FMOV_vimm_d: immediate(expandFloat(11, 52), 'whole'),
  FMOV_vimm_h: immediate(expandFloat(5, 10)),
  FMOV_s_gen: toGeneral((s) => s.element64('Rn', 2)),
  FMOV_d_gen: toGeneral((s) => s.element64('Rn', 3)),
  FMOV_h_gen: toGeneral((s) => s.element64('Rn', 1)),
  FMOV_top_gen: toGeneral((s) => s.element64('Rn', 3, 1)),
  FMOV_s_fp: { emit: (s) => s.setLow64('Rd', extendU(s.w('Rn'))) },
  FMOV_d_fp: { emit: (s) => s.setLow64('Rd', s.x('Rn')) },
  FMOV_h_fp: { emit: (s) => s.setLow64('Rd', op64.and(s.x('Rn'), i64(0xffff))) },
  FMOV_top_fp: { emit: (s) => s.setElement64('Rd', 3, 1, s.x('Rn')) },
} as const satisfies Record<string, Semantics>;
