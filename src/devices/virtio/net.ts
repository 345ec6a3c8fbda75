/**
 * Virtio network card (Virtual I/O Device specification, "Network Device") on a wire of its own: frames go to a responder and
 * what it answers comes back. No offloads, one queue pair.
 */
import { Feature as CommonFeature, configBytes, drain, type VirtioModel, type VirtioPorts } from './model';

const RECEIVE = 0;
const TRANSMIT = 1;

const Feature = { Mac: 5, Status: 16 } as const;
const LINK_UP = 1;
/** Without version 1 the header lacks its last field. */
const LEGACY_HEADER_BYTES = 10;
const HEADER_BYTES = 12;
/** Longest Ethernet frame, with a VLAN tag. */
const MAX_FRAME = 1518;
/** Frames that wait for the driver; more are dropped, as on a wire. */
const MAX_WAITING = 256;

/** The other end of the wire: what it sends when it gets a frame. */
export type Responder = (frame: Uint8Array) => readonly Uint8Array[];

export class VirtioNet implements VirtioModel {
  readonly id = 1;
  readonly queues = 2;
  readonly features = (1 << Feature.Mac) | (1 << Feature.Status);
  private waiting: Uint8Array[] = [];
  private ports: VirtioPorts | undefined;

  constructor(
    private readonly mac: Uint8Array,
    private readonly respond: Responder,
  ) {}

  config(): Uint8Array {
    return Uint8Array.from([...this.mac, ...configBytes([LINK_UP, 2])]);
  }
  connect(ports: VirtioPorts): void {
    this.ports = ports;
  }
  reset(): void {
    this.waiting = [];
  }

  private headerBytes(): number {
    return this.ports?.has(CommonFeature.Version1) ? HEADER_BYTES : LEGACY_HEADER_BYTES;
  }

  notify(queue: number): void {
    if (queue === TRANSMIT) this.transmit();
    this.receive();
  }

  private transmit(): void {
    const header = this.headerBytes();
    drain(this.ports, TRANSMIT, (chain) => {
      const length = chain.readableBytes - header;
      const frame = length > 0 && length <= MAX_FRAME ? chain.read(header, length) : undefined;
      if (frame !== undefined)
        for (const answer of this.respond(frame)) if (this.waiting.length < MAX_WAITING) this.waiting.push(answer);
      return true;
    });
  }

  /** Frames that wait, into the driver's buffers; one that is too small for its frame loses it. */
  private receive(): void {
    const header = new Uint8Array(this.headerBytes());
    // num_buffers, where the header has it.
    if (header.length === HEADER_BYTES) header[10] = 1;
    drain(this.ports, RECEIVE, (chain) => {
      const frame = this.waiting.shift();
      if (frame === undefined) return false;
      if (chain.writableBytes >= header.length + frame.length) {
        chain.write(header);
        chain.write(frame);
      }
      return true;
    });
  }

  save(): Uint8Array[] {
    return this.waiting.map((frame) => frame.slice());
  }
  load(state: unknown): void {
    this.waiting = (state as Uint8Array[]).map((frame) => frame.slice());
  }
}
