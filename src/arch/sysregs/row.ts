/**
 * Builders that keep the register table readable: `bits` turns a small text table into fields, `rowsOf` fills in what the
 * rows of one group share. Field text has one field a line: `hi[:lo] NAME [FEAT_X] what it does {0 meaning; 1 meaning}`. The
 * names RES0 and RES1 mark reserved bits; in brackets stand `ro`, or the feature that brings the field, with RES1 after it if
 * the bits are ones on cores that lack it.
 */
import { bug } from '../../base/errors';
import type { MinimumEl, RegisterField, RegisterVariant, SystemRegisterRow, TrapRule, ViewGroup } from './types';

const LINE = /^(\d+)(?::(\d+))?\s+([A-Za-z]\w*)(?:\s+\[([^\]]+)\])?\s*([^{[\]]*?)\s*(?:\{(.*)\})?$/;

function meanings(text: string): Record<number, string> {
  const values: Record<number, string> = {};
  for (const part of text.split(';')) {
    const match = /^\s*(0x[0-9a-fA-F]+|\d+)\s+(.+?)\s*$/.exec(part) ?? bug(`value "${part}"`);
    const number = Number(match[1]);
    if (values[number] !== undefined) bug(`value ${number} named twice in "${text}"`);
    values[number] = match[2];
  }
  return values;
}

function flags(text: string | undefined): Partial<RegisterField> {
  if (text === undefined) return {};
  if (text === 'ro') return { readOnly: true };
  const match = /^(FEAT_\w+)( RES1)?$/.exec(text) ?? bug(`field flags "${text}"`);
  return { feature: match[1], ...(match[2] === undefined ? {} : { without: 1 }) };
}

/** Parses a field table (see the head of this file). Order and coverage are the validator's business. */
export function bits(text: string): RegisterField[] {
  const fields: RegisterField[] = [];
  for (const raw of text.split('\n')) {
    const line = raw.trim();
    if (line === '') continue;
    const match = LINE.exec(line) ?? bug(`register field "${line}"`);
    const hi = Number(match[1]);
    const name = match[3];
    fields.push({
      name,
      hi,
      lo: match[2] === undefined ? hi : Number(match[2]),
      ...(name === 'RES0' || name === 'RES1' ? { res: name === 'RES1' ? 1 : 0 } : {}),
      ...flags(match[4]),
      ...(match[6] === undefined ? {} : { values: meanings(match[6]) }),
      ...(match[5] === '' ? {} : { doc: match[5] }),
    });
  }
  return fields;
}

/** What the rows of a group share; each row may override it. */
export interface RowDefaults {
  readonly group: ViewGroup;
  readonly read: MinimumEl;
  readonly write: MinimumEl;
  readonly reset: bigint | 'id';
  readonly behaviour: string;
}

export interface RowOptions extends Partial<RowDefaults> {
  readonly traps?: readonly TrapRule[];
  readonly variants?: readonly RegisterVariant[];
  readonly context?: boolean;
  readonly feature?: string;
  readonly needs?: 'fp';
  readonly status?: 'done' | 'partial';
  readonly note?: string;
}

export type RowBuilder = (
  name: string,
  encoding: string,
  section: string,
  fields: string,
  options?: RowOptions,
) => SystemRegisterRow;

function encodingOf(text: string): SystemRegisterRow['encoding'] {
  const numbers = text.split(' ').map(Number);
  if (numbers.length !== 5 || numbers.some((n) => !Number.isInteger(n))) bug(`encoding "${text}"`);
  return [numbers[0], numbers[1], numbers[2], numbers[3], numbers[4]];
}

/** A builder of rows; `encoding` is "op0 op1 CRn CRm op2" in decimal. */
export function rowsOf(defaults: RowDefaults): RowBuilder {
  return (name, encoding, section, fields, options = {}) => ({
    name,
    encoding: encodingOf(encoding),
    section,
    status: 'done',
    ...defaults,
    ...options,
    fields: bits(fields),
  });
}

/** The layout that a register of EL2 has while HCR_EL2.E2H is set. */
export const underE2h = (fields: string): readonly RegisterVariant[] => [
  { when: { control: 'HCR_EL2.E2H' }, fields: bits(fields) },
];

/** Fields of a register that is one 64-bit number. */
export const WHOLE = '63:0 VALUE';

/** Fields of a register with one number in its low 32 bits. */
export const LOW32 = `
  63:32 RES0
  31:0 VALUE`;

/** All 64 bits reserved: a register that reads as zero. */
export const NONE = '63:0 RES0';
