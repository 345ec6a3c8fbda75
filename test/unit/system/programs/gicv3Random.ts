/**
 * GICv3: random sequences of priorities, enables, pending bits, acknowledges and ends, with the state of everything logged
 * after each step. Physical interrupts at EL2, virtual ones at EL1 with list registers written by EL2.
 */
import { act, down, interrupts, mrs, msr, type Program, read, type Step, show, up, write } from '../program';
import { Chooser, many } from './chooser';
import { GICD, GICR, SGI } from './gicv3Registers';

const logged = (asm: string): string => `${asm}\nstp x21, x0, [x20], #16\n`;
const combined = (low: string, high: string): string =>
  logged(`${low.replaceAll('#', 'x0')}\n${high.replaceAll('#', 'x1')}\norr x0, x0, x1, lsl #32`);
const loadWord = (address: number): string => `ldr x2, =0x${address.toString(16)}\nldr w#, [x2]`.replace('w#', 'w@');
const mem = (low: number, high: number): string =>
  logged(`${loadWord(low).replace('w@', 'w0')}\n${loadWord(high).replace('w@', 'w1')}\norr x0, x0, x1, lsl #32`);

/** What the program goes on from: what is pending, running and active. */
export const physicalStatus = `status:
isb
${combined('mrs #, ICC_HPPIR0_EL1', 'mrs #, ICC_HPPIR1_EL1')}
${combined('mrs #, ICC_RPR_EL1', 'mrs #, isr_el1')}
${combined('mrs #, S3_0_C12_C8_4', 'mrs #, S3_0_C12_C9_0')}
${mem(SGI + 0x200, GICD + 0x204)}
${mem(SGI + 0x300, GICD + 0x304)}
ret
`;

const ids = [0, 1, 5, 15, 20, 24, 40, 41, 50, 63] as const;
const priorities = [0x00, 0x08, 0x10, 0x40, 0x48, 0x50, 0x80, 0x88, 0xa0, 0xa4, 0xf0, 0xf8] as const;
const masks = [0xff, 0xf8, 0xf0, 0xa8, 0x80, 0x48, 0] as const;

const frameOf = (id: number): number => (id < 32 ? SGI : GICD);
const wordAt = (base: number, id: number): number => frameOf(id) + base + 4 * (id >> 5);
const bitOf = (id: number): number => 2 ** (id & 31);

/** One random thing that software does with the physical interface. x9 holds the INTID acknowledged last. */
function physicalStep(c: Chooser): Step[] {
  const id = c.pick(ids);
  const group = c.below(2);
  const end = (register: string): Step =>
    c.below(4) === 0 ? msr(register, id) : act(`end ${register}`, `msr ${register}, x9\nisb`);
  switch (c.below(19)) {
    case 0:
    case 1:
    case 2:
      return [write(`ISPENDR ${id}`, wordAt(0x200, id), bitOf(id))];
    case 3:
      return [write(`ICPENDR ${id}`, wordAt(0x280, id), bitOf(id))];
    case 4:
      return [write(`ISENABLER ${id}`, wordAt(0x100, id), bitOf(id))];
    case 5:
      return [write(`${c.pick(['ISENABLER', 'ICENABLER'])} of all`, GICD + c.pick([0x104, 0x184]), 0x0002_0300)];
    case 6:
    case 7:
      return [write(`IPRIORITYR ${id}`, frameOf(id) + 0x400 + id, c.pick(priorities), 1)];
    case 8:
      return [
        write('IGROUPR0', SGI + 0x80, c.pick([0xffff_ffff, 0, 0x0010_0020])),
        write('IGROUPR1', GICD + 0x84, c.pick([0xffff_ffff, 0x200])),
      ];
    case 9:
      return [write('GICD_CTLR', GICD, c.pick([3, 3, 3, 2, 1]))];
    case 10:
      return [msr('ICC_PMR_EL1', c.pick(masks))];
    case 11:
      return [msr(c.pick(['ICC_BPR0_EL1', 'ICC_BPR1_EL1']), c.below(8))];
    case 12:
      return [msr('ICC_CTLR_EL1', c.pick([0, 0, 1, 2, 3]))];
    case 13:
      return [msr(c.pick(['ICC_IGRPEN0_EL1', 'ICC_IGRPEN1_EL1']), c.pick([0, 1, 1, 1]))];
    case 14:
      return [
        msr(
          c.pick(['ICC_SGI1R_EL1', 'ICC_SGI0R_EL1', 'ICC_SGI1R_EL1']),
          BigInt(c.below(16) * 2 ** 24 + 1) | (c.below(6) === 0 ? 1n << 40n : 0n),
        ),
      ];
    case 15:
    case 16:
      return [show('acknowledge', `mrs x0, ICC_IAR${group}_EL1\nmov x9, x0`)];
    case 17:
      return [end(`ICC_EOIR${group}_EL1`)];
    default:
      return c.below(3) === 0 ? [interrupts('physical')] : [end('ICC_DIR_EL1')];
  }
}

