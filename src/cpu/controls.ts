/**
 * Control bits and fields by the names that they have in the register table ('HCR_EL2.TGE'), turned into storage positions
 * once. A name that the table does not have is our own bug.
 */
import { byName, redirectedTo, systemRegisters } from '../arch/sysregs/index';
import { hostFields } from '../arch/sysregs/masks';
import { bug } from '../base/errors';

/** Where a field stands in system register storage: a 32-bit word, a shift, and a mask after the shift. */
export interface ControlField {
  /** Register index * 2, plus one for the upper word. */
  readonly word: number;
  readonly shift: number;
  readonly mask: number;
  /** The same in the register that a host has in its place (HCR_EL2.{E2H,TGE}); `word` where there is none. */
  readonly hostWord: number;
  /** Exception level of the register that holds it. */
  readonly el: 1 | 2 | 3;
  readonly name: string;
}

/** Storage index of a register; it must exist. */
export function registerIndex(name: string): number {
  const index = byName(name);
  return index < 0 ? bug(`register ${name}`) : index;
}

/** The level whose software owns a register: the digit of its name, EL0 registers being EL1's. */
const ownerOf = (register: string): 1 | 2 | 3 => (register.endsWith('3') ? 3 : register.endsWith('2') ? 2 : 1);

const E2H = '(E2H)';

/**
 * A field by its name 'REGISTER.FIELD', or 'REGISTER(E2H).FIELD' of the layout under HCR_EL2.E2H; fields lie in one 32-bit
 * half of their register.
 */
export function control(name: string): ControlField {
  const dot = name.lastIndexOf('.');
  const layout = name.slice(0, dot);
  const register = layout.replace(E2H, '');
  const index = registerIndex(register);
  const row = systemRegisters[index];
  const fields = layout.endsWith(E2H) ? (hostFields(row) ?? bug(`layout ${layout}`)) : row.fields;
  const field = fields.find((f) => f.name === name.slice(dot + 1)) ?? bug(`field ${name}`);
  const host = redirectedTo(index);
  const upper = field.lo >= 32 ? 1 : 0;
  if (field.hi >= 32 !== (upper === 1)) bug(`field ${name} crosses the halves`);
  return {
    word: index * 2 + upper,
    hostWord: (host < 0 ? index : host) * 2 + upper,
    shift: field.lo - 32 * upper,
    mask: 2 ** (field.hi - field.lo + 1) - 1,
    el: ownerOf(register),
    name,
  };
}

/** Several fields by short names. */
export function controls<const T extends Readonly<Record<string, string>>>(
  names: T,
): { readonly [K in keyof T]: ControlField } {
  const result = {} as { [K in keyof T]: ControlField };
  for (const key of Object.keys(names) as (keyof T)[]) result[key] = control(names[key]);
  return result;
}
