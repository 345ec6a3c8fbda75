/**
 * Masks of a register row: which bits a write reaches and which read as ones. `has` answers whether the core has a feature;
 * bits of fields whose feature is missing are reserved.
 */
import type { HasFeature } from '../features';
import type { RegisterField, SystemRegisterRow } from './types';

/** An Armv8.0 core without any optional feature. */
export const noFeatures: HasFeature = () => false;

/** Bits [hi:lo] as a mask. */
export const fieldMask = (field: Pick<RegisterField, 'hi' | 'lo'>): bigint =>
  ((1n << BigInt(field.hi - field.lo + 1)) - 1n) << BigInt(field.lo);

/** 0 or 1 where a field's bits are reserved on this core, undefined where they are live. */
export function reservedAs(field: RegisterField, has: HasFeature): 0 | 1 | undefined {
  if (field.res !== undefined) return field.res;
  return field.feature !== undefined && !has(field.feature) ? (field.without ?? 0) : undefined;
}

/** The layout of this value on a core: a variant where one applies. `e2h`: HCR_EL2.E2H as it is now. */
export function fieldsFor(
  row: SystemRegisterRow,
  value: bigint,
  has: HasFeature,
  e2h = false,
): readonly RegisterField[] {
  const variant = row.variants?.find(({ when }) => {
    if ('control' in when) return e2h;
    return 'feature' in when ? has(when.feature) : ((value >> BigInt(when.bit)) & 1n) === 1n;
  });
  return variant?.fields ?? row.fields;
}

/** The layout that HCR_EL2.E2H gives a register of EL2, if it is another one. */
export const hostFields = (row: SystemRegisterRow): readonly RegisterField[] | undefined =>
  row.variants?.find(({ when }) => 'control' in when)?.fields;

const union = (row: Pick<SystemRegisterRow, 'fields'>, pick: (field: RegisterField) => boolean): bigint =>
  row.fields.reduce((mask, field) => (pick(field) ? mask | fieldMask(field) : mask), 0n);

/** Bits that a write changes: neither reserved nor read-only. The access rule `row.write` is not looked at. */
export const writableMask = (row: Pick<SystemRegisterRow, 'fields'>, has: HasFeature): bigint =>
  union(row, (field) => reservedAs(field, has) === undefined && field.readOnly !== true);

/** Bits that read as one whatever was written. */
export const onesMask = (row: Pick<SystemRegisterRow, 'fields'>, has: HasFeature): bigint =>
  union(row, (field) => reservedAs(field, has) === 1);
