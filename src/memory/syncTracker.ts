/**
 * What software has done, per line, to make written instructions visible: write, clean, DSB, I-invalidate, DSB, ISB. Kept for
 * each piece of memory as small as the machine's smallest line, in order of one sequence number, whatever the caches did.
 * `judge` then says, for a fetch by one core, which steps its CTR_EL0 asks for are missing.
 *
 * Operations on all lines (IC IALLU*) are kept per core, not per piece. DC by set/way counts for nothing here: the
 * architecture gives it no meaning for other observers.
 *
 * Two cases in which no implementation can be stale although steps were left out are let pass. While no core has had its MMU
 * on, fetches stay within pages executed from and the next one: code written elsewhere only has to be at the point that is
 * read. On a core with IDC and DIC only store buffers and pipelines can be behind: what was written to pages that nobody had
 * fetched from may run without barriers once the write is DRAINED_AFTER instructions old.
 *
 * Which words were written is known where every store is seen (a piece that is in an I-cache; in architectural mode any piece,
 * until FEW_WORDS of it were written, so that data beside code is told from code); else all of them count, and stores that would
 * change nothing here need not be told (notedWrites.ts).
 */
import type { NotedWrites } from './notedWrites';
import { MAX_CORES } from './plan';
import { SyncOrder } from './syncOrder';
import {
  AllInvalidated,
  better,
  bitCount,
  PAGE,
  PAGE_LOG2,
  Page,
  type PageArrays,
  structuredCopy,
  type Writer,
  wordsOf,
} from './syncPages';
import type { MemoryConfig } from './types';

const GUEST_PAGE_LOG2 = 12;

/** Bits of `judge`'s answer: the steps that are missing. */
export const Missing = { Clean: 1, FirstDsb: 2, Invalidate: 4, SecondDsb: 8, Isb: 16, Stride: 32 } as const;

const DRAINED_AFTER = 4096;

const STRIDE_CLEAN = 1;
const STRIDE_INVALIDATE = 2;
const NEVER_CACHED = 4;
const NEVER_FETCHED = 8;
/** Words of a piece that a mask can tell apart; larger pieces count as written whole. */
const MASK_WORDS = 32;
const ALL_WORDS = 0xffff_ffff;
/** In architectural mode a piece outside I-caches in which more words than these were written counts as written whole. */
const FEW_WORDS = 4;

const WRITE_DONE = 1; // the write was complete (DSB) when the IC was issued
const CLEAN_DONE = 2; // the clean was

export class SyncTracker {
  private readonly pages: (Page | undefined)[] = [];
  private readonly fetchedPages: Uint8Array;
  private anyMmu = false;
  private readonly order = new SyncOrder();
  private readonly pendingAll = Array.from({ length: MAX_CORES }, () => new AllInvalidated());
  private readonly effectiveAll = Array.from({ length: MAX_CORES }, () => new AllInvalidated());
  /** Per core: smallest D-line of its hierarchy, I-line, class of that I-line size (all as log2 / index). */
  private readonly dLog2: readonly number[];
  private readonly iLog2: readonly number[];
  private readonly classOf: readonly number[];
  private readonly classLog2: readonly number[];
  private readonly windowD: number;
  private readonly windowI: number;
  private readonly architectural: boolean;

  constructor(
    private readonly config: MemoryConfig,
    private readonly pieceLog2: number,
    bytes: number,
    private readonly noted: Pick<NotedWrites, 'end' | 'has' | 'note' | 'forget' | 'times'>,
  ) {
    const log2 = (n: number): number => 31 - Math.clz32(n);
    this.architectural = config.checker === 'architectural';
    this.dLog2 = config.cores.map((c) => {
      const outer = c.l2 >= 0 ? config.l2[c.l2].lineBytes : 256;
      return log2(Math.min(c.l1d.lineBytes, outer));
    });
    this.iLog2 = config.cores.map((c) => log2(c.l1i.lineBytes));
    this.classLog2 = [...new Set(this.iLog2)];
    this.classOf = this.iLog2.map((l) => this.classLog2.indexOf(l));
    this.windowD = Math.max(...this.dLog2);
    this.windowI = Math.max(...this.iLog2);
    this.fetchedPages = new Uint8Array((bytes >>> GUEST_PAGE_LOG2) + 2);
  }

