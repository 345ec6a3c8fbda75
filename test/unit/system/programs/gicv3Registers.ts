/** GICv3: what registers read at reset and which of their bits can be written. */
import { act, keeps, mrs, type Program, read, type Step, sticks } from '../program';

export const GICD = 0x0800_0000;
export const GICR = 0x080a_0000;
export const SGI = GICR + 0x1_0000;

const ones = 0xffff_ffff;

/** Resets of the distributor and the redistributor, what sticks of ones, and of zeroes. */
export const frames: readonly Step[] = [
  ...[
    ['GICD_CTLR', GICD],
    ['GICD_TYPER', GICD + 4],
    ['GICD_IIDR', GICD + 8],
    ['GICD_TYPER2', GICD + 0xc],
    ['GICD_STATUSR', GICD + 0x10],
    ['GICD_PIDR4', GICD + 0xffd0],
    ['GICD_PIDR0', GICD + 0xffe0],
    ['GICD_PIDR1', GICD + 0xffe4],
    ['GICD_PIDR2', GICD + 0xffe8],
    ['GICD_PIDR3', GICD + 0xffec],
    ['GICD_CIDR0', GICD + 0xfff0],
    ['GICD_CIDR3', GICD + 0xfffc],
    ['GICR_CTLR', GICR],
    ['GICR_IIDR', GICR + 4],
    ['GICR_TYPER', GICR + 8],
    ['GICR_TYPER high', GICR + 12],
    ['GICR_STATUSR', GICR + 0x10],
    ['GICR_WAKER', GICR + 0x14],
    ['GICR_PROPBASER', GICR + 0x70],
    ['GICR_PENDBASER', GICR + 0x78],
    ['GICR_SYNCR', GICR + 0xc0],
    ['GICR_PIDR2', GICR + 0xffe8],
    ['GICR_CIDR1', GICR + 0xfff4],
  ].map(([name, address]) => read(`${name}`, Number(address))),
  read('GICR_TYPER', GICR + 8, 8),
  ...[
    ['GICR_CTLR', GICR],
    ['GICR_WAKER', GICR + 0x14],
    ['GICR_PROPBASER', GICR + 0x70],
    ['GICD_IGROUPR0', GICD + 0x80],
    ['GICD_ISENABLER0', GICD + 0x100],
    ['GICD_IPRIORITYR0', GICD + 0x400],
    ['GICD_ICFGR0', GICD + 0xc00],
    ['GICD_IGRPMODR0', GICD + 0xd00],
    ['GICD_SGIR', GICD + 0xf00],
    ['GICD_CPENDSGIR0', GICD + 0xf10],
    ['GICR_IGROUPR0', SGI + 0x80],
    ['GICR_ISENABLER0', SGI + 0x100],
    ['GICR_ICENABLER0', SGI + 0x180],
    ['GICR_ISPENDR0', SGI + 0x200],
    ['GICR_ICPENDR0', SGI + 0x280],
    ['GICR_ISACTIVER0', SGI + 0x300],
    ['GICR_ICACTIVER0', SGI + 0x380],
    ['GICR_IPRIORITYR0', SGI + 0x400],
    ['GICR_IPRIORITYR7', SGI + 0x41c],
    ['GICR_ICFGR0', SGI + 0xc00],
    ['GICR_ICFGR1', SGI + 0xc04],
    ['GICR_IGRPMODR0', SGI + 0xd00],
    ['GICR_NSACR', SGI + 0xe00],
    ['GICD_IGROUPR1', GICD + 0x84],
    ['GICD_ISENABLER1', GICD + 0x104],
    ['GICD_ICENABLER1', GICD + 0x184],
    ['GICD_ISPENDR1', GICD + 0x204],
    ['GICD_ICPENDR1', GICD + 0x284],
    ['GICD_ISACTIVER1', GICD + 0x304],
    ['GICD_ICACTIVER1', GICD + 0x384],
    ['GICD_IPRIORITYR8', GICD + 0x420],
    ['GICD_ITARGETSR8', GICD + 0x820],
    ['GICD_ICFGR2', GICD + 0xc08],
    ['GICD_IGRPMODR1', GICD + 0xd04],
    ['GICD_NSACR2', GICD + 0xe08],
    ['GICD_IROUTER33 low', GICD + 0x6000 + 8 * 33],
    ['GICD_IROUTER33 high', GICD + 0x6004 + 8 * 33],
    ['GICD_IROUTER287', GICD + 0x6000 + 8 * 287],
    ['GICD_IROUTER288', GICD + 0x6000 + 8 * 288],
    ['GICD_IROUTER31', GICD + 0x6000 + 8 * 31],
    ['GICD_ISENABLER8', GICD + 0x120],
    ['GICD_ISENABLER9', GICD + 0x124],
  ].flatMap(([name, address]) => [
    read(`${name}`, Number(address)),
    ...keeps(`${name}`, Number(address), ones),
    ...keeps(`${name}`, Number(address), 0),
  ]),
  ...keeps('GICD_IROUTER40', GICD + 0x6000 + 8 * 40, 0x0102_0304, 8),
  ...keeps('GICR_IPRIORITYR byte', SGI + 0x412, 0x5a, 1),
  ...keeps('GICD_IPRIORITYR byte', GICD + 0x429, 0xff, 1),
];

