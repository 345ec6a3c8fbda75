/**
 * The coherence checker. Actual mode: the word that runs differs from the coherent view. Architectural mode, on top of that:
 * the word could have been stale on some implementation that the core's CTR_EL0 allows, because a step of maintenance was
 * left out (syncTracker.ts).
 *
 * It judges executed words: suspicious ones are marked in the decoded records (ports.markStale), and the engine calls
 * checkStale before such a word runs. If the old and new words may be modified concurrently (cmodx.ts) nothing is reported
 * before the core has had a context synchronisation event. Each (write, core) is reported once.
 */
import { isConcurrentlyModifiable } from './cmodx';
import type { DataCaches } from './dataCaches';
import { DataChecks } from './dataChecks';
import { FetchFindings } from './fetchFindings';
import { Granule, type InstructionCache, type InstructionCaches } from './instructionCaches';
import { type LineTables, Table } from './lineTables';
import { NotedWrites } from './notedWrites';
import type { PrefetchBuffer } from './prefetchBuffer';
import { Remover } from './removers';
import { Dir, type Shared, soleBit } from './shared';
import type { Writer } from './syncPages';
import { SyncTracker } from './syncTracker';
import { TranslationChecks } from './translationChecks';
import type { Versions } from './versions';

const MARKED = 1;
const REPORTED = 2;

/** Store entries installed since a core's last DSB, so that the DSB can take them back (architectural mode, IDC). */
const RECENT = 64;

export class Checker {
  readonly tracker: SyncTracker;
  readonly data: DataChecks;
  readonly translations: TranslationChecks;
  private readonly findings: FetchFindings;
  /** By core: the vCPU that it runs, 0 = none. By I-cache and way: the one that filled it. By word: the one it was reported to. */
  private readonly owners: Uint16Array;
  private readonly fillers: readonly Uint16Array[];
  private readonly reportedTo = new Map<number, number>();
  private readonly architectural: boolean;
  private readonly anyIdc: boolean;
  private readonly recent: readonly Uint32Array[];
  private readonly recentCount: Uint32Array;
  /** The last granule that each core's fetch returned, and its VA. */
  private readonly lastGranule: Int32Array;
  private readonly lastHi: Uint32Array;
  private readonly lastLo: Uint32Array;
  private readonly writer: Writer = { pcHi: 0, pcLo: 0, mmu: false, everyStoreSeen: false, time: 0 };
  /** Set after construction: fetch.ts owns them. */
  prefetch: readonly PrefetchBuffer[] = [];
  /** Differences of concurrently modifiable instructions that were let pass. */
  notes = 0;

  constructor(
    private readonly shared: Shared,
    versions: Versions,
    private readonly dataCaches: DataCaches,
    private readonly instructions: InstructionCaches,
    private readonly tables: LineTables,
  ) {
    const { config, plan, cores } = shared;
    this.architectural = config.checker === 'architectural';
    this.anyIdc = config.cores.some((c) => c.idc);
    const noted = new NotedWrites(shared.buffer, plan.noted);
    this.tracker = new SyncTracker(config, plan.noted.pieceLog2, plan.end - plan.ram, noted);
    this.owners = new Uint16Array(cores);
    this.fillers = instructions.caches.map((cache) => new Uint16Array(cache.tag.length));
    this.findings = new FetchFindings(shared, versions, this.tracker, this.owners);
    this.data = new DataChecks(shared, versions, this.owners, (offset) => this.tracker.writer(offset));
    this.translations = new TranslationChecks(shared, tables, (found) => this.data.translation(found));
    this.translations.mark = (unit) => {
      shared.directory[unit] |= Dir.Walk;
      this.dropStore(unit);
    };
    this.recent = config.cores.map(() => new Uint32Array(RECENT));
    this.recentCount = new Uint32Array(cores);
    this.lastGranule = new Int32Array(cores).fill(-1);
    this.lastHi = new Uint32Array(cores);
    this.lastLo = new Uint32Array(cores);
  }

  reset(): void {
    this.tracker.reset();
    this.recentCount.fill(0);
    this.lastGranule.fill(-1);
    this.notes = 0;
    this.owners.fill(0);
    for (const filler of this.fillers) filler.fill(0);
    this.reportedTo.clear();
    this.data.reset();
    this.translations.reset();
  }

