/**
 * The symbol table that a Linux kernel carries inside of itself (CONFIG_KALLSYMS; scripts/kallsyms.c of the kernel's source
 * writes it, kernel/kallsyms.c reads it). Nothing in an `Image` says where it is, so it is found by its shape: a table of 256
 * tokens whose index agrees with it, before it a number of names that decode to exactly that number. Kernels differ in the
 * order of the parts: addresses stand before the names (up to 6.3) or behind the tokens (since then).
 *
 * Names are sequences of tokens, each with its length first; the first character is nm's type letter. Addresses are 32-bit
 * offsets from a base, ascending.
 */
import type { ElfSymbol } from './elfSymbols';

export interface Kallsyms {
  /** Link-time address of the image's first byte. */
  readonly base: bigint;
  /** Ascending by address. */
  readonly symbols: readonly ElfSymbol[];
}

const TOKENS = 256;
const FIRST_DIGIT = 0x30;
const MARKER_STEP = 256;
const MIN_SYMBOLS = 100;
const MAX_SYMBOLS = 4_000_000;
/** How far before the tokens the names may begin. */
const MAX_NAMES_BYTES = 64 * 2 ** 20;
/** R_AARCH64_RELATIVE. */
const RELATIVE = 0x403;
const RELA_BYTES = 24;
/** Images and their sections begin at multiples of these. */
const IMAGE_ALIGN = 0x20_0000n;
const SECTION_ALIGN = 0x1000n;
/** More copies of the digits than any image has by chance. */
const MAX_CANDIDATES = 1000;

const aligned = (n: number): number => (n + 7) & ~7;

interface Tokens {
  readonly start: number;
  /** Behind the token index. */
  readonly end: number;
  readonly text: readonly string[];
}

interface Names {
  readonly count: number;
  /** Of the count, and of the first name. */
  readonly countAt: number;
  readonly namesAt: number;
}

class Image {
  readonly view: DataView;

  constructor(readonly bytes: Uint8Array) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  u32(at: number): number {
    return at >= 0 && at + 4 <= this.bytes.length ? this.view.getUint32(at, true) : -1;
  }

  /** Behind the zero byte that ends the text at `at`; -1 at the end of the image. */
  private textEnd(at: number): number {
    const end = this.bytes.indexOf(0, at);
    return end < 0 ? -1 : end + 1;
  }

  /** The tokens, found by those of the ten digits, which stand for themselves. */
  tokens(): Tokens | undefined {
    const digits = Uint8Array.from('0\x001\x002\x003\x004\x005\x006\x007\x008\x009\x00', (c) => c.charCodeAt(0));
    let candidates = 0;
    for (let at = this.bytes.indexOf(FIRST_DIGIT); at >= 0; at = this.bytes.indexOf(FIRST_DIGIT, at + 1)) {
      if (!digits.every((byte, i) => this.bytes[at + i] === byte)) continue;
      const found = this.tokensAround(at);
      if (found) return found;
      if (++candidates === MAX_CANDIDATES) return undefined;
    }
    return undefined;
  }

  private tokensAround(digit: number): Tokens | undefined {
    let end = digit;
    for (let n = FIRST_DIGIT; n < TOKENS && end >= 0; n++) end = this.textEnd(end);
    const index = aligned(end);
    if (end < 0 || index + 2 * TOKENS > this.bytes.length) return undefined;
    const start = digit - this.view.getUint16(index + 2 * FIRST_DIGIT, true);
    const text: string[] = [];
    let at = start;
    for (let n = 0; n < TOKENS; n++) {
      if (at < 0 || at - start !== this.view.getUint16(index + 2 * n, true)) return undefined;
      const next = this.textEnd(at);
      if (next < 0) return undefined;
      text.push(String.fromCharCode(...this.bytes.subarray(at, next - 1)));
      at = next;
    }
    return { start, end: index + 2 * TOKENS, text };
  }

  /** Length of the name at `at` in tokens, and where they begin: one byte, or two with seven bits in the first. */
  nameAt(at: number): { readonly length: number; readonly from: number } {
    const first = this.bytes[at];
    return first < 0x80
      ? { length: first, from: at + 1 }
      : { length: (first & 0x7f) | (this.bytes[at + 1] << 7), from: at + 2 };
  }

