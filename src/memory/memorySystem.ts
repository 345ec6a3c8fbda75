/**
 * The memory system of one machine: caches with contents, line tables, exclusive monitors and the coherence checker over one
 * linear memory. This file only puts the parts together and gives them one face; ports.translator and the cores' state blocks
 * must exist when it is made, and the linear memory from `base` on must be zero.
 */
import type { SystemOperationRow } from '../arch/sysops/types';
import { Checker } from './checker';
import { Counter } from './counters';
import { DataAccess } from './dataAccess';
import { DataCaches } from './dataCaches';
import { Dma } from './dma';
import { Doors } from './doors';
import { Exclusives } from './exclusives';
import { Fetch } from './fetch';
import { Granule, InstructionCaches } from './instructionCaches';
import { LineTables } from './lineTables';
import { Maintenance } from './maintenance';
import { type MemoryPlan, planMemory } from './plan';
import { Remover, type RemoverName } from './removers';
import { Dir, Shared } from './shared';
import { type CoreMemoryStatistics, coreStatistics } from './statistics';
import { StoreEffects } from './storeEffects';
import { type Confirm, SubsetCheck } from './subset';
import { NO_LINE } from './tags';
import type { AbortFault, MemoryConfig, MemoryPorts } from './types';
import { Versions } from './versions';
import { type CacheCounts, type CacheLineRow, type LineStateRow, Views, type WantedLine } from './views';

export class MemorySystem {
  readonly shared: Shared;
  readonly versions: Versions;
  readonly tables: LineTables;
  readonly data: DataCaches;
  readonly instructions: InstructionCaches;
  readonly exclusives: Exclusives;
  readonly checker: Checker | undefined;
  private readonly effects: StoreEffects;
  private readonly access: DataAccess;
  private readonly fetcher: Fetch;
  private readonly maintenance: Maintenance;
  private readonly doors: Doors;
  private readonly dma: Dma;
  private readonly views: Views;
  private readonly subset: SubsetCheck;
  private watched: readonly number[] = [];
  walkLo = 0;
  walkHi = 0;

  /** Bytes of linear memory wanted from `base` (64 KiB aligned) on. */
  static bytesNeeded(config: MemoryConfig, base = 0): number {
    return planMemory(config, base).end - base;
  }

  constructor(
    buffer: ArrayBuffer,
    base: number,
    readonly config: MemoryConfig,
    ports: MemoryPorts,
  ) {
    const shared = (this.shared = new Shared(buffer, base, config, ports));
    this.versions = new Versions(shared);
    this.tables = new LineTables(shared);
    this.data = new DataCaches(shared, this.versions, this.tables);
    this.instructions = new InstructionCaches(shared, this.tables);
    this.exclusives = new Exclusives(shared, this.data, this.tables);
    if (config.checker !== 'off') {
      const checker = new Checker(shared, this.versions, this.data, this.instructions, this.tables);
      this.data.viewChanged = (unit) => checker.viewChanged(unit);
      this.checker = checker;
    }
    const { checker } = this;
    this.effects = new StoreEffects(shared, this.instructions, this.exclusives, checker);
    this.access = new DataAccess(shared, this.versions, this.data, this.tables, this.exclusives, this.effects, checker);
    const guard = this.effects.instructionGuard;
    this.fetcher = new Fetch(
      shared,
      this.versions,
      this.data,
      this.tables,
      this.instructions,
      this.access,
      checker,
      guard,
    );
    if (checker !== undefined) checker.prefetch = this.fetcher.prefetch;
    this.maintenance = new Maintenance(shared, this.data, this.instructions, this.access, checker);
    const { prefetch } = this.fetcher;
    this.doors = new Doors(shared, this.versions, this.instructions, prefetch, checker);
    this.dma = new Dma(shared, this.versions, this.data, this.effects);
    this.views = new Views(shared, this.versions, this.data, this.instructions, this.tables);
    this.subset = new SubsetCheck(shared, this.data, this.instructions, this.tables, this.exclusives, this.effects);
    for (const cache of [...this.data.l1, ...this.data.l2, ...this.instructions.caches]) cache.tag.fill(NO_LINE);
    this.reset();
  }

