/**
 * The L1 I-caches: each holds copies of bytes taken from the view, the point of unification or the point of coherency at fill
 * time, and nothing keeps them equal afterwards but IC operations (and stores, on cores with DIC). Instructions are decoded
 * from these copies only.
 *
 * PIPT: indexed and tagged by PA. VIPT: indexed by VA, tagged by PA, so one line of memory may stand in several sets.
 * VPIPT: PIPT, with the VMID of the EL1&0 regime in the tag (0 = filled by EL2 or EL3, vmid + 1 otherwise); EL2 and EL3 see
 * all entries. A granule is the part of a line that is decoded at once; granule numbers count through the ways, then the
 * prefetch buffer's.
 */
import { Counter } from './counters';
import { RECORD_BYTES } from './layout';
import { type LineTables, Table } from './lineTables';
import type { InstructionCachePlan } from './plan';
import type { Remover } from './removers';
import { Dir, type Shared } from './shared';
import { NO_LINE, TagArray } from './tags';
import type { InstructionCachePolicy, TranslationContext } from './types';

/** Bits of a granule's flags. */
export const Granule = { Decoded: 1, Marked: 2, FromC: 4 } as const;

const PAGE_LOG2 = 12;

/** The VMID tag of lines that a context allocates; see the file head. */
export const vmidTag = (context: TranslationContext): number => (context.regime === 'EL1&0' ? context.vmid + 1 : 0);

export class InstructionCache extends TagArray {
  readonly policy: InstructionCachePolicy;
  readonly vmid: Uint32Array;
  /** Low word, high word of the last VA that filled each way, for views. */
  readonly va: Uint32Array;
  readonly granuleFlags: Uint8Array;
  readonly wordFlags: Uint8Array;
  /** log2 and number of granules per line. */
  readonly granulesLog2: number;
  readonly granules: number;
  readonly bytes: number;
  readonly records: number;
  readonly recordStride: number;
  /** Number of sets over which the copies of one line of memory may spread (VIPT). */
  private readonly aliases: number;
  private readonly aliasStep: number;

  constructor(
    private readonly shared: Shared,
    readonly core: number,
    plan: InstructionCachePlan,
  ) {
    const geometry = shared.config.cores[core].l1i;
    super(shared.buffer, plan, geometry);
    const { buffer } = shared;
    const lines = this.sets * this.ways;
    const all = plan.granules + plan.prefetchGranules;
    this.policy = geometry.policy;
    this.vmid = new Uint32Array(buffer, plan.vmid, lines);
    this.va = new Uint32Array(buffer, plan.va, 2 * lines);
    this.granuleFlags = new Uint8Array(buffer, plan.granuleFlags, all);
    this.wordFlags = new Uint8Array(buffer, plan.wordFlags, all * shared.granuleWords);
    this.granulesLog2 = this.lineLog2 - shared.granuleLog2;
    this.granules = 1 << this.granulesLog2;
    this.bytes = plan.bytes;
    this.records = plan.records;
    this.recordStride = (shared.granuleWords + 1) * RECORD_BYTES;
    const pageSets = Math.max(1, (1 << PAGE_LOG2) >> this.lineLog2);
    this.aliases = this.policy === 'VIPT' ? Math.max(1, this.sets / pageSets) : 1;
    this.aliasStep = Math.min(this.sets, pageSets);
  }

  /** Line number of a linear-memory address. */
  lineOf(host: number): number {
    return (host - this.shared.ram) >>> this.lineLog2;
  }
  hostOfLine(line: number): number {
    return this.shared.ram + line * (1 << this.lineLog2);
  }

  setFor(line: number, vaLo: number): number {
    return (this.policy === 'VIPT' ? vaLo >>> this.lineLog2 : line) & (this.sets - 1);
  }

  /** The way that a fetch hits, or -1. */
  lookup(line: number, vaLo: number, vmid: number): number {
    const set = this.setFor(line, vaLo);
    if (this.policy !== 'VPIPT') return this.find(set, line);
    const base = set * this.ways;
    for (let way = base; way < base + this.ways; way++)
      if (this.tag[way] === line && (vmid === 0 || this.vmid[way] === vmid)) return way;
    return -1;
  }

  granuleBytesAt(granule: number): number {
    return this.bytes + granule * this.shared.granuleBytes;
  }
  recordsAt(granule: number): number {
    return this.records + granule * this.recordStride;
  }
  /** Granule of a record address, -1 if it is none of this cache's. */
  granuleOfRecord(record: number): number {
    const g = Math.floor((record - this.records) / this.recordStride);
    return g >= 0 && g < this.granuleFlags.length ? g : -1;
  }

  decode(granule: number): void {
    this.granuleFlags[granule] = (this.granuleFlags[granule] & Granule.FromC) | Granule.Decoded;
    this.shared.ports.decode(this.core, this.granuleBytesAt(granule), this.recordsAt(granule));
  }

