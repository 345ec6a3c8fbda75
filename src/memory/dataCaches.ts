/**
 * The data side: an L1D per core and the outer caches (L2), kept coherent. Presence and dirty bits of a unit stand in its
 * directory word, contents in versions.ts, which lines stand where in the tag arrays.
 *
 * Between L1Ds the result is MESI's: a load of a line that is dirty elsewhere cleans it there; a store takes it away from all
 * others, dirty data passing from cache to cache without being written below. L1D and L2 are neither inclusive nor exclusive:
 * an L1D miss allocates in both, an L2 eviction leaves the L1Ds alone, a dirty L1D line allocates in the L2 when it goes.
 * Outer caches hold one and the same content of a unit; at most one has it dirty. A cluster without L2 writes to memory.
 *
 * Unit by unit (V view, P unification, C coherency):
 *   dirty line written back     V -> P (and C, without L2)      last clean L1D copy gone   P -> V
 *   dirty outer line evicted    P -> C                          last outer copy gone       C -> P (C -> V if in no L1D)
 *   dirty data invalidated      lost: the version below is seen
 */
import { Counter } from './counters';
import { type LineTables, Table } from './lineTables';
import { Remover } from './removers';
import { Dir, type Shared, soleBit } from './shared';
import { NO_LINE, TagArray } from './tags';
import type { Versions } from './versions';

/** Tag array of a data cache with its line size in units. */
export class DataCache extends TagArray {
  /** log2 of units per line. */
  readonly unitsLog2: number;
  readonly units: number;
  constructor(
    shared: Shared,
    plan: ConstructorParameters<typeof TagArray>[1],
    g: ConstructorParameters<typeof TagArray>[2],
  ) {
    super(shared.buffer, plan, g);
    this.unitsLog2 = this.lineLog2 - shared.unitLog2;
    this.units = 1 << this.unitsLog2;
  }
  /** The way that holds the unit, or -1. */
  wayOf(unit: number): number {
    const line = unit >>> this.unitsLog2;
    return this.find(line & (this.sets - 1), line);
  }
  firstUnit(way: number): number {
    return this.tag[way] << this.unitsLog2;
  }
  /** Number of a unit of a way in the whole cache. */
  wayUnit(way: number, unit: number): number {
    return (way << this.unitsLog2) | (unit & (this.units - 1));
  }
}

export class DataCaches {
  readonly l1: readonly DataCache[];
  readonly l2: readonly DataCache[];
  /** Per core: its outer cache, -1 = none. */
  readonly outer: Int32Array;
  /** Per outer cache, per way: which units of the line are dirty. */
  readonly outerDirty: readonly Uint16Array[];
  /** Called when the view of a unit that an I-cache may hold changed other than by a store; set where a checker listens. */
  viewChanged: ((unit: number) => void) | undefined;
  private readonly dir: Uint32Array;

  constructor(
    private readonly shared: Shared,
    private readonly versions: Versions,
    private readonly tables: LineTables,
  ) {
    const { config, plan, buffer } = shared;
    this.dir = shared.directory;
    this.l1 = config.cores.map((c, i) => new DataCache(shared, plan.l1d[i], c.l1d));
    this.l2 = config.l2.map((g, i) => new DataCache(shared, plan.l2[i], g));
    this.outer = Int32Array.from(config.cores, (c) => c.l2);
    this.outerDirty = config.l2.map((g, i) => new Uint16Array(buffer, plan.l2[i].dirty, g.sets * g.ways));
  }

  /** Makes the unit present for a load. Returns its L1D way. */
  wayForLoad(core: number, unit: number): number {
    if ((this.dir[unit] & (1 << core)) === 0) return this.fill(core, unit, -1);
    const way = this.l1[core].wayOf(unit);
    this.hit(core, way);
    return way;
  }

