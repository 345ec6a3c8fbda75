/**
 * All units of one file, and the meaning of attribute values that point elsewhere: strings, addresses, references and their
 * bases. Addresses leave this module as run-time addresses (load offset added); addresses of code that the linker dropped
 * are recognised and never leave it.
 */

import { type ElfFile, SHF_ALLOC } from '../elf';
import { Malformed, type Reader } from '../reader';
import type { AbbrevTable } from './abbrev';
import { AT, FORM, UNIT } from './constants';
import { readOffset } from './forms';
import { Problems, type SectionName, Sections } from './sections';
import { type Die, readUnitHeaders, Unit } from './unit';

const MASK = (1n << 64n) - 1n;

export class DebugFile {
  readonly problems = new Problems();
  readonly sections: Sections;
  /** Units of .debug_info, ascending by offset. */
  readonly units: readonly Unit[];
  private readonly typeUnits: readonly Unit[];
  private signatures: Map<bigint, Unit> | undefined;
  private readonly zeroIsCode: boolean;

  constructor(
    elf: ElfFile,
    readonly loadOffset: bigint,
  ) {
    this.sections = new Sections(elf, this.problems);
    const abbrevTables = new Map<number, AbbrevTable>();
    const read = (section: 'info' | 'types'): Unit[] =>
      readUnitHeaders(section, this.sections.get(section), (text) => this.problems.add(text)).map(
        (header) => new Unit(header, this.sections, abbrevTables),
      );
    this.units = read('info');
    this.typeUnits = read('types');
    this.zeroIsCode = elf.sections.some((s) => (s.flags & SHF_ALLOC) !== 0 && s.address === 0n && s.size > 0);
    if (this.units.some((unit) => unit.header.unitType === UNIT.skeleton)) {
      this.problems.add(
        'the debug information was split into .dwo files, which are not read: link without -gsplit-dwarf',
      );
    }
  }

  /** Run-time address of a link-time one. */
  place(address: bigint): bigint {
    return (address + this.loadOffset) & MASK;
  }

  /** True for addresses that linkers give to code they left out. */
  isDead(linkAddress: bigint): boolean {
    return linkAddress >= MASK - 1n || (linkAddress === 0n && !this.zeroIsCode);
  }

  /** The unit of .debug_info (or of the same type section) that holds a section offset. @throws Malformed */
  unitAt(offset: number, section: 'info' | 'types' = 'info'): Unit {
    const units = section === 'info' ? this.units : this.typeUnits;
    let low = 0;
    let high = units.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (units[middle].header.offset <= offset) low = middle + 1;
      else high = middle;
    }
    const unit = units[low - 1];
    if (unit === undefined || offset >= unit.header.end) throw new Malformed(`no unit at 0x${offset.toString(16)}`);
    return unit;
  }

  /** Text of a string attribute. @throws Malformed */
  text(die: Die, name: number): string | undefined {
    const value = die.raw(name);
    if (value === undefined) return undefined;
    if (typeof value === 'string') return value;
    if (typeof value !== 'number') return undefined;
    switch (die.form(name)) {
      case FORM.strp:
        return this.textIn('str', value);
      case FORM.lineStrp:
        return this.textIn('line_str', value);
      case FORM.strx:
      case FORM.strx1:
      case FORM.strx2:
      case FORM.strx3:
      case FORM.strx4:
        return this.indexedText(die.unit, value);
      default:
        return undefined;
    }
  }

  /** Text at an offset of a string section. @throws Malformed */
  textIn(section: SectionName, offset: number): string {
    const reader = this.sections.reader(section);
    if (offset >= reader.end) throw new Malformed(`text outside of .debug_${section}`);
    return reader.at(offset).text();
  }

  /** Text by its index in .debug_str_offsets. @throws Malformed */
  indexedText(unit: Unit, index: number): string {
    const { offsetSize } = unit.header;
    const base = unit.root.number(AT.strOffsetsBase) ?? (offsetSize === 8 ? 16 : 8);
    const r = this.readerAt('str_offsets', base + index * offsetSize);
    return this.textIn('str', readOffset(r, unit.header));
  }

  /** A reader of a section from an offset. @throws Malformed */
  readerAt(section: SectionName, offset: number): Reader {
    const reader = this.sections.reader(section);
    if (offset > reader.end) throw new Malformed(`offset 0x${offset.toString(16)} is outside of .debug_${section}`);
    return reader.at(offset);
  }

  /** Link address by its index in .debug_addr. @throws Malformed */
  indexedAddress(unit: Unit, index: number): bigint {
    const { addressSize } = unit.header;
    const base = unit.root.number(AT.addrBase) ?? unit.root.number(AT.gnuAddrBase) ?? 8;
    return this.readerAt('addr', base + index * addressSize).unsigned(addressSize);
  }

  /** Link address of an address attribute; undefined for other forms. @throws Malformed */
  address(die: Die, name: number): bigint | undefined {
    const value = die.raw(name);
    switch (die.form(name)) {
      case FORM.addr:
        return value as bigint;
      case FORM.addrx:
      case FORM.addrx1:
      case FORM.addrx2:
      case FORM.addrx3:
      case FORM.addrx4:
        return this.indexedAddress(die.unit, value as number);
      default:
        return undefined;
    }
  }

  /** The DIE that a reference attribute names. @throws Malformed */
  reference(die: Die, name: number): Die | undefined {
    const value = die.raw(name);
    const { header } = die.unit;
    switch (die.form(name)) {
      case FORM.ref1:
      case FORM.ref2:
      case FORM.ref4:
      case FORM.ref8:
      case FORM.refUdata:
        return die.unit.dieAt(header.offset + (value as number));
      case FORM.refAddr:
        return this.unitAt(value as number).dieAt(value as number);
      case FORM.refSig8:
        return this.signedType(value as bigint);
      case FORM.gnuRefAlt:
      case FORM.refSup4:
      case FORM.refSup8:
        throw new Malformed('it refers to a supplementary file, which is not read');
      default:
        return undefined;
    }
  }

  private signed(): Map<bigint, Unit> {
    if (this.signatures === undefined) {
      this.signatures = new Map();
      for (const unit of [...this.units, ...this.typeUnits]) {
        if (unit.header.typeOffset !== undefined && unit.header.signature !== undefined) {
          this.signatures.set(unit.header.signature, unit);
        }
      }
    }
    return this.signatures;
  }

  private signedType(signature: bigint): Die | undefined {
    const unit = this.signed().get(signature);
    return unit?.dieAt(unit.header.typeOffset as number);
  }

  /** The types of all type units. */
  signedTypes(): Die[] {
    return [...this.signed().keys()].flatMap(
      (signature) => this.problems.guard('type unit', undefined, () => this.signedType(signature)) ?? [],
    );
  }
}
