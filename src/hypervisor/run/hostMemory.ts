/**
 * What a VMM has mapped, by user address: memory slots refer to it, and it may change behind KVM's back. User addresses are physical
 * ones here.
 */
import type { Vma } from '../pfnmap';
import type { HostMemory } from '../stage2Attributes';

export interface HostRange {
  readonly start: number;
  /** Exclusive. */
  readonly end: number;
}

export interface HostMapping {
  /** As it was made; holes are not left out. */
  vma: Vma;
  /** Parts that are unmapped, in no order. */
  holes: HostRange[];
  /** The pages are in the kernel's linear map. */
  readonly kernelMemory: boolean;
  /** Largest stage-2 entry that the host's own mapping allows, in bytes. */
  readonly mapBytes: number;
  /** What user space maps there instead when it is told of a fault (ours). */
  readonly remap?: HostMemory;
}

const overlap = (a: HostRange, b: HostRange): boolean => a.start < b.end && b.start < a.end;

/** The mapping that a range begins in. */
export const mappingOf = (mappings: readonly HostMapping[], address: number): HostMapping | undefined =>
  mappings.find(({ vma }) => address >= vma.start && address < vma.end);

/** The mapping of an address, if it is mapped. */
export function mappedAt(mappings: readonly HostMapping[], address: number): HostMapping | undefined {
  const mapping = mappingOf(mappings, address);
  return mapping?.holes.some(({ start, end }) => address >= start && address < end) ? undefined : mapping;
}

/** All of a range is one mapping's, without holes. */
export function isWhole(mapping: HostMapping, range: HostRange): boolean {
  const { vma, holes } = mapping;
  return range.start >= vma.start && range.end <= vma.end && !holes.some((hole) => overlap(hole, range));
}

/** VMAs in order of address, with holes between them, as KVM finds them. */
export function vmasOf(mappings: readonly HostMapping[]): Vma[] {
  const parts = mappings.flatMap(({ vma, holes }) => {
    const edges = holes.filter((hole) => overlap(hole, vma)).sort((a, b) => a.start - b.start);
    const pieces: Vma[] = [];
    let { start } = vma;
    for (const hole of edges) {
      if (hole.start > start) pieces.push({ ...vma, start, end: hole.start });
      start = Math.max(start, hole.end);
    }
    if (start < vma.end) pieces.push({ ...vma, start });
    return pieces;
  });
  return parts.sort((a, b) => a.start - b.start);
}

/** munmap(2) */
export function unmap(mappings: readonly HostMapping[], range: HostRange): void {
  for (const mapping of mappings) if (overlap(mapping.vma, range)) mapping.holes.push(range);
}

/** mmap(2) of all of a mapping again, as another type of memory. */
export function mapAgain(mapping: HostMapping, memory: HostMemory): void {
  mapping.vma = { ...mapping.vma, memory };
  mapping.holes = [];
}
