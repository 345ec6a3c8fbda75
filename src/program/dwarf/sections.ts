/**
 * The debug sections of a file, found by name and decompressed when first used (SHF_COMPRESSED with zlib, and the older
 * `.zdebug_` form), and the list of problems that all of src/program/dwarf writes to.
 */

import { type ElfFile, type ElfSection, SHF_COMPRESSED, sectionBytes, sectionNamed } from '../elf';
import { unzlib } from '../inflate';
import { Malformed, Reader } from '../reader';

export type SectionName =
  | 'info'
  | 'types'
  | 'abbrev'
  | 'str'
  | 'line'
  | 'line_str'
  | 'str_offsets'
  | 'addr'
  | 'ranges'
  | 'rnglists'
  | 'loc'
  | 'loclists'
  | 'aranges'
  | 'frame';

const MAX_PROBLEMS = 100;
/** What one section may grow to. */
const MAX_SECTION = 2 ** 30;
/** Deflate cannot do better than 1032 to 1. */
const MAX_RATIO = 1040;
const ELFCOMPRESS_ZLIB = 1;
const EMPTY = new Uint8Array(0);

/** Collects what could not be read: each text once, and not endlessly many. */
export class Problems {
  readonly list: string[] = [];
  private readonly seen = new Set<string>();

  add(text: string): void {
    if (this.seen.has(text) || this.list.length > MAX_PROBLEMS) return;
    this.seen.add(text);
    this.list.push(this.list.length === MAX_PROBLEMS ? 'more problems are not listed' : text);
  }

  /** Runs `body`; malformed data becomes a problem and the fallback. */
  guard<T>(what: string, fallback: T, body: () => T): T {
    try {
      return body();
    } catch (error) {
      if (!(error instanceof Malformed)) throw error;
      this.add(`${what}: ${error.message}`);
      return fallback;
    }
  }
}

export class Sections {
  private readonly cache = new Map<string, Uint8Array>();
  private readonly readers = new Map<SectionName, Reader>();

  constructor(
    private readonly elf: ElfFile,
    readonly problems: Problems,
  ) {}

  /** Bytes of `.debug_<name>`; empty when there is none. */
  get(name: SectionName): Uint8Array {
    return this.load(name, () => {
      const plain = sectionNamed(this.elf, `.debug_${name}`);
      if (plain !== undefined) return this.decompressed(plain);
      const old = sectionNamed(this.elf, `.zdebug_${name}`);
      return old === undefined ? EMPTY : gnuDecompressed(sectionBytes(this.elf, old) ?? EMPTY);
    });
  }

  /** A reader at the start of `.debug_<name>`; kept, so take others from it with `at`. */
  reader(name: SectionName): Reader {
    let reader = this.readers.get(name);
    if (reader === undefined) {
      reader = new Reader(this.get(name));
      this.readers.set(name, reader);
    }
    return reader;
  }

  /** `.eh_frame` with its link address; undefined when there is none. */
  ehFrame(): { bytes: Uint8Array; address: bigint } | undefined {
    const section = sectionNamed(this.elf, '.eh_frame');
    if (section === undefined) return undefined;
    return { bytes: this.load('eh_frame', () => this.decompressed(section)), address: section.address };
  }

  /** Link address of a section, for pointer encodings relative to it. */
  addressOf(name: string): bigint | undefined {
    return sectionNamed(this.elf, name)?.address;
  }

  private load(name: string, read: () => Uint8Array): Uint8Array {
    let bytes = this.cache.get(name);
    if (bytes === undefined) {
      bytes = this.problems.guard(`section ${name}`, EMPTY, read);
      this.cache.set(name, bytes);
    }
    return bytes;
  }

  private decompressed(section: ElfSection): Uint8Array {
    const bytes = sectionBytes(this.elf, section) ?? EMPTY;
    if ((section.flags & SHF_COMPRESSED) === 0) return bytes;
    const r = new Reader(bytes);
    const method = r.u32();
    r.skip(4);
    const size = r.size64();
    r.skip(8);
    if (method !== ELFCOMPRESS_ZLIB) throw new Malformed(`compression method ${method} is not supported`);
    return unpack(bytes.subarray(r.position), size);
  }
}

/** "ZLIB", size as 8 big-endian bytes, zlib data. */
function gnuDecompressed(bytes: Uint8Array): Uint8Array {
  if (bytes.length < 12 || new Reader(bytes).u32() !== 0x42494c5a) throw new Malformed('not compressed as .zdebug');
  const size = Number(new DataView(bytes.buffer, bytes.byteOffset + 4, 8).getBigUint64(0));
  return unpack(bytes.subarray(12), size);
}

function unpack(data: Uint8Array, size: number): Uint8Array {
  if (size > MAX_SECTION || size > data.length * MAX_RATIO) throw new Malformed(`states a size of ${size} bytes`);
  return unzlib(data, size);
}
