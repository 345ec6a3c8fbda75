/**
 * The debug check of the line tables' invariant: load entries are in TLB and L1D; store entries are dirty and exclusive too,
 * seen by no I-cache that must hear of stores and by no other core's exclusive monitor; only the most recent way of a true
 * LRU set has plain tags; fetch entries belong to valid, decoded granules. Returns what is wrong, in words.
 */

import type { DataCaches } from './dataCaches';
import type { Exclusives } from './exclusives';
import { Granule, type InstructionCaches } from './instructionCaches';
import { CONTEXT_SLOTS, TAG_EMPTY, TAG_NOT_PLAIN } from './layout';
import { entriesOf, type LineTables, Table } from './lineTables';
import { PageUse } from './recentPages';
import { Dir, type Shared } from './shared';
import type { StoreEffects } from './storeEffects';
import { NO_LINE } from './tags';

/** Physical address that a context slot's TLB entries still give a VA, -1 if none does; undefined: do not ask. */
export type Confirm = ((core: number, slot: number, vaHi: number, vaLo: number, table: Table) => number) | undefined;

interface Entry {
  core: number;
  slot: number;
  table: Table;
  hi: number;
  lo: number;
  plain: boolean;
  value: number;
  holder: number;
  address: number;
}

export class SubsetCheck {
  constructor(
    private readonly shared: Shared,
    private readonly data: DataCaches,
    private readonly instructions: InstructionCaches,
    private readonly tables: LineTables,
    private readonly exclusives: Exclusives,
    private readonly effects: StoreEffects,
  ) {}

  run(confirm: Confirm): string[] {
    const wrong: string[] = [];
    for (const entry of this.entries()) {
      const what = entry.table === Table.Fetch ? this.fetchEntry(entry) : this.dataEntry(entry);
      const translated = this.translation(entry, confirm);
      for (const text of [...what, ...translated])
        wrong.push(`core ${entry.core} slot ${entry.slot} table ${entry.table} va ${entry.lo.toString(16)}: ${text}`);
    }
    for (const page of this.tables.pages.entries()) {
      const table = page.use & PageUse.Store ? Table.Store : Table.Load;
      const pa = confirm?.(page.core, page.slot, page.hi, page.lo, table);
      const where = `core ${page.core} slot ${page.slot} page ${page.lo.toString(16)}`;
      if (!this.shared.isPlainRam(page.host, 4096)) wrong.push(`${where}: not plain RAM`);
      if (pa !== undefined && this.shared.paOf(page.host) !== pa) wrong.push(`${where}: no TLB entry says so`);
    }
    return wrong;
  }

  private *entries(): Generator<Entry> {
    const { u32 } = this.shared;
    for (let core = 0; core < this.shared.cores; core++)
      for (let slot = 0; slot < CONTEXT_SLOTS; slot++)
        for (const table of [Table.Load, Table.Store, Table.Fetch])
          for (let i = 0; i < entriesOf(table); i++) {
            const at = (this.tables.base(core, slot, table) >>> 2) + i * 4;
            const tag = u32[at];
            if (tag & TAG_EMPTY) continue;
            const lo = (tag & ~TAG_NOT_PLAIN) >>> 0;
            const plain = (tag & TAG_NOT_PLAIN) === 0;
            yield {
              core,
              slot,
              table,
              hi: u32[at + 1],
              lo,
              plain,
              value: u32[at + 2],
              holder: u32[at + 3],
              address: at * 4,
            };
          }
  }

  private dataEntry(entry: Entry): string[] {
    const { shared } = this;
    const { core, table, holder, value, plain } = entry;
    const cache = this.data.l1[core];
    const unit = shared.unitOf(value);
    const way = holder >>> cache.unitsLog2;
    const d = shared.directory[unit];
    const wrong: string[] = [];
    if (cache.tag[way] === NO_LINE || cache.tag[way] !== unit >>> cache.unitsLog2) wrong.push('line is not in the way');
    if (!(d & (1 << core))) wrong.push('unit is not in L1D');
    if (this.tables.slots[core][table][holder] !== entry.address) wrong.push('the way does not know the entry');
    if (plain && !cache.isPlain(way)) wrong.push('plain, but a hit would reorder its set');
    if (d & Dir.Watch) wrong.push('watched');
    if (this.inBusRegion(value)) wrong.push('region reads from the bus');
    if (table === Table.Store) wrong.push(...this.storeEntry(core, unit, d));
    return wrong;
  }

  private inBusRegion(host: number): boolean {
    const { plan, busMode } = this.shared;
    return plan.regions.some((r, i) => busMode[i] !== 0 && host >= r.host && host < r.host + r.size);
  }

  private storeEntry(core: number, unit: number, d: number): string[] {
    const wrong: string[] = [];
    if (!(d & Dir.L1Dirty)) wrong.push('store entry of a clean unit');
    if ((d & Dir.L1D) !== 1 << core) wrong.push('store entry of a shared unit');
    if (this.instructions.refresh(unit) & this.effects.instructionGuard)
      wrong.push('store entry of an I-resident unit');
    const pa = this.shared.paOf(this.shared.hostOfUnit(unit));
    for (let other = 0; other < this.shared.cores; other++) {
      if (other === core || !this.exclusives.isArmed(other)) continue;
      const granule = this.exclusives.granule(other);
      if (pa + this.shared.unitBytes > granule && pa < granule + this.exclusives.granuleBytes)
        wrong.push(`store entry under the monitor of core ${other}`);
    }
    return wrong;
  }

  private fetchEntry(entry: Entry): string[] {
    const cache = this.instructions.caches[entry.core];
    const way = entry.holder >>> cache.granulesLog2;
    const wrong: string[] = [];
    if (way >= cache.tag.length || cache.tag[way] === NO_LINE) wrong.push('granule of an invalid line');
    else if (entry.plain && !cache.isPlain(way)) wrong.push('plain, but a hit would reorder its set');
    if (!(cache.granuleFlags[entry.holder] & Granule.Decoded)) wrong.push('granule is not decoded');
    if (entry.value !== cache.recordsAt(entry.holder)) wrong.push('wrong records');
    if (this.tables.slots[entry.core][Table.Fetch][entry.holder] !== entry.address)
      wrong.push('granule does not know the entry');
    return wrong;
  }

  private translation(entry: Entry, confirm: Confirm): string[] {
    if (confirm === undefined) return [];
    const pa = confirm(entry.core, entry.slot, entry.hi, entry.lo, entry.table);
    if (pa < 0) return ['no TLB entry'];
    const host = entry.table === Table.Fetch ? this.fetchHost(entry) : entry.value;
    return this.shared.paOf(host) === pa ? [] : ['TLB entry says another address'];
  }

  private fetchHost(entry: Entry): number {
    const cache = this.instructions.caches[entry.core];
    const line = cache.hostOfLine(cache.tag[entry.holder >>> cache.granulesLog2]);
    return line + (entry.holder & (cache.granules - 1)) * this.shared.granuleBytes;
  }
}
