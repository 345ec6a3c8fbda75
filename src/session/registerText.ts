/** Registers as text: values with the symbol or the meaning that they have, and bit fields with theirs. */

import type { Described } from '../arch/described';
import { describe } from '../arch/explain';
import { hex64 } from '../base/bits';
import type { RegisterAccess } from './expressions/evaluate';
import type { Target } from './target';

/** Registers whose value is an address that may have a name. */
const ADDRESSES = /^(x\d+|sp|pc|lr|ELR_EL\d|VBAR_EL\d|FAR_EL\d|SP_EL\d)$/;

/** `0x… main+0x10`, `0x… data abort from a lower EL …`. */
export function registerText(target: Target, access: RegisterAccess, value: bigint): string {
  if (access.bits !== undefined) return access.bits === 1 ? `${value}` : `0x${value.toString(16)}`;
  if (access.size === 16) return `0x${value.toString(16).padStart(32, '0')}`;
  const digits = access.size === 4 ? `0x${value.toString(16).padStart(8, '0')}` : hex64(value);
  const note = ADDRESSES.test(access.name) ? target.describe(value) : describedAs(access.name, value)?.meaning;
  return note === undefined || note === '' ? digits : `${digits}  ${note}`;
}

function describedAs(name: string, value: bigint, e2h = false): Described | undefined {
  return describe(name === 'pstate' ? 'SPSR_EL1' : name.replace(/\[.*$/, ''), value, { e2h });
}

export interface FieldText {
  readonly name: string;
  readonly value: string;
  readonly doc: string | undefined;
}

const bitsOf = (field: Described): string => (field.hi === field.lo ? `[${field.hi}]` : `[${field.hi}:${field.lo}]`);

/** What a field's value means: as the table says, or what follows for counts that are stored minus one. */
export function fieldMeaning(field: Described): string | undefined {
  if (field.meaning !== undefined) return field.meaning;
  const minusOne = /^(.*), minus one$/.exec(field.doc ?? '');
  return minusOne ? `${field.value + 1n} (${minusOne[1]})` : undefined;
}

/** The fields of a register value, top bit first. */
export function registerChildren(name: string, value: bigint, e2h?: boolean): readonly FieldText[] {
  const fields = describedAs(name, value, e2h)?.children ?? [];
  return fields.map((field) => {
    const meaning = fieldMeaning(field);
    const text = `0x${field.value.toString(16)}`;
    return {
      name: field.name,
      value: meaning === undefined ? text : `${text}  ${meaning}`,
      doc: field.doc === undefined ? bitsOf(field) : `${bitsOf(field)} ${field.doc}`,
    };
  });
}
