/** Groups of instructions that are not implemented at all: one row a group, for the coverage page. */

import type { InstructionRow } from './types';

export const classRows = [
  {
    id: 'SVE',
    section: 'Scalable Vector Extension',
    pattern: 'rest:3 0010 rest2:25',
    feature: 'FEAT_SVE',
    effect: 'none',
    asm: '',
    status: 'unimplemented',
    note: 'whole group, not modelled',
  },
  {
    id: 'SME',
    section: 'Scalable Matrix Extension',
    pattern: '1 rest:2 0000 rest2:25',
    feature: 'FEAT_SME',
    effect: 'none',
    asm: '',
    status: 'unimplemented',
    note: 'whole group, not modelled',
  },
  {
    id: 'MOPS_copy',
    section: 'Memory copy and set',
    pattern: 'sz:2 011 o0 01 op1:2 0 Rs:5 op2:4 01 Rn:5 Rd:5',
    feature: 'FEAT_MOPS',
    effect: 'none',
    asm: '',
    status: 'unimplemented',
    note: 'extension not modelled',
  },
] as const satisfies readonly InstructionRow[];
