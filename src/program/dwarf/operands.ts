/** Operands of DWARF expressions and the arithmetic on them (DWARF 5 section 2.5.1.4). */

import { Malformed } from '../reader';
import { OP } from './constants';

/** Why something cannot be known; ends an evaluation with its message. */
export class Unavailable extends Error {}

/** `type` absent: the generic type, 64 bits; arithmetic on it is unsigned except where DWARF says signed. */
export interface Operand {
  /** The bits, as an unsigned number. */
  readonly value: bigint;
  readonly type: { readonly size: number; readonly signed: boolean; readonly float: boolean } | undefined;
}

interface Arithmetic {
  readonly operands: 1 | 2;
  run(left: Operand, right: Operand): Operand;
}

const bits = (operand: Operand): number => (operand.type?.size ?? 8) * 8;
const signed = (operand: Operand): bigint => BigInt.asIntN(bits(operand), operand.value);
/** As the type has it: the generic type counts as signed where DWARF 5 says so (division, comparison). */
const byType = (operand: Operand): bigint =>
  operand.type !== undefined && !operand.type.signed ? operand.value : signed(operand);

const two = (compute: (a: Operand, b: Operand) => bigint): Arithmetic => ({
  operands: 2,
  run: (left, right) => {
    if (left.type?.float || right.type?.float)
      throw new Unavailable('floating-point location expressions are not evaluated');
    return { value: compute(left, right), type: left.type };
  },
});

const one = (compute: (a: Operand) => bigint): Arithmetic => ({
  operands: 1,
  run: (operand) => ({ value: compute(operand), type: operand.type }),
});

const comparison = (compute: (a: bigint, b: bigint) => boolean): Arithmetic => ({
  operands: 2,
  run: (left, right) => ({ value: compute(byType(left), byType(right)) ? 1n : 0n, type: undefined }),
});

function nonZero(operand: Operand): bigint {
  if (operand.value === 0n) throw new Malformed('division by zero');
  return byType(operand);
}

const shift = (operand: Operand): bigint => (operand.value > 128n ? 128n : operand.value);

const table: Readonly<Record<number, Arithmetic>> = {
  [OP.abs]: one((a) => (byType(a) < 0n ? -byType(a) : byType(a))),
  [OP.neg]: one((a) => -a.value),
  [OP.not]: one((a) => ~a.value),
  [OP.and]: two((a, b) => a.value & b.value),
  [OP.or]: two((a, b) => a.value | b.value),
  [OP.xor]: two((a, b) => a.value ^ b.value),
  [OP.plus]: two((a, b) => a.value + b.value),
  [OP.minus]: two((a, b) => a.value - b.value),
  [OP.mul]: two((a, b) => a.value * b.value),
  [OP.div]: two((a, b) => byType(a) / nonZero(b)),
  // The generic type's remainder is unsigned (section 2.5.1.4: DW_OP_mod).
  [OP.mod]: two((a, b) => (a.type === undefined ? a.value % (nonZero(b) && b.value) : byType(a) % nonZero(b))),
  [OP.shl]: two((a, b) => a.value << shift(b)),
  [OP.shr]: two((a, b) => a.value >> shift(b)),
  [OP.shra]: two((a, b) => signed(a) >> shift(b)),
  [OP.eq]: comparison((a, b) => a === b),
  [OP.ne]: comparison((a, b) => a !== b),
  [OP.ge]: comparison((a, b) => a >= b),
  [OP.gt]: comparison((a, b) => a > b),
  [OP.le]: comparison((a, b) => a <= b),
  [OP.lt]: comparison((a, b) => a < b),
};

export const arithmetic = (op: number): Arithmetic | undefined => table[op];

/** Little-endian bytes of a number. */
export function bytesOf(value: bigint, size: number): Uint8Array {
  const bytes = new Uint8Array(size);
  let rest = BigInt.asUintN(size * 8, value);
  for (let i = 0; i < size; i++) {
    bytes[i] = Number(rest & 0xffn);
    rest >>= 8n;
  }
  return bytes;
}

/** Number of little-endian bytes. */
export function fromBytes(bytes: Uint8Array): bigint {
  let value = 0n;
  for (let i = bytes.length - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[i]);
  return value;
}
