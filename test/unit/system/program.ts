/**
 * Bare-metal programs that log what registers read and which exceptions are taken, step by step. QEMU's log of a program is
 * recorded (makeFixtures.ts); elscope has to give the same (qemuSystem.slow.test.ts).
 *
 * The log is at LOG: pairs of 64-bit words, step number and value, up to a step number of all ones. x20 points at its end,
 * x21 is the step's number; steps use x0-x9. Exceptions log EXCEPTION with the vector's number in bits 55:52, the level in
 * 49:48 and, for synchronous ones, ESR_ELx in the low word; FAR_ELx follows where the class has one, ELR_ELx for debug
 * exceptions. What interrupts a lower level is routed there no more, else it would be taken for ever.
 * After a Software Step exception the next instruction is stepped.
 */

export const LOG = 0x4080_0000;
export const EXCEPTION = 0xe000_0000_0000_0000n;

export interface Step {
  readonly label: string;
  readonly asm: string;
  readonly shows: boolean;
}

export interface Program {
  readonly name: string;
  /** Level of reset: QEMU virt's virtualization=on (2) or secure=on as well (3). */
  readonly el: 1 | 2 | 3;
  readonly gic: 2 | 3;
  /** QEMU's -cpu, and the preset with that core. */
  readonly cpu: string;
  readonly cpus?: number;
  readonly steps: readonly Step[];
  /** Subroutines that steps call. */
  readonly routines?: string;
  /** Differences from QEMU with reasons: the first to match a step's label explains it. */
  readonly known?: readonly (readonly [RegExp, string])[];
}

const hex = (value: number | bigint): string => `0x${BigInt.asUintN(64, BigInt(value)).toString(16)}`;
const hexText = (value: number | bigint): string => BigInt.asUintN(64, BigInt(value)).toString(16);

/** Any assembly, nothing shown but exceptions. */
export const act = (label: string, asm: string): Step => ({ label, asm, shows: false });
/** Assembly that leaves a value in x0, which is shown. */
export const show = (label: string, asm: string): Step => ({ label, asm, shows: true });

export const mrs = (register: string): Step => show(`read ${register}`, `mrs x0, ${register}`);
export const msr = (register: string, value: number | bigint): Step =>
  act(`write ${register} = ${hexText(value)}`, `ldr x1, =${hex(value)}\nmsr ${register}, x1\nisb`);
/** Writes, then shows what sticks. */
export const sticks = (register: string, value: number | bigint): Step[] => [msr(register, value), mrs(register)];

const sized = { 1: 'b', 2: 'h', 4: '', 8: '' } as const;
type Size = keyof typeof sized;
const register = (size: Size): string => (size === 8 ? 'x0' : 'w0');
export const read = (name: string, address: number, size: Size = 4): Step =>
  show(`load ${name}`, `ldr x1, =${hex(address)}\nldr${sized[size]} ${register(size)}, [x1]`);
export const write = (name: string, address: number, value: number | bigint, size: Size = 4): Step =>
  act(
    `store ${name} = ${hexText(value)}`,
    `ldr x1, =${hex(address)}\nldr x0, =${hex(value)}\nstr${sized[size]} ${register(size)}, [x1]\ndsb sy`,
  );
export const keeps = (name: string, address: number, value: number | bigint, size: Size = 4): Step[] => [
  write(name, address, value, size),
  read(name, address, size),
];

/** Lets pending interrupts be taken; each is logged and leaves both masked. */
export const interrupts = (what: string): Step =>
  act(`interrupts: ${what}`, 'isb\nmsr daifclr, #3\nisb\nnop\nmsr daifset, #3');

const modes = { 0: 0x3c0, 1: 0x3c5, 2: 0x3c9, 3: 0x3cd } as const;
let labels = 0;
/** ERET from the current level `from` to a lower one, everything masked. */
export function down(from: 1 | 2 | 3, to: 0 | 1 | 2): Step {
  const label = `down${labels++}`;
  return act(
    `EL${from} to EL${to}`,
    `adr x1, ${label}\nmsr elr_el${from}, x1\nmov x1, #${modes[to]}\nmsr spsr_el${from}, x1\nisb\neret\n${label}:`,
  );
}
/** Back up from EL1 by HVC, from EL2 or EL1 by SMC, from EL0 by SVC: the vector returns in the mode of its own level. */
export const up = (how: 'svc' | 'hvc' | 'smc'): Step => act(`${how} up`, `${how} #0x100`);

