/** Sets of features, and what follows from them. A set holds only what is done and has all that it needs. */
import { bug } from '../../base/errors';
import { type FeatureName, type FeatureRow, features, fieldsWithout } from './table';

export { type FeatureName, type FeatureRow, features } from './table';

export type FeatureSet = ReadonlySet<string>;

/** Whether a core has FEAT_xxx. */
export type HasFeature = (feature: string) => boolean;

const rows: Readonly<Record<string, FeatureRow>> = features;

/** The row of a feature, if there is such a feature. */
export const featureRow = (name: string): FeatureRow | undefined =>
  Object.hasOwn(rows, name) ? rows[name] : undefined;

export const featureNames = Object.keys(features) as readonly FeatureName[];

/** One field that advertises a feature. */
export interface Advertised {
  readonly register: string;
  readonly field: string;
  readonly value: number;
  /** The field says it only on cores that have this as well. */
  readonly beside?: string;
}

const ID = /^([A-Z0-9]+)\.(\w+)=(\d+)(?:\?(FEAT_\w+))?$/;

/** The fields named by a row's `id`. */
export function advertisedBy(id: string): readonly Advertised[] {
  return id
    .split(' ')
    .filter((text) => text !== '')
    .map((text) => {
      const match = ID.exec(text) ?? bug(`ID field "${text}"`);
      const beside = match[4] === undefined ? {} : { beside: match[4] };
      return { register: `ID_AA64${match[1]}_EL1`, field: match[2], value: Number(match[3]), ...beside };
    });
}

const withoutFeature = advertisedBy(fieldsWithout);
const advertised = Object.entries(rows).map(([name, row]) => ({ name, fields: advertisedBy(row.id) }));

/** The features of a real core as far as they are done here: those that are not, and what needs them, fall away. */
export function implemented(wanted: Iterable<FeatureName>): FeatureSet {
  const set = new Set<string>([...wanted].filter((name) => rows[name].status === 'done'));
  let before: number;
  do {
    before = set.size;
    for (const name of set) if (!rows[name].needs.every((needed) => set.has(needed))) set.delete(name);
  } while (set.size < before);
  return set;
}

/** Everything that is done; of features that exclude each other, the one that stands first in the table. */
export function everythingDone(): FeatureSet {
  const chosen: FeatureName[] = [];
  for (const name of featureNames) {
    if (rows[name].status === 'done' && !rows[name].excludes?.some((other) => chosen.includes(other as FeatureName)))
      chosen.push(name);
  }
  return implemented(chosen);
}

/** Why no core can have this set: the first reason, by feature, or undefined. */
export function featureConflict(set: FeatureSet): { readonly feature: string; readonly what: string } | undefined {
  for (const feature of set) {
    const row = featureRow(feature);
    if (row === undefined) return { feature, what: 'there is no such feature' };
    if (row.status !== 'done') return { feature, what: `it is not implemented (${row.doc})` };
    const missing = row.needs.find((needed) => !set.has(needed));
    if (missing !== undefined) return { feature, what: `it needs ${missing}` };
    const other = row.excludes?.find((excluded) => set.has(excluded));
    if (other !== undefined) return { feature, what: `a core with it cannot have ${other}` };
  }
  return undefined;
}

/** Values of the ID register fields that features say something about, by register and field. */
export function advertisedFields(set: FeatureSet): ReadonlyMap<string, Readonly<Record<string, number>>> {
  const values = new Map<string, Record<string, number>>();
  const raise = (register: string, field: string, value: number): void => {
    const fields = values.get(register) ?? {};
    values.set(register, fields);
    fields[field] = Math.max(fields[field] ?? 0, value);
  };
  for (const { name, fields } of advertised) {
    if (!set.has(name)) continue;
    for (const { register, field, value, beside } of fields)
      if (beside === undefined || set.has(beside)) raise(register, field, value);
  }
  for (const { register, field, value } of withoutFeature)
    if (values.get(register)?.[field] === undefined) raise(register, field, value);
  return values;
}

/** Equal for equal sets: what decoded code is keyed by. */
export const featureKey = (set: FeatureSet): string => [...set].sort().join(' ');
