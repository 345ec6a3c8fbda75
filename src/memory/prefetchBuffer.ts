/**
 * The machine knob `prefetch: N`: up to N fetched instruction words of a core that stay as they were fetched until the next
 * context synchronisation event, whatever happens to memory, caches or translations meanwhile.
 *
 * The words from the fetched one to the end of its granule enter together; the oldest granules leave when more than N words
 * are held (a granule of more than N words keeps its first N). Words outside of the captured range come from the I-cache at
 * the next fetch that needs them. A core with a buffer has no I-line table entries: each entry of a granule is seen here.
 */
import { Granule, type InstructionCache } from './instructionCaches';
import { type LineTables, Table } from './lineTables';
import { Remover } from './removers';
import type { Shared } from './shared';

const EMPTY = -1;

export class PrefetchBuffer {
  /** N; 0 = no buffer. */
  readonly words: number;
  /** Slot -> VA of its granule (hi, lo), context slot, linear-memory address of the granule, captured words [first, end). */
  readonly vaHi: Uint32Array;
  readonly vaLo: Uint32Array;
  readonly context: Int8Array;
  readonly host: Float64Array;
  readonly first: Uint8Array;
  readonly end: Uint8Array;
  private readonly firstGranule: number;
  private next = 0;
  private held = 0;

  constructor(
    private readonly shared: Shared,
    private readonly cache: InstructionCache,
  ) {
    const plan = shared.plan.l1i[cache.core];
    const n = plan.prefetchGranules;
    this.words = n;
    this.firstGranule = plan.granules;
    this.vaHi = new Uint32Array(n);
    this.vaLo = new Uint32Array(n);
    this.context = new Int8Array(n).fill(EMPTY);
    this.host = new Float64Array(n);
    this.first = new Uint8Array(n);
    this.end = new Uint8Array(n);
  }

  /** The granule that holds the captured word at a VA, -1 if none does. */
  find(hi: number, lo: number, context: number): number {
    const slot = this.slotOf(hi, lo, context);
    if (slot < 0) return -1;
    const word = (lo & (this.shared.granuleBytes - 1)) >>> 2;
    return word >= this.first[slot] && word < this.end[slot] ? this.firstGranule + slot : -1;
  }

  private slotOf(hi: number, lo: number, context: number): number {
    const base = (lo & -this.shared.granuleBytes) >>> 0;
    for (let slot = 0; slot < this.words; slot++)
      if (this.context[slot] === context && this.vaLo[slot] === base && this.vaHi[slot] === hi) return slot;
    return -1;
  }

  /**
   * Takes in the words at a VA to the end of its granule, as `granule` of the I-cache holds them, and returns the buffer's
   * granule. Words that it held already stay.
   */
  capture(hi: number, lo: number, context: number, granule: number, host: number): number {
    const { shared } = this;
    const word = (lo & (shared.granuleBytes - 1)) >>> 2;
    let slot = this.slotOf(hi, lo, context);
    if (slot < 0) {
      const wanted = Math.min(shared.granuleWords - word, this.words);
      while (this.held + wanted > this.words) this.dropOldest();
      slot = this.next;
      this.next = (this.next + 1) % this.words;
      if (this.context[slot] !== EMPTY) this.drop(slot);
      this.context[slot] = context;
      this.vaHi[slot] = hi;
      this.vaLo[slot] = (lo & -shared.granuleBytes) >>> 0;
      this.host[slot] = host - (host & (shared.granuleBytes - 1));
      this.first[slot] = word;
      this.end[slot] = word + wanted;
      this.held += wanted;
      this.copy(slot, granule, 0, 0);
    } else this.copy(slot, granule, this.first[slot], this.end[slot]);
    return this.firstGranule + slot;
  }

  /** Fills a slot's words outside [keepFrom, keepTo) from a granule and decodes it. */
  private copy(slot: number, granule: number, keepFrom: number, keepTo: number): void {
    const { u32, granuleWords } = this.shared;
    const to = this.cache.granuleBytesAt(this.firstGranule + slot) >>> 2;
    const from = this.cache.granuleBytesAt(granule) >>> 2;
    for (let i = 0; i < granuleWords; i++) if (i < keepFrom || i >= keepTo) u32[to + i] = u32[from + i];
    const { granuleFlags } = this.cache;
    granuleFlags[this.firstGranule + slot] = granuleFlags[granule] & Granule.FromC;
    this.cache.decode(this.firstGranule + slot);
  }

  private dropOldest(): void {
    for (let i = 0; i < this.words; i++) {
      const slot = (this.next + i) % this.words;
      if (this.context[slot] === EMPTY) continue;
      this.drop(slot);
      return;
    }
  }

  private drop(slot: number): void {
    this.held -= this.end[slot] - this.first[slot];
    this.context[slot] = EMPTY;
    this.cache.granuleFlags[this.firstGranule + slot] = 0;
  }

  flush(tables: LineTables): void {
    for (let slot = 0; slot < this.words; slot++) {
      if (this.context[slot] === EMPTY) continue;
      tables.remove(this.cache.core, Table.Fetch, this.firstGranule + slot, Remover.context);
      this.drop(slot);
    }
    this.next = 0;
  }

  /** The buffer's granule that holds the word of memory at `host` as fetched from a VA with this low word, -1 if none does. */
  peek(vaLo: number, host: number): number {
    const word = (vaLo & (this.shared.granuleBytes - 1)) >>> 2;
    const start = host - (host & (this.shared.granuleBytes - 1));
    for (let slot = 0; slot < this.words; slot++) {
      if (this.context[slot] === EMPTY || this.host[slot] !== start) continue;
      if (this.vaLo[slot] !== (vaLo & -this.shared.granuleBytes) >>> 0) continue;
      if (word >= this.first[slot] && word < this.end[slot]) return this.firstGranule + slot;
    }
    return -1;
  }

  /** A debugger's write reaches the copies here too. */
  poke(host: number, bytes: Uint8Array): void {
    for (let slot = 0; slot < this.words; slot++) {
      if (this.context[slot] === EMPTY) continue;
      const d = host - this.host[slot];
      if (d >= this.shared.granuleBytes || d + bytes.length <= 0) continue;
      const to = this.cache.granuleBytesAt(this.firstGranule + slot);
      for (let i = 0; i < bytes.length; i++)
        if (d + i >= 0 && d + i < this.shared.granuleBytes) this.shared.u8[to + d + i] = bytes[i];
      this.cache.decode(this.firstGranule + slot);
    }
  }

  /** Linear-memory address of the memory that a buffered granule is a copy of, -1 if the slot is empty. */
  hostOfGranule(granule: number): number {
    const slot = granule - this.firstGranule;
    return slot >= 0 && this.context[slot] !== EMPTY ? this.host[slot] : -1;
  }

  eachGranule(found: (cache: InstructionCache, granule: number) => void): void {
    for (let slot = 0; slot < this.words; slot++)
      if (this.context[slot] !== EMPTY) found(this.cache, this.firstGranule + slot);
  }

  save(): unknown {
    return {
      vaHi: [...this.vaHi],
      vaLo: [...this.vaLo],
      context: [...this.context],
      host: [...this.host],
      first: [...this.first],
      end: [...this.end],
      next: this.next,
      held: this.held,
    };
  }
  load(state: unknown): void {
    const s = state as Record<'vaHi' | 'vaLo' | 'context' | 'host' | 'first' | 'end', number[]> & {
      next: number;
      held: number;
    };
    for (const name of ['vaHi', 'vaLo', 'context', 'host', 'first', 'end'] as const) this[name].set(s[name]);
    this.next = s.next;
    this.held = s.held;
  }
}
