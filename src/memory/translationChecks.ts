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
 * Every store to a descriptor that an entry came from is seen: units that hold one are marked, and have no store entries. Every
 * use of an entry that is out of date is seen: it justifies no line-table entries.
 */
import { type Change, isTable, outdates, skipsBreak } from './descriptorChanges';
import { DescriptorUsers, entryOf, NONE } from './descriptorUsers';
import type { LineTables } from './lineTables';
import { Dir, type Shared } from './shared';
import { descriptorText, staleEntry } from './staleEntry';
import type { EntryUse, TranslationWatch } from './translator';
import type { TranslationContext } from './types';

/** Instructions of the machine after which a TLBI that has not come will not. */
export const PATIENCE = 2 ** 24;
/** Stacks of threads are so large and aligned so (16 KB). */
const STACK_LOG2 = 14;

/** States of an entry (`watched`). */
const CURRENT = 0;
const OUTDATED = 1;

/** A write that skipped the break, or a use of an entry that is out of date. */
export interface TranslationFinding {
  readonly kind: 'break-before-make' | 'stale TLB entry';
  readonly core: number;
  /** Linear-memory address of the descriptor. */
  readonly host: number;
  readonly detail: string;
  readonly missing: readonly string[];
  readonly advice: string;
  /** Of the descriptor; core -1: not a core. Undefined: the instruction that is reported. */
  readonly writer: { readonly core: number; readonly pcHi: number; readonly pcLo: number } | undefined;
}

/** The descriptors of one walk, as it read them. */
class Chain {
  count = 0;
  readonly place = new Int32Array(8);
  readonly what = new Uint8Array(8);
  readonly hi = new Uint32Array(8);
  readonly lo = new Uint32Array(8);

  add(place: number, what: number, hi: number, lo: number): void {
    const i = this.count;
    if (i >= 4) return;
    this.count++;
    this.place[i] = place;
    this.what[i] = what;
    this.hi[i] = hi;
    this.lo[i] = lo;
  }
}

const swap = (w: number): number => ((w << 24) | ((w & 0xff00) << 8) | ((w >>> 8) & 0xff00) | (w >>> 24)) >>> 0;
const SWAPPED = 16;

