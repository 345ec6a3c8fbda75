/**
 * Translation tables and TLBs, watched by the coherence checker. Two rules:
 *
 * - Break-before-make: while a TLB holds an entry, none of its descriptors may become another valid one with another output
 *   address, memory type or block size; it has to be made invalid first, and forgotten by TLBI. Judged at the store.
 * - Stale entries: an entry is out of date once a descriptor of it gives less than it did. Using it is legal until software has
 *   done what it takes to forget it, and software may be about to: fork() takes write permission from a whole process first and
 *   invalidates then, while other threads run. So a use is wrong only where a walk gives another result, and
 *   - the core that wrote the descriptor did a TLBI of the entry and a DSB, but for itself alone; or
 *   - it is that core, which has had a DSB and a context synchronisation event since. For pages of EL0 and for stage 2, where
 *     another thread may run meanwhile, its stack has to be the writer's; or
 *   - the page is closed to EL0, and the writer has had a DSB: nobody uses what a kernel is about to take from itself; or
 *   - the writer's DSB was long ago (PATIENCE).
 *
 * Architectural mode asks for the barriers around the TLBI too (unfinishedTlbi.ts), of the core that changed the descriptor.
 *
 * Every store to a descriptor that an entry came from is seen: units that hold one are marked, and have no store entries. Every
 * use of an entry that is out of date is seen: it justifies no line-table entries.
 */
import type { SystemOperationRow } from '../arch/sysops/types';
import { type Change, isOwn, isTable, outdates, replaces, skipsBreak } from './descriptorChanges';
import { DescriptorUsers, entryOf, NONE } from './descriptorUsers';
import { EntryChanges } from './entryChanges';
import { vmidTag } from './instructionCaches';
import type { LineTables } from './lineTables';
import { Dir, type Shared } from './shared';
import { descriptorText, MAINTENANCE, missingSteps, staleEntry, unfinishedText } from './staleEntry';
import type { EntryUse, TranslationWatch } from './translator';
import type { TranslationContext } from './types';
import { UnfinishedTlbi } from './unfinishedTlbi';
import { WalkChain } from './walkChain';

/** Instructions of the machine after which a TLBI that has not come will not. */
export const PATIENCE = 2 ** 24;
/** Stacks of threads are so large and aligned so (16 KB). */
const STACK_LOG2 = 14;

/** States of an entry (`watched`). */
const CURRENT = 0;
const OUTDATED = 1;

/** A write that skipped the break, or a use of an entry that is out of date. */
export interface TranslationFinding {
  readonly kind: 'break-before-make' | 'stale TLB entry' | 'incomplete TLB maintenance';
  readonly core: number;
  /** Linear-memory address of the descriptor. */
  readonly host: number;
  readonly detail: string;
  readonly missing: readonly string[];
  readonly advice: string;
  /** Of the descriptor; core -1: not a core. Undefined: the instruction that is reported. */
  readonly writer: { readonly core: number; readonly pcHi: number; readonly pcLo: number } | undefined;
}

const swap = (w: number): number => ((w << 24) | ((w & 0xff00) << 8) | ((w >>> 8) & 0xff00) | (w >>> 24)) >>> 0;
const SWAPPED = 16;

export class TranslationChecks implements TranslationWatch {
  readonly watched: readonly Uint8Array[];
  private readonly first: Int32Array;
  private readonly users: DescriptorUsers;
  /** The walk of stage 1, and stage 2's part of what is filled next. */
  private readonly chains = [new WalkChain(), new WalkChain(), new WalkChain()] as const;
  private readonly swapped = new Uint8Array(3);
  private readonly change: Change = { stage: 1, level: 0, oldHi: 0, oldLo: 0, newHi: 0, newLo: 0 };
  private readonly changes: EntryChanges;
  private readonly architectural: boolean;
  private readonly unfinished = new UnfinishedTlbi();
  /** The core that walks; the one whose TLBI makes entries vanish, and whether it is one of the last level. */
  private walking = 0;
  private invalidator = NONE;
  private lastLevel = false;
  /** The order of writes and barriers; of each core's last DSB, and of the last DSB before its last context synchronisation. */
  private now = 0;
  private readonly lastDsb: Float64Array;
  private readonly dsbAtIsb: Float64Array;

  constructor(
    private readonly shared: Shared,
    private readonly tables: LineTables,
    private readonly report: (finding: TranslationFinding) => void,
  ) {
    const { cores } = shared.config;
    this.architectural = shared.config.checker === 'architectural';
    const sizes = cores.map(({ tlb }) => tlb.sets * tlb.ways);
    this.first = Int32Array.from(sizes, (_, core) => sizes.slice(0, core).reduce((sum, n) => sum + n, 0));
    this.watched = sizes.map((n) => new Uint8Array(n));
    const n = sizes.reduce((sum, size) => sum + size, 0);
    this.users = new DescriptorUsers(n);
    this.changes = new EntryChanges(n);
    this.lastDsb = new Float64Array(cores.length);
    this.dsbAtIsb = new Float64Array(cores.length);
  }

