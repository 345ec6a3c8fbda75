/** What must hold of the table of system operations. Each check returns lines of complaint; an empty list is a pass. */

import type { RegisterField, SystemRegisterRow } from '../sysregs/types';
import { checkTraps } from '../sysregs/validate';
import type { OperationEncoding, SystemOperationRow } from './types';

const keyOf = ([op1, CRn, CRm, op2]: OperationEncoding): number => (op1 << 11) | (CRn << 7) | (CRm << 3) | op2;

function checkRow(row: SystemOperationRow, byName: ReadonlyMap<string, SystemOperationRow>): string[] {
  const complaints: string[] = [];
  const say = (what: string): void => void complaints.push(`${row.name}: ${what}`);
  const limits = [7, 15, 15, 7];
  if (row.encoding.some((n, i) => n < 0 || n > limits[i])) say('encoding out of range');
  if (row.encoding[1] !== (row.kind === 'TLBI' ? 8 : 7)) say(`CRn is not that of ${row.kind}`);
  if (!row.name.startsWith(`${row.kind} `)) say('name and kind differ');
  if (row.section.trim() === '') say('cites no section');
  if (row.status !== 'done' && row.note === undefined) say('is not done and does not say why');
  if ((row.kind === 'DC' || row.kind === 'IC') && row.action === undefined) say('does not say what it does');
  if ((row.kind === 'AT' || row.kind === 'TLBI') && (row.regime === undefined || row.stage === undefined))
    say('does not say regime and stage');
  if (row.broadcastAs !== undefined) {
    const wide = byName.get(row.broadcastAs);
    if (wide === undefined) say(`${row.broadcastAs} does not exist`);
    else if (wide.shareable !== true || wide.operand !== row.operand)
      say(`${row.broadcastAs} is no broadcast form of it`);
  }
  return complaints;
}

/** All checks of an operation table in order of encoding; trap controls are looked up in `registers`. */
export function validateSystemOperations(
  rows: readonly SystemOperationRow[],
  registers: readonly SystemRegisterRow[],
): string[] {
  const byName = new Map(rows.map((row) => [row.name, row]));
  const fields = new Map(registers.flatMap((row) => row.fields.map((field) => [`${row.name}.${field.name}`, field])));
  const fieldOf = (register: string, name: string): RegisterField | undefined => fields.get(`${register}.${name}`);
  const complaints = byName.size === rows.length ? [] : ['operation names are not unique'];
  rows.forEach((row, i) => {
    if (i > 0 && keyOf(rows[i - 1].encoding) >= keyOf(row.encoding))
      complaints.push(`${row.name}: encoding not above that of ${rows[i - 1].name}`);
    complaints.push(...checkRow(row, byName), ...checkTraps(row.name, row.traps ?? [], fieldOf));
  });
  return complaints;
}
