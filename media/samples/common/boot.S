// From reset to main(): leaves EL3 or EL2 if the core was entered there, takes a stack, clears .bss.
// Nothing here uses the caches: the MMU is off, so all data goes straight to memory.

        .cfi_sections .debug_frame
        .equ    STACK_SIZE, 8192
        .equ    CORES, 8

        .section .text.start, "ax"
        .global _start
        .type   _start, %function
_start:
        .cfi_startproc
        .cfi_undefined x30
        mrs     x9, mpidr_el1                   // a machine without firmware may start every core here:
        and     x9, x9, #0xff                   // all but core 0 wait for ever
        cbnz    x9, park
        mov     x20, #0                         // x20: what secondary_start was given; core 0 gets nothing
        adr     x21, primary                    // x21: where to go on at EL1
        b       leave_higher_levels
        .cfi_endproc
        .size   _start, . - _start

        .global secondary_start
        .type   secondary_start, %function
secondary_start:
        .cfi_startproc
        .cfi_undefined x30
        mov     x20, x0                         // PSCI puts the context id of CPU_ON here
        adr     x21, secondary
        b       leave_higher_levels
        .cfi_endproc
        .size   secondary_start, . - secondary_start

        .type   leave_higher_levels, %function
leave_higher_levels:
        .cfi_startproc
        .cfi_undefined x30
        mrs     x19, CurrentEL
        lsr     x19, x19, #2                    // x19: the level we were entered at, kept in boot_el
        cmp     x19, #2
        b.lt    at_el1
        b.eq    at_el2

at_el3:
        adr     x9, monitor_vectors
        msr     vbar_el3, x9
        mov     x9, #0x531                      // SCR_EL3: RW, HCE, RES1, NS
        msr     scr_el3, x9
        mov     x9, #0                          // CPTR_EL3: nothing traps
        msr     cptr_el3, x9
        mrs     x9, id_aa64pfr0_el1
        ubfx    x9, x9, #8, #4                  // ID_AA64PFR0_EL1.EL2: is there an EL2 to go to?
        cbz     x9, 1f
        mov     x9, #0x3c9                      // SPSR: EL2 with its own stack pointer, DAIF masked
        msr     spsr_el3, x9
        adr     x9, at_el2
        msr     elr_el3, x9
        eret
1:      mov     x9, #0x3c5                      // SPSR: EL1 with its own stack pointer, DAIF masked
        msr     spsr_el3, x9
        adr     x9, at_el1
        msr     elr_el3, x9
        eret

at_el2:
        mov     x9, #(1 << 31)                  // HCR_EL2.RW: EL1 is AArch64, nothing is trapped, no stage 2
        msr     hcr_el2, x9
        mov     x9, #0x33ff                     // CPTR_EL2: RES1 only, nothing traps
        msr     cptr_el2, x9
        msr     hstr_el2, xzr
        msr     vttbr_el2, xzr
        mov     x9, #3                          // CNTHCTL_EL2: EL1 may use the physical counter and timer
        msr     cnthctl_el2, x9
        msr     cntvoff_el2, xzr
        mrs     x9, midr_el1
        msr     vpidr_el2, x9
        mrs     x9, mpidr_el1
        msr     vmpidr_el2, x9
        mov     x9, #0x3c5
        msr     spsr_el2, x9
        adr     x9, at_el1
        msr     elr_el2, x9
        eret

at_el1:
        ldr     x9, =0x30d00800                 // SCTLR_EL1: RES1 only, so MMU and caches off
        msr     sctlr_el1, x9
        adr     x9, vectors
        msr     vbar_el1, x9
        isb
        mrs     x9, mpidr_el1
        and     x9, x9, #0xff                   // Aff0 is the core number on this board
        adrp    x10, stacks
        add     x10, x10, :lo12:stacks
        mov     x11, #STACK_SIZE
        madd    x10, x9, x11, x10
        add     sp, x10, x11
        mov     x29, #0
        mov     x30, #0
        br      x21

primary:
        adrp    x9, bss_start
        add     x9, x9, :lo12:bss_start
        adrp    x10, bss_end
        add     x10, x10, :lo12:bss_end
1:      stp     xzr, xzr, [x9], #16
        cmp     x9, x10
        b.lo    1b
        adrp    x9, boot_el
        str     x19, [x9, :lo12:boot_el]
        bl      console_init
        bl      main
        mov     x0, #0
        b       end_run

secondary:
        mov     x0, x20
        bl      secondary_main
park:   wfi
        b       park
        .cfi_endproc
        .size   leave_higher_levels, . - leave_higher_levels

        .text
// What stands in for firmware when we were entered at EL3: PSCI SYSTEM_OFF ends the run, all else is refused.
        .balign 0x800
monitor_vectors:
        .rept   8
        b       .
        .balign 0x80
        .endr
        b       monitor_smc                     // synchronous, from a lower level in AArch64
        .balign 0x80
        .rept   7
        b       .
        .balign 0x80
        .endr

        .type   monitor_smc, %function
monitor_smc:
        .cfi_startproc
        .cfi_undefined x30
        mov     x9, #0x0008                     // PSCI SYSTEM_OFF, 0x84000008
        movk    x9, #0x8400, lsl #16
        cmp     x0, x9
        b.eq    1f
        mov     x0, #-1                         // NOT_SUPPORTED
        eret
1:      adrp    x1, monitor_exit_block
        add     x1, x1, :lo12:monitor_exit_block
        mov     w0, #0x18
        hlt     #0xf000
2:      wfi
        b       2b
        .cfi_endproc
        .size   monitor_smc, . - monitor_smc

        .section .rodata
        .balign 16
monitor_exit_block:
        .quad   0x20026, 0

        .data
        .balign 8
        .global boot_el
boot_el:
        .quad   0

        .section .bss.stacks, "aw", %nobits
        .balign 16
stacks:
        .space  STACK_SIZE * CORES
