/**
 * The line tables that generated code looks into (layout.ts), and the only code that puts entries in or takes them out.
 *
 * A load or store entry belongs to one unit of one L1D way; the way unit records the entry's address (loadSlot, storeSlot), a
 * second address of the line takes it over. A fetch entry belongs to one granule of the I-cache in the same manner. For each
 * TLB entry a word says which tables it justified entries in, so that its end looks through those only.
 */

import { Counter } from './counters';
import {
  CONTEXT_SLOTS,
  CONTEXT_TABLES_BYTES,
  EMPTY_TAG_BYTE,
  FETCH_TABLE_ENTRIES,
  LINE_ENTRY_BYTES,
  LINE_TABLE_BYTES,
  LINE_TABLE_ENTRIES,
  SLOT_TABLES_BYTES,
  TAG_EMPTY,
  TAG_NOT_PLAIN,
} from './layout';
import { PageUse, RecentPages } from './recentPages';
import { Remover } from './removers';
import type { Shared } from './shared';

export const EMPTY_TAG = EMPTY_TAG_BYTE * 0x01010101;

/** Which of a context slot's three tables. */
export const Table = { Load: 0, Store: 1, Fetch: 2 } as const;
export type Table = (typeof Table)[keyof typeof Table];

export const entriesOf = (table: Table): number => (table === Table.Fetch ? FETCH_TABLE_ENTRIES : LINE_TABLE_ENTRIES);

/** Address of an entry's word (>>> 2) + these. */
const HI = 1;
const HOST = 2;
const WAY = 3;

/** The context of all eight slots of one core: which translations each belongs to. */
class ContextSlots {
  readonly keys: (number[] | undefined)[] = new Array(CONTEXT_SLOTS).fill(undefined);
  next = 0;
}

export class LineTables {
  /** Per core and table: way unit (granule for fetches) -> address of its entry, 0 = none. */
  readonly slots: readonly (readonly Uint32Array[])[];
  private readonly tlbUse: readonly Uint32Array[];
  /** Per core: the current context slot. */
  readonly current: Uint8Array;
  /** Translations that misses need not ask for again: their entries go as those of the tables go. */
  readonly pages: RecentPages;
  private readonly contexts: ContextSlots[];
  /** A planted omission, for tests. */
  omit: Remover = Remover.none;

  constructor(private readonly shared: Shared) {
    const { plan, buffer, config } = shared;
    this.slots = config.cores.map((c, core) => {
      const wayUnits = (c.l1d.sets * c.l1d.ways * c.l1d.lineBytes) >> shared.unitLog2;
      const { l1i } = plan;
      const granules = l1i[core].granules + l1i[core].prefetchGranules;
      return [
        new Uint32Array(buffer, plan.l1d[core].loadSlot, wayUnits),
        new Uint32Array(buffer, plan.l1d[core].storeSlot, wayUnits),
        new Uint32Array(buffer, l1i[core].slot, granules),
      ];
    });
    this.tlbUse = config.cores.map((c, core) => new Uint32Array(buffer, plan.tlbUse[core], c.tlb.sets * c.tlb.ways));
    this.current = new Uint8Array(shared.cores);
    this.pages = new RecentPages(shared);
    this.contexts = config.cores.map(() => new ContextSlots());
  }

  reset(): void {
    const { plan, u8 } = this.shared;
    this.pages.reset();
    for (let core = 0; core < this.shared.cores; core++) {
      const base = plan.tables[core];
      u8.fill(EMPTY_TAG_BYTE, base, base + CONTEXT_TABLES_BYTES);
      for (const table of this.slots[core]) table.fill(0);
      this.tlbUse[core].fill(0);
      this.contexts[core].keys.fill(undefined);
      this.contexts[core].next = 0;
      this.enter(core, 0);
    }
  }

  base(core: number, slot: number, table: Table): number {
    return this.shared.plan.tables[core] + slot * SLOT_TABLES_BYTES + table * LINE_TABLE_BYTES;
  }

  /** Address >>> 2 of the entry for a VA in the current context. */
  private entryIndex(core: number, table: Table, vaLo: number): number {
    const log2 = table === Table.Fetch ? this.shared.granuleLog2 : this.shared.unitLog2;
    return (this.base(core, this.current[core], table) >>> 2) + (((vaLo >>> log2) & (entriesOf(table) - 1)) << 2);
  }