  /** The vCPU that a core runs from now on. */
  setOwner(core: number, owner: number): void {
    this.owners[core] = owner;
  }

  // ---- events ----

  /** `core` -1: DMA. `everyStoreSeen`: the unit's bytes are in an I-cache, so no store to it escapes. */
  wrote(core: number, unit: number, offset: number, size: number, coherent: boolean, everyStoreSeen = false): void {
    const { shared } = this;
    const at = unit * shared.unitBytes + offset;
    if (!this.tracker.knows(core, at, size, coherent, everyStoreSeen))
      this.note(core, at, size, coherent, everyStoreSeen);
    else if (this.tracker.timed) this.tracker.repeated(at, size, shared.ports.time(core));
    if (shared.directory[unit] & Dir.L1I) this.viewChanged(unit);
    if (shared.directory[unit] & Dir.Walk) this.translations.wrote(core, shared.hostOfUnit(unit) + offset, size);
    this.compareBuffers();
  }

  private note(core: number, at: number, size: number, coherent: boolean, everyStoreSeen: boolean): void {
    const { shared, writer } = this;
    const pc = core < 0 ? -1 : shared.pcIndex[core];
    writer.pcHi = pc < 0 ? 0 : shared.u32[pc + 1];
    writer.pcLo = pc < 0 ? 0 : shared.u32[pc];
    writer.mmu = core >= 0 && shared.ports.context(core).mmu;
    writer.everyStoreSeen = everyStoreSeen;
    writer.time = shared.ports.time(Math.max(core, 0));
    this.tracker.wrote(core, at, size, coherent, writer);
  }

  /** The view of a unit changed: every copy is compared with it again. */
  viewChanged(unit: number): void {
    for (const cache of this.instructions.caches)
      if (this.shared.directory[unit] & (1 << (cache.core + Dir.L1IShift)))
        cache.eachCopyOfUnit(unit, (way) => {
          const first = way << cache.granulesLog2;
          for (let g = first; g < first + cache.granules; g++)
            if (cache.granuleFlags[g] & Granule.Decoded) this.compare(cache, g, true);
        });
  }

  private compareBuffers(): void {
    for (const buffer of this.prefetch)
      if (buffer.words > 0) buffer.eachGranule((cache, granule) => this.compare(cache, granule, true));
  }

  /** A granule was decoded anew: no word of it is marked. */
  decoded(cache: InstructionCache, granule: number): void {
    const n = this.shared.granuleWords;
    cache.wordFlags.fill(0, granule * n, (granule + 1) * n);
    const way = granule >>> cache.granulesLog2;
    if (way < cache.tag.length) this.fillers[cache.core][way] = this.owners[cache.core];
    this.compare(cache, granule, false);
  }

  /**
   * A fetch returns this granule. True: it may have an I-line table entry (in architectural mode only what is in order may,
   * so that each execution of the rest begins here).
   */
  fetched(core: number, cache: InstructionCache, granule: number, vaHi: number, vaLo: number): boolean {
    this.lastGranule[core] = granule;
    this.lastHi[core] = vaHi;
    this.lastLo[core] = (vaLo & -this.shared.granuleBytes) >>> 0;
    const host = this.hostOf(cache, granule);
    const offset = host - this.shared.ram;
    this.tracker.fetched(offset, this.shared.ports.context(core).mmu);
    const inOrder = !this.architectural || this.inOrder(core, cache, granule, offset);
    if (cache.granuleFlags[granule] & Granule.Marked && inOrder && !this.differs(cache, granule, host)) {
      cache.decode(granule);
      this.decoded(cache, granule);
    } else if (!inOrder) this.compare(cache, granule, false);
    return inOrder;
  }

  private inOrder(core: number, cache: InstructionCache, granule: number, offset: number): boolean {
    const fromC = (cache.granuleFlags[granule] & Granule.FromC) !== 0;
    const step = this.tracker.pieceBytes();
    const time = this.shared.ports.time(core);
    for (let i = 0; i < this.shared.granuleBytes; i += step)
      if (this.tracker.judge(core, offset + i, fromC, time) !== 0) return false;
    return true;
  }

  private differs(cache: InstructionCache, granule: number, host: number): boolean {
    const { u32, granuleWords } = this.shared;
    const at = cache.granuleBytesAt(granule) >>> 2;
    for (let i = 0; i < granuleWords; i++) if (u32[at + i] !== u32[(host >>> 2) + i]) return true;
    return false;
  }

