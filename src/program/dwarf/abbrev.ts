/** Abbreviation tables (DWARF 5 section 7.5.3): the shapes of debugging information entries. */

import { Malformed, Reader } from '../reader';
import { FORM } from './constants';

export interface Abbrev {
  readonly tag: number;
  readonly hasChildren: boolean;
  readonly names: readonly number[];
  readonly forms: readonly number[];
  /** Value of each DW_FORM_implicit_const attribute, by position. */
  readonly implicit: ReadonlyMap<number, number>;
}

export type AbbrevTable = ReadonlyMap<number, Abbrev>;

const MAX_ABBREVS = 200_000;
const MAX_ATTRIBUTES = 512;

/** @throws Malformed */
export function readAbbrevs(section: Uint8Array, offset: number): AbbrevTable {
  const r = new Reader(section, offset);
  const table = new Map<number, Abbrev>();
  while (!r.done) {
    const code = r.uleb();
    if (code === 0) return table;
    if (table.size >= MAX_ABBREVS) throw new Malformed('too many abbreviations');
    const abbrev = readAbbrev(r);
    if (!table.has(code)) table.set(code, abbrev);
  }
  return table;
}

function readAbbrev(r: Reader): Abbrev {
  const tag = r.uleb();
  const hasChildren = r.u8() !== 0;
  const names: number[] = [];
  const forms: number[] = [];
  const implicit = new Map<number, number>();
  for (;;) {
    const name = r.uleb();
    const form = r.uleb();
    if (form === FORM.implicitConst) implicit.set(names.length, Number(r.slebBig()));
    if (name === 0 && form === 0) break;
    if (names.length >= MAX_ATTRIBUTES) throw new Malformed('too many attributes in an abbreviation');
    names.push(name);
    forms.push(form);
  }
  return { tag, hasChildren, names, forms, implicit };
}
