// Functions that are rewritten, each on a line of its own, and what rewrites them. All return 1 as built.

        .cfi_sections .debug_frame
        .section .patch, "awx", %progbits

        .macro  function name, align=128
        .balign \align
        .global \name
        .type   \name, %function
\name:
        .cfi_startproc
        mov     w0, #1
        ret
        .cfi_endproc
        .size   \name, . - \name
        .endm

        function answer, 4096                   // a page that vCPU 0 executes
        function answer_cached
        function vmm_plain
        function vmm_clear_cache
        function vmm_to_poc
        function answer_fresh, 4096             // a page that vCPU 0 writes and does not execute
        function unused, 4096                   // a page that nobody touches before vCPU 1
        function vmm_fresh

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
