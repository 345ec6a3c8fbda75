/** Semantics of data processing with registers. Rows: arch/instructions/dataRegister. */
import type { Fields } from '../../arch/instructions';
import {
  extendS,
  extendU,
  type I64,
  i32,
  i64,
  load,
  op32,
  op64,
  select,
  type Value,
  type ValueType,
  wrap,
} from '../../wasm/code';
import {
  addCarryWithFlags,
  addWithFlags,
  bySize,
  extended,
  logicalFlags,
  type Size,
  shifted,
  size32,
  size64,
} from './common';
import { constantAddress } from './constants';
import type { Semantics, SemanticsContext } from './context';

/** Most shifted-register instructions shift by nothing: they get a handler of their own. */
const unshifted = { name: 'plain', count: 2, of: (f: Fields): number => (f.imm6 === 0 && f.shift === 0 ? 1 : 0) };

const shiftedOperand = <T extends ValueType>(s: SemanticsContext, z: Size<T>): Value<T> =>
  s.statics.plain === 1 ? z.get('Rm') : shifted(z, z.get('Rm'), s.statics.shift, z.from32(s.tiny((f) => f.imm6)));

const logical = (op: 'and' | 'or' | 'xor', invert: boolean, flags = false): Semantics => ({
  extra: unshifted,
  emit: bySize((s, z) => {
    const n = z.get('Rn');
    const m = shiftedOperand(s, z);
    const r = s.code.let(z.ops[op](n, invert ? z.ops.xor(m, z.constant(-1)) : m));
    z.set('Rd', r);
    if (flags) logicalFlags(s, z, r);
  }),
});

const add = <T extends ValueType>(
  s: SemanticsContext,
  z: Size<T>,
  a: Value<T>,
  b: Value<T>,
  subtract: boolean,
  flags: boolean,
): void => {
  if (flags) z.set('Rd', addWithFlags(s, z, a, b, subtract));
  else z.set('Rd', subtract ? z.ops.sub(a, b) : z.ops.add(a, b));
};

const addShifted = (subtract: boolean, flags: boolean): Semantics => ({
  extra: unshifted,
  emit: bySize((s, z) => add(s, z, z.get('Rn'), shiftedOperand(s, z), subtract, flags)),
});

const addExtended = (subtract: boolean, flags: boolean): Semantics => ({
  emit: (s) => {
    const { option, sf } = s.statics;
    const amount = extendU(s.tiny((f) => f.imm3));
    const m = op64.shl(extended(s, 'Rm', option), amount);
    if (sf === 1) {
      const z = size64(s);
      add(s, z, z.get('Rn'), m, subtract, flags);
    } else {
      const z = size32(s);
      add(s, z, z.get('Rn'), wrap(m), subtract, flags);
    }
  },
});

const addCarry = (subtract: boolean, flags: boolean): Semantics => ({
  emit: bySize((s, z) => {
    const m = subtract ? z.ops.xor(z.get('Rm'), z.constant(-1)) : z.get('Rm');
    if (flags) z.set('Rd', addCarryWithFlags(s, z, z.get('Rn'), m));
    else z.set('Rd', z.ops.add(z.ops.add(z.get('Rn'), m), z.from32(s.carry())));
  }),
});

const conditionalCompare = (subtract: boolean, immediate: boolean): Semantics => ({
  emit: bySize((s, z) => {
    const n = z.get('Rn');
    const m = immediate ? z.from32(s.tiny((f) => f.imm5)) : z.get('Rm');
    const nzcv = s.tiny((f) => f.nzcv);
    s.code.if(
      s.condition(s.statics.cond),
      () => void addWithFlags(s, z, n, m, subtract),
      () => s.setNzcv(nzcv),
    );
  }),
});

const conditionalSelect = (kind: 'same' | 'increment' | 'invert' | 'negate'): Semantics => ({
  emit: bySize((s, z) => {
    const m = z.get('Rm');
    const { ops } = z;
    const otherwise = {
      same: () => m,
      increment: () => ops.add(m, z.constant(1)),
      invert: () => ops.xor(m, z.constant(-1)),
      negate: () => ops.sub(z.constant(0), m),
    }[kind]();
    z.set('Rd', select(s.condition(s.statics.cond), z.get('Rn'), otherwise));
  }),
});

