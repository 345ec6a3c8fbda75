/** The records of syncTracker.ts: per piece of memory, and per IC operation on all lines. */
import { MAX_CORES } from './plan';

export const PAGE_LOG2 = 10;
export const PAGE = 1 << PAGE_LOG2;

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
  /** ports.time of the write. */
  readonly time = new Float64Array(PAGE);
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
  copy(from: AllInvalidated): void {
    this.at = from.at;
    this.by = from.by;
    this.dsb.set(from.dsb);
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
