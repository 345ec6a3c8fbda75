/**
 * Loads and stores that the line tables did not answer: alignment, translation, cacheable accesses through the L1D,
 * non-cacheable ones at the point of coherency, Device and everything outside RAM on the bus, accesses that cross a line or a
 * page. Values pass through the core block's `value` field. Nothing here allocates.
 *
 * Write-Through memory is cached for loads; its stores go to all versions at once and make nothing dirty. Device memory that
 * is RAM behaves as Non-cacheable, aligned accesses only. An access that crosses a line is two accesses; both halves of a
 * store are translated before either is done.
 */

import { Desc, ZERO_BLOCK_BYTES } from './accessParts';
import { Counter } from './counters';
import { CrossingAccess } from './crossingAccess';
import { Table } from './lineTables';
import { PageUse } from './recentPages';
import { Access } from './translator';
import { MemoryType } from './types';

export { Desc, ZERO_BLOCK_BYTES };

/** Descriptors up to this one are plain accesses of 1 to 16 bytes. */
const PLAIN = 4;

/** Whether an access may leave a line table entry: not where the next one has to be asked about again. */
const mayEnter = (desc: number, watch: 0 | 1 | 2, watched: boolean): boolean =>
  (desc & Desc.Unprivileged) === 0 && watch === 0 && !watched;

export class DataAccess extends CrossingAccess {
  load(core: number, vaHi: number, vaLo: number, desc: number): 0 | 1 {
    const { shared, result } = this;
    const hi = vaHi >>> 0;
    const lo = vaLo >>> 0;
    const size = 1 << (desc & Desc.SizeLog2);
    shared.count(core, Counter.slowLoads);
    if (desc <= PLAIN && (lo & (size - 1)) === 0 && !this.watching) {
      const { pages, current } = this.tables;
      const host = pages.find(core, current[core], hi, lo, PageUse.Load);
      if (host !== 0) {
        this.loadCached(core, hi, lo, shared.unitOf(host), pages.tlbIndex, true);
        this.read(core, host, size);
        return 0;
      }
    }
    const misaligned = (lo & this.alignment(desc, size)) !== 0;
    if (misaligned && this.mustAlign(core, lo, size, desc)) return this.abort(core, hi, lo, 'alignment', false);
    if ((lo & shared.unitMask) + size > shared.unitBytes) return this.loadAcross(core, hi, lo, size, desc);
    if (!this.translate(core, hi, lo, Access.Read, desc)) return 1;
    // An atomic access reports a write (WnR) only where a read would have been fine.
    if (desc & Desc.ForWrite && !this.translate(core, hi, lo, Access.Write, desc)) return 1;
    const { pa } = result;
    if (result.type <= MemoryType.DeviceGRE && misaligned) return this.abort(core, hi, lo, 'alignment', false);
    const watch = this.watched(core, hi, lo, size, (desc & Desc.ForWrite) !== 0, desc);
    if (watch === 2) return 1;
    const host = shared.hostOf(pa);
    if (host < 0 || shared.busMode[shared.region]) {
      if (desc & Desc.Exclusive) return this.abort(core, hi, lo, 'unsupportedExclusive', false);
      if (!this.busLoad(core, pa, size)) return this.abort(core, hi, lo, 'external', false);
    } else if (result.type >= MemoryType.NormalWT) {
      this.loadCached(core, hi, lo, shared.unitOf(host), result.tlbIndex, mayEnter(desc, watch, result.watched));
      this.read(core, host, size);
      if (desc <= PLAIN && watch === 0 && !result.watched && result.type === MemoryType.NormalWB)
        this.tables.notePage(core, Table.Load, hi, lo, host, result.tlbIndex);
    } else {
      shared.count(core, Counter.uncachedAccesses);
      this.checker?.data.uncachedLoad(core, host, size);
      this.read(core, this.versions.cHost(shared.unitOf(host)) + (host & shared.unitMask), size);
    }
    if (desc & Desc.Exclusive) this.exclusives.arm(core, pa, host);
    if (this.watching) shared.ports.access?.(core, hi, lo, pa, size, false);
    return 0;
  }

