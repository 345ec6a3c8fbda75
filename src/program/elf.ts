/**
 * ELF64 little-endian AArch64 files (ELF-64 Object File Format; ELF for the Arm 64-bit Architecture, AAELF64). Headers and
 * segments that a machine would load are checked strictly and fail with a `UserError`; sections and symbols, which only the
 * debugger needs, are read as far as they make sense, with the rest told in `problems`. Offsets, sizes and physical
 * addresses are numbers (checked to be safe integers), virtual addresses bigints.
 */

import { UserError } from '../base/errors';
import { Malformed, Reader } from './reader';

export interface ElfFile {
  /** Path or name, for messages. */
  readonly path: string;
  readonly bytes: Uint8Array;
  readonly type: 'executable' | 'shared';
  /** Entry as the header has it: a virtual address. */
  readonly entry: bigint;
  readonly segments: readonly ElfSegment[];
  readonly sections: readonly ElfSection[];
  readonly problems: readonly string[];
}

/** A program header. */
export interface ElfSegment {
  readonly type: number;
  readonly flags: number;
  readonly offset: number;
  readonly vaddr: bigint;
  readonly paddr: bigint;
  readonly fileSize: number;
  readonly memSize: number;
}

/** A section header. */
export interface ElfSection {
  readonly index: number;
  readonly name: string;
  readonly type: number;
  readonly flags: number;
  readonly address: bigint;
  readonly offset: number;
  readonly size: number;
  readonly link: number;
  readonly entrySize: number;
}

export const PT_LOAD = 1;
export const PF_X = 1;
export const PF_W = 2;
export const PF_R = 4;
export const SHT_SYMTAB = 2;
export const SHT_STRTAB = 3;
export const SHT_NOBITS = 8;
export const SHT_DYNSYM = 11;
export const SHF_ALLOC = 2;
export const SHF_EXECINSTR = 4;
export const SHF_COMPRESSED = 0x800;

const EM_AARCH64 = 183;
const EHDR_SIZE = 64;
const PHDR_SIZE = 56;
const SHDR_SIZE = 64;
const PN_XNUM = 0xffff;
const SHN_XINDEX = 0xffff;
/** More program headers than any linker writes. */
const MAX_SEGMENTS = 4096;
const MAX_SECTIONS = 1 << 20;

/** True when the bytes start with the ELF magic. */
export const isElf = (bytes: Uint8Array): boolean =>
  bytes.length >= 4 && bytes[0] === 0x7f && bytes[1] === 0x45 && bytes[2] === 0x4c && bytes[3] === 0x46;

interface Header {
  readonly type: number;
  readonly entry: bigint;
  readonly programOffset: number;
  readonly sectionOffset: number;
  readonly programEntry: number;
  readonly programCount: number;
  readonly sectionEntry: number;
  readonly sectionCount: number;
  readonly nameIndex: number;
}

/**
 * Reads an ELF file's headers. `path` is for messages only.
 * @throws UserError `elf.*` when it is not an ELF64 little-endian AArch64 executable, or is cut off.
 */
export function readElf(bytes: Uint8Array, path: string): ElfFile {
  checkIdent(bytes, path);
  try {
    return readHeaders(bytes, path);
  } catch (error) {
    if (error instanceof Malformed) throw new UserError('elf.malformed', { path, what: error.message });
    throw error;
  }
}

function checkIdent(bytes: Uint8Array, path: string): void {
  if (!isElf(bytes)) throw new UserError('elf.notElf', { path });
  if (bytes.length < 20) throw new UserError('elf.truncated', { path, what: 'parts of the file header' });
  if (bytes[4] !== 2) throw new UserError('elf.class', { path });
  if (bytes[5] !== 1) throw new UserError('elf.endian', { path });
  const machine = bytes[18] | (bytes[19] << 8);
  if (machine !== EM_AARCH64) throw new UserError('elf.machine', { path, machine });
  if (bytes.length < EHDR_SIZE) throw new UserError('elf.truncated', { path, what: 'parts of the file header' });
}

function readHeader(bytes: Uint8Array): Header {
  const r = new Reader(bytes, 16);
  const type = r.u16();
  r.skip(2 + 4);
  const entry = r.u64();
  const programOffset = r.size64();
  const sectionOffset = r.size64();
  r.skip(4 + 2);
  const programEntry = r.u16();
  const programCount = r.u16();
  const sectionEntry = r.u16();
  const sectionCount = r.u16();
  const nameIndex = r.u16();
  return {
    type,
    entry,
    programOffset,
    sectionOffset,
    programEntry,
    programCount,
    sectionEntry,
    sectionCount,
    nameIndex,
  };
}

