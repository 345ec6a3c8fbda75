/** Attribute values (DWARF 5 section 7.5.5 and 7.5.6): reading one by its form, without following offsets into other sections. */

import { Malformed, type Reader } from '../reader';
import { FORM } from './constants';

/** What reading a form needs to know of its unit. */
export interface Encoding {
  readonly version: number;
  readonly addressSize: number;
  /** 8 in the 64-bit DWARF format, else 4. */
  readonly offsetSize: 4 | 8;
}

/**
 * A raw value. numbers: constants of up to 4 bytes, LEB128 numbers, flags, offsets, indices, references as in the file;
 * bigints: addresses, 8-byte constants, signatures; bytes: blocks, expressions, 16-byte data; text: inline strings.
 */
export type RawValue = number | bigint | string | Uint8Array;

export const readOffset = (r: Reader, encoding: Encoding): number => (encoding.offsetSize === 8 ? r.size64() : r.u32());

/** Numbers stay numbers where they are exact. */
const narrow = (value: bigint): RawValue => {
  const n = Number(value);
  return Number.isSafeInteger(n) ? n : value;
};

type FormReader = (r: Reader, encoding: Encoding) => RawValue;

const readers: Readonly<Record<number, FormReader>> = {
  [FORM.addr]: (r, e) => r.unsigned(e.addressSize),
  [FORM.block1]: (r) => r.takeBytes(r.u8()),
  [FORM.block2]: (r) => r.takeBytes(r.u16()),
  [FORM.block4]: (r) => r.takeBytes(r.u32()),
  [FORM.block]: (r) => r.takeBytes(r.uleb()),
  [FORM.exprloc]: (r) => r.takeBytes(r.uleb()),
  [FORM.data1]: (r) => r.u8(),
  [FORM.data2]: (r) => r.u16(),
  [FORM.data4]: (r) => r.u32(),
  [FORM.data8]: (r) => r.u64(),
  [FORM.data16]: (r) => r.takeBytes(16),
  [FORM.sdata]: (r) => narrow(r.slebBig()),
  [FORM.udata]: (r) => narrow(r.ulebBig()),
  [FORM.string]: (r) => r.text(),
  [FORM.strp]: readOffset,
  [FORM.lineStrp]: readOffset,
  [FORM.strpSup]: readOffset,
  [FORM.gnuStrpAlt]: readOffset,
  [FORM.gnuRefAlt]: readOffset,
  [FORM.secOffset]: readOffset,
  [FORM.flag]: (r) => r.u8(),
  [FORM.flagPresent]: () => 1,
  [FORM.ref1]: (r) => r.u8(),
  [FORM.ref2]: (r) => r.u16(),
  [FORM.ref4]: (r) => r.u32(),
  [FORM.ref8]: (r) => r.size64(),
  [FORM.refUdata]: (r) => r.uleb(),
  // DWARF 2 wrote these with the size of an address.
  [FORM.refAddr]: (r, e) => (e.version <= 2 ? Number(r.unsigned(e.addressSize)) : readOffset(r, e)),
  [FORM.refSig8]: (r) => r.u64(),
  [FORM.refSup4]: (r) => r.u32(),
  [FORM.refSup8]: (r) => r.size64(),
  [FORM.strx]: (r) => r.uleb(),
  [FORM.strx1]: (r) => r.u8(),
  [FORM.strx2]: (r) => r.u16(),
  [FORM.strx3]: (r) => r.u24(),
  [FORM.strx4]: (r) => r.u32(),
  [FORM.addrx]: (r) => r.uleb(),
  [FORM.addrx1]: (r) => r.u8(),
  [FORM.addrx2]: (r) => r.u16(),
  [FORM.addrx3]: (r) => r.u24(),
  [FORM.addrx4]: (r) => r.u32(),
  [FORM.loclistx]: (r) => r.uleb(),
  [FORM.rnglistx]: (r) => r.uleb(),
};

/** Reads one value; returns the form too, since DW_FORM_indirect names the real one in the data. @throws Malformed */
export function readForm(r: Reader, form: number, encoding: Encoding): { form: number; value: RawValue } {
  const real = form === FORM.indirect ? r.uleb() : form;
  const read = readers[real];
  if (read === undefined) throw new Malformed(`form 0x${real.toString(16)} is not known`);
  return { form: real, value: read(r, encoding) };
}

const fixedSizes: Readonly<Record<number, number | 'address' | 'offset'>> = {
  [FORM.addr]: 'address',
  [FORM.data1]: 1,
  [FORM.data2]: 2,
  [FORM.data4]: 4,
  [FORM.data8]: 8,
  [FORM.data16]: 16,
  [FORM.strp]: 'offset',
  [FORM.lineStrp]: 'offset',
  [FORM.secOffset]: 'offset',
  [FORM.flag]: 1,
  [FORM.flagPresent]: 0,
  [FORM.implicitConst]: 0,
  [FORM.ref1]: 1,
  [FORM.ref2]: 2,
  [FORM.ref4]: 4,
  [FORM.ref8]: 8,
  [FORM.refSig8]: 8,
  [FORM.strx1]: 1,
  [FORM.strx2]: 2,
  [FORM.strx3]: 3,
  [FORM.strx4]: 4,
};

/** Bytes that a form takes where that does not depend on the data; undefined otherwise. */
export function fixedSize(form: number, encoding: Encoding): number | undefined {
  const size = fixedSizes[form];
  return size === 'address' ? encoding.addressSize : size === 'offset' ? encoding.offsetSize : size;
}
