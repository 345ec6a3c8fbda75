/** The records of syncTracker.ts: per piece of memory, and per IC operation on all lines. */
import { MAX_CORES } from './plan';

export const PAGE_LOG2 = 10;
export const PAGE = 1 << PAGE_LOG2;

/** The circumstances of a write. */
export interface Writer {
  pcHi: number;
  pcLo: number;
  mmu: boolean;
  /** The pieces have no store entries now: what else is written to them will be seen too. */
  everyStoreSeen: boolean;
  /** ports.time */
  time: number;
}

/** The pieces of one stretch of memory; made when one of them is first written. */
export class Page {
  readonly written = new Float64Array(PAGE);
  readonly writer = new Int8Array(PAGE);
  readonly pcHi = new Uint32Array(PAGE);
  readonly pcLo = new Uint32Array(PAGE);
  readonly cleaned = new Float64Array(PAGE);
  readonly cleaner = new Int8Array(PAGE);
  readonly toC = new Uint8Array(PAGE);
  readonly flags = new Uint8Array(PAGE);
  readonly reported = new Uint8Array(PAGE);
  /** Written words since the piece was last in order, a bit each. */
  readonly words = new Uint32Array(PAGE);
  /** Per class of I-line size: sequence, core, cores reached, what was complete before. */
  readonly invalidated: Float64Array;
  readonly invalidator: Int8Array;
  readonly reached: Uint8Array;
  readonly before: Uint8Array;
  constructor(classes: number) {
    this.invalidated = new Float64Array(PAGE * classes);
    this.invalidator = new Int8Array(PAGE * classes);
    this.reached = new Uint8Array(PAGE * classes);
    this.before = new Uint8Array(PAGE * classes);
  }
}
export type PageArrays = { [K in keyof Page]: Page[K] };

/** An IC IALLU* as one core saw it. */
export class AllInvalidated {
  at = 0;
  by = 0;
  /** Last DSB of every core when it was issued. */
  readonly dsb = new Float64Array(MAX_CORES);
  set(at: number, by: number, dsb: Float64Array): void {
    this.at = at;
    this.by = by;
    this.dsb.set(dsb);
  }
  copy(from: AllInvalidated): void {
    this.set(from.at, from.by, from.dsb);
  }
}

/** A deep copy of plain objects, arrays and typed arrays. */
export function structuredCopy<T>(value: T): T {
  if (value instanceof Float64Array || value instanceof Uint8Array || value instanceof Int8Array)
    return value.slice() as T;
  if (value instanceof Uint32Array) return value.slice() as T;
  if (Array.isArray(value)) return value.map((v) => structuredCopy(v)) as T;
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, structuredCopy(v)])) as T;
  return value;
}

/** The words of a piece of 2^pieceLog2 bytes that [offset, offset + size) touches, a bit each. */
export function wordsOf(piece: number, pieceLog2: number, offset: number, size: number): number {
  const start = piece * (1 << pieceLog2); // may exceed 2 GiB
  const first = Math.max(0, offset - start) >>> 2;
  const last = Math.min((1 << pieceLog2) - 1, offset + size - 1 - start) >>> 2;
  return ((last - first === 31 ? 0 : 1 << (last - first + 1)) - 1) << first;
}

/** Of two sets of missing steps the one with fewer. */
export function better(a: number, b: number): number {
  return bitCount(b) < bitCount(a) ? b : a;
}

export function bitCount(word: number): number {
  let n = 0;
  for (let left = word; left !== 0; left &= left - 1) n++;
  return n;
}