  /** Drops a way: its entries, its decoded records' validity. The bytes stay until the next fill. */
  drop(way: number, tables: LineTables, remover: Remover): void {
    this.vacate(way);
    const first = way << this.granulesLog2;
    for (let g = first; g < first + this.granules; g++) {
      tables.remove(this.core, Table.Fetch, g, remover);
      this.granuleFlags[g] = 0;
    }
  }

  /** Calls `found` for every way that holds a copy of the line, whatever its index or VMID. */
  eachCopy(line: number, found: (way: number) => void): void {
    const start = this.policy === 'VIPT' ? line & (this.aliasStep - 1) : line & (this.sets - 1);
    for (let a = 0; a < this.aliases; a++) {
      const base = (start + a * this.aliasStep) * this.ways;
      for (let way = base; way < base + this.ways; way++) if (this.tag[way] === line) found(way);
    }
  }

  /** Calls `found` for every way that holds any byte of the unit. */
  eachCopyOfUnit(unit: number, found: (way: number) => void): void {
    const { unitLog2 } = this.shared;
    if (this.lineLog2 >= unitLog2) {
      this.eachCopy(unit >>> (this.lineLog2 - unitLog2), found);
      return;
    }
    const shift = unitLog2 - this.lineLog2;
    const first = unit * (1 << shift);
    for (let line = first; line < first + (1 << shift); line++) this.eachCopy(line, found);
  }
}

export class InstructionCaches {
  readonly caches: readonly InstructionCache[];
  private found = 0;
  private readonly note = (): void => {
    this.found++;
  };

  constructor(
    private readonly shared: Shared,
    private readonly tables: LineTables,
  ) {
    this.caches = shared.plan.l1i.map((plan, core) => new InstructionCache(shared, core, plan));
  }

  /** Marks the units of a line as possibly held. */
  setResident(core: number, line: number): void {
    const { unitLog2, directory } = this.shared;
    const cache = this.caches[core];
    const bit = 1 << (core + Dir.L1IShift);
    const shift = cache.lineLog2 - unitLog2;
    if (shift < 0) directory[line >>> -shift] |= bit;
    else for (let u = line << shift; u < (line + 1) << shift; u++) directory[u] |= bit;
  }

  /** Clears the mark of all units of a line, whatever other copies there are (reset). */
  clearResident(cache: InstructionCache, line: number): void {
    const { unitLog2, directory } = this.shared;
    const bit = 1 << (cache.core + Dir.L1IShift);
    const shift = cache.lineLog2 - unitLog2;
    if (shift < 0) directory[line >>> -shift] &= ~bit;
    else for (let u = line << shift; u < (line + 1) << shift; u++) directory[u] &= ~bit;
  }

  /** Makes a unit's I-presence bits exact; returns the directory word. */
  refresh(unit: number): number {
    const { directory } = this.shared;
    for (let core = 0; core < this.shared.cores; core++) {
      const bit = 1 << (core + Dir.L1IShift);
      if (!(directory[unit] & bit)) continue;
      this.found = 0;
      this.caches[core].eachCopyOfUnit(unit, this.note);
      if (this.found === 0) directory[unit] &= ~bit;
    }
    return directory[unit];
  }

  /** A store hits a unit: the copies of core's I-cache go (DIC). */
  snoop(core: number, unit: number, remover: Remover): void {
    const cache = this.caches[core];
    cache.eachCopyOfUnit(unit, (way) => {
      cache.drop(way, this.tables, remover);
      this.shared.count(core, Counter.snoopedInstructionLines);
    });
    this.shared.directory[unit] &= ~(1 << (core + Dir.L1IShift));
  }

  /** IC IALLU on one core. On VPIPT at EL1 only the entries of the current VMID. */
  invalidateAll(core: number, vmid: number, remover: Remover): void {
    const cache = this.caches[core];
    for (let way = 0; way < cache.tag.length; way++) {
      if (cache.tag[way] === NO_LINE || !this.reaches(cache, way, vmid)) continue;
      cache.drop(way, this.tables, remover);
      this.shared.count(core, Counter.instructionInvalidations);
    }
  }

  /** IC IVAU as it acts on one core: the set that this VA reaches, lines with this PA. */
  invalidateAddress(core: number, host: number, vaLo: number, vmid: number, remover: Remover): void {
    const cache = this.caches[core];
    const line = cache.lineOf(host);
    const base = cache.setFor(line, vaLo) * cache.ways;
    for (let way = base; way < base + cache.ways; way++) {
      if (cache.tag[way] !== line || !this.reaches(cache, way, vmid)) continue;
      cache.drop(way, this.tables, remover);
      this.shared.count(core, Counter.instructionInvalidations);
    }
  }

  private reaches(cache: InstructionCache, way: number, vmid: number): boolean {
    return cache.policy !== 'VPIPT' || vmid === 0 || cache.vmid[way] === vmid;
  }
}