  /**
   * Puts an entry in. `holder` is the way unit or granule, `value` the unit's linear-memory address or the granule's record
   * address.
   */
  install(
    core: number,
    table: Table,
    vaHi: number,
    vaLo: number,
    holder: number,
    value: number,
    plain: boolean,
    tlbIndex: number,
  ): void {
    const { u32 } = this.shared;
    const slots = this.slots[core][table];
    const at = this.entryIndex(core, table, vaLo);
    const address = at * 4;
    const mask = table === Table.Fetch ? -this.shared.granuleBytes : -this.shared.unitBytes;
    if (slots[holder] !== address) {
      this.remove(core, table, holder, Remover.alias);
      if ((u32[at] & TAG_EMPTY) === 0) slots[u32[at + WAY]] = 0;
      slots[holder] = address;
    }
    u32[at] = (vaLo & mask) | (plain ? 0 : TAG_NOT_PLAIN);
    u32[at + HI] = vaHi;
    u32[at + HOST] = value;
    u32[at + WAY] = holder;
    this.use(core, table, tlbIndex);
  }

  /** Entries of the current context's table are justified by a TLB entry. */
  private use(core: number, table: Table, tlbIndex: number): void {
    if (tlbIndex >= 0 && tlbIndex < this.tlbUse[core].length)
      this.tlbUse[core][tlbIndex] |= 1 << (this.current[core] * 3 + table);
  }

  /** After a translation that allowed a load or store of plain Write-Back RAM at `host`: further ones need not ask for it. */
  notePage(core: number, table: Table, vaHi: number, vaLo: number, host: number, tlbIndex: number): void {
    if (tlbIndex < 0) return;
    const use = table === Table.Store ? PageUse.Store : PageUse.Load;
    this.pages.note(core, this.current[core], vaHi, vaLo, use, host, tlbIndex);
    this.use(core, table, tlbIndex);
  }

  /** The way unit or granule whose entry answers a VA in the current context, -1 if none does. */
  holderOf(core: number, table: Table, vaHi: number, vaLo: number): number {
    const { u32 } = this.shared;
    const at = this.entryIndex(core, table, vaLo);
    const mask = table === Table.Fetch ? -this.shared.granuleBytes : -this.shared.unitBytes;
    const same = ((u32[at] ^ (vaLo & mask)) & ~TAG_NOT_PLAIN) === 0 && u32[at + HI] === vaHi >>> 0;
    return same ? u32[at + WAY] : -1;
  }

  /** THE removal: every reason comes through here (bulk removals through `empty`). */
  remove(core: number, table: Table, holder: number, remover: Remover): void {
    const slots = this.slots[core][table];
    const address = slots[holder];
    if (address === 0 || remover === this.omit) return;
    const at = address >>> 2;
    this.shared.u32[at] = EMPTY_TAG;
    this.shared.u32[at + HI] = EMPTY_TAG;
    slots[holder] = 0;
  }

  /** Load and store entry of a way unit. */
  removeBoth(core: number, wayUnit: number, remover: Remover): void {
    this.remove(core, Table.Load, wayUnit, remover);
    this.remove(core, Table.Store, wayUnit, remover);
  }

  /** Marks the entries of a way unit as hits that are (not) plain. */
  setPlain(core: number, table: Table, holder: number, plain: boolean): void {
    const address = this.slots[core][table][holder];
    if (address === 0) return;
    const at = address >>> 2;
    this.shared.u32[at] = (this.shared.u32[at] & ~TAG_NOT_PLAIN) | (plain ? 0 : TAG_NOT_PLAIN);
  }

  private empty(core: number, table: Table, at: number, remover: Remover): void {
    const { u32 } = this.shared;
    if (u32[at] & TAG_EMPTY || remover === this.omit) return;
    this.slots[core][table][u32[at + WAY]] = 0;
    u32[at] = EMPTY_TAG;
    u32[at + HI] = EMPTY_TAG;
  }

  private emptyTable(core: number, slot: number, table: Table, remover: Remover): void {
    const first = this.base(core, slot, table) >>> 2;
    for (let i = 0; i < entriesOf(table); i++) this.empty(core, table, first + i * (LINE_ENTRY_BYTES >>> 2), remover);
  }

  /** All store entries of a core. */
  dropStores(core: number, remover: Remover): void {
    for (let slot = 0; slot < CONTEXT_SLOTS; slot++) this.emptyTable(core, slot, Table.Store, remover);
  }

  /** Every entry of every core. */
  dropAll(remover: Remover): void {
    for (let core = 0; core < this.shared.cores; core++)
      for (let slot = 0; slot < CONTEXT_SLOTS; slot++)
        for (let table = 0; table < 3; table++) this.emptyTable(core, slot, table as Table, remover);
  }

