/**
 * Program files and what is known of them: ELF, arm64 Image, symbols, DWARF lines, variables and unwind tables, and typed
 * values read through a port. Knows no machine: memory and registers come in through `EvaluationPort`.
 */

export type * from './debugModel';
export type * from './types';
export type * from './valueModel';