  /** Whether it counts how long ago a write was. */
  get timed(): boolean {
    return this.noted.times.length > 0;
  }

  pieceBytes(): number {
    return 1 << this.pieceLog2;
  }

  reset(): void {
    this.pages.length = 0;
    this.fetchedPages.fill(0);
    this.anyMmu = false;
    this.order.reset();
    this.noted.end();
    for (const a of [...this.pendingAll, ...this.effectiveAll]) a.at = 0;
  }

  private page(piece: number): Page | undefined {
    return this.pages[piece >>> PAGE_LOG2];
  }

  /** Whether a write would change nothing here, so that `wrote` need not hear of it. */
  knows(core: number, offset: number, size: number, coherent: boolean, everyStoreSeen: boolean): boolean {
    if (core < 0 || coherent || everyStoreSeen) return false;
    return this.noted.has(core, offset >>> this.pieceLog2, (offset + size - 1) >>> this.pieceLog2);
  }

  /** A write that it knows was made again. */
  repeated(offset: number, size: number, time: number): void {
    const last = (offset + size - 1) >>> this.pieceLog2;
    for (let piece = offset >>> this.pieceLog2; piece <= last; piece++) this.noted.times[piece] = time;
  }

  /** `offset` is a byte offset from the start of RAM in linear memory, here and below. core -1: DMA, always coherent. */
  wrote(core: number, offset: number, size: number, coherent: boolean, writer: Writer): void {
    const now = this.order.next();
    if (writer.mmu) this.anyMmu = true;
    const guestPage = offset >>> GUEST_PAGE_LOG2;
    const fetched = this.fetchedPages[guestPage + 1] !== 0 || this.fetchedPages[guestPage] !== 0;
    const cachable = this.anyMmu || fetched;
    const last = (offset + size - 1) >>> this.pieceLog2;
    // What is old enough to be seen by everybody would be told apart from what comes now.
    const apart = this.timed && this.architectural;
    const plain = core >= 0 && !coherent && !writer.everyStoreSeen && this.anyMmu && !apart;
    for (let piece = offset >>> this.pieceLog2; piece <= last; piece++) {
      const page = (this.pages[piece >>> PAGE_LOG2] ??= new Page(this.classLog2.length));
      const i = piece & (PAGE - 1);
      if (page.written[i] === 0 || page.cleaned[i] !== 0 || page.writer[i] !== core || page.reported[i] !== 0) {
        page.pcHi[i] = writer.pcHi;
        page.pcLo[i] = writer.pcLo;
      }
      page.words[i] = this.writtenWords(page, piece, offset, size, writer);
      if (plain && page.words[i] === ALL_WORDS) this.noted.note(core, piece);
      else this.noted.forget(piece);
      page.written[i] = now;
      page.writer[i] = core;
      if (this.timed) this.noted.times[piece] = writer.time;
      page.cleaned[i] = coherent ? now : 0;
      page.cleaner[i] = core;
      page.toC[i] = coherent ? 1 : 0;
      page.reported[i] = 0;
      page.flags[i] = (cachable ? 0 : NEVER_CACHED) | (fetched ? 0 : NEVER_FETCHED);
      for (let c = 0; c < this.classLog2.length; c++) page.invalidated[c * PAGE + i] = 0;
    }
  }

