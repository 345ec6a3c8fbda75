/** Totals of the events that the performance monitors count, from what the model counts anyway. */
import type { PerformanceEvent } from '../arch/performanceEvents';
import { Counter } from '../memory/counters';
import type { MemorySystem } from '../memory/memorySystem';
import type { Mmu } from '../memory/mmu/mmu';
import type { CoreUnit } from './coreUnit';

type Total = (unit: CoreUnit, memory: MemorySystem, mmu: Mmu) => number;

const counter =
  (which: Counter): Total =>
  (unit, memory) =>
    memory.shared.counter(unit.index, which);

/** Data accesses, second halves and lines as well; those that faulted are none. */
const dataAccesses: Total = (unit, memory) =>
  unit.accessesNow() +
  memory.shared.counter(unit.index, Counter.secondAccesses) -
  memory.shared.counter(unit.index, Counter.faultedAccesses);

const totals: Readonly<Record<PerformanceEvent, Total>> = {
  // What software and other counters make is no total of the model's.
  SW_INCR: () => 0,
  CHAIN: () => 0,
  L1I_CACHE_REFILL: counter(Counter.l1iMisses),
  L1I_TLB_REFILL: (unit, _memory, mmu) => mmu.tlbCounts(unit.index).fetchMisses,
  L1D_CACHE_REFILL: counter(Counter.l1dMisses),
  L1D_CACHE: (unit, memory, mmu) =>
    dataAccesses(unit, memory, mmu) - memory.shared.counter(unit.index, Counter.uncachedAccesses),
  L1D_TLB_REFILL: (unit, _memory, mmu) => {
    const { misses, fetchMisses } = mmu.tlbCounts(unit.index);
    return misses - fetchMisses;
  },
  INST_RETIRED: (unit) => unit.instructions() - unit.cpu.abortedInstructions,
  EXC_TAKEN: (unit) => unit.cpu.exceptionsTaken,
  EXC_RETURN: (unit) => unit.cpu.exceptionReturns,
  CPU_CYCLES: (unit) => unit.cycles(),
  MEM_ACCESS: dataAccesses,
  L1I_CACHE: (unit) => unit.instructions(),
  L1D_CACHE_WB: counter(Counter.writebacks),
  L2D_CACHE: counter(Counter.l2Accesses),
  L2D_CACHE_REFILL: counter(Counter.l2Misses),
};

/** The total of an event of a core since power-on, up to the instruction that it executes. */
export const eventTotal = (unit: CoreUnit, memory: MemorySystem, mmu: Mmu, event: PerformanceEvent): number =>
  totals[event](unit, memory, mmu);
