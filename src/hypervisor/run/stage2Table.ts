/**
 * Stage-2 tables of one VM, really in emulated memory: read and written through EL2's mapping by the core that does it. Tables
 * are made when first needed. What has to happen to TLBs and caches around a change is the caller's (stage2Map.ts), and so is
 * breaking a block before a table takes its place.
 *
 * The first level is what KVM chooses: as few levels as there can be with up to 16 tables side by side at the top (stage2_pgtable_levels).
 */
import { type GranuleLog2, granules, levelShift } from '../../arch/descriptors';
import { bug } from '../../base/errors';
import type { PageBytes } from '../icacheRange';
import { memAttr } from '../stage2Attributes';
import type { Permissions } from '../stage2Map';

const ENTRY_BYTES = 8;
export const LAST_LEVEL = 3;
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
  /** First address that the entry decides about. */
  readonly ipa: number;
}

export interface Mapping {
  readonly address: number;
  /** MemAttr[3:0]. */
  readonly memAttr: number;
  readonly permissions: Permissions;
}

/** Bits that up to 16 tables side by side at the top take off the levels below. */
const CONCATENATED_BITS = 4;

function startLevelOf(pageBytes: PageBytes, inputBits: number): number {
  const log2 = Math.log2(pageBytes);
  const levels = Math.floor((inputBits - CONCATENATED_BITS - 4) / (log2 - 3));
  return LAST_LEVEL + 1 - levels;
}

/** Bytes of the tables at the top, which are aligned to them: at least a page. */
export function rootBytes(pageBytes: PageBytes, inputBits: number): number {
  const shift = levelShift(Math.log2(pageBytes) as GranuleLog2, startLevelOf(pageBytes, inputBits));
  return Math.max(pageBytes, ENTRY_BYTES * 2 ** (inputBits - shift));
}

export class Stage2Table {
  private readonly granuleLog2: GranuleLog2;
  private readonly entriesLog2: number;
  readonly startLevel: number;
  /** Of the tables at the top. */
  readonly rootBytes: number;

