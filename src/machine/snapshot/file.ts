/**
 * Snapshots as files. A header of fixed size, then sections, each compressed by itself:
 *
 *   magic "ELSNAP" and two bytes of version (little-endian)
 *   number of sections (u32)
 *   sections: kind (u32), place in linear memory (u32, of chunks), bytes (u32), compressed bytes (u32), check sum of the
 *             compressed bytes (u32, CRC-32), compressed bytes
 *
 * Section kinds in this order: facts (JSON: identity, length, instructions), text and blobs of the plain data, chunks. A file
 * is untrusted: every length is bounded before anything is made of it.
 */
import { UserError } from '../../base/errors';
import { decodeUtf8, encodeUtf8 } from '../../base/utf8';
import type { Machine } from '../api';
import { fromPlain, Malformed, toPlain } from './plain';
import { CHUNK_BYTES, type Chunk, type MachineState } from './state';

/** The platform's zlib. */
export interface Compression {
  compress(bytes: Uint8Array): Uint8Array;
  /** Exactly `length` bytes, or undefined where the data does not give them. */
  expand(bytes: Uint8Array, length: number): Uint8Array | undefined;
}

const MAGIC = 'ELSNAP';
const VERSION = 4;
const HEADER_BYTES = 12;
const SECTION_BYTES = 20;
const Kind = { Facts: 0, Text: 1, Blob: 2, Chunk: 3 } as const;

const MiB = 2 ** 20;
const most: Readonly<Record<number, number>> = {
  [Kind.Facts]: MiB,
  [Kind.Text]: 256 * MiB,
  [Kind.Blob]: 256 * MiB,
  [Kind.Chunk]: CHUNK_BYTES,
};

let crcTable: Uint32Array | undefined;
function makeCrcTable(): Uint32Array {
  const table = new Uint32Array(256);
  for (let n = 0; n < 256; n++) {
    let c = n;
    for (let k = 0; k < 8; k++) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1;
    table[n] = c;
  }
  return table;
}

/** CRC-32 (ISO 3309). */
export function crc32(bytes: Uint8Array): number {
  crcTable ??= makeCrcTable();
  let crc = 0xffffffff;
  for (let i = 0; i < bytes.length; i++) crc = crcTable[(crc ^ bytes[i]) & 0xff] ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}

interface Facts {
  readonly identity: string;
  readonly length: number;
  readonly instructions: number;
}

/** The file's parts in order; the machine must not move on before they are written. */
export function* writeSnapshot(state: MachineState, compression: Compression): Iterable<Uint8Array> {
  const { identity, length, instructions } = state;
  const plain = toPlain(state.beside);
  const facts: Facts = { identity, length, instructions };
  const sections: [kind: number, place: number, bytes: Uint8Array][] = [
    [Kind.Facts, 0, encodeUtf8(JSON.stringify(facts))],
    [Kind.Text, 0, encodeUtf8(plain.text)],
    ...plain.blobs.map((blob) => [Kind.Blob, 0, blob] as [number, number, Uint8Array]),
    ...Array.from(state.chunks, ({ at, bytes }) => [Kind.Chunk, at, bytes] as [number, number, Uint8Array]),
  ];
  const header = new Uint8Array(HEADER_BYTES);
  const view = new DataView(header.buffer);
  header.set(encodeUtf8(MAGIC));
  view.setUint16(6, VERSION, true);
  view.setUint32(8, sections.length, true);
  yield header;
  for (const [kind, place, bytes] of sections) {
    const packed = compression.compress(bytes);
    const head = new DataView(new ArrayBuffer(SECTION_BYTES));
    [kind, place, bytes.length, packed.length, crc32(packed)].forEach(
      (word, i) => void head.setUint32(4 * i, word, true),
    );
    yield new Uint8Array(head.buffer);
    yield packed;
  }
}

interface Section {
  readonly kind: number;
  readonly place: number;
  readonly length: number;
  readonly packed: Uint8Array;
}

class SnapshotReader {
  private at = HEADER_BYTES;
  private readonly view: DataView;

  constructor(
    private readonly file: Uint8Array,
    private readonly path: string,
    private readonly compression: Compression,
  ) {
    this.view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  }

  fail(what: string): never {
    throw new UserError('snapshot.damaged', { path: this.path, what });
  }

