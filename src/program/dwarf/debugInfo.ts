/** The debug information of one program file: everything in src/program/dwarf behind one object. */

import type { DebugInfo, EvaluationPort, FunctionInfo, Scope, UnwindRow, Variable } from '../debugModel';
import type { ElfFile } from '../elf';
import type { CType } from '../types';
import { commonName } from '../typeTools';
import { FrameTable } from './cfi';
import { AT, TAG } from './constants';
import { DebugFile } from './debugFile';
import { FunctionReader } from './functions';
import { Lines } from './lineTable';
import { type IndexedEntry, NameIndex, topLevel, typeKey } from './nameIndex';
import { TypeReader } from './typeReader';
import type { Die } from './unit';
import { Units } from './units';

export interface DebugInfoOptions {
  /** Run-time address minus link address, modulo 2^64. */
  readonly loadOffset?: bigint;
}

/** Opens a file's debug information. Cheap: sections are read as questions come. Never throws for what the file holds. */
export function openDebugInfo(elf: ElfFile, options: DebugInfoOptions = {}): DebugInfo {
  return new Dwarf(elf, BigInt.asUintN(64, options.loadOffset ?? 0n));
}

const TYPE_TAGS: Readonly<Record<string, readonly number[]>> = {
  struct: [TAG.structureType],
  union: [TAG.unionType],
  class: [TAG.classType],
  enum: [TAG.enumerationType],
};

class Dwarf implements DebugInfo {
  readonly lines: Lines;
  private readonly file: DebugFile;
  private readonly units: Units;
  private readonly names: NameIndex;
  private readonly types: TypeReader;
  private readonly functions: FunctionReader;
  private readonly frames: FrameTable;

  constructor(
    elf: ElfFile,
    readonly loadOffset: bigint,
  ) {
    this.file = new DebugFile(elf, loadOffset);
    this.units = new Units(this.file);
    this.names = new NameIndex(this.units);
    this.types = new TypeReader(this.file, (tag, name) => this.definition(tag, name));
    this.functions = new FunctionReader(this.units, this.types);
    this.frames = new FrameTable(this.file);
    this.lines = new Lines(this.units, {
      blockAt: (address) => this.functions.blockAt(address),
      skipPrologue: (address) => {
        const fn = this.functionAt(address);
        return fn !== undefined && fn.entry === address ? this.afterPrologue(fn) : address;
      },
    });
  }

  get problems(): readonly string[] {
    return this.file.problems.list;
  }

  functionAt(pc: bigint): FunctionInfo | undefined {
    return this.functions.functionAt(pc);
  }

  callChainAt(pc: bigint): readonly FunctionInfo[] {
    return this.functions.callChainAt(pc);
  }

  scopesAt(pc: bigint): readonly Scope[] {
    return this.functions.scopesAt(pc);
  }

  private die({ dieUnit, offset }: IndexedEntry): Die | undefined {
    return this.file.problems.guard('entry', undefined, () => dieUnit.dieAt(offset));
  }

  private definition(tag: number, name: string): Die | undefined {
    const entry = this.names.find('types', typeKey(tag, name))[0];
    return entry && this.die(entry);
  }

  functionsNamed(name: string): readonly FunctionInfo[] {
    const entries = this.names.find('functions', name);
    const concrete = entries.flatMap((entry) => {
      const die = this.die(entry);
      return (die && entry.unit && this.functions.entryOf(entry.unit, die)) ?? [];
    });
    const copies = entries.flatMap(({ unit, offset }) =>
      unit === undefined ? [] : this.functions.copiesOf(unit, offset),
    );
    return [...concrete, ...copies];
  }

  /**
   * Compilers mark the end of a prologue, or give the first instruction after it a line of its own: the second line entry.
   * Two entries at the same address mean that there is no prologue.
   */
  afterPrologue(fn: FunctionInfo): bigint {
    const range = fn.ranges.find((r) => fn.entry >= r.low && fn.entry < r.high);
    if (fn.assembly || fn.callSite !== undefined || range === undefined) return fn.entry;
    const rows = this.lines.rowsIn({ low: fn.entry, high: range.high });
    const marked = rows.find((row) => row.prologueEnd);
    if (marked !== undefined) return marked.address;
    if (rows[0]?.address !== fn.entry || rows[1]?.address === fn.entry) return fn.entry;
    for (let i = 1; i < rows.length; i++) {
      // A smaller line belongs to the prologue still (parameters that were declared above the function's line).
      if (rows[i].line >= rows[i - 1].line || rows[i].line === 0) return rows[i].address;
    }
    return fn.entry;
  }

  fileGlobals(pc: bigint): readonly Variable[] {
    const unit = this.units.at(pc);
    if (unit === undefined) return [];
    const dies = topLevel(unit).filter((die) => die.tag === TAG.variable);
    const found = dies.flatMap((die) => this.functions.variable(die, 'global') ?? []);
    // A variable that is declared first and defined later may have two entries.
    return [...new Map(found.map((variable) => [variable.name, variable])).values()];
  }

  globalsNamed(name: string, pc?: bigint): readonly Variable[] {
    const here = pc === undefined ? undefined : this.units.at(pc);
    const entries = [...this.names.find('variables', name)];
    const variables = entries.flatMap((entry) => {
      const die = this.die(entry);
      const variable = die && this.functions.variable(die, 'global');
      return variable === undefined ? [] : [{ unit: entry.unit, variable }];
    });
    const rank = (v: (typeof variables)[number]): number => (v.unit === here ? 0 : v.variable.external ? 1 : 2);
    return variables.sort((a, b) => rank(a) - rank(b)).map(({ variable }) => variable);
  }

  typeNamed(name: string, pc?: bigint): CType | undefined {
    const words = name.trim().split(/\s+/);
    const tags = words.length > 1 ? TYPE_TAGS[words[0]] : undefined;
    const plain = commonName((tags === undefined ? words : words.slice(1)).join(' '));
    const here = pc === undefined ? undefined : this.units.at(pc);
    const candidates = tags ?? [TAG.baseType, TAG.typedef, TAG.classType, TAG.structureType, TAG.enumerationType];
    for (const tag of candidates) {
      const entries = this.names.find('types', typeKey(tag, plain));
      const chosen = entries.find((entry) => here !== undefined && entry.unit === here) ?? entries[0];
      const die = chosen && this.die(chosen);
      // Typedefs and base types share one key.
      if (die !== undefined && !die.flag(AT.declaration)) return this.types.read(die);
    }
    return undefined;
  }

  unwindRow(pc: bigint): UnwindRow | undefined {
    return this.frames.rowAt(pc);
  }

  entryValue(expression: Uint8Array, returnPc: bigint, caller: EvaluationPort): bigint | undefined {
    return this.functions.entryValue(expression, returnPc, caller);
  }
}

/** A port whose frame base is the function's at `pc`; what `port` says of it is not asked. */
export function withFrameBase(port: Omit<EvaluationPort, 'frameBase'>, fn: FunctionInfo, pc: bigint): EvaluationPort {
  return {
    register: (n) => port.register(n),
    memory: (address, size) => port.memory(address, size),
    cfa: () => port.cfa(),
    frameBase: () => fn.frameBase(pc, port),
    ...(port.tls === undefined ? {} : { tls: (offset: bigint) => port.tls?.(offset) }),
    ...(port.entryValue === undefined ? {} : { entryValue: (expression: Uint8Array) => port.entryValue?.(expression) }),
  };
}