  /** The words of a piece that were written, after this write, and that not everybody sees. */
  private writtenWords(page: Page, piece: number, offset: number, size: number, writer: Writer): number {
    if (!(writer.everyStoreSeen || this.architectural) || 1 << this.pieceLog2 > MASK_WORDS * 4) return ALL_WORDS;
    const words = this.unseenWords(page, piece, writer.time) | wordsOf(piece, this.pieceLog2, offset, size);
    return writer.everyStoreSeen || bitCount(words) <= FEW_WORDS ? words : ALL_WORDS;
  }

  /** Whether nothing that is written to the unit at an offset can change which of its words count as written. */
  countsWhole(offset: number, size: number): boolean {
    for (let at = offset; at < offset + size; at += 1 << this.pieceLog2) {
      const page = this.page(at >>> this.pieceLog2);
      if (page?.words[(at >>> this.pieceLog2) & (PAGE - 1)] !== ALL_WORDS) return false;
    }
    return true;
  }

  /** The words of a piece that were written before and that not everybody sees. */
  private unseenWords(page: Page, piece: number, time: number): number {
    const i = piece & (PAGE - 1);
    return page.written[i] !== 0 && !this.isVisible(piece, time) ? page.words[i] : 0;
  }

  /** Was everything done about the last write to a piece, but for ISBs? */
  private isVisible(piece: number, time: number): boolean {
    for (let core = 0; core < this.config.cores.length; core++)
      if ((this.judge(core, piece << this.pieceLog2, false, time) & ~Missing.Isb) !== 0) return false;
    return true;
  }

  /** The debugger or the loader wrote: every copy is the same now. */
  synchronised(offset: number, size: number): void {
    this.noted.end();
    const last = (offset + size - 1) >>> this.pieceLog2;
    for (let piece = offset >>> this.pieceLog2; piece <= last; piece++) {
      const page = this.page(piece);
      if (page !== undefined) page.written[piece & (PAGE - 1)] = 0;
    }
  }

  /** The place in the order of something that stores come before or after. */
  private event(): number {
    this.noted.end();
    return this.order.next();
  }

  /** DC CVAU (toC false) or DC CVAC / CIVAC / CVAP (true) by a core on the line around `offset`. */
  cleaned(core: number, offset: number, toC: boolean): void {
    const now = this.event();
    const first = (offset >>> this.windowD) << (this.windowD - this.pieceLog2);
    const n = 1 << (this.windowD - this.pieceLog2);
    for (let piece = first; piece < first + n; piece++) {
      const page = this.page(piece);
      const i = piece & (PAGE - 1);
      if (page === undefined || page.written[i] === 0) continue;
      const writer = page.writer[i] < 0 ? core : page.writer[i];
      const at = piece << this.pieceLog2;
      if (at >>> this.dLog2[writer] === offset >>> this.dLog2[writer]) {
        const held = page.cleaned[i] !== 0 && (!toC || page.toC[i] !== 0);
        if (held && this.order.isDone(page.cleaner[i], page.cleaned[i])) continue;
        page.cleaned[i] = now;
        page.cleaner[i] = core;
        if (toC) page.toC[i] = 1;
      } else if (at >>> this.dLog2[core] === offset >>> this.dLog2[core]) page.flags[i] |= STRIDE_CLEAN;
    }
  }

  /** IC IVAU by a core on the line around `offset`, reaching `cores`. */
  invalidated(core: number, offset: number, cores: number): void {
    const now = this.event();
    const first = (offset >>> this.windowI) << (this.windowI - this.pieceLog2);
    const n = 1 << (this.windowI - this.pieceLog2);
    for (let piece = first; piece < first + n; piece++) {
      const page = this.page(piece);
      const i = piece & (PAGE - 1);
      if (page === undefined || page.written[i] === 0) continue;
      const at = piece << this.pieceLog2;
      for (let c = 0; c < this.classLog2.length; c++)
        if (at >>> this.classLog2[c] === offset >>> this.classLog2[c])
          this.invalidatedPiece(page, i, c, now, core, cores);
        else if (at >>> this.iLog2[core] === offset >>> this.iLog2[core]) page.flags[i] |= STRIDE_INVALIDATE;
    }
  }

