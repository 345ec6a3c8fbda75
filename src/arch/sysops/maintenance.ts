/** Cache maintenance and DC ZVA. Trap order: EL0's enable, then HCR_EL2 (set/way, to the PoC, to the PoU). */
import type { TrapRule } from '../sysregs/types';
import type { SystemOperationRow } from './types';

const user = (control: string): TrapRule => ({ control, value: 0, from: [0], to: 1 });
const hyp = (control: string, from: TrapRule['from']): TrapRule => ({ control, value: 1, from, to: 2 });

const UCI = user('SCTLR_EL1.UCI');
const POC_USER = [UCI, hyp('HCR_EL2.TPCP', [0, 1])];
const POC_EL1 = [hyp('HCR_EL2.TPCP', [1])];
const POU_USER = [UCI, hyp('HCR_EL2.TPU', [0, 1]), hyp('HCR_EL2.TOCU', [0, 1])];
const SET_WAY = [hyp('HCR_EL2.TSW', [1])];

const dc = (
  name: string,
  encoding: SystemOperationRow['encoding'],
  section: string,
  rest: Partial<SystemOperationRow>,
): SystemOperationRow => ({
  name: `DC ${name}`,
  kind: 'DC',
  encoding,
  section: `${section} (DC ${name})`,
  el: 1,
  operand: 'va',
  status: 'done',
  ...rest,
});

const ic = (
  name: string,
  encoding: SystemOperationRow['encoding'],
  section: string,
  rest: Partial<SystemOperationRow>,
): SystemOperationRow => ({
  name: `IC ${name}`,
  kind: 'IC',
  encoding,
  section: `${section} (IC ${name})`,
  el: 1,
  operand: 'none',
  action: 'invalidate',
  to: 'PoU',
  status: 'done',
  ...rest,
});

const TAGS = {
  status: 'unimplemented',
  feature: 'FEAT_MTE2',
  note: 'there are no allocation tags: UNDEFINED',
} as const satisfies Partial<SystemOperationRow>;

const tags = (
  name: string,
  encoding: SystemOperationRow['encoding'],
  action: 'clean' | 'invalidate' | 'clean+invalidate' | 'zero',
  rest: Partial<SystemOperationRow>,
): SystemOperationRow =>
  dc(name, encoding, 'Data or unified cache line operation on tags', { action, ...TAGS, ...rest });

