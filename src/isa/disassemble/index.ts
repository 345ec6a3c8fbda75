/**
 * Disassembly of single words by the table, with the preferred aliases. The text is what LLVM prints, except that PC-relative
 * operands are absolute addresses. Words that are UNALLOCATED, and rows of whole groups that are not modelled, print as `.inst`.
 */

import { decodeWord } from '../decode';
import type { DisassembleOptions, OperandContext } from './context';
import { printTemplate } from './template';

export interface Disassembly {
  /** `mnemonic operands`. */
  readonly text: string;
  readonly mnemonic: string;
  /** Empty when there are none. */
  readonly operands: string;
  /** The address that a PC-relative operand names: branch target, literal or ADR result. */
  readonly target?: bigint;
  /** Why there is no proper text, e.g. the name of a group that is not modelled. */
  readonly comment?: string;
}

function raw(word: number, comment: string): Disassembly {
  const operands = `0x${(word >>> 0).toString(16).padStart(8, '0')}`;
  return { text: `.inst ${operands}`, mnemonic: '.inst', operands, comment };
}

/** Disassembles the word at address `pc`. */
export function disassemble(word: number, pc: bigint, options: DisassembleOptions = {}): Disassembly {
  const decoded = decodeWord(word);
  if (!decoded) return raw(word, 'unallocated');
  const { row, fields: f } = decoded;
  if (row.asm === '') return raw(word, row.section);
  let target: bigint | undefined;
  const setTarget = (address: bigint): void => {
    target = address;
  };
  const context: OperandContext = { row, f, pc, options, setTarget };
  const asm = row.aliases?.find((a) => a.when(f))?.asm ?? row.asm;
  const text = printTemplate(asm, context);
  const space = text.indexOf(' ');
  const mnemonic = space < 0 ? text : text.slice(0, space);
  const operands = space < 0 ? '' : text.slice(space + 1);
  return target === undefined ? { text, mnemonic, operands } : { text, mnemonic, operands, target };
}

export type { DisassembleOptions, SysOpName } from './context';
export { registerName } from './registers';
export { systemNames } from './systemNames';
