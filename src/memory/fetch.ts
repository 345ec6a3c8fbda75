/**
 * Instruction fetch: translation, I-cache look-up and fill, decoding from the copy, the I-line table, and the prefetch
 * buffer. A fetch returns the address of a decoded record.
 *
 * Where a fill reads: Non-cacheable fetches (stage 1 off and SCTLR.I=0, and whatever translation makes so) the point of
 * coherency; cacheable ones the point of unification, or the view on a core with IDC, and these allocate in the outer cache.
 * `mmuOffFetch: 'poc'` makes every fetch with stage 1 off read the point of coherency.
 */

import type { Checker } from './checker';
import { Counter } from './counters';
import type { DataAccess } from './dataAccess';
import type { DataCaches } from './dataCaches';
import { Granule, type InstructionCache, type InstructionCaches, vmidTag } from './instructionCaches';
import { RECORD_BYTES } from './layout';
import { type LineTables, Table } from './lineTables';
import { PrefetchBuffer } from './prefetchBuffer';
import { Remover } from './removers';
import { Dir, type Shared, soleBit } from './shared';
import { NO_LINE } from './tags';
import { Access, type TranslationResult } from './translator';
import { MemoryType, type TranslationContext } from './types';
import type { Versions } from './versions';

export class Fetch {
  private readonly result: TranslationResult;
  private readonly allFromC: boolean;
  readonly prefetch: readonly PrefetchBuffer[];

  constructor(
    private readonly shared: Shared,
    private readonly versions: Versions,
    private readonly data: DataCaches,
    private readonly tables: LineTables,
    private readonly instructions: InstructionCaches,
    private readonly access: DataAccess,
    private readonly checker: Checker | undefined,
    private readonly instructionGuard: number,
  ) {
    this.result = shared.ports.translator.result;
    this.allFromC = shared.config.mmuOffFetch === 'poc';
    this.prefetch = instructions.caches.map((cache) => new PrefetchBuffer(shared, cache));
  }

  /** Record address of the instruction at a VA, 0 after a fault (described in DataAccess.fault). */
  fetch(core: number, vaHi: number, vaLo: number, install: boolean): number {
    const { shared, result } = this;
    const hi = vaHi >>> 0;
    const lo = vaLo >>> 0;
    const cache = this.instructions.caches[core];
    const buffer = this.prefetch[core];
    shared.count(core, Counter.slowFetches);
    if (lo & 3) return this.fault(core, hi, lo, 'pcAlignment');
    const { ports } = shared;
    const context = ports.context(core);
    if (buffer.words > 0) {
      const granule = buffer.find(hi, lo, this.tables.current[core]);
      if (granule >= 0) {
        shared.count(core, Counter.prefetchBufferFetches);
        this.checker?.fetched(core, cache, granule, hi, lo);
        return this.recordAt(cache, granule, lo);
      }
    }
    if (!ports.translator.translate(core, context, hi, lo, Access.Fetch, false)) {
      this.access.fault.copy(ports.translator.fault);
      this.access.faultHi = hi;
      this.access.faultLo = lo;
      return 0;
    }
    const host = shared.hostOf(result.pa);
    if (host < 0) return this.fault(core, hi, lo, 'external');
    const granule = this.granuleFor(core, cache, host, hi, lo, context);
    if (buffer.words > 0) {
      const held = buffer.capture(hi, lo, this.tables.current[core], granule, host);
      this.checker?.decoded(cache, held);
      this.checker?.fetched(core, cache, held, hi, lo);
      return this.recordAt(cache, held, lo);
    }
    const inSync = this.checker === undefined || this.checker.fetched(core, cache, granule, hi, lo);
    if (install && inSync && !result.watched)
      this.tables.install(core, Table.Fetch, hi, lo, granule, cache.recordsAt(granule), true, result.tlbIndex);
    return this.recordAt(cache, granule, lo);
  }

  private recordAt(cache: InstructionCache, granule: number, lo: number): number {
    return cache.recordsAt(granule) + ((lo & (this.shared.granuleBytes - 1)) >>> 2) * RECORD_BYTES;
  }

