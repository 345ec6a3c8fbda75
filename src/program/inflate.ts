/**
 * Decompression of untrusted data with a limit on what comes out: gzip (RFC 1952) for images, zlib (RFC 1950) for compressed
 * ELF sections. The sizes that the data itself states are never trusted for allocation.
 */

import { Inflate } from 'fflate';
import { Malformed, Reader } from './reader';

/** How much input is given to the decompressor at once: bounds what one step can produce (ratio at most 1032). */
const STEP = 1 << 16;

export const isGzip = (bytes: Uint8Array): boolean =>
  bytes.length >= 3 && bytes[0] === 0x1f && bytes[1] === 0x8b && bytes[2] === 8;

/** Decompresses a gzip file of one member, checking length and CRC. @throws Malformed */
export function gunzip(bytes: Uint8Array, limit: number): Uint8Array {
  if (!isGzip(bytes)) throw new Malformed('not gzip data');
  const start = gzipHeader(bytes);
  if (bytes.length - start < 8) throw new Malformed('the data ends too early');
  const result = inflate(bytes.subarray(start, bytes.length - 8), limit);
  const trailer = new Reader(bytes, bytes.length - 8);
  if (trailer.u32() !== crc32(result)) throw new Malformed('the checksum is wrong, the data is cut off or damaged');
  if (trailer.u32() !== result.length % 2 ** 32) throw new Malformed('the length is wrong');
  return result;
}

/** Offset of the deflate data: after the fixed header, extra field, name, comment and header CRC. */
function gzipHeader(bytes: Uint8Array): number {
  const r = new Reader(bytes, 3);
  const flags = r.u8();
  r.skip(6);
  if (flags & 4) r.skip(r.u16());
  if (flags & 8) r.text();
  if (flags & 16) r.text();
  if (flags & 2) r.skip(2);
  return r.position;
}

/** Decompresses zlib data that must give exactly `size` bytes. @throws Malformed */
export function unzlib(bytes: Uint8Array, size: number): Uint8Array {
  if (bytes.length < 6 || (bytes[0] & 15) !== 8 || ((bytes[0] << 8) | bytes[1]) % 31 !== 0 || bytes[1] & 32) {
    throw new Malformed('not zlib data');
  }
  const result = inflate(bytes.subarray(2, bytes.length - 4), size);
  if (result.length !== size) throw new Malformed(`decompressed to ${result.length} bytes instead of ${size}`);
  return result;
}

function inflate(bytes: Uint8Array, limit: number): Uint8Array {
  const chunks: Uint8Array[] = [];
  let total = 0;
  const stream = new Inflate((chunk) => {
    total += chunk.length;
    if (total > limit) throw new Malformed(`it decompresses to more than ${limit} bytes`);
    chunks.push(chunk);
  });
  try {
    for (let at = 0; at < bytes.length; at += STEP) {
      const end = Math.min(bytes.length, at + STEP);
      stream.push(bytes.subarray(at, end), end === bytes.length);
    }
  } catch (error) {
    if (error instanceof Malformed) throw error;
    throw new Malformed(error instanceof Error ? error.message : 'damaged data');
  }
  return joinBytes(chunks, total);
}

function joinBytes(chunks: readonly Uint8Array[], total: number): Uint8Array {
  const result = new Uint8Array(total);
  let at = 0;
  for (const chunk of chunks) {
    result.set(chunk, at);
    at += chunk.length;
  }
  return result;
}

let crcTable: Uint32Array | undefined;

/** CRC-32 as gzip has it (reflected, polynomial 0xedb88320). */
export function crc32(bytes: Uint8Array): number {
  crcTable ??= Uint32Array.from({ length: 256 }, (_, n) => {
    let c = n;
    for (let k = 0; k < 8; k++) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1;
    return c;
  });
  let crc = -1;
  for (let i = 0; i < bytes.length; i++) crc = crcTable[(crc ^ bytes[i]) & 0xff] ^ (crc >>> 8);
  return ~crc >>> 0;
}
