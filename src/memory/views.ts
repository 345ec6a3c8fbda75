/** What the caches hold, as plain rows for views. Peeks: nothing here has an effect. */

import type { DataCache, DataCaches } from './dataCaches';
import type { InstructionCaches } from './instructionCaches';
import { EMPTY_TAG_BYTE } from './layout';
import { type LineTables, Table } from './lineTables';
import { Dir, type Shared } from './shared';
import { NO_LINE } from './tags';
import type { Versions } from './versions';

/** machine/api.ts CacheLineView with numbers. */
export interface CacheLineRow {
  readonly level: number;
  readonly kind: 'I' | 'D' | 'U';
  readonly set: number;
  readonly way: number;
  readonly valid: boolean;
  readonly dirty: boolean;
  readonly pa: number;
  /** Most recent VA that reached it, if known. */
  readonly vaHi: number | undefined;
  readonly vaLo: number | undefined;
  readonly bytes: Uint8Array;
  /** From the coherent view. */
  readonly differs: boolean;
  /** VPIPT: 0 = not tagged with a VMID, else vmid + 1. */
  readonly vmidTag: number | undefined;
}

/** machine/api.ts LineCopy; `offset` is where `bytes` begin in the unit (I-lines smaller than a unit). */
export interface LineCopyRow {
  readonly where: string;
  readonly core: number | undefined;
  readonly present: boolean;
  readonly dirty: boolean;
  readonly bytes: Uint8Array | undefined;
  readonly differs: boolean;
  readonly offset: number;
}
export interface LineStateRow {
  readonly pa: number;
  readonly lineBytes: number;
  readonly copies: readonly LineCopyRow[];
}

export class Views {
  constructor(
    private readonly shared: Shared,
    private readonly versions: Versions,
    private readonly data: DataCaches,
    private readonly instructions: InstructionCaches,
    private readonly tables: LineTables,
  ) {}

  /** Every way of a cache: level 1 I or D, level 2 U. Empty for a cache that is not there. */
  cacheLines(core: number, level: number, kind: 'I' | 'D' | 'U'): CacheLineRow[] {
    if (level === 1 && kind === 'I') return this.instructionLines(core);
    if (level === 1 && kind === 'D') return this.dataLines(this.data.l1[core], core);
    const k = this.data.outer[core];
    return level === 2 && kind === 'U' && k >= 0 ? this.dataLines(this.data.l2[k], -1, k) : [];
  }

  private dataLines(cache: DataCache, core: number, k = -1): CacheLineRow[] {
    return Array.from(cache.tag, (line, way) => {
      const valid = line !== NO_LINE;
      const bytes = new Uint8Array(1 << cache.lineLog2);
      let dirty = false;
      let differs = false;
      for (let i = 0; valid && i < cache.units; i++) {
        const unit = (line << cache.unitsLog2) + i;
        const view = this.shared.hostOfUnit(unit);
        const host = core >= 0 ? view : this.versions.pHost(unit);
        bytes.set(this.unitBytes(host), i * this.shared.unitBytes);
        dirty ||= core >= 0 ? this.dirtyIn(core, unit) : ((this.data.outerDirty[k][way] >>> i) & 1) !== 0;
        differs ||= host !== view && !same(this.unitBytes(host), this.unitBytes(view));
      }
      const va = valid && core >= 0 ? this.vaOf(core, cache, way) : undefined;
      return {
        level: core >= 0 ? 1 : 2,
        kind: core >= 0 ? 'D' : 'U',
        set: cache.setOf(way),
        way: way % cache.ways,
        valid,
        dirty,
        pa: valid ? this.shared.paOf(this.shared.hostOfUnit(line << cache.unitsLog2)) : 0,
        vaHi: va?.[0],
        vaLo: va?.[1],
        bytes,
        differs,
        vmidTag: undefined,
      };
    });
  }

  private dirtyIn(core: number, unit: number): boolean {
    const d = this.shared.directory[unit];
    return (d & Dir.L1Dirty) !== 0 && (d & (1 << core)) !== 0;
  }

