// Runs every AT of EL1 and EL2 for each record and prints PAR_EL1, one 16-digit line each; then the record's descriptors as
// hardware left them. Starts at EL3 with its MMU off (QEMU virt, secure=on, virtualization=on). Record, 8-byte words: HCR_EL2,
// SCTLR, TCR, MAIR, TTBR0, TTBR1 of EL1, VTCR_EL2, VTTBR_EL2, SCTLR, TCR, MAIR, TTBR0, TTBR1 of EL2, VA, PSTATE.PAN, number of
// descriptors, then their addresses and values. An exception (an external abort on a walk) prints 0xeeeeeeee and its ESR.
// VHE and PAN2 say what the core has.
    .include "program.inc"
    .arch armv8.2-a
    .global _start
_start:
    mov x0, #0x531              // NS, HCE, RW, RES1
    msr scr_el3, x0
    ldr x0, =vectors
    msr vbar_el3, x0
    isb
    ldr x19, =records
    ldr x20, =recordsEnd
    mov x28, #0x09000000
next:
    cmp x19, x20
    b.hs done
    ldp x0, x1, [x19], #16
    msr hcr_el2, x0
    msr sctlr_el1, x1
    ldp x0, x1, [x19], #16
    msr tcr_el1, x0
    msr mair_el1, x1
    ldp x0, x1, [x19], #16
    msr ttbr0_el1, x0
    msr ttbr1_el1, x1
    ldp x0, x1, [x19], #16
    msr vtcr_el2, x0
    msr vttbr_el2, x1
    ldp x0, x1, [x19], #16
    msr sctlr_el2, x0
    msr tcr_el2, x1
    ldp x0, x1, [x19], #16
    msr mair_el2, x0
    msr ttbr0_el2, x1
    ldp x0, x21, [x19], #16
    .if VHE
    msr S3_4_C2_C0_1, x0        // TTBR1_EL2
    .endif
    ldp x0, x23, [x19], #16
    .if PAN2
    cbz x0, 1f
    msr pan, #1
    b 2f
1:  msr pan, #0
2:
    .endif
    mov x24, x19
    mov x25, x23
1:  cbz x23, 2f
    ldp x5, x6, [x19], #16
    str x6, [x5]
    sub x23, x23, #1
    b 1b
2:  dsb sy
    isb
    tlbi alle1
    tlbi alle2
    dsb sy
    isb
    .macro translate op
    at \op, x21
    bl print
    .endm
    translate s1e1r
    translate s1e1w
    translate s1e0r
    translate s1e0w
    translate s12e1r
    translate s12e1w
    translate s12e0r
    translate s12e0w
    translate s1e2r
    translate s1e2w
    .if PAN2
    translate s1e1rp
    translate s1e1wp
    .endif
    // What became of the descriptors; they are zero for the next record.
3:  cbz x25, next
    ldp x5, x6, [x24], #16
    ldr x10, [x5]
    bl print10
    str xzr, [x5]
    sub x25, x25, #1
    b 3b

print:
    isb
    mrs x10, par_el1
print10:
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
