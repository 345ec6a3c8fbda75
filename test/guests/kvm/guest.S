// What runs in the virtual machine, from the start of its RAM with its MMU off. x20 is a device that is not there.
    .global guestStart, guestEnd
    .section .rodata
    .balign 8
guestStart:
    mov x20, #0x09000000
    // Loads and stores of all sizes, which the monitor answers by their syndromes.
    ldrb w1, [x20, #1]
    ldrsh x2, [x20, #2]
    ldrsw x3, [x20, #4]
    ldr x4, [x20, #8]
    str w1, [x20, #16]
    str x2, [x20, #24]
    str x3, [x20, #32]
    strh w4, [x20, #40]
    strb wzr, [x20, #41]
    // Stage 1: one table of level 1; 1 GB of Device memory at 0, 1 GB of Normal memory at the RAM.
    adr x5, guestStart
    add x5, x5, #0x10000
    mov x6, #0x401              // block, AF, Attr0
    str x6, [x5]
    mov x6, #0x705              // block, AF, Inner Shareable, Attr1
    orr x6, x6, #0x80000000
    str x6, [x5, #16]
    dsb sy
    msr ttbr0_el1, x5
    mov x6, #0xff00
    msr mair_el1, x6
    ldr x6, =0x200803519        // 39 bits, Write-Back walks, TTBR1 off, 40-bit IPAs
    msr tcr_el1, x6
    tlbi vmalle1
    dsb nsh
    isb
    mrs x6, sctlr_el1
    mov x11, #0x1005            // I, C, M
    orr x6, x6, x11
    msr sctlr_el1, x6
    isb
    // A sum over pages that stage 2 has not seen.
    add x7, x5, #0x10000
    mov x8, #64
    mov x9, #0
1:  str x8, [x7]
    ldr x10, [x7]
    add x9, x9, x10
    add x7, x7, #4096
    subs x8, x8, #1
    b.ne 1b
    str x9, [x20, #48]
    mrs x9, CurrentEL
    str x9, [x20, #56]
    mrs x9, mpidr_el1
    str x9, [x20, #64]
    ldr x0, =0x84000008         // PSCI SYSTEM_OFF
    hvc #0
2:  b 2b
    .ltorg
guestEnd:
