/**
 * Units of .debug_info and .debug_types and their debugging information entries (DIEs). Nothing is kept of a unit but its
 * header and abbreviations; DIEs are read where they are needed. Walks always move forward in the section, so no data can
 * make them loop.
 */

import { Malformed, Reader } from '../reader';
import { type Abbrev, type AbbrevTable, readAbbrevs } from './abbrev';
import { AT, FORM, UNIT } from './constants';
import { type Encoding, fixedSize, type RawValue, readForm, readOffset } from './forms';
import type { Sections } from './sections';

export interface UnitHeader extends Encoding {
  readonly section: 'info' | 'types';
  /** Offset of the header in its section. */
  readonly offset: number;
  readonly end: number;
  readonly unitType: number;
  readonly abbrevOffset: number;
  /** Offset of the first DIE. */
  readonly dieOffset: number;
  /** Type units: signature, and offset of the type's DIE. */
  readonly signature: bigint | undefined;
  readonly typeOffset: number | undefined;
}

const MAX_UNITS = 1_000_000;
/** Entries of one parent: what more there is, is left out. */
const MAX_CHILDREN = 1_000_000;

/** Reads all unit headers of a section; stops at the first broken one, telling `problem`. */
export function readUnitHeaders(
  section: 'info' | 'types',
  bytes: Uint8Array,
  problem: (text: string) => void,
): UnitHeader[] {
  const units: UnitHeader[] = [];
  const r = new Reader(bytes);
  try {
    while (!r.done && units.length < MAX_UNITS) {
      const unit = readUnitHeader(section, r);
      r.seek(unit.end);
      if (unit.version >= 2 && unit.version <= 5) units.push(unit);
      else problem(`a unit of DWARF version ${unit.version} is left out`);
    }
  } catch (error) {
    if (!(error instanceof Malformed)) throw error;
    problem(`unit header at 0x${r.position.toString(16)} of .debug_${section}: ${error.message}`);
  }
  return units;
}

/** Length of what follows, and the offset size of its format. */
export function readInitialLength(r: Reader): { length: number; offsetSize: 4 | 8 } {
  const length = r.u32();
  if (length === 0xffffffff) return { length: r.size64(), offsetSize: 8 };
  if (length >= 0xfffffff0) throw new Malformed(`reserved length 0x${length.toString(16)}`);
  return { length, offsetSize: 4 };
}

function readUnitHeader(section: 'info' | 'types', r: Reader): UnitHeader {
  const offset = r.position;
  const { length, offsetSize } = readInitialLength(r);
  const end = r.position + length;
  if (end > r.end) throw new Malformed('the unit is cut off');
  const version = r.u16();
  const format = { version, addressSize: 8, offsetSize };
  let unitType: number = section === 'types' ? UNIT.type : UNIT.compile;
  let addressSize: number;
  let abbrevOffset: number;
  if (version >= 5) {
    unitType = r.u8();
    addressSize = r.u8();
    abbrevOffset = readOffset(r, format);
  } else {
    abbrevOffset = readOffset(r, format);
    addressSize = r.u8();
  }
  if (addressSize !== 8 && addressSize !== 4) throw new Malformed(`addresses of ${addressSize} bytes`);
  let signature: bigint | undefined;
  let typeOffset: number | undefined;
  if (unitType === UNIT.type || unitType === UNIT.splitType) {
    signature = r.u64();
    typeOffset = offset + readOffset(r, format);
  } else if (version >= 5 && (unitType === UNIT.skeleton || unitType === UNIT.splitCompile)) {
    signature = r.u64();
  }
  if (r.position > end) throw new Malformed('the unit header is cut off');
  return {
    section,
    offset,
    end,
    version,
    addressSize,
    offsetSize,
    unitType,
    abbrevOffset,
    dieOffset: r.position,
    signature,
    typeOffset,
  };
}

export class Unit {
  private abbrevs: AbbrevTable | undefined;
  private rootDie: Die | undefined;
  private readonly reader: Reader;

  constructor(
    readonly header: UnitHeader,
    readonly sections: Sections,
    private readonly abbrevTables: Map<number, AbbrevTable>,
  ) {
    this.reader = new Reader(sections.get(header.section));
  }

  /** The unit's own DIE. @throws Malformed */
  get root(): Die {
    this.rootDie ??= this.dieAt(this.header.dieOffset);
    if (this.rootDie === undefined) throw new Malformed('the unit is empty');
    return this.rootDie;
  }

