// EL1's exception vectors: all sixteen save a struct frame on EL1's stack and call exception(frame, vector).
// The call frame information says where each register of the interrupted code is, so a debugger can unwind
// through the exception: the return address column is ELR_mode (33), as the AArch64 DWARF ABI numbers it.

        .cfi_sections .debug_frame
        .equ    FRAME_SIZE, 34 * 8

        .text
        .balign 0x800
        .global vectors
        .type   vectors, %function
vectors:
        .set    number, 0
        .rept   16
        .balign 0x80
        sub     sp, sp, #FRAME_SIZE
        stp     x0, x1, [sp, #0]
        mov     x1, #number
        b       save_and_call
        .set    number, number + 1
        .endr
        .balign 0x80
        .size   vectors, . - vectors

        .type   save_and_call, %function
save_and_call:
        .cfi_startproc
        .cfi_signal_frame
        .cfi_return_column 33
        .cfi_def_cfa sp, FRAME_SIZE
        .cfi_offset x0, -FRAME_SIZE
        .cfi_offset x1, 8 - FRAME_SIZE
        stp     x2, x3, [sp, #16]
        .cfi_offset x2, 16 - FRAME_SIZE
        .cfi_offset x3, 24 - FRAME_SIZE
        stp     x4, x5, [sp, #32]
        .cfi_offset x4, 32 - FRAME_SIZE
        .cfi_offset x5, 40 - FRAME_SIZE
        stp     x6, x7, [sp, #48]
        .cfi_offset x6, 48 - FRAME_SIZE
        .cfi_offset x7, 56 - FRAME_SIZE
        stp     x8, x9, [sp, #64]
        .cfi_offset x8, 64 - FRAME_SIZE
        .cfi_offset x9, 72 - FRAME_SIZE
        stp     x10, x11, [sp, #80]
        .cfi_offset x10, 80 - FRAME_SIZE
        .cfi_offset x11, 88 - FRAME_SIZE
        stp     x12, x13, [sp, #96]
        .cfi_offset x12, 96 - FRAME_SIZE
        .cfi_offset x13, 104 - FRAME_SIZE
        stp     x14, x15, [sp, #112]
        .cfi_offset x14, 112 - FRAME_SIZE
        .cfi_offset x15, 120 - FRAME_SIZE
        stp     x16, x17, [sp, #128]
        .cfi_offset x16, 128 - FRAME_SIZE
        .cfi_offset x17, 136 - FRAME_SIZE
        stp     x18, x19, [sp, #144]
        .cfi_offset x18, 144 - FRAME_SIZE
        .cfi_offset x19, 152 - FRAME_SIZE
        stp     x20, x21, [sp, #160]
        .cfi_offset x20, 160 - FRAME_SIZE
        .cfi_offset x21, 168 - FRAME_SIZE
        stp     x22, x23, [sp, #176]
        .cfi_offset x22, 176 - FRAME_SIZE
        .cfi_offset x23, 184 - FRAME_SIZE
        stp     x24, x25, [sp, #192]
        .cfi_offset x24, 192 - FRAME_SIZE
        .cfi_offset x25, 200 - FRAME_SIZE
        stp     x26, x27, [sp, #208]
        .cfi_offset x26, 208 - FRAME_SIZE
        .cfi_offset x27, 216 - FRAME_SIZE
        stp     x28, x29, [sp, #224]
        .cfi_offset x28, 224 - FRAME_SIZE
        .cfi_offset x29, 232 - FRAME_SIZE
        mrs     x2, sp_el0
        stp     x30, x2, [sp, #240]
        .cfi_offset x30, 240 - FRAME_SIZE
        mrs     x2, elr_el1
        mrs     x3, spsr_el1
        stp     x2, x3, [sp, #256]
        .cfi_offset 33, 256 - FRAME_SIZE
        mov     x0, sp
        mov     x29, #0
        bl      exception

        ldp     x2, x3, [sp, #256]
        msr     elr_el1, x2
        msr     spsr_el1, x3
        ldp     x30, x2, [sp, #240]
        msr     sp_el0, x2
        ldp     x28, x29, [sp, #224]
        ldp     x26, x27, [sp, #208]
        ldp     x24, x25, [sp, #192]
        ldp     x22, x23, [sp, #176]
        ldp     x20, x21, [sp, #160]
        ldp     x18, x19, [sp, #144]
        ldp     x16, x17, [sp, #128]
        ldp     x14, x15, [sp, #112]
        ldp     x12, x13, [sp, #96]
        ldp     x10, x11, [sp, #80]
        ldp     x8, x9, [sp, #64]
        ldp     x6, x7, [sp, #48]
        ldp     x4, x5, [sp, #32]
        ldp     x2, x3, [sp, #16]
        ldp     x0, x1, [sp], #FRAME_SIZE
        eret
        .cfi_endproc
        .size   save_and_call, . - save_and_call