  reset(): void {
    this.users.reset();
    this.unfinished.reset();
    for (const list of this.watched) list.fill(CURRENT);
    this.now = 0;
    this.lastDsb.fill(0);
    this.dsbAtIsb.fill(0);
  }

  /** For snapshots. */
  save(): unknown {
    const users = this.users.save();
    const entries = users.map(([entry]) => this.changes.row(entry));
    const watched = this.watched.map((list) => [...list.keys()].filter((i) => list[i] !== CURRENT));
    const [lastDsb, dsbAtIsb] = [[...this.lastDsb], [...this.dsbAtIsb]];
    return { users, entries, watched, now: this.now, lastDsb, dsbAtIsb, unfinished: this.unfinished.save() };
  }
  load(state: unknown): void {
    const s = state as {
      users: number[][];
      entries: number[][];
      watched: number[][];
      now: number;
      lastDsb: number[];
      dsbAtIsb: number[];
      unfinished: unknown;
    };
    this.reset();
    this.users.load(s.users);
    s.users.forEach(([entry], i) => {
      this.changes.setRow(entry, s.entries[i]);
    });
    s.watched.forEach((list, core) => {
      for (const index of list) this.watched[core][index] = OUTDATED;
    });
    this.now = s.now;
    this.lastDsb.set(s.lastDsb);
    this.dsbAtIsb.set(s.dsbAtIsb);
    this.unfinished.load(s.unfinished);
  }

  // ---- what entries are made of ----

  walk(core: number, stage: 1 | 2, bigEndian: boolean): void {
    this.walking = core;
    this.chains[stage].count = 0;
    this.swapped[stage] = bigEndian ? SWAPPED : 0;
  }

  read(stage: 1 | 2, level: number, pa: number, hi: number, lo: number): void {
    const host = this.shared.hostOf(pa);
    if (host < 0) return;
    this.chains[stage].add(host / 8, level | (stage << 2) | this.swapped[stage], hi, lo);
    if (this.unfinished.any) this.judgeWalk(host / 8, hi, lo);
  }

  through(core: number, index: number): void {
    const { users } = this;
    const chain = this.chains[2];
    const entry = this.first[core] + index;
    chain.count = 0;
    for (let i = 0, node = users.nodeOf(entry, 0); node !== NONE; node = users.nodeOf(entry, ++i))
      chain.add(users.placeOf(node), users.what[node], users.hi[node], users.lo[node]);
    // What is known of a change of it holds for what is made of it.
    this.inherited = this.watched[core][index] !== CURRENT;
    if (this.inherited) this.inheritance = this.changes.row(entry);
  }
  private inherited = false;
  private inheritance: readonly number[] = [];

  filled(core: number, index: number, stage: 1 | 2, vaHi: number, vaLo: number, pageLog2: number): void {
    const entry = this.first[core] + index;
    let n = 0;
    if (stage === 1) n = this.link(entry, n, this.chains[1]);
    n = this.link(entry, n, this.chains[2]);
    this.chains[2].count = 0;
    this.watched[core][index] = CURRENT;
    if (this.inherited && stage === 1) {
      this.changes.setRow(entry, this.inheritance);
      this.changes.node[entry] = this.outdatedNode(entry);
      if (this.changes.node[entry] !== NONE) this.watched[core][index] = OUTDATED;
    }
    if (stage === 1) this.inherited = false;
    this.changes.vaHi[entry] = vaHi;
    this.changes.vaLo[entry] = vaLo;
    this.changes.pageLog2[entry] = pageLog2;
    this.changes.owner[entry] = vmidTag(this.shared.ports.context(core));
  }

  private link(entry: number, from: number, chain: WalkChain): number {
    const { shared } = this;
    for (let i = 0; i < chain.count; i++) {
      this.users.put(entry, from + i, chain.place[i], chain.what[i], chain.hi[i], chain.lo[i]);
      const unit = shared.unitOf(chain.place[i] * 8);
      if ((shared.directory[unit] & Dir.Walk) === 0) this.mark(unit);
    }
    return from + chain.count;
  }

  /** Stores to a unit have to be seen. Set by the checker. */
  mark: (unit: number) => void = () => {};

  vanished(core: number, index: number): void {
    const entry = this.first[core] + index;
    if (this.invalidator === this.changes.writer[entry] && this.watched[core][index] !== CURRENT) this.keep(entry);
    this.users.clear(entry);
    this.watched[core][index] = CURRENT;
  }

