/** readMemory, writeMemory and disassemble, in every address space. */
import type { DebugProtocol as Dap } from '@vscode/debugprotocol';
import { hex64 } from '../base/bits';
import { disassemble } from '../isa';
import type { Machine, Space } from '../machine/api';
import { fromBase64, toBase64 } from '../protocol';
import { type AddressReference, addOffset, formatReference, parseReference, spaceOfEl } from './addressReference';
import type { StepPlace } from './model/code';
import { sourceOf } from './sourcePaths';
import { systemNames } from './systemNames';
import type { Target } from './target';
import { refuse } from './variables';

const MAX_READ = 1 << 20;
const MAX_ROWS = 10_000;
const PAGE = 4096;

export class MemoryRequests {
  constructor(
    private readonly machine: Machine,
    private readonly target: Target,
    /** The core and space that plain addresses mean. */
    private readonly here: () => { readonly core: number; readonly space: Space },
  ) {}

  /** The place that a reference names. */
  place(text: string): { core: number; space: Space; address: bigint } {
    const reference = parseReference(text) ?? refuse(`"${text}" is no address: give [core<N>/]<space>:0x…`);
    const here = this.here();
    const core = reference.core ?? here.core;
    if (core >= this.machine.cores.length) refuse(`there is no core ${core}`);
    const plain = reference.core === undefined && !text.includes(':');
    return { core, space: plain ? here.space : reference.space, address: reference.address };
  }

  read(memoryReference: string, offset: number, count: number): NonNullable<Dap.ReadMemoryResponse['body']> {
    const { core, space, address } = this.place(memoryReference);
    if (count > MAX_READ) refuse(`more than ${MAX_READ} bytes are asked for at once`);
    const from = addOffset(address, offset);
    const room = (1n << 64n) - from;
    const wanted = BigInt(count) > room ? Number(room) : count;
    const bytes = wanted === 0 ? new Uint8Array(0) : this.machine.peek(core, space, from, wanted);
    const unreadableBytes = bytes.length < count ? this.gap(core, space, from, bytes.length, count) : 0;
    return {
      address: hex64(from),
      ...(unreadableBytes > 0 ? { unreadableBytes } : {}),
      ...(bytes.length > 0 ? { data: toBase64(bytes) } : {}),
    };
  }

  /** Bytes from the first unreadable one up to the next readable page or the end of what was asked for. */
  private gap(core: number, space: Space, from: bigint, read: number, count: number): number {
    for (let at = read; at < count; ) {
      const address = addOffset(from, at);
      const step = PAGE - Number(address & BigInt(PAGE - 1));
      if (at > read && this.machine.peek(core, space, address, 1).length === 1) return at - read;
      at += step;
    }
    return count - read;
  }

  /** The written place and the number of bytes. */
  write(memoryReference: string, offset: number, data: string, allowPartial: boolean) {
    const bytes = fromBase64(data) ?? refuse('the data is not base64');
    const place = this.place(memoryReference);
    const address = addOffset(place.address, offset);
    const readable = this.machine.peek(place.core, place.space, address, bytes.length).length;
    if (readable < bytes.length && !allowPartial) {
      refuse(`${formatReference({ ...place, address: addOffset(address, readable) })} cannot be written`);
    }
    const written = this.machine.poke(place.core, place.space, address, bytes);
    if (written < bytes.length && !allowPartial) refuse(`only ${written} of ${bytes.length} bytes could be written`);
    return { bytesWritten: written, reference: { ...place, address } };
  }

  /**
   * Exactly `count` rows from the instruction `instructionOffset` away on. Rows outside of memory or of the address space are
   * marked invalid; their addresses never descend, as clients sort by them.
   */
  disassemble(
    memoryReference: string,
    offset: number,
    instructionOffset: number,
    count: number,
    symbols: boolean,
  ): Dap.DisassembledInstruction[] {
    const place = this.place(memoryReference);
    if (count > MAX_ROWS) refuse(`more than ${MAX_ROWS} instructions are asked for at once`);
    // Unbounded on purpose: rows before 0 and after the top of the address space are padding.
    const base = (place.address + BigInt(offset)) & ~3n;
    const first = base + 4n * BigInt(instructionOffset);
    const fetches = this.fetches(place);
    const words = this.code({ ...place, space: fetches ? 'icache' : place.space }, first, count);
    const memory = fetches ? this.code(place, first, count) : words;
    return words.map((word, i) => this.row(first + BigInt(4 * i), word, word !== memory[i], symbols));
  }

  /** Words of `count` instructions, undefined where nothing can be read. */
  private code(place: AddressReference & { core: number }, first: bigint, count: number): (number | undefined)[] {
    const words: (number | undefined)[] = [];
    while (words.length < count) {
      const address = first + BigInt(4 * words.length);
      if (address < 0n || address >= 1n << 64n) {
        words.push(undefined);
        continue;
      }
      const left = 4 * (count - words.length);
      const inPage = PAGE - Number(address & BigInt(PAGE - 1));
      const length = Math.min(left, inPage);
      const bytes = this.machine.peek(place.core, place.space, address, length);
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
      for (let at = 0; at < length; at += 4) {
        words.push(at + 4 <= bytes.length ? view.getUint32(at, true) : undefined);
      }
    }
    return words;
  }

  /** `stale`: the core would run another word than the one that it would read. */
  private row(
    address: bigint,
    word: number | undefined,
    stale: boolean,
    symbols: boolean,
  ): Dap.DisassembledInstruction {
    // Clients read the address as a number: below 0 there is none.
    const shown = address < 0n ? '0x0' : address >= 1n << 64n ? `0x${address.toString(16)}` : hex64(address);
    const step = word === undefined ? this.target.model?.at(address) : undefined;
    if (step) return this.modelRow(address, shown, step);
    if (word === undefined) return { address: shown, instruction: '', presentationHint: 'invalid' };
    const { text, comment } = disassemble(word, address, {
      ...systemNames,
      ...(symbols ? { symbol: (at: bigint) => this.target.describe(at) } : {}),
    });
    const entry = this.target.lineAt(address);
    const begins = entry !== undefined && entry.address === this.target.linked(address);
    const symbol = symbols ? this.target.describe(address) : undefined;
    return {
      address: shown,
      instructionBytes: bytesText(word) + (stale ? ' ≠ memory' : ''),
      instruction: comment === undefined ? text : `${text} // ${comment}`,
      ...(symbol === undefined ? {} : { symbol }),
      ...(begins ? { location: { path: this.target.sourceAt(address)?.path }, line: entry.line } : {}),
    };
  }

  /** A step of the hypervisor model: no instruction, but it is what the core executes there. */
  private modelRow(address: bigint, shown: string, step: StepPlace): Dap.DisassembledInstruction {
    const { model } = this.target;
    const line = this.target.sourceAt(address);
    return {
      address: shown,
      instruction: `// ${model?.stepName(step)}`,
      symbol: step.routine,
      ...(line === undefined ? {} : { location: sourceOf(line), line: line.line }),
    };
  }

  /** Whether the place is what the core fetches from now, so that its I-cache counts. */
  private fetches({ core, space }: { core: number; space: Space }): boolean {
    return space === 'va' || space === spaceOfEl(this.machine.cores[core].el);
  }
}

/** The bytes in memory order, as other disassemblers print them. */
const bytesText = (word: number): string =>
  [0, 8, 16, 24].map((shift) => ((word >>> shift) & 255).toString(16).padStart(2, '0')).join(' ');
