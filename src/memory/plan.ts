/**
 * Where everything of the memory system stands in linear memory: one pure function of the configuration, so that the size
 * asked for and the addresses used cannot differ. All state that the guest can make a difference in is here, so a copy of the
 * linear memory is a snapshot of it.
 *
 * RAM and ROM stand last. Their bytes are congruent to their physical addresses modulo the largest cache way, so that unit
 * numbers index every cache as physical addresses do. A unit is the machine's smallest D-line, a granule its smallest I-line.
 */

import { isPowerOfTwo, log2Exact } from '../base/bits';
import { bug } from '../base/errors';
import { COUNTER_NAMES } from './counters';
import { CONTEXT_TABLES_BYTES, PAGE_ENTRIES, PAGE_ENTRY_BYTES, RECORD_BYTES } from './layout';
import type { CacheGeometry, MemoryConfig } from './types';

export const MAX_CORES = 8;

/** Offsets of one tag array: tags, order lists, which sets are full, random state. */
export interface TagPlan {
  readonly tag: number;
  readonly order: number;
  readonly full: number;
  readonly random: number;
}
export interface DataCachePlan extends TagPlan {
  readonly loadSlot: number;
  readonly storeSlot: number;
}
export interface OuterCachePlan extends TagPlan {
  readonly dirty: number;
}
export interface InstructionCachePlan extends TagPlan {
  readonly vmid: number;
  readonly va: number;
  readonly granuleFlags: number;
  readonly wordFlags: number;
  readonly slot: number;
  readonly bytes: number;
  readonly records: number;
  /** Granules of the cache, and those of the prefetch buffer behind them. */
  readonly granules: number;
  readonly prefetchGranules: number;
}
export interface RegionPlan {
  readonly pa: number;
  readonly size: number;
  /** Linear-memory byte address of the first byte. */
  readonly host: number;
}
export interface MemoryPlan {
  readonly base: number;
  readonly end: number;
  readonly unitLog2: number;
  readonly granuleLog2: number;
  readonly tables: readonly number[];
  readonly tlbUse: readonly number[];
  readonly pages: readonly number[];
  readonly l1d: readonly DataCachePlan[];
  readonly l1i: readonly InstructionCachePlan[];
  readonly l2: readonly OuterCachePlan[];
  readonly counters: number;
  readonly directory: number;
  readonly side: number;
  readonly units: number;
  /** Under a checker (notedWrites.ts); no pieces without, and no times unless they count. */
  readonly noted: {
    readonly marks: number;
    readonly pieces: number;
    readonly pieceLog2: number;
    readonly epoch: number;
    readonly times: number;
  };
  readonly records: number; // side records, numbered from 1
  readonly recordFree: number;
  readonly recordBytes: number;
  /** Address of unit 0. */
  readonly ram: number;
  readonly regions: readonly RegionPlan[];
}

const lines = (g: CacheGeometry): number => g.sets * g.ways;
const log2Of = (n: number): number => log2Exact(n);

class Arena {
  constructor(public next: number) {}
  take(bytes: number, align = 64): number {
    const at = Math.ceil(this.next / align) * align;
    this.next = at + bytes;
    return at;
  }
}

function takeTags(arena: Arena, g: CacheGeometry): TagPlan {
  return {
    tag: arena.take(4 * lines(g)),
    order: arena.take(lines(g)),
    full: arena.take(g.sets),
    random: arena.take(4),
  };
}

function check(config: MemoryConfig): void {
  const n = config.cores.length;
  if (n < 1 || n > MAX_CORES || config.l2.length > MAX_CORES) bug(`${n} cores, ${config.l2.length} outer caches`);
  const caches = [...config.cores.flatMap((c) => [c.l1d, c.l1i]), ...config.l2];
  for (const g of caches) {
    if (!isPowerOfTwo(g.sets) || !isPowerOfTwo(g.lineBytes) || g.lineBytes < 16 || g.lineBytes > 256)
      bug(`cache of ${g.sets} sets with lines of ${g.lineBytes} bytes`);
    if (g.ways < 1 || g.ways > 64) bug(`cache of ${g.ways} ways`);
  }
  for (const c of config.cores) if (c.l2 >= config.l2.length) bug('no such outer cache');
}

