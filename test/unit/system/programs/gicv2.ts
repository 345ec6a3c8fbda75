/** GICv2 and its Virtualization Extensions: registers, and random sequences of virtual interrupts. */
import { act, down, interrupts, keeps, type Program, read, type Step, show, up, write } from '../program';
import { Chooser, many } from './chooser';

const GICD = 0x0800_0000;
const GICC = 0x0801_0000;
const GICH = 0x0803_0000;
const GICV = 0x0804_0000;

/** Two words of memory as one line of the log. */
const pair = (low: number, high: number): string =>
  [
    `ldr x2, =0x${low.toString(16)}`,
    'ldr w0, [x2]',
    `ldr x2, =0x${high.toString(16)}`,
    'ldr w1, [x2]',
    'orr x0, x0, x1, lsl #32',
    'stp x21, x0, [x20], #16\n',
  ].join('\n');
const signals = 'mrs x0, isr_el1\nstp x21, x0, [x20], #16\n';

const ids = [16, 20, 24, 40, 41, 50, 63] as const;
const priorities = [0x00, 0x08, 0x10, 0x40, 0x48, 0x50, 0x80, 0x88, 0xa0, 0xf0, 0xf8] as const;
const masks = [0xff, 0xf8, 0xf0, 0xa8, 0x80, 0x48, 0] as const;
const status = act('status', 'bl status');

const acknowledge = (frame: number, offset: number): Step =>
  show('acknowledge', `ldr x1, =0x${(frame + offset).toString(16)}\nldr w0, [x1]\nmov w9, w0`);
const end = (name: string, address: number): Step =>
  act(`end ${name}`, `ldr x1, =0x${address.toString(16)}\nstr w9, [x1]\ndsb sy`);

const setup: readonly Step[] = [
  act('interrupts to EL2', 'ldr x0, =0x80000018\nmsr hcr_el2, x0\nmov x9, #0x3ff\nisb'),
  write('GICD_CTLR', GICD, 3),
  write('IGROUPR0', GICD + 0x80, 0xffff_ffff),
  write('IGROUPR1', GICD + 0x84, 0xffff_ffff),
  write('ISENABLER0', GICD + 0x100, 0xffff_0000),
  write('ISENABLER1', GICD + 0x104, 0x800f_0300),
  write('ICFGR2', GICD + 0xc08, 0xaaaa_0000),
  ...ids.map((id, n) => write(`IPRIORITYR ${id}`, GICD + 0x400 + id, priorities[(n * 5) % priorities.length], 1)),
  // Open only while the hypervisor acknowledges.
  write('GICC_PMR', GICC + 4, 0),
  // Ends in two steps: virtual ends deactivate.
  write('GICC_CTLR', GICC, 0x207),
];

// ---- virtual interrupts ----

const LISTS = 4;
const virtualStatus = `status:
${pair(GICH, GICH + 8)}${pair(GICH + 0x10, GICH + 0x20)}${pair(GICH + 0x30, GICH + 0xf0)}
${pair(GICH + 0x100, GICH + 0x104)}${pair(GICH + 0x108, GICH + 0x10c)}
${pair(GICD + 0x200, GICD + 0x304)}
ret
guest:
${pair(GICV + 0x00, GICV + 0x04)}${pair(GICV + 0x08, GICV + 0x14)}
${signals}
ret
`;

/** GICV_CTLR.AckCtl is always set: what an IAR of group 0 says of a group 1 interrupt that cannot preempt differs. */
const virtualIds = [
  [0, 32],
  [1, 33],
  [2, 40],
  [3, 41],
] as const;

function listRegister(c: Chooser): Step {
  const n = c.below(LISTS);
  const hw = c.below(3) === 0;
  const id = c.pick(virtualIds[n]);
  const physical = hw ? 48 + n : (c.below(2) << 9) | (id < 16 ? c.below(2) : 0);
  const value =
    c.pick([0, 1, 1, 1, 2, 3]) * 2 ** 28 +
    (hw ? 2 ** 31 : 0) +
    (c.below(4) === 0 ? 2 ** 30 : 0) +
    (c.pick(priorities) >> 3) * 2 ** 23 +
    physical * 2 ** 10 +
    (hw && id < 16 ? 60 + n : id);
  return write(`GICH_LR${n}`, GICH + 0x100 + 4 * n, value);
}

function hypervisorStep(c: Chooser): Step[] {
  switch (c.below(8)) {
    case 4:
      return [write('GICH_HCR', GICH, 1 | (c.below(3) === 0 ? (c.below(128) << 1) & ~0x20 : 0))];
    case 5:
      return [
        write(
          'GICH_VMCR',
          GICH + 8,
          (c.pick(masks) & 0xf8) * 2 ** 24 +
            (c.below(8) << 21) +
            ((3 + c.below(5)) << 18) +
            c.pick([7, 7, 7, 0xf, 0x17, 6]),
        ),
      ];
    case 6:
      return [
        write('ISPENDR of 48 to 51', GICD + 0x204, 0x0001_0000 << c.below(4)),
        show(
          'physical acknowledge',
          `ldr x1, =0x${GICC.toString(16)}\nmov w0, #0xff\nstr w0, [x1, #4]\nldr w0, [x1, #0xc]\nstr w0, [x1, #0x10]\nstr wzr, [x1, #4]`,
        ),
      ];
    case 7:
      return c.below(3) === 0 ? [write('GICH_APR', GICH + 0xf0, 0)] : [listRegister(c)];
    default:
      return [listRegister(c)];
  }
}

