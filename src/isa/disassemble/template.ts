/** Assembly templates of the table, compiled once each into a list of printers. */

import { bug } from '../../base/errors';
import type { OperandContext, OperandPrinter } from './context';
import { immediatePrinters } from './immediates';
import { memoryPrinters } from './memory';
import { registerOperand } from './registers';
import { systemPrinters } from './systemOperands';
import { vectorPrinters, vectorRegister } from './vectors';

const printers: Readonly<Record<string, OperandPrinter>> = {
  ...immediatePrinters,
  ...memoryPrinters,
  ...systemPrinters,
  ...vectorPrinters,
};

function registerPrinter(text: string): OperandPrinter | undefined {
  const parts = /^(R[a-z]\d?)(Next)?(?::([xw]))?$/.exec(text);
  if (!parts) return undefined;
  const [, name, next, width] = parts;
  return ({ row, f }) => registerOperand(row, f, name, width as 'x' | 'w' | undefined, next ? 1 : 0);
}

function printerOf(text: string): OperandPrinter {
  const known = printers[text] ?? registerPrinter(text) ?? vectorRegister(text);
  if (known) return known;
  return ({ row, f }) => (text in f ? String(f[text]) : bug(`${row.id}: unknown operand <${text}>`));
}

function choicePrinter(field: string, texts: readonly string[]): OperandPrinter {
  return ({ f }) => texts[f[field]];
}

function compile(asm: string): OperandPrinter[] {
  const parts: OperandPrinter[] = [];
  for (const m of asm.matchAll(/<([\w:]+)>|\{(\w+):([^}]*)\}|[^<{]+/g)) {
    if (m[1]) parts.push(printerOf(m[1]));
    else if (m[2]) parts.push(choicePrinter(m[2], m[3].split('|')));
    else parts.push(() => m[0]);
  }
  return parts;
}

const compiled = new Map<string, OperandPrinter[]>();

/** Prints a template. */
export function printTemplate(asm: string, c: OperandContext): string {
  let parts = compiled.get(asm);
  if (!parts) compiled.set(asm, (parts = compile(asm)));
  return parts.map((p) => p(c)).join('');
}
