/** Generic timers: registers of every level, traps of the levels below, comparators that are met, interrupts that they raise. */
import { act, down, interrupts, mrs, msr, type Program, read, type Step, show, sticks, up, write } from '../program';

const all = 0xffff_ffff_ffff_ffffn;
const GICD = 0x0800_0000;
const GICC = 0x0801_0000;
const timers = ['CNTP', 'CNTV'].map((name) => ({ name, suffix: 'EL0' }));

const registers: readonly Step[] = [
  mrs('CNTFRQ_EL0'),
  ...[
    'CNTHCTL_EL2',
    'CNTKCTL_EL1',
    'CNTVOFF_EL2',
    'CNTP_CTL_EL0',
    'CNTP_CVAL_EL0',
    'CNTV_CVAL_EL0',
    'CNTHP_CTL_EL2',
    'CNTHP_CVAL_EL2',
  ].flatMap((name) => [...sticks(name, all), ...sticks(name, 0)]),
];

/** A comparator by CVAL and TVAL: met, not met, masked; ISTATUS is not there while it is off. */
const conditions = (name: string, suffix: string): Step[] =>
  [0n, all, 0x7fff_ffff_ffff_ffffn].flatMap((value) => [
    msr(`${name}_CTL_${suffix}`, 0),
    msr(`${name}_CVAL_${suffix}`, value),
    ...[0, 1, 3, 2, 7].flatMap((ctl) => [msr(`${name}_CTL_${suffix}`, ctl), mrs(`${name}_CTL_${suffix}`)]),
  ]);
const relative = (name: string, suffix: string): Step[] =>
  [0, 0xffff_fffe, 0x7fff_ffff, 0x8000_0000].flatMap((value) => [
    msr(`${name}_TVAL_${suffix}`, value),
    msr(`${name}_CTL_${suffix}`, 1),
    mrs(`${name}_CTL_${suffix}`),
    // How far CVAL is from the count, in units of 2^24 ticks.
    show(
      `distance ${name}`,
      `mrs x1, ${name}_CVAL_${suffix}\nmrs x2, ${name === 'CNTV' ? 'CNTVCT_EL0' : 'CNTPCT_EL0'}\nsub x0, x1, x2\nadd x0, x0, #0x800, lsl #12\nasr x0, x0, #24`,
    ),
    msr(`${name}_CTL_${suffix}`, 0),
  ]);

/** Lines 30, 27 and 26 at the distributor while a timer's condition is met. */
const line = (name: string, suffix: string): Step[] => [
  msr(`${name}_CVAL_${suffix}`, 0),
  msr(`${name}_CTL_${suffix}`, 1),
  read('ISPENDR0', GICD + 0x200),
  msr(`${name}_CTL_${suffix}`, 3),
  read('ISPENDR0', GICD + 0x200),
  msr(`${name}_CTL_${suffix}`, 0),
  read('ISPENDR0', GICD + 0x200),
];

const offset: readonly Step[] = [
  msr('CNTVOFF_EL2', 0x1_0000_0000_0000n),
  show(
    'virtual count',
    'mrs x1, CNTPCT_EL0\nmrs x2, CNTVCT_EL0\nsub x0, x1, x2\nadd x0, x0, #0x800, lsl #12\nlsr x0, x0, #24',
  ),
  ...conditions('CNTV', 'EL0'),
  ...line('CNTV', 'EL0'),
  msr('CNTVOFF_EL2', 0),
];

const names = [
  'CNTFRQ_EL0',
  'CNTKCTL_EL1',
  'CNTHCTL_EL2',
  'CNTVOFF_EL2',
  ...timers.flatMap(({ name, suffix }) => [`${name}_CTL_${suffix}`, `${name}_CVAL_${suffix}`]),
  'CNTHP_CTL_EL2',
];
/** Counts differ from run to run: only whether they may be read. */
const looks: readonly Step[] = ['CNTPCT_EL0', 'CNTVCT_EL0', 'CNTP_TVAL_EL0', 'CNTV_TVAL_EL0'].map((name) =>
  show(`reach ${name}`, `mrs x0, ${name}\nmov x0, #1`),
);
const reads: readonly Step[] = [...names.map(mrs), ...looks];
const traps: readonly Step[] = [0, 1, 2, 3].flatMap((hypervisor) =>
  [0, 1, 2, 0x100, 0x200, 0x303].flatMap((kernel) => [
    msr('CNTHCTL_EL2', hypervisor),
    msr('CNTKCTL_EL1', kernel),
    down(2, 1),
    ...reads,
    down(1, 0),
    ...reads,
    up('svc'),
    up('hvc'),
  ]),
);

/** A comparator a little ahead: the core waits for its interrupt. */
const waits = (name: string, suffix: string, ticks: number): Step[] => [
  msr(`${name}_TVAL_${suffix}`, ticks),
  msr(`${name}_CTL_${suffix}`, 1),
  act('wait', 'wfi'),
  interrupts(name),
  show('acknowledge', `ldr x1, =0x${GICC.toString(16)}\nldr w0, [x1, #0xc]\nmov w9, w0`),
  msr(`${name}_CTL_${suffix}`, 0),
  act('end', `ldr x1, =0x${GICC.toString(16)}\nstr w9, [x1, #0x10]`),
];

export const timerSteps: Program = {
  name: 'timers',
  el: 2,
  gic: 2,
  cpu: 'cortex-a57',
  known: [
    [/read CNT(HCTL_EL2|KCTL_EL1)/, 'QEMU keeps reserved bits'],
    [/reach CNTPCT_EL0/, 'QEMU 7.2 asks CNTHCTL_EL2.EL1PCEN, not EL1PCTEN, of accesses from EL0'],
  ],
  steps: [
    ...registers,
    ...timers.flatMap(({ name, suffix }) => [
      ...conditions(name, suffix),
      ...relative(name, suffix),
      ...line(name, suffix),
    ]),
    ...conditions('CNTHP', 'EL2'),
    ...relative('CNTHP', 'EL2'),
    ...line('CNTHP', 'EL2'),
    ...offset,
    ...traps,
    msr('HCR_EL2', 0x8000_0018),
    write('ISENABLER0', GICD + 0x100, 0xffff_0000),
    write('GICD_CTLR', GICD, 1),
    write('GICC_PMR', GICC + 4, 0xff),
    write('GICC_CTLR', GICC, 1),
    ...waits('CNTP', 'EL0', 1000),
    ...waits('CNTV', 'EL0', 2000),
    ...waits('CNTHP', 'EL2', 500),
  ],
};
