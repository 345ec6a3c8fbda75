/**
 * Messages of 9P2000.L (the 9P protocol of Plan 9's manual, section 5, with the Linux extension): numbers, a reader that takes
 * any bytes, and a writer. Numbers are little-endian.
 */
import { decodeUtf8, encodeUtf8 } from '../../base/utf8';

/** Requests; the answer's number is one more. */
export const Request = {
  Statfs: 8,
  Lopen: 12,
  Lcreate: 14,
  Symlink: 16,
  Mknod: 18,
  Rename: 20,
  Readlink: 22,
  Getattr: 24,
  Setattr: 26,
  Xattrwalk: 30,
  Xattrcreate: 32,
  Readdir: 40,
  Fsync: 50,
  Lock: 52,
  Getlock: 54,
  Link: 70,
  Mkdir: 72,
  Renameat: 74,
  Unlinkat: 76,
  Version: 100,
  Auth: 102,
  Attach: 104,
  Flush: 108,
  Walk: 110,
  Read: 116,
  Write: 118,
  Clunk: 120,
  Remove: 122,
} as const;
export const ERROR_ANSWER = 7;

/** Linux' error numbers. */
export const Errno = {
  ENOENT: 2,
  EIO: 5,
  EBADF: 9,
  EEXIST: 17,
  ENOTDIR: 20,
  EISDIR: 21,
  EINVAL: 22,
  EROFS: 30,
  EOPNOTSUPP: 95,
  EPROTO: 71,
} as const;
export type Errno = (typeof Errno)[keyof typeof Errno];

/** size, type, tag. */
export const HEADER_BYTES = 7;

/** Reads a message; `bad` once something lay beyond its end. */
export class MessageReader {
  bad = false;
  private at = 0;
  private readonly view: DataView;

  constructor(private readonly bytes: Uint8Array) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  private take(n: number): number {
    const at = this.at;
    if (at + n > this.bytes.length) {
      this.bad = true;
      return -1;
    }
    this.at += n;
    return at;
  }

  u8(): number {
    const at = this.take(1);
    return at < 0 ? 0 : this.bytes[at];
  }
  u16(): number {
    const at = this.take(2);
    return at < 0 ? 0 : this.view.getUint16(at, true);
  }
  u32(): number {
    const at = this.take(4);
    return at < 0 ? 0 : this.view.getUint32(at, true);
  }
  /** Offsets beyond 2^53 lose their low bits: nothing is there anyway. */
  u64(): number {
    const low = this.u32();
    return this.u32() * 2 ** 32 + low;
  }
  text(): string {
    const length = this.u16();
    const at = this.take(length);
    return at < 0 ? '' : decodeUtf8(this.bytes.subarray(at, at + length));
  }
}

export class MessageWriter {
  private readonly parts: number[] = [];

  u8(value: number): this {
    this.parts.push(value & 0xff);
    return this;
  }
  u16(value: number): this {
    return this.u8(value).u8(value >>> 8);
  }
  u32(value: number): this {
    return this.u16(value).u16(value >>> 16);
  }
  u64(value: number): this {
    return this.u32(value % 2 ** 32).u32(Math.floor(value / 2 ** 32));
  }
  bytes(value: Uint8Array): this {
    for (const byte of value) this.parts.push(byte);
    return this;
  }
  text(value: string): this {
    const bytes = encodeUtf8(value);
    return this.u16(bytes.length).bytes(bytes);
  }
  get length(): number {
    return this.parts.length;
  }
  /** The message with its header. */
  done(type: number, tag: number): Uint8Array {
    const header = new MessageWriter()
      .u32(HEADER_BYTES + this.length)
      .u8(type)
      .u16(tag);
    return Uint8Array.from([...header.parts, ...this.parts]);
  }
}