function guestStep(c: Chooser): Step[] {
  switch (c.below(13)) {
    case 0:
    case 1:
    case 2:
    case 3:
      return [acknowledge(GICV, 0xc)];
    case 4:
    case 5:
    case 6:
      return [end('GICV_EOIR', GICV + 0x10)];
    case 7:
      return [end('GICV_DIR', GICV + 0x1000)];
    case 8:
      return [write('GICV_PMR', GICV + 4, c.pick(masks) & 0xf8)];
    case 9:
      return [write('GICV_BPR', GICV + 8, c.below(8))];
    case 10:
      return [write('GICV_CTLR', GICV, c.pick([7, 7, 0xf, 0x1f]))];
    default:
      return [interrupts('virtual')];
  }
}

export const gicv2Virtual = (seed: number): Program => {
  const c = new Chooser(seed);
  const guest = act('guest', 'bl guest');
  const round = (): Step[] => [
    ...many(1 + c.below(3), () => hypervisorStep(c)),
    status,
    down(2, 1),
    ...many(1 + c.below(4), () => [...guestStep(c), guest]),
    up('hvc'),
    status,
  ];
  return {
    name: `gicv2-virtual-${seed}`,
    el: 2,
    gic: 2,
    cpu: 'cortex-a57',
    routines: virtualStatus,
    steps: [...setup, write('GICH_VMCR', GICH + 8, 0xf84c_0007), write('GICH_HCR', GICH, 1), ...many(110, round)],
  };
};

// ---- registers ----

const ones = 0xffff_ffff;
export const gicv2Registers: Program = {
  name: 'gicv2-registers',
  el: 2,
  gic: 2,
  cpu: 'cortex-a57',
  known: [
    [/IIDR$/, 'the identification of a GIC-400, where QEMU has none'],
    [/GICH_LR4$/, 'QEMU keeps list registers beyond those that GICH_VTR says'],
    [/load GICV_ABPR/, "QEMU's virtual ABPR reads less than the smallest value of 5 bits of priority"],
  ],
  steps: [
    ...[
      ['GICD_TYPER', GICD + 4],
      ['GICD_IIDR', GICD + 8],
      ['GICC_IIDR', GICC + 0xfc],
      ['GICH_VTR', GICH + 4],
      ['GICH_MISR', GICH + 0x10],
      ['GICH_EISR0', GICH + 0x20],
      ['GICH_ELRSR0', GICH + 0x30],
      ['GICV_IIDR', GICV + 0xfc],
      ['GICV_RPR', GICV + 0x14],
      ['GICV_HPPIR', GICV + 0x18],
      ['GICV_IAR', GICV + 0xc],
      ['GICC_RPR', GICC + 0x14],
      ['GICC_HPPIR', GICC + 0x18],
      ['GICC_IAR', GICC + 0xc],
    ].map(([name, address]) => read(`${name}`, Number(address))),
    ...[
      ['GICD_CTLR', GICD],
      ['GICD_ISENABLER0', GICD + 0x100],
      ['GICD_ICENABLER0', GICD + 0x180],
      ['GICD_IGROUPR0', GICD + 0x80],
      ['GICD_IGROUPR1', GICD + 0x84],
      ['GICD_ICFGR0', GICD + 0xc00],
      ['GICD_ICFGR1', GICD + 0xc04],
      ['GICD_ICFGR2', GICD + 0xc08],
      ['GICD_ITARGETSR0', GICD + 0x800],
      ['GICD_ITARGETSR8', GICD + 0x820],
      ['GICD_IPRIORITYR0', GICD + 0x400],
      ['GICD_IPRIORITYR8', GICD + 0x420],
      ['GICC_CTLR', GICC],
      ['GICC_PMR', GICC + 4],
      ['GICC_BPR', GICC + 8],
      ['GICC_ABPR', GICC + 0x1c],
      ['GICC_APR0', GICC + 0xd0],
      ['GICH_HCR', GICH],
      ['GICH_VMCR', GICH + 8],
      ['GICH_APR', GICH + 0xf0],
      ['GICH_LR0', GICH + 0x100],
      ['GICH_LR3', GICH + 0x10c],
      ['GICH_LR4', GICH + 0x110],
      ['GICV_CTLR', GICV],
      ['GICV_PMR', GICV + 4],
      ['GICV_BPR', GICV + 8],
      ['GICV_ABPR', GICV + 0x1c],
    ].flatMap(([name, address]) => [
      read(`${name}`, Number(address)),
      ...keeps(`${name}`, Number(address), ones),
      ...keeps(`${name}`, Number(address), 0),
    ]),
  ],
};
