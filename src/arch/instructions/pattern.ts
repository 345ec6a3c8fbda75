/** Patterns as numbers: what the bits of a row's pattern fix, and where its fields lie. */

/** A field of a pattern: bits [lsb + width - 1 : lsb]. */
export interface PatternField {
  readonly name: string;
  readonly lsb: number;
  readonly width: number;
}

/**
 * A parsed pattern; all numbers are unsigned 32-bit. A word matches when `(word & mask) >>> 0 === value` and, if `nonzero`
 * is not 0, when some bit of `nonzero` is set in it.
 */
export interface Pattern {
  readonly mask: number;
  readonly value: number;
  readonly nonzero: number;
  readonly fields: readonly PatternField[];
}

/** Parses a pattern, or returns what is wrong with it. */
export function parsePattern(text: string): Pattern | string {
  let left = 32;
  let mask = 0;
  let value = 0;
  let nonzero = 0;
  const fields: PatternField[] = [];
  for (const token of text.split(' ')) {
    const literal = /^[01]+$/.test(token);
    const field = /^([A-Za-z]\w*)(?::([1-9]\d?))?(!0)?$/.exec(token);
    if (!literal && !field) return `bad token "${token}"`;
    const width = field ? Number(field[2] ?? 1) : token.length;
    left -= width;
    if (left < 0) return 'more than 32 bits';
    if (field) {
      if (fields.some((f) => f.name === field[1])) return `field ${field[1]} occurs twice`;
      fields.push({ name: field[1], lsb: left, width });
      if (field[3]) nonzero = ((2 ** width - 1) << left) >>> 0; // at most one such field in a pattern
    } else {
      mask |= (2 ** width - 1) << left;
      value |= Number.parseInt(token, 2) << left;
    }
  }
  return left === 0 ? { mask: mask >>> 0, value: value >>> 0, nonzero, fields } : `${32 - left} bits instead of 32`;
}

/** Whether `word` is one of the pattern's. */
export const matches = ({ mask, value, nonzero }: Pattern, word: number): boolean =>
  (word & mask) >>> 0 === value && (nonzero === 0 || (word & nonzero) !== 0);

/** Whether the bits that `a` fixes leave no bit of `b.nonzero` that can be set. */
const excludes = (a: Pattern, b: Pattern): boolean => b.nonzero !== 0 && (b.nonzero & (~a.mask | a.value)) === 0;

/** Whether some word matches both patterns. */
export const patternsOverlap = (a: Pattern, b: Pattern): boolean =>
  (a.mask & b.mask & (a.value ^ b.value)) === 0 && !excludes(a, b) && !excludes(b, a);

/** Whether every word that matches `narrow` matches `wide` also, and not the other way round. */
export const isNarrower = (narrow: Pattern, wide: Pattern): boolean =>
  patternsOverlap(narrow, wide) &&
  (narrow.mask & wide.mask) >>> 0 === wide.mask &&
  (wide.nonzero === 0 || (narrow.value & wide.nonzero) !== 0 || narrow.nonzero === wide.nonzero) &&
  (narrow.mask !== wide.mask || narrow.nonzero !== wide.nonzero);
