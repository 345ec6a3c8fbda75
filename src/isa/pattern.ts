/** Rows of the instruction table with their patterns turned into numbers, and the reading of fields out of a word. */

import {
  type Fields,
  type InstructionId,
  type InstructionRow,
  instructionRows,
  type Pattern,
  parsePattern,
} from '../arch/instructions';
import { bug } from '../base/errors';

export { matches } from '../arch/instructions';

/** A row of the table with its parsed pattern. */
export interface CompiledRow {
  readonly row: InstructionRow & { readonly id: InstructionId };
  readonly pattern: Pattern;
}

function compile(row: CompiledRow['row']): CompiledRow {
  const pattern = parsePattern(row.pattern);
  return typeof pattern === 'string' ? bug(`pattern of ${row.id}: ${pattern}`) : { row, pattern };
}

export const compiledRows: readonly CompiledRow[] = instructionRows.map(compile);

const byId: ReadonlyMap<string, CompiledRow> = new Map(compiledRows.map((c) => [c.row.id, c]));

/** The compiled row of an id. */
export const compiledRow = (id: InstructionId): CompiledRow => byId.get(id) ?? bug(`no instruction row ${id}`);

/** The row's fields in `word`, which must match its pattern. */
export function extract(compiled: CompiledRow, word: number): Fields {
  const fields: Record<string, number> = {};
  for (const { name, lsb, width } of compiled.pattern.fields) fields[name] = (word >>> lsb) & (2 ** width - 1);
  return fields;
}
