/** Names of general registers as operands: X or W by the row's width rule, SP or ZR by the row's roles. */

import type { Fields, InstructionRow, WidthRule } from '../../arch/instructions';
import { bug } from '../../base/errors';

const is64: Readonly<Record<WidthRule, (f: Fields) => boolean>> = {
  x: () => true,
  w: () => false,
  sf: (f) => f.sf === 1,
  size: (f) => f.size === 3,
  sz: (f) => f.sz === 1,
  opc: (f) => f.opc === 0,
  Q: (f) => f.Q === 1,
  imm5: (f) => (f.imm5 & 15) === 8,
  b5: (f) => f.b5 === 1,
  option: (f) => (f.option & 3) === 3 && f.sf !== 0,
};

/** The name of general register `n`; 31 is SP or ZR. */
export function registerName(n: number, wide: boolean, sp: boolean): string {
  if (n !== 31) return `${wide ? 'x' : 'w'}${n}`;
  if (sp) return wide ? 'sp' : 'wsp';
  return wide ? 'xzr' : 'wzr';
}

/** Whether the row prints register field `name` as an X register. */
export function isWide(row: InstructionRow, f: Fields, name: string): boolean {
  const rule = typeof row.width === 'object' ? row.width[name] : row.width;
  return is64[rule ?? 'x'](f);
}

/** Register field `name` of the row; `width` overrides the row's rule, `plus` gives the register after it. */
export function registerOperand(row: InstructionRow, f: Fields, name: string, width?: 'x' | 'w', plus = 0): string {
  if (!(name in f)) bug(`${row.id} prints register ${name}, which it has not`);
  const wide = width ? width === 'x' : isWide(row, f, name);
  return registerName(f[name] + plus, wide, row.sp?.includes(name) ?? false);
}