export const maintenanceRows: readonly SystemOperationRow[] = [
  ic('IALLUIS', [0, 7, 1, 0], 'Instruction Cache Invalidate All to PoU, Inner Shareable', {
    shareable: true,
    traps: [hyp('HCR_EL2.TPU', [1]), hyp('HCR_EL2.TICAB', [1])],
  }),
  ic('IALLU', [0, 7, 5, 0], 'Instruction Cache Invalidate All to PoU', {
    traps: [hyp('HCR_EL2.TPU', [1]), hyp('HCR_EL2.TOCU', [1])],
    broadcastAs: 'IC IALLUIS',
  }),
  ic('IVAU', [3, 7, 5, 1], 'Instruction Cache line Invalidate by VA to PoU', {
    el: 0,
    operand: 'va',
    traps: POU_USER,
  }),
  dc('IVAC', [0, 7, 6, 1], 'Data or unified Cache line Invalidate by VA to PoC', {
    action: 'invalidate',
    to: 'PoC',
    traps: POC_EL1,
    note: 'needs write permission; cleans as well under HCR_EL2.VM or DC',
  }),
  dc('ISW', [0, 7, 6, 2], 'Data or unified Cache line Invalidate by Set/Way', {
    operand: 'setway',
    action: 'invalidate',
    traps: SET_WAY,
    note: 'cleans as well under HCR_EL2.SWIO, VM or DC',
  }),
  dc('CSW', [0, 7, 10, 2], 'Data or unified Cache line Clean by Set/Way', {
    operand: 'setway',
    action: 'clean',
    traps: SET_WAY,
  }),
  dc('CISW', [0, 7, 14, 2], 'Data or unified Cache line Clean and Invalidate by Set/Way', {
    operand: 'setway',
    action: 'clean+invalidate',
    traps: SET_WAY,
  }),
  dc('ZVA', [3, 7, 4, 1], 'Data Cache Zero by VA', {
    el: 0,
    action: 'zero',
    traps: [user('SCTLR_EL1.DZE'), hyp('HCR_EL2.TDZ', [0, 1])],
  }),
  dc('CVAC', [3, 7, 10, 1], 'Data or unified Cache line Clean by VA to PoC', {
    el: 0,
    action: 'clean',
    to: 'PoC',
    traps: POC_USER,
  }),
  dc('CVAU', [3, 7, 11, 1], 'Data or unified Cache line Clean by VA to PoU', {
    el: 0,
    action: 'clean',
    to: 'PoU',
    traps: POU_USER,
  }),
  dc('CIVAC', [3, 7, 14, 1], 'Data or unified Cache line Clean and Invalidate by VA to PoC', {
    el: 0,
    action: 'clean+invalidate',
    to: 'PoC',
    traps: POC_USER,
  }),
  dc('CVAP', [3, 7, 12, 1], 'Data or unified Cache line Clean by VA to PoP', {
    el: 0,
    action: 'clean',
    to: 'PoP',
    traps: POC_USER,
    feature: 'FEAT_DPB',
    note: 'the point of persistence is the point of coherency',
  }),
  dc('CVADP', [3, 7, 13, 1], 'Data or unified Cache line Clean by VA to PoDP', {
    el: 0,
    action: 'clean',
    to: 'PoP',
    traps: POC_USER,
    feature: 'FEAT_DPB2',
    note: 'the point of deep persistence is the point of coherency',
  }),
  tags('IGVAC', [0, 7, 6, 3], 'invalidate', { to: 'PoC', traps: POC_EL1 }),
  tags('IGSW', [0, 7, 6, 4], 'invalidate', { operand: 'setway', traps: SET_WAY }),
  tags('IGDVAC', [0, 7, 6, 5], 'invalidate', { to: 'PoC', traps: POC_EL1 }),
  tags('IGDSW', [0, 7, 6, 6], 'invalidate', { operand: 'setway', traps: SET_WAY }),
  tags('CGSW', [0, 7, 10, 4], 'clean', { operand: 'setway', traps: SET_WAY }),
  tags('CGDSW', [0, 7, 10, 6], 'clean', { operand: 'setway', traps: SET_WAY }),
  tags('CIGSW', [0, 7, 14, 4], 'clean+invalidate', { operand: 'setway', traps: SET_WAY }),
  tags('CIGDSW', [0, 7, 14, 6], 'clean+invalidate', { operand: 'setway', traps: SET_WAY }),
  tags('GVA', [3, 7, 4, 3], 'zero', { el: 0, traps: [user('SCTLR_EL1.DZE'), hyp('HCR_EL2.TDZ', [0, 1])] }),
  tags('GZVA', [3, 7, 4, 4], 'zero', { el: 0, traps: [user('SCTLR_EL1.DZE'), hyp('HCR_EL2.TDZ', [0, 1])] }),
  tags('CGVAC', [3, 7, 10, 3], 'clean', { el: 0, to: 'PoC', traps: POC_USER }),
  tags('CGDVAC', [3, 7, 10, 5], 'clean', { el: 0, to: 'PoC', traps: POC_USER }),
  tags('CGVAP', [3, 7, 12, 3], 'clean', { el: 0, to: 'PoP', traps: POC_USER }),
  tags('CGDVAP', [3, 7, 12, 5], 'clean', { el: 0, to: 'PoP', traps: POC_USER }),
  tags('CGVADP', [3, 7, 13, 3], 'clean', { el: 0, to: 'PoP', traps: POC_USER }),
  tags('CGDVADP', [3, 7, 13, 5], 'clean', { el: 0, to: 'PoP', traps: POC_USER }),
  tags('CIGVAC', [3, 7, 14, 3], 'clean+invalidate', { el: 0, to: 'PoC', traps: POC_USER }),
  tags('CIGDVAC', [3, 7, 14, 5], 'clean+invalidate', { el: 0, to: 'PoC', traps: POC_USER }),
  ...(
    [
      ['CVAOC', [3, 7, 11, 0], 0, 'clean', 'FEAT_OCCMO'],
      ['CIVAOC', [3, 7, 15, 0], 0, 'clean+invalidate', 'FEAT_OCCMO'],
      ['CIVAPS', [0, 7, 15, 1], 1, 'clean+invalidate', 'FEAT_PoPS'],
      ['CIGDVAPS', [0, 7, 15, 5], 1, 'clean+invalidate', 'FEAT_PoPS'],
      ['CIPAE', [4, 7, 14, 0], 2, 'clean+invalidate', 'FEAT_MEC'],
      ['CIPAPA', [6, 7, 14, 1], 3, 'clean+invalidate', 'FEAT_RME'],
    ] as const
  ).map(([name, encoding, el, action, feature]) =>
    dc(name, encoding, 'Data or unified Cache line operation of a later extension', {
      el,
      action,
      feature,
      status: 'unimplemented',
      note: 'the extension is not modelled: UNDEFINED',
    }),
  ),
];
