/** README's references of the command line and of machine files, from the tables that the parsers read by. */
import { type OptionRow, runOptions } from '../cli/options';
import type { FieldTable } from '../machine/fileReader';
import { machineFields } from '../machine/machineFile';
import { presets } from '../machine/presets';

const table = (head: readonly string[], rows: readonly (readonly string[])[]): string => {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), `|${'---|'.repeat(head.length)}`, ...rows.map(line)].join('\n');
};

export function optionsMarkdown(rows: readonly OptionRow[] = runOptions): string {
  const lines = rows.map(({ name, value, doc }) => [`\`--${name}${value ? ` ${value}` : ''}\``, doc]);
  return table(['option', ''], lines);
}

export const presetsMarkdown = (): string =>
  table(
    ['preset', 'cores', ''],
    Object.entries(presets).map(([name, { cores, doc }]) => [`\`${name}\``, `${cores.length}`, doc]),
  );

type FieldRow = FieldTable[string];
const number = (n: number): string => (n >= 1e6 && n % 1e6 === 0 ? n.toExponential().replace('+', '') : `${n}`);

/** What a field may be. */
function form({ kind, choices = [], low = 0, high = 0, powerOfTwo }: FieldRow, numeric: boolean): string {
  if (kind === 'choice') return choices.map((choice) => `\`${numeric ? choice : JSON.stringify(choice)}\``).join(' ');
  if (kind === 'number') return `${number(low)} to ${number(high)}${powerOfTwo ? ', a power of two' : ''}`;
  if (kind === 'boolean') return '`true` `false`';
  if (kind === 'size') return 'a size';
  if (kind === 'registers' || kind === 'features' || kind === 'texts') return 'an object';
  if (kind === 'text') return 'a text';
  return '';
}

/** One row for each field; those of caches are the same for all caches and stand once, under their own name. */
export function machineFieldsMarkdown(fields: FieldTable = machineFields): string {
  const rows: (readonly [string, string, string])[] = [];
  const add = (name: string, row: FieldRow): void => {
    const numeric = row.choices?.every((choice) => /^\d+$/.test(choice)) ?? false;
    rows.push([`\`${name}\``, form(row, numeric), row.doc]);
  };
  const walk = (inner: FieldTable, prefix: string): void => {
    for (const [name, row] of Object.entries(inner)) {
      add(prefix + name, row);
      const isCache = row.fields !== undefined && 'lineBytes' in row.fields;
      if (!row.fields || (isCache && name !== 'l1i')) continue;
      walk(row.fields, isCache ? `${prefix}${name}.` : `${prefix}${name}${row.kind === 'list' ? '[].' : '.'}`);
    }
  };
  walk(fields, '');
  return table(['field', 'value', ''], rows);
}
