/** What `--stats` and the views say of a core. */

import type { Vcpu } from '../hypervisor/run/vm';
import type { MemorySystem } from '../memory/memorySystem';
import type { Mmu } from '../memory/mmu/mmu';
import type { Machine, MachineStatistics, MissCounts } from './api';
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

type Counts = Readonly<Record<string, number>>;
const withCycles = (counts: Counts, cycles: Counts) =>
  Object.fromEntries(Object.entries(counts).map(([name, count]) => [name, { count, cycles: cycles[name] ?? 0 }]));

/** Of vCPUs under the hypervisor model: exits by reason and trapped registers, how many and what they cost. */
export const vmStatistics = ({ hypervisor }: Machine) =>
  hypervisor?.vms.map(({ id, vcpus }) => ({
    vm: id,
    vcpus: vcpus.map(({ index, entries, exits, exitCycles, traps, trapCycles }: Vcpu) => {
      return { vcpu: index, entries, exits: withCycles(exits, exitCycles), traps: withCycles(traps, trapCycles) };
    }),
  }));

/** Every data access and every fetched instruction asks for a translation; only walks are counted. */
function tlbCounts(unit: CoreUnit, mmu: Mmu, instructions: number): MissCounts {
  const { misses } = mmu.tlbCounts(unit.index);
  return { hits: Math.max(0, unit.accesses + instructions - misses), misses };
}
