/** What the caches hold, as plain rows for views. Peeks: nothing here has an effect. */

import type { DataCache, DataCaches } from './dataCaches';
import type { InstructionCaches } from './instructionCaches';
import { TAG_EMPTY } from './layout';
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

/** Whether a row is made for a way: asked with numbers, for each way of the cache. */
export type WantedLine = (set: number, valid: boolean, pa: number) => boolean;

/** What data and instruction caches have in common here. */
interface TagArray {
  readonly tag: ArrayLike<number>;
  readonly lineLog2: number;
  setOf(way: number): number;
}

export interface CacheCounts {
  readonly valid: number;
  readonly dirty: number;
  readonly differing: number;
}

export class Views {
  constructor(
    private readonly shared: Shared,
    private readonly versions: Versions,
    private readonly data: DataCaches,
    private readonly instructions: InstructionCaches,
    private readonly tables: LineTables,
  ) {}

  /** Ways of a cache, all or those that are wanted: level 1 I or D, level 2 U. Empty for a cache that is not there. */
  cacheLines(core: number, level: number, kind: 'I' | 'D' | 'U', wanted?: WantedLine): CacheLineRow[] {
    const rows: CacheLineRow[] = [];
    if (level === 1 && kind === 'I') {
      const cache = this.instructions.caches[core];
      this.eachWay(cache, wanted, (way) => rows.push(this.instructionLine(core, way)));
    } else if (level === 1 && kind === 'D') {
      const cache = this.data.l1[core];
      this.eachWay(cache, wanted, (way) => rows.push(this.dataLine(cache, core, -1, way)));
    } else {
      const k = this.data.outer[core];
      if (level !== 2 || kind !== 'U' || k < 0) return [];
      const cache = this.data.l2[k];
      this.eachWay(cache, wanted, (way) => rows.push(this.dataLine(cache, -1, k, way)));
    }
    return rows;
  }

  private eachWay(cache: TagArray, wanted: WantedLine | undefined, visit: (way: number) => void): void {
    for (let way = 0; way < cache.tag.length; way++) {
      const valid = cache.tag[way] !== NO_LINE;
      if (wanted === undefined || wanted(cache.setOf(way), valid, valid ? this.paOfTag(cache, way) : 0)) visit(way);
    }
  }

  /** Tags are line numbers counted from the start of RAM. */
  private paOfTag(cache: TagArray, way: number): number {
    return this.shared.paOf(this.shared.ram + cache.tag[way] * 2 ** cache.lineLog2);
  }

  /** How many lines are valid, dirty, and unlike the coherent view; makes no rows, as caches are large. */
  cacheCounts(core: number, level: number, kind: 'I' | 'D' | 'U'): CacheCounts {
    const counts = { valid: 0, dirty: 0, differing: 0 };
    const k = this.data.outer[core];
    const inner = level === 1;
    if (!inner && k < 0) return counts;
    const data = kind === 'I' ? undefined : inner ? this.data.l1[core] : this.data.l2[k];
    const cache: TagArray = data ?? this.instructions.caches[core];
    for (let way = 0; way < cache.tag.length; way++) {
      if (cache.tag[way] === NO_LINE) continue;
      counts.valid++;
      if (data === undefined) counts.differing += Number(this.instructionDiffers(core, way));
      else {
        const owner = inner ? core : -1;
        counts.dirty += Number(this.lineDirty(data, owner, k, way));
        counts.differing += Number(this.lineDiffers(data, owner, way));
      }
    }
    return counts;
  }