  /** Marks the words of a granule that have to be looked at when they run. */
  private compare(cache: InstructionCache, granule: number, changed: boolean): void {
    const { u32, granuleWords, ram, ports } = this.shared;
    const host = this.hostOf(cache, granule);
    if (host < 0) return;
    const at = cache.granuleBytesAt(granule) >>> 2;
    const fromC = (cache.granuleFlags[granule] & Granule.FromC) !== 0;
    for (let i = 0; i < granuleWords; i++) {
      const flag = granule * granuleWords + i;
      const stale = u32[at + i] !== u32[(host >>> 2) + i];
      if (!stale && !this.suspicious(cache.core, host - ram + i * 4, fromC)) continue;
      if (changed) cache.wordFlags[flag] &= ~REPORTED;
      if (cache.wordFlags[flag] & MARKED) continue;
      cache.wordFlags[flag] |= MARKED;
      cache.granuleFlags[granule] |= Granule.Marked;
      ports.markStale(cache.recordsAt(granule), i);
    }
  }

  /** A granule was decoded anew with nothing changed: its marked words are marked in the new records. */
  markAgain(cache: InstructionCache, granule: number): void {
    const { granuleWords, ports } = this.shared;
    for (let i = 0; i < granuleWords; i++)
      if (cache.wordFlags[granule * granuleWords + i] & MARKED) ports.markStale(cache.recordsAt(granule), i);
  }

  private suspicious(core: number, offset: number, fromC: boolean): boolean {
    return this.architectural && this.tracker.judgeWord(core, offset, fromC, this.shared.ports.time(core)) !== 0;
  }

  /** Linear-memory address of the memory that a granule is a copy of. */
  private hostOf(cache: InstructionCache, granule: number): number {
    const way = granule >>> cache.granulesLog2;
    if (way >= cache.tag.length) return this.prefetch[cache.core].hostOfGranule(granule);
    return cache.hostOfLine(cache.tag[way]) + (granule & (cache.granules - 1)) * this.shared.granuleBytes;
  }

  cleaned(core: number, host: number, toC: boolean): void {
    this.tracker.cleaned(core, host - this.shared.ram, toC);
  }

  /** IC IVAU; in architectural mode the next store to the line has to be seen. */
  invalidated(core: number, host: number, cores: number): void {
    const { shared } = this;
    this.tracker.invalidated(core, host - shared.ram, cores);
    if (!this.architectural) return;
    const n = Math.max(1, 256 >> shared.unitLog2);
    const first = shared.unitOf(host) & -n;
    for (let unit = first; unit < first + n; unit++) this.dropStore(unit);
  }

  invalidatedAll(core: number, cores: number): void {
    this.tracker.invalidatedAll(core, cores);
    if (this.architectural) for (let e = 0; e < this.shared.cores; e++) this.tables.dropStores(e, Remover.instruction);
  }

  private dropStore(unit: number): void {
    const d = this.shared.directory[unit];
    if (!(d & Dir.L1Dirty)) return;
    const owner = soleBit(d & Dir.L1D);
    const cache = this.dataCaches.l1[owner];
    this.tables.remove(owner, Table.Store, cache.wayUnit(cache.wayOf(unit), unit), Remover.instruction);
  }

  /** In architectural mode stores have to be seen for as long as they can change which words count as written. */
  storeEntryAllowed(unit: number): boolean {
    const { unitBytes } = this.shared;
    return !this.architectural || this.tracker.countsWhole(unit * unitBytes, unitBytes);
  }

  storeInstalled(core: number, wayUnit: number): void {
    if (!this.architectural) return;
    const n = this.recentCount[core]++;
    if (n < RECENT) this.recent[core][n] = wayUnit;
  }

  dsb(core: number): void {
    this.tracker.dsb(core);
    this.translations.dsb(core);
    if (this.architectural && this.anyIdc) {
      const n = this.recentCount[core];
      if (n > RECENT) this.tables.dropStores(core, Remover.instruction);
      else for (let i = 0; i < n; i++) this.tables.remove(core, Table.Store, this.recent[core][i], Remover.instruction);
    }
    this.recentCount[core] = 0;
  }

  isb(core: number): void {
    this.tracker.isb(core);
    this.translations.synchronised(core);
  }

