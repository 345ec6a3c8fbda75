/**
 * Line number programs (DWARF 5 section 6.2, and the headers of versions 2 to 4): the file table, and the rows that running
 * the program gives, split into sequences. Rows are kept in typed arrays; addresses are run-time addresses.
 */

import { Malformed, Reader } from '../reader';
import { FORM, LNCT, LNE, LNS } from './constants';
import type { DebugFile } from './debugFile';
import { type Encoding, readForm, readOffset } from './forms';
import { joinPath } from './paths';
import { readInitialLength, type Unit } from './unit';

export interface LineHeader extends Encoding {
  /** Absolute (or best known) path by file number as the program and DW_AT_decl_file use it; entry 0 may be undefined before DWARF 5. */
  readonly files: readonly (string | undefined)[];
  readonly minInstruction: number;
  readonly defaultIsStmt: boolean;
  readonly lineBase: number;
  readonly lineRange: number;
  readonly opcodeBase: number;
  readonly operandCounts: readonly number[];
  /** Where the program stands in .debug_line. */
  readonly start: number;
  readonly end: number;
}

const MAX_FILES = 200_000;
const MAX_FORMATS = 64;

/** @throws Malformed */
export function readLineHeader(file: DebugFile, unit: Unit, offset: number, name: string, folder: string): LineHeader {
  const whole = file.readerAt('line', offset);
  const { length, offsetSize } = readInitialLength(whole);
  const r = whole.sub(length);
  const version = r.u16();
  if (version < 2 || version > 5) throw new Malformed(`line table of version ${version}`);
  let addressSize = unit.header.addressSize;
  if (version >= 5) {
    addressSize = r.u8();
    r.skip(1);
  }
  const encoding = { version, addressSize, offsetSize };
  const headerLength = readOffset(r, encoding);
  const start = r.position + headerLength;
  const minInstruction = r.u8();
  if (version >= 4) r.skip(1);
  const defaultIsStmt = r.u8() !== 0;
  const lineBase = r.s8();
  const lineRange = r.u8();
  const opcodeBase = r.u8();
  if (lineRange === 0) throw new Malformed('line table with a line range of 0');
  const operandCounts = [0];
  for (let i = 1; i < opcodeBase; i++) operandCounts.push(r.u8());
  if (start > r.end) throw new Malformed('line table header is cut off');
  const files = version >= 5 ? readFiles(file, unit, r, encoding, folder) : readOldFiles(r, name, folder);
  return {
    ...encoding,
    files,
    minInstruction,
    defaultIsStmt,
    lineBase,
    lineRange,
    opcodeBase,
    operandCounts,
    start,
    end: r.end,
  };
}

function readOldFiles(r: Reader, name: string, folder: string): (string | undefined)[] {
  const folders = [folder];
  for (let text = r.text(); text !== ''; text = r.text()) {
    if (folders.length > MAX_FILES) throw new Malformed('too many folders in a line table');
    folders.push(joinPath(folder, text));
  }
  const files: (string | undefined)[] = [name === '' ? undefined : joinPath(folder, name)];
  for (let text = r.text(); text !== ''; text = r.text()) {
    if (files.length > MAX_FILES) throw new Malformed('too many files in a line table');
    files.push(joinPath(folders[r.uleb()] ?? folder, text));
    r.uleb();
    r.uleb();
  }
  return files;
}

interface PathEntry {
  path: string;
  folder: number;
}

function readFiles(file: DebugFile, unit: Unit, r: Reader, encoding: Encoding, folder: string): string[] {
  const folders = readEntries(file, unit, r, encoding).map((entry) => joinPath(folder, entry.path));
  return readEntries(file, unit, r, encoding).map((entry) => joinPath(folders[entry.folder] ?? folder, entry.path));
}

/** A DWARF 5 table of folders or files: a list of (content, form) pairs says what each entry holds (MD5 sums are skipped). */
function readEntries(file: DebugFile, unit: Unit, r: Reader, encoding: Encoding): PathEntry[] {
  const formats = Array.from({ length: r.u8() }, () => ({ content: r.uleb(), form: r.uleb() }));
  const count = r.uleb();
  if (count > MAX_FILES || formats.length > MAX_FORMATS) throw new Malformed('too many entries in a line table');
  if (formats.length === 0) return [];
  return Array.from({ length: count }, () => {
    const entry: PathEntry = { path: '', folder: 0 };
    for (const { content, form } of formats) {
      const { form: real, value } = readForm(r, form, encoding);
      if (content === LNCT.directoryIndex && typeof value === 'number') entry.folder = value;
      if (content === LNCT.path) entry.path = pathText(file, unit, real, value);
    }
    return entry;
  });
}

function pathText(file: DebugFile, unit: Unit, form: number, value: unknown): string {
  if (typeof value === 'string') return value;
  if (typeof value !== 'number') throw new Malformed('a path of an unknown form');
  if (form === FORM.lineStrp) return file.textIn('line_str', value);
  if (form === FORM.strp) return file.textIn('str', value);
  if (form === FORM.strx || (form >= FORM.strx1 && form <= FORM.strx4)) return file.indexedText(unit, value);
  throw new Malformed('a path of an unknown form');
}

/** Row flags. */
export const IS_STMT = 1;
export const PROLOGUE_END = 2;

/** Rows [first, last) of a program, ascending by address; the code ends at `high`. */
export interface Sequence {
  readonly low: bigint;
  readonly high: bigint;
  readonly first: number;
  readonly last: number;
}

