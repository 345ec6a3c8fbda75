/**
 * Call frame information: .debug_frame (DWARF 5 section 6.4) and .eh_frame (LSB, with its 'z' augmentations and pointer
 * encodings). All entries are indexed by address once; instructions are run only for the pc that is asked for.
 */

import type { AddressRange, UnwindRow } from '../debugModel';
import { Malformed, Reader } from '../reader';
import { CfaMachine } from './cfaMachine';
import type { DebugFile } from './debugFile';
import { IntervalMap } from './intervals';
import { readInitialLength } from './unit';

/** Common information entry. */
export interface Cie {
  readonly codeAlign: number;
  readonly dataAlign: number;
  readonly returnRegister: number;
  readonly addressSize: number;
  /** DW_EH_PE_* of addresses; 0 in .debug_frame. */
  readonly encoding: number;
  readonly sized: boolean;
  readonly signalFrame: boolean;
  readonly instructions: AddressRange32;
}

/** Offsets in the section. */
interface AddressRange32 {
  readonly start: number;
  readonly end: number;
}

interface Fde extends AddressRange {
  readonly cie: Cie;
  readonly instructions: AddressRange32;
  readonly table: FrameSection;
}

interface FrameSection {
  readonly bytes: Uint8Array;
  readonly source: UnwindRow['source'];
  /** Link address of the section, for pc-relative pointers. */
  readonly address: bigint;
}

const MAX_ENTRIES = 2_000_000;

export class FrameTable {
  private index: IntervalMap<Fde> | undefined;

  constructor(private readonly file: DebugFile) {}

  private build(): IntervalMap<Fde> {
    const index = new IntervalMap<Fde>();
    const eh = this.file.sections.ehFrame();
    if (eh !== undefined) this.read({ bytes: eh.bytes, source: '.eh_frame', address: eh.address }, index);
    // Found first where both cover a pc: the search takes the later of equal intervals.
    this.read({ bytes: this.file.sections.get('frame'), source: '.debug_frame', address: 0n }, index);
    return index;
  }

  private read(table: FrameSection, index: IntervalMap<Fde>): void {
    this.file.problems.guard(table.source, undefined, () => {
      const cies = new Map<number, Cie | undefined>();
      const r = new Reader(table.bytes);
      for (let n = 0; !r.done && n < MAX_ENTRIES; n++) {
        const { length, offsetSize } = readInitialLength(r);
        if (length === 0) {
          if (table.source === '.eh_frame') break;
          continue;
        }
        const entry = r.sub(length);
        this.file.problems.guard(`entry of ${table.source}`, undefined, () => {
          const fde = this.readFde(table, entry, offsetSize, cies);
          if (fde !== undefined) index.add(fde.low, fde.high, fde);
        });
      }
    });
  }

  private readFde(
    table: FrameSection,
    r: Reader,
    offsetSize: 4 | 8,
    cies: Map<number, Cie | undefined>,
  ): Fde | undefined {
    const at = r.position;
    const eh = table.source === '.eh_frame';
    const id = offsetSize === 8 ? r.u64() : BigInt(r.u32());
    if (id === (eh ? 0n : offsetSize === 8 ? 0xffff_ffff_ffff_ffffn : 0xffff_ffffn)) return undefined;
    const cieOffset = eh ? at - Number(id) : Number(id);
    if (!cies.has(cieOffset)) {
      cies.set(cieOffset, undefined);
      cies.set(cieOffset, readCie(table, cieOffset));
    }
    const cie = cies.get(cieOffset);
    if (cie === undefined) throw new Malformed('its common entry is broken');
    const low = readPointer(table, r, cie.encoding, cie.addressSize);
    const size = readPointer(table, r, cie.encoding & 0x0f, cie.addressSize);
    if (cie.sized) r.skip(r.uleb());
    if (this.file.isDead(low)) return undefined;
    const start = this.file.place(low);
    return { low: start, high: start + size, cie, instructions: { start: r.position, end: r.end }, table };
  }

  /** The row that covers a run-time pc. Never throws. */
  rowAt(pc: bigint): UnwindRow | undefined {
    this.index ??= this.build();
    const fde = this.index.find(pc)?.value;
    if (fde === undefined) return undefined;
    return this.file.problems.guard('unwind table', undefined, () => this.run(fde, pc));
  }