  store(core: number, vaHi: number, vaLo: number, desc: number): 0 | 1 {
    const { shared, result } = this;
    const hi = vaHi >>> 0;
    const lo = vaLo >>> 0;
    const size = 1 << (desc & Desc.SizeLog2);
    shared.count(core, Counter.slowStores);
    if (desc <= PLAIN && (lo & (size - 1)) === 0 && !this.watching) {
      const { pages, current } = this.tables;
      const host = pages.find(core, current[core], hi, lo, PageUse.Store);
      if (host !== 0) {
        this.storeWriteBack(core, hi, lo, host, size, pages.tlbIndex, true);
        return 0;
      }
    }
    const misaligned = (lo & this.alignment(desc, size)) !== 0;
    if (misaligned && this.mustAlign(core, lo, size, desc)) return this.abort(core, hi, lo, 'alignment', true);
    if (desc & Desc.Exclusive && !this.exclusives.isArmed(core)) return this.exclusiveFailed(core);
    if ((lo & shared.unitMask) + size > shared.unitBytes) return this.storeAcross(core, hi, lo, size, desc);
    if (!this.translate(core, hi, lo, Access.Write, desc)) return 1;
    const { pa } = result;
    if (result.type <= MemoryType.DeviceGRE && misaligned) return this.abort(core, hi, lo, 'alignment', true);
    const watch = this.watched(core, hi, lo, size, true, desc);
    if (watch === 2) return 1;
    const host = shared.hostOf(pa);
    if (desc & Desc.Exclusive && !this.exclusives.covers(core, pa)) return this.exclusiveFailed(core);
    if (host < 0 || shared.isRom[shared.region]) {
      if (!this.busStore(core, pa, size)) return this.abort(core, hi, lo, 'external', true);
    } else if (result.type === MemoryType.NormalWB) {
      this.storeWriteBack(core, hi, lo, host, size, result.tlbIndex, mayEnter(desc, watch, result.watched));
      if (desc <= PLAIN && watch === 0 && !result.watched)
        this.tables.notePage(core, Table.Store, hi, lo, host, result.tlbIndex);
    } else if (result.type === MemoryType.NormalWT) {
      const unit = shared.unitOf(host);
      this.data.wayForStore(core, unit);
      this.writeThrough(core, unit, host, size);
      this.effects.stored(core, unit, host, size, true);
    } else this.storeUncached(core, host, size);
    if (desc & Desc.Exclusive) {
      this.exclusives.clear(core);
      this.exclusiveStatus = 0;
    }
    if (this.watching) shared.ports.access?.(core, hi, lo, pa, size, true);
    return 0;
  }

  /** DC ZVA. */
  zero(core: number, vaHi: number, vaLo: number): 0 | 1 {
    const { shared, result } = this;
    const hi = vaHi >>> 0;
    const lo = (vaLo & -ZERO_BLOCK_BYTES) >>> 0;
    if (!this.watching) {
      const { pages, current } = this.tables;
      const known = pages.find(core, current[core], hi, lo, PageUse.Store);
      if (known !== 0) {
        this.zeroWriteBack(core, hi, lo, known, pages.tlbIndex, true);
        return 0;
      }
    }
    if (!this.translate(core, hi, lo, Access.Write, 0)) {
      this.faultLo = vaLo >>> 0;
      return 1;
    }
    const { pa, type } = result;
    if (type <= MemoryType.DeviceGRE) return this.abort(core, hi, vaLo >>> 0, 'alignment', true);
    const watch = this.watched(core, hi, lo, ZERO_BLOCK_BYTES, true, 0);
    if (watch === 2) return 1;
    const host = shared.hostOf(pa);
    const value = shared.valueIndex[core];
    shared.u32.fill(0, value, value + 4);
    if (host < 0 || shared.isRom[shared.region]) {
      for (let i = 0; i < ZERO_BLOCK_BYTES; i += 8)
        if (!this.busStore(core, pa + i, 8)) return this.abort(core, hi, lo, 'external', true);
      return 0;
    }
    if (type === MemoryType.NormalWB) {
      const entry = watch === 0 && !result.watched;
      this.zeroWriteBack(core, hi, lo, host, result.tlbIndex, entry);
      if (entry) this.tables.notePage(core, Table.Store, hi, lo, host, result.tlbIndex);
    } else
      for (let i = 0; i < ZERO_BLOCK_BYTES; i += 16) {
        if (type < MemoryType.NormalWT) {
          this.storeUncached(core, host + i, 16);
          continue;
        }
        if (i > 0 && ((host + i) & shared.unitMask) === 0) shared.count(core, Counter.secondAccesses);
        const unit = shared.unitOf(host + i);
        this.data.wayForStore(core, unit);
        this.writeThrough(core, unit, host + i, 16);
        this.effects.stored(core, unit, host + i, 16, true);
      }
    if (this.watching) shared.ports.access?.(core, hi, lo, pa, ZERO_BLOCK_BYTES, true);
    return 0;
  }

  /** DC ZVA of Write-Back memory, a unit at a time. */
  private zeroWriteBack(core: number, hi: number, lo: number, host: number, tlbIndex: number, entry: boolean): void {
    const { shared, data } = this;
    const bytes = Math.min(shared.unitBytes, ZERO_BLOCK_BYTES);
    for (let i = 0; i < ZERO_BLOCK_BYTES; i += bytes) {
      if (i > 0) shared.count(core, Counter.secondAccesses);
      const unit = shared.unitOf(host + i);
      const way = data.wayForStore(core, unit);
      data.makeDirty(core, unit);
      shared.u32.fill(0, (host + i) >>> 2, (host + i + bytes) >>> 2);
      this.effects.stored(core, unit, host + i, bytes, false);
      if (entry) this.installStore(core, hi, lo + i, unit, way, tlbIndex);
    }
  }
}
