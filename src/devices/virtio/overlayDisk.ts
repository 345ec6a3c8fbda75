/**
 * A disk over a raw file. What the guest writes is kept in memory, cluster by cluster, so the file stays as it is; where the
 * user asked for it, writes go to the file as well. Sectors beyond the file's end (a last part of a sector) read as zeros.
 */
import { type Disk, SECTOR_BYTES } from './block';

/** A file on the host. Reads beyond its end give what there is. */
export interface RawFile {
  readonly size: number;
  read(offset: number, out: Uint8Array): void;
  /** Absent: the file is not to be written. */
  write?(offset: number, bytes: Uint8Array): void;
  /** Absent with `write`. */
  flush?(): void;
}

const CLUSTER_SECTORS = 8;
const CLUSTER_BYTES = CLUSTER_SECTORS * SECTOR_BYTES;

export class OverlayDisk implements Disk {
  readonly sectors: number;
  /** Clusters that were written, whole. */
  private readonly clusters = new Map<number, Uint8Array>();

  constructor(
    private readonly file: RawFile,
    readonly readOnly: boolean,
  ) {
    this.sectors = Math.ceil(file.size / SECTOR_BYTES);
  }

  read(sector: number, out: Uint8Array): boolean {
    this.file.read(sector * SECTOR_BYTES, out);
    this.overlap(sector, out.length, (cluster, from, to, length) => {
      const held = this.clusters.get(cluster);
      if (held !== undefined) out.set(held.subarray(from, from + length), to);
    });
    return true;
  }

  write(sector: number, bytes: Uint8Array): boolean {
    this.overlap(sector, bytes.length, (cluster, at, from, length) => {
      let held = this.clusters.get(cluster);
      if (held === undefined) {
        held = new Uint8Array(CLUSTER_BYTES);
        this.file.read(cluster * CLUSTER_BYTES, held);
        this.clusters.set(cluster, held);
      }
      held.set(bytes.subarray(from, from + length), at);
    });
    const inside = Math.min(bytes.length, this.file.size - sector * SECTOR_BYTES);
    this.file.write?.(sector * SECTOR_BYTES, bytes.subarray(0, inside));
    return true;
  }

  flush(): void {
    this.file.flush?.();
  }

  /** Calls `part` with each cluster, the offset in it, the offset in the transfer, and how many bytes they share. */
  private overlap(
    sector: number,
    bytes: number,
    part: (cluster: number, at: number, offset: number, length: number) => void,
  ): void {
    for (let done = 0; done < bytes; ) {
      const position = sector * SECTOR_BYTES + done;
      const at = position % CLUSTER_BYTES;
      const length = Math.min(CLUSTER_BYTES - at, bytes - done);
      part((position - at) / CLUSTER_BYTES, at, done, length);
      done += length;
    }
  }

  /** In order of place, so that equal disks save equal states. */
  save(): { readonly at: number; readonly bytes: Uint8Array }[] {
    return [...this.clusters].sort(([a], [b]) => a - b).map(([at, bytes]) => ({ at, bytes: bytes.slice() }));
  }

  load(state: unknown): void {
    this.clusters.clear();
    for (const { at, bytes } of state as ReturnType<OverlayDisk['save']>) this.clusters.set(at, bytes.slice());
  }
}