function readHeaders(bytes: Uint8Array, path: string): ElfFile {
  const header = readHeader(bytes);
  if (header.type !== 2 && header.type !== 3) throw new UserError('elf.notLinked', { path, type: header.type });
  const table = sectionTable(bytes, header, path);
  const segments = readSegments(bytes, header, table.extendedSegments, path);
  const problems: string[] = [];
  return {
    path,
    bytes,
    type: header.type === 2 ? 'executable' : 'shared',
    entry: header.entry,
    segments,
    sections: nameSections(bytes, table.raw, table.nameIndex, problems),
    problems,
  };
}

function readSegments(bytes: Uint8Array, header: Header, extended: number, path: string): ElfSegment[] {
  const count = header.programCount === PN_XNUM && extended > 0 ? extended : header.programCount;
  if (count === 0) return [];
  if (header.programEntry !== PHDR_SIZE) throw new Malformed(`program headers of ${header.programEntry} bytes`);
  if (count > MAX_SEGMENTS) throw new Malformed(`${count} program headers`);
  if (header.programOffset + count * PHDR_SIZE > bytes.length) {
    throw new UserError('elf.truncated', { path, what: 'the program headers' });
  }
  const r = new Reader(bytes, header.programOffset);
  return Array.from({ length: count }, () => {
    const type = r.u32();
    const flags = r.u32();
    // Only what is loaded must be sane: other kinds (notes, stack) may hold anything.
    const size = type === PT_LOAD ? () => r.size64() : () => Number(r.u64());
    const offset = size();
    const vaddr = r.u64();
    const paddr = r.u64();
    const fileSize = size();
    const memSize = size();
    r.skip(8);
    return { type, flags, offset, vaddr, paddr, fileSize, memSize };
  });
}

type RawSection = Omit<ElfSection, 'name'> & { readonly nameOffset: number; readonly info: number };

function readSection(r: Reader, index: number): RawSection {
  const nameOffset = r.u32();
  const type = r.u32();
  const flags = Number(r.u64() & 0xffff_ffffn);
  const address = r.u64();
  const offset = Number(r.u64());
  const size = Number(r.u64());
  const link = r.u32();
  const info = r.u32();
  r.skip(8);
  const entrySize = Number(r.u64());
  return { index, nameOffset, type, flags, address, offset, size, link, info, entrySize };
}

/** Section headers, with the counts that did not fit the file header taken from section 0. */
function sectionTable(
  bytes: Uint8Array,
  header: Header,
  path: string,
): { raw: RawSection[]; nameIndex: number; extendedSegments: number } {
  if (header.sectionOffset === 0) return { raw: [], nameIndex: 0, extendedSegments: 0 };
  if (header.sectionEntry !== SHDR_SIZE) throw new Malformed(`section headers of ${header.sectionEntry} bytes`);
  const fits = (count: number): boolean => header.sectionOffset + count * SHDR_SIZE <= bytes.length;
  const truncated = (): never => {
    throw new UserError('elf.truncated', { path, what: 'the section headers' });
  };
  if (!fits(1)) truncated();
  const first = readSection(new Reader(bytes, header.sectionOffset), 0);
  const count = header.sectionCount === 0 ? first.size : header.sectionCount;
  if (count > MAX_SECTIONS) throw new Malformed(`${count} sections`);
  if (!fits(count)) truncated();
  const r = new Reader(bytes, header.sectionOffset);
  return {
    raw: Array.from({ length: count }, (_, index) => readSection(r, index)),
    nameIndex: header.nameIndex === SHN_XINDEX ? first.link : header.nameIndex,
    extendedSegments: first.info,
  };
}

