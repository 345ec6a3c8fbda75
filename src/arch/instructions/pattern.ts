/** Patterns as numbers: what the bits of a row's pattern fix, and where its fields lie. */

/** A field of a pattern: bits [lsb + width - 1 : lsb]. */
export interface PatternField {
  readonly name: string;
  readonly lsb: number;
  readonly width: number;
}

/** A parsed pattern. A word matches when `(word & mask) >>> 0 === value`; both are unsigned 32-bit numbers. */
export interface Pattern {
  readonly mask: number;
  readonly value: number;
  readonly fields: readonly PatternField[];
}

/** Parses a pattern, or returns what is wrong with it. */
export function parsePattern(text: string): Pattern | string {
  let left = 32;
  let mask = 0;
  let value = 0;
  const fields: PatternField[] = [];
  for (const token of text.split(' ')) {
    const literal = /^[01]+$/.test(token);
    const field = /^([A-Za-z]\w*)(?::([1-9]\d?))?$/.exec(token);
    if (!literal && !field) return `bad token "${token}"`;
    const width = field ? Number(field[2] ?? 1) : token.length;
    left -= width;
    if (left < 0) return 'more than 32 bits';
    if (field) {
      if (fields.some((f) => f.name === field[1])) return `field ${field[1]} occurs twice`;
      fields.push({ name: field[1], lsb: left, width });
    } else {
      mask |= (2 ** width - 1) << left;
      value |= Number.parseInt(token, 2) << left;
    }
  }
  return left === 0 ? { mask: mask >>> 0, value: value >>> 0, fields } : `${32 - left} bits instead of 32`;
}

/** Whether some word matches both patterns. */
export const patternsOverlap = (a: Pattern, b: Pattern): boolean => (a.mask & b.mask & (a.value ^ b.value)) === 0;

/** Whether every word that matches `narrow` matches `wide` also, and not the other way round. */
export const isNarrower = (narrow: Pattern, wide: Pattern): boolean =>
  patternsOverlap(narrow, wide) && (narrow.mask & wide.mask) >>> 0 === wide.mask && narrow.mask !== wide.mask;
