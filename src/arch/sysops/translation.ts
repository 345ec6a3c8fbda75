/** AT and TLBI operations: those of Armv8.0, PAN's AT forms, and the outer shareable and range TLBIs of Armv8.4. */
import type { TrapRule } from '../sysregs/types';
import type { SystemOperationRow } from './types';

const hyp = (control: string): TrapRule => ({ control, value: 1, from: [1], to: 2 });
const TTLB = [hyp('HCR_EL2.TTLB')];
const TTLB_IS = [hyp('HCR_EL2.TTLB'), hyp('HCR_EL2.TTLBIS')];
const TTLB_OS = [hyp('HCR_EL2.TTLB'), hyp('HCR_EL2.TTLBOS')];

type Regime = NonNullable<SystemOperationRow['regime']>;

const at = (
  name: string,
  op1: number,
  CRm: number,
  op2: number,
  regime: Regime,
  stage: 1 | 12,
  el: 1 | 2 | 3,
  rest: Partial<SystemOperationRow> = {},
): SystemOperationRow => ({
  name: `AT ${name}`,
  kind: 'AT',
  encoding: [op1, 7, CRm, op2],
  section: `Address Translate (AT ${name})`,
  el,
  operand: 'va',
  regime,
  stage,
  write: name.includes('W'),
  status: 'done',
  ...rest,
});

interface Tlbi {
  readonly name: string;
  readonly op1: number;
  /** CRm of the inner shareable form; the local form has 4 more. */
  readonly CRm: number;
  readonly op2: number;
  readonly el: 1 | 2 | 3;
  readonly regime: Regime;
  readonly operand: SystemOperationRow['operand'];
  readonly stage: 1 | 2 | 12;
  readonly lastLevel?: boolean;
  readonly allVmids?: boolean;
}

/** Operands with an ASID: EL1's but for the "all ASIDs" ones, EL2's by VA. */
const hasAsid = (name: string, el: number): boolean => el < 3 && /^R?VAL?E|^ASID/.test(name);

/** Every TLBI of Armv8.0, each with a local and an inner shareable form. */
const tlbis: readonly Tlbi[] = [
  { name: 'VMALLE1', op1: 0, CRm: 3, op2: 0, el: 1, regime: 'EL1&0', operand: 'none', stage: 1 },
  { name: 'VAE1', op1: 0, CRm: 3, op2: 1, el: 1, regime: 'EL1&0', operand: 'va+asid', stage: 1 },
  { name: 'ASIDE1', op1: 0, CRm: 3, op2: 2, el: 1, regime: 'EL1&0', operand: 'asid', stage: 1 },
  { name: 'VAAE1', op1: 0, CRm: 3, op2: 3, el: 1, regime: 'EL1&0', operand: 'va', stage: 1 },
  { name: 'VALE1', op1: 0, CRm: 3, op2: 5, el: 1, regime: 'EL1&0', operand: 'va+asid', stage: 1, lastLevel: true },
  { name: 'VAALE1', op1: 0, CRm: 3, op2: 7, el: 1, regime: 'EL1&0', operand: 'va', stage: 1, lastLevel: true },
  { name: 'ALLE2', op1: 4, CRm: 3, op2: 0, el: 2, regime: 'EL2', operand: 'none', stage: 1 },
  { name: 'VAE2', op1: 4, CRm: 3, op2: 1, el: 2, regime: 'EL2', operand: 'va', stage: 1 },
  { name: 'ALLE1', op1: 4, CRm: 3, op2: 4, el: 2, regime: 'EL1&0', operand: 'none', stage: 12, allVmids: true },
  { name: 'VALE2', op1: 4, CRm: 3, op2: 5, el: 2, regime: 'EL2', operand: 'va', stage: 1, lastLevel: true },
  { name: 'VMALLS12E1', op1: 4, CRm: 3, op2: 6, el: 2, regime: 'EL1&0', operand: 'none', stage: 12 },
  { name: 'ALLE3', op1: 6, CRm: 3, op2: 0, el: 3, regime: 'EL3', operand: 'none', stage: 1 },
  { name: 'VAE3', op1: 6, CRm: 3, op2: 1, el: 3, regime: 'EL3', operand: 'va', stage: 1 },
  { name: 'VALE3', op1: 6, CRm: 3, op2: 5, el: 3, regime: 'EL3', operand: 'va', stage: 1, lastLevel: true },
];

function tlbi(row: Tlbi, form: 'local' | 'IS' | 'OS'): SystemOperationRow {
  const { name, op1, CRm, op2, el, regime, operand, stage, lastLevel, allVmids } = row;
  const suffix = form === 'local' ? '' : form;
  const traps = { local: TTLB, IS: TTLB_IS, OS: TTLB_OS }[form];
  return {
    name: `TLBI ${name}${suffix}`,
    kind: 'TLBI',
    encoding: [op1, 8, form === 'local' ? CRm + 4 : CRm, op2],
    section: `TLB Invalidate (TLBI ${name}${suffix})`,
    el,
    operand,
    regime,
    stage,
    shareable: form !== 'local',
    status: 'done',
    ...(el === 1 ? { traps } : {}),
    ...(el === 1 && form === 'local' ? { broadcastAs: `TLBI ${name}IS` } : {}),
    ...(lastLevel === undefined ? {} : { lastLevel }),
    ...(hasAsid(name, el) ? { asid: true } : {}),
    ...(allVmids === undefined ? {} : { allVmids }),
  };
}