const icc = (names: readonly string[]): Step[] =>
  names.flatMap((name) => [mrs(name), ...sticks(name, 0xffff_ffff_ffff_ffffn), ...sticks(name, 0)]);

const accesses = icc([
  'ICC_SRE_EL2',
  'ICC_SRE_EL1',
  'ICC_CTLR_EL1',
  'ICC_PMR_EL1',
  'ICC_BPR0_EL1',
  'ICC_BPR1_EL1',
  'ICC_IGRPEN0_EL1',
  'ICC_IGRPEN1_EL1',
  'S3_0_C12_C8_4', // ICC_AP0R0_EL1
  'S3_0_C12_C8_5',
  'S3_0_C12_C9_0', // ICC_AP1R0_EL1
  'S3_0_C12_C9_1',
]);
const readOnly = ['ICC_RPR_EL1', 'ICC_HPPIR0_EL1', 'ICC_HPPIR1_EL1', 'ICC_IAR0_EL1', 'ICC_IAR1_EL1'].map(mrs);
const virtual = icc([
  'ICH_HCR_EL2',
  'ICH_VMCR_EL2',
  'ICH_AP0R0_EL2',
  'ICH_AP1R0_EL2',
  'ICH_AP0R1_EL2',
  'ICH_LR0_EL2',
  'ICH_LR3_EL2',
  'ICH_LR4_EL2',
  'ICH_LR15_EL2',
]);
const virtualStatus = ['ICH_VTR_EL2', 'ICH_MISR_EL2', 'ICH_EISR_EL2', 'ICH_ELRSR_EL2'].map(mrs);

const NO_LPIS = 'no LPIs here';
const reserved: Program['known'] = [
  [/load GICR_(CTLR|TYPER|PROPBASER)/, NO_LPIS],
  [/load GICD_TYPER$/, `${NO_LPIS}, and QEMU 7.2's ITLinesNumber is one too small`],
  [/load GICD_IROUTER/, 'QEMU keeps reserved bits of GICD_IROUTER<n>'],
  [/read ICC_PMR_EL1/, 'QEMU keeps reserved bits of ICC_PMR_EL1'],
  [/read ICH_(HCR|VMCR|LR\d)_EL2/, 'QEMU keeps reserved bits of ICH_*_EL2'],
];
const secureReserved: Program['known'] = [
  ...reserved.slice(0, 4),
  [
    /S3_0_C12_C9_0/,
    'QEMU ignores writes of ICC_AP1R0_EL1 (NS), also of the levels that Non-secure interrupts can have',
  ],
];

export const gicv3Registers: Program = {
  name: 'gicv3-registers',
  el: 2,
  gic: 3,
  cpu: 'cortex-a57',
  known: reserved,
  steps: [
    ...virtualStatus,
    ...keeps('GICD_CTLR', GICD, ones),
    ...keeps('GICD_CTLR', GICD, 0),
    ...frames,
    ...readOnly,
    ...accesses,
    act('reset active priorities', 'msr S3_0_C12_C8_4, xzr\nmsr S3_0_C12_C9_0, xzr'),
    ...readOnly,
    ...virtual,
    ...virtualStatus,
  ],
};

export const gicv3SecureRegisters: Program = {
  name: 'gicv3-secure-registers',
  known: secureReserved,
  el: 3,
  gic: 3,
  cpu: 'cortex-a57',
  steps: [
    ...icc(['ICC_SRE_EL3', 'ICC_CTLR_EL3', 'ICC_IGRPEN1_EL3']),
    ...sticks('ICC_SRE_EL3', 0xf),
    ...accesses,
    act('Secure state', 'mov x1, #0x530\nmsr scr_el3, x1\nisb'),
    ...accesses,
    ...icc(['ICC_CTLR_EL3', 'ICC_IGRPEN1_EL3']),
    ...frames,
    ...keeps('GICD_CTLR', GICD, 0xffff_ffbf),
    ...keeps('GICD_CTLR', GICD, ones),
    ...keeps('GICD_CTLR', GICD, 0),
  ],
};
