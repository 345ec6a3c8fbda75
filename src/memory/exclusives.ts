/**
 * Exclusive monitors. One per core, kept in its state block (a valid word, the PA of the reservation granule as a double): a
 * Load-Exclusive arms it, any other agent's store to the granule clears it, cacheable or not. The core's own plain stores do
 * not (IMPLEMENTATION DEFINED). The granule is the machine's largest D-line, 64 bytes at least.
 *
 * Stores on fast paths are not seen here, so no other core may hold a store entry for any unit of an armed granule.
 */

import type { DataCaches } from './dataCaches';
import { type LineTables, Table } from './lineTables';
import { Remover } from './removers';
import { Dir, type Shared, soleBit } from './shared';

export class Exclusives {
  /** Exclusives reservation granule in bytes (CTR_EL0.ERG). */
  readonly granuleBytes: number;
  /** Cores whose monitor may be armed. */
  armed = 0;

  constructor(
    private readonly shared: Shared,
    private readonly data: DataCaches,
    private readonly tables: LineTables,
  ) {
    const { config } = shared;
    this.granuleBytes = Math.max(64, ...[...config.cores.map((c) => c.l1d), ...config.l2].map((g) => g.lineBytes));
  }

  private granuleOf(pa: number): number {
    return pa - (pa % this.granuleBytes);
  }

  arm(core: number, pa: number, host: number): void {
    const { shared } = this;
    const at = shared.monitorIndex[core];
    shared.u32[at * 2] = 1;
    shared.f64[at + 1] = this.granuleOf(pa);
    this.armed |= 1 << core;
    const directory = shared.directory;
    const first = shared.unitOf(host - (pa - this.granuleOf(pa)));
    const n = Math.max(1, this.granuleBytes >> shared.unitLog2);
    for (let u = first; u < first + n; u++) {
      const d = directory[u];
      if (!(d & Dir.L1Dirty)) continue;
      const owner = soleBit(d & Dir.L1D);
      if (owner === core) continue;
      const cache = this.data.l1[owner];
      this.tables.remove(owner, Table.Store, cache.wayUnit(cache.wayOf(u), u), Remover.exclusive);
    }
  }

  isArmed(core: number): boolean {
    return this.shared.u32[this.shared.monitorIndex[core] * 2] !== 0;
  }
  /** PA of the armed granule. */
  granule(core: number): number {
    return this.shared.f64[this.shared.monitorIndex[core] + 1];
  }
  covers(core: number, pa: number): boolean {
    return this.isArmed(core) && this.granule(core) === this.granuleOf(pa);
  }

  clear(core: number): void {
    this.shared.u32[this.shared.monitorIndex[core] * 2] = 0;
    this.armed &= ~(1 << core);
  }

  /** A store by `core` (-1: no core) to pa: the monitors of all others on that granule go. */
  observe(core: number, pa: number): void {
    for (let other = 0; other < this.shared.cores; other++) {
      if (other === core || !(this.armed & (1 << other)) || !this.covers(other, pa)) continue;
      this.clear(other);
      this.shared.ports.monitorCleared?.(other);
    }
  }

  /** After a snapshot was loaded. */
  recompute(): void {
    this.armed = 0;
    for (let core = 0; core < this.shared.cores; core++) if (this.isArmed(core)) this.armed |= 1 << core;
  }
}
