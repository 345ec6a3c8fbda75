/** What must hold of the register table. Each check returns lines of complaint; an empty list is a pass. */
import { registerBehaviours } from './behaviours';
import { fieldMask, noFeatures, onesMask } from './masks';
import type { Encoding, RegisterField, SystemRegisterRow, TrapRule } from './types';

const keyOf = ([op0, op1, CRn, CRm, op2]: Encoding): number =>
  (op0 << 14) | (op1 << 11) | (CRn << 7) | (CRm << 3) | op2;

/** Every bit in exactly one field, from bit `width - 1` down; names unique but for RES0 and RES1; values fit. */
export function checkFields(owner: string, fields: readonly RegisterField[], width = 64): string[] {
  const complaints: string[] = [];
  const names = new Set<string>();
  let next = width - 1;
  for (const field of fields) {
    const at = `${owner}.${field.name}`;
    if (field.hi !== next) complaints.push(`${at}: starts at bit ${field.hi}, expected ${next}`);
    if (field.lo > field.hi) complaints.push(`${at}: [${field.hi}:${field.lo}] is the wrong way round`);
    next = field.lo - 1;
    if (field.res === undefined && names.has(field.name)) complaints.push(`${at}: named twice`);
    names.add(field.name);
    if (field.res !== undefined && (field.values ?? field.feature) !== undefined)
      complaints.push(`${at}: reserved bits with values or a feature`);
    if (field.without !== undefined && field.feature === undefined) complaints.push(`${at}: no feature to be without`);
    for (const value of Object.keys(field.values ?? {}))
      if (Number(value) >= 2 ** (field.hi - field.lo + 1)) complaints.push(`${at}: value ${value} does not fit`);
  }
  if (next !== -1) complaints.push(`${owner}: bits ${next}:0 not described`);
  return complaints;
}

const trapRegisters = (rule: TrapRule): string[] => [
  rule.control,
  ...(rule.and === undefined ? [] : [rule.and.control]),
  ...(rule.unless ?? []).map((condition) => condition.control),
];

/** A trap's controls are one-bit fields of registers of the table that trap to no lower level than their own. */
export function checkTraps(
  owner: string,
  traps: readonly TrapRule[],
  fieldOf: (register: string, field: string) => RegisterField | undefined,
): string[] {
  const complaints: string[] = [];
  for (const rule of traps) {
    for (const control of trapRegisters(rule)) {
      const [register, name] = control.split('.');
      const field = fieldOf(register, name ?? '');
      if (field === undefined) complaints.push(`${owner}: trap control ${control} is no field of the table`);
      else if (field.hi !== field.lo) complaints.push(`${owner}: trap control ${control} is wider than a bit`);
    }
    const level = Number(/_EL(\d)\./.exec(rule.control)?.[1]);
    if (level > 0 && rule.to !== level) complaints.push(`${owner}: ${rule.control} cannot trap to EL${rule.to}`);
    if (rule.from.length === 0 || rule.from.some((el) => el >= rule.to && !(el === 0 && rule.to === 1)))
      complaints.push(`${owner}: ${rule.control} traps from EL${rule.from.join(',')} to EL${rule.to}`);
  }
  return complaints;
}

function checkRow(row: SystemRegisterRow): string[] {
  const complaints: string[] = [];
  const say = (what: string): void => void complaints.push(`${row.name}: ${what}`);
  const limits = [3, 7, 15, 15, 7];
  if (row.encoding.some((n, i) => n < 0 || n > limits[i])) say('encoding out of range');
  if (row.encoding[0] < 2) say('op0 is not 2 or 3');
  if (row.section.trim() === '') say('cites no section');
  if (row.read === 'none' && row.write === 'none') say('can neither be read nor written');
  if (row.status === 'partial' && row.note === undefined) say('is partial and does not say why');
  if (typeof row.reset === 'bigint') {
    const ones = onesMask(row, noFeatures);
    if ((row.reset & ones) !== ones) say('reset value lacks RES1 bits');
    const reserved = row.fields.filter((field) => field.res === 0);
    if (reserved.some((field) => ((row.reset as bigint) & fieldMask(field)) !== 0n))
      say('reset value has RES0 bits set');
  }
  if (row.behaviour === 'constant' && row.context === true) say('is constant and changes context');
  if (row.behaviour !== 'storage' && row.behaviour !== 'constant' && !(row.behaviour in registerBehaviours))
    say(`behaviour ${row.behaviour} is not in behaviours.ts`);
  return complaints;
}

/** All checks of a register table whose rows are in storage order. */
export function validateSystemRegisters(rows: readonly SystemRegisterRow[], room: number): string[] {
  const complaints: string[] = [];
  const byName = new Map(rows.map((row) => [row.name, row]));
  if (byName.size !== rows.length) complaints.push('register names are not unique');
  if (rows.length > room) complaints.push(`${rows.length} registers, room for ${room}`);
  rows.forEach((row, i) => {
    if (i > 0 && keyOf(rows[i - 1].encoding) >= keyOf(row.encoding))
      complaints.push(`${row.name}: encoding not above that of ${rows[i - 1].name}`);
    complaints.push(...checkRow(row), ...checkFields(row.name, row.fields));
    for (const variant of row.variants ?? []) complaints.push(...checkFields(`${row.name} (variant)`, variant.fields));
    const fieldOf = (register: string, field: string): RegisterField | undefined =>
      byName.get(register)?.fields.find((f) => f.name === field);
    complaints.push(...checkTraps(row.name, row.traps ?? [], fieldOf));
  });
  const used = new Set(rows.map((row) => row.behaviour));
  for (const id of Object.keys(registerBehaviours))
    if (!used.has(id)) complaints.push(`behaviour ${id} is used by no register`);
  return complaints;
}
