/**
 * Tells what a program file is from its content: ELF64, arm64 `Image` (Documentation/arch/arm64/booting in the Linux tree),
 * either of them gzip-compressed, or an EFI zboot wrapper with gzip inside; everything else is raw bytes. Placing them in
 * memory is `placement.ts`'s.
 */

import { UserError } from '../base/errors';
import { type ElfFile, isElf, type LoadSegment, loadSegments, physicalEntry, readElf } from './elf';
import { gunzip, isGzip } from './inflate';
import { Malformed, Reader } from './reader';

export type ProgramImage = ElfImage | LinuxImage | RawImage;

export interface ElfImage {
  readonly kind: 'elf';
  readonly path: string;
  readonly compressed: boolean;
  readonly elf: ElfFile;
  /** Ascending physical addresses. */
  readonly segments: readonly LoadSegment[];
  /** Physical entry address. */
  readonly entry: number;
}

/** An arm64 `Image`: bytes that a boot loader puts at `textOffset` from a 2 MiB boundary and enters at their start. */
export interface LinuxImage {
  readonly kind: 'linux';
  readonly path: string;
  readonly compressed: boolean;
  readonly data: Uint8Array;
  /** As in the header; meaningful only if `imageSize` is not 0. */
  readonly textOffset: number;
  /** Memory that the image needs from its start, 0 in kernels before 3.17. */
  readonly imageSize: number;
  /** Page size the kernel was built for, if it says so. */
  readonly pageSize: number | undefined;
  /** May lie anywhere in memory, otherwise as near as possible to the start of RAM. */
  readonly anywhere: boolean;
}

export interface RawImage {
  readonly kind: 'raw';
  readonly path: string;
  readonly compressed: boolean;
  readonly data: Uint8Array;
}

/** What a compressed image may grow to (QEMU's limit is the same). */
export const MAX_UNPACKED = 256 * 2 ** 20;
/** Largest file that is looked at. */
export const MAX_IMAGE = 3 * 2 ** 30;

const ARM64_MAGIC = 0x644d5241;
const HEADER_SIZE = 64;

/**
 * Identifies an image by its content.
 * @throws UserError `image.*`, `elf.*` with one clear line when it cannot run here.
 */
export function identifyImage(bytes: Uint8Array, path: string): ProgramImage {
  if (bytes.length === 0) throw new UserError('image.empty', { path });
  if (bytes.length > MAX_IMAGE) throw new UserError('image.oversized', { path, limit: MAX_IMAGE });
  const packed = packedPart(bytes, path);
  if (packed === undefined) return identifyPlain(bytes, path, false);
  try {
    const plain = gunzip(packed, MAX_UNPACKED);
    if (plain.length === 0) throw new UserError('image.empty', { path });
    return identifyPlain(plain, path, true);
  } catch (error) {
    if (error instanceof Malformed) throw new UserError('image.gzip', { path, what: error.message });
    throw error;
  }
}

/** A raw image whatever the bytes look like: for flash contents (`--bios`) and data. */
export function rawImage(bytes: Uint8Array, path: string): RawImage {
  if (bytes.length === 0) throw new UserError('image.empty', { path });
  return { kind: 'raw', path, compressed: false, data: bytes };
}

function packedPart(bytes: Uint8Array, path: string): Uint8Array | undefined {
  if (isGzip(bytes)) return bytes;
  if (bytes.length < HEADER_SIZE) return undefined;
  const r = new Reader(bytes);
  // EFI zboot: "MZ", two zero bytes, "zimg", payload offset and size, two reserved words, name of the compression.
  if (r.u32() !== 0x5a4d || r.u32() !== 0x676d697a) return undefined;
  const offset = r.u32();
  const size = r.u32();
  r.skip(8);
  const method = r.sub(32).text();
  if (method !== 'gzip') throw new UserError('image.zboot', { path, method });
  if (offset + size > bytes.length) throw new UserError('image.gzip', { path, what: 'the data is cut off' });
  return bytes.subarray(offset, offset + size);
}

function identifyPlain(bytes: Uint8Array, path: string, compressed: boolean): ProgramImage {
  if (isElf(bytes)) {
    const elf = readElf(bytes, path);
    return { kind: 'elf', path, compressed, elf, segments: loadSegments(elf), entry: physicalEntry(elf) };
  }
  if (bytes.length >= HEADER_SIZE && new Reader(bytes, 56).u32() === ARM64_MAGIC) {
    return linuxImage(bytes, path, compressed);
  }
  return { kind: 'raw', path, compressed, data: bytes };
}

function linuxImage(data: Uint8Array, path: string, compressed: boolean): LinuxImage {
  const r = new Reader(data, 8);
  const textOffset = Number(r.u64());
  const imageSize = Number(r.u64());
  const flags = Number(r.u64() & 15n);
  if (flags & 1) throw new UserError('image.bigEndian', { path });
  if (imageSize > MAX_IMAGE || textOffset > MAX_IMAGE)
    throw new UserError('image.oversized', { path, limit: MAX_IMAGE });
  return {
    kind: 'linux',
    path,
    compressed,
    data,
    textOffset,
    imageSize,
    pageSize: [undefined, 0x1000, 0x4000, 0x10000][(flags >> 1) & 3],
    anywhere: (flags & 8) !== 0,
  };
}
