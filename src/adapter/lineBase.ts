/** Clients may count lines and columns from 0; everything inside counts from 1. */

const LINES = new Set(['line', 'endLine']);
const COLUMNS = new Set(['column', 'endColumn']);

/** A copy of a message body in which every line and column number is moved. */
export function shifted(value: unknown, lines: number, columns: number): unknown {
  if (lines === 0 && columns === 0) return value;
  if (Array.isArray(value)) return value.map((item) => shifted(item, lines, columns));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => {
      if (typeof item !== 'number') return [key, shifted(item, lines, columns)];
      return [key, item + (LINES.has(key) ? lines : COLUMNS.has(key) ? columns : 0)];
    }),
  );
}
