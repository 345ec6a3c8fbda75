import { AccessParts, Desc } from './accessParts';
import { Counter } from './counters';
import { Dir } from './shared';
import { Access } from './translator';
import { MemoryType } from './types';

const PAGE_MASK = 4095;

export class CrossingAccess extends AccessParts {
  protected loadAcross(core: number, hi: number, lo: number, size: number, desc: number): 0 | 1 {
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

  /** What crosses a line is not aligned, unless it is elements of which each is. */
  private isMisaligned(lo: number, desc: number): boolean {
    return desc >>> Desc.ElementShift === 0 || (lo & this.alignment(desc, 0)) !== 0;
  }

  protected loadPart(core: number, hi: number, lo: number, from: number, n: number, desc: number): boolean {
    const { shared, result, scratch } = this;
    if (!this.translate(core, hi, lo, Access.Read, desc)) return false;
    const { pa } = result;
    if (result.type <= MemoryType.DeviceGRE && this.isMisaligned(lo, desc)) {
      this.abort(core, hi, lo, 'alignment', false);
      return false;
    }
    const watch = this.watched(core, hi, lo, n, false, desc);
    if (watch === 2) return false;
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
      if (result.type >= MemoryType.NormalWT)
        this.loadCached(
          core,
          hi,
          lo,
          unit,
          result.tlbIndex,
          (desc & Desc.Unprivileged) === 0 && watch === 0 && !result.watched,
        );
      else {
        shared.count(core, Counter.uncachedAccesses);
        at = this.versions.cHost(unit) + (host & shared.unitMask);
      }
      for (let i = 0; i < n; i++) scratch[from + i] = shared.u8[at + i];
    }
    if (this.watching) shared.ports.access?.(core, hi, lo, pa, n, false);
    return true;
  }

  protected storeAcross(core: number, hi: number, lo: number, size: number, desc: number): 0 | 1 {
    const { shared, result } = this;
    const n = shared.unitBytes - (lo & shared.unitMask);
    const lo2 = (lo + n) >>> 0;
    const hi2 = lo2 < lo ? (hi + 1) >>> 0 : hi;
    const v = shared.valueIndex[core];
    for (let i = 0; i < 4; i++) this.scratch32[i] = shared.u32[v + i];
    if (!this.translate(core, hi, lo, Access.Write, desc)) return 1;
    const { pa, type } = result;
    if (type <= MemoryType.DeviceGRE && this.isMisaligned(lo, desc)) return this.abort(core, hi, lo, 'alignment', true);
    let pa2 = pa + n;
    let type2 = type;
    if ((lo2 & PAGE_MASK) === 0) {
      if (!this.translate(core, hi2, lo2, Access.Write, desc)) return 1;
      pa2 = result.pa;
      type2 = result.type;
      if (type2 <= MemoryType.DeviceGRE && this.isMisaligned(lo, desc))
        return this.abort(core, hi2, lo2, 'alignment', true);
    }
    if (this.watched(core, hi, lo, n, true, desc) === 2 || this.watched(core, hi2, lo2, size - n, true, desc) === 2)
      return 1;
    if (!this.storePart(core, pa, type, 0, n)) return this.abort(core, hi, lo, 'external', true);
    if (!this.storePart(core, pa2, type2, n, size - n)) return this.abort(core, hi2, lo2, 'external', true);
    shared.count(core, Counter.secondAccesses);
    if (this.watching) {
      shared.ports.access?.(core, hi, lo, pa, n, true);
      shared.ports.access?.(core, hi2, lo2, pa2, size - n, true);
    }
    return 0;
  }

  protected storePart(core: number, pa: number, type: MemoryType, from: number, n: number): boolean {
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
    this.effects.stored(core, unit, host, n, type !== MemoryType.NormalWB);
    return true;
  }

  protected putBytes(at: number, from: number, n: number): void {
    for (let i = 0; i < n; i++) this.shared.u8[at + i] = this.scratch[from + i];
  }
}
