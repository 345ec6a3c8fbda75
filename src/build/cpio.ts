/**
 * Archives in cpio's "newc" format, which the Linux kernel unpacks as its initial RAM disk. Everything belongs to root and
 * has no time stamp, so that the same files make the same archive.
 */

export interface CpioEntry {
  /** Path without a leading slash. */
  readonly name: string;
  readonly kind: 'file' | 'folder' | 'link';
  /** Permission bits. */
  readonly mode: number;
  /** Contents, or the target of a symbolic link. */
  readonly data?: Uint8Array;
}

const TYPE_BITS = { file: 0o100000, folder: 0o040000, link: 0o120000 } as const;
const TRAILER = 'TRAILER!!!';

const padded = (length: number): number => (length + 3) & ~3;

/** Header fields in the format's order, each eight hexadecimal digits. */
function header(inode: number, mode: number, size: number, nameBytes: number): string {
  const [uid, gid, links, time, device] = [0, 0, 1, 0, 0];
  const fields = [inode, mode, uid, gid, links, time, size, device, device, device, device, nameBytes, 0];
  return `070701${fields.map((value) => value.toString(16).padStart(8, '0')).join('')}`;
}

/** One archive of all entries, in order: folders have to come before what is in them. */
export function cpioArchive(entries: readonly CpioEntry[]): Uint8Array {
  const parts: Uint8Array[] = [];
  const text = new TextEncoder();
  const add = (bytes: Uint8Array): void => {
    const room = new Uint8Array(padded(bytes.length));
    room.set(bytes);
    parts.push(room);
  };
  const member = (inode: number, name: string, mode: number, data: Uint8Array): void => {
    const nameBytes = text.encode(`${name}\0`);
    add(Buffer.concat([text.encode(header(inode, mode, data.length, nameBytes.length)), nameBytes]));
    add(data);
  };
  for (const [i, { name, kind, mode, data }] of entries.entries())
    member(i + 1, name, TYPE_BITS[kind] | mode, data ?? new Uint8Array());
  member(0, TRAILER, 0, new Uint8Array());
  return Buffer.concat(parts);
}
