/** Every mnemonic that the table can print, aliases included: for highlighting and completion. */

import { conditionNames, hintNames, type InstructionRow, instructionRows } from '../arch/instructions';

/** Operands that stand where a mnemonic does. */
const printed: Readonly<Record<string, readonly string[]>> = {
  hint: ['hint', ...hintNames.map((h) => h.name.split(' ')[0])],
  sys: ['sys', 'dc', 'ic', 'at', 'tlbi'],
  cond: conditionNames,
};

/** All texts of the first word of a template. */
function firstWords(asm: string): string[] {
  let texts = [''];
  for (const m of asm.split(' ')[0].matchAll(/<(\w+)>|\{\w+:([^}]*)\}|([^<{]+)/g)) {
    const choices = m[1] ? printed[m[1]] : m[2] !== undefined ? m[2].split('|') : [m[3]];
    texts = texts.flatMap((t) => choices.map((c) => t + c));
  }
  return texts;
}

/** The mnemonics of one row, unsorted. */
export function mnemonicsOf(row: InstructionRow): string[] {
  const templates = [row.asm, ...(row.aliases ?? []).map((a) => a.asm)].filter((asm) => asm !== '');
  return [...new Set(templates.flatMap(firstWords))];
}

/** Spellings that assemblers take and the disassembler, like LLVM's, never prints. */
const writtenOnly = ['ins', 'not', 'sxtl', 'sxtl2', 'uxtl', 'uxtl2'];

/** The mnemonics of the whole table, sorted. */
export const allMnemonics = (): string[] =>
  [...new Set([...instructionRows.flatMap(mnemonicsOf), ...writtenOnly])].sort();
