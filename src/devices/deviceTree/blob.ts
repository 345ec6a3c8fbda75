/**
 * Flattened device trees (Devicetree Specification, chapter "Flattened Devicetree (DTB) Format", version 17): a writer, and a
 * reader that takes any bytes and either gives a tree or says what is wrong with them.
 */
import { bug } from '../../base/errors';
import { decodeUtf8, encodeUtf8 } from '../../base/utf8';
import type { Reservation, TreeNode, TreeProperty } from './node';

const MAGIC = 0xd00dfeed;
const VERSION = 17;
const LAST_COMPATIBLE = 16;
const HEADER_BYTES = 40;
const BEGIN_NODE = 1;
const END_NODE = 2;
const PROPERTY = 3;
const NOP = 4;
const END = 9;

const MAX_DEPTH = 64;
export const MAX_TREE_BYTES = 16 * 1024 * 1024;

export interface DeviceTreeBlob {
  readonly root: TreeNode;
  readonly reservations: readonly Reservation[];
  readonly bootCpu: number;
}

const aligned = (n: number, to: number): number => Math.ceil(n / to) * to;

/** Grows as it is written; numbers are big-endian. */
class Output {
  private bytes = new Uint8Array(4096);
  length = 0;

  private room(more: number): void {
    if (this.length + more <= this.bytes.length) return;
    const bigger = new Uint8Array(Math.max(2 * this.bytes.length, this.length + more));
    bigger.set(this.bytes);
    this.bytes = bigger;
  }

  word(value: number): void {
    this.room(4);
    new DataView(this.bytes.buffer).setUint32(this.length, value);
    this.length += 4;
  }

  /** Bytes, then zeros up to a multiple of four. */
  padded(value: Uint8Array): void {
    const total = aligned(value.length, 4);
    this.room(total);
    this.bytes.set(value, this.length);
    this.length += total;
  }

  done(): Uint8Array {
    return this.bytes.subarray(0, this.length);
  }
}

class StringTable {
  private readonly offsets = new Map<string, number>();
  private readonly parts: Uint8Array[] = [];
  private length = 0;

  offset(text: string): number {
    const known = this.offsets.get(text);
    if (known !== undefined) return known;
    const bytes = encodeUtf8(`${text}\0`);
    const at = this.length;
    this.offsets.set(text, at);
    this.parts.push(bytes);
    this.length += bytes.length;
    return at;
  }

  done(): Uint8Array {
    return Uint8Array.from(this.parts.flatMap((part) => [...part]));
  }
}

function writeNode(node: TreeNode, out: Output, names: StringTable): void {
  out.word(BEGIN_NODE);
  out.padded(encodeUtf8(`${node.name}\0`));
  for (const { name, value } of node.properties) {
    out.word(PROPERTY);
    out.word(value.length);
    out.word(names.offset(name));
    out.padded(value);
  }
  for (const child of node.children) writeNode(child, out, names);
  out.word(END_NODE);
}

/** The blob, `totalSize` bytes long if that is given (zeros at its end), else as short as it can be. */
export function writeDeviceTree(tree: DeviceTreeBlob, totalSize?: number): Uint8Array {
  const structure = new Output();
  const names = new StringTable();
  writeNode(tree.root, structure, names);
  structure.word(END);
  const strings = names.done();
  const reservationsAt = HEADER_BYTES;
  const structureAt = reservationsAt + 16 * (tree.reservations.length + 1);
  const stringsAt = structureAt + structure.length;
  const size = aligned(stringsAt + strings.length, 8);
  if (totalSize !== undefined && totalSize < size) bug(`a device tree of ${size} bytes in ${totalSize}`);
  const bytes = new Uint8Array(totalSize ?? size);
  const view = new DataView(bytes.buffer);
  const header = [
    MAGIC,
    bytes.length,
    structureAt,
    stringsAt,
    reservationsAt,
    VERSION,
    LAST_COMPATIBLE,
    tree.bootCpu,
    strings.length,
    structure.length,
  ];
  header.forEach((word, i) => void view.setUint32(4 * i, word));
  tree.reservations.forEach(({ address, size: length }, i) => {
    view.setBigUint64(reservationsAt + 16 * i, address);
    view.setBigUint64(reservationsAt + 16 * i + 8, length);
  });
  bytes.set(structure.done(), structureAt);
  bytes.set(strings, stringsAt);
  return bytes;
}

