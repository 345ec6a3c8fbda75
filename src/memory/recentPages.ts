/**
 * Pages of plain RAM that data accesses of a core reached lately: what their translation and the physical map said, kept in a
 * direct-mapped table so that an L1D miss need not ask again. Only Normal Write-Back pages of RAM are in it, and only while the
 * TLB entry that gave them is there: a hit of that entry changes nothing, so it can be skipped.
 *
 * An entry, 16 bytes: the page's VA with the context slot and the allowed accesses in its low bits (0 = empty), the high
 * word, the page's linear-memory address, the TLB entry's index. One table a core; it stands in linear memory.
 */
import { PAGE_ENTRIES, PAGE_ENTRIES_LOG2, PAGE_ENTRY_BYTES } from './layout';
import type { Shared } from './shared';

const PAGE_LOG2 = 12;
const PAGE_MASK = 4095;
const INDEX_MASK = PAGE_ENTRIES - 1;

/** Low bits of an entry's first word: what it allows, and the context slot. */
export const PageUse = { Load: 16, Store: 32, SlotMask: 7 } as const;
export type PageUse = typeof PageUse.Load | typeof PageUse.Store;
const USES = PageUse.Load | PageUse.Store;

/** Offsets of an entry's words. */
const HI = 1;
const HOST = 2;
const TLB = 3;

export class RecentPages {
  private readonly tables: readonly Uint32Array[];
  /** Index of the TLB entry behind the last find. */
  tlbIndex = -1;

  constructor(private readonly shared: Shared) {
    const { plan, buffer } = shared;
    this.tables = plan.pages.map((at) => new Uint32Array(buffer, at, (PAGE_ENTRIES * PAGE_ENTRY_BYTES) >> 2));
  }

  reset(): void {
    for (const table of this.tables) table.fill(0);
  }

  /** Linear-memory address of a VA in a context slot, 0 if the page is not here or not known to allow the access. */
  find(core: number, slot: number, vaHi: number, vaLo: number, use: PageUse): number {
    const table = this.tables[core];
    const at = ((vaLo >>> PAGE_LOG2) & INDEX_MASK) << 2;
    const differs = table[at] ^ ((vaLo & ~PAGE_MASK) | use | slot);
    if ((differs & (~PAGE_MASK | use | PageUse.SlotMask)) !== 0 || table[at + HI] !== vaHi) return 0;
    this.tlbIndex = table[at + TLB];
    return table[at + HOST] + (vaLo & PAGE_MASK);
  }

  /** After a translation through TLB entry `tlbIndex` allowed an access to plain Write-Back RAM at `host`. */
  note(core: number, slot: number, vaHi: number, vaLo: number, use: PageUse, host: number, tlbIndex: number): void {
    const page = host - (vaLo & PAGE_MASK);
    if (!this.shared.isPlainRam(page, PAGE_MASK + 1)) return;
    const table = this.tables[core];
    const at = ((vaLo >>> PAGE_LOG2) & INDEX_MASK) << 2;
    const tag = ((vaLo & ~PAGE_MASK) | slot) >>> 0;
    const same =
      (table[at] & ~USES) >>> 0 === tag &&
      table[at + HI] === vaHi &&
      table[at + HOST] === page &&
      table[at + TLB] === tlbIndex;
    table[at] = tag | use | (same ? table[at] & USES : 0);
    table[at + HI] = vaHi;
    table[at + HOST] = page;
    table[at + TLB] = tlbIndex;
  }

  /** The TLB entry of these 2^pageLog2 bytes vanished; `tlbIndex` -1: which one is not known, or all did. */
  drop(core: number, vaLo: number, pageLog2: number, tlbIndex: number): void {
    const table = this.tables[core];
    if (tlbIndex < 0) {
      table.fill(0);
      return;
    }
    const log2 = Math.min(Math.max(pageLog2 - PAGE_LOG2, 0), PAGE_ENTRIES_LOG2);
    const first = (vaLo >>> PAGE_LOG2) & INDEX_MASK & -(1 << log2);
    for (let at = first << 2, n = 1 << log2; n > 0; n--, at += 4) if (table[at + TLB] === tlbIndex) table[at] = 0;
  }

  /** The context slot is given to another context. */
  dropSlot(core: number, slot: number): void {
    const table = this.tables[core];
    for (let at = 0; at < table.length; at += 4) if ((table[at] & PageUse.SlotMask) === slot) table[at] = 0;
  }

  /** All entries, for the check of the invariant. */
  *entries(): Generator<{ core: number; slot: number; use: number; hi: number; lo: number; host: number }> {
    for (const [core, table] of this.tables.entries())
      for (let at = 0; at < table.length; at += 4) {
        const use = table[at] & USES;
        if (use === 0) continue;
        const lo = (table[at] & ~PAGE_MASK) >>> 0;
        yield { core, slot: table[at] & PageUse.SlotMask, use, hi: table[at + HI], lo, host: table[at + HOST] };
      }
  }
}
