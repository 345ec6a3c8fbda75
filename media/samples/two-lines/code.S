// Four functions u32 sum(u32 start), one for each round: 64 times ADD w0, w0, #1, which the patcher turns into
// ADD w0, w0, #2. Each begins on a line of its own, and so does its RET.

        .cfi_sections .debug_frame
        .section .patch, "awx", %progbits

        .macro  sum name
        .balign 256
        .global \name
        .type   \name, %function
\name:
        .cfi_startproc
        .rept   64
        add     w0, w0, #1
        .endr
        ret
        .cfi_endproc
        .size   \name, . - \name
        .endm

        sum     sum_a
        sum     sum_b
        sum     sum_c
        sum     sum_d
        .balign 256
