/**
 * Rules that the instruction table must obey. Each finding names the row and the rule; an empty list means that the table is
 * sound. Disjoint patterns make decoding independent of the order of rows: where two overlap, the narrower says so in `over`.
 */

import { isNarrower, type Pattern, parsePattern, patternsOverlap } from './pattern';
import type { InstructionRow } from './types';

interface Parsed {
  readonly row: InstructionRow;
  readonly pattern: Pattern;
}

function templateFields(asm: string): string[] {
  return [...asm.matchAll(/\{(\w+):/g)].map((m) => m[1]);
}

function checkTemplate(asm: string, widths: ReadonlyMap<string, number>, say: (problem: string) => void): void {
  for (const name of templateFields(asm)) {
    if (!widths.has(name)) say(`template "${asm}" chooses by ${name}, which is not a field`);
  }
  for (const m of asm.matchAll(/\{(\w+):([^}]*)\}/g)) {
    const count = m[2].split('|').length;
    if (widths.has(m[1]) && count !== 2 ** widths.get(m[1])!) say(`choice {${m[1]}} has ${count} texts`);
  }
  for (const m of asm.matchAll(/<(R\w*?)(?:Next|Extended)?(?::[xw])?>/g)) {
    if (!widths.has(m[1])) say(`template "${asm}" prints ${m[1]}, which is not a field`);
  }
  for (const m of asm.matchAll(/<V([a-z]\d?)(?::\w+)?>/g)) {
    if (!widths.has(`R${m[1]}`)) say(`template "${asm}" prints V${m[1]}, but R${m[1]} is not a field`);
  }
}

/** Which fields a width rule looks at. */
const widthRuleField: Readonly<Record<string, string | undefined>> = {
  sf: 'sf',
  size: 'size',
  sz: 'sz',
  opc: 'opc',
  b5: 'b5',
  Q: 'Q',
  imm5: 'imm5',
  option: 'option',
};

function checkWidth(row: InstructionRow, widths: ReadonlyMap<string, number>, say: (problem: string) => void): void {
  const rules = typeof row.width === 'string' ? { '': row.width } : (row.width ?? {});
  for (const [field, rule] of Object.entries(rules)) {
    if (field !== '' && !widths.has(field)) say(`width is given for ${field}, which is not a field`);
    const source = widthRuleField[rule];
    if (source && !widths.has(source)) say(`width rule ${rule} needs a field ${source}`);
  }
}

function checkRow({ row, pattern }: Parsed, ids: ReadonlySet<string>, say: (problem: string) => void): void {
  const widths = new Map(pattern.fields.map((f) => [f.name, f.width]));
  for (const s of row.statics ?? []) if (!widths.has(s)) say(`static ${s} is not a field`);
  for (const s of row.sp ?? []) {
    if (widths.get(s) !== 5 || !s.startsWith('R')) say(`sp field ${s} is not a register field`);
  }
  for (const o of row.over ?? []) if (!ids.has(o)) say(`over names ${o}, which is no row`);
  checkWidth(row, widths, say);
  for (const asm of [row.asm, ...(row.aliases ?? []).map((a) => a.asm)]) checkTemplate(asm, widths, say);
  if (row.section.trim() === '') say('section is empty');
  if (row.status === 'done' && row.asm === '') say('a done row needs a template');
  if (row.status !== 'done' && !row.note) say('a row that is not done needs a note');
}

function checkPair(a: Parsed, b: Parsed, say: (id: string, problem: string) => void): void {
  const aOver = a.row.over?.includes(b.row.id) ?? false;
  const bOver = b.row.over?.includes(a.row.id) ?? false;
  const overlap = patternsOverlap(a.pattern, b.pattern);
  if (!overlap && (aOver || bOver)) say(a.row.id, `over is declared with ${b.row.id}, but the patterns are disjoint`);
  if (overlap && !aOver && !bOver) say(a.row.id, `pattern overlaps ${b.row.id}`);
  if (overlap && aOver && !isNarrower(a.pattern, b.pattern)) say(a.row.id, `is not narrower than ${b.row.id}`);
  if (overlap && bOver && !isNarrower(b.pattern, a.pattern)) say(b.row.id, `is not narrower than ${a.row.id}`);
}

/** Every violation of the table's rules, as `id: problem`. */
export function validateInstructionRows(rows: readonly InstructionRow[]): string[] {
  const problems: string[] = [];
  const say = (id: string, problem: string): number => problems.push(`${id}: ${problem}`);
  const ids = new Set<string>();
  for (const { id } of rows) {
    if (ids.has(id)) say(id, 'id occurs twice');
    if (!/^[A-Z][A-Za-z0-9]*(_[A-Za-z0-9]+)*$/.test(id)) say(id, 'id is not a name');
    ids.add(id);
  }
  const parsed: Parsed[] = [];
  for (const row of rows) {
    const pattern = parsePattern(row.pattern);
    if (typeof pattern === 'string') say(row.id, pattern);
    else parsed.push({ row, pattern });
  }
  parsed.forEach((a, i) => {
    checkRow(a, ids, (problem) => say(a.row.id, problem));
    for (const b of parsed.slice(i + 1)) checkPair(a, b, say);
  });
  return problems;
}
