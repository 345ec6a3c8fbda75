// A function that two addresses reach, and one that is rewritten under another VMID; both return 1 as built.

        .cfi_sections .debug_frame
        .section .patch, "awx", %progbits

        .macro  function name, offset=0
        .balign 4096
        .space  \offset
        .global \name
        .type   \name, %function
\name:
        .cfi_startproc
        mov     w0, #1
        ret
        .cfi_endproc
        .size   \name, . - \name
        .endm

        function aliased
        function kept, 0x400                    // in a set that no other code needs
        .balign 4096

        .text
// void rewrite(u32 *code, u32 instruction, u32 *alias): maintenance by the first address, and by `alias` if there is one
        .global rewrite
        .type   rewrite, %function
rewrite:
        .cfi_startproc
        str     w1, [x0]
        dc      cvau, x0
        dsb     ish
        ic      ivau, x0
        cbz     x2, 1f
        ic      ivau, x2
1:      dsb     ish
        isb
        ret
        .cfi_endproc
        .size   rewrite, . - rewrite
