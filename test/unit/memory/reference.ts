/**
 * A slow model of the caches in which every cache has bytes of its own and every set is a Map in order of age: nothing of the
 * real one's presence bits, side records or shared views. Replacement must be 'lru' or 'fifo' so that it needs no random
 * numbers. Lines are named by physical address / line size, units by physical address / unit size.
 */
import type { CacheGeometry, InstructionCachePolicy, MemoryConfig } from '../../../src/memory/types';

interface Unit {
  data: Uint8Array;
  dirty: boolean;
}

class RefCache {
  readonly sets: Map<number, Unit[]>[];
  readonly units: number;
  constructor(
    readonly g: CacheGeometry,
    readonly unitBytes: number,
  ) {
    this.sets = Array.from({ length: g.sets }, () => new Map<number, Unit[]>());
    this.units = g.lineBytes / unitBytes;
  }
  lineOf(unit: number): number {
    return Math.floor(unit / this.units);
  }
  private setOf(line: number): Map<number, Unit[]> {
    return this.sets[line % this.g.sets];
  }
  unit(unit: number): Unit | undefined {
    const line = this.lineOf(unit);
    return this.setOf(line).get(line)?.[unit - line * this.units];
  }
  touch(unit: number): void {
    if (this.g.replacement !== 'lru') return;
    const line = this.lineOf(unit);
    const held = this.setOf(line).get(line)!;
    this.setOf(line).delete(line);
    this.setOf(line).set(line, held);
  }
  /** Line that has to go before `line` can come in. */
  victim(line: number): number | undefined {
    const set = this.setOf(line);
    return set.size < this.g.ways ? undefined : [...set.keys()][0];
  }
  insert(line: number): Unit[] {
    const held = Array.from({ length: this.units }, () => ({ data: new Uint8Array(this.unitBytes), dirty: false }));
    this.setOf(line).set(line, held);
    return held;
  }
  remove(line: number): void {
    this.setOf(line).delete(line);
  }
  /** Units of the line that holds `unit`, with their numbers. */
  lineUnits(unit: number): [number, Unit][] {
    const line = this.lineOf(unit);
    return (this.setOf(line).get(line) ?? []).map((u, i) => [line * this.units + i, u]);
  }
  lines(): number[] {
    return this.sets.flatMap((s) => [...s.keys()]);
  }
}

interface ILine {
  line: number;
  vmid: number;
  data: Uint8Array;
}
class RefICache {
  readonly sets: ILine[][];
  constructor(readonly g: CacheGeometry & { policy: InstructionCachePolicy }) {
    this.sets = Array.from({ length: g.sets }, () => []);
  }
  set(pa: number, va: number): ILine[] {
    return this.sets[Math.floor((this.g.policy === 'VIPT' ? va : pa) / this.g.lineBytes) % this.g.sets];
  }
  sees(held: ILine, vmid: number): boolean {
    return this.g.policy !== 'VPIPT' || vmid === 0 || held.vmid === vmid;
  }
}

export class Reference {
  readonly l1: RefCache[];
  readonly l2: RefCache[];
  readonly icaches: RefICache[];
  private readonly memory = new Map<number, Uint8Array>();
  constructor(
    readonly config: MemoryConfig,
    readonly unitBytes: number,
  ) {
    this.l1 = config.cores.map((c) => new RefCache(c.l1d, unitBytes));
    this.l2 = config.l2.map((g) => new RefCache(g, unitBytes));
    this.icaches = config.cores.map((c) => new RefICache(c.l1i));
  }

  // ---- what each level sees ----
  poc(unit: number): Uint8Array {
    let bytes = this.memory.get(unit);
    if (bytes === undefined) this.memory.set(unit, (bytes = new Uint8Array(this.unitBytes)));
    return bytes;
  }
  pou(unit: number): Uint8Array {
    for (const cache of this.l2) {
      const held = cache.unit(unit);
      if (held) return held.data;
    }
    return this.poc(unit);
  }
  view(unit: number): Uint8Array {
    for (const cache of this.l1) {
      const held = cache.unit(unit);
      if (held) return held.data;
    }
    return this.pou(unit);
  }