export class TranslationChecks implements TranslationWatch {
  readonly watched: readonly Uint8Array[];
  private readonly first: Int32Array;
  private readonly users: DescriptorUsers;
  /** The walk of stage 1, and stage 2's part of what is filled next. */
  private readonly chains = [new Chain(), new Chain(), new Chain()] as const;
  private readonly swapped = new Uint8Array(3);
  private readonly change: Change = { stage: 1, level: 0, oldHi: 0, oldLo: 0, newHi: 0, newLo: 0 };
  /** By entry: where it is, and why it is out of date: the write, the descriptor's node, its order, time and stack. */
  private readonly vaHi: Uint32Array;
  private readonly vaLo: Uint32Array;
  private readonly pageLog2: Uint8Array;
  private readonly node: Int32Array;
  private readonly writer: Int8Array;
  private readonly pcHi: Uint32Array;
  private readonly pcLo: Uint32Array;
  private readonly order: Float64Array;
  private readonly time: Float64Array;
  private readonly stackEl: Uint8Array;
  private readonly stack: Uint32Array;
  /** A TLBI of the writer alone named it, in this order; 0 = none. */
  private readonly sparedAt: Float64Array;
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
    const sizes = cores.map(({ tlb }) => tlb.sets * tlb.ways);
    this.first = Int32Array.from(sizes, (_, core) => sizes.slice(0, core).reduce((sum, n) => sum + n, 0));
    this.watched = sizes.map((n) => new Uint8Array(n));
    const n = sizes.reduce((sum, size) => sum + size, 0);
    this.users = new DescriptorUsers(n);
    this.vaHi = new Uint32Array(n);
    this.vaLo = new Uint32Array(n);
    this.pageLog2 = new Uint8Array(n);
    this.node = new Int32Array(n);
    this.writer = new Int8Array(n);
    this.pcHi = new Uint32Array(n);
    this.pcLo = new Uint32Array(n);
    this.order = new Float64Array(n);
    this.time = new Float64Array(n);
    this.stackEl = new Uint8Array(n);
    this.stack = new Uint32Array(n);
    this.sparedAt = new Float64Array(n);
    this.lastDsb = new Float64Array(cores.length);
    this.dsbAtIsb = new Float64Array(cores.length);
  }

  reset(): void {
    this.users.reset();
    for (const list of this.watched) list.fill(CURRENT);
    this.now = 0;
    this.lastDsb.fill(0);
    this.dsbAtIsb.fill(0);
  }

  private get arrays(): readonly (Uint8Array | Int8Array | Int32Array | Uint32Array | Float64Array)[] {
    const { vaHi, vaLo, pageLog2, node, writer, pcHi, pcLo, order, time, stackEl, stack, sparedAt } = this;
    return [vaHi, vaLo, pageLog2, node, writer, pcHi, pcLo, order, time, stackEl, stack, sparedAt];
  }

  /** For snapshots. */
  save(): unknown {
    const users = this.users.save();
    const entries = users.map(([entry]) => this.arrays.map((list) => list[entry]));
    const watched = this.watched.map((list) => [...list.keys()].filter((i) => list[i] !== CURRENT));
    return { users, entries, watched, now: this.now, lastDsb: [...this.lastDsb], dsbAtIsb: [...this.dsbAtIsb] };
  }
  load(state: unknown): void {
    const s = state as {
      users: number[][];
      entries: number[][];
      watched: number[][];
      now: number;
      lastDsb: number[];
      dsbAtIsb: number[];
    };
    this.reset();
    this.users.load(s.users);
    const { arrays } = this;
    s.users.forEach(([entry], i) => {
      for (const [k, list] of arrays.entries()) list[entry] = s.entries[i][k];
    });
    s.watched.forEach((list, core) => {
      for (const index of list) this.watched[core][index] = OUTDATED;
    });
    this.now = s.now;
    this.lastDsb.set(s.lastDsb);
    this.dsbAtIsb.set(s.dsbAtIsb);
  }

  // ---- what entries are made of ----

  walk(stage: 1 | 2, bigEndian: boolean): void {
    this.chains[stage].count = 0;
    this.swapped[stage] = bigEndian ? SWAPPED : 0;
  }

  read(stage: 1 | 2, level: number, pa: number, hi: number, lo: number): void {
    const host = this.shared.hostOf(pa);
    if (host >= 0) this.chains[stage].add(host / 8, level | (stage << 2) | this.swapped[stage], hi, lo);
  }

  through(core: number, index: number): void {
    const { users } = this;
    const chain = this.chains[2];
    const entry = this.first[core] + index;
    chain.count = 0;
    for (let i = 0, node = users.nodeOf(entry, 0); node !== NONE; node = users.nodeOf(entry, ++i))
      chain.add(users.placeOf(node), users.what[node], users.hi[node], users.lo[node]);
    // What is known of a change of it holds for what is made of it.
    const from = this.watched[core][index] === CURRENT ? NONE : entry;
    this.inherited = from !== NONE;
    if (this.inherited) this.inheritance = this.arrays.map((list) => list[from]);
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
      for (const [k, list] of this.arrays.entries()) list[entry] = this.inheritance[k];
      this.node[entry] = this.outdatedNode(entry);
      if (this.node[entry] !== NONE) this.watched[core][index] = OUTDATED;
    }
    if (stage === 1) this.inherited = false;
    this.vaHi[entry] = vaHi;
    this.vaLo[entry] = vaLo;
    this.pageLog2[entry] = pageLog2;
  }

  private link(entry: number, from: number, chain: Chain): number {
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
    this.users.clear(this.first[core] + index);
    this.watched[core][index] = CURRENT;
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
    const skipped = core >= 0 && skipsBreak(change);
    const wasOutdated = this.watched[holder][index] !== CURRENT;
    if (skipped) this.skipped(core, host, holder, wasOutdated && this.node[entry] === node);
    const outdated = outdates(change) ? node : this.outdatedNode(entry);
    this.watched[holder][index] = outdated === NONE ? CURRENT : OUTDATED;
    // Of several writes the first one counts: a TLBI was owed since.
    if (outdated === NONE || (wasOutdated && this.node[entry] === outdated)) return;
    this.node[entry] = outdated;
    this.remember(core, entry);
    this.tables.dropTranslations(holder, this.vaHi[entry] >>> 0, this.vaLo[entry] >>> 0, this.pageLog2[entry], index);
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
    this.writer[entry] = core;
    this.order[entry] = ++this.now;
    this.sparedAt[entry] = 0;
    this.time[entry] = ports.time(Math.max(core, 0));
    if (core < 0) return;
    this.pcHi[entry] = u32[pcIndex[core] + 1];
    this.pcLo[entry] = u32[pcIndex[core]];
    const { el } = ports.context(core);
    this.stackEl[entry] = el;
    this.stack[entry] = this.stackOf(core, el);
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
    if (this.writer[entry] === by) this.sparedAt[entry] = ++this.now;
  }

  mayNotUse(core: number, index: number, user: boolean): boolean {
    const entry = this.first[core] + index;
    const writer = this.writer[entry];
    if (writer < 0) return false;
    const at = this.order[entry];
    const spared = this.sparedAt[entry];
    if (spared !== 0 && this.lastDsb[writer] > spared) return true;
    if (this.lastDsb[writer] <= at) return false;
    const own = !user && ((this.users.what[this.node[entry]] >>> 2) & 3) === 1;
    if (writer === core) {
      const el = this.stackEl[entry];
      if (this.dsbAtIsb[core] > at && (own || this.stackOf(core, el) === this.stack[entry])) return true;
    } else if (own) return true;
    return this.shared.ports.time(core) - this.time[entry] > PATIENCE;
  }

  used(core: number, index: number, context: TranslationContext, use: EntryUse): void {
    const entry = this.first[core] + index;
    const node = this.node[entry];
    const writer = this.writer[entry];
    // Told once: it may be as fast as any other now.
    this.watched[core][index] = CURRENT;
    const local = this.sparedAt[entry] !== 0;
    this.report({
      kind: 'stale TLB entry',
      core,
      host: this.users.placeOf(node) * 8,
      ...staleEntry(this.compare(node), use, context, local ? writer : NONE, writer === core),
      writer: { core: writer, pcHi: this.pcHi[entry], pcLo: this.pcLo[entry] },
    });
  }
}