  /** Power-on: all caches empty, what they held is lost; RAM keeps what had reached it. */
  reset(): void {
    const { seed } = this.config;
    this.emptyCaches();
    this.versions.reset();
    this.tables.reset();
    this.data.l1.forEach((cache, core) => {
      cache.reset(seed + core);
    });
    this.data.l2.forEach((cache, k) => {
      cache.reset(seed + 16 + k);
    });
    this.data.outerDirty.forEach((dirty) => {
      dirty.fill(0);
    });
    this.instructions.caches.forEach((cache, core) => {
      cache.reset(seed + 32 + core);
      cache.granuleFlags.fill(0);
    });
    for (let core = 0; core < this.shared.cores; core++) {
      this.exclusives.clear(core);
      this.fetcher.isb(core);
    }
    this.shared.counters.fill(0);
    this.shared.busMode.fill(0);
    this.checker?.reset();
  }

  private emptyCaches(): void {
    const { directory } = this.shared;
    for (const cache of [...this.data.l1, ...this.data.l2])
      for (let way = 0; way < cache.tag.length; way++) {
        if (cache.tag[way] === NO_LINE) continue;
        const first = cache.firstUnit(way);
        for (let unit = first; unit < first + cache.units; unit++) {
          this.versions.forget(unit);
          directory[unit] &= Dir.Watch;
        }
      }
    for (const cache of this.instructions.caches)
      for (let way = 0; way < cache.tag.length; way++)
        if (cache.tag[way] !== NO_LINE) this.instructions.clearResident(cache, cache.tag[way]);
  }

  /** What generated code has to know to do most misses by itself (engine/dataPath/). */
  dataPathFacts(): { plan: MemoryPlan; config: MemoryConfig; noStoreEntry: number } {
    const { plan, config } = this.shared;
    return { plan, config, noStoreEntry: this.effects.noStoreEntry };
  }
  /** Generated code dropped a line whose view was replaced by what is below, and which an I-cache may hold. */
  viewChanged(unit: number): void {
    this.data.viewChanged?.(unit);
  }

  // ---- accesses ----

  get fault(): AbortFault {
    return this.access.fault;
  }
  get faultHi(): number {
    return this.access.faultHi;
  }
  get faultLo(): number {
    return this.access.faultLo;
  }
  /** After a Store-Exclusive: 0 stored, 1 not. */
  get exclusiveStatus(): number {
    return this.access.exclusiveStatus;
  }
  /** Exclusives reservation granule in bytes. */
  get exclusiveGranuleBytes(): number {
    return this.exclusives.granuleBytes;
  }

  /**
   * Slow path of a load; the value goes to the block's `value`. desc: [2:0] log2 size, [3] unprivileged, [4] ordered, [5]
   * exclusive, [6] write permission wanted (atomics), [10:8] elements (Desc.ElementShift). 1 = fault.
   */
  load(core: number, vaHi: number, vaLo: number, desc: number): 0 | 1 {
    return this.access.load(core, vaHi, vaLo, desc);
  }
  /** Slow path of a store of the block's `value`. desc as for load. */
  store(core: number, vaHi: number, vaLo: number, desc: number): 0 | 1 {
    return this.access.store(core, vaHi, vaLo, desc);
  }
  clearExclusive(core: number): void {
    this.exclusives.clear(core);
  }
  /** DC ZVA. */
  zero(core: number, vaHi: number, vaLo: number): 0 | 1 {
    return this.access.zero(core, vaHi, vaLo);
  }
  /** Record address of the instruction at a VA, 0 = fault. `install`: give it an I-line table entry where that is right. */
  fetch(core: number, vaHi: number, vaLo: number, install: boolean): number {
    return this.fetcher.fetch(core, vaHi, vaLo, install);
  }
  /** A DC or IC operation; 1 = fault. */
  maintain(core: number, row: SystemOperationRow, vaHi: number, vaLo: number, el: number): 0 | 1 {
    return this.maintenance.maintain(core, row, vaHi, vaLo, el);
  }
  /** The same on `count` addresses, `stride` bytes apart; none may fault. */
  maintainRange(core: number, row: SystemOperationRow, va: number, count: number, stride: number, el: number): void {
    this.maintenance.maintainRange(core, row, va, count, stride, el);
  }
  /** The vCPU that a core runs from now on, 0 for none: what findings name. */
  setOwner(core: number, owner: number): void {
    this.checker?.setOwner(core, owner);
  }
  dsb(core: number): void {
    this.checker?.dsb(core);
  }
  dmb(_core: number): void {
    // Accesses complete in program order here: nothing to wait for, and a DMB proves nothing to the checker.
  }
  /** Any context synchronisation event. The engine must look the next instruction up again after it. */
  isb(core: number): void {
    this.fetcher.isb(core);
    this.checker?.isb(core);
  }
  /** A marked word is about to run (CHECK handler); a finding goes to ports.finding. `record`: its record, if known. */
  checkStale(core: number, pcHi: number, pcLo: number, record = 0): void {
    this.checker?.checkStale(core, pcHi >>> 0, pcLo >>> 0, record >>> 0);
  }

