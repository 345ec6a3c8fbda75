// el-tour, part 1: the levels above the kernel.
//
// The core starts here at the highest level the machine has been given (EL3, EL2 or EL1). Each level sets up what the
// one below needs and goes down by ERET; the way back up is always an exception, through that level's vectors. Set
// a breakpoint on `el2_entry` and use "step out to ERET" or "run to next EL change" to follow.
//
// EL3 and EL2 run with their MMUs off: their loads and stores go past the caches, straight to memory. They therefore
// share no variables with EL1, whose variables may be newer in its data cache; registers carry everything.

        .cfi_sections .debug_frame
        .equ    SPSR_EL1H, 0x3c5                // M[3:0] = EL1 with SP_EL1; D, A, I and F masked
        .equ    SPSR_EL2H, 0x3c9                // the same for EL2
        .equ    UART, 0x09000000
        .equ    PSCI_SYSTEM_OFF, 0x84000008

// Prints a constant string, keeping every register but x9 to x12.
        .macro  say text
        adr     x9, 7f
        b       8f
7:      .asciz  "\text"
        .balign 4
8:      mov     x10, #UART
9:      ldr     w11, [x10, #0x18]               // UARTFR
        tbnz    w11, #5, 9b                     // TXFF: wait while the transmit FIFO is full
        ldrb    w12, [x9], #1
        cbz     w12, 8f
        str     w12, [x10]                      // UARTDR
        b       9b
8:
        .endm

        .section .text.start, "ax"
        .global _start
        .type   _start, %function
_start:
        .cfi_startproc
        .cfi_undefined x30
        mrs     x9, mpidr_el1                   // a machine without firmware may start every core here:
        and     x9, x9, #0xff                   // all but core 0 wait for ever
0:      cbz     x9, 1f
        wfi
        b       0b
1:      mov     w9, #0x70                       // UARTLCR_H: 8 bits, FIFOs on
        mov     x10, #UART
        str     w9, [x10, #0x2c]
        mov     w9, #0x301                      // UARTCR: UART, transmitter and receiver on
        str     w9, [x10, #0x30]

        mrs     x19, CurrentEL
        ubfx    x19, x19, #2, #2                // x19: the level we were entered at
        cmp     x19, #2
        b.lt    el1_entry
        b.eq    el2_entry

// EL3, the monitor. It exists only when the machine has EL3 and no firmware of its own: then we are the firmware.
el3_entry:
        say     "[EL3] entered: going to EL2 by ERET\r\n"
        adr     x9, el3_vectors
        msr     vbar_el3, x9
        mov     x9, #0x531                      // SCR_EL3: RW (EL2 is AArch64), HCE (HVC works), RES1, NS
        msr     scr_el3, x9
        msr     cptr_el3, xzr
        mov     x10, #0x08000000                // the GIC's interrupts all belong to Group 1, the Non-secure one
        mov     w9, #-1
        str     w9, [x10, #0x80]                // GICD_IGROUPR0: SGIs and PPIs
        mov     x10, #0x08010000
        mov     w9, #0xff
        str     w9, [x10, #4]                   // GICC_PMR: let every priority through
        mrs     x9, id_aa64pfr0_el1
        ubfx    x9, x9, #8, #4
        mov     x10, #SPSR_EL2H
        adr     x11, el2_entry
        cbnz    x9, 1f
        mov     x10, #SPSR_EL1H                 // no EL2 in this machine
        adr     x11, el1_entry
1:      msr     spsr_el3, x10
        msr     elr_el3, x11
        eret

        .cfi_endproc
        .size   _start, . - _start

// EL2, the hypervisor.
        .global el2_entry
        .type   el2_entry, %function
el2_entry:
        .cfi_startproc
        .cfi_undefined x30
        say     "[EL2] entered: going to EL1 by ERET\r\n"
        adr     x9, el2_vectors
        msr     vbar_el2, x9
        adrp    x9, el2_stack_top
        add     sp, x9, :lo12:el2_stack_top
        mov     x9, #(1 << 31)                  // HCR_EL2.RW: EL1 is AArch64. No stage 2, no traps.
        msr     hcr_el2, x9
        mov     x9, #0x33ff
        msr     cptr_el2, x9
        msr     hstr_el2, xzr
        msr     vttbr_el2, xzr
        mov     x9, #3                          // CNTHCTL_EL2: counter and physical timer are EL1's
        msr     cnthctl_el2, x9
        msr     cntvoff_el2, xzr                // the virtual counter equals the physical one
        mrs     x9, midr_el1
        msr     vpidr_el2, x9
        mrs     x9, mpidr_el1
        msr     vmpidr_el2, x9
        mov     x9, #SPSR_EL1H
        msr     spsr_el2, x9
        adr     x9, el1_entry
        msr     elr_el2, x9
        eret

        .cfi_endproc
        .size   el2_entry, . - el2_entry

// EL1, the kernel: a stack and a clean .bss, then C (kernel.c).
        .global el1_entry
        .type   el1_entry, %function
el1_entry:
        .cfi_startproc
        .cfi_undefined x30
        say     "[EL1] entered\r\n"
        ldr     x9, =0x30d00800                 // SCTLR_EL1: RES1 only, so MMU and caches off
        msr     sctlr_el1, x9
        adr     x9, vectors
        msr     vbar_el1, x9
        isb
        adrp    x9, el1_stack_top
        add     sp, x9, :lo12:el1_stack_top
        adrp    x9, bss_start
        add     x9, x9, :lo12:bss_start
        adrp    x10, bss_end
        add     x10, x10, :lo12:bss_end
2:      stp     xzr, xzr, [x9], #16
        cmp     x9, x10
        b.lo    2b
        adrp    x9, boot_el
        str     x19, [x9, :lo12:boot_el]
        mov     x29, #0
        mov     x30, #0
        bl      main
        .cfi_endproc
        .size   el1_entry, . - el1_entry

// EL2's vectors. From EL1 come HVC (ours to answer) and nothing else, because HCR_EL2 traps nothing.
        .text
        .balign 0x800
el2_vectors:
        .rept   8
        b       .
        .balign 0x80
        .endr
        b       el2_sync_from_el1
        .balign 0x80
        .rept   7
        b       .
        .balign 0x80
        .endr

// x0 = a number from EL1; answers with twice the number. All other registers come back as they were.
        .global el2_sync_from_el1
        .type   el2_sync_from_el1, %function
el2_sync_from_el1:
        .cfi_startproc
        .cfi_signal_frame
        .cfi_return_column 33
        .cfi_same_value 33
        stp     x9, x10, [sp, #-32]!
        .cfi_adjust_cfa_offset 32
        stp     x11, x12, [sp, #16]
        .cfi_offset x9, -32
        .cfi_offset x10, -24
        .cfi_offset x11, -16
        .cfi_offset x12, -8
        mrs     x9, esr_el2
        lsr     x10, x9, #26                    // ESR_EL2.EC
        cmp     x10, #0x16                      // HVC from AArch64
        b.ne    1f
        lsl     x0, x0, #1
        say     "[EL2] HVC taken from EL1: answering, then back by ERET\r\n"
        b       2f
1:      say     "[EL2] an exception that this hypervisor does not know\r\n"
        mov     x0, #-1
2:      ldp     x11, x12, [sp, #16]
        ldp     x9, x10, [sp], #32
        .cfi_adjust_cfa_offset -32
        eret                                    // ELR_EL2 is already the instruction after the HVC
        .cfi_endproc
        .size   el2_sync_from_el1, . - el2_sync_from_el1

// EL3's vectors: SMC from below. PSCI SYSTEM_OFF ends the run, all else is refused.
        .balign 0x800
el3_vectors:
        .rept   8
        b       .
        .balign 0x80
        .endr
        b       el3_sync_from_below
        .balign 0x80
        .rept   7
        b       .
        .balign 0x80
        .endr

        .type   el3_sync_from_below, %function
el3_sync_from_below:
        .cfi_startproc
        .cfi_undefined x30
        ldr     w9, =PSCI_SYSTEM_OFF
        cmp     w0, w9
        b.eq    1f
        mov     x0, #-1                         // NOT_SUPPORTED
        eret
1:      say     "[EL3] SMC: PSCI SYSTEM_OFF\r\n"
        adr     x1, exit_block
        mov     w0, #0x18                       // semihosting SYS_EXIT
        hlt     #0xf000
2:      wfi
        b       2b
        .cfi_endproc
        .size   el3_sync_from_below, . - el3_sync_from_below
        .balign 8
exit_block:
        .quad   0x20026, 0                      // ADP_Stopped_ApplicationExit, code 0

        .text
// u64 hvc_double(u64 number): asks the hypervisor.
        .global hvc_double
        .type   hvc_double, %function
hvc_double:
        .cfi_startproc
        hvc     #7
        ret
        .cfi_endproc
        .size   hvc_double, . - hvc_double

        .data
        .balign 8
        .global boot_el
boot_el:
        .quad   0

        .bss
        .balign 4096
        .space  4096
el2_stack_top:
        .space  4096
el1_stack_top:
