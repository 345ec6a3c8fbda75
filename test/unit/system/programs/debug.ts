/** Self-hosted debug: breakpoints by level, watchpoints by address and access, software step. */
import { act, down, mrs, msr, type Program, type Step, show, sticks, up } from '../program';

const all = 0xffff_ffff_ffff_ffffn;
const KDE = 1 << 13;
const MDE = 1 << 15;
const SS = 1;
const DATA = 0x40e0_0000;

let labels = 0;
const open = (what: string, asm: string): Step => act(what, `isb\nmsr daifclr, #8\n${asm}\nmsr daifset, #8`);
/** A nop with breakpoint 0 (or `n`) at it. */
const nop = (what: string, n = 0): Step => {
  const label = `here${labels++}`;
  return open(`break ${what}`, `adr x1, ${label}\nmsr dbgbvr${n}_el1, x1\nisb\n${label}: nop`);
};
/** The same at EL0, set up by EL1. */
const nopAt0 = (what: string): Step[] => {
  const label = `here${labels++}`;
  return [
    act(`address of ${what}`, `adr x1, ${label}\nmsr dbgbvr0_el1, x1\nisb`),
    down(1, 0),
    act(`break ${what}`, `${label}: nop`),
    up('svc'),
  ];
};

const reserved = /^(011..|100.0|101.0|11010|11101|1111.)$/;
const states = Array.from({ length: 32 }, (_, bits) => bits)
  .filter((bits) => !reserved.test(bits.toString(2).padStart(5, '0')))
  .map((bits) => ({ hmc: bits >> 4, ssc: (bits >> 2) & 3, pmc: bits & 3 }));

const registers: readonly Step[] = [
  mrs('OSLSR_EL1'),
  msr('OSLAR_EL1', 1),
  mrs('OSLSR_EL1'),
  msr('OSLAR_EL1', 0),
  mrs('OSLSR_EL1'),
  mrs('MDSCR_EL1'),
  mrs('MDCR_EL2'),
  ...['DBGBVR0_EL1', 'DBGBVR5_EL1', 'DBGBCR0_EL1', 'DBGBCR5_EL1', 'DBGWVR0_EL1', 'DBGWVR3_EL1', 'DBGWCR0_EL1'].flatMap(
    (name) => [mrs(name), ...sticks(name, all), ...sticks(name, 0)],
  ),
];

const levels: readonly Step[] = states.flatMap(({ hmc, ssc, pmc }) => {
  const control = 0x1e1 | (pmc << 1) | (hmc << 13) | (ssc << 14);
  const what = `HMC ${hmc} SSC ${ssc} PMC ${pmc}`;
  return [
    msr('MDCR_EL2', 0x106),
    msr('DBGBCR0_EL1', control),
    nop(`at EL2, ${what}`),
    down(2, 1),
    nop(`at EL1 for EL2, ${what}`),
    up('hvc'),
    msr('MDCR_EL2', 6),
    down(2, 1),
    nop(`at EL1, ${what}`),
    ...nopAt0(`at EL0, ${what}`),
    up('hvc'),
  ];
});

const enables: readonly Step[] = [
  msr('DBGBCR0_EL1', 0x1e7),
  msr('MDSCR_EL1', MDE),
  down(2, 1),
  nop('without KDE'),
  ...nopAt0('at EL0 without KDE'),
  msr('MDSCR_EL1', KDE),
  nop('without MDE'),
  msr('MDSCR_EL1', KDE | MDE),
  act('break with D set', 'adr x1, masked\nmsr dbgbvr0_el1, x1\nisb\nmasked: nop'),
  msr('OSLAR_EL1', 1),
  nop('with the OS lock'),
  msr('OSLAR_EL1', 0),
  // Linked to a context ID: breakpoint 4 is the first that can be.
  msr('CONTEXTIDR_EL1', 0x1234),
  msr('DBGBVR4_EL1', 0x1234),
  msr('DBGBCR4_EL1', 0x0030_01e7),
  msr('DBGBCR0_EL1', 0x0014_01e7),
  nop('linked to this context'),
  msr('DBGBVR4_EL1', 0x1235),
  nop('linked to another context'),
  msr('DBGBCR4_EL1', 0),
  nop('linked to nothing'),
  msr('DBGBCR0_EL1', 0),
  msr('DBGBCR3_EL1', 0x1e7),
  nop('by breakpoint 3', 3),
  msr('DBGBCR3_EL1', 0),
  up('hvc'),
];

