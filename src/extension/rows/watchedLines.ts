/**
 * The Watched lines view: for each pinned address the copies of its line, in every cache, at the point of unification and at
 * the point of coherency. A copy's row shows the word at the pinned address, so that an old instruction in an I-cache stands
 * right above the new one in memory.
 */
import { copyName, dumpRows, plus, shortHex, withSymbol, wordAt } from '../../protocol/presentation';
import type { InstructionRow, LineCopyRow, LineStateView, WatchedLinesView } from '../../protocol/views';
import { addressOf, type Pin } from '../pins';
import { code, colors, factTable, markOf, plain, type Row } from './row';

/** `pins` are those that the view was asked for, in the same order. */
export function watchedRows(view: WatchedLinesView, pins: readonly Pin[]): Row[] {
  return view.lines.flatMap((line, i) => {
    const pin = pins[i];
    if (pin === undefined) return [];
    return [isError(line) ? errorRow(pin, line.error) : lineRow(pin, line)];
  });
}

type Answer = WatchedLinesView['lines'][number];
const isError = (line: Answer): line is Extract<Answer, { readonly error: string }> => 'error' in line;

function errorRow(pin: Pin, error: string): Row {
  return {
    id: pin.address,
    label: pin.label,
    description: error,
    icon: 'error',
    color: 'list.errorForeground',
    context: 'pin',
    pin: pin.address,
    spoken: `${pin.label}: ${error}`,
  };
}

const present = (line: LineStateView): LineCopyRow[] => line.copies.filter((copy) => copy.present);

function lineRow(pin: Pin, line: LineStateView): Row {
  const differing = present(line).filter((copy) => copy.differs);
  const changed = line.copies.some((copy) => copy.changed);
  const reference = addressOf(line);
  // Copies below a dirty line are old as a matter of course; an instruction cache's is what would be executed.
  const stale = differing.some((copy) => /^L\d+I/.test(copy.where));
  const names = differing.map(copyName).join(', ');
  const state = differing.length > 0 ? `${names} ${differing.length === 1 ? 'differs' : 'differ'}` : 'all copies agree';
  const at = line.va === undefined ? `PA ${shortHex(plus(line.pa, line.offset))}` : shortHex(reference);
  return {
    id: pin.address,
    label: pin.label,
    description: [state, pin.label === at ? undefined : at, pin.label === line.symbol ? undefined : line.symbol]
      .filter((text) => text !== undefined)
      .join(' · '),
    icon: stale ? 'warning' : differing.length > 0 ? 'diff' : 'pass',
    color: stale ? colors.differs : differing.length > 0 ? colors.dirty : colors.clean,
    mark: markOf(stale, changed),
    context: 'pin value address',
    pin: pin.address,
    value: reference.replace(/^pa:/, ''),
    address: reference,
    open: true,
    tooltip: factTable(`line of ${pin.label}`, [
      ['VA of the line', line.va && code(line.va)],
      ['PA of the line', code(line.pa)],
      ['line', `${line.lineBytes} bytes, the address is ${line.offset} bytes into it`],
      ['symbol', line.symbol && code(line.symbol)],
      ['copies', String(present(line).length)],
      ['that differ', names ? plain(names) : 'none'],
    ]),
    spoken: `${pin.label}, ${state}${changed ? ', changed since the last stop' : ''}`,
    children: copyRows(pin, line),
  };
}

function copyRows(pin: Pin, line: LineStateView): Row[] {
  const seen = line.copies.find((copy) => copy.where === 'view')?.bytes;
  return line.copies.map((copy) => copyRow(pin, line, copy, seen));
}

const copyWords = (copy: LineCopyRow): string[] =>
  [copy.dirty ? 'dirty' : '', copy.differs ? 'differs' : '', copy.changed ? 'changed' : ''].filter(
    (text) => text !== '',
  );

/** Where the word at the pinned address is in a copy; not in it where a cache has shorter lines. */
const wordOffset = (line: LineStateView, copy: LineCopyRow): number => (line.offset & ~3) - copy.offset;

