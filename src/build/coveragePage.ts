/**
 * `npm run coverage-page`: src/COVERAGE.md, the list of everything that the tables hold with its state. What is not done says
 * why; what no row names is UNDEFINED.
 */

import { featureNames, featureRow, features } from '../arch/features';
import { hintNames, type InstructionGroup, type InstructionRow, instructionGroups } from '../arch/instructions';
import { type SystemOperationRow, systemOperations } from '../arch/sysops';
import { type NamedRegister, registerAliases, type SystemRegisterRow, systemRegisters } from '../arch/sysregs';
import { namedRegisters } from '../arch/sysregs/named';
import { mnemonicsOf } from '../isa';
import { type GeneratedFile, writeWhenMain } from './generated';

type Line = readonly string[];

/** A Markdown table. */
function table(head: Line, lines: readonly Line[]): string {
  const cell = (text: string): string => text.replaceAll('|', '\\|');
  const row = (line: Line): string => `| ${line.map(cell).join(' | ')} |`;
  return [row(head), row(head.map(() => '---')), ...lines.map(row)].join('\n');
}

/** `n done, n partial, n unimplemented`, leaving out what does not occur. */
function counts(rows: readonly { readonly status: string }[]): string {
  const by = new Map<string, number>();
  for (const { status } of rows) by.set(status, (by.get(status) ?? 0) + 1);
  return ['done', 'partial', 'unimplemented']
    .filter((s) => by.has(s))
    .map((s) => `${by.get(s)} ${s}`)
    .join(', ');
}

const shortList = (names: readonly string[]): string =>
  names.length > 24 ? `${names.slice(0, 24).join(' ')} … (${names.length} in all)` : names.join(' ');

const instructionLine = (row: InstructionRow): Line => [
  row.id,
  row.section,
  shortList(mnemonicsOf(row)),
  row.feature ?? '',
  row.status,
  row.note ?? '',
];

const group = ({ title, rows }: InstructionGroup): string =>
  `### ${title}\n\n${counts(rows)}\n\n${table(
    ['row', 'section', 'mnemonics', 'feature', 'state', 'note'],
    rows.map(instructionLine),
  )}`;

const hints = (): string =>
  `### Hints without a row of their own\n\nThey execute as NOP, which the architecture permits.\n\n${table(
    ['hint', 'number', 'feature'],
    hintNames.map((h) => [h.name, String(h.imm), h.feature]),
  )}`;

const registerLine = (r: SystemRegisterRow): Line => [
  r.name,
  r.encoding.join(' '),
  r.section,
  r.feature ?? '',
  r.status,
  r.note ?? '',
];

const namedLine = (r: NamedRegister): Line => [r.name, r.encoding.join(' '), r.section, r.reason];

const operationLine = (r: SystemOperationRow): Line => [
  r.name,
  r.encoding.join(' '),
  r.section,
  r.feature ?? '',
  r.status,
  r.note ?? '',
];

const featureLine = (name: string): Line => {
  const row = featureRow(name);
  return row === undefined ? [] : [name, row.doc, row.id, row.needs.join(' '), row.status, row.note ?? ''];
};

/** The page's text. */
export function coveragePage(): string {
  const allInstructions = instructionGroups.flatMap((g) => g.rows);
  const summary = table(
    ['table', 'rows'],
    [
      ['features', counts(featureNames.map((name) => features[name]))],
      ['instructions', counts(allInstructions)],
      ['system registers', counts(systemRegisters)],
      ['system registers with a name only', `${namedRegisters.length} unimplemented`],
      ['system operations', counts(systemOperations)],
    ],
  );
  const parts = [
    '# What is implemented',
    'Made from the tables by `npm run coverage-page`. Instructions that are unimplemented, and encodings that no row has, take the Undefined exception; so do accesses to system registers that have a name only or are not listed.',
    summary,
    '## Features',
    'A core has what its type has in reality, as far as it is done; the ID registers say so.',
    table(['feature', 'what', 'ID_AA64…_EL1 fields', 'needs', 'state', 'note'], featureNames.map(featureLine)),
    '## Instructions',
    ...instructionGroups.map(group),
    hints(),
    '## System registers',
    table(
      ['register', 'op0 op1 CRn CRm op2', 'section', 'feature', 'state', 'note'],
      systemRegisters.map(registerLine),
    ),
    '### Names of other registers',
    'While HCR_EL2.E2H is set, EL2 reaches its own registers by the names of those of EL1, and those of EL1 by these names.',
    table(
      ['name', 'op0 op1 CRn CRm op2', 'register'],
      registerAliases.map(({ name, encoding, of }) => [name, encoding.join(' '), of]),
    ),
    '### System registers that have a name only',
    table(['register', 'op0 op1 CRn CRm op2', 'section', 'why'], namedRegisters.map(namedLine)),
    '## System operations',
    table(['operation', 'op1 CRn CRm op2', 'section', 'feature', 'state', 'note'], systemOperations.map(operationLine)),
  ];
  return `${parts.join('\n\n')}\n`;
}

export const coverageFile: GeneratedFile = { file: 'src/COVERAGE.md', script: 'coverage-page', text: coveragePage };

writeWhenMain(coverageFile, import.meta.url);