const multiplyAdd = (subtract: boolean): Semantics => ({
  emit: bySize((_s, z) => {
    const product = z.ops.mul(z.get('Rn'), z.get('Rm'));
    z.set('Rd', subtract ? z.ops.sub(z.get('Ra'), product) : z.ops.add(z.get('Ra'), product));
  }),
});

const multiplyLong = (isSigned: boolean, subtract: boolean): Semantics => ({
  emit: (s) => {
    const widen = isSigned ? extendS : extendU;
    const product = op64.mul(widen(s.w('Rn')), widen(s.w('Rm')));
    s.setX('Rd', subtract ? op64.sub(s.x('Ra'), product) : op64.add(s.x('Ra'), product));
  },
});

/** The high half of a 64 x 64 product, from 32-bit parts; the signed one subtracts what the signs added. */
const multiplyHigh = (isSigned: boolean): Semantics => ({
  emit: (s) => {
    const c = s.code;
    const a = c.let(s.x('Rn'));
    const b = c.let(s.x('Rm'));
    const low = (v: I64): I64 => op64.and(v, i64(0xffffffff));
    const high = (v: I64): I64 => op64.shrU(v, i64(32));
    const ll = c.let(op64.mul(low(a), low(b)));
    const t = c.let(op64.add(op64.mul(high(a), low(b)), high(ll)));
    const u = c.let(op64.add(op64.mul(low(a), high(b)), low(t)));
    const unsigned = op64.add(op64.add(op64.mul(high(a), high(b)), high(t)), high(u));
    if (!isSigned) return s.setX('Rd', unsigned);
    const correction = op64.add(op64.and(op64.shrS(a, i64(63)), b), op64.and(op64.shrS(b, i64(63)), a));
    s.setX('Rd', op64.sub(unsigned, correction));
  },
});

/** Division by zero gives zero; the most negative number by -1 gives itself. */
const divide = (isSigned: boolean): Semantics => ({
  emit: bySize((s, z) => {
    const { ops } = z;
    const a = s.code.let(z.get('Rn'));
    const b = s.code.let(z.get('Rm'));
    const result = s.code.let(z.constant(0));
    s.code.if(ops.ne(b, z.constant(0)), () => {
      if (!isSigned) return s.code.set(result, ops.divU(a, b));
      s.code.if(
        ops.eq(b, z.constant(-1)),
        () => s.code.set(result, ops.sub(z.constant(0), a)),
        () => s.code.set(result, ops.divS(a, b)),
      );
    });
    z.set('Rd', result);
  }),
});

/** wasm masks shift amounts by the operand's width, as the architecture does. */
const shiftVariable = (type: number): Semantics => ({
  emit: bySize((_s, z) => z.set('Rd', shifted(z, z.get('Rn'), type, z.get('Rm')))),
});

/** Swaps neighbouring groups of `bits` bits; `mask` selects the lower group of each pair. */
const swap = <T extends ValueType>(z: Size<T>, value: Value<T>, bits: number, mask: bigint): Value<T> => {
  const m = z.constant(z.bits === 64 ? mask : mask & 0xffffffffn);
  const n = z.constant(bits);
  return z.ops.or(z.ops.and(z.ops.shrU(value, n), m), z.ops.shl(z.ops.and(value, m), n));
};
const swapBytes = <T extends ValueType>(s: SemanticsContext, z: Size<T>, v: Value<T>): Value<T> =>
  s.code.let(swap(z, v, 8, 0x00ff00ff00ff00ffn));
const swapHalfwords = <T extends ValueType>(s: SemanticsContext, z: Size<T>, v: Value<T>): Value<T> =>
  s.code.let(swap(z, v, 16, 0x0000ffff0000ffffn));
/** Reverses all bytes of the data size. */
const reverseBytes = <T extends ValueType>(s: SemanticsContext, z: Size<T>, v: Value<T>): Value<T> => {
  const words = swapHalfwords(s, z, swapBytes(s, z, v));
  return z.bits === 64 ? z.ops.rotl(words, z.constant(32)) : words;
};