  // ---- translation ----

  selectContext(core: number, key: readonly number[]): void {
    this.tables.select(core, key);
  }
  dropTranslations(core: number, vaHi: number, vaLo: number, pageLog2: number, tlbIndex = -1): void {
    this.tables.dropTranslations(core, vaHi >>> 0, vaLo >>> 0, pageLog2, tlbIndex);
    if (tlbIndex >= 0) this.checker?.translations.vanished(core, tlbIndex);
  }
  penalty(core: number, cycles: number): void {
    this.shared.penalty(core, cycles);
  }
  /** Coherent 64-bit read for a table walk into walkLo / walkHi; false = external abort. Allocates nothing. */
  walkRead(core: number, pa: number, cacheable: boolean): boolean {
    this.shared.count(core, Counter.walkReads);
    return this.peekDescriptor(pa, cacheable);
  }
  /** The same for who only looks. */
  peekDescriptor(pa: number, cacheable: boolean): boolean {
    const { shared } = this;
    const host = shared.hostOf(pa);
    if (host < 0) return false;
    const at = cacheable ? host : this.versions.cHost(shared.unitOf(host)) + (host & shared.unitMask);
    this.walkLo = shared.u32[at >>> 2];
    this.walkHi = shared.u32[(at >>> 2) + 1];
    return true;
  }

  /** See TranslatorPort: as a store of that core. False: no RAM there. */
  walkWrite(core: number, pa: number, cacheable: boolean, hi: number, lo: number): boolean {
    return this.access.updateDescriptor(core, pa, cacheable, hi, lo);
  }

  // ---- regions and watches ----

  /** Linear-memory byte address of a physical address in RAM or ROM (the view), -1 if there is none. */
  ramAddress(pa: number): number {
    return this.shared.hostOf(pa);
  }
  /** 'bus': data reads of the region go to the bus too (flash that answers commands). */
  setRegionMode(index: number, mode: 'memory' | 'bus'): void {
    const { shared } = this;
    shared.busMode[index] = mode === 'bus' ? 1 : 0;
    this.tables.pages.reset();
    if (mode === 'memory') return;
    const { host, size } = shared.plan.regions[index];
    const first = shared.unitOf(host);
    const end = first + Math.ceil(size / shared.unitBytes);
    this.removeEntries((unit) => unit >= first && unit < end, Remover.region);
  }
  /** A core's guest watches data accesses, or other ones than before; `restored`: no entry stands in the way. */
  setGuestWatches(core: number, watching: boolean, restored = false): void {
    this.access.guestWatches[core] = watching ? 1 : 0;
    if (watching && !restored) this.dropTranslations(core, 0, 0, 64);
  }

  /** Physical addresses whose units are watched: their accesses always come to the slow path and to ports.access. */
  setWatchGranules(addresses: ReadonlySet<number>): void {
    const { shared } = this;
    for (const unit of this.watched) shared.directory[unit] &= ~Dir.Watch;
    const hosts = [...addresses].map((pa) => shared.hostOf(pa)).filter((host) => host >= 0);
    this.watched = hosts.map((host) => shared.unitOf(host));
    for (const unit of this.watched) shared.directory[unit] |= Dir.Watch;
    this.access.watching = addresses.size > 0;
    this.removeEntries((unit) => (shared.directory[unit] & Dir.Watch) !== 0, Remover.watchpoint);
  }
  private removeEntries(wanted: (unit: number) => boolean, remover: Remover): void {
    this.data.l1.forEach((cache, core) => {
      for (let way = 0; way < cache.tag.length; way++) {
        if (cache.tag[way] === NO_LINE) continue;
        const first = cache.firstUnit(way);
        for (let unit = first; unit < first + cache.units; unit++)
          if (wanted(unit)) this.tables.removeBoth(core, cache.wayUnit(way, unit), remover);
      }
    });
  }