const physicalSetup: readonly Step[] = [
  act('interrupts to EL2', 'ldr x0, =0x80000018\nmsr hcr_el2, x0\nmov x9, #0\nisb'),
  write('GICR_WAKER', GICR + 0x14, 0),
  write('GICD_CTLR', GICD, 3),
  write('IGROUPR0', SGI + 0x80, 0xffff_ffff),
  write('IGROUPR1', GICD + 0x84, 0xffff_ffff),
  ...ids.flatMap((id, n) => [
    write(`ISENABLER ${id}`, wordAt(0x100, id), bitOf(id)),
    write(`IPRIORITYR ${id}`, frameOf(id) + 0x400 + id, priorities[(n * 5) % priorities.length], 1),
  ]),
  write('ICFGR', GICD + 0xc08, 0xaaaa_0000),
  msr('ICC_PMR_EL1', 0xff),
  msr('ICC_IGRPEN0_EL1', 1),
  msr('ICC_IGRPEN1_EL1', 1),
];

const status = act('status', 'bl status');

/** Both Security states: EL3, Non-secure EL2 and Secure EL1 at random; the state is logged at EL3. */
export const gicv3Secure = (seed: number): Program => {
  const c = new Chooser(seed);
  const groups = (): Step[] => [
    write('IGROUPR0', SGI + 0x80, c.pick([0xffff_ffff, 0, 0x0010_8021])),
    write('IGRPMODR0', SGI + 0xd00, c.pick([0xffff_ffff, 0, 0x0100_0020])),
    write('IGROUPR1', GICD + 0x84, c.pick([0xffff_ffff, 0x200, 0x8000_0100])),
    write('IGRPMODR1', GICD + 0xd04, c.pick([0xffff_ffff, 0x4_0000])),
    write('GICR_NSACR', SGI + 0xe00, c.pick([0, 0x5555_5555, 0xaaaa_aaaa])),
    write('GICD_NSACR3', GICD + 0xe08, c.pick([0, 0x5555_5555, 0xffff_ffff])),
    write('GICD_CTLR', GICD, c.pick([7, 7, 7, 3, 5, 6])),
    msr('ICC_CTLR_EL3', c.below(32)),
    msr('ICC_IGRPEN1_EL3', c.pick([3, 3, 3, 1, 2])),
  ];
  /** Without the steps that only the owner of all groups may do. */
  const lower = (): Step[] => {
    for (;;) {
      const steps = physicalStep(c);
      if (!steps.some(({ label }) => /IGROUPR|GICD_CTLR/.test(label))) return steps;
    }
  };
  const looks: Step[] = [
    ...['ICC_PMR_EL1', 'ICC_RPR_EL1', 'ICC_BPR1_EL1', 'ICC_CTLR_EL1', 'ICC_HPPIR1_EL1', 'ICC_HPPIR0_EL1'].map(mrs),
    read('GICD_CTLR', GICD),
    read('ISPENDR1', GICD + 0x204),
    read('IPRIORITYR40', GICD + 0x428),
    read('IGROUPR1', GICD + 0x84),
  ];
  const round = (): Step[] => {
    const state = c.pick(['EL3', 'Non-secure EL2', 'Secure EL1'] as const);
    const scr = (state === 'Secure EL1' ? 0x530 : 0x531) | c.pick([0, 0, 4, 4, 2, 6]);
    const enter = [msr('SCR_EL3', scr), ...(c.below(3) === 0 ? groups() : [])];
    const steps = many(2 + c.below(4), lower);
    if (state === 'EL3') return [...enter, ...steps.flatMap((step) => [step, status]), ...looks];
    return [...enter, down(3, state === 'Secure EL1' ? 1 : 2), ...steps, ...looks, up('smc'), status];
  };
  return {
    name: `gicv3-secure-${seed}`,
    el: 3,
    gic: 3,
    cpu: 'cortex-a57',
    routines: physicalStatus,
    steps: [...physicalSetup, write('GICD_CTLR', GICD, 7), ...many(90, round)],
  };
};

export const gicv3Random = (seed: number): Program => {
  const c = new Chooser(seed);
  return {
    name: `gicv3-random-${seed}`,
    el: 2,
    gic: 3,
    cpu: 'cortex-a57',
    routines: physicalStatus,
    steps: [...physicalSetup, ...many(400, () => [...physicalStep(c), status])],
  };
};

// ---- virtual interrupts ----