/** All rows of one program, as parallel arrays. */
export interface LineRows {
  readonly addresses: BigUint64Array;
  readonly files: Uint32Array;
  readonly lines: Uint32Array;
  readonly columns: Uint32Array;
  readonly flags: Uint8Array;
  /** Ascending by address; those of dropped code are left out. */
  readonly sequences: readonly Sequence[];
}

/** Runs a program. What comes before malformed data is kept, and `problem` is told. */
export function runLineProgram(file: DebugFile, header: LineHeader, problem: (text: string) => void): LineRows {
  const machine = new LineMachine(file, header);
  try {
    machine.run();
  } catch (error) {
    if (!(error instanceof Malformed)) throw error;
    problem(`line program: ${error.message}`);
  }
  return machine.rows();
}

class LineMachine {
  private readonly r: Reader;
  private readonly addresses: bigint[] = [];
  private readonly fileNumbers: number[] = [];
  private readonly lineNumbers: number[] = [];
  private readonly columnNumbers: number[] = [];
  private readonly flags: number[] = [];
  private readonly sequences: Sequence[] = [];
  private first = 0;
  private sorted = true;

  private address = 0n;
  private fileNumber = 1;
  private line = 1;
  private column = 0;
  private isStmt = false;
  private prologueEnd = false;

  constructor(
    private readonly file: DebugFile,
    private readonly header: LineHeader,
  ) {
    this.r = new Reader(file.sections.get('line'), header.start, header.end);
    this.reset();
  }

  private reset(): void {
    this.address = 0n;
    this.fileNumber = 1;
    this.line = 1;
    this.column = 0;
    this.isStmt = this.header.defaultIsStmt;
    this.prologueEnd = false;
    this.first = this.addresses.length;
    this.sorted = true;
  }

  run(): void {
    const { opcodeBase, lineBase, lineRange, minInstruction } = this.header;
    while (!this.r.done) {
      const opcode = this.r.u8();
      if (opcode >= opcodeBase) {
        const adjusted = opcode - opcodeBase;
        this.advance(Math.floor(adjusted / lineRange) * minInstruction);
        this.line += lineBase + (adjusted % lineRange);
        this.emit();
      } else if (opcode === 0) this.extended();
      else this.standard(opcode);
    }
    this.dropOpen();
  }

  private advance(by: number): void {
    if (by !== 0) this.address = BigInt.asUintN(64, this.address + BigInt(by));
  }

  private emit(): void {
    if (this.addresses.length > this.first && this.address < this.addresses[this.addresses.length - 1]) {
      this.sorted = false;
    }
    this.addresses.push(this.address);
    this.fileNumbers.push(this.fileNumber);
    this.lineNumbers.push(Math.max(0, this.line));
    this.columnNumbers.push(this.column);
    this.flags.push((this.isStmt ? IS_STMT : 0) | (this.prologueEnd ? PROLOGUE_END : 0));
    this.prologueEnd = false;
  }

  private standard(opcode: number): void {
    const { r, header } = this;
    switch (opcode) {
      case LNS.copy:
        this.emit();
        return;
      case LNS.advancePc:
        this.address = BigInt.asUintN(64, this.address + r.ulebBig() * BigInt(header.minInstruction));
        return;
      case LNS.advanceLine:
        this.line += r.sleb();
        return;
      case LNS.setFile:
        this.fileNumber = r.uleb();
        return;
      case LNS.setColumn:
        this.column = r.uleb();
        return;
      case LNS.negateStmt:
        this.isStmt = !this.isStmt;
        return;
      case LNS.constAddPc:
        this.advance(Math.floor((255 - header.opcodeBase) / header.lineRange) * header.minInstruction);
        return;
      case LNS.fixedAdvancePc:
        this.advance(r.u16());
        return;
      case LNS.setPrologueEnd:
        this.prologueEnd = true;
        return;
      default:
        for (let i = header.operandCounts[opcode]; i > 0; i--) r.ulebBig();
    }
  }

  private extended(): void {
    const length = this.r.uleb();
    if (length === 0) return;
    const r = this.r.sub(length);
    switch (r.u8()) {
      case LNE.endSequence:
        this.endSequence();
        break;
      case LNE.setAddress:
        this.address = r.unsigned(length - 1);
        break;
    }
  }

  /** Ends a sequence: keeps its rows if they describe code that exists. */
  private endSequence(): void {
    const { first } = this;
    const last = this.addresses.length;
    const keep = last > first && this.sorted && this.address > this.addresses[first] && !this.dead(first);
    if (!keep) this.dropOpen();
    else {
      this.sequences.push({ low: this.addresses[first], high: this.address, first, last });
    }
    this.reset();
  }

  private dead(first: number): boolean {
    return this.file.isDead(this.addresses[first]);
  }

  private dropOpen(): void {
    for (const list of [this.addresses, this.fileNumbers, this.lineNumbers, this.columnNumbers, this.flags]) {
      list.length = this.first;
    }
  }

  rows(): LineRows {
    this.dropOpen();
    const { file } = this;
    const sequences = this.sequences.map((s) => ({ ...s, low: file.place(s.low), high: file.place(s.high) }));
    sequences.sort((a, b) => (a.low < b.low ? -1 : a.low > b.low ? 1 : 0));
    return {
      addresses: BigUint64Array.from(this.addresses, (address) => file.place(address)),
      files: Uint32Array.from(this.fileNumbers),
      lines: Uint32Array.from(this.lineNumbers),
      columns: Uint32Array.from(this.columnNumbers),
      flags: Uint8Array.from(this.flags),
      sequences,
    };
  }
}