  // ---- accesses ----
  load(core: number, unit: number): void {
    if (this.l1[core].unit(unit)) this.l1[core].touch(unit);
    else this.fill(core, unit, -1);
  }
  /** Makes the unit exclusive; the caller writes its data. */
  private own(core: number, unit: number): Unit {
    if (this.l1[core].unit(unit)) this.l1[core].touch(unit);
    else this.fill(core, unit, unit);
    const mine = this.l1[core].unit(unit)!;
    // Highest core first: the order in which other cores' lines go decides about their other units' places in the L2.
    for (let other = this.l1.length - 1; other >= 0; other--) {
      const cache = this.l1[other];
      if (other === core || !cache.unit(unit)) continue;
      for (const [u, held] of cache.lineUnits(unit)) {
        if (u === unit) mine.dirty ||= held.dirty;
        else if (held.dirty) this.writeBack(other, u, held.data);
      }
      cache.remove(cache.lineOf(unit));
    }
    return mine;
  }
  store(core: number, unit: number, offset: number, bytes: Uint8Array): void {
    const mine = this.own(core, unit);
    mine.data.set(bytes, offset);
    mine.dirty = true;
    this.storedInstruction(unit);
  }
  storeThrough(core: number, unit: number, offset: number, bytes: Uint8Array): void {
    this.own(core, unit).data.set(bytes, offset);
    for (const cache of this.l2) cache.unit(unit)?.data.set(bytes, offset);
    this.poc(unit).set(bytes, offset);
    this.storedInstruction(unit);
  }
  storeUncached(unit: number, offset: number, bytes: Uint8Array): void {
    this.poc(unit).set(bytes, offset);
    this.storedInstruction(unit);
  }
  dma(unit: number, offset: number, bytes: Uint8Array): void {
    this.poc(unit).set(bytes, offset);
  }

  /** Snooped: every data cache loses the line, then it is a store to memory that I-caches with DIC hear of. */
  coherentDma(unit: number, offset: number, bytes: Uint8Array): void {
    this.clean(unit, true);
    this.invalidate(unit);
    this.storeUncached(unit, offset, bytes);
  }

  private fill(core: number, unit: number, exclusive: number): void {
    const cache = this.l1[core];
    const line = cache.lineOf(unit);
    const victim = cache.victim(line);
    if (victim !== undefined) {
      for (const [u, held] of cache.lineUnits(victim * cache.units)) if (held.dirty) this.writeBack(core, u, held.data);
      cache.remove(victim);
    }
    const data: Uint8Array[] = [];
    for (let i = 0; i < cache.units; i++) {
      const u = line * cache.units + i;
      this.l1.forEach((other, o) => {
        const held = other.unit(u);
        if (!held?.dirty || u === exclusive) return;
        held.dirty = false;
        this.writeBack(o, u, held.data);
      });
      if (this.config.cores[core].l2 >= 0) this.outer(this.config.cores[core].l2, u);
      data.push(this.view(u).slice());
    }
    cache.insert(line).forEach((held, i) => {
      held.data = data[i];
    });
  }

  private outer(k: number, unit: number): void {
    const cache = this.l2[k];
    if (cache.unit(unit)) {
      cache.touch(unit);
      return;
    }
    const line = cache.lineOf(unit);
    const victim = cache.victim(line);
    if (victim !== undefined) {
      for (const [u, held] of cache.lineUnits(victim * cache.units)) if (held.dirty) this.poc(u).set(held.data);
      cache.remove(victim);
    }
    const data = Array.from({ length: cache.units }, (_, i) => this.pou(line * cache.units + i).slice());
    cache.insert(line).forEach((held, i) => {
      held.data = data[i];
    });
  }

