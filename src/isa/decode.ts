/**
 * Decoding of instruction words by the table. Words are first told apart by bits [28:21], which separate most of A64's
 * groups; within a bucket rows are compared in order, narrower ones first. A word that no row matches, and one that its row
 * reserves, is UNALLOCATED: both give undefined. Rows with status `unimplemented` are returned, for the disassembler's sake;
 * executing them is UNDEFINED too.
 */

import type { HasFeature } from '../arch/features';
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

type Buckets = readonly (readonly CompiledRow[])[];

function rowsOfBucket(bucket: number): CompiledRow[] {
  const bits = (bucket << bucketShift) >>> 0;
  const bucketMask = ((bucketCount - 1) << bucketShift) >>> 0;
  const rows = compiledRows.filter(({ pattern }) => (pattern.mask & bucketMask & (pattern.value ^ bits)) === 0);
  return rows.sort((a, b) => fixedBits(b.pattern) - fixedBits(a.pattern));
}

const buckets: Buckets = Array.from({ length: bucketCount }, (_, i) => rowsOfBucket(i));

function find(from: Buckets, word: number): CompiledRow | undefined {
  const bucket = from[(word >>> bucketShift) & (bucketCount - 1)];
  for (let i = 0; i < bucket.length; i++) if (matches(bucket[i].pattern, word)) return bucket[i];
  return undefined;
}

function decodeFrom(from: Buckets, word: number): Decoded | undefined {
  const compiled = find(from, word);
  if (!compiled) return undefined;
  const fields = extract(compiled, word);
  return compiled.row.reserved?.(fields) ? undefined : { row: compiled.row, fields };
}

/** The row that owns `word`, reserved encodings included; undefined if there is none. Allocates nothing. */
export const findRow = (word: number): CompiledRow | undefined => find(buckets, word);

/** Decodes an instruction word (unsigned or signed 32 bits); undefined for UNALLOCATED and reserved encodings. */
export const decodeWord = (word: number): Decoded | undefined => decodeFrom(buckets, word);

/** As decodeWord, on a core with these features: rows of all others are not there, so wider rows get their words. */
export function decoderFor(has: HasFeature): (word: number) => Decoded | undefined {
  const own = buckets.map((rows) => rows.filter(({ row }) => row.feature === undefined || has(row.feature)));
  return (word) => decodeFrom(own, word);
}