/** What is wrong with a blob, as a value. */
export interface TreeProblem {
  readonly problem: string;
}

/** Thrown inside the reader only; readDeviceTree turns it into a value. */
class Malformed extends Error {}

function fail(what: string): never {
  throw new Malformed(what);
}

class Input {
  at: number;
  private readonly view: DataView;

  constructor(
    private readonly bytes: Uint8Array,
    private readonly start: number,
    private readonly end: number,
  ) {
    if (start > end || end > bytes.length) fail('a block lies outside of the file');
    this.at = start;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  word(): number {
    if (this.at + 4 > this.end) fail('the structure ends in the middle');
    this.at += 4;
    return this.view.getUint32(this.at - 4);
  }

  wide(): bigint {
    const high = BigInt(this.word());
    return (high << 32n) | BigInt(this.word());
  }

  take(length: number): Uint8Array {
    if (length > this.end - this.at) fail('a property is longer than the structure');
    const value = this.bytes.slice(this.at, this.at + length);
    this.at = this.start + aligned(this.at + length - this.start, 4);
    return value;
  }

  /** Text up to a zero byte at `from`, which must lie inside. */
  textAt(from: number): string {
    const stop = from < this.end ? this.bytes.indexOf(0, from) : -1;
    if (stop < 0 || stop >= this.end) fail('a name has no end');
    return decodeUtf8(this.bytes.subarray(from, stop));
  }

  nodeName(): string {
    const from = this.at;
    const name = this.textAt(from);
    const stop = this.bytes.indexOf(0, from);
    this.at = this.start + aligned(stop + 1 - this.start, 4);
    return name;
  }
}

function readNode(input: Input, names: Input, namesAt: number, depth: number): TreeNode {
  if (depth > MAX_DEPTH) fail(`nodes are nested more than ${MAX_DEPTH} deep`);
  const name = input.nodeName();
  const properties: TreeProperty[] = [];
  const children: TreeNode[] = [];
  for (;;) {
    const token = input.word();
    if (token === END_NODE) return { name, properties, children };
    if (token === NOP) continue;
    if (token === BEGIN_NODE) {
      children.push(readNode(input, names, namesAt, depth + 1));
      continue;
    }
    if (token !== PROPERTY) fail(`unknown token ${token} in the structure`);
    if (children.length > 0) fail('a property follows a child node');
    const length = input.word();
    const nameOffset = input.word();
    properties.push({ name: names.textAt(namesAt + nameOffset), value: input.take(length) });
  }
}

function readReservations(input: Input): Reservation[] {
  const found: Reservation[] = [];
  for (;;) {
    const address = input.wide();
    const size = input.wide();
    if (address === 0n && size === 0n) return found;
    found.push({ address, size });
  }
}

function read(bytes: Uint8Array): DeviceTreeBlob {
  if (bytes.length < HEADER_BYTES) fail('it is shorter than a header');
  const header = new Input(bytes, 0, HEADER_BYTES);
  if (header.word() !== MAGIC) fail('the magic number is wrong');
  const total = header.word();
  if (total > bytes.length) fail(`it says ${total} bytes and has ${bytes.length}`);
  if (total > MAX_TREE_BYTES) fail(`it is larger than ${MAX_TREE_BYTES} bytes`);
  const structureAt = header.word();
  const namesAt = header.word();
  const reservationsAt = header.word();
  const version = header.word();
  const compatible = header.word();
  if (version < LAST_COMPATIBLE || compatible > VERSION) fail(`version ${version} is not known`);
  const bootCpu = header.word();
  const namesBytes = header.word();
  const structureBytes = version >= VERSION ? header.word() : total - structureAt;
  const structure = new Input(bytes, structureAt, Math.min(structureAt + structureBytes, total));
  const names = new Input(bytes, namesAt, Math.min(namesAt + namesBytes, total));
  const reservations = readReservations(new Input(bytes, reservationsAt, total));
  let token = structure.word();
  while (token === NOP) token = structure.word();
  if (token !== BEGIN_NODE) fail('there is no root node');
  return { root: readNode(structure, names, namesAt, 0), reservations, bootCpu };
}

/** The tree in `bytes` (which may be longer than it), or what is wrong. */
export function readDeviceTree(bytes: Uint8Array): DeviceTreeBlob | TreeProblem {
  try {
    return read(bytes);
  } catch (error) {
    if (error instanceof Malformed) return { problem: error.message };
    throw error;
  }
}
