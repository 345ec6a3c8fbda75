/** Exception state: syndromes, return state, vectors, stack pointers, and the PSTATE fields that have register names. */
import { NONE, rowsOf, WHOLE } from './row';
import { ERRORS, USER_MASK, VIRTUAL_MEMORY } from './traps';
import type { SystemRegisterRow } from './types';

const shared = { group: 'exception', reset: 0n, behaviour: 'storage' } as const;
const el0 = rowsOf({ ...shared, group: 'special', read: 0, write: 0 });
const el1 = rowsOf({ ...shared, read: 1, write: 1 });
const el2 = rowsOf({ ...shared, read: 2, write: 2 });
const el3 = rowsOf({ ...shared, read: 3, write: 3 });
const VM = { traps: VIRTUAL_MEMORY } as const;

const auxiliary = '63:0 IMPDEF implementation defined';
const address = '63:0 ADDRESS';

const esr = `
  63:56 RES0
  55:32 ISS2 [FEAT_LS64] second syndrome
  31:26 EC exception class
  25 IL instruction length {0 16 bits; 1 32 bits}
  24:0 ISS syndrome of the class`;

const vbar = `
  63:11 VBA address of the vectors, 2 KB aligned
  10:0 RES0`;

/** SPSR_ELx of an exception from AArch64. */
const spsr = `
  63:35 RES0
  34 EXLOCK [FEAT_GCS]
  33 RES0
  32 PM [FEAT_EBEP]
  31 N negative
  30 Z zero
  29 C carry
  28 V overflow
  27:26 RES0
  25 TCO [FEAT_MTE2] tag check override
  24 DIT [FEAT_DIT] data independent timing
  23 UAO [FEAT_UAO] user access override
  22 PAN [FEAT_PAN] privileged access never
  21 SS software step
  20 IL illegal execution state
  19:14 RES0
  13 ALLINT [FEAT_NMI]
  12 SSBS [FEAT_SSBS] speculative store bypass safe
  11:10 BTYPE [FEAT_BTI] branch type
  9 D debug exceptions {0 not masked; 1 masked}
  8 A SError {0 not masked; 1 masked}
  7 I IRQ {0 not masked; 1 masked}
  6 F FIQ {0 not masked; 1 masked}
  5 RES0
  4 nRW execution state {0 AArch64; 1 AArch32}
  3:0 M mode {0 EL0t; 4 EL1t; 5 EL1h; 8 EL2t; 9 EL2h; 12 EL3t; 13 EL3h}`;

const spsr32 = `
  63:32 RES0
  31:0 SPSR saved state of an AArch32 mode`;

const banked = (name: string, op2: number, mode: string): SystemRegisterRow =>
  el2(name, `3 4 4 3 ${op2}`, `Saved Program Status Register (${mode} mode)`, spsr32, {
    note: 'AArch32 state kept for hypervisors; plain storage here',
  });

const virtualError = `
  63:25 RES0
  24 IDS syndrome {0 of the architecture; 1 implementation defined}
  23:0 ISS syndrome of the virtual SError`;

const deferred = `
  63:32 RES0
  31 A an SError was deferred by ESB {0 no; 1 yes}
  30:25 RES0
  24 IDS syndrome {0 of the architecture; 1 implementation defined}
  23:0 ISS syndrome of the SError`;

