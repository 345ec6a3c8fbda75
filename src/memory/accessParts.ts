/**
 * What every data access is made of: translation and faults, the cached, non-cacheable and bus halves of a load or store, and
 * the bytes themselves. `read` and `write` move between linear memory and the core's value field.
 */
import type { Checker } from './checker';
import { Counter } from './counters';
import type { DataCaches } from './dataCaches';
import type { Exclusives } from './exclusives';
import { MutableFault } from './faults';
import { type LineTables, Table } from './lineTables';
import { Dir, type Shared } from './shared';
import type { StoreEffects } from './storeEffects';
import type { Access, TranslationResult } from './translator';
import type { Versions } from './versions';

/** The `desc` word of load and store. */
export const Desc = {
  SizeLog2: 7,
  Unprivileged: 8, // LDTR / STTR
  Ordered: 16, // acquire / release: aligned only
  Exclusive: 32, // load: arms the monitor; store: checks it
  ForWrite: 64, // the load of an atomic read-modify-write: needs write permission too, aligned only
  ElementShift: 8, // log2 size + 1 of the elements that are aligned each by itself; 0: the access is one
} as const;
/** Bytes within which FEAT_LSE2 makes accesses single-copy atomic. No line is smaller. */
const QUANTITY = 16;
const MUST_ALIGN = Desc.Ordered | Desc.Exclusive | Desc.ForWrite;

/** Bytes that DC ZVA zeroes (DCZID_EL0.BS). */
export const ZERO_BLOCK_BYTES = 64;

export class AccessParts {
  readonly fault = new MutableFault();
  faultHi = 0;
  faultLo = 0;
  /** Status of the last Store-Exclusive: 0 stored, 1 not. */
  exclusiveStatus = 0;
  /** Cores whose guest watches data accesses: ports.watchpoint is asked. */
  readonly guestWatches: Uint8Array;
  /** Some unit is watched: ports.access hears of accesses. */
  watching = false;
  protected readonly result: TranslationResult;
  protected readonly pair = new Uint32Array(2);
  protected readonly scratch32 = new Uint32Array(4);
  protected readonly scratch = new Uint8Array(this.scratch32.buffer);

  constructor(
    protected readonly shared: Shared,
    protected readonly versions: Versions,
    protected readonly data: DataCaches,
    protected readonly tables: LineTables,
    protected readonly exclusives: Exclusives,
    protected readonly effects: StoreEffects,
    protected readonly checker: Checker | undefined,
  ) {
    this.result = shared.ports.translator.result;
    this.guestWatches = new Uint8Array(shared.config.cores.length);
  }

  /** AArch64.UnalignedAccessFaults(), of an access that is not aligned to its size. */
  protected mustAlign(core: number, lo: number, size: number, desc: number): boolean {
    const context = this.shared.ports.context(core);
    if (context.alignmentCheck) return true;
    if ((desc & MUST_ALIGN) === 0) return false;
    if (this.shared.config.cores[core].lse2 !== true) return true;
    const withinQuantity = (lo & (QUANTITY - 1)) + size <= QUANTITY;
    return !withinQuantity && ((desc & (Desc.Exclusive | Desc.ForWrite)) !== 0 || !context.nAA);
  }

  /** Low address bits that are zero in an aligned access. */
  protected alignment(desc: number, size: number): number {
    const element = desc >>> Desc.ElementShift;
    return (element === 0 ? size : 1 << (element - 1)) - 1;
  }

