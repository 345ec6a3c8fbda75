/**
 * The PMUv3 common events that the model counts: number, name, and how many of them one instruction makes at most (by which the
 * next possible overflow is foreseen). Section: Common event numbers. Everything that is not here never happens.
 */

export interface PerformanceEventRow {
  readonly number: number;
  readonly most: number;
  /** The instruction that is being executed counts too when it leaves the level (it ends there). */
  readonly perInstruction?: true;
  readonly doc: string;
}

const event = (number: number, most: number, doc: string): PerformanceEventRow => ({ number, most, doc });

export const performanceEvents = {
  SW_INCR: event(0x00, 1, 'write to PMSWINC_EL0'),
  L1I_CACHE_REFILL: event(0x01, 2, 'L1 instruction cache miss'),
  L1I_TLB_REFILL: event(0x02, 2, 'walk for an instruction fetch'),
  L1D_CACHE_REFILL: event(0x03, 8, 'L1 data cache miss'),
  L1D_CACHE: event(0x04, 8, 'L1 data cache access'),
  L1D_TLB_REFILL: event(0x05, 8, 'walk for a data access'),
  INST_RETIRED: { ...event(0x08, 1, 'instruction executed; one that aborts is not'), perInstruction: true },
  EXC_TAKEN: event(0x09, 1, 'exception taken'),
  EXC_RETURN: event(0x0a, 1, 'exception return'),
  CPU_CYCLES: { ...event(0x11, 1, 'cycle'), perInstruction: true },
  MEM_ACCESS: event(0x13, 8, 'data access'),
  L1I_CACHE: { ...event(0x14, 1, 'L1 instruction cache access: one an instruction'), perInstruction: true },
  L1D_CACHE_WB: event(0x15, 8, 'dirty line written back from the L1 data cache'),
  L2D_CACHE: event(0x16, 8, 'L2 access'),
  L2D_CACHE_REFILL: event(0x17, 8, 'L2 miss'),
  CHAIN: event(0x1e, 1, 'overflow of the counter before an odd one'),
} as const satisfies Readonly<Record<string, PerformanceEventRow>>;

export type PerformanceEvent = keyof typeof performanceEvents;

/** Events by number; undefined: not counted here. */
export const eventByNumber: readonly (PerformanceEvent | undefined)[] = Array.from({ length: 64 }, (_, number) =>
  (Object.keys(performanceEvents) as PerformanceEvent[]).find((name) => performanceEvents[name].number === number),
);

/** PMCEID<n>_EL0: events 32 * n on, a bit each. */
export const commonEvents = (n: 0 | 1): bigint =>
  Object.values(performanceEvents)
    .filter(({ number }) => number >> 5 === n)
    .reduce((bits, { number }) => bits | (1n << BigInt(number & 31)), 0n);