  /** Makes the unit present and exclusive for a store. Returns its L1D way. */
  wayForStore(core: number, unit: number): number {
    const d = this.dir[unit];
    let way: number;
    if ((d & (1 << core)) === 0) way = this.fill(core, unit, unit);
    else {
      way = this.l1[core].wayOf(unit);
      this.hit(core, way);
    }
    if ((d & Dir.L1D & ~(1 << core)) !== 0) this.takeFromOthers(core, unit);
    return way;
  }

  /** clean -> dirty of an exclusive unit, before the view is written. */
  makeDirty(core: number, unit: number): void {
    if (this.dir[unit] & Dir.L1Dirty) return;
    this.versions.splitP(unit);
    this.dir[unit] |= Dir.L1Dirty;
    this.shared.count(core, Counter.dirtyings);
  }

  private hit(core: number, way: number): void {
    const cache = this.l1[core];
    const before = cache.touch(way);
    if (before < 0) return;
    this.shared.count(core, Counter.promotions);
    this.setPlain(core, cache, before, false);
    this.setPlain(core, cache, way, true);
  }

  private setPlain(core: number, cache: DataCache, way: number, plain: boolean): void {
    for (let i = way << cache.unitsLog2, n = cache.units; n > 0; i++, n--) {
      this.tables.setPlain(core, Table.Load, i, plain);
      this.tables.setPlain(core, Table.Store, i, plain);
    }
  }

  /** A miss: fills the line around `unit`. The unit `exclusive` stays dirty elsewhere (it is about to be taken), -1 = none. */
  private fill(core: number, unit: number, exclusive: number): number {
    const { shared, dir } = this;
    const cache = this.l1[core];
    shared.count(core, Counter.l1dMisses);
    shared.penalty(core, shared.cost.l1dMiss);
    const line = unit >>> cache.unitsLog2;
    const way = cache.victim(line & (cache.sets - 1));
    if (cache.tag[way] !== NO_LINE) this.evictL1(core, way);
    const first = line << cache.unitsLog2;
    const k = this.outer[core];
    for (let u = first; u < first + cache.units; u++) {
      if (dir[u] & Dir.L1Dirty && u !== exclusive) this.downgrade(soleBit(dir[u] & Dir.L1D), u);
      if (k >= 0) this.allocateL2(core, k, u, u === first);
      dir[u] |= 1 << core;
    }
    const before = cache.insert(way, line);
    if (before >= 0) this.setPlain(core, cache, before, false);
    return way;
  }

  /** Another core reads a unit that is dirty at `owner`: written back, stays there clean. */
  private downgrade(owner: number, unit: number): void {
    const cache = this.l1[owner];
    this.shared.count(owner, Counter.snoops);
    this.tables.remove(owner, Table.Store, cache.wayUnit(cache.wayOf(unit), unit), Remover.snoop);
    this.writeBack(owner, unit);
  }

  /** All other L1Ds lose the lines that contain the unit; dirty data of the unit itself passes to `core`. */
  private takeFromOthers(core: number, unit: number): void {
    const { dir } = this;
    let others = dir[unit] & Dir.L1D & ~(1 << core);
    while (others !== 0) {
      const other = soleBit(others);
      others &= ~(1 << other);
      const cache = this.l1[other];
      const way = cache.wayOf(unit);
      this.shared.count(other, Counter.snoops);
      const first = cache.firstUnit(way);
      for (let u = first; u < first + cache.units; u++) {
        this.tables.removeBoth(other, cache.wayUnit(way, u), Remover.snoop);
        if (u === unit) dir[u] &= ~(1 << other);
        else this.leave(other, u);
      }
      cache.vacate(way);
    }
  }

  /** The line in `way` makes room for another one, which the caller puts there. */
  private evictL1(core: number, way: number): void {
    const cache = this.l1[core];
    this.shared.count(core, Counter.evictions);
    const first = cache.firstUnit(way);
    for (let u = first; u < first + cache.units; u++) {
      this.tables.removeBoth(core, cache.wayUnit(way, u), Remover.eviction);
      this.leave(core, u);
    }
  }

