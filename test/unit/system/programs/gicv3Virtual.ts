/** GICv3's virtual interface step by step: split ends, counted ends, the maintenance interrupt, traps of the guest's accesses. */
import { act, down, interrupts, mrs, msr, type Program, read, type Step, show, up, write } from '../program';
import { GICD, GICR, SGI } from './gicv3Registers';

const LR = (state: number, group: number, priority: number, id: number, rest = 0n): bigint =>
  (BigInt(state) << 62n) | (BigInt(group) << 60n) | (BigInt(priority) << 48n) | rest | BigInt(id);
const HW = (id: number): bigint => (1n << 61n) | (BigInt(id) << 32n);
const EOI = 1n << 41n;

const look: readonly Step[] = [
  ...[
    'ICH_HCR_EL2',
    'ICH_MISR_EL2',
    'ICH_EISR_EL2',
    'ICH_ELRSR_EL2',
    'ICH_LR0_EL2',
    'ICH_LR1_EL2',
    'ICH_AP1R0_EL2',
  ].map(mrs),
  read('GICR_ISPENDR0', SGI + 0x200),
  read('GICD_ISACTIVER1', GICD + 0x304),
];
const acknowledge = show('acknowledge', 'mrs x0, ICC_IAR1_EL1\nmov x9, x0');
const guest = (...steps: Step[]): Step[] => [down(2, 1), ...steps, up('hvc'), ...look];

const ends: readonly Step[] = [
  msr('ICH_LR0_EL2', LR(1, 1, 0x40, 40, HW(48))),
  msr('ICH_LR1_EL2', LR(1, 1, 0x80, 3, EOI)),
  write('active physical', GICD + 0x304, 0x0001_0000),
  // Dropped and deactivated in two steps.
  ...guest(msr('ICC_CTLR_EL1', 2), acknowledge, msr('ICC_EOIR1_EL1', 40), mrs('ICC_RPR_EL1'), acknowledge),
  ...guest(msr('ICC_DIR_EL1', 40), msr('ICC_EOIR1_EL1', 3), msr('ICC_DIR_EL1', 3), mrs('ICC_RPR_EL1')),
  // Nothing holds these.
  ...guest(msr('ICC_DIR_EL1', 99), msr('ICC_DIR_EL1', 98)),
  msr('ICH_HCR_EL2', 1 | 4),
  ...look,
  msr('ICH_LR0_EL2', LR(1, 1, 0x40, 41)),
  ...guest(msr('ICC_CTLR_EL1', 0), acknowledge, msr('ICC_EOIR1_EL1', 77)),
  msr('ICH_HCR_EL2', 1 | (3 << 27)),
  ...guest(msr('ICC_DIR_EL1', 41)),
  msr('ICH_AP1R0_EL2', 0),
  msr('ICH_LR0_EL2', 0),
];

const maintenance: readonly Step[] = [
  act('nothing held', 'msr ICH_LR0_EL2, xzr\nmsr ICH_LR1_EL2, xzr\nmsr ICH_AP1R0_EL2, xzr'),
  ...[1, 2, 3, 4, 5, 6, 7].flatMap((bit) => [
    msr('ICH_HCR_EL2', 1 | (1 << bit) | (1 << 27)),
    mrs('ICH_MISR_EL2'),
    ...[0, 1, 2, 3].flatMap((groups) => [msr('ICH_VMCR_EL2', 0xf84c_0000 + groups), mrs('ICH_MISR_EL2')]),
    read('GICR_ISPENDR0', SGI + 0x200),
  ]),
  msr('ICH_HCR_EL2', 0xfe),
  mrs('ICH_MISR_EL2'),
  read('GICR_ISPENDR0', SGI + 0x200),
  // Taken by EL2 as interrupt 25.
  write('ISENABLER0', SGI + 0x100, 1 << 25),
  write('IGROUPR0', SGI + 0x80, 0xffff_ffff),
  write('IPRIORITYR25', SGI + 0x419, 0x20, 1),
  act('interrupts to EL2', 'ldr x0, =0x80000018\nmsr hcr_el2, x0'),
  msr('ICC_PMR_EL1', 0xff),
  msr('ICC_IGRPEN1_EL1', 1),
  msr('ICH_HCR_EL2', 3),
  interrupts('maintenance'),
  mrs('ICC_IAR1_EL1'),
  msr('ICH_HCR_EL2', 0),
  mrs('ICC_HPPIR1_EL1'),
  msr('ICC_EOIR1_EL1', 25),
  mrs('ICC_HPPIR1_EL1'),
];

const guestReads = [
  ...[
    'ICC_PMR_EL1',
    'ICC_IAR0_EL1',
    'ICC_IAR1_EL1',
    'ICC_HPPIR0_EL1',
    'ICC_HPPIR1_EL1',
    'ICC_BPR0_EL1',
    'ICC_BPR1_EL1',
  ],
  ...[
    'S3_0_C12_C8_4',
    'S3_0_C12_C9_0',
    'ICC_RPR_EL1',
    'ICC_CTLR_EL1',
    'ICC_SRE_EL1',
    'ICC_IGRPEN0_EL1',
    'ICC_IGRPEN1_EL1',
  ],
  ...['ICC_SRE_EL2', 'ICH_HCR_EL2', 'ICC_SGI1R_EL1', 'ICC_DIR_EL1', 'ICC_EOIR1_EL1'],
].map(mrs);
const guestWrites = [
  ...['ICC_PMR_EL1', 'ICC_EOIR0_EL1', 'ICC_EOIR1_EL1', 'ICC_BPR0_EL1', 'ICC_BPR1_EL1', 'ICC_DIR_EL1', 'ICC_CTLR_EL1'],
  ...[
    'ICC_SGI0R_EL1',
    'ICC_SGI1R_EL1',
    'ICC_ASGI1R_EL1',
    'ICC_IGRPEN0_EL1',
    'ICC_IGRPEN1_EL1',
    'ICC_SRE_EL1',
    'ICC_IAR1_EL1',
  ],
].map((name) => msr(name, 0));

const IMO = 0x10;
const FMO = 0x08;
const traps: readonly Step[] = [0, IMO, FMO, IMO | FMO].flatMap((routing) =>
  [0, 1 << 10, 1 << 11, 1 << 12, 1 << 14].flatMap((trap) => [
    msr('HCR_EL2', 0x8000_0000 + routing),
    msr('ICH_HCR_EL2', 1 | trap),
    down(2, 1),
    ...guestReads,
    ...guestWrites,
    up('hvc'),
  ]),
);

export const gicv3VirtualSteps: Program = {
  name: 'gicv3-virtual-steps',
  el: 2,
  gic: 3,
  cpu: 'cortex-a57',
  known: [[/read ICH_MISR_EL2/, "QEMU 7.2 looks at group 1's enable for VGrp0D"]],
  steps: [
    act('interrupts of the guest', 'ldr x0, =0x80000018\nmsr hcr_el2, x0\nisb'),
    write('GICR_WAKER', GICR + 0x14, 0),
    write('GICD_CTLR', GICD, 3),
    msr('ICH_VMCR_EL2', 0xf84c_0003),
    msr('ICH_HCR_EL2', 1),
    ...ends,
    ...maintenance,
    msr('ICH_VMCR_EL2', 0xf84c_0003),
    ...traps,
  ],
};
