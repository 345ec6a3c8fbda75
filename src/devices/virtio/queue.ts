/**
 * A split virtqueue (Virtual I/O Device specification, "Split Virtqueues"), the device's side. Everything in guest memory is
 * untrusted: addresses without memory, chains that loop, impossible counts give `broken`, and the device then needs a reset.
 * Neither event suppression by index nor packed queues are offered.
 */
import type { DmaPort } from '../device';

/** Most entries of a queue, as QEMU has it. */
export const MAX_QUEUE_SIZE = 1024;
/** Most bytes in one chain: more than any driver asks for at once. */
const MAX_CHAIN_BYTES = 64 * 2 ** 20;

const DESCRIPTOR_BYTES = 16;
const Descriptor = { Next: 1, Write: 2, Indirect: 4 } as const;
const AVAIL_NO_INTERRUPT = 1;

interface Segment {
  readonly address: number;
  readonly length: number;
}

/** Where the parts of a queue are in guest memory. */
export interface QueueLayout {
  readonly size: number;
  readonly descriptors: number;
  readonly driver: number;
  readonly device: number;
}

/** A chain of buffers that the driver made available: what the device may read, then what it may write. */
export class Chain {
  readonly readable: Segment[] = [];
  readonly writable: Segment[] = [];
  /** Bytes written so far, in order. */
  written = 0;

  constructor(
    readonly head: number,
    private readonly dma: DmaPort,
  ) {}

  get readableBytes(): number {
    return this.readable.reduce((sum, s) => sum + s.length, 0);
  }
  get writableBytes(): number {
    return this.writable.reduce((sum, s) => sum + s.length, 0);
  }

  /** Up to `length` bytes of what the device may read, from `offset` on. Undefined where there is no memory. */
  read(offset: number, length: number): Uint8Array | undefined {
    const out = new Uint8Array(Math.max(0, Math.min(length, this.readableBytes - offset)));
    let skip = offset;
    let done = 0;
    for (const { address, length: bytes } of this.readable) {
      const n = Math.min(bytes - skip, out.length - done);
      if (n > 0) {
        if (!this.dma.read(address + skip, out.subarray(done, done + n))) return undefined;
        done += n;
      }
      skip = Math.max(0, skip - bytes);
    }
    return out;
  }

  /** Writes behind what was written before; false where there is no room or no memory. */
  write(bytes: Uint8Array): boolean {
    let skip = this.written;
    let done = 0;
    for (const { address, length } of this.writable) {
      const n = Math.min(length - skip, bytes.length - done);
      if (n > 0) {
        if (!this.dma.write(address + skip, bytes.subarray(done, done + n))) return false;
        done += n;
      }
      skip = Math.max(0, skip - length);
    }
    this.written += done;
    return done === bytes.length;
  }
}

interface QueueState {
  readonly layout: QueueLayout;
  readonly ready: boolean;
  readonly nextAvail: number;
  readonly nextUsed: number;
}

const empty: QueueLayout = { size: 0, descriptors: 0, driver: 0, device: 0 };

export class Virtqueue {
  layout = empty;
  ready = false;
  /** The driver has done something that makes no sense. */
  broken = false;
  private nextAvail = 0;
  private nextUsed = 0;
  private readonly scratch = new Uint8Array(DESCRIPTOR_BYTES);
  private readonly view = new DataView(this.scratch.buffer);

  constructor(private readonly dma: DmaPort) {}

  reset(): void {
    this.layout = empty;
    this.ready = false;
    this.broken = false;
    this.nextAvail = 0;
    this.nextUsed = 0;
  }

  /** The next chain that the driver made available, or undefined when there is none (or the queue is broken). */
  pop(): Chain | undefined {
    if (!this.ready || this.broken) return undefined;
    const { driver, size } = this.layout;
    const available = this.word16(driver + 2);
    if (available === undefined) return this.fail();
    const waiting = (available - this.nextAvail) & 0xffff;
    if (waiting === 0) return undefined;
    if (waiting > size) return this.fail();
    const head = this.word16(driver + 4 + 2 * (this.nextAvail % size));
    if (head === undefined || head >= size) return this.fail();
    const chain = this.collect(head);
    if (chain !== undefined) this.nextAvail = (this.nextAvail + 1) & 0xffff;
    return chain;
  }

  /** Puts back a chain that was popped last and not used: it comes again. */
  unpop(): void {
    this.nextAvail = (this.nextAvail - 1) & 0xffff;
  }

  /** Gives a chain back to the driver. True if the driver wants an interrupt for it. */
  push(chain: Chain): boolean {
    const { driver, device, size } = this.layout;
    this.view.setUint32(0, chain.head, true);
    this.view.setUint32(4, chain.written, true);
    const entry = this.dma.write(device + 4 + 8 * (this.nextUsed % size), this.scratch.subarray(0, 8));
    this.nextUsed = (this.nextUsed + 1) & 0xffff;
    this.view.setUint16(0, this.nextUsed, true);
    const flags = this.dma.write(device + 2, this.scratch.subarray(0, 2)) && entry ? this.word16(driver) : undefined;
    if (flags === undefined) this.fail();
    return flags !== undefined && (flags & AVAIL_NO_INTERRUPT) === 0;
  }

  private fail(): undefined {
    this.broken = true;
    return undefined;
  }

  private word16(address: number): number | undefined {
    return this.dma.read(address, this.scratch.subarray(0, 2)) ? this.view.getUint16(0, true) : undefined;
  }

  /** Follows a chain through the table, and through the indirect table that one descriptor may name. */
  private collect(head: number): Chain | undefined {
    const chain = new Chain(head, this.dma);
    let { descriptors: table, size } = this.layout;
    let indirect = false;
    let index = head;
    let bytes = 0;
    for (let steps = 0; steps < MAX_QUEUE_SIZE; steps++) {
      if (index >= size || !this.dma.read(table + DESCRIPTOR_BYTES * index, this.scratch)) return this.fail();
      const { view } = this;
      const address = Number(view.getBigUint64(0, true));
      const length = view.getUint32(8, true);
      const flags = view.getUint16(12, true);
      const next = view.getUint16(14, true);
      if (flags & Descriptor.Indirect) {
        if (indirect || length === 0 || length % DESCRIPTOR_BYTES !== 0) return this.fail();
        if (flags & Descriptor.Next) return this.fail();
        indirect = true;
        table = address;
        size = length / DESCRIPTOR_BYTES;
        index = 0;
        continue;
      }
      bytes += length;
      if (bytes > MAX_CHAIN_BYTES) return this.fail();
      if (flags & Descriptor.Write) chain.writable.push({ address, length });
      else if (chain.writable.length > 0) return this.fail();
      else chain.readable.push({ address, length });
      if (!(flags & Descriptor.Next)) return chain;
      index = next;
    }
    return this.fail();
  }

  save(): QueueState & { readonly broken: boolean } {
    const { layout, ready, broken, nextAvail, nextUsed } = this;
    return { layout: { ...layout }, ready, broken, nextAvail, nextUsed };
  }

  load(state: unknown): void {
    const { layout, ready, broken, nextAvail, nextUsed } = state as QueueState & { broken: boolean };
    Object.assign(this, { layout: { ...layout }, ready, broken, nextAvail, nextUsed });
  }
}