const LISTS = 4;
const virtualStatus = `status:
isb
${combined('mrs #, ICH_HCR_EL2', 'mrs #, ICH_VMCR_EL2')}
${combined('mrs #, ICH_MISR_EL2', 'mrs #, ICH_EISR_EL2')}
${combined('mrs #, ICH_ELRSR_EL2', 'mrs #, isr_el1')}
${combined('mrs #, ICH_AP0R0_EL2', 'mrs #, ICH_AP1R0_EL2')}
${Array.from({ length: LISTS }, (_, n) => logged(`mrs x0, ICH_LR${n}_EL2`)).join('')}
${mem(SGI + 0x200, GICD + 0x304)}
ret
guest:
isb
${combined('mrs #, ICC_HPPIR0_EL1', 'mrs #, ICC_HPPIR1_EL1')}
${combined('mrs #, ICC_RPR_EL1', 'mrs #, isr_el1')}
${combined('mrs #, ICC_BPR0_EL1', 'mrs #, ICC_BPR1_EL1')}
${combined('mrs #, ICC_PMR_EL1', 'mrs #, ICC_CTLR_EL1')}
${combined('mrs #, ICC_IGRPEN0_EL1', 'mrs #, ICC_IGRPEN1_EL1')}
ret
`;

/** Ids of each list register: no two of them hold the same virtual interrupt. */
const virtualIds = [
  [0, 32, 100],
  [1, 27, 101],
  [2, 40, 1021],
  [3, 41, 1000],
] as const;

function listRegister(c: Chooser): Step {
  const n = c.below(LISTS);
  const state = BigInt(c.pick([0, 1, 1, 1, 2, 3]));
  const hw = c.below(3) === 0;
  const physical = hw ? 48n + BigInt(n) : c.below(2) === 0 ? 1n << 9n : 0n;
  const value =
    (state << 62n) |
    (hw ? 1n << 61n : 0n) |
    (BigInt(c.below(4) === 0 ? 0 : 1) << 60n) |
    (BigInt(c.pick(priorities) & 0xf8) << 48n) |
    (physical << 32n) |
    BigInt(c.pick(virtualIds[n]));
  return msr(`ICH_LR${n}_EL2`, value);
}

function hypervisorStep(c: Chooser): Step[] {
  switch (c.below(8)) {
    case 0:
    case 1:
    case 2:
    case 3:
      return [listRegister(c)];
    case 4:
      // Not VGrp0DIE, for which QEMU 7.2 looks at group 1's enable.
      return [msr('ICH_HCR_EL2', 1 | (c.below(3) === 0 ? (c.below(128) << 1) & ~0x20 : 0))];
    case 5:
      return [
        msr(
          'ICH_VMCR_EL2',
          ((c.pick(masks) & 0xf8) * 2 ** 24 + (c.below(64) << 18) + c.pick([3, 3, 3, 1, 2, 0x13])) >>> 0,
        ),
      ];
    case 6:
      return [write('active physical', GICD + 0x304, 0x000f_0000)];
    default:
      return c.below(3) === 0 ? [msr(c.pick(['ICH_AP0R0_EL2', 'ICH_AP1R0_EL2']), 0)] : [listRegister(c)];
  }
}

function guestStep(c: Chooser): Step[] {
  const group = c.pick([0, 1, 1]);
  const id = c.pick([...virtualIds[0], ...virtualIds[1], 60]);
  const end = (register: string): Step =>
    c.below(5) === 0 ? msr(register, id) : act(`end ${register}`, `msr ${register}, x9\nisb`);
  switch (c.below(14)) {
    case 0:
    case 1:
    case 2:
    case 3:
      return [show('acknowledge', `mrs x0, ICC_IAR${group}_EL1\nmov x9, x0`)];
    case 4:
    case 5:
    case 6:
      return [end(`ICC_EOIR${group}_EL1`)];
    case 7:
      return [end('ICC_DIR_EL1')];
    case 8:
      return [msr('ICC_PMR_EL1', c.pick(masks) & 0xf8)];
    case 9:
      return [msr(c.pick(['ICC_BPR0_EL1', 'ICC_BPR1_EL1']), c.below(8))];
    case 10:
      return [msr('ICC_CTLR_EL1', c.pick([0, 0, 1]))];
    case 11:
      return [msr(c.pick(['ICC_IGRPEN0_EL1', 'ICC_IGRPEN1_EL1']), c.pick([0, 1, 1, 1]))];
    default:
      return [interrupts('virtual')];
  }
}

export const gicv3Virtual = (seed: number): Program => {
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
    name: `gicv3-virtual-${seed}`,
    el: 2,
    gic: 3,
    cpu: 'cortex-a57',
    routines: virtualStatus,
    steps: [...physicalSetup, msr('ICH_VMCR_EL2', 0xf8_4c_00_03), msr('ICH_HCR_EL2', 1), ...many(120, round)],
  };
};
