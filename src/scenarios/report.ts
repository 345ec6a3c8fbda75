/** Results as text: a table for the terminal, outcomes by variants, and the same for a page. */
import type { Result, Scenario, Value, Verdict } from './types';

const WIDTH = 118;
const GAP = 2;

/** A value that a run made far too long is cut. */
const LONGEST = 60;
const shown = (value: Value | undefined): string => (value === undefined ? '-' : String(value).slice(0, LONGEST));

const mark = (row: Verdict): string => {
  if (row.expected === undefined) return ' ';
  return row.holds ? '✓' : '✗';
};

function cell(row: Verdict | undefined): string {
  if (row === undefined) return '';
  return `${mark(row)} ${shown(row.value)}${row.holds ? '' : ` (not ${shown(row.expected)})`}`;
}

/** Columns that fit beside each other. */
function chunks(widths: readonly number[], room: number): number[][] {
  const result: number[][] = [];
  let left = 0;
  widths.forEach((width, i) => {
    if (result.length === 0 || width + GAP > left) {
      result.push([]);
      left = room;
    }
    result.at(-1)?.push(i);
    left -= width + GAP;
  });
  return result;
}

const titlesOf = (results: readonly Result[]): Map<string, string> =>
  new Map(results.flatMap(({ verdicts }) => verdicts.map((row) => [row.outcome, row.title] as const)));

/** Outcomes down, variants across, with as many tables as it takes. */
export function resultTable(scenario: Scenario, results: readonly Result[]): string {
  const titles = titlesOf(results);
  const first = Math.max(...[...titles.values()].map((title) => title.length));
  const columns = results.map(({ variant, verdicts }) => ({
    head: variant.name,
    cells: [...titles.keys()].map((name) => cell(verdicts.find((row) => row.outcome === name))),
  }));
  const widths = columns.map(({ head, cells }) => Math.max(head.length, ...cells.map((text) => text.length)));
  const lines = [`${scenario.name}: ${scenario.title} (thread ${scenario.thread})`];
  for (const { variant } of results) lines.push(`  ${variant.name}: ${variant.title}`);
  for (const chunk of chunks(widths, WIDTH - first)) {
    const line = (name: string, texts: readonly string[]): string =>
      [name.padEnd(first), ...chunk.map((i, n) => texts[n].padEnd(widths[i]))].join(' '.repeat(GAP)).trimEnd();
    lines.push(
      '',
      line(
        '',
        chunk.map((i) => columns[i].head),
      ),
    );
    [...titles.values()].forEach((title, at) => {
      lines.push(
        line(
          title,
          chunk.map((i) => columns[i].cells[at]),
        ),
      );
    });
  }
  const all = results.flatMap(({ verdicts }) => verdicts).filter((row) => row.expected !== undefined);
  const failed = all.filter((row) => !row.holds).length;
  lines.push(
    '',
    failed === 0 ? `✓ all ${all.length} outcomes hold` : `✗ ${failed} of ${all.length} outcomes do not hold`,
  );
  return lines.join('\n');
}

/** For a page: variants down, outcomes across. */
export function resultMarkdown(results: readonly Result[]): string {
  const titles = titlesOf(results);
  const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const escaped = (text: string): string => text.replaceAll('|', '\\|');
  return [
    row(['variant', ...titles.values()]),
    row(['---', ...[...titles].map(() => '---')]),
    ...results.map(({ variant, verdicts }) =>
      row([
        `**${variant.name}** ${variant.title}`,
        ...[...titles.keys()].map((name) => escaped(shown(verdicts.find((v) => v.outcome === name)?.value))),
      ]),
    ),
  ].join('\n');
}