  private vaOf(core: number, cache: DataCache, way: number): [number, number] | undefined {
    const { u32 } = this.shared;
    for (const table of [Table.Load, Table.Store])
      for (let i = 0; i < cache.units; i++) {
        const address = this.tables.slots[core][table][(way << cache.unitsLog2) + i];
        if (address === 0 || u32[address >>> 2] & EMPTY_TAG_BYTE) continue;
        return [u32[(address >>> 2) + 1], (u32[address >>> 2] & -(1 << cache.lineLog2)) >>> 0];
      }
    return undefined;
  }

  private instructionLines(core: number): CacheLineRow[] {
    const cache = this.instructions.caches[core];
    const n = 1 << cache.lineLog2;
    return Array.from(cache.tag, (line, way) => {
      const valid = line !== NO_LINE;
      const bytes = valid ? this.bytesAt(cache.bytes + way * n, n) : new Uint8Array(n);
      const host = valid ? cache.hostOfLine(line) : -1;
      return {
        level: 1,
        kind: 'I',
        set: cache.setOf(way),
        way: way % cache.ways,
        valid,
        dirty: false,
        pa: valid ? this.shared.paOf(host) : 0,
        vaHi: valid ? cache.va[way * 2 + 1] : undefined,
        vaLo: valid ? cache.va[way * 2] : undefined,
        bytes,
        differs: valid && !same(bytes, this.bytesAt(host, n)),
        vmidTag: cache.policy === 'VPIPT' && valid ? cache.vmid[way] : undefined,
      };
    });
  }

  /** The unit around a physical address at every level of every core; undefined outside RAM. */
  lineState(pa: number): LineStateRow | undefined {
    const region = this.shared.region;
    const host = this.shared.hostOf(pa);
    this.shared.region = region;
    if (host < 0) return undefined;
    const unit = this.shared.unitOf(host);
    const view = this.unitBytes(this.shared.hostOfUnit(unit));
    const point = this.unitBytes(this.versions.pHost(unit));
    const coherency = this.unitBytes(this.versions.cHost(unit));
    const d = this.shared.directory[unit];
    const copies: LineCopyRow[] = [];
    const add = (
      where: string,
      core: number | undefined,
      present: boolean,
      dirty: boolean,
      bytes: Uint8Array,
    ): void => {
      copies.push({
        where,
        core,
        present,
        dirty,
        bytes: present ? bytes : undefined,
        differs: present && !same(bytes, view),
        offset: 0,
      });
    };
    for (let core = 0; core < this.shared.cores; core++) {
      this.addInstructionCopies(copies, core, unit, view);
      add(`L1D core${core}`, core, (d & (1 << core)) !== 0, this.dirtyIn(core, unit), view);
    }
    this.data.l2.forEach((cache, k) => {
      const present = (d & (1 << (k + Dir.L2Shift))) !== 0;
      const dirty = present && ((this.data.outerDirty[k][cache.wayOf(unit)] >>> (unit & (cache.units - 1))) & 1) !== 0;
      add(`L2 cluster${k}`, undefined, present, dirty, point);
    });
    add('view', undefined, true, false, view);
    add('PoU', undefined, true, false, point);
    add('PoC', undefined, true, false, coherency);
    return { pa: pa - (host & this.shared.unitMask), lineBytes: this.shared.unitBytes, copies };
  }

  private addInstructionCopies(copies: LineCopyRow[], core: number, unit: number, view: Uint8Array): void {
    const cache = this.instructions.caches[core];
    const where = `L1I core${core}`;
    const n = 1 << cache.lineLog2;
    const start = this.shared.hostOfUnit(unit);
    let any = false;
    cache.eachCopyOfUnit(unit, (way) => {
      any = true;
      const line = cache.hostOfLine(cache.tag[way]);
      const from = Math.max(line, start);
      const to = Math.min(line + n, start + this.shared.unitBytes);
      const bytes = this.bytesAt(cache.bytes + way * n + (from - line), to - from);
      const differs = !same(bytes, view.subarray(from - start, to - start));
      copies.push({ where, core, present: true, dirty: false, bytes, differs, offset: from - start });
    });
    if (!any) copies.push({ where, core, present: false, dirty: false, bytes: undefined, differs: false, offset: 0 });
  }

  private bytesAt(host: number, n: number): Uint8Array {
    return this.shared.u8.slice(host, host + n);
  }
  private unitBytes(host: number): Uint8Array {
    return this.bytesAt(host, this.shared.unitBytes);
  }
}

function same(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