  /** See TranslatorPort. The top byte of addresses is not compared: it may be a tag. */
  dropTranslations(core: number, vaHi: number, vaLo: number, pageLog2: number, tlbIndex: number): void {
    const use = this.tlbUse[core];
    const known = tlbIndex >= 0 && tlbIndex < use.length;
    const tables = known ? use[tlbIndex] : (1 << (CONTEXT_SLOTS * 3)) - 1;
    if (this.omit !== Remover.tlb) {
      if (known) use[tlbIndex] = 0;
      this.pages.drop(core, vaLo, pageLog2, known ? tlbIndex : -1);
    }
    for (let i = 0; i < CONTEXT_SLOTS * 3; i++)
      if ((tables >>> i) & 1) this.dropPage(core, (i / 3) | 0, (i % 3) as Table, vaHi, vaLo, pageLog2);
  }

  private dropPage(core: number, slot: number, table: Table, vaHi: number, vaLo: number, pageLog2: number): void {
    const { u32 } = this.shared;
    const entryLog2 = table === Table.Fetch ? this.shared.granuleLog2 : this.shared.unitLog2;
    if (pageLog2 >= 56) {
      this.emptyTable(core, slot, table, Remover.tlb);
      return;
    }
    const loMask = pageLog2 >= 32 ? 0 : (-1 << pageLog2) | 0;
    const hiMask = (pageLog2 >= 32 ? -1 << (pageLog2 - 32) : -1) & 0x00ffffff;
    const first = this.base(core, slot, table) >>> 2;
    const entries = entriesOf(table);
    const count = pageLog2 - entryLog2 >= 31 - Math.clz32(entries) ? entries : 1 << (pageLog2 - entryLog2);
    const start = ((vaLo & loMask) >>> entryLog2) & (entries - 1);
    for (let i = 0; i < count; i++) {
      const at = first + (((start + i) & (entries - 1)) << 2);
      const lo = u32[at];
      if ((lo & TAG_EMPTY) === 0 && ((lo ^ vaLo) & loMask) === 0 && ((u32[at + HI] ^ vaHi) & hiMask) === 0)
        this.empty(core, table, at, Remover.tlb);
    }
  }

  /** Makes the tables of `key` current, giving a slot to a new key. True if anything changed. */
  select(core: number, key: readonly number[]): boolean {
    const { keys } = this.contexts[core];
    const here = keys[this.current[core]];
    if (here !== undefined && sameKey(here, key)) return false;
    for (let slot = 0; slot < CONTEXT_SLOTS; slot++) {
      const other = keys[slot];
      if (other !== undefined && sameKey(other, key)) {
        this.enter(core, slot);
        return true;
      }
    }
    this.assign(core, key);
    return true;
  }

  private assign(core: number, key: readonly number[]): void {
    const context = this.contexts[core];
    const slot = context.next;
    context.next = (slot + 1) % CONTEXT_SLOTS;
    if (context.keys[slot] !== undefined) {
      this.shared.count(core, Counter.contextFlushes);
      if (this.omit !== Remover.context) this.pages.dropSlot(core, slot);
      for (let table = 0; table < 3; table++) this.emptyTable(core, slot, table as Table, Remover.context);
    }
    context.keys[slot] = key.slice();
    this.enter(core, slot);
  }

  private enter(core: number, slot: number): void {
    const { ports, u32 } = this.shared;
    const { layout } = ports;
    const block = ports.blockBase(core);
    this.current[core] = slot;
    u32[(block + layout.loadTable[0]) >>> 2] = this.base(core, slot, Table.Load);
    u32[(block + layout.storeTable[0]) >>> 2] = this.base(core, slot, Table.Store);
    u32[(block + layout.fetchTable[0]) >>> 2] = this.base(core, slot, Table.Fetch);
    u32[(block + layout.contextSlot[0]) >>> 2] = slot;
  }

  /** Context keys are the one thing about line tables that is not in linear memory. */
  save(): unknown {
    return this.contexts.map((c, core) => ({ keys: c.keys.slice(), next: c.next, current: this.current[core] }));
  }
  load(state: unknown): void {
    const saved = state as { keys: (number[] | undefined)[]; next: number; current: number }[];
    saved.forEach((s, core) => {
      const context = this.contexts[core];
      s.keys.forEach((key, slot) => {
        context.keys[slot] = key?.slice();
      });
      context.next = s.next;
      this.enter(core, s.current);
    });
  }
}

function sameKey(a: readonly number[], b: readonly number[]): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
