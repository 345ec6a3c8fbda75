/**
 * Loads and stores that the line tables did not answer: alignment, translation, cacheable accesses through the L1D,
 * non-cacheable ones at the point of coherency, Device and everything outside RAM on the bus, accesses that cross a line or a
 * page. Values pass through the core block's `value` field. Nothing here allocates.
 *
 * Write-Through memory is cached for loads; its stores go to all versions at once and make nothing dirty. Device memory that
 * is RAM behaves as Non-cacheable, aligned accesses only. An access that crosses a line is two accesses; both halves of a
 * store are translated before either is done.
 */

import type { Checker } from './checker';
import { Counter } from './counters';
import type { DataCaches } from './dataCaches';
import type { Exclusives } from './exclusives';
import { MutableFault } from './faults';
import { type LineTables, Table } from './lineTables';
import { Dir, type Shared } from './shared';
import type { StoreEffects } from './storeEffects';
import { Access, type TranslationResult } from './translator';
import { MemoryType } from './types';
import type { Versions } from './versions';

/** The `desc` word of load and store. */
export const Desc = {
  SizeLog2: 7,
  Unprivileged: 8, // LDTR / STTR
  Ordered: 16, // acquire / release: aligned only
  Exclusive: 32, // load: arms the monitor; store: checks it
  ForWrite: 64, // the load of an atomic read-modify-write: needs write permission, aligned only
} as const;
const MUST_ALIGN = Desc.Ordered | Desc.Exclusive | Desc.ForWrite;
const PAGE_MASK = 4095;

/** Bytes that DC ZVA zeroes (DCZID_EL0.BS). */
export const ZERO_BLOCK_BYTES = 64;

export class DataAccess {
  readonly fault = new MutableFault();
  faultHi = 0;
  faultLo = 0;
  /** Status of the last Store-Exclusive: 0 stored, 1 not. */
  exclusiveStatus = 0;
  /** Some unit is watched: ports.access hears of accesses. */
  watching = false;
  private readonly result: TranslationResult;
  private readonly pair = new Uint32Array(2);
  private readonly scratch32 = new Uint32Array(4);
  private readonly scratch = new Uint8Array(this.scratch32.buffer);

  constructor(
    private readonly shared: Shared,
    private readonly versions: Versions,
    private readonly data: DataCaches,
    private readonly tables: LineTables,
    private readonly exclusives: Exclusives,
    private readonly effects: StoreEffects,
    private readonly checker: Checker | undefined,
  ) {
    this.result = shared.ports.translator.result;
  }