  private invalidatedPiece(page: Page, i: number, c: number, now: number, core: number, cores: number): void {
    const writeDone = this.order.isDone(page.writer[i], page.written[i]) ? WRITE_DONE : 0;
    const cleanDone = page.cleaned[i] !== 0 && this.order.isDone(page.cleaner[i], page.cleaned[i]) ? CLEAN_DONE : 0;
    const before = writeDone | cleanDone;
    const k = c * PAGE + i;
    const held = page.invalidated[k];
    if (held !== 0 && this.order.isDone(page.invalidator[k], held) && (page.before[k] & before) === before) {
      if ((page.reached[k] & cores) === cores) return;
    }
    page.invalidated[k] = now;
    page.invalidator[k] = core;
    page.reached[k] = cores;
    page.before[k] = before;
  }

  /** IC IALLU (cores = its own) or IC IALLUIS (all). */
  invalidatedAll(core: number, cores: number): void {
    const now = this.event();
    for (let e = 0; e < this.config.cores.length; e++) {
      if (!((cores >>> e) & 1)) continue;
      this.pendingAll[e].set(now, core, this.order.lastDsb);
    }
  }

  dsb(core: number): void {
    this.noted.end();
    this.order.dsb(core);
  }

  isb(core: number): void {
    this.noted.end();
    this.order.isb(core);
    const pending = this.pendingAll[core];
    if (pending.at !== 0 && this.order.isDone(pending.by, pending.at)) this.effectiveAll[core].copy(pending);
  }

  /** A fetch from a page, for the rule about pages never fetched from. */
  fetched(offset: number, mmu: boolean): void {
    if (mmu) this.anyMmu = true;
    const page = (offset >>> GUEST_PAGE_LOG2) + 1;
    if (this.fetchedPages[page] !== 0) return;
    this.fetchedPages[page] = 1;
    this.noted.end();
  }

  /** Has the core had a context synchronisation event since the piece was written? */
  synchronisedSinceWrite(core: number, offset: number): boolean {
    const page = this.page(offset >>> this.pieceLog2);
    return page === undefined || this.order.lastIsb[core] > page.written[(offset >>> this.pieceLog2) & (PAGE - 1)];
  }

  /** As judge, for one word: 0 too if what was written in its piece was other words. */
  judgeWord(core: number, offset: number, fromC: boolean, time: number): number {
    const page = this.page(offset >>> this.pieceLog2);
    if (page === undefined) return 0;
    const word = (offset & ((1 << this.pieceLog2) - 1)) >>> 2;
    const written = page.words[(offset >>> this.pieceLog2) & (PAGE - 1)];
    return word < MASK_WORDS && ((written >>> word) & 1) === 0 ? 0 : this.judge(core, offset, fromC, time);
  }

  /** Steps missing before this core may rely on fetching what is at `offset` (0 = none). `fromC`: a Non-cacheable fetch. */
  judge(core: number, offset: number, fromC: boolean, time: number): number {
    const piece = offset >>> this.pieceLog2;
    const page = this.page(piece);
    const i = piece & (PAGE - 1);
    if (page === undefined || page.written[i] === 0) return 0;
    const facts = this.config.cores[core];
    const cleanNeeded = fromC || !facts.idc;
    const haveClean = page.cleaned[i] !== 0 && (!fromC || page.toC[i] !== 0);
    let missing = 0;
    if (cleanNeeded && !haveClean) {
      missing |= Missing.Clean | Missing.FirstDsb;
      if (page.flags[i] & STRIDE_CLEAN) missing |= Missing.Stride;
    }
    if (page.flags[i] & NEVER_CACHED) return missing;
    const useClean = cleanNeeded && haveClean;
    const at = useClean ? page.cleaned[i] : page.written[i];
    const by = useClean ? page.cleaner[i] : page.writer[i];
    if (!facts.dic) return missing | this.judgeInvalidation(core, page, i, at, by, useClean);
    if (!cleanNeeded && page.flags[i] & NEVER_FETCHED && time - this.noted.times[piece] > DRAINED_AFTER) return 0;
    if (!this.order.isDone(by, at)) missing |= Missing.FirstDsb;
    if (!this.order.isbAfter(core, by, at)) missing |= Missing.Isb;
    return missing;
  }

