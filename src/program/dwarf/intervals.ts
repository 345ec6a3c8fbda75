/** Sorted address intervals with a value each, searched by bisection. */

import type { AddressRange } from '../debugModel';

const compare = (a: bigint, b: bigint): number => (a < b ? -1 : a > b ? 1 : 0);

interface Interval<T> extends AddressRange {
  readonly value: T;
}

/**
 * Looks up the intervals that cover an address. Intervals may overlap or nest: `highest[i]` is the greatest end among the
 * first i + 1 intervals, which tells when the search backwards can stop.
 */
export class IntervalMap<T> {
  private readonly intervals: Interval<T>[] = [];
  private highest: bigint[] | undefined;

  add(low: bigint, high: bigint, value: T): void {
    if (low >= high) return;
    this.intervals.push({ low, high, value });
    this.highest = undefined;
  }

  get size(): number {
    return this.intervals.length;
  }

  private sort(): bigint[] {
    this.intervals.sort((a, b) => compare(a.low, b.low) || compare(b.high, a.high));
    let top = 0n;
    this.highest = this.intervals.map((interval) => {
      if (interval.high > top) top = interval.high;
      return top;
    });
    return this.highest;
  }

  /** The covering interval that starts last (the innermost of nested ones). */
  find(address: bigint): Interval<T> | undefined {
    const highest = this.highest ?? this.sort();
    let low = 0;
    let high = this.intervals.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.intervals[middle].low <= address) low = middle + 1;
      else high = middle;
    }
    for (let i = low - 1; i >= 0 && highest[i] > address; i--) {
      if (this.intervals[i].high > address) return this.intervals[i];
    }
    return undefined;
  }
}
