// Runs AT for each record and prints PAR_EL1, one 16-digit line each. Starts at EL3 with its MMU off (QEMU virt, secure=on,
// virtualization=on). Record, 8-byte words: SCTLR, TCR, MAIR, TTBR0, TTBR1 of the regime, VA, regime (1 or 2), number of
// descriptors, then their addresses and values. An exception (an external abort on a walk) prints 0xeeeeeeee and its ESR.
    .include "program.inc"
    .global _start
_start:
    mov x0, #0x531              // NS, HCE, RW, RES1
    msr scr_el3, x0
    ldr x0, =vectors
    msr vbar_el3, x0
    mov x0, #1
    lsl x0, x0, #31
    msr hcr_el2, x0
    isb
    ldr x19, =records
    ldr x20, =recordsEnd
    mov x28, #0x09000000
next:
    cmp x19, x20
    b.hs done
    ldp x0, x1, [x19], #16      // SCTLR, TCR
    ldp x2, x3, [x19], #16      // MAIR, TTBR0
    ldp x4, x21, [x19], #16     // TTBR1, VA
    ldp x22, x23, [x19], #16    // regime, descriptors
1:  cbz x23, 2f
    ldp x5, x6, [x19], #16
    str x6, [x5]
    sub x23, x23, #1
    b 1b
2:  dsb sy
    cmp x22, #2
    b.eq el2
    msr mair_el1, x2
    msr tcr_el1, x1
    msr ttbr0_el1, x3
    msr ttbr1_el1, x4
    msr sctlr_el1, x0
    isb
    tlbi alle1
    dsb sy
    isb
    at s1e1r, x21
    bl print
    at s1e1w, x21
    bl print
    at s1e0r, x21
    bl print
    at s1e0w, x21
    bl print
    b next
el2:
    msr mair_el2, x2
    msr tcr_el2, x1
    msr ttbr0_el2, x3
    msr sctlr_el2, x0
    isb
    tlbi alle2
    dsb sy
    isb
    at s1e2r, x21
    bl print
    at s1e2w, x21
    bl print
    b next

print:
    isb
    mrs x10, par_el1
    print_word
    ret

    .balign 2048
vectors:
    .space 0x200
    mrs x15, esr_el3
    movk x15, #0xeeee, lsl #32
    movk x15, #0xeeee, lsl #48
    msr par_el1, x15
    mrs x15, elr_el3
    add x15, x15, #4
    msr elr_el3, x15
    eret

done:
    end_run
    exit_block
    record_file