/** By IPA: stage 2 only, of the current VMID; CRm is 0 for the inner shareable form. */
const byIpa = (name: string, CRm: number, op2: number, rest: Partial<SystemOperationRow> = {}): SystemOperationRow => ({
  name: `TLBI ${name}`,
  kind: 'TLBI',
  encoding: [4, 8, CRm, op2],
  section: `TLB Invalidate (TLBI ${name})`,
  el: 2,
  operand: 'ipa',
  regime: 'EL1&0',
  stage: 2,
  shareable: CRm === 0,
  status: 'done',
  ...rest,
});

const OUTER = { feature: 'FEAT_TLBIOS', shareable: true } as const satisfies Partial<SystemOperationRow>;
const RANGE = { feature: 'FEAT_TLBIRANGE', operand: 'range' } as const satisfies Partial<SystemOperationRow>;

/** Range forms: name, op1, op2, el, regime, and CRm for inner, outer, local. */
const ranges = [
  ['RVAE1', 0, 1, 1, 'EL1&0', [2, 5, 6]],
  ['RVAAE1', 0, 3, 1, 'EL1&0', [2, 5, 6]],
  ['RVALE1', 0, 5, 1, 'EL1&0', [2, 5, 6]],
  ['RVAALE1', 0, 7, 1, 'EL1&0', [2, 5, 6]],
  ['RVAE2', 4, 1, 2, 'EL2', [2, 5, 6]],
  ['RVALE2', 4, 5, 2, 'EL2', [2, 5, 6]],
  ['RVAE3', 6, 1, 3, 'EL3', [2, 5, 6]],
  ['RVALE3', 6, 5, 3, 'EL3', [2, 5, 6]],
] as const;

const rangeRows = ranges.flatMap(([name, op1, op2, el, regime, CRms]) =>
  (['IS', 'OS', ''] as const).map(
    (suffix, i): SystemOperationRow => ({
      name: `TLBI ${name}${suffix}`,
      kind: 'TLBI',
      encoding: [op1, 8, CRms[i], op2],
      section: `TLB Range Invalidate (TLBI ${name}${suffix})`,
      el,
      regime,
      stage: 1,
      shareable: suffix !== '',
      lastLevel: name.includes('L'),
      status: 'done',
      ...(hasAsid(name, el) ? { asid: true } : {}),
      ...(el === 1 ? { traps: { IS: TTLB_IS, OS: TTLB_OS, '': TTLB }[suffix] } : {}),
      ...(el === 1 && suffix === '' ? { broadcastAs: `TLBI ${name}IS` } : {}),
      ...RANGE,
    }),
  ),
);

/** CRm of the outer shareable form is 1 (op1 and op2 as in the inner shareable one). */
const outerRows = tlbis.map(
  (row): SystemOperationRow => ({
    ...tlbi(row, 'OS'),
    encoding: [row.op1, 8, 1, row.op2],
    ...OUTER,
  }),
);

export const translationRows: readonly SystemOperationRow[] = [
  at('S1E1R', 0, 8, 0, 'EL1&0', 1, 1),
  at('S1E1W', 0, 8, 1, 'EL1&0', 1, 1),
  at('S1E0R', 0, 8, 2, 'EL0', 1, 1),
  at('S1E0W', 0, 8, 3, 'EL0', 1, 1),
  at('S1E1RP', 0, 9, 0, 'EL1&0', 1, 1, { feature: 'FEAT_PAN2' }),
  at('S1E1WP', 0, 9, 1, 'EL1&0', 1, 1, { feature: 'FEAT_PAN2' }),
  at('S1E2R', 4, 8, 0, 'EL2', 1, 2),
  at('S1E2W', 4, 8, 1, 'EL2', 1, 2),
  at('S12E1R', 4, 8, 4, 'EL1&0', 12, 2),
  at('S12E1W', 4, 8, 5, 'EL1&0', 12, 2),
  at('S12E0R', 4, 8, 6, 'EL0', 12, 2),
  at('S12E0W', 4, 8, 7, 'EL0', 12, 2),
  at('S1E3R', 6, 8, 0, 'EL3', 1, 3),
  at('S1E3W', 6, 8, 1, 'EL3', 1, 3),
  ...tlbis.flatMap((row) => [tlbi(row, 'local'), tlbi(row, 'IS')]),
  byIpa('IPAS2E1IS', 0, 1),
  byIpa('IPAS2LE1IS', 0, 5, { lastLevel: true }),
  byIpa('IPAS2E1', 4, 1),
  byIpa('IPAS2LE1', 4, 5, { lastLevel: true }),
  ...outerRows,
  byIpa('IPAS2E1OS', 4, 0, OUTER),
  byIpa('IPAS2LE1OS', 4, 4, { ...OUTER, lastLevel: true }),
  ...rangeRows,
  byIpa('RIPAS2E1IS', 0, 2, RANGE),
  byIpa('RIPAS2LE1IS', 0, 6, { ...RANGE, lastLevel: true }),
  byIpa('RIPAS2E1', 4, 2, RANGE),
  byIpa('RIPAS2LE1', 4, 6, { ...RANGE, lastLevel: true }),
  byIpa('RIPAS2E1OS', 4, 3, { ...RANGE, shareable: true }),
  byIpa('RIPAS2LE1OS', 4, 7, { ...RANGE, shareable: true, lastLevel: true }),
];