  /** Rows look at the line when they are asked: most are only counted or passed by. */
  private dataLine(cache: DataCache, core: number, k: number, way: number): CacheLineRow {
    const views = this;
    const line = cache.tag[way];
    const valid = line !== NO_LINE;
    const va = (): [number, number] | undefined => (valid && core >= 0 ? this.vaOf(core, cache, way) : undefined);
    return {
      level: core >= 0 ? 1 : 2,
      kind: core >= 0 ? 'D' : 'U',
      set: cache.setOf(way),
      way: way % cache.ways,
      valid,
      get dirty() {
        return valid && views.lineDirty(cache, core, k, way);
      },
      pa: valid ? this.shared.paOf(this.shared.hostOfUnit(line << cache.unitsLog2)) : 0,
      get vaHi() {
        return va()?.[0];
      },
      get vaLo() {
        return va()?.[1];
      },
      get bytes() {
        return views.dataBytes(cache, core, valid ? line << cache.unitsLog2 : -1);
      },
      get differs() {
        return valid && views.lineDiffers(cache, core, way);
      },
      vmidTag: undefined,
    };
  }

  private lineDirty(cache: DataCache, core: number, k: number, way: number): boolean {
    const first = cache.tag[way] << cache.unitsLog2;
    return this.anyUnit(cache, (i) => this.unitDirty(core, k, way, first, i));
  }
  private lineDiffers(cache: DataCache, core: number, way: number): boolean {
    const first = cache.tag[way] << cache.unitsLog2;
    return this.anyUnit(cache, (i) => this.unitDiffers(core, first + i));
  }

  private anyUnit(cache: DataCache, holds: (i: number) => boolean): boolean {
    for (let i = 0; i < cache.units; i++) if (holds(i)) return true;
    return false;
  }

  /** Bytes of a line by its first unit (-1: an invalid line). `core` -1: as level 2 has them. */
  private dataBytes(cache: DataCache, core: number, first: number): Uint8Array {
    const bytes = new Uint8Array(1 << cache.lineLog2);
    for (let i = 0; first >= 0 && i < cache.units; i++) {
      bytes.set(this.unitBytes(this.hostIn(core, first + i)), i * this.shared.unitBytes);
    }
    return bytes;
  }
  private hostIn(core: number, unit: number): number {
    return core >= 0 ? this.shared.hostOfUnit(unit) : this.versions.pHost(unit);
  }
  private unitDirty(core: number, k: number, way: number, first: number, i: number): boolean {
    return core >= 0 ? this.dirtyIn(core, first + i) : ((this.data.outerDirty[k][way] >>> i) & 1) !== 0;
  }
  private unitDiffers(core: number, unit: number): boolean {
    const host = this.hostIn(core, unit);
    const view = this.shared.hostOfUnit(unit);
    return host !== view && !same(this.unitBytes(host), this.unitBytes(view));
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
        if (address === 0 || u32[address >>> 2] & TAG_EMPTY) continue;
        return [u32[(address >>> 2) + 1], (u32[address >>> 2] & -(1 << cache.lineLog2)) >>> 0];
      }
    return undefined;
  }

  private instructionLine(core: number, way: number): CacheLineRow {
    const views = this;
    const cache = this.instructions.caches[core];
    const n = 1 << cache.lineLog2;
    const line = cache.tag[way];
    const valid = line !== NO_LINE;
    return {
      level: 1,
      kind: 'I',
      set: cache.setOf(way),
      way: way % cache.ways,
      valid,
      dirty: false,
      pa: valid ? this.shared.paOf(cache.hostOfLine(line)) : 0,
      vaHi: valid ? cache.va[way * 2 + 1] : undefined,
      vaLo: valid ? cache.va[way * 2] : undefined,
      get bytes() {
        return valid ? views.bytesAt(cache.bytes + way * n, n) : new Uint8Array(n);
      },
      get differs() {
        return valid && views.instructionDiffers(core, way);
      },
      vmidTag: cache.policy === 'VPIPT' && valid ? cache.vmid[way] : undefined,
    };
  }
  private instructionDiffers(core: number, way: number): boolean {
    const cache = this.instructions.caches[core];
    const n = 1 << cache.lineLog2;
    return !same(this.bytesAt(cache.bytes + way * n, n), this.bytesAt(cache.hostOfLine(cache.tag[way]), n));
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
