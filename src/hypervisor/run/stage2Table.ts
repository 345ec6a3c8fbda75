/**
 * Stage-2 tables of one VM, really in emulated memory: read and written through EL2's mapping by the core that does it. Tables
 * are made when first needed; blocks are split when a part of them changes. What has to happen to TLBs and caches around a
 * change is the caller's (stage2Map.ts).
 *
 * Input addresses have 39 bits with 4 KB pages (levels 1 to 3), 36 with 16 KB and 42 with 64 KB (levels 2 and 3): one table at
 * the top for each.
 */
import { type GranuleLog2, granules, levelShift } from '../../arch/descriptors';
import { bug } from '../../base/errors';
import type { PageBytes } from '../icacheRange';
import { memAttr } from '../stage2Attributes';
import type { Permissions } from '../stage2Map';

const ENTRY_BYTES = 8;
const VALID = 1n;
const TABLE_OR_PAGE = 2n;
const AF = 1n << 10n;
const INNER_SHAREABLE = 3n << 8n;
const S2AP_READ = 1n << 6n;
const S2AP_WRITE = 1n << 7n;
const XN = 1n << 54n;
const MEM_ATTR_SHIFT = 2n;
const ADDRESS_MASK = 0x0000_ffff_ffff_f000n;

/** Reads and writes of a core at EL2, and memory for tables. */
export interface TableMemory {
  load(address: number): bigint;
  store(address: number, value: bigint): void;
  /** A table's worth of zeroes. */
  allocate(): number;
}

/** An entry that was found. */
export interface Leaf {
  readonly level: number;
  /** Address of the entry. */
  readonly at: number;
  readonly entry: bigint;
  /** Bytes that an entry of this level maps. */
  readonly bytes: number;
}

export interface Mapping {
  readonly address: number;
  /** MemAttr[3:0]. */
  readonly memAttr: number;
  readonly permissions: Permissions;
}

export class Stage2Table {
  private readonly granuleLog2: GranuleLog2;
  private readonly entriesLog2: number;
  readonly startLevel: number;
  readonly inputBits: number;

  constructor(
    readonly pageBytes: PageBytes,
    readonly root: number,
  ) {
    this.granuleLog2 = Math.log2(pageBytes) as GranuleLog2;
    this.entriesLog2 = granules.find((row) => row.log2 === this.granuleLog2)?.bitsPerLevel ?? bug('granule');
    this.startLevel = pageBytes === 4096 ? 1 : 2;
    this.inputBits = levelShift(this.granuleLog2, this.startLevel) + this.entriesLog2;
  }

  bytesAt(level: number): number {
    return 2 ** levelShift(this.granuleLog2, level);
  }

  /** The largest entry that may map `bytes` at both addresses: a level. */
  levelFor(ipa: number, pa: number, bytes: number): number {
    const { blockLevels } = granules.find((row) => row.log2 === this.granuleLog2) ?? bug('granule');
    for (const level of blockLevels) {
      const size = this.bytesAt(level);
      if (level >= this.startLevel && bytes >= size && ipa % size === 0 && pa % size === 0) return level;
    }
    return 3;
  }

  /** The entry that decides about an address. */
  find(memory: TableMemory, ipa: number): Leaf {
    let table = this.root;
    for (let level = this.startLevel; ; level++) {
      const at = this.entryAt(table, level, ipa);
      const entry = memory.load(at);
      if (level === 3 || (entry & 3n) !== 3n) return { level, at, entry, bytes: this.bytesAt(level) };
      table = Number(entry & ADDRESS_MASK);
    }
  }

  /** The entry of a level, with tables made and blocks split on the way to it. */
  reach(memory: TableMemory, ipa: number, level: number): Leaf {
    let table = this.root;
    for (let at = this.startLevel; at < level; at++) {
      const place = this.entryAt(table, at, ipa);
      const entry = memory.load(place);
      table = (entry & 3n) === 3n ? Number(entry & ADDRESS_MASK) : this.deepen(memory, place, entry, at);
    }
    const place = this.entryAt(table, level, ipa);
    return { level, at: place, entry: memory.load(place), bytes: this.bytesAt(level) };
  }

  private entryAt(table: number, level: number, ipa: number): number {
    const index = Math.floor(ipa / this.bytesAt(level)) % 2 ** this.entriesLog2;
    return table + index * ENTRY_BYTES;
  }

  /** A table below an entry; a block's mapping goes into all of its entries. */
  private deepen(memory: TableMemory, place: number, entry: bigint, level: number): number {
    const table = memory.allocate();
    if ((entry & VALID) !== 0n) {
      const size = this.bytesAt(level + 1);
      const type = level + 1 === 3 ? TABLE_OR_PAGE : 0n;
      for (let i = 0; i < 2 ** this.entriesLog2; i++)
        memory.store(table + i * ENTRY_BYTES, (entry + BigInt(i * size)) | type);
    }
    memory.store(place, BigInt(table) | 3n);
    return table;
  }

  /** An entry's value. */
  leaf(level: number, { address, memAttr, permissions }: Mapping): bigint {
    return (
      BigInt(address) |
      VALID |
      (level === 3 ? TABLE_OR_PAGE : 0n) |
      AF |
      INNER_SHAREABLE |
      (BigInt(memAttr) << MEM_ATTR_SHIFT) |
      (permissions.read ? S2AP_READ : 0n) |
      (permissions.write ? S2AP_WRITE : 0n) |
      (permissions.execute ? 0n : XN)
    );
  }

  /** The same entry with permissions added. */
  relaxed(entry: bigint, permissions: Permissions): bigint {
    const added = (permissions.read ? S2AP_READ : 0n) | (permissions.write ? S2AP_WRITE : 0n) | AF;
    return (entry | added) & ~(permissions.execute ? XN : 0n);
  }

  static isValid(entry: bigint): boolean {
    return (entry & VALID) !== 0n;
  }
  /** Normal Write-Back, without FWB. */
  static isCacheable(entry: bigint): boolean {
    return ((entry >> MEM_ATTR_SHIFT) & 15n) === BigInt(memAttr('NORMAL', false));
  }
  static isExecutable(entry: bigint): boolean {
    return (entry & XN) === 0n;
  }

  /** VTCR_EL2 for these tables: Write-Back, Inner Shareable walks, `paRange` as PS. */
  vtcr(paRange: number): bigint {
    const tg0 = { 4096: 0n, 16384: 2n, 65536: 1n }[this.pageBytes];
    const sl0 = this.pageBytes === 4096 ? 1n : 1n;
    const walks = (1n << 8n) | (1n << 10n) | (3n << 12n);
    return (1n << 31n) | (BigInt(paRange) << 16n) | (tg0 << 14n) | walks | (sl0 << 6n) | BigInt(64 - this.inputBits);
  }
}