  /** The names before the tokens: as many as their count says, then the markers, which say where every 256th name is. */
  names(tokens: Tokens): Names | undefined {
    const lowest = Math.max(0, tokens.start - MAX_NAMES_BYTES);
    for (let at = (tokens.start & ~7) - 8; at >= lowest; at -= 8) {
      const count = this.u32(at);
      if (count < MIN_SYMBOLS || count > MAX_SYMBOLS || this.u32(at + 4) !== 0) continue;
      if (this.markersAgree(count, at + 8, tokens.start)) return { count, countAt: at, namesAt: at + 8 };
    }
    return undefined;
  }

  private markersAgree(count: number, from: number, limit: number): boolean {
    const marks: number[] = [];
    let at = from;
    for (let n = 0; n < count; n++) {
      if (n % MARKER_STEP === 0) marks.push(at - from);
      const name = this.nameAt(at);
      at = name.from + name.length;
      if (name.length === 0 || at > limit) return false;
    }
    const markers = aligned(at);
    return marks.every((mark, i) => this.u32(markers + 4 * i) === mark);
  }

  ascending(at: number, count: number): boolean {
    if (at < 0 || at + 4 * count > this.bytes.length) return false;
    for (let n = 1; n < count; n++) if (this.u32(at + 4 * n) < this.u32(at + 4 * n - 4)) return false;
    return this.u32(at) === 0 && this.u32(at + 4 * count - 4) > 0;
  }

  /**
   * The address that offsets count from, and that of the image's first byte. The former is in place, or, in a kernel that
   * leaves its relocations to its own start code, the addend of the relocation for that place.
   */
  bases(at: number): { readonly symbols: bigint; readonly image?: bigint } | undefined {
    const word = this.view.getBigUint64(at, true);
    if (word !== 0n) return { symbols: word };
    for (let entry = 0; entry + RELA_BYTES <= this.bytes.length; entry += 8) {
      if (this.u32(entry + 8) !== RELATIVE || this.u32(entry + 12) !== 0) continue;
      const symbols = this.view.getBigUint64(entry + 16, true);
      const image = this.view.getBigUint64(entry, true) - BigInt(at);
      const placed = symbols >= image && symbols < image + BigInt(this.bytes.length);
      if (image % IMAGE_ALIGN === 0n && symbols % SECTION_ALIGN === 0n && placed) return { symbols, image };
    }
    return undefined;
  }
}

const kindOf = (letter: string): ElfSymbol['kind'] => (/[tw]/i.test(letter) ? 'function' : 'object');

/** @returns undefined where the image has no such table. Never throws: whatever the bytes are, they only fail to fit. */
export function readKallsyms(bytes: Uint8Array): Kallsyms | undefined {
  const image = new Image(bytes);
  const tokens = image.tokens();
  const names = tokens && image.names(tokens);
  if (!tokens || !names) return undefined;
  const { count } = names;
  const room = aligned(4 * count);
  const places = [
    { offsets: names.countAt - 8 - room, base: names.countAt - 8 },
    { offsets: aligned(tokens.end), base: aligned(tokens.end) + room },
  ];
  const place = places.find(({ offsets, base }) => image.ascending(offsets, count) && base + 8 <= bytes.length);
  const bases = place && image.bases(place.base);
  if (!place || !bases) return undefined;

  const symbols: ElfSymbol[] = [];
  let at = names.namesAt;
  for (let n = 0; n < count; n++) {
    const { length, from } = image.nameAt(at);
    at = from + length;
    let text = '';
    for (let i = from; i < at; i++) text += tokens.text[bytes[i]];
    const offset = image.u32(place.offsets + 4 * n);
    const end = n + 1 < count ? image.u32(place.offsets + 4 * n + 4) : offset;
    symbols.push({
      name: text.slice(1),
      value: bases.symbols + BigInt(offset),
      size: BigInt(end - offset),
      kind: kindOf(text[0] ?? ''),
      binding: text[0] === text[0]?.toLowerCase() ? 'local' : 'global',
      section: 0,
      file: undefined,
    });
  }
  const base = bases.image ?? symbols.find(({ name }) => name === '_text' || name === '_head')?.value;
  return base === undefined ? undefined : { base, symbols };
}
