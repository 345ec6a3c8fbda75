/**
 * The kernel's tables of ID registers: CTR_EL0's whole, of others only what KVM's decisions rest on. Source: FIDELITY A0, and
 * ftr_ctr, ftr_id_aa64mmfr0 … 2 in v5.13 and v6.3 sources of cpufeature.c.
 */
import type { FtrField, FtrTable, SafeRule } from './ftr';

const row =
  (register: string, visible: boolean) =>
  (field: string, strict: 'strict' | 'non-strict', rule: SafeRule, safe: bigint): FtrField => ({
    field: `${register}.${field}`,
    visible,
    strict: strict === 'strict',
    rule,
    safe,
  });

const ctr = row('CTR_EL0', true);
const mmfr = (n: number): ReturnType<typeof row> => row(`ID_AA64MMFR${n}_EL1`, false);

/** L1Ip of CTR_EL0. */
export const L1IP = { VPIPT: 0n, AIVIVT: 1n, VIPT: 2n, PIPT: 3n } as const;

export const ctrTable: FtrTable = {
  register: 'CTR_EL0',
  partial: false,
  fields: [
    ctr('RES1', 'strict', 'exact', 1n),
    ctr('DIC', 'strict', 'lower', 1n),
    ctr('IDC', 'strict', 'lower', 1n),
    ctr('CWG', 'strict', 'higherOrZero', 0n),
    ctr('ERG', 'strict', 'higherOrZero', 0n),
    ctr('DminLine', 'strict', 'lower', 1n),
    ctr('L1Ip', 'non-strict', 'exact', L1IP.VIPT),
    ctr('IminLine', 'strict', 'lower', 0n),
  ],
};

export const idTables: readonly FtrTable[] = [
  { register: 'ID_AA64MMFR0_EL1', partial: true, fields: [mmfr(0)('PARange', 'non-strict', 'lower', 0n)] },
  { register: 'ID_AA64MMFR1_EL1', partial: true, fields: [mmfr(1)('VMIDBits', 'strict', 'lower', 0n)] },
  {
    register: 'ID_AA64MMFR2_EL1',
    partial: true,
    fields: [
      mmfr(2)('EVT', 'strict', 'lower', 0n),
      mmfr(2)('FWB', 'strict', 'lower', 0n),
      mmfr(2)('IDS', 'strict', 'lower', 0n),
      mmfr(2)('CCIDX', 'strict', 'lower', 0n),
    ],
  },
];
