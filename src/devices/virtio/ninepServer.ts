/**
 * A 9P2000.L server that shows a folder and changes nothing in it. Symbolic links are shown as links, and it is the guest that
 * follows them, in its own tree: no path leaves the folder. Every answer is made at once.
 */
import { ERROR_ANSWER, Errno, HEADER_BYTES, MessageReader, MessageWriter, Request } from './ninepMessages';

export interface SharedEntry {
  readonly kind: 'file' | 'folder' | 'link';
  readonly size: number;
  /** Permission bits. */
  readonly mode: number;
  /** Seconds since 1970. */
  readonly modified: number;
}

/** A folder on the host. Paths are lists of names below it; symbolic links on the way are not followed. */
export interface SharedFolder {
  stat(path: readonly string[]): SharedEntry | undefined;
  /** Names in order, so that a run can be repeated. */
  list(path: readonly string[]): readonly string[] | undefined;
  /** Bytes read, 0 at the end; -1 where it cannot be read. */
  read(path: readonly string[], offset: number, out: Uint8Array): number;
  readLink(path: readonly string[]): string | undefined;
}

const VERSION = '9P2000.L';
/** Bytes of the largest message. */
const MOST = 512 * 1024;
const LEAST = 4096;
const MAX_FIDS = 65536;
const MAX_WALK = 16;

const kinds = {
  file: { qid: 0x00, mode: 0o100000, dirent: 8 },
  folder: { qid: 0x80, mode: 0o040000, dirent: 4 },
  link: { qid: 0x02, mode: 0o120000, dirent: 10 },
} as const;

/** Lopen flags that would change something: O_WRONLY, O_RDWR, O_CREAT, O_TRUNC, O_APPEND. */
const WRITING = 0o1 | 0o2 | 0o100 | 0o1000 | 0o2000;
const BASIC_ATTRIBUTES = 0x7ff;
const BLOCK_BYTES = 4096;
const V9FS_MAGIC = 0x01021997;
const NAME_MAX = 255;

/** Refused because the folder is shown read-only. */
const changing: ReadonlySet<number> = new Set([
  Request.Lcreate,
  Request.Symlink,
  Request.Mknod,
  Request.Rename,
  Request.Setattr,
  Request.Xattrcreate,
  Request.Link,
  Request.Mkdir,
  Request.Renameat,
  Request.Unlinkat,
  Request.Write,
]);

type Path = readonly string[];
interface Fid {
  readonly path: Path;
  open: boolean;
}

class Refused extends Error {
  constructor(readonly errno: Errno) {
    super();
  }
}
function refuse(errno: Errno): never {
  throw new Refused(errno);
}

type Handler = (message: MessageReader) => MessageWriter;

interface ServerState {
  readonly messageBytes: number;
  readonly fids: readonly (readonly [number, { path: Path; open: boolean }])[];
  readonly numbers: readonly (readonly [string, number])[];
}

export class NinepServer {
  private messageBytes = LEAST;
  private readonly fids = new Map<number, Fid>();
  /** A number for each path that was shown, for its qid. */
  private readonly numbers = new Map<string, number>();
  private readonly handlers: ReadonlyMap<number, Handler>;

  constructor(private readonly folder: SharedFolder) {
    this.handlers = new Map<number, Handler>([
      [Request.Version, (m) => this.version(m)],
      [Request.Attach, (m) => this.attach(m)],
      [Request.Walk, (m) => this.walk(m)],
      [Request.Lopen, (m) => this.open(m)],
      [Request.Getattr, (m) => this.attributes(m)],
      [Request.Readdir, (m) => this.readFolder(m)],
      [Request.Read, (m) => this.read(m)],
      [Request.Readlink, (m) => this.readLink(m)],
      [Request.Statfs, (m) => this.fileSystem(m)],
      [Request.Clunk, (m) => this.clunk(m)],
      [Request.Remove, (m) => this.remove(m)],
      [Request.Flush, () => new MessageWriter()],
      [Request.Fsync, () => new MessageWriter()],
    ]);
  }

  reset(): void {
    this.messageBytes = LEAST;
    this.fids.clear();
  }

