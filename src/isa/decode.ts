/**
 * Decoding of instruction words by the table. Words are first told apart by bits [28:21], which separate most of A64's
 * groups; within a bucket rows are compared in order, narrower ones first. A word that no row matches, and one that its row
 * reserves, is UNALLOCATED: both give undefined. Rows with status `unimplemented` are returned, for the disassembler's sake;
 * executing them is UNDEFINED too.
 */

import type { Fields, Pattern } from '../arch/instructions';
import { type CompiledRow, compiledRows, extract, matches } from './pattern';

export interface Decoded {
  readonly row: CompiledRow['row'];
  readonly fields: Fields;
}

const bucketShift = 21;
const bucketCount = 256;

/** How much a pattern fixes: a narrower pattern fixes more than a wider one. */
function fixedBits({ mask, nonzero }: Pattern): number {
  let count = nonzero === 0 ? 0 : 0.5;
  for (let left = mask; left !== 0; left &= left - 1) count++;
  return count;
}

function rowsOfBucket(bucket: number): CompiledRow[] {
  const bits = (bucket << bucketShift) >>> 0;
  const bucketMask = ((bucketCount - 1) << bucketShift) >>> 0;
  const rows = compiledRows.filter(({ pattern }) => (pattern.mask & bucketMask & (pattern.value ^ bits)) === 0);
  return rows.sort((a, b) => fixedBits(b.pattern) - fixedBits(a.pattern));
}

const buckets: readonly (readonly CompiledRow[])[] = Array.from({ length: bucketCount }, (_, i) => rowsOfBucket(i));

/** The row that owns `word`, reserved encodings included; undefined if there is none. Allocates nothing. */
export function findRow(word: number): CompiledRow | undefined {
  const bucket = buckets[(word >>> bucketShift) & (bucketCount - 1)];
  for (let i = 0; i < bucket.length; i++) if (matches(bucket[i].pattern, word)) return bucket[i];
  return undefined;
}

/** Decodes an instruction word (unsigned or signed 32 bits); undefined for UNALLOCATED and reserved encodings. */
export function decodeWord(word: number): Decoded | undefined {
  const compiled = findRow(word);
  if (!compiled) return undefined;
  const fields = extract(compiled, word);
  return compiled.row.reserved?.(fields) ? undefined : { row: compiled.row, fields };
}
