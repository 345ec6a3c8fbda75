/** The Findings view: one row a finding of the coherence checker, the latest first, with what it rests on under it. */
import { shortHex, withSymbol } from '../../protocol/presentation';
import type { FindingRow, FindingsView } from '../../protocol/views';
import { code, factTable, plain, type Row } from './row';

const shownWord = ({ word, text }: { readonly word: string; readonly text: string }): string => `${text} (${word})`;

const where = (finding: FindingRow): string => finding.symbol ?? shortHex(finding.pc);
const who = (finding: FindingRow): string =>
  [`core ${finding.core}`, finding.vcpu, `EL${finding.el}`].filter((text) => text !== undefined).join(' · ');

/** What happened, in a line. */
export function happened({ detail, executed, current, vcpu, filledBy }: FindingRow): string {
  if (detail !== undefined) return detail;
  const foreign = filledBy !== undefined && filledBy !== vcpu;
  const [who, whose] = foreign ? [`${vcpu} `, ` of a line that ${filledBy} had brought,`] : ['', ''];
  return `${who}ran ${executed.text}${whose} where memory holds ${current.text}`;
}

export const findingRows = (view: FindingsView): Row[] => [...view.findings].reverse().map(findingRow);

/** One line above the rows. */
export const findingsText = (view: FindingsView): string | undefined =>
  view.findings.length === 0 ? 'Nothing incoherent has been found.' : undefined;

function findingRow(finding: FindingRow): Row {
  const id = `finding${finding.id}`;
  const description = `${where(finding)} · ${who(finding)}`;
  return {
    id,
    label: finding.kind,
    description,
    icon: 'warning',
    color: 'list.warningForeground',
    context: finding.source ? 'finding source address value' : 'finding address value',
    value: `${finding.kind}: ${happened(finding)} at ${finding.pc}`,
    address: finding.pc,
    core: finding.core,
    source: finding.source,
    tooltip: tooltip(finding),
    spoken: `${finding.kind}, ${happened(finding)}, in ${where(finding)}, ${who(finding)}`,
    children: facts(finding, id),
  };
}

const tooltip = (finding: FindingRow): string =>
  factTable(finding.kind, [
    ['what', plain(happened(finding))],
    ['at', code(withSymbol(finding.pc, finding.symbol))],
    ['physical address', code(finding.pa)],
    ['core', plain(who(finding))],
    ['line brought by', finding.filledBy],
    ['written by', finding.writer && plain(writerText(finding.writer))],
    ['missing', plain(finding.missing.join('; '))],
    ['right would be', plain(finding.advice)],
    ['after', `${finding.instructions.toLocaleString('en')} instructions`],
  ]);

const writerText = ({ core, pc, symbol }: NonNullable<FindingRow['writer']>): string =>
  `core ${core} at ${withSymbol(pc, symbol)}`;

function facts(finding: FindingRow, id: string): Row[] {
  const fact = (label: string, description: string | undefined, more: Partial<Row> = {}): Row[] =>
    description === undefined || description === ''
      ? []
      : [{ id: `${id}/${label}`, label, description, value: description, context: 'value', ...more }];
  const { writer, executed, current, detail } = finding;
  const words =
    detail === undefined
      ? [...fact('ran', shownWord(executed)), ...fact('memory holds', shownWord(current))]
      : fact('what', detail);
  return [
    ...words,
    ...fact('line brought by', finding.filledBy),
    ...fact('written by', writer && writerText(writer), writer ? { address: writer.pc, context: 'address value' } : {}),
    ...fact('missing', finding.missing.join('; ')),
    ...fact('right would be', finding.advice),
    ...fact('physical address', finding.pa, { address: `pa:${finding.pa}`, context: 'address value' }),
  ];
}
