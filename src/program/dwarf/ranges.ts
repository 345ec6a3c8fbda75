/** Address ranges of entries: DW_AT_low_pc/high_pc, .debug_ranges (DWARF 4) and .debug_rnglists (DWARF 5). */

import type { AddressRange } from '../debugModel';
import { Malformed, type Reader } from '../reader';
import { AT, FORM, RLE } from './constants';
import type { DebugFile } from './debugFile';
import { readOffset } from './forms';
import type { Die, Unit } from './unit';

const MAX_RANGES = 200_000;

type Emit = (low: bigint, high: bigint) => void;

/** Run-time ranges of a DIE's code, in the order of the file; empty ones and those of dropped code are left out. @throws Malformed */
export function rangesOf(file: DebugFile, die: Die): AddressRange[] {
  const result: AddressRange[] = [];
  const emit: Emit = (low, high) => {
    if (result.length >= MAX_RANGES) throw new Malformed('too many ranges');
    if (low < high && !file.isDead(low)) result.push({ low: file.place(low), high: file.place(high) });
  };
  const ranges = die.raw(AT.ranges);
  if (typeof ranges === 'number') {
    readRanges(file, die, ranges, emit);
    return result;
  }
  const low = file.address(die, AT.lowPc);
  if (low === undefined) return result;
  const high = file.address(die, AT.highPc);
  if (high !== undefined) emit(low, high);
  else if (die.has(AT.highPc)) emit(low, low + BigInt(die.number(AT.highPc) ?? 0));
  return result;
}

/** Base address that offsets in a unit's lists count from (link address). */
export const unitBase = (file: DebugFile, unit: Unit): bigint => file.address(unit.root, AT.lowPc) ?? 0n;

function readRanges(file: DebugFile, die: Die, value: number, emit: Emit): void {
  const { unit } = die;
  if (unit.header.version < 5) {
    readOldRanges(file, unit, value, emit);
    return;
  }
  const indexed = die.form(AT.ranges) === FORM.rnglistx;
  const offset = indexed ? listOffset(file, unit, 'rnglists', AT.rnglistsBase, value) : value;
  readRangeList(file, unit, file.readerAt('rnglists', offset), emit);
}

/** Offset of an indexed list: the table of offsets stands at the base, and they count from it. @throws Malformed */
export function listOffset(
  file: DebugFile,
  unit: Unit,
  section: 'rnglists' | 'loclists',
  baseName: number,
  index: number,
): number {
  const { offsetSize } = unit.header;
  const base = unit.root.number(baseName) ?? (offsetSize === 8 ? 20 : 12);
  return base + readOffset(file.readerAt(section, base + index * offsetSize), unit.header);
}

function readOldRanges(file: DebugFile, unit: Unit, offset: number, emit: Emit): void {
  const { addressSize } = unit.header;
  const r = file.readerAt('ranges', offset);
  const selector = addressSize === 8 ? 0xffff_ffff_ffff_ffffn : 0xffff_ffffn;
  let base = unitBase(file, unit);
  for (;;) {
    const low = r.unsigned(addressSize);
    const high = r.unsigned(addressSize);
    if (low === 0n && high === 0n) return;
    if (low === selector) base = high;
    else emit(base + low, base + high);
  }
}

function readRangeList(file: DebugFile, unit: Unit, r: Reader, emit: Emit): void {
  const { addressSize } = unit.header;
  const indexed = (): bigint => file.indexedAddress(unit, r.uleb());
  const address = (): bigint => r.unsigned(addressSize);
  const span = (low: bigint): void => emit(low, low + r.ulebBig());
  let base = unitBase(file, unit);
  for (;;) {
    const kind = r.u8();
    switch (kind) {
      case RLE.endOfList:
        return;
      case RLE.baseAddressx:
        base = indexed();
        break;
      case RLE.startxEndx:
        emit(indexed(), indexed());
        break;
      case RLE.startxLength:
        span(indexed());
        break;
      case RLE.offsetPair: {
        const low = r.ulebBig();
        const high = r.ulebBig();
        if (!file.isDead(base)) emit(base + low, base + high);
        break;
      }
      case RLE.baseAddress:
        base = address();
        break;
      case RLE.startEnd:
        emit(address(), address());
        break;
      case RLE.startLength:
        span(address());
        break;
      default:
        throw new Malformed(`range list entry of kind ${kind}`);
    }
  }
}