  private writeBack(core: number, unit: number, data: Uint8Array): void {
    const k = this.config.cores[core].l2;
    if (k >= 0) this.outer(k, unit);
    else this.poc(unit).set(data);
    this.l2.forEach((cache, other) => {
      const held = cache.unit(unit);
      if (!held) return;
      held.data.set(data);
      held.dirty = other === k;
    });
  }

  // ---- maintenance ----
  cleanL1(core: number, unit: number, toC: boolean): void {
    for (const [u, held] of this.l1[core].lineUnits(unit)) {
      if (!held.dirty) continue;
      held.dirty = false;
      if (!toC) this.writeBack(core, u, held.data);
      else {
        this.poc(u).set(held.data);
        for (const cache of this.l2) {
          const below = cache.unit(u);
          if (!below) continue;
          below.data.set(held.data);
          below.dirty = false;
        }
      }
    }
  }
  cleanL2(k: number, unit: number): void {
    for (const [u, held] of this.l2[k].lineUnits(unit)) {
      if (held.dirty) this.poc(u).set(held.data);
      held.dirty = false;
    }
  }
  clean(unit: number, toC: boolean): void {
    this.l1.forEach((cache, core) => {
      if (cache.unit(unit)) this.cleanL1(core, unit, toC);
    });
    if (toC)
      this.l2.forEach((cache, k) => {
        if (cache.unit(unit)) this.cleanL2(k, unit);
      });
  }
  invalidate(unit: number): void {
    for (const cache of [...this.l1, ...this.l2]) cache.remove(cache.lineOf(unit));
  }

  // ---- instruction side ----
  fetch(core: number, pa: number, va: number, vmid: number, nonCacheable: boolean): Uint8Array {
    const cache = this.icaches[core];
    const { g } = cache;
    const line = Math.floor(pa / g.lineBytes);
    const set = cache.set(pa, va);
    const at = set.findIndex((held) => held.line === line && cache.sees(held, vmid));
    if (at >= 0) {
      const [held] = set.splice(at, 1);
      if (g.replacement === 'lru') set.push(held);
      else set.splice(at, 0, held);
      return held.data;
    }
    if (set.length === g.ways) set.shift();
    const data = new Uint8Array(g.lineBytes);
    const step = Math.min(g.lineBytes, this.unitBytes);
    for (let i = 0; i < g.lineBytes; i += step) {
      const byte = line * g.lineBytes + i;
      const unit = Math.floor(byte / this.unitBytes);
      const { idc, l2 } = this.config.cores[core];
      if (!nonCacheable && l2 >= 0) this.outer(l2, unit);
      const from = nonCacheable ? this.poc(unit) : idc ? this.view(unit) : this.pou(unit);
      data.set(from.subarray(byte % this.unitBytes, (byte % this.unitBytes) + step), i);
    }
    set.push({ line, vmid: g.policy === 'VPIPT' ? vmid : 0, data });
    return data;
  }
  invalidateInstruction(core: number, pa: number, va: number, vmid: number): void {
    const cache = this.icaches[core];
    const set = cache.set(pa, va);
    const line = Math.floor(pa / cache.g.lineBytes);
    set.splice(0, set.length, ...set.filter((held) => held.line !== line || !cache.sees(held, vmid)));
  }
  invalidateInstructions(core: number, vmid: number): void {
    const cache = this.icaches[core];
    for (const set of cache.sets) set.splice(0, set.length, ...set.filter((held) => !cache.sees(held, vmid)));
  }
  private storedInstruction(unit: number): void {
    const from = unit * this.unitBytes;
    this.icaches.forEach((cache, core) => {
      if (!this.config.cores[core].dic) return;
      const n = cache.g.lineBytes;
      const overlaps = (held: ILine): boolean => held.line * n < from + this.unitBytes && from < (held.line + 1) * n;
      for (const set of cache.sets) set.splice(0, set.length, ...set.filter((held) => !overlaps(held)));
    });
  }
}
