/**
 * The GICv3's CPU interface (ICC_*_EL1, ICC_*_EL3) and its virtualisation (ICH_*_EL2). What they do is devices/gicv3's. Priorities
 * have 5 bits, so one active priorities register per group; legacy operation is absent, so ICC_SRE_ELx reads as ones.
 */
import { type RowOptions, rowsOf } from './row';
import { ICC_COMMON, ICC_DEACTIVATE, ICC_GROUP0, ICC_GROUP1, ICC_SGI, ICC_SRE1, ICC_SRE2 } from './traps';
import type { SystemRegisterRow } from './types';

const GIC = { feature: 'FEAT_GICv3' } as const;
const icc = rowsOf({ group: 'interrupt', read: 1, write: 1, reset: 0n, behaviour: 'ICC' });
const ich = rowsOf({ group: 'interrupt', read: 2, write: 2, reset: 0n, behaviour: 'ICH' });

const group0: RowOptions = { ...GIC, behaviour: 'ICC_group0', traps: ICC_GROUP0 };
const group1: RowOptions = { ...GIC, behaviour: 'ICC_group1', traps: ICC_GROUP1 };
const common: RowOptions = { ...GIC, behaviour: 'ICC_common', traps: ICC_COMMON };
const el3: RowOptions = { ...GIC, read: 3, write: 3 };
const readOnly = { write: 'none' } as const;
const writeOnly = { read: 'none' } as const;

const intid = `
  63:24 RES0
  23:0 INTID interrupt {1020 a Secure one; 1021 a Non-secure one; 1023 none}`;
const binaryPoint = `
  63:3 RES0
  2:0 BinaryPoint lowest bit, minus one, of a priority that counts for preemption`;
const enable = `
  63:1 RES0
  0 Enable {0 off; 1 on}`;
const priority = `
  63:8 RES0
  7:0 Priority lower numbers are higher priorities`;
const generate = `
  63:56 RES0
  55:48 Aff3
  47:44 RS multiple of 16 that is added to the numbers of TargetList
  43:41 RES0
  40 IRM {0 to TargetList; 1 to all but this core}
  39:32 Aff2
  31:28 RES0
  27:24 INTID software interrupt
  23:16 Aff1
  15:0 TargetList Aff0, a bit each`;
const levels = `
  63:32 RES0
  31:0 P active priorities, a bit a level`;
/** The bits of system register enables, which are ones. */
const systemRegisterEnable = (above: string): string => `
  ${above}
  2 DIB IRQ bypass {1 off}
  1 DFB FIQ bypass {1 off}
  0 SRE system registers {1 on}`;
const NO_ENABLE = '63:3 RES0';
const ENABLE = '63:4 RES0\n3 Enable access to it at lower levels {0 trapped; 1 allowed}';
const SRE: RowOptions = { ...GIC, behaviour: 'constant', note: 'no legacy operation: all ones' };

const status = `
  63:16 RES0
  15:0 Status list registers, a bit each`;

export const LIST_REGISTERS = 16;