  /** The answer to a message; undefined for one without a whole header. */
  answer(message: Uint8Array): Uint8Array | undefined {
    if (message.length < HEADER_BYTES) return undefined;
    const reader = new MessageReader(message);
    reader.u32();
    const type = reader.u8();
    const tag = reader.u16();
    try {
      const body = this.handle(type, reader);
      return body.done(type + 1, tag);
    } catch (error) {
      if (error instanceof Refused) return new MessageWriter().u32(error.errno).done(ERROR_ANSWER, tag);
      throw error;
    }
  }

  private handle(type: number, reader: MessageReader): MessageWriter {
    if (changing.has(type)) refuse(Errno.EROFS);
    const handler = this.handlers.get(type);
    return handler === undefined ? refuse(Errno.EOPNOTSUPP) : handler(reader);
  }

  // ---- paths ----

  private fid(number: number): Fid {
    return this.fids.get(number) ?? refuse(Errno.EBADF);
  }

  private entry(path: Path): SharedEntry {
    return this.folder.stat(path) ?? refuse(Errno.ENOENT);
  }

  private qid(writer: MessageWriter, path: Path, entry: SharedEntry): MessageWriter {
    const key = path.join('/');
    let number = this.numbers.get(key);
    if (number === undefined) {
      number = this.numbers.size + 1;
      this.numbers.set(key, number);
    }
    return writer.u8(kinds[entry.kind].qid).u32(0).u64(number);
  }

  private put(number: number, path: Path): void {
    if (this.fids.size >= MAX_FIDS) refuse(Errno.EINVAL);
    this.fids.set(number, { path, open: false });
  }

  private checked(message: MessageReader): void {
    if (message.bad) refuse(Errno.EPROTO);
  }

  // ---- requests ----

  private version(message: MessageReader): MessageWriter {
    const wanted = message.u32();
    const version = message.text();
    this.checked(message);
    this.fids.clear();
    this.messageBytes = Math.max(LEAST, Math.min(wanted, MOST));
    return new MessageWriter().u32(this.messageBytes).text(version === VERSION ? VERSION : 'unknown');
  }

  private attach(message: MessageReader): MessageWriter {
    const fid = message.u32();
    this.checked(message);
    const entry = this.entry([]);
    this.put(fid, []);
    return this.qid(new MessageWriter(), [], entry);
  }

  private walk(message: MessageReader): MessageWriter {
    const from = this.fid(message.u32());
    const to = message.u32();
    const count = message.u16();
    if (count > MAX_WALK) refuse(Errno.EINVAL);
    const names = Array.from({ length: count }, () => message.text());
    this.checked(message);
    const qids = new MessageWriter();
    let { path } = from;
    let done = 0;
    for (const name of names) {
      const next = this.child(path, name);
      const entry = next === undefined ? undefined : this.folder.stat(next);
      if (next === undefined || entry === undefined) break;
      path = next;
      this.qid(qids, path, entry);
      done++;
    }
    if (done < count && done === 0) refuse(Errno.ENOENT);
    if (done === count) this.put(to, path);
    return this.withCount(done, qids);
  }

  private withCount(count: number, qids: MessageWriter): MessageWriter {
    const body = qids.done(0, 0).subarray(HEADER_BYTES);
    return new MessageWriter().u16(count).bytes(body);
  }

  /** A step down, or up to the share's own root. Undefined for what is no name. */
  private child(path: Path, name: string): Path | undefined {
    if (name === '..') return path.slice(0, -1);
    if (name === '' || name === '.' || name.includes('/') || name.includes('\0')) return undefined;
    return [...path, name];
  }

  private open(message: MessageReader): MessageWriter {
    const fid = this.fid(message.u32());
    const flags = message.u32();
    this.checked(message);
    const entry = this.entry(fid.path);
    if (flags & WRITING) refuse(Errno.EROFS);
    fid.open = true;
    return this.qid(new MessageWriter(), fid.path, entry).u32(0);
  }

