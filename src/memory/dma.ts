/**
 * Accesses of agents that are not cores. Coherent ones are snooped: a read sees the view, a write takes the line out of every
 * data cache (dirty data first goes to memory) and then is in all versions; I-caches hear of it as of any store. Non-coherent
 * ones pass all caches by: they read and write the point of coherency, whatever stands above it.
 */
import type { DataCaches } from './dataCaches';
import { Dir, type Shared } from './shared';
import type { StoreEffects } from './storeEffects';
import type { Versions } from './versions';

export class Dma {
  constructor(
    private readonly shared: Shared,
    private readonly versions: Versions,
    private readonly data: DataCaches,
    private readonly effects: StoreEffects,
  ) {}

  /** Fills `out`; returns the bytes read (less where RAM and ROM end). */
  read(pa: number, out: Uint8Array, coherent: boolean): number {
    const { shared } = this;
    for (let i = 0; i < out.length; ) {
      const host = shared.hostOf(pa + i);
      if (host < 0) return i;
      const n = Math.min(out.length - i, shared.unitBytes - (host & shared.unitMask));
      const from = coherent ? host : this.versions.cHost(shared.unitOf(host)) + (host & shared.unitMask);
      out.set(shared.u8.subarray(from, from + n), i);
      i += n;
    }
    return out.length;
  }

  /** Returns the bytes written (less where RAM ends). */
  write(pa: number, bytes: Uint8Array, coherent: boolean): number {
    const { shared } = this;
    for (let i = 0; i < bytes.length; ) {
      const host = shared.hostOf(pa + i);
      if (host < 0 || shared.isRom[shared.region]) return i;
      const offset = host & shared.unitMask;
      const n = Math.min(bytes.length - i, shared.unitBytes - offset);
      const unit = shared.unitOf(host);
      if (coherent && shared.directory[unit] & (Dir.L1D | Dir.L2)) {
        this.data.cleanUnit(unit, true);
        this.data.invalidateUnit(unit);
      }
      const d = shared.directory[unit];
      const to = this.versions.prepareC(unit, (d & Dir.L1D) !== 0, (d & Dir.L2) !== 0);
      shared.u8.set(bytes.subarray(i, i + n), to + offset);
      if (coherent) this.effects.stored(-1, unit, host, n, true);
      else this.effects.written(-1, unit, host, n, true, false);
      i += n;
    }
    return bytes.length;
  }
}
