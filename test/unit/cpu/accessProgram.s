// Executes one instruction after the other at a level and prints those that are not UNDEFINED: index and ESR_ELx of the
// exception, 0 for none. Starts at EL2 (QEMU virt, virtualization=on). accesses.inc has, for each instruction, the word
// between `str xzr, [x20]` and `add x20, x20, #8`; setup.inc sets controls. E2H: it sets HCR_EL2.E2H.
    .include "program.inc"
    .global _start
_start:
    ldr x0, =vectors
    msr vbar_el2, x0
    msr vbar_el1, x0
    mov x21, x0
    ldr x20, =0x50000000
    ldr x2, =0x60000000         // what operations work on
    mov x0, #1
    lsl x0, x0, #31
    msr hcr_el2, x0
    .include "setup.inc"
    ldr x0, =START_MODE
    msr spsr_el2, x0
    ldr x0, =begin
    msr elr_el2, x0
    isb
    eret
begin:
    .include "accesses.inc"
    .if START_MODE == 0x3c0
    svc #0
    .else
    hvc #0
    .endif

    .balign 2048
vectors:
    .rept 16
    b sort
    .balign 128
    .endr
// EL1 hands everything on: its own syndrome may be out of its reach. HVC #0 ends the program, HVC #1 is the vector of EL1.
sort:
    mrs x15, CurrentEL
    cmp x15, #8
    b.eq 2f
    hvc #1
fromEl1:
    eret
2:  mrs x15, esr_el2
    ldr x16, =0x5a000000
    cmp x15, x16
    b.eq print
    add x16, x16, #1
    cmp x15, x16
    b.eq 3f
    lsr x16, x15, #26
    cmp x16, #0x15              // SVC at the end, of a host's EL0
    b.eq print
    str x15, [x20]
    mrs x15, elr_el2
    add x15, x15, #4
    msr elr_el2, x15
    eret
3:
    .if E2H
    mrs x15, S3_5_C5_C2_0       // ESR_EL12
    .else
    mrs x15, esr_el1
    .endif
    lsr x16, x15, #26
    cmp x16, #0x15              // SVC at the end
    b.eq print
    str x15, [x20]
    .if E2H
    mrs x15, S3_5_C4_C0_1       // ELR_EL12
    add x15, x15, #4
    msr S3_5_C4_C0_1, x15
    .else
    mrs x15, elr_el1
    add x15, x15, #4
    msr elr_el1, x15
    .endif
    ldr x15, =fromEl1
    msr elr_el2, x15
    eret
print:
    ldr x19, =0x50000000
    mov x28, #0x09000000
    mov x27, #0
4:  cmp x19, x20
    b.hs 9f
    ldr x10, [x19], #8
    lsr x11, x10, #26
    cbnz x10, 5f
    b 6f
5:  cbz x11, 7f
6:  lsl x14, x10, #32
    orr x10, x14, x27
    print_word
7:  add x27, x27, #1
    b 4b
9:  end_run
    exit_block