const access = (asm: string): Step => open(asm.replaceAll('\n', '; '), `ldr x1, =0x${DATA.toString(16)}\n${asm}`);
const accesses: readonly Step[] = [
  'ldr x0, [x1]',
  'str x0, [x1]',
  'ldrb w0, [x1, #3]',
  'ldrb w0, [x1, #4]',
  'strh w0, [x1, #2]',
  'ldr w0, [x1, #4]',
  'ldp x2, x3, [x1, #-8]',
  'stp x2, x3, [x1, #8]',
  'ldr x0, [x1, #8]',
  'ldr x0, [x1, #16]',
  'ldxr x0, [x1]',
  'ldtr x0, [x1]',
  'sttr x0, [x1]',
  'ldr x0, [x1, #0x100]',
  'str x0, [x1, #0xff8]',
].map(access);

const watch = (what: string, control: number, offset = 0): Step[] => [
  msr('DBGWVR0_EL1', DATA + offset),
  act(`watch ${what}`, `ldr x1, =0x${control.toString(16)}\nmsr dbgwcr0_el1, x1\nisb`),
  ...accesses,
];
const E = 1;
const EL1 = 1 << 1;
const EL0 = 2 << 1;
const LOADS = 1 << 3;
const STORES = 2 << 3;
const bytes = (bas: number): number => bas << 5;
const watches: readonly Step[] = [
  down(2, 1),
  ...watch('loads', E | EL1 | LOADS | bytes(0xff)),
  ...watch('stores', E | EL1 | STORES | bytes(0xff)),
  ...watch('both, byte 3', E | EL1 | LOADS | STORES | bytes(8)),
  ...watch('both, upper word', E | EL1 | LOADS | STORES | bytes(0xf), 4),
  ...watch('both, EL0 only', E | EL0 | LOADS | STORES | bytes(0xff)),
  ...watch('both, 4 KB', E | EL1 | LOADS | STORES | bytes(0xff) | (12 << 24)),
  ...watch('off', EL1 | LOADS | STORES | bytes(0xff)),
  msr('DBGWCR0_EL1', 0),
  up('hvc'),
];

/** Steps EL0 from EL1, which counts on by setting SPSR_EL1.SS anew, and EL1 by itself. */
const stepped = (what: string, asm: string): Step[] => {
  const label = `down${labels++}`;
  return [
    act(
      `to EL0 to step ${what}`,
      `ldr x1, =0x40e00000\nadr x0, x${label}\nmsr elr_el1, x0\nldr x0, =0x2003c0\nmsr spsr_el1, x0\nmov x0, #1\nmsr mdscr_el1, x0\nisb\neret\nx${label}:`,
    ),
    act(`step ${what}`, asm),
    up('svc'),
    msr('MDSCR_EL1', 0),
  ];
};
const steps: readonly Step[] = [
  down(2, 1),
  ...stepped('plain instructions', 'nop\nadd x2, x2, #1\nb 1f\nnop\n1: nop'),
  ...stepped('an exclusive', 'ldxr x2, [x1]\nnop\nldaxrb w2, [x1]\nldar x2, [x1]'),
  ...stepped('an undefined instruction', 'nop\nmrs x2, sctlr_el1\nnop'),
  ...stepped('a call', 'nop\nsvc #7\nnop'),
  act(
    'step at EL1',
    `ldr x0, =${SS | KDE}
msr mdscr_el1, x0
isb
ldr x0, =0x2001c5
msr spsr_el1, x0
adr x0, 1f
msr elr_el1, x0
eret
1: nop
add x2, x2, #1
msr daifset, #8
nop
msr mdscr_el1, xzr
isb`,
  ),
  act(
    'no step without SPSR.SS at first',
    `ldr x0, =${SS | KDE}
msr mdscr_el1, x0
isb
ldr x0, =0x1c5
msr spsr_el1, x0
adr x0, 1f
msr elr_el1, x0
eret
1: nop
msr daifset, #8
msr mdscr_el1, xzr
isb`,
  ),
  up('hvc'),
];

export const debug: Program = {
  name: 'debug',
  el: 2,
  gic: 2,
  cpu: 'cortex-a57',
  known: [
    [/OS lock/, 'QEMU 7.2 does not look at the OS lock'],
    [/read DBG[BW]CR\d_EL1/, 'QEMU keeps reserved bits'],
    [/^ld/, 'QEMU 7.2 reports WnR of the watchpoint, not of the access'],
    [/at EL1$|SPSR.SS at first/, 'QEMU takes the exception also after an instruction that masks it'],
  ],
  steps: [
    show('level', 'mrs x0, CurrentEL'),
    msr('HCR_EL2', 0x8000_0000),
    ...registers,
    msr('MDSCR_EL1', KDE | MDE),
    ...levels,
    ...enables,
    ...watches,
    msr('MDSCR_EL1', 0),
    ...steps,
  ],
};
