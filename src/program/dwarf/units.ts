/**
 * Compilation units with what is asked of them most: name, folder, language, address ranges and line table; and the index
 * from an address to its unit.
 */

import type { AddressRange } from '../debugModel';
import { ASSEMBLY_LANGUAGES, AT, TAG } from './constants';
import type { DebugFile } from './debugFile';
import { IntervalMap } from './intervals';
import { type LineHeader, type LineRows, readLineHeader, runLineProgram } from './lineProgram';
import { joinPath } from './paths';
import { rangesOf } from './ranges';
import type { Unit } from './unit';

/** A unit's part of .debug_line, shared by units that name the same offset. */
export class UnitLines {
  private decoded: LineRows | undefined;

  constructor(
    private readonly file: DebugFile,
    readonly header: LineHeader,
    private readonly name: string,
  ) {}

  get rows(): LineRows {
    this.decoded ??= runLineProgram(this.file, this.header, (text) => this.file.problems.add(`${this.name}: ${text}`));
    return this.decoded;
  }
}

export class CompileUnit {
  readonly name: string;
  readonly folder: string;
  readonly assembly: boolean;
  private rangeList: readonly AddressRange[] | undefined;
  private linesRead: UnitLines | undefined | 'none';

  constructor(
    readonly file: DebugFile,
    readonly unit: Unit,
    private readonly lineCache: Map<number, UnitLines>,
  ) {
    const { root } = unit;
    this.name = file.text(root, AT.name) ?? '';
    this.folder = file.text(root, AT.compDir) ?? '';
    this.assembly = ASSEMBLY_LANGUAGES.includes(root.number(AT.language) ?? 0);
  }

  get path(): string {
    return joinPath(this.folder, this.name);
  }

  get lines(): UnitLines | undefined {
    this.linesRead ??=
      this.file.problems.guard(`line table of ${this.name}`, undefined, () => this.readLines()) ?? 'none';
    return this.linesRead === 'none' ? undefined : this.linesRead;
  }

  private readLines(): UnitLines | undefined {
    const offset = this.unit.root.number(AT.stmtList);
    if (offset === undefined) return undefined;
    let lines = this.lineCache.get(offset);
    if (lines === undefined) {
      lines = new UnitLines(this.file, readLineHeader(this.file, this.unit, offset, this.name, this.folder), this.name);
      this.lineCache.set(offset, lines);
    }
    return lines;
  }

  /** Code of the unit: its own ranges, or those of its line table if it states none. */
  get ranges(): readonly AddressRange[] {
    this.rangeList ??= this.readRanges();
    return this.rangeList;
  }

  private readRanges(): readonly AddressRange[] {
    const stated = this.file.problems.guard(`ranges of ${this.name}`, [], () => rangesOf(this.file, this.unit.root));
    return stated.length > 0 ? stated : (this.lines?.rows.sequences ?? []);
  }

  /** Path of a file number as DW_AT_decl_file, DW_AT_call_file and line rows have it. */
  filePath(number: number): string | undefined {
    return this.lines?.header.files[number];
  }
}

const CODE_UNITS: readonly number[] = [TAG.compileUnit, TAG.partialUnit, TAG.skeletonUnit];

export class Units {
  readonly list: readonly CompileUnit[];
  private readonly byOffset = new Map<number, CompileUnit>();
  private index: IntervalMap<CompileUnit> | undefined;

  constructor(readonly file: DebugFile) {
    const lineCache = new Map<number, UnitLines>();
    const list: CompileUnit[] = [];
    for (const unit of file.units) {
      file.problems.guard(`unit at 0x${unit.header.offset.toString(16)}`, undefined, () => {
        if (!CODE_UNITS.includes(unit.root.tag)) return;
        const compileUnit = new CompileUnit(file, unit, lineCache);
        list.push(compileUnit);
        this.byOffset.set(unit.header.offset, compileUnit);
      });
    }
    this.list = list;
  }

  /** The unit whose code covers the address. */
  at(address: bigint): CompileUnit | undefined {
    if (this.index === undefined) {
      this.index = new IntervalMap();
      for (const unit of this.list) for (const range of unit.ranges) this.index.add(range.low, range.high, unit);
    }
    return this.index.find(address)?.value;
  }

  /** The compilation unit of a DIE's unit; undefined for type units and broken ones. */
  of(unit: Unit): CompileUnit | undefined {
    return unit.header.section === 'info' ? this.byOffset.get(unit.header.offset) : undefined;
  }
}