  private run(fde: Fde, pc: bigint): UnwindRow {
    const { cie, table } = fde;
    const pointer = (r: Reader): bigint => this.file.place(readPointer(table, r, cie.encoding, cie.addressSize));
    const machine = new CfaMachine(cie, fde.low, pc, pointer);
    machine.run(new Reader(table.bytes, cie.instructions.start, cie.instructions.end));
    machine.initialDone();
    machine.run(new Reader(table.bytes, fde.instructions.start, fde.instructions.end));
    const { cfa } = machine;
    if (cfa === undefined) throw new Malformed('no rule for the frame address');
    return {
      low: machine.low,
      high: machine.high ?? fde.high,
      cfa,
      registers: machine.registers,
      returnRegister: cie.returnRegister,
      signalFrame: cie.signalFrame,
      signedReturn: machine.signedReturn,
      source: table.source,
    };
  }
}

function readCie(table: FrameSection, offset: number): Cie {
  if (offset < 0 || offset >= table.bytes.length) throw new Malformed('its common entry is outside of the section');
  const whole = new Reader(table.bytes, offset);
  const { length, offsetSize } = readInitialLength(whole);
  const r = whole.sub(length);
  const id = offsetSize === 8 ? r.u64() : BigInt(r.u32());
  if (id !== (table.source === '.eh_frame' ? 0n : offsetSize === 8 ? 0xffff_ffff_ffff_ffffn : 0xffff_ffffn)) {
    throw new Malformed('not a common entry');
  }
  const version = r.u8();
  if (version !== 1 && version !== 3 && version !== 4) throw new Malformed(`frame information of version ${version}`);
  const augmentation = r.text();
  let addressSize = 8;
  if (version === 4) {
    addressSize = r.u8();
    r.skip(1);
  }
  const codeAlign = r.uleb();
  const dataAlign = r.sleb();
  const returnRegister = version === 1 ? r.u8() : r.uleb();
  const { encoding, sized } = readAugmentation(table, r, augmentation, addressSize);
  const signalFrame = augmentation.includes('S');
  const instructions = { start: r.position, end: r.end };
  return { codeAlign, dataAlign, returnRegister, addressSize, encoding, sized, signalFrame, instructions };
}

/** The data that the letters of an augmentation announce; leaves the reader at the instructions. */
function readAugmentation(
  table: FrameSection,
  r: Reader,
  augmentation: string,
  addressSize: number,
): { encoding: number; sized: boolean } {
  if (augmentation === '') return { encoding: 0, sized: false };
  if (!augmentation.startsWith('z')) throw new Malformed(`augmentation "${augmentation.slice(0, 16)}" is not known`);
  const data = r.sub(r.uleb());
  let encoding = 0;
  for (const letter of augmentation.slice(1)) {
    if (letter === 'R') encoding = data.u8();
    else if (letter === 'L') data.u8();
    else if (letter === 'P') readPointer(table, data, data.u8(), addressSize);
    else if (letter !== 'S' && letter !== 'B') break;
  }
  return { encoding, sized: true };
}

/** An address in one of the DW_EH_PE_* encodings, as a link address. @throws Malformed */
function readPointer(table: FrameSection, r: Reader, encoding: number, addressSize: number): bigint {
  if (encoding === 0xff) return 0n;
  const base = (encoding & 0x70) === 0x10 ? table.address + BigInt(r.position) : 0n;
  if ((encoding & 0x70) > 0x10 || (encoding & 0x80) !== 0) {
    throw new Malformed(`pointer encoding 0x${encoding.toString(16)} is not supported`);
  }
  return BigInt.asUintN(64, base + readEncoded(r, encoding & 0x0f, addressSize));
}

function readEncoded(r: Reader, format: number, addressSize: number): bigint {
  switch (format) {
    case 0x0:
      return r.unsigned(addressSize);
    case 0x1:
      return r.ulebBig();
    case 0x2:
      return BigInt(r.u16());
    case 0x3:
      return BigInt(r.u32());
    case 0x4:
      return r.u64();
    case 0x9:
      return r.slebBig();
    case 0xa:
      return BigInt(r.s16());
    case 0xb:
      return BigInt(r.s32());
    case 0xc:
      return r.s64();
    default:
      throw new Malformed(`pointer format ${format} is not known`);
  }
}