/** Sends the log to the UART, byte by byte, and ends the machine. */
const ending = `mov x21, #-1
stp x21, xzr, [x20], #16
ldr x1, =${hex(LOG)}
ldr x2, =0x09000000
mov w0, #0x301
str w0, [x2, #0x30]
1: ldrb w0, [x1], #1
str w0, [x2]
cmp x1, x20
b.lo 1b
mov w0, #0x18
ldr x1, =exitBlock
hlt #0xf000
1: b 1b
.balign 8
exitBlock: .quad 0x20026, 0
`;

const vectors = `
.balign 2048
vectors:
.set slot, 0
.rept 16
mov x10, #slot
b taken
.balign 128
.set slot, slot + 1
.endr
taken:
mrs x11, CurrentEL
lsr x11, x11, #2
cmp x11, #2
b.eq at2
b.hi at3
${[1, 2, 3]
  .map(
    (el) => `at${el}:
mrs x12, esr_el${el}
mrs x13, elr_el${el}
mrs x14, spsr_el${el}
mrs x15, far_el${el}
mov x16, #${modes[el as 1 | 2 | 3]}
bl sort
msr elr_el${el}, x13
msr spsr_el${el}, x14
eret
`,
  )
  .join('')}
sort:
and x17, x10, #3
lsl x18, x11, #48
orr x18, x18, x10, lsl #52
orr x18, x18, #0xe000000000000000
cbz x17, 2f
orr x14, x14, #0xc0
stp x21, x18, [x20], #16
cmp x10, #8
b.lo 9f
cmp x11, #2
b.lo 9f
b.eq 1f
mrs x17, scr_el3
bic x17, x17, #6
msr scr_el3, x17
ret
1: mrs x17, hcr_el2
bic x17, x17, #0x18
msr hcr_el2, x17
ret
2: ubfx x17, x12, #26, #6
sub x19, x17, #0x15
cmp x19, #2
b.hi 3f
and x19, x12, #0xffff
cmp x19, #0x100
b.ne 4f
mov x14, x16
ret
3: sub x19, x17, #0x32
cmp x19, #1
b.hi 2f
orr x14, x14, #0x200000
b 4f
2:
add x13, x13, #4
4: mov w12, w12
orr x18, x18, x12
stp x21, x18, [x20], #16
sub x19, x17, #0x30
cmp x19, #3
b.hi 5f
sub x18, x13, #4
stp x21, x18, [x20], #16
5: sub x19, x17, #0x20
cmp x19, #5
b.ls 8f
sub x19, x17, #0x34
cmp x19, #1
b.hi 9f
8: stp x21, x15, [x20], #16
9: ret
.ltorg
`;

/** The whole program as assembly text. Starts at the highest level; vectors are the same at all. */
export function assembly(program: Program): string {
  const lines = ['.global _start', '_start:', 'mrs x0, mpidr_el1', 'and x0, x0, #0xff', 'cbnz x0, secondary'];
  lines.push('ldr x0, =vectors');
  for (let el = 1; el <= program.el; el++) lines.push(`msr vbar_el${el}, x0`);
  if (program.el >= 2) lines.push('mov x0, #0x80000000', 'msr hcr_el2, x0');
  if (program.el === 3) lines.push('mov x0, #0x531', 'msr scr_el3, x0');
  lines.push(`ldr x20, =${hex(LOG)}`, 'isb', 'b steps', 'secondary: wfe', 'b secondary', 'steps:');
  program.steps.forEach((step, i) => {
    lines.push(`mov x21, #${i}`, step.asm);
    if (step.shows) lines.push('stp x21, x0, [x20], #16');
    if (i % 50 === 49) lines.push(`b pool${i}`, '.ltorg', `pool${i}:`);
  });
  return `${lines.join('\n')}\n${ending}.ltorg\n${program.routines ?? ''}\n.ltorg\n${vectors}`;
}
