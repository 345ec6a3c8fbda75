/**
 * Symbols of one or several program files by name, by address and by prefix. Look-ups are binary searches or hash look-ups;
 * each module's address map is flattened once, so that nested and aliased symbols cost nothing later.
 */

import type { ElfFile } from './elf';
import { type ElfSymbol, type ElfSymbols, type MappingMark, readSymbols, type SymbolKind } from './elfSymbols';

/** A symbol at its run-time address. */
export interface ProgramSymbol {
  readonly name: string;
  /** Run-time address (or the value of an absolute symbol). */
  readonly address: bigint;
  readonly size: bigint;
  readonly kind: SymbolKind;
  readonly binding: 'local' | 'global' | 'weak';
  /** Source file of a local symbol (no folder). */
  readonly file: string | undefined;
  /** Name of the module. */
  readonly module: string;
}

export interface SymbolAtAddress extends ProgramSymbol {
  /** Of the address asked for, from the symbol's. */
  readonly offset: bigint;
}

export interface SymbolModule {
  readonly name: string;
  readonly elf: ElfFile;
  /** Where they were read already, or come from somewhere else. */
  readonly symbols?: ElfSymbols;
  /** Run-time address minus link address, modulo 2^64. */
  readonly loadOffset?: bigint;
}

const mod64 = (n: bigint): bigint => BigInt.asUintN(64, n);
const compare = (a: bigint, b: bigint): number => (a < b ? -1 : a > b ? 1 : 0);

/** Index of the last element <= wanted, or -1. */
function lastAtMost(sorted: ArrayLike<bigint>, wanted: bigint): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle] <= wanted) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** Which alias of one address stands for it: sized before unsized, functions first, global before weak before local. */
function rank(s: ElfSymbol): number {
  const kind = s.kind === 'function' ? 0 : s.kind === 'object' ? 1 : 2;
  const binding = s.binding === 'global' ? 0 : s.binding === 'weak' ? 1 : 2;
  return (s.size > 0n ? 0 : 16) + kind * 4 + binding;
}

/** Disjoint ranges of link addresses, each with the symbol that names it (or none). */
class AddressMap {
  private readonly starts: bigint[] = [];
  private readonly owners: (ElfSymbol | undefined)[] = [];
  /** Sized symbols around the current address, outermost first, each with its end. */
  private readonly open: { symbol: ElfSymbol; end: bigint }[] = [];
  private labelEnd: bigint | undefined;

  constructor(symbols: readonly ElfSymbol[], sectionEnd: (section: number) => bigint | undefined) {
    const placed = symbols.filter((s) => s.section >= 0 && s.kind !== 'tls');
    placed.sort((a, b) => compare(a.value, b.value) || rank(a) - rank(b));
    let previous: bigint | undefined;
    for (const symbol of placed) {
      if (symbol.value === previous) continue;
      previous = symbol.value;
      this.closeUntil(symbol.value);
      this.add(symbol, sectionEnd(symbol.section));
    }
    this.closeUntil(1n << 64n);
  }

  private emit(start: bigint, owner: ElfSymbol | undefined): void {
    const last = this.starts.length - 1;
    if (last >= 0 && start <= this.starts[last]) this.owners[last] = owner;
    else {
      this.starts.push(start);
      this.owners.push(owner);
    }
  }

  private closeUntil(address: bigint): void {
    if (this.labelEnd !== undefined && this.labelEnd <= address) this.emit(this.labelEnd, undefined);
    if (this.labelEnd !== undefined) this.labelEnd = undefined;
    for (let top = this.open.at(-1); top !== undefined && top.end <= address; top = this.open.at(-1)) {
      this.open.pop();
      const outer = this.open.at(-1);
      this.emit(top.end, outer?.symbol);
    }
  }

  private add(symbol: ElfSymbol, sectionEnd: bigint | undefined): void {
    if (symbol.size > 0n) {
      this.emit(symbol.value, symbol);
      this.open.push({ symbol, end: symbol.value + symbol.size });
    } else if (this.open.length === 0) {
      // A label without a size reaches to the next symbol, but not beyond its section.
      if (sectionEnd !== undefined && sectionEnd <= symbol.value) return;
      this.emit(symbol.value, symbol);
      this.labelEnd = sectionEnd;
    }
  }

  at(address: bigint): ElfSymbol | undefined {
    const i = lastAtMost(this.starts, address);
    return i < 0 ? undefined : this.owners[i];
  }
}

class Module {
  readonly map: AddressMap;
  readonly byName = new Map<string, ElfSymbol[]>();
  private readonly markStarts: bigint[];

  constructor(
    readonly name: string,
    readonly loadOffset: bigint,
    symbols: readonly ElfSymbol[],
    private readonly marks: readonly MappingMark[],
    elf: ElfFile,
  ) {
    this.map = new AddressMap(symbols, (index) => {
      const section = elf.sections[index];
      return section === undefined ? undefined : section.address + BigInt(Math.trunc(section.size));
    });
    for (const symbol of symbols) {
      const same = this.byName.get(symbol.name);
      if (same === undefined) this.byName.set(symbol.name, [symbol]);
      else same.push(symbol);
    }
    this.markStarts = marks.map((mark) => mark.address);
  }

