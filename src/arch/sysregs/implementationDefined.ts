/**
 * Implementation defined registers of the Cortex-A53, A57 and A72 that firmware touches on the way up. They are plain storage:
 * what they switch (prefetchers, ECC, retention) has no counterpart here.
 */
import { rowsOf } from './row';
import { TIDCP } from './traps';
import type { SystemRegisterRow } from './types';

const impdef = rowsOf({ group: 'control', read: 1, write: 1, reset: 0n, behaviour: 'storage' });

const cortex = (name: string, title: string): string =>
  `${title} (${name}, Cortex-A53/A57/A72 technical reference manuals)`;
const plain = '63:0 IMPDEF implementation defined';
const T = { traps: TIDCP, note: 'stored and otherwise without effect' } as const;

export const implementationDefinedRows: readonly SystemRegisterRow[] = [
  impdef(
    'S3_1_C11_C0_2',
    '3 1 11 0 2',
    cortex('L2CTLR_EL1', 'L2 Control Register'),
    `
    63:26 RES0
    25:24 Cores number of cores, minus one
    23:22 RES0
    21:0 IMPDEF latencies, ECC and parity`,
    { ...T, behaviour: 'L2CTLR_EL1', note: 'storage; Cores reads as the number of cores of the cluster, minus one' },
  ),
  impdef('S3_1_C11_C0_3', '3 1 11 0 3', cortex('L2ECTLR_EL1', 'L2 Extended Control Register'), plain, T),
  impdef('S3_1_C15_C0_0', '3 1 15 0 0', cortex('L2ACTLR_EL1', 'L2 Auxiliary Control Register'), plain, T),
  impdef('S3_1_C15_C2_0', '3 1 15 2 0', cortex('CPUACTLR_EL1', 'CPU Auxiliary Control Register'), plain, T),
  impdef(
    'S3_1_C15_C2_1',
    '3 1 15 2 1',
    cortex('CPUECTLR_EL1', 'CPU Extended Control Register'),
    `
    63:7 IMPDEF prefetch and table walk controls
    6 SMPEN takes part in the cluster's coherency {0 no; 1 yes}
    5:0 RETENTION retention delays`,
    { ...T, note: 'stored and otherwise without effect: cores are always coherent' },
  ),
  impdef('S3_1_C15_C2_2', '3 1 15 2 2', cortex('CPUMERRSR_EL1', 'CPU Memory Error Syndrome Register'), plain, T),
  impdef('S3_1_C15_C2_3', '3 1 15 2 3', cortex('L2MERRSR_EL1', 'L2 Memory Error Syndrome Register'), plain, T),
  impdef('S3_1_C15_C3_0', '3 1 15 3 0', cortex('CBAR_EL1', 'Configuration Base Address Register'), plain, {
    ...T,
    write: 'none',
    behaviour: 'constant',
    note: 'base of the GIC in the technical reference manual; zero here: the device tree says it',
  }),
];
