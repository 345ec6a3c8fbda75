/** What must hold of the feature table together with the tables that name features. An empty list is a pass. */
import type { InstructionRow } from '../instructions/types';
import type { SystemOperationRow } from '../sysops/types';
import type { NamedRegister, SystemRegisterRow } from '../sysregs/types';
import { advertisedBy, type FeatureRow } from './index';

/** The tables whose rows name features. */
export interface FeatureUsers {
  readonly instructions: readonly Pick<InstructionRow, 'id' | 'status' | 'feature'>[];
  readonly registers: readonly SystemRegisterRow[];
  readonly named: readonly NamedRegister[];
  readonly operations: readonly Pick<SystemOperationRow, 'name' | 'status' | 'feature'>[];
}

type Features = Readonly<Record<string, FeatureRow>>;

function checkRow(name: string, row: FeatureRow, all: Features, registers: readonly SystemRegisterRow[]): string[] {
  const complaints: string[] = [];
  const say = (what: string): void => void complaints.push(`${name}: ${what}`);
  if (!/^FEAT_\w+$/.test(name)) say('is not a name');
  if (row.doc.trim() === '') say('does not say what it brings');
  if (row.status !== 'done' && row.note === undefined) say('is not done and does not say why');
  if (row.status === 'done' && row.id === '') say('is done, and no ID register says so');
  for (const other of [...row.needs, ...(row.excludes ?? [])]) if (!Object.hasOwn(all, other)) say(`names ${other}`);
  for (const needed of row.needs)
    if (row.status === 'done' && all[needed]?.status !== 'done') say(`is done and needs ${needed}, which is not`);
  for (const { register, field, value, beside } of advertisedBy(row.id)) {
    const found = registers.find((r) => r.name === register)?.fields.find((f) => f.name === field);
    if (found === undefined) say(`${register}.${field} does not exist`);
    else if (value >= 2 ** (found.hi - found.lo + 1)) say(`${value} does not fit ${register}.${field}`);
    if (beside !== undefined && !Object.hasOwn(all, beside)) say(`names ${beside}`);
  }
  return complaints;
}

/** A done feature has all of its rows; every name of a feature is one of the table. */
export function validateFeatures(all: Features, users: FeatureUsers): string[] {
  const rows = [
    ...users.instructions.map((row) => ({ name: row.id, status: row.status as string, feature: row.feature })),
    ...users.operations,
    ...users.registers,
    ...users.named.map((row) => ({ name: row.name, status: 'unimplemented', feature: row.feature })),
  ];
  const complaints = Object.entries(all).flatMap(([name, row]) => checkRow(name, row, all, users.registers));
  for (const { name, status, feature } of rows) {
    if (feature === undefined) continue;
    if (!Object.hasOwn(all, feature)) complaints.push(`${name}: ${feature} is no feature`);
    else if (status === 'unimplemented' && all[feature].status === 'done')
      complaints.push(`${feature}: is done, but ${name} is not`);
  }
  const fields = users.registers.flatMap((row) => row.fields.map((field) => [row.name, field.feature] as const));
  for (const [name, feature] of fields)
    if (feature !== undefined && !Object.hasOwn(all, feature)) complaints.push(`${name}: ${feature} is no feature`);
  return complaints;
}