  constructor(
    readonly pageBytes: PageBytes,
    readonly root: number,
    /** Bits of input addresses: 32 to 48. */
    readonly inputBits: number,
  ) {
    this.granuleLog2 = Math.log2(pageBytes) as GranuleLog2;
    this.entriesLog2 = granules.find((row) => row.log2 === this.granuleLog2)?.bitsPerLevel ?? bug('granule');
    this.startLevel = startLevelOf(pageBytes, inputBits);
    this.rootBytes = rootBytes(pageBytes, inputBits);
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
  find(memory: Pick<TableMemory, 'load'>, ipa: number): Leaf {
    let table = this.root;
    for (let level = this.startLevel; ; level++) {
      const at = this.entryAt(table, level, ipa);
      const entry = memory.load(at);
      if (!Stage2Table.isTable(entry, level)) return this.found(level, at, entry, ipa);
      table = Stage2Table.addressOf(entry);
    }
  }

  /** The entry of a level, or the one above that has no table. */
  entry(memory: Pick<TableMemory, 'load'>, ipa: number, last: number): Leaf {
    let table = this.root;
    for (let level = this.startLevel; ; level++) {
      const at = this.entryAt(table, level, ipa);
      const entry = memory.load(at);
      if (level === last || !Stage2Table.isTable(entry, level)) return this.found(level, at, entry, ipa);
      table = Stage2Table.addressOf(entry);
    }
  }

  /** The entry of a level, with tables made on the way to it. No block may be in the way. */
  reach(memory: TableMemory, ipa: number, level: number): Leaf {
    let table = this.root;
    for (let at = this.startLevel; at < level; at++) {
      const place = this.entryAt(table, at, ipa);
      const entry = memory.load(place);
      if (Stage2Table.isTable(entry, at)) {
        table = Stage2Table.addressOf(entry);
        continue;
      }
      if (Stage2Table.isValid(entry)) bug('a block that nobody broke');
      table = memory.allocate();
      memory.store(place, BigInt(table) | VALID | TABLE_OR_PAGE);
    }
    const place = this.entryAt(table, level, ipa);
    return this.found(level, place, memory.load(place), ipa);
  }

  private found(level: number, at: number, entry: bigint, ipa: number): Leaf {
    const bytes = this.bytesAt(level);
    return { level, at, entry, bytes, ipa: Math.floor(ipa / bytes) * bytes };
  }

  private entryAt(table: number, level: number, ipa: number): number {
    const entries = level === this.startLevel ? this.rootBytes / ENTRY_BYTES : 2 ** this.entriesLog2;
    return table + (Math.floor(ipa / this.bytesAt(level)) % entries) * ENTRY_BYTES;
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
  static isTable(entry: bigint, level: number): boolean {
    return level < LAST_LEVEL && (entry & (VALID | TABLE_OR_PAGE)) === (VALID | TABLE_OR_PAGE);
  }
  /** What an entry points to: the table below, or what is mapped. */
  static addressOf(entry: bigint): number {
    return Number(entry & ADDRESS_MASK);
  }
  /** They map the same memory with the same attributes: only permissions differ. */
  static sameMapping(a: bigint, b: bigint): boolean {
    return ((a ^ b) & ~(S2AP_READ | S2AP_WRITE | XN)) === 0n;
  }
  /** The same entry with its access flag. */
  static young(entry: bigint): bigint {
    return entry | AF;
  }
  /** The same entry without it: the next walk faults. */
  static old(entry: bigint): bigint {
    return entry & ~AF;
  }
  static readOnly(entry: bigint): bigint {
    return entry & ~S2AP_WRITE;
  }
  static isYoung(entry: bigint): boolean {
    return (entry & AF) !== 0n;
  }
  static isWritable(entry: bigint): boolean {
    return (entry & S2AP_WRITE) !== 0n;
  }
  /** Normal Write-Back, without FWB. */
  static isCacheable(entry: bigint): boolean {
    return ((entry >> MEM_ATTR_SHIFT) & 15n) === BigInt(memAttr('NORMAL', false));
  }
  static isExecutable(entry: bigint): boolean {
    return (entry & XN) === 0n;
  }

  /** VTCR_EL2 for these tables: Write-Back, Inner Shareable walks, `paRange` as PS. */
  vtcr({ paRange, wideVmids, hardwareFlag }: VtcrFacts): bigint {
    const { tg0, sl0Base } = VTCR_BY_PAGE[this.pageBytes];
    const walks = (1n << 8n) | (1n << 10n) | (3n << 12n);
    const features = (wideVmids ? VTCR.VS : 0n) | (hardwareFlag ? VTCR.HA : 0n);
    const sl0 = BigInt(sl0Base - this.startLevel);
    return (
      VTCR.RES1 | features | (BigInt(paRange) << 16n) | (tg0 << 14n) | walks | (sl0 << 6n) | BigInt(64 - this.inputBits)
    );
  }
}

export interface VtcrFacts {
  /** ID_AA64MMFR0_EL1.PARange. */
  readonly paRange: number;
  /** VMIDs have 16 bits. */
  readonly wideVmids: boolean;
  /** Walks set the access flag (FEAT_HAFDBS): KVM wants it wherever there is one. */
  readonly hardwareFlag: boolean;
}

const VTCR = { VS: 1n << 19n, HA: 1n << 21n, RES1: 1n << 31n } as const;
/** TG0, and the first level that SL0 = 0 means: SL0 counts the levels above that. */
const VTCR_BY_PAGE = {
  4096: { tg0: 0n, sl0Base: 2 },
  16384: { tg0: 2n, sl0Base: 3 },
  65536: { tg0: 1n, sl0Base: 3 },
} as const satisfies Record<PageBytes, { readonly tg0: bigint; readonly sl0Base: number }>;
