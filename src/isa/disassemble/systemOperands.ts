/** Operand printers for hints, barriers, system registers, system operations and prefetch operations. */

import { barrierNames, barrierNxsNames, hintNames, prefetchName, pstateFieldNames } from '../../arch/instructions';
import type { OperandContext, OperandPrinter } from './context';
import { registerName, registerOperand } from './registers';

const hintByNumber: ReadonlyMap<number, string> = new Map(hintNames.map((h) => [h.imm, h.name]));

function hint({ f }: OperandContext): string {
  const imm = (f.CRm << 3) | f.op2;
  return hintByNumber.get(imm) ?? `hint #${imm}`;
}

function sysreg({ f, options }: OperandContext): string {
  const op0 = 2 + f.o0;
  const name = options.sysregName?.(op0, f.op1, f.CRn, f.CRm, f.op2);
  return name ?? `S${op0}_${f.op1}_C${f.CRn}_C${f.CRm}_${f.op2}`;
}

/** A named operation, or SYS. Operations without a register are named only when Rt is 31, as they must be written. */
function sys({ row, f, options }: OperandContext): string {
  const op = options.sysOpName?.(f.op1, f.CRn, f.CRm, f.op2);
  if (op?.register) return `${op.name}, ${registerOperand(row, f, 'Rt')}`;
  if (op && f.Rt === 31) return op.name;
  const rt = f.Rt === 31 ? '' : `, ${registerName(f.Rt, true, false)}`;
  return `sys #${f.op1}, c${f.CRn}, c${f.CRm}, #${f.op2}${rt}`;
}

export const systemPrinters = {
  hint,
  sysreg,
  sys,
  Cn: ({ f }) => `c${f.CRn}`,
  Cm: ({ f }) => `c${f.CRm}`,
  barrier: ({ f }) => barrierNames[f.CRm] ?? `#${f.CRm}`,
  barrierNxs: ({ f }) => barrierNxsNames[f.imm2],
  pstatefield: ({ f }) => pstateFieldNames[(f.op1 << 3) | f.op2],
  prfop: ({ f }) => prefetchName(f.Rt) ?? `#${f.Rt}`,
} as const satisfies Readonly<Record<string, OperandPrinter>>;