export const exceptionRows: readonly SystemRegisterRow[] = [
  el1('SPSR_EL1', '3 0 4 0 0', 'Saved Program Status Register (EL1)', spsr),
  el1('ELR_EL1', '3 0 4 0 1', 'Exception Link Register (EL1)', address),
  el1('SP_EL0', '3 0 4 1 0', 'Stack Pointer (EL0)', address, {
    behaviour: 'SP_EL0',
    note: 'UNDEFINED while PSTATE.SP is 0, when it is the current SP',
  }),
  el1(
    'SPSel',
    '3 0 4 2 0',
    'Stack Pointer Select',
    `
    63:1 RES0
    0 SP stack pointer of EL1 and above {0 SP_EL0; 1 SP_ELx}`,
    { group: 'special', behaviour: 'SPSel', reset: 1n },
  ),
  el1(
    'CurrentEL',
    '3 0 4 2 2',
    'Current Exception Level',
    `
    63:4 RES0
    3:2 EL exception level {0 EL0; 1 EL1; 2 EL2; 3 EL3}
    1:0 RES0`,
    { group: 'special', write: 'none', behaviour: 'CurrentEL' },
  ),
  el1(
    'PAN',
    '3 0 4 2 3',
    'Privileged Access Never',
    `
    63:23 RES0
    22 PAN privileged access to EL0's memory {0 allowed; 1 permission fault}
    21:0 RES0`,
    { group: 'special', behaviour: 'PAN', feature: 'FEAT_PAN', context: true },
  ),
  el1(
    'UAO',
    '3 0 4 2 4',
    'User Access Override',
    `
    63:24 RES0
    23 UAO unprivileged loads and stores {0 as EL0; 1 as privileged ones}
    22:0 RES0`,
    { group: 'special', behaviour: 'UAO', feature: 'FEAT_UAO', context: true },
  ),
  el0('RNDR', '3 3 2 4 0', 'Random Number', WHOLE, {
    group: 'special',
    write: 'none',
    behaviour: 'RNDR',
    feature: 'FEAT_RNG',
    note: 'never fails; numbers follow from the seed of the machine',
  }),
  el0('RNDRRS', '3 3 2 4 1', 'Reseeded Random Number', WHOLE, {
    group: 'special',
    write: 'none',
    behaviour: 'RNDR',
    feature: 'FEAT_RNG',
    note: 'as RNDR: a seed from outside would make runs differ',
  }),
  el0(
    'DIT',
    '3 3 4 2 5',
    'Data Independent Timing',
    `
    63:25 RES0
    24 DIT timing of instructions depends on data {0 possible; 1 no}
    23:0 RES0`,
    { group: 'special', behaviour: 'DIT', feature: 'FEAT_DIT' },
  ),
  el0(
    'SSBS',
    '3 3 4 2 6',
    'Speculative Store Bypass Safe',
    `
    63:13 RES0
    12 SSBS loads may bypass stores by speculation {0 no; 1 yes}
    11:0 RES0`,
    { group: 'special', behaviour: 'SSBS', feature: 'FEAT_SSBS2', note: 'nothing is speculated here' },
  ),
  el0(
    'NZCV',
    '3 3 4 2 0',
    'Condition Flags',
    `
    63:32 RES0
    31 N negative
    30 Z zero
    29 C carry
    28 V overflow
    27:0 RES0`,
    { behaviour: 'NZCV' },
  ),
  el0(
    'DAIF',
    '3 3 4 2 1',
    'Interrupt Mask Bits',
    `
    63:10 RES0
    9 D debug exceptions {0 not masked; 1 masked}
    8 A SError {0 not masked; 1 masked}
    7 I IRQ {0 not masked; 1 masked}
    6 F FIQ {0 not masked; 1 masked}
    5:0 RES0`,
    { behaviour: 'DAIF', traps: USER_MASK, reset: 0x3c0n },
  ),
  el1('AFSR0_EL1', '3 0 5 1 0', 'Auxiliary Fault Status Register 0 (EL1)', auxiliary, VM),
  el1('AFSR1_EL1', '3 0 5 1 1', 'Auxiliary Fault Status Register 1 (EL1)', auxiliary, VM),
  el1('ESR_EL1', '3 0 5 2 0', 'Exception Syndrome Register (EL1)', esr, VM),
  el1('ERRIDR_EL1', '3 0 5 3 0', 'Error Record ID Register', '63:16 RES0\n15:0 NUM number of error records', {
    write: 'none',
    behaviour: 'constant',
    feature: 'FEAT_RAS',
    traps: ERRORS,
    note: 'no error records: their registers are UNDEFINED',
  }),
  el1('FAR_EL1', '3 0 6 0 0', 'Fault Address Register (EL1)', address, VM),
  el1('DISR_EL1', '3 0 12 1 1', 'Deferred Interrupt Status Register', deferred, {
    behaviour: 'DISR_EL1',
    feature: 'FEAT_RAS',
  }),
  el1('VBAR_EL1', '3 0 12 0 0', 'Vector Base Address Register (EL1)', vbar),
  el1(
    'ISR_EL1',
    '3 0 12 1 0',
    'Interrupt Status Register',
    `
    63:11 RES0
    10 IS [FEAT_NMI]
    9 FS [FEAT_NMI]
    8 A SError {0 not pending; 1 pending}
    7 I IRQ {0 not pending; 1 pending}
    6 F FIQ {0 not pending; 1 pending}
    5:0 RES0`,
    { write: 'none', behaviour: 'ISR_EL1', note: 'virtual ones where HCR_EL2 routes the physical ones to EL2' },
  ),
  el2('SPSR_EL2', '3 4 4 0 0', 'Saved Program Status Register (EL2)', spsr),
  el2('ELR_EL2', '3 4 4 0 1', 'Exception Link Register (EL2)', address),
  el2('SP_EL1', '3 4 4 1 0', 'Stack Pointer (EL1)', address, { behaviour: 'SP_EL1' }),
  banked('SPSR_irq', 0, 'IRQ'),
  banked('SPSR_abt', 1, 'Abort'),
  banked('SPSR_und', 2, 'Undefined'),
  banked('SPSR_fiq', 3, 'FIQ'),
  el2('IFSR32_EL2', '3 4 5 0 1', 'Instruction Fault Status Register (EL2)', NONE, {
    behaviour: 'constant',
    note: 'AArch32 state: UNDEFINED in the manual where EL1 has no AArch32, zero here',
  }),
  el2('DACR32_EL2', '3 4 3 0 0', 'Domain Access Control Register', NONE, {
    group: 'translation',
    behaviour: 'constant',
    note: 'AArch32 state: UNDEFINED in the manual where EL1 has no AArch32, zero here',
  }),
  el2('AFSR0_EL2', '3 4 5 1 0', 'Auxiliary Fault Status Register 0 (EL2)', auxiliary),
  el2('AFSR1_EL2', '3 4 5 1 1', 'Auxiliary Fault Status Register 1 (EL2)', auxiliary),
  el2('ESR_EL2', '3 4 5 2 0', 'Exception Syndrome Register (EL2)', esr),
  el2('FAR_EL2', '3 4 6 0 0', 'Fault Address Register (EL2)', address),
  el2('VSESR_EL2', '3 4 5 2 3', 'Virtual SError Exception Syndrome Register', virtualError, { feature: 'FEAT_RAS' }),
  el2('VDISR_EL2', '3 4 12 1 1', 'Virtual Deferred Interrupt Status Register', deferred, { feature: 'FEAT_RAS' }),
  el2('VBAR_EL2', '3 4 12 0 0', 'Vector Base Address Register (EL2)', vbar),
  el3('SPSR_EL3', '3 6 4 0 0', 'Saved Program Status Register (EL3)', spsr),
  el3('ELR_EL3', '3 6 4 0 1', 'Exception Link Register (EL3)', address),
  el3('SP_EL2', '3 6 4 1 0', 'Stack Pointer (EL2)', address, { behaviour: 'SP_EL2' }),
  el3('AFSR0_EL3', '3 6 5 1 0', 'Auxiliary Fault Status Register 0 (EL3)', auxiliary),
  el3('AFSR1_EL3', '3 6 5 1 1', 'Auxiliary Fault Status Register 1 (EL3)', auxiliary),
  el3('ESR_EL3', '3 6 5 2 0', 'Exception Syndrome Register (EL3)', esr),
  el3('FAR_EL3', '3 6 6 0 0', 'Fault Address Register (EL3)', address),
  el3('VBAR_EL3', '3 6 12 0 0', 'Vector Base Address Register (EL3)', vbar),
  el0('TPIDR_EL0', '3 3 13 0 2', 'EL0 Read/Write Software Thread ID Register', WHOLE, { group: 'thread' }),
  el0('TPIDRRO_EL0', '3 3 13 0 3', 'EL0 Read-Only Software Thread ID Register', WHOLE, { group: 'thread', write: 1 }),
  el1('TPIDR_EL1', '3 0 13 0 4', 'EL1 Software Thread ID Register', WHOLE, { group: 'thread' }),
  el2('TPIDR_EL2', '3 4 13 0 2', 'EL2 Software Thread ID Register', WHOLE, { group: 'thread' }),
  el3('TPIDR_EL3', '3 6 13 0 2', 'EL3 Software Thread ID Register', WHOLE, { group: 'thread' }),
];
