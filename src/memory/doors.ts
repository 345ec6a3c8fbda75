/**
 * The debugger's side. peek* changes nothing at all: no fill, no replacement, no count. poke* are a debugger's writes and
 * count nothing either: pokeView changes every copy (view, both points, I-caches, prefetch buffers); pokePoU, pokePoC and
 * pokeICache one copy only. Where a level has no copy of its own (nothing cached above it) that copy is the memory itself.
 */

import type { Checker } from './checker';
import { Granule, type InstructionCache, type InstructionCaches, vmidTag } from './instructionCaches';
import type { PrefetchBuffer } from './prefetchBuffer';
import { Dir, type Shared } from './shared';
import type { Versions } from './versions';

export type Version = 'view' | 'PoU' | 'PoC';

export class Doors {
  constructor(
    private readonly shared: Shared,
    private readonly versions: Versions,
    private readonly instructions: InstructionCaches,
    private readonly prefetch: readonly PrefetchBuffer[],
    private readonly checker: Checker | undefined,
  ) {}

  /** Linear-memory address of one version of the byte at `host`. */
  private versionHost(host: number, version: Version): number {
    if (version === 'view') return host;
    const unit = this.shared.unitOf(host);
    const at = version === 'PoU' ? this.versions.pHost(unit) : this.versions.cHost(unit);
    return at + (host & this.shared.unitMask);
  }

  /** Bytes of one version; shorter than asked where RAM ends. */
  peek(pa: number, n: number, version: Version): Uint8Array {
    const region = this.shared.region;
    const out = new Uint8Array(n);
    let i = 0;
    for (; i < n; i++) {
      const host = this.shared.hostOf(pa + i);
      if (host < 0) break;
      out[i] = this.shared.u8[this.versionHost(host, version)];
    }
    this.shared.region = region;
    return i === n ? out : out.slice(0, i);
  }

  /** Bytes as a fetch by `core` at this address would get them now (pa and the low word of the VA; one page at most). */
  peekFetch(core: number, pa: number, vaLo: number, n: number, fromC: boolean): Uint8Array {
    const region = this.shared.region;
    const out = new Uint8Array(n);
    let i = 0;
    for (; i < n; i++) {
      const host = this.shared.hostOf(pa + i);
      if (host < 0) break;
      out[i] = this.shared.u8[this.fetchHost(core, host, (vaLo + i) >>> 0, fromC)];
    }
    this.shared.region = region;
    return i === n ? out : out.slice(0, i);
  }

  private fetchHost(core: number, host: number, vaLo: number, fromC: boolean): number {
    const cache = this.instructions.caches[core];
    const line = cache.lineOf(host);
    const vmid = cache.policy === 'VPIPT' ? vmidTag(this.shared.ports.context(core)) : 0;
    const held = this.prefetch[core].peek(vaLo, host);
    if (held >= 0) return cache.granuleBytesAt(held) + (host & (this.shared.granuleBytes - 1));
    const way = cache.lookup(line, vaLo, vmid);
    if (way >= 0) return cache.bytes + way * (1 << cache.lineLog2) + (host & ((1 << cache.lineLog2) - 1));
    if (fromC) return this.versionHost(host, 'PoC');
    return this.versionHost(host, this.shared.config.cores[core].idc ? 'view' : 'PoU');
  }

  // ---- debugger writes ----

  /** Returns the bytes written (less where RAM ends). */
  pokeView(pa: number, bytes: Uint8Array): number {
    const { shared } = this;
    for (let i = 0; i < bytes.length; ) {
      const host = shared.hostOf(pa + i);
      if (host < 0) return i;
      const n = Math.min(bytes.length - i, shared.unitBytes - (host & shared.unitMask));
      const part = bytes.subarray(i, i + n);
      for (const version of ['view', 'PoU', 'PoC'] as const) shared.u8.set(part, this.versionHost(host, version));
      if (shared.directory[shared.unitOf(host)] & Dir.L1I)
        for (let core = 0; core < shared.cores; core++) this.putInstructionBytes(core, host, part);
      for (const buffer of this.prefetch) buffer.poke(host, part);
      this.checker?.poked(host, n);
      i += n;
    }
    return bytes.length;
  }

  pokeVersion(pa: number, bytes: Uint8Array, version: 'PoU' | 'PoC'): number {
    const { shared } = this;
    for (let i = 0; i < bytes.length; ) {
      const host = shared.hostOf(pa + i);
      if (host < 0) return i;
      const n = Math.min(bytes.length - i, shared.unitBytes - (host & shared.unitMask));
      const unit = shared.unitOf(host);
      const d = shared.directory[unit];
      const inL1 = (d & Dir.L1D) !== 0;
      const inL2 = (d & Dir.L2) !== 0;
      if (version === 'PoC') this.versions.prepareC(unit, inL1, inL2);
      else {
        if (inL1) this.versions.splitP(unit);
        if (inL2) this.versions.splitC(unit);
      }
      shared.u8.set(bytes.subarray(i, i + n), this.versionHost(host, version));
      if (!inL1 && d & Dir.L1I) this.checker?.viewChanged(unit);
      i += n;
    }
    return bytes.length;
  }

  /** Changes the copies in one core's I-cache, where there are any. Returns the bytes that were in it. */
  pokeICache(core: number, pa: number, bytes: Uint8Array): number {
    let written = 0;
    for (let i = 0; i < bytes.length; i++) {
      const host = this.shared.hostOf(pa + i);
      if (host >= 0 && this.putInstructionBytes(core, host, bytes.subarray(i, i + 1))) written++;
    }
    return written;
  }

  private putInstructionBytes(core: number, host: number, part: Uint8Array): boolean {
    const { shared } = this;
    const cache = this.instructions.caches[core];
    let any = false;
    cache.eachCopyOfUnit(shared.unitOf(host), (way) => {
      const start = cache.hostOfLine(cache.tag[way]);
      const end = start + (1 << cache.lineLog2);
      const to = cache.bytes + way * (1 << cache.lineLog2);
      for (let i = 0; i < part.length; i++) {
        if (host + i < start || host + i >= end) continue;
        shared.u8[to + host + i - start] = part[i];
        any = true;
      }
      if (any) this.decodeAgain(cache, way);
    });
    return any;
  }

  private decodeAgain(cache: InstructionCache, way: number): void {
    for (let g = 0; g < cache.granules; g++) {
      const granule = (way << cache.granulesLog2) | g;
      if (!(cache.granuleFlags[granule] & Granule.Decoded)) continue;
      cache.decode(granule);
      this.checker?.decoded(cache, granule);
    }
  }
}