  /** The unit leaves an L1D by itself: dirty data is written back, and then no version differs from the view. */
  private leave(core: number, unit: number): void {
    if (this.dir[unit] & Dir.L1Dirty) {
      this.writeBack(core, unit);
      this.dir[unit] &= ~(1 << core);
    } else this.dropFromL1(core, unit);
  }

  /** The unit is no longer in that L1D, whatever it held. */
  private dropFromL1(core: number, unit: number): void {
    const d = this.dir[unit] & ~(1 << core);
    this.dir[unit] = d;
    if ((d & Dir.L1D) !== 0) return;
    if (this.versions.dropV(unit)) this.changed(unit);
  }

  private changed(unit: number): void {
    if (this.viewChanged !== undefined && this.dir[unit] & Dir.L1I) this.viewChanged(unit);
  }

  /** Dirty data of `core` goes down one level. Its line stays, clean. The store entry is the caller's business. */
  private writeBack(core: number, unit: number): void {
    const { dir, versions, shared } = this;
    const k = this.outer[core];
    shared.count(core, Counter.writebacks);
    if (k < 0) {
      this.writeToMemory(unit);
      return;
    }
    const cache = this.l2[k];
    const d = dir[unit];
    dir[unit] = d & ~Dir.L1Dirty;
    let way: number;
    if ((d & (1 << (k + Dir.L2Shift))) === 0) way = this.intoL2(core, k, unit);
    else {
      way = cache.wayOf(unit);
      cache.touch(way);
    }
    if (d & Dir.L2Dirty && (d & Dir.L2) !== 1 << (k + Dir.L2Shift)) this.clearOuterDirty(unit);
    versions.raiseP(unit);
    this.outerDirty[k][way] |= 1 << (unit & (cache.units - 1));
    dir[unit] |= Dir.L2Dirty;
  }

  /** V to all versions below; nothing is dirty any more. */
  private writeToMemory(unit: number): void {
    if (this.dir[unit] & Dir.L2Dirty) this.clearOuterDirty(unit);
    this.dir[unit] &= ~Dir.L1Dirty;
    this.versions.raiseAll(unit);
  }

  private clearOuterDirty(unit: number): void {
    this.dir[unit] &= ~Dir.L2Dirty;
    for (let k = 0; k < this.l2.length; k++) {
      if (!(this.dir[unit] & (1 << (k + Dir.L2Shift)))) continue;
      const cache = this.l2[k];
      this.outerDirty[k][cache.wayOf(unit)] &= ~(1 << (unit & (cache.units - 1)));
    }
  }

  /** Makes sure that outer cache k holds the unit's line. `look` counts it as a look-up by a miss of `core`. */
  allocateL2(core: number, k: number, unit: number, look: boolean): void {
    const { shared } = this;
    if (look) shared.count(core, Counter.l2Accesses);
    if (this.dir[unit] & (1 << (k + Dir.L2Shift))) {
      const cache = this.l2[k];
      if (cache.isLru) cache.touch(cache.wayOf(unit));
      return;
    }
    if (look) {
      shared.count(core, Counter.l2Misses);
      shared.penalty(core, shared.cost.l2Miss);
    }
    this.intoL2(core, k, unit);
  }

  /** Puts the unit's line into outer cache k, which does not hold it. Returns its way. */
  private intoL2(core: number, k: number, unit: number): number {
    const { dir } = this;
    const cache = this.l2[k];
    const line = unit >>> cache.unitsLog2;
    const way = cache.victim(line & (cache.sets - 1));
    if (cache.tag[way] !== NO_LINE) {
      this.shared.count(core, Counter.l2Evictions);
      this.leaveL2(k, way, true);
    }
    cache.insert(way, line);
    const first = line << cache.unitsLog2;
    for (let u = first; u < first + cache.units; u++) dir[u] |= 1 << (k + Dir.L2Shift);
    return way;
  }

