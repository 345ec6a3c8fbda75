/** GICv3 with two cores: software interrupts by affinity and broadcast, shared interrupts by GICD_IROUTER<n>. */
import { act, msr, type Program, read, type Step, show, write } from '../program';
import { GICD, GICR, SGI } from './gicv3Registers';

/** Core 1's: that it is there, how often it was asked, and the interrupts that it took by then, a byte each. */
const MAILBOX = 0x40f0_0000;
const CORE1 = 0x2_0000;
/** The software interrupt that asks core 1, of the lowest priority. */
const ASK = 15;

/** Core 1 polls its interface, now and then: QEMU's other core needs time. */
const core1 = `core1:
ldr x1, =0x${(GICR + CORE1 + 0x14).toString(16)}
str wzr, [x1]
ldr x1, =0x${(SGI + CORE1).toString(16)}
mov w0, #-1
str w0, [x1, #0x80]
mov w0, #0xffff
str w0, [x1, #0x100]
mov w0, #0x80
strb w0, [x1, #${0x400 + ASK}]
mov x0, #0xf0
msr ICC_PMR_EL1, x0
mov x0, #1
msr ICC_IGRPEN0_EL1, x0
msr ICC_IGRPEN1_EL1, x0
isb
ldr x1, =0x${MAILBOX.toString(16)}
mov x3, #0
mov x4, #0
str xzr, [x1, #8]
dmb sy
mov w0, #1
str w0, [x1]
1: mov x0, #200
2: subs x0, x0, #1
b.ne 2b
mrs x0, ICC_IAR1_EL1
cmp x0, #1023
b.eq 1b
msr ICC_EOIR1_EL1, x0
isb
cmp x0, #${ASK}
b.eq 3f
orr x4, x0, x4, lsl #8
b 1b
3: add x3, x3, #1
str x4, [x1, #16]
dmb sy
str x3, [x1, #8]
b 1b
`;

const look: readonly Step[] = [
  show(
    'interrupts of core 1',
    `ldr x1, =0x${MAILBOX.toString(16)}
ldr x2, =0x${(SGI + CORE1 + 0x200).toString(16)}
ldr x3, [x1, #8]
mov w0, #0x${(1 << ASK).toString(16)}
str w0, [x2]
1: ldr x0, [x1, #8]
cmp x0, x3
b.eq 1b
dmb sy
ldr x0, [x1, #16]`,
  ),
  show('pending here', 'mrs x0, ICC_HPPIR1_EL1'),
  show('acknowledge', 'mrs x0, ICC_IAR1_EL1\nmsr ICC_EOIR1_EL1, x0'),
];
const sgi = (id: number, value: bigint): Step[] => [msr('ICC_SGI1R_EL1', (BigInt(id) << 24n) | value), ...look];

export const gicv3Smp: Program = {
  name: 'gicv3-smp',
  el: 2,
  gic: 3,
  cpu: 'cortex-a57',
  cpus: 2,
  routines: core1,
  known: [[/GICR_TYPER/, 'no LPIs here']],
  steps: [
    write('GICR_WAKER', GICR + 0x14, 0),
    write('GICD_CTLR', GICD, 3),
    write('IGROUPR0', SGI + 0x80, 0xffff_ffff),
    write('ISENABLER0', SGI + 0x100, 0xffff),
    msr('ICC_PMR_EL1', 0xf0),
    msr('ICC_IGRPEN1_EL1', 1),
    read('GICR_TYPER of core 0', GICR + 8, 8),
    read('GICR_TYPER of core 1', GICR + CORE1 + 8, 8),
    act('no news', `ldr x1, =0x${MAILBOX.toString(16)}\nstr wzr, [x1]`),
    show('CPU_ON', 'ldr x0, =0xc4000003\nmov x1, #1\nadr x2, core1\nmov x3, #0\nsmc #0'),
    act('core 1 is there', `ldr x1, =0x${MAILBOX.toString(16)}\n1: ldr w0, [x1]\ncbz w0, 1b`),
    ...sgi(1, 2n),
    ...sgi(2, 3n),
    ...sgi(3, 1n),
    ...sgi(4, 1n << 40n),
    ...sgi(5, 0n),
    ...sgi(6, (1n << 16n) | 3n),
    ...sgi(7, (1n << 44n) | 3n),
    ...sgi(8, 4n),
    ...sgi(9, (1n << 32n) | 3n),
    ...sgi(10, (1n << 48n) | 3n),
    msr('ICC_SGI0R_EL1', 0x0b00_0003),
    ...look,
    write('IGROUPR1', GICD + 0x84, 0xffff_ffff),
    write('ISENABLER1', GICD + 0x104, 0xffff),
    ...[0, 1, 2, 0x100, 0x8000_0000].flatMap((route, n) => [
      write(`IROUTER${32 + n}`, GICD + 0x6000 + 8 * (32 + n), route, 8),
      write('ISPENDR1', GICD + 0x204, 1 << n),
      ...look,
    ]),
    write('IROUTER34', GICD + 0x6000 + 8 * 34, 1, 8),
    ...look,
  ],
};
