/** Shared parts of semantic functions: both data sizes behind one face, AddWithCarry flags, shifts, extensions, bit masks. */
import type { Fields } from '../../arch/instructions';
import {
  extend32S,
  extendS,
  extendU,
  type I32,
  type I64,
  i32,
  i64,
  op32,
  op64,
  type Value,
  type ValueType,
  type WidthOps,
  wrap,
} from '../../wasm/code';
import { decodeBitMasks } from '../bitmask';
import type { SemanticsContext } from './context';

/** One data size: its operators, register access and constants. */
export interface Size<T extends ValueType> {
  readonly bits: 32 | 64;
  readonly ops: WidthOps<T>;
  get(field: string): Value<T>;
  set(field: string, value: Value<T>): void;
  constant(n: number | bigint): Value<T>;
  /** A 32-bit operand as this size, zero-extended / sign-extended. */
  from32(v: I32): Value<T>;
  from32S(v: I32): Value<T>;
  /** Sign-extended to 64 bits, so that its sign is the result's. */
  signed64(v: Value<T>): I64;
  to32(v: Value<T>): I32;
}

export const size64 = (s: SemanticsContext): Size<'i64'> => ({
  bits: 64,
  ops: op64,
  get: (f) => s.x(f),
  set: (f, v) => s.setX(f, v),
  constant: i64,
  from32: extendU,
  from32S: extendS,
  signed64: (v) => v,
  to32: wrap,
});

export const size32 = (s: SemanticsContext): Size<'i32'> => ({
  bits: 32,
  ops: op32,
  get: (f) => s.w(f),
  set: (f, v) => s.setW(f, v),
  constant: (n) => i32(Number(n)),
  from32: (v) => v,
  from32S: (v) => v,
  signed64: extendS,
  to32: (v) => v,
});

/** A function written for both sizes, run for the one that `sf` says. */
export const bySize =
  (body: <T extends ValueType>(s: SemanticsContext, z: Size<T>) => void) =>
  (s: SemanticsContext): void =>
    s.statics.sf === 1 ? body(s, size64(s)) : body(s, size32(s));

/** AddWithCarry(a, b, 0) or AddWithCarry(a, NOT b, 1), with flags. */
export function addWithFlags<T extends ValueType>(
  s: SemanticsContext,
  z: Size<T>,
  left: Value<T>,
  right: Value<T>,
  subtract: boolean,
): Value<T> {
  const { ops } = z;
  const a = s.code.let(left);
  const b = s.code.let(right);
  const r = s.code.let(subtract ? ops.sub(a, b) : ops.add(a, b));
  const wide = s.code.let(z.signed64(r));
  const overflow = subtract ? ops.and(ops.xor(a, b), ops.xor(a, r)) : ops.and(ops.xor(a, r), ops.xor(b, r));
  s.setFlags(wide, wide, subtract ? ops.geU(a, b) : ops.ltU(r, a), z.signed64(overflow));
  return r;
}

/** AddWithCarry(a, b, PSTATE.C), with flags. */
export function addCarryWithFlags<T extends ValueType>(
  s: SemanticsContext,
  z: Size<T>,
  left: Value<T>,
  right: Value<T>,
): Value<T> {
  const { ops } = z;
  const a = s.code.let(left);
  const b = s.code.let(right);
  const r = s.code.let(ops.add(ops.add(a, b), z.from32(s.carry())));
  const wide = s.code.let(z.signed64(r));
  const carries = ops.or(ops.and(a, b), ops.and(ops.or(a, b), ops.xor(r, z.constant(-1))));
  const carry = z.to32(ops.shrU(carries, z.constant(z.bits - 1)));
  s.setFlags(wide, wide, carry, z.signed64(ops.and(ops.xor(a, r), ops.xor(b, r))));
  return r;
}

/** Flags of a logical result: C and V are cleared. */
export function logicalFlags<T extends ValueType>(s: SemanticsContext, z: Size<T>, result: Value<T>): void {
  const wide = s.code.let(z.signed64(result));
  s.setFlags(wide, wide, i32(0), i64(0));
}

/** ShiftReg() with a constant shift type; the amount is below the data size. */
export function shifted<T extends ValueType>(z: Size<T>, value: Value<T>, type: number, amount: Value<T>): Value<T> {
  return [z.ops.shl, z.ops.shrU, z.ops.shrS, z.ops.rotr][type](value, amount);
}

/** ExtendReg(): `option` is UXTB..SXTX. */
export function extended(s: SemanticsContext, field: string, option: number): I64 {
  switch (option) {
    case 0:
      return op64.and(s.x(field), i64(0xff));
    case 1:
      return op64.and(s.x(field), i64(0xffff));
    case 2:
      return extendU(s.w(field));
    case 4:
      return op64.extend8(s.x(field));
    case 5:
      return op64.extend16(s.x(field));
    case 6:
      return extend32S(s.x(field));
    default:
      return s.x(field);
  }
}

/** Signed value of a field. */
export const signed = (value: number, bits: number): number => (value << (32 - bits)) >> (32 - bits);

const pair = (v: bigint): readonly [number, number] => [Number((v >> 32n) & 0xffffffffn), Number(v & 0xffffffffn)];

/** The logical immediate, as [hi, lo]; the 32-bit form has a zero high word. */
export function bitmask(f: Fields): readonly [number, number] {
  const { wmask } = decodeBitMasks(f.N, f.imms, f.immr);
  return f.sf === 1 ? [wmask.hi, wmask.lo] : [0, wmask.lo];
}

/** A 16-bit immediate at half-word hw, as [hi, lo]; inverted within the data size if asked. */
export function moveWide(f: Fields, invert: boolean): readonly [number, number] {
  const value = BigInt(f.imm16) << BigInt(f.hw * 16);
  const all = f.sf === 1 ? (1n << 64n) - 1n : 0xffffffffn;
  return pair(invert ? value ^ all : value);
}
