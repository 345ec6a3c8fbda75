/** By TLB entry: where it is, and the write that put it out of date. Numbers only; rows of it go into snapshots. */
import { NONE } from './descriptorUsers';

export class EntryChanges {
  readonly vaHi: Uint32Array;
  readonly vaLo: Uint32Array;
  readonly pageLog2: Uint8Array;
  /** Whose translations they are: vmidTag of the context that it was filled for. */
  readonly owner: Uint32Array;
  /** The node (descriptorUsers.ts) of the descriptor that was written; by which core (-1: DMA), at which PC. */
  readonly node: Int32Array;
  readonly writer: Int8Array;
  readonly pcHi: Uint32Array;
  readonly pcLo: Uint32Array;
  /** Its place in the order of writes and barriers, and ports.time. */
  readonly order: Float64Array;
  readonly time: Float64Array;
  /** The writer's level, and which stack it had. */
  readonly el: Uint8Array;
  readonly stack: Uint32Array;
  /** A TLBI of the writer alone named the entry, in this order; 0 = none. */
  readonly sparedAt: Float64Array;
  private readonly all: readonly (Uint8Array | Int8Array | Int32Array | Uint32Array | Float64Array)[];

  constructor(n: number) {
    this.vaHi = new Uint32Array(n);
    this.vaLo = new Uint32Array(n);
    this.pageLog2 = new Uint8Array(n);
    this.owner = new Uint32Array(n);
    this.node = new Int32Array(n).fill(NONE);
    this.writer = new Int8Array(n);
    this.pcHi = new Uint32Array(n);
    this.pcLo = new Uint32Array(n);
    this.order = new Float64Array(n);
    this.time = new Float64Array(n);
    this.el = new Uint8Array(n);
    this.stack = new Uint32Array(n);
    this.sparedAt = new Float64Array(n);
    const { vaHi, vaLo, pageLog2, owner, node, writer, pcHi, pcLo, order, time, el, stack, sparedAt } = this;
    this.all = [vaHi, vaLo, pageLog2, owner, node, writer, pcHi, pcLo, order, time, el, stack, sparedAt];
  }

  row(entry: number): number[] {
    return this.all.map((list) => list[entry]);
  }
  setRow(entry: number, row: readonly number[]): void {
    for (const [i, list] of this.all.entries()) list[entry] = row[i];
  }
}
