/**
 * Which TLB entries were made from which descriptors, and what these said then. An entry has up to 8 of them: four levels of
 * each stage. Found by the descriptor's place in linear memory through a hash table whose chains are doubly linked, so that
 * filling and removing an entry costs the same however many share a table. Nothing allocates.
 *
 * A node is entry * 8 + number. Places are linear-memory addresses / 8.
 */

export const NONE = -1;
const PER_ENTRY_LOG2 = 3;
const PER_ENTRY = 1 << PER_ENTRY_LOG2;
const BUCKETS = 4096;

const bucketOf = (place: number): number => (place ^ (place >>> 12)) & (BUCKETS - 1);

export const entryOf = (node: number): number => node >>> PER_ENTRY_LOG2;

export class DescriptorUsers {
  private readonly heads = new Int32Array(BUCKETS).fill(NONE);
  private readonly next: Int32Array;
  private readonly previous: Int32Array;
  private readonly place: Int32Array;
  readonly hi: Uint32Array;
  readonly lo: Uint32Array;
  /** Bits 1:0 level, 3:2 stage, 4: stored in the other byte order. */
  readonly what: Uint8Array;

  constructor(private readonly entries: number) {
    const n = entries * PER_ENTRY;
    this.next = new Int32Array(n);
    this.previous = new Int32Array(n);
    this.place = new Int32Array(n).fill(NONE);
    this.hi = new Uint32Array(n);
    this.lo = new Uint32Array(n);
    this.what = new Uint8Array(n);
  }

  reset(): void {
    this.heads.fill(NONE);
    this.place.fill(NONE);
  }

  /** Forgets an entry's descriptors. */
  clear(entry: number): void {
    for (let node = entry * PER_ENTRY, i = 0; i < PER_ENTRY && this.place[node] !== NONE; node++, i++) {
      const [before, after] = [this.previous[node], this.next[node]];
      if (before === NONE) this.heads[bucketOf(this.place[node])] = after;
      else this.next[before] = after;
      if (after !== NONE) this.previous[after] = before;
      this.place[node] = NONE;
    }
  }

  /** Number `i` of an entry, in order from 0. */
  put(entry: number, i: number, place: number, what: number, hi: number, lo: number): void {
    const node = entry * PER_ENTRY + i;
    const bucket = bucketOf(place);
    const head = this.heads[bucket];
    this.place[node] = place;
    this.what[node] = what;
    this.hi[node] = hi;
    this.lo[node] = lo;
    this.previous[node] = NONE;
    this.next[node] = head;
    if (head !== NONE) this.previous[head] = node;
    this.heads[bucket] = node;
  }

  /** The next node of a descriptor after `node`, or its first after NONE; NONE at the end. */
  user(place: number, node = NONE): number {
    let at = node === NONE ? this.heads[bucketOf(place)] : this.next[node];
    while (at !== NONE && this.place[at] !== place) at = this.next[at];
    return at;
  }

  /** Node `i` of an entry, NONE if it has no such. */
  nodeOf(entry: number, i: number): number {
    const node = entry * PER_ENTRY + i;
    return i < PER_ENTRY && this.place[node] !== NONE ? node : NONE;
  }
  placeOf(node: number): number {
    return this.place[node];
  }

  /** For snapshots: the descriptors of each entry that has any. */
  save(): number[][] {
    const rows: number[][] = [];
    for (let entry = 0; entry < this.entries; entry++) {
      const row = [entry];
      for (let i = 0, node = this.nodeOf(entry, 0); node !== NONE; node = this.nodeOf(entry, ++i))
        row.push(this.place[node], this.what[node], this.hi[node], this.lo[node]);
      if (row.length > 1) rows.push(row);
    }
    return rows;
  }
  load(rows: readonly (readonly number[])[]): void {
    this.reset();
    for (const [entry, ...row] of rows)
      for (let i = 0; i * 4 < row.length; i++)
        this.put(entry, i, row[i * 4], row[i * 4 + 1], row[i * 4 + 2], row[i * 4 + 3]);
  }
}