  /** Number of sections. */
  header(): number {
    const { file, view, path } = this;
    if (file.length < HEADER_BYTES || decodeUtf8(file.subarray(0, MAGIC.length)) !== MAGIC)
      throw new UserError('snapshot.none', { path });
    const version = view.getUint16(6, true);
    if (version !== VERSION) throw new UserError('snapshot.version', { path, version, known: VERSION });
    return view.getUint32(8, true);
  }

  section(): Section {
    const { file, view } = this;
    if (this.at + SECTION_BYTES > file.length) this.fail('it ends too soon');
    const [kind, place, length, packedLength, sum] = [0, 4, 8, 12, 16].map((n) => view.getUint32(this.at + n, true));
    const from = this.at + SECTION_BYTES;
    if (packedLength > file.length - from) this.fail('it ends too soon');
    this.at = from + packedLength;
    const packed = file.subarray(from, this.at);
    if (length > (most[kind] ?? 0)) this.fail('a part of it is too long');
    if (crc32(packed) !== sum) this.fail('a check sum is wrong');
    return { kind, place, length, packed };
  }

  expand({ packed, length }: Section): Uint8Array {
    return this.compression.expand(packed, length) ?? this.fail('a part of it cannot be unpacked');
  }

  json(section: Section): unknown {
    try {
      return JSON.parse(decodeUtf8(this.expand(section)));
    } catch (error) {
      if (error instanceof SyntaxError) return this.fail('it is not valid');
      throw error;
    }
  }

  end(): void {
    if (this.at !== this.file.length) this.fail('something follows its end');
  }
}

function checkedFacts(reader: SnapshotReader, value: unknown): Facts {
  const { identity, length, instructions } = (value ?? {}) as Partial<Facts>;
  if (typeof identity !== 'string' || !Number.isSafeInteger(length) || !Number.isSafeInteger(instructions))
    return reader.fail('it is not valid');
  return { identity, length: length as number, instructions: instructions as number };
}

/** Reads and checks all of a file; @throws UserError snapshot.* */
export function readSnapshot(file: Uint8Array, path: string, compression: Compression): MachineState {
  const reader = new SnapshotReader(file, path, compression);
  const count = reader.header();
  const kinds: Section[][] = [[], [], [], []];
  let last = 0;
  for (let i = 0; i < count; i++) {
    const section = reader.section();
    if (section.kind < last) reader.fail('its parts are out of order');
    last = section.kind;
    kinds[section.kind].push(section);
  }
  reader.end();
  const [facts, texts, blobs, chunks] = kinds;
  if (facts.length !== 1 || texts.length !== 1) reader.fail('a part of it is missing');
  const { identity, length, instructions } = checkedFacts(reader, reader.json(facts[0]));
  let done = 0;
  for (const { place, length: bytes } of chunks) {
    if (place < done || place + bytes > length) reader.fail('a part of it lies outside of memory');
    done = place + bytes;
  }
  return {
    identity,
    length,
    instructions,
    chunks: { [Symbol.iterator]: () => expandChunks(reader, chunks) },
    beside: plainOf(reader, texts[0], blobs),
  };
}

/** Reads a file into a machine; @throws UserError snapshot.* */
export function restoreFromFile(machine: Machine, file: Uint8Array, path: string, compression: Compression): void {
  const state = readSnapshot(file, path, compression);
  try {
    if (!machine.restore(state)) throw new UserError('snapshot.other', { path });
  } catch (error) {
    // Check sums were right, but what they are of was never a state.
    if (error instanceof TypeError || error instanceof RangeError)
      throw new UserError('snapshot.damaged', { path, what: 'its contents do not fit together' });
    throw error;
  }
}

function* expandChunks(reader: SnapshotReader, chunks: readonly Section[]): Iterator<Chunk> {
  for (const section of chunks) yield { at: section.place, bytes: reader.expand(section) };
}

function plainOf(reader: SnapshotReader, text: Section, blobs: readonly Section[]): unknown {
  try {
    return fromPlain({ text: decodeUtf8(reader.expand(text)), blobs: blobs.map((blob) => reader.expand(blob)) });
  } catch (error) {
    if (error instanceof Malformed) return reader.fail('it is not valid');
    throw error;
  }
}
