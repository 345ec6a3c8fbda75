/**
 * Control bits and fields by the names that they have in the register table ('HCR_EL2.TGE'), turned into storage positions
 * once. A name that the table does not have is our own bug.
 */
import { byName, systemRegisters } from '../arch/sysregs/index';
import { bug } from '../base/errors';

/** Where a field stands in system register storage: a 32-bit word, a shift, and a mask after the shift. */
export interface ControlField {
  /** Register index * 2, plus one for the upper word. */
  readonly word: number;
  readonly shift: number;
  readonly mask: number;
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

/** A field by its name 'REGISTER.FIELD'; fields lie in one 32-bit half of their register. */
export function control(name: string): ControlField {
  const dot = name.lastIndexOf('.');
  const register = name.slice(0, dot);
  const index = registerIndex(register);
  const field = systemRegisters[index].fields.find((f) => f.name === name.slice(dot + 1)) ?? bug(`field ${name}`);
  const upper = field.lo >= 32 ? 1 : 0;
  if (field.hi >= 32 !== (upper === 1)) bug(`field ${name} crosses the halves`);
  return {
    word: index * 2 + upper,
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