function planRegions(config: MemoryConfig, modulus: number): { host: number[]; bytes: number } {
  let at = 0;
  const host = config.regions.map((region) => {
    const lead = (((region.base - at) % modulus) + modulus) % modulus;
    const start = at + lead;
    at = start + Math.ceil(region.size / 4096) * 4096;
    return start;
  });
  return { host, bytes: at };
}

function planInstructionCache(arena: Arena, config: MemoryConfig, core: number, granuleLog2: number) {
  const { l1i, prefetch } = config.cores[core];
  const words = (1 << granuleLog2) >> 2;
  const granules = (lines(l1i) * l1i.lineBytes) >> granuleLog2;
  const prefetchGranules = prefetch;
  const all = granules + prefetchGranules;
  return {
    ...takeTags(arena, l1i),
    vmid: arena.take(4 * lines(l1i)),
    va: arena.take(8 * lines(l1i)),
    granuleFlags: arena.take(all),
    wordFlags: arena.take(all * words),
    slot: arena.take(4 * all),
    bytes: arena.take(all << granuleLog2),
    records: arena.take(all * (words + 1) * RECORD_BYTES),
    granules,
    prefetchGranules,
  };
}

function planNoted(arena: Arena, config: MemoryConfig, units: number, unitLog2: number, granuleLog2: number) {
  const pieceLog2 = Math.min(unitLog2, granuleLog2);
  const pieces = config.checker === 'off' ? 0 : units << (unitLog2 - pieceLog2);
  // To cores with IDC and DIC it counts how long ago a write was (syncTracker.ts).
  const timed = pieces > 0 && config.cores.some((c) => c.idc && c.dic);
  const [marks, epoch] = [arena.take(4 * pieces), arena.take(4)];
  return { marks, pieces, pieceLog2, epoch, times: timed ? arena.take(8 * pieces) : 0 };
}

export function planMemory(config: MemoryConfig, base: number): MemoryPlan {
  check(config);
  const dataLines = [...config.cores.map((c) => c.l1d.lineBytes), ...config.l2.map((g) => g.lineBytes)];
  const unitLog2 = log2Of(Math.min(...dataLines));
  const granuleLog2 = log2Of(Math.min(...config.cores.map((c) => c.l1i.lineBytes)));
  const caches = [...config.cores.flatMap((c) => [c.l1d, c.l1i]), ...config.l2];
  const modulus = Math.max(65536, ...caches.map((g) => g.sets * g.lineBytes));
  const regions = planRegions(config, modulus);
  const units = Math.ceil(regions.bytes / (1 << unitLog2));
  const unitsOf = (g: CacheGeometry): number => (lines(g) * g.lineBytes) >> unitLog2;
  const records = [...config.cores.map((c) => c.l1d), ...config.l2].reduce((n, g) => n + unitsOf(g), 0) + 1;

  const arena = new Arena(base);
  const tables = config.cores.map(() => arena.take(CONTEXT_TABLES_BYTES, 4096));
  const tlbUse = config.cores.map((c) => arena.take(4 * c.tlb.sets * c.tlb.ways));
  const pages = config.cores.map(() => arena.take(PAGE_ENTRIES * PAGE_ENTRY_BYTES));
  const l1d = config.cores.map(({ l1d: g }) => ({
    ...takeTags(arena, g),
    loadSlot: arena.take(4 * unitsOf(g)),
    storeSlot: arena.take(4 * unitsOf(g)),
  }));
  const l1i = config.cores.map((_, core) => planInstructionCache(arena, config, core, granuleLog2));
  const l2 = config.l2.map((g) => ({ ...takeTags(arena, g), dirty: arena.take(2 * lines(g)) }));
  const counters = arena.take(8 * COUNTER_NAMES.length * config.cores.length);
  const recordFree = arena.take(4 * (records + 1));
  const recordBytes = arena.take(records * 2 * (1 << unitLog2));
  const directory = arena.take(4 * units, 4096);
  const side = arena.take(4 * units, 4096);
  const noted = planNoted(arena, config, units, unitLog2, granuleLog2);
  const ram = arena.take(regions.bytes, 65536);
  const plans = config.regions.map((r, i) => ({ pa: r.base, size: r.size, host: ram + regions.host[i] }));
  return {
    base,
    end: arena.next,
    unitLog2,
    granuleLog2,
    tables,
    tlbUse,
    pages,
    l1d,
    l1i,
    l2,
    counters,
    directory,
    side,
    units,
    noted,
    records,
    recordFree,
    recordBytes,
    ram,
    regions: plans,
  };
}