  private attributes(message: MessageReader): MessageWriter {
    const fid = this.fid(message.u32());
    this.checked(message);
    const entry = this.entry(fid.path);
    const { size, modified } = entry;
    const writer = this.qid(new MessageWriter().u64(BASIC_ATTRIBUTES), fid.path, entry);
    writer
      .u32(kinds[entry.kind].mode | (entry.mode & 0o777))
      .u32(0)
      .u32(0); // mode, owner, group
    writer
      .u64(1)
      .u64(0)
      .u64(size)
      .u64(BLOCK_BYTES)
      .u64(Math.ceil(size / 512)); // links, device, size, blocks
    for (let time = 0; time < 3; time++) writer.u64(modified).u64(0); // access, modification, change
    return writer.u64(0).u64(0).u64(0).u64(0); // birth, generation, data version
  }

  private room(count: number): number {
    return Math.max(0, Math.min(count, this.messageBytes - HEADER_BYTES - 4));
  }

  /** Offsets are places in the list of names, counted from 1; "." and ".." come first. */
  private readFolder(message: MessageReader): MessageWriter {
    const fid = this.fid(message.u32());
    const offset = message.u64();
    const room = this.room(message.u32());
    this.checked(message);
    if (!fid.open) refuse(Errno.EBADF);
    const names = this.folder.list(fid.path) ?? refuse(Errno.ENOTDIR);
    const all = ['.', '..', ...names];
    const entries = new MessageWriter();
    for (let i = offset; i < all.length; i++) {
      const path = all[i] === '.' ? fid.path : this.child(fid.path, all[i]);
      const entry = path === undefined ? undefined : this.folder.stat(path);
      if (path === undefined || entry === undefined) continue;
      const row = this.qid(new MessageWriter(), path, entry);
      row
        .u64(i + 1)
        .u8(kinds[entry.kind].dirent)
        .text(all[i]);
      if (entries.length + row.length > room) break;
      entries.bytes(row.done(0, 0).subarray(HEADER_BYTES));
    }
    const body = entries.done(0, 0).subarray(HEADER_BYTES);
    return new MessageWriter().u32(body.length).bytes(body);
  }

  private read(message: MessageReader): MessageWriter {
    const fid = this.fid(message.u32());
    const offset = message.u64();
    const out = new Uint8Array(this.room(message.u32()));
    this.checked(message);
    if (!fid.open) refuse(Errno.EBADF);
    const { kind } = this.entry(fid.path);
    if (kind !== 'file') refuse(kind === 'folder' ? Errno.EISDIR : Errno.EINVAL);
    const n = this.folder.read(fid.path, offset, out);
    if (n < 0) refuse(Errno.EIO);
    return new MessageWriter().u32(n).bytes(out.subarray(0, n));
  }

  private readLink(message: MessageReader): MessageWriter {
    const fid = this.fid(message.u32());
    this.checked(message);
    return new MessageWriter().text(this.folder.readLink(fid.path) ?? refuse(Errno.EINVAL));
  }

  /** A full file system: nothing can be added. */
  private fileSystem(message: MessageReader): MessageWriter {
    this.fid(message.u32());
    const writer = new MessageWriter().u32(V9FS_MAGIC).u32(BLOCK_BYTES);
    for (let i = 0; i < 6; i++) writer.u64(0);
    return writer.u32(NAME_MAX);
  }

  private clunk(message: MessageReader): MessageWriter {
    if (!this.fids.delete(message.u32())) refuse(Errno.EBADF);
    return new MessageWriter();
  }

  /** Gives the fid up as well, though nothing is removed. */
  private remove(message: MessageReader): MessageWriter {
    this.fids.delete(message.u32());
    return refuse(Errno.EROFS);
  }

  save(): ServerState {
    return {
      messageBytes: this.messageBytes,
      fids: [...this.fids].map(([number, fid]) => [number, { ...fid }] as const),
      numbers: [...this.numbers],
    };
  }

  load(state: unknown): void {
    const { messageBytes, fids, numbers } = state as ServerState;
    this.messageBytes = messageBytes;
    this.fids.clear();
    for (const [number, fid] of fids) this.fids.set(number, { ...fid });
    this.numbers.clear();
    for (const [path, number] of numbers) this.numbers.set(path, number);
  }
}
