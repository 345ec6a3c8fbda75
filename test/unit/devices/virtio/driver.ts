/** A driver's side of a virtio-mmio slot, both versions: negotiates, places queues in a memory of ours, sends requests. */
import assert from 'node:assert/strict';
import type { VirtioModel } from '../../../../src/devices/virtio';
import { Register, Status, VirtioMmio } from '../../../../src/devices/virtio/transport';
import { FakeLine, FakeMemory } from '../fakes';

export const RAM = 0x4000_0000;
const QUEUE_BYTES = 0x8000;
const SIZE = 16;
/** Buffers stand behind the queues. */
const BUFFERS = RAM + 0x4_0000;
const VERSION_1 = 1;

interface DriverQueue {
  readonly descriptors: number;
  readonly driver: number;
  readonly device: number;
  avail: number;
  seen: number;
}

export interface Answer {
  readonly length: number;
  /** What the device wrote to each writable buffer. */
  readonly written: readonly Uint8Array[];
}

export class Driver {
  readonly memory = new FakeMemory(RAM, 0x40_0000);
  readonly line = new FakeLine();
  readonly slot: VirtioMmio;
  readonly queues: DriverQueue[] = [];
  private next = BUFFERS;

  constructor(
    model: VirtioModel,
    readonly legacy: boolean,
  ) {
    this.slot = new VirtioMmio('slot', 0x0a00_0000, model, { dma: this.memory, interrupt: this.line, legacy });
  }

  read(offset: number): number {
    return this.slot.read(offset, 4);
  }
  write(offset: number, value: number): void {
    this.slot.write(offset, 4, value);
  }
  view(): DataView {
    return new DataView(this.memory.bytes.buffer);
  }
  configBytes(length: number): Uint8Array {
    return Uint8Array.from({ length }, (_, i) => this.slot.read(Register.Config + i, 1));
  }

  /** As drivers do: reset, features, queues, DRIVER_OK. */
  start(features = 0): this {
    this.write(Register.Status, 0);
    this.write(Register.Status, Status.Acknowledge | Status.Driver);
    this.write(Register.DriverFeaturesSel, 0);
    this.write(Register.DriverFeatures, features);
    if (!this.legacy) {
      this.write(Register.DriverFeaturesSel, 1);
      this.write(Register.DriverFeatures, VERSION_1);
      this.write(Register.Status, Status.Acknowledge | Status.Driver | Status.FeaturesOk);
      assert.ok(this.read(Register.Status) & Status.FeaturesOk);
    }
    this.queues.length = 0;
    for (let n = 0; n < this.slot.model.queues; n++) this.queues.push(this.place(n));
    this.write(Register.Status, this.read(Register.Status) | Status.DriverOk);
    return this;
  }

  private place(n: number): DriverQueue {
    const descriptors = RAM + n * QUEUE_BYTES;
    const driver = descriptors + 16 * SIZE;
    const device = this.legacy ? descriptors + 0x1000 : descriptors + 0x2000;
    this.memory.bytes.fill(0, descriptors - RAM, descriptors - RAM + QUEUE_BYTES);
    this.write(Register.QueueSel, n);
    assert.ok(this.read(Register.QueueNumMax) >= SIZE);
    this.write(Register.QueueNum, SIZE);
    if (this.legacy) {
      this.write(Register.GuestPageSize, 4096);
      this.write(Register.QueueAlign, 4096);
      this.write(Register.QueuePFN, descriptors / 4096);
    } else {
      this.write(Register.QueueDescLow, descriptors);
      this.write(Register.QueueDriverLow, driver);
      this.write(Register.QueueDeviceLow, device);
      this.write(Register.QueueReady, 1);
    }
    return { descriptors, driver, device, avail: 0, seen: 0 };
  }

  /** Memory of its own, with these contents. */
  buffer(content: Uint8Array): number {
    const at = this.next;
    this.next += Math.max(64, Math.ceil(content.length / 64) * 64);
    this.memory.bytes.set(content, at - RAM);
    return at;
  }

  /** Writes descriptor `index` of a queue's table. */
  describe(n: number, index: number, address: number, length: number, flags: number, next: number): void {
    const at = this.queues[n].descriptors - RAM + 16 * index;
    const view = this.view();
    view.setBigUint64(at, BigInt(address), true);
    view.setUint32(at + 8, length, true);
    view.setUint16(at + 12, flags, true);
    view.setUint16(at + 14, next, true);
  }

  /** Makes the chain that begins at `head` available, without telling the device. */
  offer(n: number, head: number): void {
    const queue = this.queues[n];
    const view = this.view();
    view.setUint16(queue.driver - RAM + 4 + 2 * (queue.avail % SIZE), head, true);
    queue.avail = (queue.avail + 1) & 0xffff;
    view.setUint16(queue.driver - RAM + 2, queue.avail, true);
  }

  notify(n: number): void {
    this.write(Register.QueueNotify, n);
  }

  /** Chains that the device gave back since the last look: heads and lengths. */
  used(n: number): { head: number; length: number }[] {
    const queue = this.queues[n];
    const view = this.view();
    const now = view.getUint16(queue.device - RAM + 2, true);
    const found = [];
    for (; queue.seen !== now; queue.seen = (queue.seen + 1) & 0xffff) {
      const at = queue.device - RAM + 4 + 8 * (queue.seen % SIZE);
      found.push({ head: view.getUint32(at, true), length: view.getUint32(at + 4, true) });
    }
    return found;
  }

  /** One request: buffers that the device reads, then sizes of buffers that it writes. Makes them available. */
  post(n: number, out: readonly Uint8Array[], room: readonly number[], first = 0): number[] {
    const addresses = [
      ...out.map((bytes) => this.buffer(bytes)),
      ...room.map((size) => this.buffer(new Uint8Array(size))),
    ];
    const lengths = [...out.map((bytes) => bytes.length), ...room];
    addresses.forEach((address, i) => {
      const flags = (i < addresses.length - 1 ? 1 : 0) | (i >= out.length ? 2 : 0);
      this.describe(n, first + i, address, lengths[i], flags, first + i + 1);
    });
    this.offer(n, first);
    return addresses.slice(out.length);
  }

  request(n: number, out: readonly Uint8Array[], room: readonly number[]): Answer {
    const places = this.post(n, out, room);
    this.notify(n);
    const [used] = this.used(n);
    assert.ok(used !== undefined, 'the request is done');
    assert.equal(used.head, 0);
    const written = places.map((at, i) => this.memory.bytes.slice(at - RAM, at - RAM + room[i]));
    return { length: used.length, written };
  }
}
