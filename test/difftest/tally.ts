/** What a run has seen so far: cases of every row, and known differences. */
import { type KnownDifference, knownDifferences } from './known';

/** From so many cases on a row counts as tested. */
export const ENOUGH = 1000;
const COLUMNS = 4;
const NAME_WIDTH = 23;
const COUNT_WIDTH = 7;

export class Tally {
  private readonly cases = new Map<string, number>();
  private readonly known = new Map<KnownDifference, number>();
  private readonly differing = new Map<string, number>();

  get different(): number {
    return [...this.differing.values()].reduce((a, b) => a + b, 0);
  }
  sawDifferent(row: string): void {
    this.differing.set(row, (this.differing.get(row) ?? 0) + 1);
  }
  count(row: string): void {
    this.cases.set(row, (this.cases.get(row) ?? 0) + 1);
  }
  sawKnown(entry: KnownDifference): void {
    this.known.set(entry, (this.known.get(entry) ?? 0) + 1);
  }

  get total(): number {
    return [...this.cases.values()].reduce((a, b) => a + b, 0);
  }
  get rows(): number {
    return this.cases.size;
  }
  get tooFew(): string[] {
    return [...this.cases].flatMap(([row, count]) => (count < ENOUGH ? [row] : []));
  }

  /** Entries whose rows had enough cases, and that none of them needed. */
  gone(entries: readonly KnownDifference[] = knownDifferences): KnownDifference[] {
    return entries.filter((entry) => {
      if (this.known.has(entry)) return false;
      const counts = [...this.cases].filter(([row]) => entry.rows.test(row)).map(([, count]) => count);
      return counts.length > 0 && counts.every((count) => count >= ENOUGH);
    });
  }

  /** Cases of every row in columns, what was known, and the rows that had too few. */
  report(): string[] {
    const cells = [...this.cases].map(
      ([row, count]) => `${row.padEnd(NAME_WIDTH)}${String(count).padStart(COUNT_WIDTH)}`,
    );
    const lines: string[] = [];
    for (let at = 0; at < cells.length; at += COLUMNS) lines.push(cells.slice(at, at + COLUMNS).join('   '));
    for (const entry of knownDifferences.filter(({ rows }) => [...this.cases.keys()].some((row) => rows.test(row))))
      lines.push(`known difference, seen ${this.known.get(entry) ?? 0} times: ${entry.reason}`);
    const { tooFew } = this;
    if (tooFew.length > 0)
      lines.push(`below ${ENOUGH} cases: ${tooFew.length === this.rows ? `all ${this.rows} rows` : tooFew.join(' ')}`);
    if (this.differing.size > 0)
      lines.push(`different: ${[...this.differing].map(([row, count]) => `${row} ${count}`).join(', ')}`);
    return lines;
  }
}