/** Poly32Mod2() byte by byte over 8 << sz data bits. */
const checksum = (table: string): Semantics => ({
  emit: (s) => {
    const c = s.code;
    const data = c.let(s.x('Rm'));
    const crc = c.let(s.w('Rn'));
    for (let byte = 0; byte < 1 << s.statics.sz; byte++) {
      const value = wrap(byte === 0 ? data : op64.shrU(data, i64(8 * byte)));
      const index = op32.and(op32.xor(crc, value), i32(0xff));
      const folded = load.i32(op32.shl(index, i32(2)), constantAddress(table));
      c.set(crc, op32.xor(op32.shrU(crc, i32(8)), folded));
    }
    s.setW('Rd', crc);
  },
});

export const dataRegisterSemantics = {
  CRC32: checksum('crc32'),
  CRC32C: checksum('crc32c'),
  AND_shift: logical('and', false),
  BIC_shift: logical('and', true),
  ORR_shift: logical('or', false),
  ORN_shift: logical('or', true),
  EOR_shift: logical('xor', false),
  EON_shift: logical('xor', true),
  ANDS_shift: logical('and', false, true),
  BICS_shift: logical('and', true, true),
  ADD_shift: addShifted(false, false),
  ADDS_shift: addShifted(false, true),
  SUB_shift: addShifted(true, false),
  SUBS_shift: addShifted(true, true),
  ADD_ext: addExtended(false, false),
  ADDS_ext: addExtended(false, true),
  SUB_ext: addExtended(true, false),
  SUBS_ext: addExtended(true, true),
  ADC: addCarry(false, false),
  ADCS: addCarry(false, true),
  SBC: addCarry(true, false),
  SBCS: addCarry(true, true),
  CCMN_reg: conditionalCompare(false, false),
  CCMN_imm: conditionalCompare(false, true),
  CCMP_reg: conditionalCompare(true, false),
  CCMP_imm: conditionalCompare(true, true),
  CSEL: conditionalSelect('same'),
  CSINC: conditionalSelect('increment'),
  CSINV: conditionalSelect('invert'),
  CSNEG: conditionalSelect('negate'),
  MADD: multiplyAdd(false),
  MSUB: multiplyAdd(true),
  SMADDL: multiplyLong(true, false),
  SMSUBL: multiplyLong(true, true),
  UMADDL: multiplyLong(false, false),
  UMSUBL: multiplyLong(false, true),
  SMULH: multiplyHigh(true),
  UMULH: multiplyHigh(false),
  UDIV: divide(false),
  SDIV: divide(true),
  LSLV: shiftVariable(0),
  LSRV: shiftVariable(1),
  ASRV: shiftVariable(2),
  RORV: shiftVariable(3),
  RBIT: {
    emit: bySize((s, z) => {
      let v = z.get('Rn');
      v = s.code.let(swap(z, v, 1, 0x5555555555555555n));
      v = s.code.let(swap(z, v, 2, 0x3333333333333333n));
      v = s.code.let(swap(z, v, 4, 0x0f0f0f0f0f0f0f0fn));
      z.set('Rd', reverseBytes(s, z, v));
    }),
  },
  REV16: { emit: bySize((s, z) => z.set('Rd', swapBytes(s, z, s.code.let(z.get('Rn'))))) },
  REV32: {
    emit: (s) => {
      const z = size64(s);
      z.set('Rd', swapHalfwords(s, z, swapBytes(s, z, s.code.let(z.get('Rn')))));
    },
  },
  REV: { emit: bySize((s, z) => z.set('Rd', reverseBytes(s, z, s.code.let(z.get('Rn'))))) },
  CLZ: { emit: bySize((_s, z) => z.set('Rd', z.ops.clz(z.get('Rn')))) },
  CLS: {
    emit: bySize((s, z) => {
      const n = s.code.let(z.get('Rn'));
      const differing = z.ops.xor(n, z.ops.shrS(n, z.constant(z.bits - 1)));
      z.set('Rd', z.ops.sub(z.ops.clz(differing), z.constant(1)));
    }),
  },
} as const satisfies Record<string, Semantics>;
