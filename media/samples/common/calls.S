// The calls that C cannot make: into firmware, into the semihosting host, and down to EL0.

        .cfi_sections .debug_frame
        .text
// u64 firmware_call(u64 function, u64 a, u64 b, u64 c)
        .global firmware_call
        .type   firmware_call, %function
firmware_call:
        .cfi_startproc
        adrp    x9, boot_el
        ldr     x9, [x9, :lo12:boot_el]
        cmp     x9, #1
        b.eq    1f
        smc     #0
        ret
1:      hvc     #0
        ret
        .cfi_endproc
        .size   firmware_call, . - firmware_call

// void semihosting_exit(u64 code)
        .global semihosting_exit
        .type   semihosting_exit, %function
semihosting_exit:
        .cfi_startproc
        sub     sp, sp, #16
        .cfi_adjust_cfa_offset 16
        mov     x2, #0x0026                     // ADP_Stopped_ApplicationExit
        movk    x2, #2, lsl #16
        stp     x2, x0, [sp]
        mov     x1, sp
        mov     w0, #0x18                       // SYS_EXIT
        hlt     #0xf000
1:      wfi
        b       1b
        .cfi_endproc
        .size   semihosting_exit, . - semihosting_exit

// void enter_el0(u64 pc, u64 sp)
        .global enter_el0
        .type   enter_el0, %function
enter_el0:
        .cfi_startproc
        msr     elr_el1, x0
        msr     sp_el0, x1
        msr     spsr_el1, xzr                   // EL0, all interrupts enabled
        mov     x29, #0
        mov     x30, #0
        eret
        .cfi_endproc
        .size   enter_el0, . - enter_el0