  place(symbol: ElfSymbol): ProgramSymbol {
    const address = symbol.section < 0 ? symbol.value : mod64(symbol.value + this.loadOffset);
    const { name, size, kind, binding, file } = symbol;
    return { name, address, size, kind, binding, file, module: this.name };
  }

  markAt(address: bigint): MappingMark | undefined {
    const i = lastAtMost(this.markStarts, mod64(address - this.loadOffset));
    return i < 0 ? undefined : this.marks[i];
  }
}

export class SymbolTable {
  private readonly modules: Module[] = [];
  private sortedNames: string[] | undefined;
  private readonly problemList: string[] = [];

  /** Problems met while reading, one line each. */
  get problems(): readonly string[] {
    return this.problemList;
  }

  /** Adds a file's symbols. */
  add(module: SymbolModule): void {
    const { symbols, marks, problems } = module.symbols ?? readSymbols(module.elf);
    this.problemList.push(...problems.map((problem) => `${module.name}: ${problem}`));
    this.modules.push(new Module(module.name, module.loadOffset ?? 0n, symbols, marks, module.elf));
    this.sortedNames = undefined;
  }

  /** Every symbol of that name: globals first, then weak ones, then locals (which may be several). */
  byName(name: string): readonly ProgramSymbol[] {
    const order = { global: 0, weak: 1, local: 2 };
    return this.modules
      .flatMap((module) => (module.byName.get(name) ?? []).map((symbol) => module.place(symbol)))
      .sort((a, b) => order[a.binding] - order[b.binding]);
  }

  /** The function or object that covers the address, or the label before it. */
  byAddress(address: bigint): SymbolAtAddress | undefined {
    let best: SymbolAtAddress | undefined;
    for (const module of this.modules) {
      const symbol = module.map.at(mod64(address - module.loadOffset));
      if (symbol === undefined) continue;
      const placed = module.place(symbol);
      // Below a module that lies high, its own addresses come round to the module's end.
      const offset = address - placed.address;
      if (offset < 0n) continue;
      if (best === undefined || offset < best.offset) best = { ...placed, offset };
    }
    return best;
  }

  /** `name`, `name+0x10`, or undefined where no symbol is near. */
  describe(address: bigint): string | undefined {
    const symbol = this.byAddress(address);
    if (symbol === undefined) return undefined;
    return symbol.offset === 0n ? symbol.name : `${symbol.name}+0x${symbol.offset.toString(16)}`;
  }

  /** Up to `limit` names that start with `prefix`, sorted. */
  complete(prefix: string, limit = 100): readonly string[] {
    this.sortedNames ??= [...new Set(this.modules.flatMap((m) => [...m.byName.keys()]))].sort();
    const names = this.sortedNames;
    let low = 0;
    let high = names.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (names[middle] < prefix) low = middle + 1;
      else high = middle;
    }
    const result: string[] = [];
    for (let i = low; i < names.length && result.length < limit && names[i].startsWith(prefix); i++) {
      result.push(names[i]);
    }
    return result;
  }

  /**
   * Addresses that `name`, `name+0x10`, `name-8` or `file.c:name` mean (several for file-local duplicates); empty when there
   * is no such symbol or the text has another form.
   */
  resolve(text: string): readonly bigint[] {
    const match = /^\s*(?:([^\s:+]+):)?([A-Za-z_.$][\w.$@]*)\s*(?:([+-])\s*(0[xX][0-9a-fA-F]+|\d+))?\s*$/.exec(text);
    if (match === null) return [];
    const [, file, name, sign, digits] = match;
    const delta = digits === undefined ? 0n : BigInt(digits);
    const found = this.byName(name).filter((symbol) => file === undefined || symbol.file === file);
    const addresses = found.map((symbol) => mod64(symbol.address + (sign === '-' ? -delta : delta)));
    return [...new Set(addresses)];
  }

  /** Whether the address holds code or data by the nearest mapping symbol before it; undefined where there is none. */
  isCode(address: bigint): boolean | undefined {
    let best: { mark: MappingMark; distance: bigint } | undefined;
    for (const module of this.modules) {
      const mark = module.markAt(address);
      if (mark === undefined) continue;
      const distance = address - mod64(mark.address + module.loadOffset);
      if (distance < 0n) continue;
      if (best === undefined || distance < best.distance) best = { mark, distance };
    }
    return best?.mark.code;
  }

  /** Every function, by address: for lists and function breakpoints. */
  functions(): readonly ProgramSymbol[] {
    const all = this.modules.flatMap((module) =>
      [...module.byName.values()].flat().flatMap((s) => (s.kind === 'function' ? [module.place(s)] : [])),
    );
    return all.sort((a, b) => compare(a.address, b.address));
  }
}
