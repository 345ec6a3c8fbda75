/** What a kind of virtio device is to its transport, and what the transport gives it. */
import type { Chain, Virtqueue } from './queue';

/** Feature bits of all devices. */
export const Feature = { AnyLayout: 27, RingIndirect: 28, Version1: 32 } as const;

export interface VirtioPorts {
  readonly queues: readonly Virtqueue[];
  /** The driver accepted this feature. */
  has(feature: number): boolean;
  /** A chain was given back and the driver wants to know. */
  interrupt(): void;
}

export interface VirtioModel {
  /** Device ID of the specification: 1 network card, 2 block device, 3 console, 4 entropy source, 9 9P transport. */
  readonly id: number;
  readonly queues: number;
  /** Bits that it offers besides those of all devices, below 32. */
  readonly features: number;
  /** Device configuration space, as the driver reads it. */
  config(): Uint8Array;
  /** The driver writes to the configuration space; most devices have nothing to be written. */
  configWrite?(offset: number, size: number, value: number): void;
  /** The transport that it belongs to; called once. */
  connect(ports: VirtioPorts): void;
  /** The driver says that there is something in queue n. */
  notify(queue: number): void;
  reset(): void;
  save(): unknown;
  load(state: unknown): void;
}

/** Little-endian parts of a configuration space: [value, bytes]. */
export function configBytes(...parts: readonly (readonly [value: number, bytes: number])[]): Uint8Array {
  const out: number[] = [];
  for (const [value, bytes] of parts) for (let i = 0; i < bytes; i++) out.push(Math.floor(value / 2 ** (8 * i)) % 256);
  return Uint8Array.from(out);
}

/**
 * Takes chain after chain out of queue n and gives each back; one interrupt at the end. `handle` answers false to leave the
 * chain, and what follows it, for later.
 */
export function drain(ports: VirtioPorts | undefined, n: number, handle: (chain: Chain) => boolean): void {
  const queue = ports?.queues[n];
  if (queue === undefined) return;
  let wanted = false;
  for (let chain = queue.pop(); chain !== undefined; chain = queue.pop()) {
    if (handle(chain) === false) {
      queue.unpop();
      break;
    }
    wanted = queue.push(chain) || wanted;
  }
  if (wanted) ports?.interrupt();
}