export const interruptRows: readonly SystemRegisterRow[] = [
  icc('ICC_PMR_EL1', '3 0 4 6 0', 'Interrupt Controller Interrupt Priority Mask Register', priority, common),
  icc('ICC_IAR0_EL1', '3 0 12 8 0', 'Interrupt Controller Interrupt Acknowledge Register 0', intid, {
    ...group0,
    ...readOnly,
  }),
  icc('ICC_EOIR0_EL1', '3 0 12 8 1', 'Interrupt Controller End Of Interrupt Register 0', intid, {
    ...group0,
    ...writeOnly,
  }),
  icc('ICC_HPPIR0_EL1', '3 0 12 8 2', 'Interrupt Controller Highest Priority Pending Interrupt Register 0', intid, {
    ...group0,
    ...readOnly,
  }),
  icc('ICC_BPR0_EL1', '3 0 12 8 3', 'Interrupt Controller Binary Point Register 0', binaryPoint, group0),
  icc('ICC_AP0R0_EL1', '3 0 12 8 4', 'Interrupt Controller Active Priorities Group 0 Registers', levels, group0),
  icc('ICC_AP1R0_EL1', '3 0 12 9 0', 'Interrupt Controller Active Priorities Group 1 Registers', levels, group1),
  icc('ICC_DIR_EL1', '3 0 12 11 1', 'Interrupt Controller Deactivate Interrupt Register', intid, {
    ...common,
    ...writeOnly,
    traps: ICC_DEACTIVATE,
  }),
  icc('ICC_RPR_EL1', '3 0 12 11 3', 'Interrupt Controller Running Priority Register', priority, {
    ...common,
    ...readOnly,
  }),
  icc('ICC_SGI1R_EL1', '3 0 12 11 5', 'Interrupt Controller Software Generated Interrupt Group 1 Register', generate, {
    ...GIC,
    ...writeOnly,
    traps: ICC_SGI,
  }),
  icc(
    'ICC_ASGI1R_EL1',
    '3 0 12 11 6',
    'Interrupt Controller Alias Software Generated Interrupt Group 1 Register',
    generate,
    {
      ...GIC,
      ...writeOnly,
      traps: ICC_SGI,
    },
  ),
  icc('ICC_SGI0R_EL1', '3 0 12 11 7', 'Interrupt Controller Software Generated Interrupt Group 0 Register', generate, {
    ...GIC,
    ...writeOnly,
    traps: ICC_SGI,
  }),
  icc('ICC_IAR1_EL1', '3 0 12 12 0', 'Interrupt Controller Interrupt Acknowledge Register 1', intid, {
    ...group1,
    ...readOnly,
  }),
  icc('ICC_EOIR1_EL1', '3 0 12 12 1', 'Interrupt Controller End Of Interrupt Register 1', intid, {
    ...group1,
    ...writeOnly,
  }),
  icc('ICC_HPPIR1_EL1', '3 0 12 12 2', 'Interrupt Controller Highest Priority Pending Interrupt Register 1', intid, {
    ...group1,
    ...readOnly,
  }),
  icc('ICC_BPR1_EL1', '3 0 12 12 3', 'Interrupt Controller Binary Point Register 1', binaryPoint, group1),
  icc(
    'ICC_CTLR_EL1',
    '3 0 12 12 4',
    'Interrupt Controller Control Register (EL1)',
    `
    63:20 RES0
    19 ExtRange [ro] INTIDs of 1024 to 8191 {0 no; 1 yes}
    18 RSS [ro] Aff0 {0 up to 15; 1 up to 255}
    17:16 RES0
    15 A3V [ro] Aff3 other than zero {0 no; 1 yes}
    14 SEIS [ro] local SErrors {0 no; 1 yes}
    13:11 IDbits [ro] bits of INTIDs {0 16; 1 24}
    10:8 PRIbits [ro] bits of priorities, minus one
    7 RES0
    6 PMHE [ro] priority mask as a hint
    5:2 RES0
    1 EOImode end of interrupt {0 drops the priority and deactivates; 1 drops the priority}
    0 CBPR group 1's preemption by {0 ICC_BPR1_EL1; 1 ICC_BPR0_EL1}`,
    common,
  ),
  icc(
    'ICC_SRE_EL1',
    '3 0 12 12 5',
    'Interrupt Controller System Register Enable register (EL1)',
    systemRegisterEnable(NO_ENABLE),
    {
      ...SRE,
      traps: ICC_SRE1,
      reset: 7n,
    },
  ),
  icc('ICC_IGRPEN0_EL1', '3 0 12 12 6', 'Interrupt Controller Interrupt Group 0 Enable register', enable, group0),
  icc('ICC_IGRPEN1_EL1', '3 0 12 12 7', 'Interrupt Controller Interrupt Group 1 Enable register', enable, group1),
  icc(
    'ICC_SRE_EL2',
    '3 4 12 9 5',
    'Interrupt Controller System Register Enable register (EL2)',
    systemRegisterEnable(ENABLE),
    { ...SRE, read: 2, write: 2, traps: ICC_SRE2, reset: 15n },
  ),
  icc(
    'ICC_CTLR_EL3',
    '3 6 12 12 4',
    'Interrupt Controller Control Register (EL3)',
    `
    63:20 RES0
    19 ExtRange [ro] INTIDs of 1024 to 8191 {0 no; 1 yes}
    18 RSS [ro] Aff0 {0 up to 15; 1 up to 255}
    17 nDS [ro] disabling of security {0 supported; 1 not supported}
    16 RES0
    15 A3V [ro] Aff3 other than zero {0 no; 1 yes}
    14 SEIS [ro] local SErrors {0 no; 1 yes}
    13:11 IDbits [ro] bits of INTIDs {0 16; 1 24}
    10:8 PRIbits [ro] bits of priorities, minus one
    7 RES0
    6 PMHE [ro] priority mask as a hint
    5 RM [ro] routing modifier
    4 EOImode_EL1NS Non-secure EOImode
    3 EOImode_EL1S Secure EOImode
    2 EOImode_EL3 EOImode of EL3
    1 CBPR_EL1NS Non-secure CBPR
    0 CBPR_EL1S Secure CBPR`,
    el3,
  ),
  icc(
    'ICC_SRE_EL3',
    '3 6 12 12 5',
    'Interrupt Controller System Register Enable register (EL3)',
    systemRegisterEnable(ENABLE),
    { ...SRE, read: 3, write: 3, reset: 15n },
  ),
  icc(
    'ICC_IGRPEN1_EL3',
    '3 6 12 12 7',
    'Interrupt Controller Interrupt Group 1 Enable register (EL3)',
    `
    63:2 RES0
    1 EnableGrp1S {0 off; 1 on}
    0 EnableGrp1NS {0 off; 1 on}`,
    el3,
  ),
  ich('ICH_AP0R0_EL2', '3 4 12 8 0', 'Interrupt Controller Hyp Active Priorities Group 0 Registers', levels, GIC),
  ich('ICH_AP1R0_EL2', '3 4 12 9 0', 'Interrupt Controller Hyp Active Priorities Group 1 Registers', levels, GIC),
  ich(
    'ICH_HCR_EL2',
    '3 4 12 11 0',
    'Interrupt Controller Hyp Control Register',
    `
    63:32 RES0
    31:27 EOIcount ends of virtual interrupts that no list register held
    26:15 RES0
    14 TDIR ICC_DIR_EL1 at EL1 {0 allowed; 1 trapped}
    13 RES0
    12 TALL1 group 1 registers at EL1 {0 allowed; 1 trapped}
    11 TALL0 group 0 registers at EL1 {0 allowed; 1 trapped}
    10 TC registers of both groups at EL1 {0 allowed; 1 trapped}
    9:8 RES0
    7 VGrp1DIE maintenance interrupt while virtual group 1 is off {0 no; 1 yes}
    6 VGrp1EIE maintenance interrupt while virtual group 1 is on {0 no; 1 yes}
    5 VGrp0DIE maintenance interrupt while virtual group 0 is off {0 no; 1 yes}
    4 VGrp0EIE maintenance interrupt while virtual group 0 is on {0 no; 1 yes}
    3 NPIE maintenance interrupt while nothing is pending {0 no; 1 yes}
    2 LRENPIE maintenance interrupt while EOIcount is not zero {0 no; 1 yes}
    1 UIE maintenance interrupt while one list register or none is valid {0 no; 1 yes}
    0 En virtual CPU interface {0 off; 1 on}`,
    { ...GIC, behaviour: 'ICH_HCR_EL2' },
  ),
  ich(
    'ICH_VTR_EL2',
    '3 4 12 11 1',
    'Interrupt Controller VGIC Type Register',
    `
    63:32 RES0
    31:29 PRIbits bits of virtual priorities, minus one
    28:26 PREbits those of them for preemption, minus one
    25:23 IDbits bits of virtual INTIDs {0 16; 1 24}
    22 SEIS local SErrors {0 no; 1 yes}
    21 A3V Aff3 other than zero {0 no; 1 yes}
    20 nV4 direct injection of virtual interrupts {0 yes; 1 no}
    19 TDS ICH_HCR_EL2.TDIR {0 no; 1 yes}
    18:5 RES0
    4:0 ListRegs list registers, minus one`,
    { ...GIC, ...readOnly },
  ),
  ich(
    'ICH_MISR_EL2',
    '3 4 12 11 2',
    'Interrupt Controller Maintenance Interrupt State Register',
    `
    63:8 RES0
    7 VGrp1D virtual group 1 is off
    6 VGrp1E virtual group 1 is on
    5 VGrp0D virtual group 0 is off
    4 VGrp0E virtual group 0 is on
    3 NP nothing is pending
    2 LRENP EOIcount is not zero
    1 U one list register or none is valid
    0 EOI a list register with EOI set ended`,
    { ...GIC, ...readOnly },
  ),
  ich('ICH_EISR_EL2', '3 4 12 11 3', 'Interrupt Controller End of Interrupt Status Register', status, {
    ...GIC,
    ...readOnly,
  }),
  ich('ICH_ELRSR_EL2', '3 4 12 11 5', 'Interrupt Controller Empty List Register Status Register', status, {
    ...GIC,
    ...readOnly,
  }),
  ich(
    'ICH_VMCR_EL2',
    '3 4 12 11 7',
    'Interrupt Controller Virtual Machine Control Register',
    `
    63:32 RES0
    31:24 VPMR priority mask
    23:21 VBPR0 binary point of group 0
    20:18 VBPR1 binary point of group 1
    17:10 RES0
    9 VEOIM EOImode
    8:5 RES0
    4 VCBPR CBPR
    3 VFIQEn [ro] virtual group 0 as {1 FIQ}
    2 VAckCtl [ro]
    1 VENG1 virtual group 1 {0 off; 1 on}
    0 VENG0 virtual group 0 {0 off; 1 on}`,
    GIC,
  ),
  ...Array.from({ length: LIST_REGISTERS }, (_, n) =>
    ich(
      `ICH_LR${n}_EL2`,
      `3 4 12 ${12 + (n >> 3)} ${n & 7}`,
      'Interrupt Controller List Registers',
      `
      63:62 State {0 free; 1 pending; 2 active; 3 pending and active}
      61 HW ends a physical interrupt too {0 no; 1 yes}
      60 Group {0 group 0; 1 group 1}
      59:56 RES0
      55:48 Priority
      47:45 RES0
      44:32 pINTID physical interrupt; without HW bit 41 asks for a maintenance interrupt at the end
      31:0 vINTID virtual interrupt`,
      { ...GIC, note: 'as many of the 16 as ICH_VTR_EL2.ListRegs says' },
    ),
  ),
];
