/** Counters of one core as views and `--stats` want them. Hits are accesses minus misses: fast paths count nothing. */
import { COUNTER_NAMES, Counter, type CounterName } from './counters';
import type { Shared } from './shared';

export interface HitsAndMisses {
  readonly hits: number;
  readonly misses: number;
}
export interface CoreMemoryStatistics {
  readonly l1i: HitsAndMisses;
  readonly l1d: HitsAndMisses;
  readonly l2: HitsAndMisses;
  readonly counters: Readonly<Record<CounterName, number>>;
}

/**
 * `dataAccesses`: loads and stores executed by the core, one each, those on slow paths included; `fetches`: instructions
 * executed.
 */
export function coreStatistics(
  shared: Shared,
  core: number,
  dataAccesses: number,
  fetches: number,
): CoreMemoryStatistics {
  const counters = Object.fromEntries(
    COUNTER_NAMES.map((name) => [name, shared.counter(core, Counter[name])]),
  ) as Record<CounterName, number>;
  const hits = (accesses: number, misses: number): HitsAndMisses => ({ hits: Math.max(0, accesses - misses), misses });
  const cached = dataAccesses + counters.secondAccesses - counters.uncachedAccesses - counters.faultedAccesses;
  return {
    l1i: hits(fetches, counters.l1iMisses),
    l1d: hits(cached, counters.l1dMisses),
    l2: hits(counters.l2Accesses, counters.l2Misses),
    counters,
  };
}
