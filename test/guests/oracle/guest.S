// What runs in the virtual machine: operations that the monitor asks for, one after the other. x20 is a device that is not there:
// operation and operand are read from it, the result and what became of the instruction are written to it. MMU off.
    .global guestStart, guestEnd
    .section .rodata
    .balign 2048
guestStart:
    mov x20, #0x09000000
    adr x1, vectors
    msr vbar_el1, x1
    isb
next:
    ldr w1, [x20]
    ldr x2, [x20, #8]
    mov x0, #0x5a5a             // stays where an instruction gives no value
    mov x3, #0                  // else the exception class, plus 1
    adr x4, operations
    add x4, x4, x1, lsl #4
    blr x4
    str x0, [x20, #16]
    str x3, [x20, #24]
    b next

    .macro operation instruction:vararg
    .balign 16
    \instruction
    isb
    ret
    .endm
    .balign 16
operations:                     // numbered in asked.ts
    operation mrs x0, ctr_el0
    operation mrs x0, clidr_el1
    operation mrs x0, csselr_el1
    operation msr csselr_el1, x2
    operation mrs x0, s3_1_c0_c0_0      // CCSIDR_EL1
    operation msr s3_1_c0_c0_0, x2
    operation mrs x0, s3_1_c0_c0_2      // CCSIDR2_EL1
    operation mrs x0, s3_0_c0_c7_2      // ID_AA64MMFR2_EL1

    .balign 2048
vectors:
    .space 0x200
    mrs x3, esr_el1
    lsr x3, x3, #26
    add x3, x3, #1
    mrs x5, elr_el1
    add x5, x5, #4
    msr elr_el1, x5
    eret
guestEnd:
