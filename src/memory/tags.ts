/**
 * A set-associative tag store: which line stands in which way, and who goes next. A way is named by its number in the whole
 * cache (set * ways + w); a line by its number in linear memory (unit number >> units per line).
 *
 * Replacement: 'random' takes a seeded random way, 'fifo' the line that was filled first, 'lru' the one used least recently;
 * an invalid way is always taken first. FIFO and LRU keep an order list a set, most recent first; FIFO is LRU that hits do not
 * touch. Hits of random and FIFO change nothing, which lets the line tables answer them.
 */
import { isPowerOfTwo } from '../base/bits';
import { SeededRandom } from '../base/random';
import type { TagPlan } from './plan';
import type { CacheGeometry } from './types';

export const NO_LINE = -1;

export class TagArray {
  readonly sets: number;
  readonly ways: number;
  readonly lineLog2: number;
  readonly isLru: boolean;
  readonly tag: Int32Array;
  private readonly ordered: boolean;
  private readonly order: Uint8Array;
  /** By set: known to have no invalid way. */
  private readonly full: Uint8Array;
  private readonly random: SeededRandom;
  /** ways - 1 where that is a mask, else 0. */
  private readonly wayMask: number;

  constructor(
    buffer: ArrayBuffer,
    plan: TagPlan,
    readonly geometry: CacheGeometry,
  ) {
    this.sets = geometry.sets;
    this.ways = geometry.ways;
    this.lineLog2 = 31 - Math.clz32(geometry.lineBytes);
    this.isLru = geometry.replacement === 'lru';
    this.ordered = geometry.replacement !== 'random';
    this.tag = new Int32Array(buffer, plan.tag, this.sets * this.ways);
    this.order = new Uint8Array(buffer, plan.order, this.sets * this.ways);
    this.full = new Uint8Array(buffer, plan.full, this.sets);
    this.wayMask = isPowerOfTwo(this.ways) ? this.ways - 1 : 0;
    this.random = new SeededRandom(new Uint32Array(buffer, plan.random, 1));
  }

  reset(seed: number): void {
    this.tag.fill(NO_LINE);
    this.full.fill(0);
    for (let i = 0; i < this.order.length; i++) this.order[i] = i % this.ways;
    this.random.seed(seed);
  }

  /** The way that holds `line` in `set`, or -1. */
  find(set: number, line: number): number {
    const { tag, ways } = this;
    const base = set * ways;
    for (let way = base; way < base + ways; way++) if (tag[way] === line) return way;
    return -1;
  }

  /** The way to fill next. Moves the random state only when a valid line has to go. */
  victim(set: number): number {
    const { tag, ways } = this;
    const base = set * ways;
    if (this.full[set] === 0) {
      for (let way = base; way < base + ways; way++) if (tag[way] === NO_LINE) return way;
      this.full[set] = 1;
    }
    return this.ordered ? base + this.order[base + ways - 1] : base + this.random.below(ways);
  }

  /** The line in `way` is gone. A way that `insert` fills again at once need not be told. */
  vacate(way: number): void {
    this.tag[way] = NO_LINE;
    this.full[this.setOf(way)] = 0;
  }

  /** Number of a way within its set. */
  private inSet(way: number): number {
    return this.wayMask !== 0 ? way & this.wayMask : way % this.ways;
  }

  /** Is a hit on this way without any effect on replacement? */
  isPlain(way: number): boolean {
    if (!this.isLru) return true;
    const base = way - this.inSet(way);
    return base + this.order[base] === way;
  }

  /** A hit. Returns the way that was most recent before, -1 if nothing changed (always, unless LRU). */
  touch(way: number): number {
    return this.isLru ? this.toFront(way) : -1;
  }

  /** A fill of `way`. Returns the way of its set that was most recent before, -1 if none of that matters. */
  insert(way: number, line: number): number {
    this.tag[way] = line;
    if (!this.ordered) return -1;
    const before = this.toFront(way);
    return this.isLru ? before : -1;
  }

  private toFront(way: number): number {
    const { order } = this;
    const w = this.inSet(way);
    const base = way - w;
    const first = order[base];
    if (first === w) return -1;
    let i = base;
    let carried = w;
    for (;;) {
      const here = order[i];
      order[i++] = carried;
      if (here === w) return base + first;
      carried = here;
    }
  }

  setOf(way: number): number {
    return (way / this.ways) | 0;
  }
}