  /** Takes over the translator's fault; false = there is one. */
  protected translate(core: number, hi: number, lo: number, access: Access, desc: number): boolean {
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

  /**
   * The guest's watchpoints, after translation: 0 = none near; 1 = the access goes on, but its page must not be reached by any
   * faster way; 2 = hit, the fault is there.
   */
  protected watched(core: number, hi: number, lo: number, size: number, write: boolean, desc: number): 0 | 1 | 2 {
    if (this.guestWatches[core] === 0) return 0;
    const { ports } = this.shared;
    const found = ports.watchpoint?.(core, hi, lo, size, write, (desc & Desc.Unprivileged) !== 0) ?? 0;
    if (found < 2) return found === 0 ? 0 : 1;
    this.abort(core, hi, lo, 'watchpoint', write);
    return 2;
  }

  /**
   * DC IVAC is a store to its whole line as far as watchpoints are concerned, with CM set (manual: DC IVAC). 1 = hit, the fault
   * is there.
   */
  invalidateWatched(core: number, hi: number, lo: number): 0 | 1 {
    if (this.guestWatches[core] === 0) return 0;
    const bytes = 1 << this.data.l1[core].lineLog2;
    if (this.watched(core, hi, (lo & -bytes) >>> 0, bytes, true, 0) < 2) return 0;
    this.fault.cacheMaintenance = true;
    return 1;
  }

  protected exclusiveFailed(core: number): 0 {
    this.shared.count(core, Counter.exclusiveFailures);
    this.exclusives.clear(core);
    this.exclusiveStatus = 1;
    return 0;
  }

  /** Makes the unit present and, where allowed, gives it a load entry for the address. */
  protected loadCached(core: number, hi: number, lo: number, unit: number, tlbIndex: number, entry: boolean): void {
    const { shared, data } = this;
    if (shared.directory[unit] & (1 << core)) shared.count(core, Counter.lineTableRefills);
    const way = data.wayForLoad(core, unit);
    if (!entry || !this.effects.loadEntryAllowed(unit)) return;
    const wayUnit = data.l1[core].wayUnit(way, unit);
    this.tables.install(core, Table.Load, hi, lo, wayUnit, shared.hostOfUnit(unit), true, tlbIndex);
  }

  protected installStore(core: number, hi: number, lo: number, unit: number, way: number, tlbIndex: number): void {
    const { shared } = this;
    if (!this.effects.storeEntryAllowed(core, unit)) return;
    const wayUnit = this.data.l1[core].wayUnit(way, unit);
    this.tables.install(core, Table.Store, hi, lo, wayUnit, shared.hostOfUnit(unit), true, tlbIndex);
    if (this.checker !== undefined) this.checker.storeInstalled(core, wayUnit);
  }

  /** A store to Write-Back memory. `entry`: it may leave a store entry for the address. */
  protected storeWriteBack(
    core: number,
    hi: number,
    lo: number,
    host: number,
    size: number,
    tlbIndex: number,
    entry: boolean,
  ): void {
    const unit = this.shared.unitOf(host);
    const way = this.data.wayForStore(core, unit);
    this.data.makeDirty(core, unit);
    this.write(core, host, size);
    this.effects.stored(core, unit, host, size, false);
    if (entry) this.installStore(core, hi, lo, unit, way, tlbIndex);
  }

  protected storeUncached(core: number, host: number, size: number): void {
    const { shared } = this;
    const unit = shared.unitOf(host);
    const d = shared.directory[unit];
    shared.count(core, Counter.uncachedAccesses);
    this.write(
      core,
      this.versions.prepareC(unit, (d & Dir.L1D) !== 0, (d & Dir.L2) !== 0) + (host & shared.unitMask),
      size,
    );
    this.effects.stored(core, unit, host, size, true);
  }

  /**
   * Hardware update of a translation table descriptor: a store of 8 bytes that leaves no line-table entry, and the core's value
   * field as it was. False: not in RAM.
   */
  updateDescriptor(core: number, pa: number, cacheable: boolean, hi: number, lo: number): boolean {
    const { shared } = this;
    const host = shared.hostOf(pa);
    if (host < 0 || shared.isRom[shared.region]) return false;
    const value = shared.valueIndex[core];
    const oldLo = shared.u32[value];
    const oldHi = shared.u32[value + 1];
    shared.u32[value] = lo;
    shared.u32[value + 1] = hi;
    if (cacheable) this.storeWriteBack(core, 0, 0, host, 8, -1, false);
    else this.storeUncached(core, host, 8);
    shared.u32[value] = oldLo;
    shared.u32[value + 1] = oldHi;
    return true;
  }

  protected writeThrough(core: number, unit: number, host: number, size: number): void {
    const offset = host & this.shared.unitMask;
    const p = this.versions.pHost(unit) + offset;
    const c = this.versions.cHost(unit) + offset;
    this.write(core, host, size);
    if (p !== host) this.write(core, p, size);
    if (c !== host && c !== p) this.write(core, c, size);
  }

  protected busLoad(core: number, pa: number, size: number): boolean {
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

  protected busStore(core: number, pa: number, size: number): boolean {
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
  protected read(core: number, host: number, size: number): void {
    const { u8, u16, u32 } = this.shared;
    const v = this.shared.valueIndex[core];
    if (host & (size - 1)) {
      this.scratch32.fill(0);
      for (let i = 0; i < size; i++) this.scratch[i] = u8[host + i];
      for (let i = 0; i < (size === 16 ? 4 : 2); i++) u32[v + i] = this.scratch32[i];
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

  protected write(core: number, host: number, size: number): void {
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
}