  // ---- architectural mode ----

  invalidating(by: number, row: SystemOperationRow | undefined): void {
    this.invalidator = row === undefined || !this.architectural ? NONE : by;
    this.lastLevel = row?.lastLevel === true;
  }

  /** The writer's own TLBI removed an entry that was out of date. */
  private keep(entry: number): void {
    const change = this.compare(this.changes.node[entry]);
    // Where only rights changed, which access would have got another result is not known.
    if (!replaces(change)) return;
    const core = this.changes.writer[entry];
    const row = this.unfinished.add(this.users.placeOf(this.changes.node[entry]));
    row.stage = change.stage;
    row.level = change.level;
    row.oldHi = change.oldHi;
    row.oldLo = change.oldLo;
    row.core = core;
    row.el = this.changes.el[entry];
    row.stack = this.changes.stack[entry];
    row.pcHi = this.changes.pcHi[entry];
    row.pcLo = this.changes.pcLo[entry];
    row.ordered = this.lastDsb[core] > this.changes.order[entry];
    row.lastLevel = this.lastLevel;
    row.at = ++this.now;
  }

  /** A core reads a descriptor for a walk: could another TLB still have what the descriptor was? */
  private judgeWalk(place: number, hi: number, lo: number): void {
    const row = this.unfinished.of(place);
    const core = this.walking;
    if (row === undefined || row.core !== core) return;
    const own = isOwn(row.stage, row.level, row.oldLo);
    if (!own && this.stackOf(core, row.el) !== row.stack) return;
    row.place = NONE;
    const missing = missingSteps(row, this.lastDsb[core] > row.at, !own || this.dsbAtIsb[core] > row.at);
    if (missing.length === 0) return;
    this.report({
      kind: 'incomplete TLB maintenance',
      core,
      host: place * 8,
      detail: unfinishedText(row, hi, lo),
      missing,
      advice: MAINTENANCE[row.stage],
      writer: row,
    });
  }

  // ---- barriers ----

  dsb(core: number): void {
    this.lastDsb[core] = ++this.now;
  }
  /** A context synchronisation event. */
  synchronised(core: number): void {
    this.dsbAtIsb[core] = this.lastDsb[core];
  }

  // ---- stores ----

  /** After `core` (-1: DMA) stored `size` bytes to a marked unit, at a linear-memory address. */
  wrote(core: number, host: number, size: number): void {
    const { shared, users } = this;
    let any = false;
    const end = host + size;
    for (let at = host - (host % 8); at < end; at += 8) {
      const place = at / 8;
      for (let node = users.user(place); node !== NONE; node = users.user(place, node)) {
        any = true;
        this.changed(core, at, node);
      }
    }
    if (!any && !this.anyUser(shared.unitOf(host))) shared.directory[shared.unitOf(host)] &= ~Dir.Walk;
  }

  private anyUser(unit: number): boolean {
    const { shared, users } = this;
    const first = shared.hostOfUnit(unit) / 8;
    for (let place = first; place < first + shared.unitBytes / 8; place++) if (users.user(place) !== NONE) return true;
    return false;
  }

  /** Fills `change` with what a node said and what memory says now. */
  private compare(node: number): Change {
    const { shared, users, change } = this;
    const at = users.placeOf(node) * 2;
    const what = users.what[node];
    const [first, second] = [shared.u32[at], shared.u32[at + 1]];
    change.level = what & 3;
    change.stage = ((what >>> 2) & 3) as 1 | 2;
    change.oldHi = users.hi[node];
    change.oldLo = users.lo[node];
    change.newHi = what & SWAPPED ? swap(first) : second;
    change.newLo = what & SWAPPED ? swap(second) : first;
    return change;
  }

  private changed(core: number, host: number, node: number): void {
    const entry = entryOf(node);
    const holder = this.holderOf(entry);
    const index = entry - this.first[holder];
    const change = this.compare(node);
    const skipped = core >= 0 && skipsBreak(change) && !(change.stage === 1 && this.isIdle(core, entry));
    const wasOutdated = this.watched[holder][index] !== CURRENT;
    if (skipped) this.skipped(core, host, holder, wasOutdated && this.changes.node[entry] === node);
    const outdated = outdates(change) ? node : this.outdatedNode(entry);
    this.watched[holder][index] = outdated === NONE ? CURRENT : OUTDATED;
    // Of several writes the first one counts: a TLBI was owed since.
    if (outdated === NONE || (wasOutdated && this.changes.node[entry] === outdated)) return;
    this.changes.node[entry] = outdated;
    this.remember(core, entry);
    this.tables.dropTranslations(
      holder,
      this.changes.vaHi[entry] >>> 0,
      this.changes.vaLo[entry] >>> 0,
      this.changes.pageLog2[entry],
      index,
    );
  }