  load(core: number, vaHi: number, vaLo: number, desc: number): 0 | 1 {
    const { shared, result } = this;
    const hi = vaHi >>> 0;
    const lo = vaLo >>> 0;
    const size = 1 << (desc & Desc.SizeLog2);
    shared.count(core, Counter.slowLoads);
    if (lo & (size - 1) && this.mustAlign(core, desc)) return this.abort(core, hi, lo, 'alignment', false);
    if ((lo & shared.unitMask) + size > shared.unitBytes) return this.loadAcross(core, hi, lo, size, desc);
    const access = desc & Desc.ForWrite ? Access.Write : Access.Read;
    if (!this.translate(core, hi, lo, access, desc)) return 1;
    const { pa } = result;
    if (result.type <= MemoryType.DeviceGRE && lo & (size - 1)) return this.abort(core, hi, lo, 'alignment', false);
    const host = shared.hostOf(pa);
    if (host < 0 || shared.busMode[shared.region]) {
      if (desc & Desc.Exclusive) return this.abort(core, hi, lo, 'unsupportedExclusive', false);
      if (!this.busLoad(core, pa, size)) return this.abort(core, hi, lo, 'external', false);
    } else if (result.type >= MemoryType.NormalWT) {
      const unit = shared.unitOf(host);
      this.loadCached(core, hi, lo, unit, (desc & Desc.Unprivileged) === 0);
      this.read(core, host, size);
    } else {
      shared.count(core, Counter.uncachedAccesses);
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
    if (lo & (size - 1) && this.mustAlign(core, desc)) return this.abort(core, hi, lo, 'alignment', true);
    if (desc & Desc.Exclusive && !this.exclusives.isArmed(core)) return this.exclusiveFailed(core);
    if ((lo & shared.unitMask) + size > shared.unitBytes) return this.storeAcross(core, hi, lo, size, desc);
    if (!this.translate(core, hi, lo, Access.Write, desc)) return 1;
    const { pa } = result;
    if (result.type <= MemoryType.DeviceGRE && lo & (size - 1)) return this.abort(core, hi, lo, 'alignment', true);
    const host = shared.hostOf(pa);
    if (desc & Desc.Exclusive && !this.exclusives.covers(core, pa)) return this.exclusiveFailed(core);
    if (host < 0 || shared.isRom[shared.region]) {
      if (!this.busStore(core, pa, size)) return this.abort(core, hi, lo, 'external', true);
    } else if (result.type >= MemoryType.NormalWT) {
      const unit = shared.unitOf(host);
      const way = this.data.wayForStore(core, unit);
      if (result.type === MemoryType.NormalWB) {
        this.data.makeDirty(core, unit);
        this.write(core, host, size);
      } else this.writeThrough(core, unit, host, size);
      this.effects.stored(core, unit, host & shared.unitMask, size, pa, result.type !== MemoryType.NormalWB);
      if ((desc & Desc.Unprivileged) === 0) this.installStore(core, hi, lo, unit, way);
    } else this.storeUncached(core, host, size, pa);
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
    if (!this.translate(core, hi, lo, Access.Write, 0)) {
      this.faultLo = vaLo >>> 0;
      return 1;
    }
    const { pa, type } = result;
    if (type <= MemoryType.DeviceGRE) return this.abort(core, hi, vaLo >>> 0, 'alignment', true);
    const host = shared.hostOf(pa);
    const value = shared.valueIndex[core];
    shared.u32.fill(0, value, value + 4);
    if (host < 0 || shared.isRom[shared.region]) {
      for (let i = 0; i < ZERO_BLOCK_BYTES; i += 8)
        if (!this.busStore(core, pa + i, 8)) return this.abort(core, hi, lo, 'external', true);
      return 0;
    }
    for (let i = 0; i < ZERO_BLOCK_BYTES; i += 16) {
      const unit = shared.unitOf(host + i);
      const first = i === 0 || ((host + i) & shared.unitMask) === 0;
      if (type < MemoryType.NormalWT) {
        this.storeUncached(core, host + i, 16, pa + i);
        continue;
      }
      if (first && i > 0) shared.count(core, Counter.secondAccesses);
      const way = this.data.wayForStore(core, unit);
      if (type === MemoryType.NormalWB) {
        this.data.makeDirty(core, unit);
        this.write(core, host + i, 16);
      } else this.writeThrough(core, unit, host + i, 16);
      this.effects.stored(core, unit, (host + i) & shared.unitMask, 16, pa + i, type !== MemoryType.NormalWB);
      if (first) this.installStore(core, hi, lo + i, unit, way);
    }
    if (this.watching) shared.ports.access?.(core, hi, lo, pa, ZERO_BLOCK_BYTES, true);
    return 0;
  }

  // ---- parts ----

  private mustAlign(core: number, desc: number): boolean {
    return (desc & MUST_ALIGN) !== 0 || this.shared.ports.context(core).alignmentCheck;
  }

  /** Takes over the translator's fault; false = there is one. */
  private translate(core: number, hi: number, lo: number, access: Access, desc: number): boolean {
    const { ports } = this.shared;
    if (ports.translator.translate(core, ports.context(core), hi, lo, access, (desc & Desc.Unprivileged) !== 0))
      return true;
    this.shared.count(core, Counter.faultedAccesses);
    this.fault.copy(ports.translator.fault);
    this.faultHi = hi;
    this.faultLo = lo;
    return false;
  }

  abort(core: number, hi: number, lo: number, kind: MutableFault['kind'], write: boolean): 1 {
    this.shared.count(core, Counter.faultedAccesses);
    this.fault.plain(kind, write);
    this.faultHi = hi;
    this.faultLo = lo;
    return 1;
  }

  private exclusiveFailed(core: number): 0 {
    this.shared.count(core, Counter.exclusiveFailures);
    this.exclusives.clear(core);
    this.exclusiveStatus = 1;
    return 0;
  }

  /** Makes the unit present and, where allowed, gives it a load entry for the address. */
  private loadCached(core: number, hi: number, lo: number, unit: number, entry: boolean): void {
    const { shared, data, result } = this;
    const cache = data.l1[core];
    if (shared.directory[unit] & (1 << core)) shared.count(core, Counter.lineTableRefills);
    const way = data.wayForLoad(core, unit);
    if (entry && this.effects.loadEntryAllowed(unit))
      this.tables.install(
        core,
        Table.Load,
        hi,
        lo,
        cache.wayUnit(way, unit),
        shared.hostOfUnit(unit),
        true,
        result.tlbIndex,
      );
  }

  private installStore(core: number, hi: number, lo: number, unit: number, way: number): void {
    const { shared, result } = this;
    if (result.type !== MemoryType.NormalWB || !this.effects.storeEntryAllowed(core, unit)) return;
    const wayUnit = this.data.l1[core].wayUnit(way, unit);
    this.tables.install(core, Table.Store, hi, lo, wayUnit, shared.hostOfUnit(unit), true, result.tlbIndex);
    if (this.checker !== undefined) this.checker.storeInstalled(core, wayUnit);
  }

  private storeUncached(core: number, host: number, size: number, pa: number): void {
    const { shared } = this;
    const unit = shared.unitOf(host);
    const d = shared.directory[unit];
    shared.count(core, Counter.uncachedAccesses);
    this.write(
      core,
      this.versions.prepareC(unit, (d & Dir.L1D) !== 0, (d & Dir.L2) !== 0) + (host & shared.unitMask),
      size,
    );
    this.effects.stored(core, unit, host & shared.unitMask, size, pa, true);
  }

  private writeThrough(core: number, unit: number, host: number, size: number): void {
    const offset = host & this.shared.unitMask;
    const p = this.versions.pHost(unit) + offset;
    const c = this.versions.cHost(unit) + offset;
    this.write(core, host, size);
    if (p !== host) this.write(core, p, size);
    if (c !== host && c !== p) this.write(core, c, size);
  }

  private busLoad(core: number, pa: number, size: number): boolean {
    const { shared, pair } = this;
    const v = shared.valueIndex[core];
    shared.count(core, Counter.uncachedAccesses);
    shared.count(core, Counter.deviceAccesses);
    shared.penalty(core, shared.cost.mmio);
    for (let i = 0; i === 0 || i < size; i += 8) {
      pair[0] = 0;
      pair[1] = 0;
      if (!shared.ports.bus.read(pa + i, Math.min(size, 8), pair, core)) return false;
      shared.u32[v + (i >> 2)] = pair[0];
      shared.u32[v + (i >> 2) + 1] = pair[1];
    }
    return true;
  }

  private busStore(core: number, pa: number, size: number): boolean {
    const { shared } = this;
    const v = shared.valueIndex[core];
    shared.count(core, Counter.uncachedAccesses);
    shared.count(core, Counter.deviceAccesses);
    shared.penalty(core, shared.cost.mmio);
    for (let i = 0; i === 0 || i < size; i += 8) {
      const at = v + (i >> 2);
      if (!shared.ports.bus.write(pa + i, Math.min(size, 8), shared.u32[at], shared.u32[at + 1], core)) return false;
    }
    return true;
  }

  /** `size` bytes at a linear-memory address into the core's value field, zero-extended. */
  private read(core: number, host: number, size: number): void {
    const { u8, u16, u32 } = this.shared;
    const v = this.shared.valueIndex[core];
    if (host & (size - 1)) {
      this.scratch32.fill(0);
      for (let i = 0; i < size; i++) this.scratch[i] = u8[host + i];
      for (let i = 0; i < 4; i++) u32[v + i] = this.scratch32[i];
      return;
    }
    u32[v + 1] = 0;
    if (size === 8) {
      u32[v] = u32[host >>> 2];
      u32[v + 1] = u32[(host >>> 2) + 1];
    } else if (size === 4) u32[v] = u32[host >>> 2];
    else if (size === 1) u32[v] = u8[host];
    else if (size === 2) u32[v] = u16[host >>> 1];
    else for (let i = 0; i < 4; i++) u32[v + i] = u32[(host >>> 2) + i];
  }

  private write(core: number, host: number, size: number): void {
    const { u8, u16, u32 } = this.shared;
    const v = this.shared.valueIndex[core];
    if (host & (size - 1)) {
      for (let i = 0; i < size; i++) u8[host + i] = u32[v + (i >> 2)] >>> ((i & 3) * 8);
    } else if (size === 8) {
      u32[host >>> 2] = u32[v];
      u32[(host >>> 2) + 1] = u32[v + 1];
    } else if (size === 4) u32[host >>> 2] = u32[v];
    else if (size === 1) u8[host] = u32[v];
    else if (size === 2) u16[host >>> 1] = u32[v];
    else for (let i = 0; i < 4; i++) u32[(host >>> 2) + i] = u32[v + i];
  }

  // ---- accesses that cross a line, in two parts, bytewise through `scratch` ----

  private loadAcross(core: number, hi: number, lo: number, size: number, desc: number): 0 | 1 {
    const { shared } = this;
    const n = shared.unitBytes - (lo & shared.unitMask);
    const lo2 = (lo + n) >>> 0;
    this.scratch32.fill(0);
    if (!this.loadPart(core, hi, lo, 0, n, desc)) return 1;
    if (!this.loadPart(core, lo2 < lo ? (hi + 1) >>> 0 : hi, lo2, n, size - n, desc)) return 1;
    shared.count(core, Counter.secondAccesses);
    const v = shared.valueIndex[core];
    for (let i = 0; i < 4; i++) shared.u32[v + i] = this.scratch32[i];
    return 0;
  }

  private loadPart(core: number, hi: number, lo: number, from: number, n: number, desc: number): boolean {
    const { shared, result, scratch } = this;
    if (!this.translate(core, hi, lo, Access.Read, desc)) return false;
    const { pa } = result;
    if (result.type <= MemoryType.DeviceGRE) {
      this.abort(core, hi, lo, 'alignment', false);
      return false;
    }
    const host = shared.hostOf(pa);
    if (host < 0 || shared.busMode[shared.region]) {
      for (let i = 0; i < n; i++) {
        if (!shared.ports.bus.read(pa + i, 1, this.pair, core)) {
          this.abort(core, hi, lo, 'external', false);
          return false;
        }
        scratch[from + i] = this.pair[0];
      }
      shared.count(core, Counter.uncachedAccesses);
    } else {
      const unit = shared.unitOf(host);
      let at = host;
      if (result.type >= MemoryType.NormalWT) this.loadCached(core, hi, lo, unit, (desc & Desc.Unprivileged) === 0);
      else {
        shared.count(core, Counter.uncachedAccesses);
        at = this.versions.cHost(unit) + (host & shared.unitMask);
      }
      for (let i = 0; i < n; i++) scratch[from + i] = shared.u8[at + i];
    }
    if (this.watching) shared.ports.access?.(core, hi, lo, pa, n, false);
    return true;
  }

  private storeAcross(core: number, hi: number, lo: number, size: number, desc: number): 0 | 1 {
    const { shared, result } = this;
    const n = shared.unitBytes - (lo & shared.unitMask);
    const lo2 = (lo + n) >>> 0;
    const hi2 = lo2 < lo ? (hi + 1) >>> 0 : hi;
    const v = shared.valueIndex[core];
    for (let i = 0; i < 4; i++) this.scratch32[i] = shared.u32[v + i];
    if (!this.translate(core, hi, lo, Access.Write, desc)) return 1;
    const { pa, type } = result;
    if (type <= MemoryType.DeviceGRE) return this.abort(core, hi, lo, 'alignment', true);
    let pa2 = pa + n;
    let type2 = type;
    if ((lo2 & PAGE_MASK) === 0) {
      if (!this.translate(core, hi2, lo2, Access.Write, desc)) return 1;
      pa2 = result.pa;
      type2 = result.type;
      if (type2 <= MemoryType.DeviceGRE) return this.abort(core, hi2, lo2, 'alignment', true);
    }
    if (!this.storePart(core, pa, type, 0, n)) return this.abort(core, hi, lo, 'external', true);
    if (!this.storePart(core, pa2, type2, n, size - n)) return this.abort(core, hi2, lo2, 'external', true);
    shared.count(core, Counter.secondAccesses);
    if (this.watching) {
      shared.ports.access?.(core, hi, lo, pa, n, true);
      shared.ports.access?.(core, hi2, lo2, pa2, size - n, true);
    }
    return 0;
  }

  private storePart(core: number, pa: number, type: MemoryType, from: number, n: number): boolean {
    const { shared, scratch, versions } = this;
    const host = shared.hostOf(pa);
    if (host < 0 || shared.isRom[shared.region]) {
      shared.count(core, Counter.uncachedAccesses);
      for (let i = 0; i < n; i++) if (!shared.ports.bus.write(pa + i, 1, scratch[from + i], 0, core)) return false;
      return true;
    }
    const unit = shared.unitOf(host);
    const offset = host & shared.unitMask;
    const d = shared.directory[unit];
    if (type < MemoryType.NormalWT) {
      shared.count(core, Counter.uncachedAccesses);
      this.putBytes(versions.prepareC(unit, (d & Dir.L1D) !== 0, (d & Dir.L2) !== 0) + offset, from, n);
    } else {
      this.data.wayForStore(core, unit);
      if (type === MemoryType.NormalWB) this.data.makeDirty(core, unit);
      else {
        this.putBytes(versions.pHost(unit) + offset, from, n);
        this.putBytes(versions.cHost(unit) + offset, from, n);
      }
      this.putBytes(host, from, n);
    }
    this.effects.stored(core, unit, offset, n, pa, type !== MemoryType.NormalWB);
    return true;
  }

  private putBytes(at: number, from: number, n: number): void {
    for (let i = 0; i < n; i++) this.shared.u8[at + i] = this.scratch[from + i];
  }
}
