/** Names that operand values have: conditions, barrier scopes, hints, prefetch operations, PSTATE fields. */

import type { FeatureName } from '../features';

/** Condition codes by number. */
export const conditionNames = [
  'eq',
  'ne',
  'hs',
  'lo',
  'mi',
  'pl',
  'vs',
  'vc',
  'hi',
  'ls',
  'ge',
  'lt',
  'gt',
  'le',
  'al',
  'nv',
] as const;

/** DMB and DSB scopes by CRm; unnamed values behave as `sy`. */
export const barrierNames: Readonly<Record<number, string>> = {
  1: 'oshld',
  2: 'oshst',
  3: 'osh',
  5: 'nshld',
  6: 'nshst',
  7: 'nsh',
  9: 'ishld',
  10: 'ishst',
  11: 'ish',
  13: 'ld',
  14: 'st',
  15: 'sy',
};

/** DSB (nXS) scopes by imm2. */
export const barrierNxsNames = ['oshnxs', 'nshnxs', 'ishnxs', 'synxs'] as const;

/** A hint that has a name but no row: it executes as a NOP. */
export interface HintName {
  /** CRm:op2. */
  readonly imm: number;
  readonly name: string;
  readonly feature: FeatureName;
}

export const hintNames: readonly HintName[] = [
  { imm: 6, name: 'dgh', feature: 'FEAT_DGH' },
  { imm: 17, name: 'psb csync', feature: 'FEAT_SPE' },
  { imm: 18, name: 'tsb csync', feature: 'FEAT_TRF' },
  { imm: 20, name: 'csdb', feature: 'FEAT_CSV2' },
];

/** PSTATE fields that MSR (immediate) writes, by op1:op2. */
export const pstateFieldNames: Readonly<Record<number, string>> = {
  5: 'SPSel',
  30: 'DAIFSet',
  31: 'DAIFClr',
};

/** Name of a prefetch operation (the Rt field), if it has one. */
export function prefetchName(prfop: number): string | undefined {
  const type = ['pld', 'pli', 'pst'][prfop >>> 3];
  const target = ['l1', 'l2', 'l3'][(prfop >>> 1) & 3];
  return type && target ? `${type}${target}${prfop & 1 ? 'strm' : 'keep'}` : undefined;
}