  private abbrev(code: number): Abbrev {
    if (this.abbrevs === undefined) {
      const { abbrevOffset } = this.header;
      this.abbrevs = this.abbrevTables.get(abbrevOffset);
      if (this.abbrevs === undefined) {
        this.abbrevs = readAbbrevs(this.sections.get('abbrev'), abbrevOffset);
        this.abbrevTables.set(abbrevOffset, this.abbrevs);
      }
    }
    const abbrev = this.abbrevs.get(code);
    if (abbrev === undefined) throw new Malformed(`abbreviation ${code} is not defined`);
    return abbrev;
  }

  /** The DIE at a section offset; undefined at the null entry that ends a list. @throws Malformed */
  dieAt(offset: number): Die | undefined {
    if (offset < this.header.dieOffset || offset >= this.header.end) {
      throw new Malformed(`entry 0x${offset.toString(16)} is outside of its unit`);
    }
    const r = this.reader.at(offset, this.header.end);
    const code = r.uleb();
    if (code === 0) return undefined;
    const abbrev = this.abbrev(code);
    const values: RawValue[] = [];
    let forms = abbrev.forms;
    for (let i = 0; i < abbrev.forms.length; i++) {
      if (abbrev.forms[i] === FORM.implicitConst) {
        values.push(abbrev.implicit.get(i) ?? 0);
        continue;
      }
      const { form, value } = readForm(r, abbrev.forms[i], this.header);
      values.push(value);
      if (form !== abbrev.forms[i]) forms = forms.map((f, k) => (k === i ? form : f));
    }
    return new Die(this, offset, abbrev, forms, values, r.position);
  }

  /** Children in order; where the data is malformed, those before it (and a problem). */
  children(parent: Die): Die[] {
    const result: Die[] = [];
    if (!parent.abbrev.hasChildren) return result;
    this.sections.problems.guard(`entries of the unit at 0x${this.header.offset.toString(16)}`, undefined, () => {
      let at = parent.next;
      while (at < this.header.end && result.length < MAX_CHILDREN) {
        const child = this.dieAt(at);
        if (child === undefined) break;
        result.push(child);
        at = this.after(child);
      }
    });
    return result;
  }

  /** Offset after a DIE and all that is below it. */
  private after(die: Die): number {
    if (!die.abbrev.hasChildren) return die.next;
    const sibling = die.raw(AT.sibling);
    if (typeof sibling === 'number') {
      const target = this.header.offset + sibling;
      if (target > die.offset && target <= this.header.end) return target;
    }
    const r = this.reader.at(die.next, this.header.end);
    for (let depth = 1; depth > 0 && !r.done; ) {
      const code = r.uleb();
      if (code === 0) depth--;
      else if (this.skipValues(r, this.abbrev(code))) depth++;
    }
    return r.position;
  }

  private skipValues(r: Reader, abbrev: Abbrev): boolean {
    for (const form of abbrev.forms) {
      const size = fixedSize(form, this.header);
      if (size !== undefined) r.skip(size);
      else readForm(r, form, this.header);
    }
    return abbrev.hasChildren;
  }
}

/** A debugging information entry with its raw attribute values. */
export class Die {
  constructor(
    readonly unit: Unit,
    /** Offset in the unit's section. */
    readonly offset: number,
    readonly abbrev: Abbrev,
    private readonly forms: readonly number[],
    private readonly values: readonly RawValue[],
    /** Offset of what follows: the first child, or the next entry. */
    readonly next: number,
  ) {}

  get tag(): number {
    return this.abbrev.tag;
  }

  has(name: number): boolean {
    return this.abbrev.names.includes(name);
  }

  raw(name: number): RawValue | undefined {
    const i = this.abbrev.names.indexOf(name);
    return i < 0 ? undefined : this.values[i];
  }

  form(name: number): number | undefined {
    const i = this.abbrev.names.indexOf(name);
    return i < 0 ? undefined : this.forms[i];
  }

  flag(name: number): boolean {
    const value = this.raw(name);
    return value !== undefined && value !== 0;
  }

  /** A constant as a signed or unsigned integer that fits a number exactly; undefined for other forms. */
  number(name: number): number | undefined {
    const value = this.raw(name);
    if (typeof value === 'number') return value;
    if (typeof value !== 'bigint') return undefined;
    const n = Number(value);
    return Number.isSafeInteger(n) ? n : undefined;
  }

  bytes(name: number): Uint8Array | undefined {
    const value = this.raw(name);
    return value instanceof Uint8Array ? value : undefined;
  }

  children(): Die[] {
    return this.unit.children(this);
  }
}
