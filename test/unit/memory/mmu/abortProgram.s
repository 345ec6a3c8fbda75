// Runs each recorded instruction word at EL1 behind stage 2 and prints what EL2 gets to know: ESR_EL2, FAR_EL2, HPFAR_EL2, one
// 16-digit line each. Starts at EL2. Stage 2 maps 0 … 2 MB of RAM's start, where this program is, and a read-only page; all
// general registers are DATA. Record, 8-byte words: mode, the word. Mode bits: 0 stage 1 on, 1 at EL0, 2 stage 1 on with its
// tables outside of what stage 2 maps, 3 registers point to the read-only page.
    .include "program.inc"
    .global _start
    .equ SLOT, 0x401ff000       // where the word runs: literals 1 MB from here are not mapped
    .equ TABLE2, 0x40180000     // stage 2, level 1
    .equ TABLE2B, 0x40181000    // level 2
    .equ TABLE2C, 0x40182000    // level 3 of 0x80000000
    .equ TABLE1, 0x40190000     // stage 1, level 1: blocks of 1 GB, all the same as addresses
    .equ DATA, 0x80200100
    .equ READ_ONLY, 0x80000100
_start:
    mov x28, #0x09000000
    ldr x0, =vectors
    msr vbar_el2, x0
    ldr x0, =TABLE2
    ldr x1, =TABLE2B
    orr x2, x1, #3
    str x2, [x0, #8]            // 0x40000000
    ldr x2, =0x400007fd         // block, read-write, Write-Back, AF
    str x2, [x1]
    ldr x1, =0x40183000         // level 2 of 0x80000000
    orr x2, x1, #3
    str x2, [x0, #16]
    ldr x2, =TABLE2C
    orr x3, x2, #3
    str x3, [x1]
    ldr x3, =0x4017077f         // page, read only
    str x3, [x2]
    ldr x0, =TABLE1
    ldr x2, =0x40000f45         // block, EL1 and EL0 read-write, AF, nG, Inner Shareable, Attr1
    mov x3, #4
    mov x1, #0
1:  bfi x2, x1, #30, #3
    str x2, [x0, x1, lsl #3]
    add x1, x1, #1
    cmp x1, x3
    b.ne 1b
    ldr x2, =0x40000fc5         // the program: read-only, so that both levels may execute it
    str x2, [x0, #8]
    ldr x0, =TABLE2
    msr vttbr_el2, x0
    ldr x0, =0x8001355c         // 36 bits, from level 1, 4 KB, Write-Back walks, 36-bit output
    msr vtcr_el2, x0
    mov x0, #1
    orr x0, x0, #0x80000000
    msr hcr_el2, x0
    mov x0, #0xff00
    msr mair_el1, x0
    ldr x0, =0x10080351c        // 36 bits, TTBR1 off, Write-Back walks, 36-bit output
    msr tcr_el1, x0
    mov x0, #0x33ff
    msr cptr_el2, x0
    mov x0, #0x300000
    msr cpacr_el1, x0
    ldr x0, =vectors1
    msr vbar_el1, x0
    isb
    ldr x19, =records
next:
    ldr x20, =recordsEnd
    cmp x19, x20
    b.hs done
    ldp x21, x22, [x19], #16
    ldr x0, =SLOT
    str w22, [x0]
    ldr w1, hypercall
    str w1, [x0, #4]
    dc ivac, x0                 // written with the MMU off, fetched through the caches
    dsb ish
    ic ivau, x0
    dsb ish
    isb
    msr elr_el2, x0
    ldr x1, =TABLE1
    tbz x21, #2, 1f
    ldr x1, =0x90000000
1:  msr ttbr0_el1, x1
    ldr x1, =0x30d50980         // UCI and others off: EL0's maintenance is EL1's business
    orr x1, x1, #0x4000000
    mov x2, #5
    tst x21, x2
    b.eq 1f
    mov x2, #0x1005
    orr x1, x1, x2
1:  msr sctlr_el1, x1
    tlbi alle1
    dsb sy
    isb
    mov x1, #0x3c5
    tbz x21, #1, 1f
    mov x1, #0x3c0
1:  msr spsr_el2, x1
    ldr x0, =DATA
    tbz x21, #3, 1f
    ldr x0, =READ_ONLY
1:  msr sp_el1, x0
    msr sp_el0, x0
    ldr x1, =saved
    str x19, [x1]
    .irp n, 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30
    mov x\n, x0
    .endr
    eret

hypercall:
    hvc #0

taken:
    mov x28, #0x09000000
    ldr x1, =saved
    ldr x19, [x1]
    mrs x10, esr_el2
    bl print
    mrs x10, far_el2
    bl print
    mrs x10, hpfar_el2
    bl print
    b next

print:
    print_word
    ret

done:
    end_run

    .balign 2048
vectors:
    .rept 16
    .balign 128
    b taken
    .endr
    .balign 2048
vectors1:                       // what EL1 takes, it tells
    .rept 16
    .balign 128
    hvc #1
    .endr
    exit_block
saved:
    .quad 0
    .ltorg
    record_file
