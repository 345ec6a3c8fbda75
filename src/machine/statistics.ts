/** What `--stats` and the views say of a core. */
import type { MemorySystem } from '../memory/memorySystem';
import type { Mmu } from '../memory/mmu/mmu';
import type { MachineStatistics, MissCounts } from './api';
import type { CoreUnit } from './coreUnit';

export function coreStatistics(
  unit: CoreUnit,
  memory: MemorySystem,
  mmu: Mmu,
  engine: Readonly<Record<string, number>>,
): MachineStatistics['cores'][number] {
  const instructions = unit.instructions();
  const { l1i, l1d, l2, counters } = memory.statistics(unit.index, unit.accesses, instructions);
  return {
    instructions,
    cycles: unit.cycles(),
    l1i,
    l1d,
    l2,
    tlb: tlbCounts(unit, mmu, instructions),
    exceptions: unit.cpu.exceptionsTaken,
    counters: { ...counters, ...engine },
  };
}

/** Every data access and every fetched instruction asks for a translation; only walks are counted. */
function tlbCounts(unit: CoreUnit, mmu: Mmu, instructions: number): MissCounts {
  const { misses } = mmu.tlbCounts(unit.index);
  return { hits: Math.max(0, unit.accesses + instructions - misses), misses };
}