  // ---- the debugger's door ----

  peekView(pa: number, n: number): Uint8Array {
    return this.doors.peek(pa, n, 'view');
  }
  peekPoU(_core: number, pa: number, n: number): Uint8Array {
    return this.doors.peek(pa, n, 'PoU');
  }
  peekPoC(pa: number, n: number): Uint8Array {
    return this.doors.peek(pa, n, 'PoC');
  }
  /** Bytes as the core would fetch them from this PA reached by a VA with this low word (within a page). */
  peekFetch(core: number, pa: number, vaLo: number, n: number, nonCacheable = false): Uint8Array {
    return this.doors.peekFetch(core, pa, vaLo >>> 0, n, nonCacheable);
  }
  lineState(pa: number): LineStateRow | undefined {
    return this.views.lineState(pa);
  }
  cacheLines(core: number, level: number, kind: 'I' | 'D' | 'U', wanted?: WantedLine): CacheLineRow[] {
    return this.views.cacheLines(core, level, kind, wanted);
  }
  cacheCounts(core: number, level: number, kind: 'I' | 'D' | 'U'): CacheCounts {
    return this.views.cacheCounts(core, level, kind);
  }
  statistics(core: number, dataAccesses: number, fetches: number): CoreMemoryStatistics {
    return coreStatistics(this.shared, core, dataAccesses, fetches);
  }

  pokeView(pa: number, bytes: Uint8Array): number {
    return this.doors.pokeView(pa, bytes);
  }
  pokePoU(pa: number, bytes: Uint8Array): number {
    return this.doors.pokeVersion(pa, bytes, 'PoU');
  }
  pokePoC(pa: number, bytes: Uint8Array): number {
    return this.doors.pokeVersion(pa, bytes, 'PoC');
  }
  pokeICache(core: number, pa: number, bytes: Uint8Array): number {
    return this.doors.pokeICache(core, pa, bytes);
  }
  // ---- other agents ----

  /** A read or write of an agent that is no core; fewer bytes than asked where there is no RAM. */
  dmaRead(pa: number, out: Uint8Array, coherent: boolean): number {
    return this.dma.read(pa, out, coherent);
  }
  dmaWrite(pa: number, bytes: Uint8Array, coherent: boolean): number {
    return this.dma.write(pa, bytes, coherent);
  }

  // ---- debug and snapshots ----

  /** What of the line tables' invariant does not hold; empty = all well. */
  checkSubset(confirm?: Confirm): string[] {
    return this.subset.run(confirm);
  }
  /** Plants the omission of one remover (tests). */
  set omit(name: RemoverName) {
    this.tables.omit = Remover[name];
  }

  /** State that is not in linear memory. */
  save(): unknown {
    return {
      contexts: this.tables.save(),
      prefetch: this.fetcher.prefetch.map((buffer) => buffer.save()),
      checker: this.checker?.save(),
      busMode: [...this.shared.busMode],
    };
  }
  /** After the linear memory was put back. */
  restore(state: unknown): void {
    const s = state as { contexts: unknown; prefetch: unknown[]; checker: unknown; busMode: number[] };
    this.tables.load(s.contexts);
    this.fetcher.prefetch.forEach((buffer, core) => {
      buffer.load(s.prefetch[core]);
    });
    this.checker?.load(s.checker);
    this.shared.busMode.set(s.busMode);
    this.exclusives.recompute();
    this.decodeAgain();
    // Watchpoints are the debugger's: they are set anew.
    const { directory } = this.shared;
    for (let unit = 0; unit < directory.length; unit++) if (directory[unit] & Dir.Watch) directory[unit] &= ~Dir.Watch;
    this.watched = [];
  }

  /** Records follow from the lines' bytes; marks in them from the flags of the words. */
  private decodeAgain(): void {
    const { ports } = this.shared;
    for (const cache of this.instructions.caches)
      for (let granule = 0; granule < cache.granuleFlags.length; granule++) {
        if (!(cache.granuleFlags[granule] & Granule.Decoded)) continue;
        ports.decode(cache.core, cache.granuleBytesAt(granule), cache.recordsAt(granule));
        this.checker?.markAgain(cache, granule);
      }
  }
}
