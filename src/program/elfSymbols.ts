/**
 * Symbol tables of an ELF file (.symtab, else .dynsym). Mapping symbols ($x, $d: AAELF64 section "Mapping symbols") are kept
 * apart: they say which ranges of a section hold code and which data, and are no names for anything.
 */

import { type ElfFile, SHT_DYNSYM, SHT_STRTAB, SHT_SYMTAB, sectionBytes } from './elf';
import { Malformed, Reader } from './reader';

export type SymbolKind = 'function' | 'object' | 'label' | 'tls';

export interface ElfSymbol {
  readonly name: string;
  /** Link-time value. */
  readonly value: bigint;
  readonly size: bigint;
  readonly kind: SymbolKind;
  readonly binding: 'local' | 'global' | 'weak';
  /** Section index; -1 for absolute symbols (constants, which no load offset moves). */
  readonly section: number;
  /** Source file of a local symbol, as the table has it (no folder). */
  readonly file: string | undefined;
}

/** From `address` to the next mark of the same section: code or data. */
export interface MappingMark {
  readonly address: bigint;
  readonly section: number;
  readonly code: boolean;
}

export interface ElfSymbols {
  readonly symbols: readonly ElfSymbol[];
  /** Ascending by address. */
  readonly marks: readonly MappingMark[];
  readonly problems: readonly string[];
}

const SYM_SIZE = 24;
const MAX_SYMBOLS = 4_000_000;
const SHN_UNDEF = 0;
const SHN_ABS = 0xfff1;
const SHN_LORESERVE = 0xff00;
const STT_FILE = 4;
const kinds: Readonly<Record<number, SymbolKind>> = {
  0: 'label',
  1: 'object',
  2: 'function',
  6: 'tls',
  10: 'function',
};
const bindings = ['local', 'global', 'weak'] as const;
const isMappingSymbol = (name: string): boolean => /^\$[xd](\..*)?$/.test(name);

/** Reads the symbols; never throws, what is broken is left out and told in `problems`. */
export function readSymbols(elf: ElfFile): ElfSymbols {
  const table =
    elf.sections.find((s) => s.type === SHT_SYMTAB && s.size >= SYM_SIZE) ??
    elf.sections.find((s) => s.type === SHT_DYNSYM);
  const bytes = table && sectionBytes(elf, table);
  if (table === undefined || bytes === undefined) return { symbols: [], marks: [], problems: [] };
  const problems: string[] = [];
  const strings = elf.sections[table.link];
  const text = strings?.type === SHT_STRTAB ? sectionBytes(elf, strings) : undefined;
  if (text === undefined) return { symbols: [], marks: [], problems: [`${table.name} has no string table`] };
  let count = Math.floor(bytes.length / SYM_SIZE);
  if (count > MAX_SYMBOLS) {
    problems.push(`${table.name} has ${count} symbols, only ${MAX_SYMBOLS} are read`);
    count = MAX_SYMBOLS;
  }
  return readTable(bytes, text, count, problems);
}

function readTable(bytes: Uint8Array, text: Uint8Array, count: number, problems: string[]): ElfSymbols {
  const symbols: ElfSymbol[] = [];
  const marks: MappingMark[] = [];
  const names = nameReader(text, problems);
  const r = new Reader(bytes);
  let file: string | undefined;
  for (let i = 0; i < count; i++) {
    const nameOffset = r.u32();
    const info = r.u8();
    r.skip(1);
    const index = r.u16();
    const value = r.u64();
    const size = r.u64();
    const type = info & 15;
    const local = info >> 4 === 0;
    if (type === STT_FILE) file = names(nameOffset) || undefined;
    const kind = kinds[type];
    if (kind === undefined || index === SHN_UNDEF || nameOffset === 0) continue;
    const name = names(nameOffset);
    if (name === '') continue;
    const section = index === SHN_ABS ? -1 : index;
    if (local && isMappingSymbol(name)) marks.push({ address: value, section, code: name[1] === 'x' });
    else if (index < SHN_LORESERVE || index === SHN_ABS) {
      const binding = bindings[info >> 4] ?? 'global';
      symbols.push({ name, value, size, kind, binding, section, file: local ? file : undefined });
    }
  }
  marks.sort((a, b) => (a.address < b.address ? -1 : a.address > b.address ? 1 : 0));
  return { symbols, marks, problems };
}

function nameReader(text: Uint8Array, problems: string[]): (offset: number) => string {
  let bad = 0;
  const r = new Reader(text);
  return (offset) => {
    try {
      r.seek(offset);
      return r.text();
    } catch (error) {
      if (!(error instanceof Malformed)) throw error;
      if (bad++ === 0) problems.push('a symbol name lies outside of the string table');
      return '';
    }
  };
}
