/**
 * Little-endian reader over untrusted bytes. Every read is checked against the reader's own end; what does not fit throws
 * `Malformed`, which each module's public functions catch and turn into a user error or a line in `problems`.
 */

import { strFromU8 } from 'fflate';

/** The bytes are not what their format says. Never leaves src/program. */
export class Malformed extends Error {}

/** Text of bytes that should be UTF-8; broken sequences become U+FFFD. */
export const decodeText = (bytes: Uint8Array): string => strFromU8(bytes);

const MAX_STRING = 1 << 16;

/** Longest LEB128 accepted: 64 bits need 10 bytes, producers may pad a little. */
const MAX_LEB = 16;

export class Reader {
  private readonly view: DataView;

  /** Reads `bytes` from `position` up to `end` (both offsets in `bytes`). */
  constructor(
    readonly bytes: Uint8Array,
    public position = 0,
    readonly end = bytes.length,
    view?: DataView,
  ) {
    if (position < 0 || position > end || end > bytes.length) throw new Malformed('range outside of the data');
    this.view = view ?? new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** Another reader of the same bytes. */
  at(position: number, end = this.bytes.length): Reader {
    return new Reader(this.bytes, position, end, this.view);
  }

  get done(): boolean {
    return this.position >= this.end;
  }

  private take(size: number): number {
    const at = this.position;
    if (!(size >= 0 && size <= this.end - at)) throw new Malformed(`data ends at 0x${this.end.toString(16)}`);
    this.position = at + size;
    return at;
  }

  seek(position: number): void {
    if (!(position >= 0 && position <= this.end)) throw new Malformed(`offset 0x${position.toString(16)} is outside`);
    this.position = position;
  }

  skip(size: number): void {
    this.take(size);
  }

  u8(): number {
    return this.bytes[this.take(1)];
  }

  s8(): number {
    return (this.u8() << 24) >> 24;
  }

  u16(): number {
    return this.view.getUint16(this.take(2), true);
  }

  s16(): number {
    return this.view.getInt16(this.take(2), true);
  }

  u24(): number {
    const at = this.take(3);
    return this.bytes[at] | (this.bytes[at + 1] << 8) | (this.bytes[at + 2] << 16);
  }

  u32(): number {
    return this.view.getUint32(this.take(4), true);
  }

  s32(): number {
    return this.view.getInt32(this.take(4), true);
  }

  u64(): bigint {
    return this.view.getBigUint64(this.take(8), true);
  }

  s64(): bigint {
    return this.view.getBigInt64(this.take(8), true);
  }

  /** A 64-bit offset, size or count, which must be a safe integer. */
  size64(): number {
    const value = this.u64();
    if (value > 0x1f_ffff_ffff_ffffn) throw new Malformed(`size 0x${value.toString(16)} is too large`);
    return Number(value);
  }

  /** An unsigned integer of 1, 2, 4 or 8 bytes. */
  unsigned(size: number): bigint {
    switch (size) {
      case 1:
        return BigInt(this.u8());
      case 2:
        return BigInt(this.u16());
      case 4:
        return BigInt(this.u32());
      case 8:
        return this.u64();
      default:
        throw new Malformed(`integer of ${size} bytes`);
    }
  }

  /** Unsigned LEB128 as a bigint, modulo 2^64. */
  ulebBig(): bigint {
    let value = 0n;
    for (let i = 0; i < MAX_LEB; i++) {
      const byte = this.u8();
      value |= BigInt(byte & 0x7f) << BigInt(7 * i);
      if (byte < 0x80) return BigInt.asUintN(64, value);
    }
    throw new Malformed('LEB128 number is too long');
  }

  /** Signed LEB128 as a bigint in the signed 64-bit range. */
  slebBig(): bigint {
    let value = 0n;
    for (let i = 0; i < MAX_LEB; i++) {
      const byte = this.u8();
      value |= BigInt(byte & 0x7f) << BigInt(7 * i);
      if (byte < 0x80) {
        const bits = 7 * (i + 1);
        return BigInt.asIntN(64, byte & 0x40 ? BigInt.asIntN(bits, value) : value);
      }
    }
    throw new Malformed('LEB128 number is too long');
  }

  /** Unsigned LEB128 that must be a safe integer. */
  uleb(): number {
    let value = 0;
    let scale = 1;
    for (let i = 0; i < 7; i++) {
      const byte = this.u8();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
      scale *= 128;
    }
    this.position -= 7;
    const big = this.ulebBig();
    if (big > 0x1f_ffff_ffff_ffffn) throw new Malformed('LEB128 number is too large');
    return Number(big);
  }

  /** Signed LEB128 that must be a safe integer. */
  sleb(): number {
    const value = Number(this.slebBig());
    if (!Number.isSafeInteger(value)) throw new Malformed('LEB128 number is too large');
    return value;
  }

  takeBytes(size: number): Uint8Array {
    const at = this.take(size);
    return this.bytes.subarray(at, at + size);
  }

  /** NUL-terminated text. */
  text(): string {
    const start = this.position;
    const limit = Math.min(this.end, start + MAX_STRING);
    let at = start;
    let ascii = true;
    while (at < limit && this.bytes[at] !== 0) {
      if (this.bytes[at] >= 0x80) ascii = false;
      at++;
    }
    if (at >= limit) throw new Malformed('text is not terminated');
    this.position = at + 1;
    const bytes = this.bytes.subarray(start, at);
    return ascii && bytes.length < 4096 ? String.fromCharCode(...bytes) : decodeText(bytes);
  }

  /** A reader of the next `size` bytes, which this one skips. Positions stay those of the whole. */
  sub(size: number): Reader {
    const at = this.take(size);
    return new Reader(this.bytes, at, at + size, this.view);
  }
}