  private fault(core: number, hi: number, lo: number, kind: 'external' | 'pcAlignment'): 0 {
    this.access.abort(core, hi, lo, kind, false);
    return 0;
  }

  /** Look-up, fill on a miss, and decoding of one granule. */
  private granuleFor(
    core: number,
    cache: InstructionCache,
    host: number,
    hi: number,
    lo: number,
    context: TranslationContext,
  ): number {
    const line = cache.lineOf(host);
    const vmid = cache.policy === 'VPIPT' ? vmidTag(context) : 0;
    let way = cache.lookup(line, lo, vmid);
    if (way < 0) {
      const fromC = this.result.type < MemoryType.NormalWT || (this.allFromC && !context.mmu);
      way = this.fill(core, cache, line, lo, fromC);
      cache.vmid[way] = vmid;
      cache.va[way * 2] = lo & -(1 << cache.lineLog2);
      cache.va[way * 2 + 1] = hi;
    } else this.demote(core, cache, cache.touch(way), way, true);
    const granule = (way << cache.granulesLog2) | ((host >>> this.shared.granuleLog2) & (cache.granules - 1));
    if (!(cache.granuleFlags[granule] & Granule.Decoded)) {
      cache.decode(granule);
      this.checker?.decoded(cache, granule);
    }
    return granule;
  }

  private fill(core: number, cache: InstructionCache, line: number, lo: number, fromC: boolean): number {
    const { shared } = this;
    shared.count(core, Counter.l1iMisses);
    shared.penalty(core, shared.cost.l1iMiss);
    const way = cache.victim(cache.setFor(line, lo));
    if (cache.tag[way] !== NO_LINE) cache.drop(way, this.tables, Remover.eviction);
    const host = cache.hostOfLine(line);
    const bytes = 1 << cache.lineLog2;
    const step = Math.min(bytes, shared.unitBytes);
    const to = cache.bytes + way * bytes;
    for (let i = 0; i < bytes; i += step) this.copyPart(core, to + i, host + i, step, fromC, i === 0);
    if (fromC)
      for (let g = 0; g < cache.granules; g++) cache.granuleFlags[(way << cache.granulesLog2) | g] = Granule.FromC;
    this.demote(core, cache, cache.insert(way, line), way, false);
    this.instructions.setResident(core, line);
    return way;
  }

  /** Copies the part of a unit that a line covers from the version that this fetch sees. */
  private copyPart(core: number, to: number, host: number, bytes: number, fromC: boolean, look: boolean): void {
    const { shared, versions, data } = this;
    const unit = shared.unitOf(host);
    let from: number;
    if (fromC) from = versions.cHost(unit);
    else {
      const k = data.outer[core];
      if (k >= 0) data.allocateL2(core, k, unit, look);
      from = shared.config.cores[core].idc ? shared.hostOfUnit(unit) : versions.pHost(unit);
    }
    from += host & shared.unitMask;
    for (let i = 0; i < bytes; i += 4) shared.u32[(to + i) >>> 2] = shared.u32[(from + i) >>> 2];
    if (!(this.instructionGuard & (1 << (core + Dir.L1IShift))) || !(shared.directory[unit] & Dir.L1Dirty)) return;
    const owner = soleBit(shared.directory[unit] & Dir.L1D);
    const cache = data.l1[owner];
    this.tables.remove(owner, Table.Store, cache.wayUnit(cache.wayOf(unit), unit), Remover.iResident);
  }

  /** True LRU: entries of the way that is most recent no longer are no plain hits; those of the new one are. */
  private demote(core: number, cache: InstructionCache, before: number, way: number, hit: boolean): void {
    if (before < 0) return;
    if (hit) this.shared.count(core, Counter.fetchPromotions);
    for (let g = 0; g < cache.granules; g++) {
      this.tables.setPlain(core, Table.Fetch, (before << cache.granulesLog2) | g, false);
      this.tables.setPlain(core, Table.Fetch, (way << cache.granulesLog2) | g, true);
    }
  }

  isb(core: number): void {
    const buffer = this.prefetch[core];
    if (buffer.words > 0) buffer.flush(this.tables);
  }
}
