/** Instruction words from rows and fields, and random valid words of a row: for tests and fuzzing. */

import type { Fields, InstructionId } from '../arch/instructions';
import { bug } from '../base/errors';
import type { SeededRandom } from '../base/random';
import { findRow } from './decode';
import { type CompiledRow, compiledRow, extract } from './pattern';

/** The word of a row with the given fields; absent fields are 0. Throws on a field that is unknown or does not fit. */
export function encode(id: InstructionId, fields: Fields): number {
  const { pattern } = compiledRow(id);
  let word = pattern.value;
  for (const [name, value] of Object.entries(fields)) {
    const field = pattern.fields.find((f) => f.name === name) ?? bug(`${id} has no field ${name}`);
    if (!Number.isInteger(value) || value < 0 || value >= 2 ** field.width) bug(`${id}.${name} cannot be ${value}`);
    word |= value << field.lsb;
  }
  return word >>> 0;
}

/** Register and small fields often hold their extreme values, where aliases and SP or ZR change the meaning. */
function randomField(width: number, random: SeededRandom): number {
  const all = 2 ** width - 1;
  const choice = random.below(8);
  if (choice === 0) return all;
  if (choice === 1) return 0;
  if (choice === 2) return random.below(2) === 0 ? all >>> 1 : (all >>> 1) + 1;
  return (random.next() >>> 3) & all;
}

const maxAttempts = 10_000;

/** A random word that decodes to the row (not reserved, not taken by a narrower row). `fixed` pins fields. */
export function randomWord(compiled: CompiledRow, random: SeededRandom, fixed: Fields = {}): number {
  for (let i = 0; i < maxAttempts; i++) {
    const fields: Record<string, number> = {};
    for (const { name, width } of compiled.pattern.fields) fields[name] = fixed[name] ?? randomField(width, random);
    const word = encode(compiled.row.id, fields);
    if (findRow(word) === compiled && !compiled.row.reserved?.(extract(compiled, word))) return word;
  }
  return bug(`no valid word of ${compiled.row.id} found`);
}