  poked(host: number, size: number): void {
    this.tracker.synchronised(host - this.shared.ram, size);
  }

  save(): unknown {
    const lists = this.lists().map((list) => [...list]);
    const { notes, reportedTo } = this;
    const [tracker, data, translations] = [this.tracker.save(), this.data.save(), this.translations.save()];
    return { tracker, data, translations, lists, notes, reportedTo: [...reportedTo] };
  }
  load(state: unknown): void {
    const s = state as {
      tracker: unknown;
      data: unknown;
      translations: unknown;
      lists: number[][];
      notes: number;
      reportedTo: [number, number][];
    };
    this.tracker.load(s.tracker);
    this.data.load(s.data);
    this.translations.load(s.translations);
    this.lists().forEach((list, i) => {
      list.set(s.lists[i]);
    });
    this.notes = s.notes;
    this.reportedTo.clear();
    for (const [word, owner] of s.reportedTo) this.reportedTo.set(word, owner);
  }
  private lists(): readonly (Uint32Array | Int32Array | Uint16Array | Uint8Array)[] {
    const { recent, recentCount, lastGranule, lastHi, lastLo, owners, fillers } = this;
    return [...recent, recentCount, lastGranule, lastHi, lastLo, owners, ...fillers];
  }

  // ---- judgement ----

  /** A marked word is about to run. `record` is its address, 0 = not known. */
  checkStale(core: number, pcHi: number, pcLo: number, record: number): void {
    const { shared } = this;
    const cache = this.instructions.caches[core];
    const granule = record !== 0 ? cache.granuleOfRecord(record) : this.granuleOfPc(core, pcHi, pcLo);
    if (granule < 0) return;
    const host = this.hostOf(cache, granule);
    if (host < shared.ram) return;
    const word = (pcLo & (shared.granuleBytes - 1)) >>> 2;
    const executed = shared.u32[(cache.granuleBytesAt(granule) >>> 2) + word];
    const current = shared.u32[(host >>> 2) + word];
    const offset = host - shared.ram + word * 4;
    const fromC = (cache.granuleFlags[granule] & Granule.FromC) !== 0;
    const missing = this.tracker.judgeWord(core, offset, fromC, shared.ports.time(core));
    if (executed !== current) {
      const flag = granule * shared.granuleWords + word;
      // What one vCPU was told of is news to another that finds it.
      const word32 = flag * shared.cores + core;
      const toOther = this.reportedTo.get(word32) !== this.owners[core];
      const known = (cache.wordFlags[flag] & REPORTED) !== 0 && !toOther;
      if (known || this.mayBeEither(core, offset, executed, current)) return;
      cache.wordFlags[flag] |= REPORTED;
      this.reportedTo.set(word32, this.owners[core]);
      const filler = this.fillerOf(core, cache, granule);
      if (!this.tracker.firstReport(core, offset) && filler === 0) return;
      this.findings.report(core, pcHi, pcLo, offset, executed, current, 'actual', missing, fromC, filler);
    } else if (this.architectural && missing !== 0) {
      if (this.mayBeEither(core, offset, executed, current) || !this.tracker.firstReport(core, offset)) return;
      this.findings.report(core, pcHi, pcLo, offset, executed, current, 'architectural', missing, fromC, 0);
    }
  }

  /** The other vCPU that brought a granule's line, 0 = none. */
  private fillerOf(core: number, cache: InstructionCache, granule: number): number {
    const way = granule >>> cache.granulesLog2;
    const filler = way < cache.tag.length ? this.fillers[core][way] : 0;
    return filler === this.owners[core] ? 0 : filler;
  }

  private mayBeEither(core: number, offset: number, executed: number, current: number): boolean {
    if (!isConcurrentlyModifiable(executed) || !isConcurrentlyModifiable(current)) return false;
    if (this.tracker.synchronisedSinceWrite(core, offset)) return false;
    this.notes++;
    return true;
  }

  private granuleOfPc(core: number, hi: number, lo: number): number {
    const entry = this.tables.holderOf(core, Table.Fetch, hi, lo);
    if (entry >= 0) return entry;
    const base = (lo & -this.shared.granuleBytes) >>> 0;
    return this.lastHi[core] === hi >>> 0 && this.lastLo[core] === base ? this.lastGranule[core] : -1;
  }
}
