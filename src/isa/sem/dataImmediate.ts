/** Semantics of data processing with immediates. Rows: arch/instructions/dataImmediate. */
import type { Fields } from '../../arch/instructions';
import { extendU, i64, op64, type Value, type ValueType, wrap } from '../../wasm/code';
import { addWithFlags, bitmask, bySize, logicalFlags, moveWide, type Size, signed } from './common';
import type { Semantics, SemanticsContext } from './context';

const imm12 = (f: Fields): number => (f.sh === 1 ? f.imm12 * 4096 : f.imm12);

const addSubtract = (subtract: boolean, flags: boolean): Semantics => ({
  emit: bySize((s, z) => {
    const a = z.get('Rn');
    const b = z.from32(s.small(imm12));
    if (flags) z.set('Rd', addWithFlags(s, z, a, b, subtract));
    else z.set('Rd', subtract ? z.ops.sub(a, b) : z.ops.add(a, b));
  }),
});

const logical = (op: 'and' | 'or' | 'xor', flags = false): Semantics => ({
  emit: bySize(<T extends ValueType>(s: SemanticsContext, z: Size<T>) => {
    const mask = s.wide(bitmask);
    const r = s.code.let(z.ops[op](z.get('Rn'), (z.bits === 64 ? mask : wrap(mask)) as Value<T>));
    z.set('Rd', r);
    if (flags) logicalFlags(s, z, r);
  }),
});

/** Left and right shift that bring the field <imms:immr> where UBFM and SBFM want it, for both shapes of the operands. */
const fieldLeft = (f: Fields): number => (f.sf === 1 ? 63 : 31) - f.imms;
const fieldRight = (f: Fields): number => (f.imms >= f.immr ? fieldLeft(f) + f.immr : f.immr - f.imms - 1);

const bitfield = (kind: 'signed' | 'unsigned' | 'insert'): Semantics => ({
  emit: bySize((s, z) => {
    const { ops } = z;
    const left = z.from32(s.tiny(fieldLeft));
    const right = z.from32(s.tiny(fieldRight));
    const up = ops.shl(z.get('Rn'), left);
    if (kind === 'signed') return z.set('Rd', ops.shrS(up, right));
    const field = ops.shrU(up, right);
    if (kind === 'unsigned') return z.set('Rd', field);
    const mask = ops.shrU(ops.shl(z.constant(-1), left), right);
    z.set('Rd', ops.or(ops.and(z.get('Rd'), ops.xor(mask, z.constant(-1))), field));
  }),
});

export const dataImmediateSemantics = {
  ADR: {
    emit: (s) =>
      s.setX(
        'Rd',
        op64.add(
          s.pc(),
          s.wide((f) => {
            const offset = signed((f.immhi << 2) | f.immlo, 21);
            return [offset < 0 ? -1 : 0, offset];
          }),
        ),
      ),
  },
  ADRP: {
    emit: (s) =>
      s.setX(
        'Rd',
        op64.add(
          op64.and(s.pc(), i64(-4096)),
          s.wide((f) => {
            const pages = signed((f.immhi << 2) | f.immlo, 21);
            return [pages >> 20, pages << 12];
          }),
        ),
      ),
  },
  ADD_imm: addSubtract(false, false),
  ADDS_imm: addSubtract(false, true),
  SUB_imm: addSubtract(true, false),
  SUBS_imm: addSubtract(true, true),
  AND_imm: logical('and'),
  ORR_imm: logical('or'),
  EOR_imm: logical('xor'),
  ANDS_imm: logical('and', true),
  MOVZ: {
    emit: (s) =>
      s.setX(
        'Rd',
        s.wide((f) => moveWide(f, false)),
      ),
  },
  MOVN: {
    emit: (s) =>
      s.setX(
        'Rd',
        s.wide((f) => moveWide(f, true)),
      ),
  },
  MOVK: {
    emit: (s) => {
      const shift = s.code.let(extendU(s.tiny((f) => f.hw * 16)));
      const kept = op64.and(s.x('Rd'), op64.rotl(i64(-65536), shift));
      const result = op64.or(kept, op64.shl(extendU(s.tiny((f) => f.imm16)), shift));
      if (s.statics.sf === 1) s.setX('Rd', result);
      else s.setW('Rd', wrap(result));
    },
  },
  SBFM: bitfield('signed'),
  BFM: bitfield('insert'),
  UBFM: bitfield('unsigned'),
  EXTR: {
    emit: bySize((s, z) => {
      const { ops } = z;
      const lsb = s.code.let(z.from32(s.tiny((f) => f.imms)));
      const high = ops.shl(ops.shl(z.get('Rn'), z.constant(1)), ops.sub(z.constant(z.bits - 1), lsb));
      z.set('Rd', ops.or(ops.shrU(z.get('Rm'), lsb), high));
    }),
  },
} as const satisfies Record<string, Semantics>;
