/** Named counters of every slow path, one set a core. Fast paths count nothing: hits are accesses minus misses. */

/** name -> index into a core's set. */
export const Counter = {
  l1iMisses: 0,
  l1dMisses: 1,
  l2Accesses: 2, // look-ups by this core's L1 misses
  l2Misses: 3,
  slowLoads: 4, // loads that reached the slow path, whatever for
  slowStores: 5,
  slowFetches: 6,
  secondAccesses: 7, // accesses beyond one an instruction: second halves at a line crossing, further lines of a DC ZVA
  uncachedAccesses: 8, // Device and non-cacheable data accesses (no L1D access)
  faultedAccesses: 9,
  lineTableRefills: 10, // an L1D hit whose entry was missing
  promotions: 11, // true LRU: a hit that reordered its set
  dirtyings: 12, // clean to dirty
  snoops: 13, // lines of this core taken or cleaned for another core
  evictions: 14,
  writebacks: 15,
  l2Evictions: 16,
  maintenance: 17,
  instructionInvalidations: 18, // I-lines of this core invalidated by IC operations
  snoopedInstructionLines: 19, // I-lines of this core invalidated by stores (DIC)
  walkReads: 20,
  exclusiveFailures: 21,
  contextFlushes: 22,
  deviceAccesses: 23,
  prefetchBufferFetches: 24, // fetches served by the prefetch buffer
  fetchPromotions: 25, // true LRU: an L1I hit that reordered its set
} as const;
export type CounterName = keyof typeof Counter;
export type Counter = (typeof Counter)[CounterName];

export const COUNTER_NAMES = Object.keys(Counter) as readonly CounterName[];