  private judgeInvalidation(core: number, page: Page, i: number, at: number, by: number, useClean: boolean): number {
    const k = this.classOf[core] * PAGE + i;
    const seq = page.invalidated[k];
    const byAddress = seq !== 0 && (page.reached[k] & (1 << core)) !== 0;
    let best: number = Missing.Invalidate | Missing.SecondDsb;
    if (this.order.lastIsb[core] < at) best |= Missing.Isb;
    if (!this.order.isDone(by, at)) best |= Missing.FirstDsb;
    if (page.flags[i] & STRIDE_INVALIDATE) best |= Missing.Stride;
    if (byAddress) {
      const done = (page.before[k] & (useClean ? CLEAN_DONE : WRITE_DONE)) !== 0;
      best = better(best, this.completion(core, seq, page.invalidator[k]) | (done ? 0 : Missing.FirstDsb));
    }
    for (const all of [this.effectiveAll[core], this.pendingAll[core]]) {
      if (all.at <= page.written[i]) continue;
      const done = all.at > at && (by < 0 || all.dsb[by] > at);
      best = better(best, this.completion(core, all.at, all.by) | (done ? 0 : Missing.FirstDsb));
    }
    return best;
  }

  private completion(core: number, seq: number, by: number): number {
    if (!this.order.isDone(by, seq)) return Missing.SecondDsb | (this.order.lastIsb[core] > seq ? 0 : Missing.Isb);
    return this.order.isbAfter(core, by, seq) ? 0 : Missing.Isb;
  }

  /** First report of this (piece, write, core)? */
  firstReport(core: number, offset: number): boolean {
    const piece = offset >>> this.pieceLog2;
    const page = this.page(piece);
    if (page === undefined) return true;
    const i = piece & (PAGE - 1);
    if (page.reported[i] & (1 << core)) return false;
    page.reported[i] |= 1 << core;
    this.noted.end();
    return true;
  }

  /** Who wrote the piece last: core (-1 unknown) and PC as [hi, lo]. */
  writer(offset: number): { core: number; pcHi: number; pcLo: number } {
    const piece = offset >>> this.pieceLog2;
    const page = this.page(piece);
    const i = piece & (PAGE - 1);
    if (page === undefined || page.written[i] === 0) return { core: -1, pcHi: 0, pcLo: 0 };
    return { core: page.writer[i], pcHi: page.pcHi[i], pcLo: page.pcLo[i] };
  }

  save(): unknown {
    const { anyMmu, pendingAll, effectiveAll, fetchedPages } = this;
    const pages = this.pages.map((p) => (p === undefined ? undefined : structuredCopy(p)));
    return structuredCopy({ order: this.order.save(), anyMmu, pendingAll, effectiveAll, fetchedPages, pages });
  }

  load(state: unknown): void {
    const s = structuredCopy(state) as {
      order: ReturnType<SyncOrder['save']>;
      anyMmu: boolean;
      pendingAll: AllInvalidated[];
      effectiveAll: AllInvalidated[];
      fetchedPages: Uint8Array;
      pages: (PageArrays | undefined)[];
    };
    this.order.load(s.order);
    this.anyMmu = s.anyMmu;
    this.fetchedPages.set(s.fetchedPages);
    for (let i = 0; i < MAX_CORES; i++) {
      this.pendingAll[i].copy(s.pendingAll[i]);
      this.effectiveAll[i].copy(s.effectiveAll[i]);
    }
    this.pages.length = 0;
    s.pages.forEach((p, i) => {
      this.pages[i] = p;
    });
  }
}