  /** The line in `way` leaves outer cache k: dirty units are written to memory if `keep`, else lost. */
  private leaveL2(k: number, way: number, keep: boolean): void {
    const { dir, versions } = this;
    const cache = this.l2[k];
    const first = cache.firstUnit(way);
    const dirty = this.outerDirty[k][way];
    for (let u = first; u < first + cache.units; u++) {
      let d = dir[u] & ~(1 << (k + Dir.L2Shift));
      if ((dirty >>> (u - first)) & 1) {
        d &= ~Dir.L2Dirty;
        if (keep) versions.raiseC(u);
      }
      dir[u] = d;
      if ((d & Dir.L2) === 0 && versions.dropP(u, (d & Dir.L1D) !== 0)) this.changed(u);
    }
    if (dirty !== 0) this.outerDirty[k][way] = 0;
  }

  // ---- maintenance ----

  /** Cleans the line of `core`'s L1D that stands in `way`; `toC`: to memory, else one level down. */
  cleanL1(core: number, way: number, toC: boolean): void {
    const cache = this.l1[core];
    const first = cache.firstUnit(way);
    for (let u = first; u < first + cache.units; u++) {
      if (!(this.dir[u] & Dir.L1Dirty)) continue;
      this.tables.remove(core, Table.Store, cache.wayUnit(way, u), Remover.clean);
      if (toC) this.writeToMemory(u);
      else this.writeBack(core, u);
    }
  }

  /** Drops the line in `way` of `core`'s L1D; dirty data is lost. */
  invalidateL1(core: number, way: number): void {
    const cache = this.l1[core];
    const first = cache.firstUnit(way);
    for (let u = first; u < first + cache.units; u++) {
      this.tables.removeBoth(core, cache.wayUnit(way, u), Remover.invalidate);
      this.dir[u] &= ~Dir.L1Dirty;
      this.dropFromL1(core, u);
    }
    cache.vacate(way);
  }

  cleanL2(k: number, way: number): void {
    const cache = this.l2[k];
    const first = cache.firstUnit(way);
    const dirty = this.outerDirty[k][way];
    for (let u = first; dirty >>> (u - first) !== 0; u++) {
      if (!((dirty >>> (u - first)) & 1)) continue;
      this.dir[u] &= ~Dir.L2Dirty;
      this.versions.raiseC(u);
    }
    this.outerDirty[k][way] = 0;
  }

  invalidateL2(k: number, way: number): void {
    this.leaveL2(k, way, false);
    this.l2[k].vacate(way);
  }

  /** DC C..VAU / C..VAC: the lines that contain the unit, in all caches of the domain. */
  cleanUnit(unit: number, toC: boolean): void {
    const { dir } = this;
    for (let cores = dir[unit] & Dir.L1D; cores !== 0; cores &= cores - 1) {
      const core = soleBit(cores & -cores);
      this.cleanL1(core, this.l1[core].wayOf(unit), toC);
    }
    if (!toC) return;
    for (let k = 0; k < this.l2.length; k++)
      if (dir[unit] & (1 << (k + Dir.L2Shift))) this.cleanL2(k, this.l2[k].wayOf(unit));
  }

  /** DC I..VAC: the lines that contain the unit, in all caches of the domain. */
  invalidateUnit(unit: number): void {
    const { dir } = this;
    for (let cores = dir[unit] & Dir.L1D; cores !== 0; cores &= cores - 1) {
      const core = soleBit(cores & -cores);
      this.invalidateL1(core, this.l1[core].wayOf(unit));
    }
    for (let k = 0; k < this.l2.length; k++)
      if (dir[unit] & (1 << (k + Dir.L2Shift))) this.invalidateL2(k, this.l2[k].wayOf(unit));
  }
}
