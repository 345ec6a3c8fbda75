// The function that is rewritten, on a line of its own, and what rewrites it.

        .cfi_sections .debug_frame
        .section .patch, "awx", %progbits
        .balign 128
        .global answer
        .type   answer, %function
answer:
        .cfi_startproc
        mov     w0, #1
        ret
        .cfi_endproc
        .size   answer, . - answer

        .text
// void rewrite(u32 *code, u32 instruction)
        .global rewrite
        .type   rewrite, %function
rewrite:
        .cfi_startproc
        str     w1, [x0]
        dc      cvau, x0                        // to the point of unification, and no further
        dsb     ish
        ic      ivau, x0
        dsb     ish
        isb
        ret
        .cfi_endproc
        .size   rewrite, . - rewrite
