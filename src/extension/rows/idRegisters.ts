/**
 * The Cache ID registers view: core × register with each field decoded. A register that all cores agree on shows its fields at
 * once; one that they do not agree on shows every core's value first, marked.
 */
import { shortHex } from '../../protocol/presentation';
import type { FieldRow, Hex64, IdRegisterCell, IdRegisterRow, IdRegistersView } from '../../protocol/views';
import { code, colors, factTable, plain, type Row } from './row';

type Models = ReadonlyMap<number, string>;

export function idRegisterRows(view: IdRegistersView): Row[] {
  const models: Models = new Map(view.cores.map(({ core, model }) => [core, model]));
  return view.rows.map((register) => registerRow(register, models));
}

/** `0x2`: a column beside others has no room for zeros. */
const leastHex = (value: Hex64): string => `0x${BigInt(value).toString(16)}`;

/** What guests read: one value, or that it depends on the core. Empty without guests. */
function guestText({ cells }: IdRegisterRow): string {
  const [first, ...others] = new Set(cells.flatMap((cell) => cell.guest ?? []));
  if (first === undefined) return '';
  return others.length === 0 ? `guests ${leastHex(first)}` : `guests ${others.length + 1} different values`;
}

const joined = (...parts: readonly (string | undefined)[]): string =>
  parts.filter((part) => part !== undefined && part !== '').join(' · ');

const valueText = (cell: IdRegisterCell | undefined): string =>
  cell?.raw === undefined ? 'not implemented' : shortHex(cell.raw);

function registerRow(register: IdRegisterRow, models: Models): Row {
  const [first] = register.cells;
  const cores = register.cells.length;
  const same = cores > 1 ? `on all ${cores} cores` : '';
  const distinct = new Set(register.cells.map((cell) => cell.raw)).size;
  const host = register.sanitised === undefined ? '' : `host ${leastHex(register.sanitised)}`;
  const others = joined(guestText(register), host);
  const raw = register.mismatch ? `${distinct} different values` : valueText(first);
  // Views are narrow: what the columns say comes before what goes without saying.
  const all = register.mismatch ? '' : same;
  const description = others === '' ? [raw, all].filter(Boolean).join(' ') : joined(raw, others, all);
  return {
    id: register.name,
    label: register.name,
    description,
    icon: register.mismatch ? 'warning' : 'symbol-field',
    color: register.mismatch ? colors.differs : undefined,
    mark: register.mismatch ? 'differs' : undefined,
    context: register.mismatch ? 'register' : 'register value',
    value: register.mismatch ? undefined : first?.raw,
    tooltip: registerTooltip(register, models),
    spoken: `${register.name}, ${register.title}, ${description}${register.mismatch ? ': the cores do not agree' : ''}`,
    open: register.mismatch,
    children: register.mismatch
      ? register.cells.map((cell) => cellRow(register, cell, models))
      : fieldRows(register.name, first?.fields ?? []),
  };
}

const registerTooltip = (register: IdRegisterRow, models: Models): string =>
  [
    factTable(`${register.name}: ${register.title}`, [
      ...register.cells.map((cell): readonly [string, string] => {
        const guest = cell.guest === undefined ? '' : ` · guests ${code(shortHex(cell.guest))}`;
        return [`core ${cell.core} (${models.get(cell.core) ?? '?'})`, `${code(valueText(cell))}${guest}`];
      }),
      ['the host, of all cores', register.sanitised && code(shortHex(register.sanitised))],
    ]),
    register.mismatch ? '\nThe cores do not agree. Software that reads one core’s value is wrong on another.' : '',
  ].join('\n');

function cellRow(register: IdRegisterRow, cell: IdRegisterCell, models: Models): Row {
  const id = `${register.name}/core${cell.core}`;
  const differing = cell.fields.filter((field) => field.differs).map((field) => field.name);
  return {
    id,
    label: `core ${cell.core}`,
    description: joined(valueText(cell), cell.guest && `guest ${leastHex(cell.guest)}`, models.get(cell.core)),
    icon: 'chip',
    context: cell.raw === undefined ? 'register' : 'register value',
    value: cell.raw,
    core: cell.core,
    tooltip: registerTooltip(register, models),
    spoken: `core ${cell.core}, ${valueText(cell)}${differing.length > 0 ? `, different: ${differing.join(', ')}` : ''}`,
    children: fieldRows(id, cell.fields),
  };
}

const bits = (field: FieldRow): string => (field.hi === field.lo ? `[${field.lo}]` : `[${field.hi}:${field.lo}]`);

function fieldRows(id: string, fields: readonly FieldRow[]): Row[] {
  return fields.map((field) => ({
    id: `${id}/${field.name}${bits(field)}`,
    label: field.name,
    description: field.meaning === undefined ? field.value : `${field.value} · ${field.meaning}`,
    mark: field.differs ? 'differs' : undefined,
    context: 'field value',
    value: field.value,
    tooltip: factTable(`${field.name} ${bits(field)}`, [
      ['value', code(field.value)],
      ['means', field.meaning && plain(field.meaning)],
      ['', field.differs ? 'not the same on every core' : undefined],
    ]),
    spoken: `${field.name}, bits ${bits(field)}, ${field.value}${field.meaning ? `, ${field.meaning}` : ''}${
      field.differs ? ', not the same on every core' : ''
    }`,
  }));
}
