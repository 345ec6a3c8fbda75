/**
 * Virtio block device (Virtual I/O Device specification, "Block Device"): reads, writes, flushes and its name. Requests are
 * done at once, when the driver says that they are there.
 */
import { encodeUtf8 } from '../../base/utf8';
import { configBytes, drain, type VirtioModel, type VirtioPorts } from './model';
import type { Chain } from './queue';

export const SECTOR_BYTES = 512;

/** A disk in whole sectors. */
export interface Disk {
  readonly sectors: number;
  readonly readOnly: boolean;
  /** Fills `out` (whole sectors). False: the sectors cannot be read. */
  read(sector: number, out: Uint8Array): boolean;
  write(sector: number, bytes: Uint8Array): boolean;
  /** What was written is to last. */
  flush(): void;
  /** Contents that differ from what the disk was opened with, for snapshots. */
  save(): unknown;
  load(state: unknown): void;
}

const Feature = { SegMax: 2, ReadOnly: 5, BlkSize: 6, Flush: 9 } as const;
/** Most segments of a request: a queue's entries less those of header and status, as QEMU has it. */
const SEG_MAX = 1024 - 2;
const HEADER_BYTES = 16;
const NAME_BYTES = 20;
/** Sectors moved at once. */
const CHUNK_SECTORS = 256;

const Request = { In: 0, Out: 1, Flush: 4, GetId: 8 } as const;
const Result = { Ok: 0, IoError: 1, Unsupported: 2 } as const;

export class VirtioBlock implements VirtioModel {
  readonly id = 2;
  readonly queues = 1;
  readonly features: number;
  private ports: VirtioPorts | undefined;

  constructor(
    private readonly disk: Disk,
    private readonly serial: string,
  ) {
    const bits = [Feature.SegMax, Feature.BlkSize, Feature.Flush, ...(disk.readOnly ? [Feature.ReadOnly] : [])];
    this.features = bits.reduce((sum, bit) => sum + 2 ** bit, 0);
  }

  /** Capacity, size_max, seg_max, geometry, blk_size. */
  config(): Uint8Array {
    return configBytes([this.disk.sectors, 8], [0, 4], [SEG_MAX, 4], [0, 4], [SECTOR_BYTES, 4]);
  }

  connect(ports: VirtioPorts): void {
    this.ports = ports;
  }

  reset(): void {}

  notify(): void {
    drain(this.ports, 0, (chain) => {
      this.serve(chain);
      return true;
    });
  }

  /** The last writable byte is the status; before it stand the data to be filled. */
  private serve(chain: Chain): void {
    const room = chain.writableBytes - 1;
    const header = chain.read(0, HEADER_BYTES);
    if (room < 0 || header === undefined || header.length < HEADER_BYTES) return;
    const view = new DataView(header.buffer);
    const result = this.perform(chain, view.getUint32(0, true), Number(view.getBigUint64(8, true)), room);
    // Whatever was not filled stays as it was.
    chain.written = room;
    chain.write(Uint8Array.of(result));
  }

  private perform(chain: Chain, type: number, sector: number, room: number): number {
    switch (type) {
      case Request.In:
        return this.transfer(sector, room, (at, chunk) => this.disk.read(at, chunk) && chain.write(chunk));
      case Request.Out:
        if (this.disk.readOnly) return Result.IoError;
        return this.transfer(sector, chain.readableBytes - HEADER_BYTES, (at, chunk, done) => {
          const bytes = chain.read(HEADER_BYTES + done, chunk.length);
          return bytes !== undefined && this.disk.write(at, bytes);
        });
      case Request.Flush:
        this.disk.flush();
        return Result.Ok;
      case Request.GetId: {
        const name = new Uint8Array(Math.min(NAME_BYTES, room));
        name.set(encodeUtf8(this.serial).subarray(0, name.length));
        return chain.write(name) ? Result.Ok : Result.IoError;
      }
      default:
        return Result.Unsupported;
    }
  }

  /** Whole sectors inside of the disk, in chunks. */
  private transfer(
    sector: number,
    bytes: number,
    move: (sector: number, chunk: Uint8Array, done: number) => boolean,
  ): number {
    const sectors = bytes / SECTOR_BYTES;
    if (!Number.isInteger(sectors) || sector + sectors > this.disk.sectors) return Result.IoError;
    for (let done = 0; done < sectors; done += CHUNK_SECTORS) {
      const chunk = new Uint8Array(Math.min(CHUNK_SECTORS, sectors - done) * SECTOR_BYTES);
      if (!move(sector + done, chunk, done * SECTOR_BYTES)) return Result.IoError;
    }
    return Result.Ok;
  }

  save(): unknown {
    return this.disk.save();
  }
  load(state: unknown): void {
    this.disk.load(state);
  }
}
