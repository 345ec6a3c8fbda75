/** Shared parts of floating-point semantics: the format of a row, elements as bits, results of vectors. */
import { extendU, type I32, type I64, i32, i64, op32, op64, type V128, type Value, wrap } from '../../../wasm/code';
import { bits, i64x2, v128 } from '../../../wasm/vector';
import { Rounding } from '../../fp';
import type { Semantics, SemanticsContext } from '../context';

export type Width = 16 | 32 | 64;
export const log2Bytes = { 16: 1, 32: 2, 64: 3 } as const;

/** A rounding mode of the instruction's own, or FPCR's. */
export type RoundingMode = keyof typeof Rounding | 'Fpcr';

/** Rows of half precision have no `sz`. */
export const widthOf = ({ statics }: SemanticsContext): Width => {
  if (statics.sz === undefined) return 16;
  return statics.sz === 1 ? 64 : 32;
};

/** A row for single and double precision and the one for half precision mean the same. */
export const both = <Id extends string>(id: Id, emit: Semantics['emit']): Record<Id | `${Id}_h`, Semantics> =>
  ({ [id]: { emit }, [`${id}_h`]: { emit } }) as Record<Id | `${Id}_h`, Semantics>;

/** Element `index` of a register, as bits. */
export const element = (s: SemanticsContext, field: string, n: Width, index: number | I32 = 0): I64 =>
  s.element64(field, log2Bytes[n], index);

export function setScalar(s: SemanticsContext, n: Width, value: I64): void {
  if (n === 64) s.setLow64('Rd', value);
  else s.setLow32('Rd', n === 16 ? 1 : 2, wrap(value));
}

export const routine = (s: SemanticsContext, name: string, n: Width, ...args: Value[]): I64 =>
  s.call(`${name}${n}`, 'i64', ...args);
/** A routine whose answer is a word. */
export const asking = (s: SemanticsContext, name: string, n: Width, ...args: Value[]): I32 =>
  s.call(`${name}${n}`, 'i32', ...args);

export const negated = (n: Width, value: I64): I64 => op64.xor(value, i64(1n << BigInt(n - 1)));
export const absolute = (n: Width, value: I64): I64 => op64.and(value, i64((1n << BigInt(n - 1)) - 1n));

const RMODE_SHIFT = 22;
export const rounding = (s: SemanticsContext, mode: RoundingMode): I32 =>
  mode === 'Fpcr' ? op32.and(op32.shrU(s.fpcr(), i32(RMODE_SHIFT)), i32(3)) : i32(Rounding[mode]);

/** All ones of an element where a condition (0 or 1) holds. */
export const allOnesIf = (n: Width, condition: I32): I64 =>
  op64.and(op64.sub(i64(0), extendU(condition)), i64((1n << BigInt(n)) - 1n));

/** The elements as they stand in 64 or 128 bits, from the lowest. Elements are clean: no bits above their width. */
function packed(n: Width, elements: readonly I64[]): I64 {
  return elements.map((e, i) => (i === 0 ? e : op64.shl(e, i64(n * i)))).reduce((x, y) => op64.or(x, y));
}

/** Writes a vector of 64 bits (the upper half becomes zero) or 128 bits. */
export function setElements(s: SemanticsContext, n: Width, elements: readonly I64[]): void {
  const perHalf = 64 / n;
  const low = packed(n, elements.slice(0, perHalf));
  if (elements.length === perHalf) s.setLow64('Rd', low);
  else {
    const both = i64x2.replace(i64x2.splat(low), 1, packed(n, elements.slice(perHalf)));
    s.setV('Rd', both);
  }
}

/** How many elements a vector of 64 (Q = 0) or 128 bits has; rows without Q have 128. */
export const elementsOf = ({ statics }: SemanticsContext, n: Width): number => (64 << (statics.Q ?? 1)) / n;

/** Computes all elements of the result, then writes them. */
export function eachElement(s: SemanticsContext, n: Width, compute: (index: number) => I64): void {
  setElements(
    s,
    n,
    Array.from({ length: elementsOf(s, n) }, (_, i) => s.code.let(compute(i))),
  );
}

// ---- vectors of singles and doubles at once ----

/** A register whole; of 64 bits (Q = 0) twice over, so that the upper lanes do what the lower ones do. */
export const whole = (s: SemanticsContext, field: string): V128 =>
  s.statics.Q === 0 ? i64x2.splat(s.element64(field, 3)) : s.v(field);
export function setWhole(s: SemanticsContext, value: V128): void {
  if (s.statics.Q === 0) s.setLow64('Rd', i64x2.extract(value, 0));
  else s.setV('Rd', value);
}
/** A routine of fp/lanes.ts. */
export const laneRoutine = (s: SemanticsContext, name: string, n: 32 | 64, ...args: V128[]): V128 =>
  s.call(`${name}Lanes${n}`, 'v128', ...args);

/** The same bits in each lane. */
const eachLane = (n: Width, lane: bigint): V128 => {
  let half = 0n;
  for (let at = 0; at < 64; at += n) half |= lane << BigInt(at);
  return v128(half, half);
};
export const negatedLanes = (n: Width, value: V128): V128 => bits.xor(value, eachLane(n, 1n << BigInt(n - 1)));
export const absoluteLanes = (n: Width, value: V128): V128 => bits.and(value, eachLane(n, (1n << BigInt(n - 1)) - 1n));
