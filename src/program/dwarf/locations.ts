/**
 * Which location expression an attribute gives at a pc: an expression itself, or an entry of a location list (.debug_loc in
 * DWARF 4, .debug_loclists in DWARF 5).
 */

import { Malformed, type Reader } from '../reader';
import { AT, FORM, LLE } from './constants';
import type { DebugFile } from './debugFile';
import { listOffset, unitBase } from './ranges';
import type { Die, Unit } from './unit';

const MAX_ENTRIES = 200_000;

/** The expression at a run-time pc; undefined where the object has no location there. @throws Malformed */
export function expressionAt(file: DebugFile, die: Die, name: number, pc: bigint): Uint8Array | undefined {
  const value = die.raw(name);
  if (value === undefined) return undefined;
  if (value instanceof Uint8Array) return value;
  if (typeof value !== 'number') throw new Malformed('location of an unknown form');
  const { unit } = die;
  if (unit.header.version < 5) return searchOld(file, unit, value, pc);
  const indexed = die.form(name) === FORM.loclistx;
  const offset = indexed ? listOffset(file, unit, 'loclists', AT.loclistsBase, value) : value;
  return search(file, unit, file.readerAt('loclists', offset), pc);
}

function searchOld(file: DebugFile, unit: Unit, offset: number, pc: bigint): Uint8Array | undefined {
  const { addressSize } = unit.header;
  const r = file.readerAt('loc', offset);
  const selector = addressSize === 8 ? 0xffff_ffff_ffff_ffffn : 0xffff_ffffn;
  let base = unitBase(file, unit);
  for (let i = 0; i < MAX_ENTRIES; i++) {
    const low = r.unsigned(addressSize);
    const high = r.unsigned(addressSize);
    if (low === 0n && high === 0n) return undefined;
    if (low === selector) {
      base = high;
      continue;
    }
    const expression = r.takeBytes(r.u16());
    if (covers(file, base + low, base + high, pc)) return expression;
  }
  throw new Malformed('location list is too long');
}

const covers = (file: DebugFile, low: bigint, high: bigint, pc: bigint): boolean =>
  low < high && !file.isDead(low) && pc >= file.place(low) && pc < file.place(high);

/** One entry: an interval with its expression, the default location, or none (the base changed). */
type Entry = { low: bigint; high: bigint } | 'default' | 'base' | 'end';

function search(file: DebugFile, unit: Unit, r: Reader, pc: bigint): Uint8Array | undefined {
  const state = { base: unitBase(file, unit) };
  let fallback: Uint8Array | undefined;
  for (let i = 0; i < MAX_ENTRIES; i++) {
    const entry = readEntry(file, unit, r, state);
    if (entry === 'end') return fallback;
    if (entry === 'base') continue;
    const expression = r.takeBytes(r.uleb());
    if (entry === 'default') fallback = expression;
    else if (covers(file, entry.low, entry.high, pc)) return expression;
  }
  throw new Malformed('location list is too long');
}

function readEntry(file: DebugFile, unit: Unit, r: Reader, state: { base: bigint }): Entry {
  const { addressSize } = unit.header;
  const indexed = (): bigint => file.indexedAddress(unit, r.uleb());
  const address = (): bigint => r.unsigned(addressSize);
  const span = (low: bigint): Entry => ({ low, high: low + r.ulebBig() });
  const kind = r.u8();
  switch (kind) {
    case LLE.endOfList:
      return 'end';
    case LLE.baseAddressx:
      state.base = indexed();
      return 'base';
    case LLE.startxEndx:
      return { low: indexed(), high: indexed() };
    case LLE.startxLength:
      return span(indexed());
    case LLE.offsetPair: {
      const low = r.ulebBig();
      return { low: state.base + low, high: state.base + r.ulebBig() };
    }
    case LLE.defaultLocation:
      return 'default';
    case LLE.baseAddress:
      state.base = address();
      return 'base';
    case LLE.startEnd:
      return { low: address(), high: address() };
    case LLE.startLength:
      return span(address());
    case LLE.gnuViewPair:
      r.ulebBig();
      r.ulebBig();
      return 'base';
    default:
      throw new Malformed(`location list entry of kind ${kind}`);
  }
}