/** The instruction or the word at the pinned address. */
function atPin(line: LineStateView, copy: LineCopyRow): string | undefined {
  const offset = wordOffset(line, copy);
  if (offset < 0 || copy.bytes === undefined) return undefined;
  return copy.instructions[offset / 4]?.text ?? wordAt(copy.bytes, offset);
}

const icons: readonly (readonly [RegExp, string])[] = [
  [/^L\d+I/, 'symbol-event'],
  [/^L\d+D/, 'symbol-variable'],
  [/^L\d/, 'layers'],
  [/^view/, 'eye'],
  [/./, 'database'],
];

function copyRow(pin: Pin, line: LineStateView, copy: LineCopyRow, seen: string | undefined): Row {
  const id = `${pin.address}/${copy.where}/${copy.offset}`;
  const label = copyName(copy);
  if (!copy.present) {
    const gone = copy.changed ? 'not there any more' : 'not there';
    return {
      id,
      label,
      description: gone,
      icon: 'circle-outline',
      color: colors.off,
      mark: markOf(false, copy.changed),
      context: 'copy',
      spoken: `${label}, ${gone}`,
    };
  }
  const word = atPin(line, copy);
  const words = copyWords(copy);
  const decoded = word !== undefined && copy.instructions.length > 0;
  const bytes = decoded ? wordAt(copy.bytes ?? '', wordOffset(line, copy))?.slice(2) : undefined;
  return {
    id,
    label,
    description: [word, ...words, bytes].filter((text) => text !== undefined).join(' · '),
    icon: icons.find(([pattern]) => pattern.test(copy.where))?.[1],
    color: copy.differs ? colors.differs : copy.dirty ? colors.dirty : undefined,
    mark: markOf(copy.differs, copy.changed),
    context: 'copy value',
    value: copy.bytes,
    tooltip: factTable(`${label}: the line at ${shortHex(line.pa)}`, [
      ['state', copy.dirty ? 'dirty' : 'clean'],
      ['bytes', copy.differs ? 'not those that cacheable accesses see' : 'those that cacheable accesses see'],
      ['since the last stop', copy.changed ? 'changed' : 'the same'],
      ['at the address', word && code(word)],
    ]),
    spoken: [label, word, ...words].filter((text) => text !== undefined).join(', '),
    children: copy.instructions.length > 0 ? instructionRows(id, line, copy) : byteRows(id, line, copy, seen),
  };
}

function instructionRows(id: string, line: LineStateView, copy: LineCopyRow): Row[] {
  return copy.instructions.map((row, i) => instructionRow(`${id}/${i}`, row, i === wordOffset(line, copy) / 4));
}

function instructionRow(id: string, row: InstructionRow, pinned: boolean): Row {
  const label = shortHex(row.address);
  return {
    id,
    label,
    highlights: pinned ? [[0, label.length]] : undefined,
    description: `${row.text}  ${row.word.slice(2)}`,
    mark: markOf(row.differs, false),
    context: 'instruction value address',
    value: `${row.word} ${row.text}`,
    address: row.address,
    tooltip: factTable(withSymbol(row.address, row.symbol), [
      ['word', code(row.word)],
      ['instruction', code(row.text)],
      ['', row.differs ? 'not the word that cacheable accesses see' : undefined],
    ]),
    spoken: `${label}, ${row.text}${row.differs ? ', differs from what cacheable accesses see' : ''}${
      pinned ? ', the pinned address' : ''
    }`,
  };
}

function byteRows(id: string, line: LineStateView, copy: LineCopyRow, seen: string | undefined): Row[] {
  return dumpRows(copy.bytes ?? '', seen?.slice(copy.offset * 2)).map((row) => {
    const label = row.bytes.join(' ');
    return {
      id: `${id}/${row.offset}`,
      label,
      highlights: row.differs.flatMap((differs, i) => (differs ? [[i * 3, i * 3 + 2] as const] : [])),
      description: `+0x${(copy.offset + row.offset).toString(16).padStart(2, '0')}  ${row.ascii}`,
      mark: markOf(row.differs.includes(true), false),
      context: 'value address',
      value: label,
      address: `pa:${plus(line.pa, copy.offset + row.offset)}`,
    };
  });
}
