/** The instruction table: every row of A64 that is known here, and types derived from it. */

import { bug } from '../../base/errors';
import { branchRows } from './branches';
import { classRows } from './classes';
import { dataImmediateRows } from './dataImmediate';
import { dataRegisterRows } from './dataRegister';
import { extensionRows } from './extensions';
import { atomicRows } from './extensionsAtomics';
import { pointerAuthenticationRows } from './extensionsPauth';
import { tagExtensionRows } from './extensionsTags';
import { brainFloatRows, floatScalarRows, floatVectorRows } from './float';
import { loadStoreRows } from './loadStore';
import { matches, parsePattern } from './pattern';
import { simdCryptoRows } from './simdCrypto';
import { simdIntegerRows } from './simdInteger';
import { simdLoadStoreRows } from './simdLoadStore';
import { simdMoveRows } from './simdMove';
import { simdPermuteRows } from './simdPermute';
import { simdSmRows } from './simdSm';
import { simdStructureRows } from './simdStructures';
import { systemRows } from './system';
import type { FieldNames, InstructionRow } from './types';

const table = [
  ...dataImmediateRows,
  ...dataRegisterRows,
  ...branchRows,
  ...systemRows,
  ...loadStoreRows,
  ...simdLoadStoreRows,
  ...simdStructureRows,
  ...simdMoveRows,
  ...simdPermuteRows,
  ...simdCryptoRows,
  ...simdSmRows,
  ...simdIntegerRows,
  ...floatScalarRows,
  ...floatVectorRows,
  ...brainFloatRows,
  ...extensionRows,
  ...atomicRows,
  ...pointerAuthenticationRows,
  ...tagExtensionRows,
  ...classRows,
] as const;

type TableRow = (typeof table)[number];

/** Id of any row. */
export type InstructionId = TableRow['id'];

/** Ids of rows that execute: each needs a semantic function. */
export type ImplementedId = Exclude<TableRow, { readonly status: 'unimplemented' }>['id'];

/** Field names of one row's pattern. */
export type FieldNamesOf<Id extends InstructionId> = FieldNames<Extract<TableRow, { readonly id: Id }>['pattern']>;

export const instructionRows: readonly (InstructionRow & { readonly id: InstructionId })[] = table;

export * from './names';
export { isNarrower, matches, type Pattern, type PatternField, parsePattern, patternsOverlap } from './pattern';

/** A test for the words of one row's pattern, for who needs to know no more of them. */
export function wordTest(id: InstructionId): (word: number) => boolean {
  const pattern = parsePattern(instructionRows.find((row) => row.id === id)?.pattern ?? '');
  return typeof pattern === 'string' ? bug(`pattern of ${id}: ${pattern}`) : (word) => matches(pattern, word);
}

/** A part of the table, as the coverage page lists it. */
export interface InstructionGroup {
  readonly title: string;
  readonly rows: readonly InstructionRow[];
}

export const instructionGroups: readonly InstructionGroup[] = [
  { title: 'Data processing (immediate)', rows: dataImmediateRows },
  { title: 'Data processing (register)', rows: dataRegisterRows },
  { title: 'Branches and exceptions', rows: branchRows },
  { title: 'System', rows: systemRows },
  { title: 'Loads and stores', rows: loadStoreRows },
  { title: 'Loads and stores of SIMD&FP registers', rows: simdLoadStoreRows },
  { title: 'Loads and stores of structures', rows: simdStructureRows },
  { title: 'Moves of SIMD&FP registers and elements', rows: simdMoveRows },
  { title: 'Advanced SIMD permute and table look-up', rows: simdPermuteRows },
  { title: 'Cryptographic instructions', rows: [...simdCryptoRows, ...simdSmRows] },
  { title: 'Advanced SIMD, integer', rows: simdIntegerRows },
  { title: 'Floating point, scalar', rows: floatScalarRows },
  { title: 'Floating point, Advanced SIMD', rows: floatVectorRows },
  { title: 'BFloat16', rows: brainFloatRows },
  { title: 'Extensions', rows: extensionRows },
  { title: 'Atomic accesses', rows: atomicRows },
  { title: 'Pointer authentication', rows: pointerAuthenticationRows },
  { title: 'Memory tagging', rows: tagExtensionRows },
  { title: 'Whole groups', rows: classRows },
];

export type { Alias, Effect, Fields, InstructionRow, Status, WidthRule } from './types';
export { validateInstructionRows } from './validate';