function nameSections(
  bytes: Uint8Array,
  raw: readonly RawSection[],
  nameIndex: number,
  problems: string[],
): ElfSection[] {
  const names = raw[nameIndex];
  const inFile = (s: RawSection): boolean => s.offset + s.size <= bytes.length;
  const nameAt = (offset: number): string => {
    if (names === undefined || names.type === SHT_NOBITS || !inFile(names) || offset >= names.size) return '';
    try {
      return new Reader(bytes, names.offset + offset, names.offset + names.size).text();
    } catch (error) {
      if (error instanceof Malformed) return '';
      throw error;
    }
  };
  return raw.map(({ nameOffset, info: _, ...section }) => {
    const name = nameAt(nameOffset);
    if (section.type !== SHT_NOBITS && section.type !== 0 && !inFile(section as RawSection)) {
      if (problems.length < 20) problems.push(`section ${section.index} ${name} lies outside of the file`);
      return { ...section, name, type: SHT_NOBITS };
    }
    return { ...section, name };
  });
}

/** A section's bytes in the file (still compressed if SHF_COMPRESSED); undefined when it has none. */
export function sectionBytes(elf: ElfFile, section: ElfSection): Uint8Array | undefined {
  if (section.type === SHT_NOBITS || section.type === 0) return undefined;
  return elf.bytes.subarray(section.offset, section.offset + section.size);
}

export const sectionNamed = (elf: ElfFile, name: string): ElfSection | undefined =>
  elf.sections.find((section) => section.name === name);

/** Bytes to put into memory: `data` at `address`, followed by zeroes up to `memSize`. */
export interface LoadSegment {
  /** Physical address. */
  readonly address: number;
  readonly data: Uint8Array;
  readonly memSize: number;
  readonly flags: { readonly read: boolean; readonly write: boolean; readonly execute: boolean };
}

/** Highest address + 1 that a segment may reach: 48 bits, the most an Arm core without LPA has. */
const ADDRESS_LIMIT = 2 ** 48;
/** The memory that all segments together may ask for. */
const MAX_MEMORY = 3 * 2 ** 30;

/**
 * What a loader puts into memory, ascending, by physical address.
 * @throws UserError when a segment is cut off, too large, outside of the address space, or overlaps another.
 */
export function loadSegments(elf: ElfFile): LoadSegment[] {
  const { path } = elf;
  const loads = elf.segments.filter((s) => s.type === PT_LOAD && s.memSize > 0);
  if (loads.length === 0) throw new UserError('elf.nothingToLoad', { path });
  const result = loads.map((s) => loadSegment(elf, s)).sort((a, b) => a.address - b.address);
  let total = 0;
  for (const [i, segment] of result.entries()) {
    const previous = result[i - 1];
    if (previous !== undefined && previous.address + previous.memSize > segment.address) {
      throw new UserError('elf.overlap', { path, a: hex(previous.address), b: hex(segment.address) });
    }
    total += segment.memSize;
  }
  if (total > MAX_MEMORY) throw new UserError('elf.oversized', { path, what: 'the program', size: total });
  return result;
}

const hex = (n: number | bigint): string => `0x${n.toString(16)}`;

function loadSegment(elf: ElfFile, s: ElfSegment): LoadSegment {
  const { path } = elf;
  const what = `the segment at ${hex(s.paddr)}`;
  if (s.fileSize > s.memSize)
    throw new UserError('elf.malformed', { path, what: `${what} has more bytes than memory` });
  if (s.memSize > MAX_MEMORY) throw new UserError('elf.oversized', { path, what, size: s.memSize });
  if (s.paddr > BigInt(ADDRESS_LIMIT - s.memSize)) throw new UserError('elf.address', { path, address: hex(s.paddr) });
  if (s.offset + s.fileSize > elf.bytes.length) throw new UserError('elf.truncated', { path, what });
  return {
    address: Number(s.paddr),
    data: elf.bytes.subarray(s.offset, s.offset + s.fileSize),
    memSize: s.memSize,
    flags: { read: (s.flags & PF_R) !== 0, write: (s.flags & PF_W) !== 0, execute: (s.flags & PF_X) !== 0 },
  };
}

/** Where execution starts as a physical address: the header's entry, moved with the executable segment that holds it. */
export function physicalEntry(elf: ElfFile): number {
  const holder = elf.segments.find(
    (s) =>
      s.type === PT_LOAD && (s.flags & PF_X) !== 0 && elf.entry >= s.vaddr && elf.entry < s.vaddr + BigInt(s.fileSize),
  );
  const entry = holder === undefined ? elf.entry : elf.entry - holder.vaddr + holder.paddr;
  if (entry > BigInt(ADDRESS_LIMIT)) throw new UserError('elf.address', { path: elf.path, address: hex(entry) });
  return Number(entry);
}