  /**
   * The writer has stage 1 off, the entry is of its own translations, and so are no other that its holder uses now: whoever turns
   * the MMU on has yet to do a TLBI.
   */
  private isIdle(writer: number, entry: number): boolean {
    const { ports } = this.shared;
    const own = ports.context(writer);
    const owner = vmidTag(own);
    if (own.mmu || this.changes.owner[entry] !== owner) return false;
    const held = ports.context(this.holderOf(entry));
    return !held.mmu || vmidTag(held) !== owner;
  }

  private holderOf(entry: number): number {
    let core = this.first.length - 1;
    while (this.first[core] > entry) core--;
    return core;
  }

  /** The first node of an entry whose descriptor gives less than it did, NONE if none does. */
  private outdatedNode(entry: number): number {
    for (let i = 0, node = this.users.nodeOf(entry, 0); node !== NONE; node = this.users.nodeOf(entry, ++i))
      if (outdates(this.compare(node))) return node;
    return NONE;
  }

  private remember(core: number, entry: number): void {
    const { ports, pcIndex, u32 } = this.shared;
    this.changes.writer[entry] = core;
    this.changes.order[entry] = ++this.now;
    this.changes.sparedAt[entry] = 0;
    this.changes.time[entry] = ports.time(Math.max(core, 0));
    if (core < 0) return;
    this.changes.pcHi[entry] = u32[pcIndex[core] + 1];
    this.changes.pcLo[entry] = u32[pcIndex[core]];
    const { el } = ports.context(core);
    this.changes.el[entry] = el;
    this.changes.stack[entry] = this.stackOf(core, el);
  }
  private stackOf(core: number, el: number): number {
    return (this.shared.ports.stack?.(core, el) ?? 0) >>> STACK_LOG2;
  }

  /** `broken`: it was made invalid before. */
  private skipped(core: number, host: number, holder: number, broken: boolean): void {
    const { stage, level, oldHi, oldLo, newHi, newLo } = this.change;
    const what = isTable(level, oldLo) ? 'table descriptor' : 'descriptor';
    this.report({
      kind: 'break-before-make',
      core,
      host,
      detail: `made ${descriptorText(newHi, newLo)} of the ${what} ${descriptorText(oldHi, oldLo)}, which a TLB of core ${holder} holds`,
      missing: [
        ...(broken ? [] : ['an invalid entry', 'DSB ISHST']),
        stage === 1 ? 'TLBI' : 'TLBI IPAS2E1IS',
        ...(stage === 1 ? [] : ['DSB ISH', 'TLBI VMALLE1IS']),
        'DSB ISH',
      ],
      advice: 'write an invalid entry; DSB ISHST; TLBI; DSB ISH; then write the new one',
      writer: undefined,
    });
  }

  // ---- uses ----

  spared(core: number, index: number, by: number): void {
    const entry = this.first[core] + index;
    if (this.changes.writer[entry] === by) this.changes.sparedAt[entry] = ++this.now;
  }

  mayNotUse(core: number, index: number, user: boolean): boolean {
    const entry = this.first[core] + index;
    const writer = this.changes.writer[entry];
    if (writer < 0) return false;
    const at = this.changes.order[entry];
    const spared = this.changes.sparedAt[entry];
    if (spared !== 0 && this.lastDsb[writer] > spared) return true;
    if (this.lastDsb[writer] <= at) return false;
    const own = !user && ((this.users.what[this.changes.node[entry]] >>> 2) & 3) === 1;
    if (writer === core) {
      const el = this.changes.el[entry];
      if (this.dsbAtIsb[core] > at && (own || this.stackOf(core, el) === this.changes.stack[entry])) return true;
    } else if (own) return true;
    return this.shared.ports.time(core) - this.changes.time[entry] > PATIENCE;
  }

  used(core: number, index: number, context: TranslationContext, use: EntryUse): void {
    const entry = this.first[core] + index;
    const node = this.changes.node[entry];
    const writer = this.changes.writer[entry];
    // Told once: it may be as fast as any other now.
    this.watched[core][index] = CURRENT;
    const local = this.changes.sparedAt[entry] !== 0;
    this.report({
      kind: 'stale TLB entry',
      core,
      host: this.users.placeOf(node) * 8,
      ...staleEntry(this.compare(node), use, context, local ? writer : NONE, writer === core),
      writer: { core: writer, pcHi: this.changes.pcHi[entry], pcLo: this.changes.pcLo[entry] },
    });
  }
}
