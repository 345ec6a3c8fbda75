// The five ways to rewrite a function. Each routine takes x0 = address of the function that follows it and
// w1 = the new first instruction, stores it, does its maintenance, and falls into the function.
//
// The function begins on a line of its own (128 bytes, enough for any machine here); the routine ends exactly where
// that line begins. So the store touches no line that is being executed.

        .cfi_sections .debug_frame
        .section .patch, "awx", %progbits

        .macro  function name
        .global \name
        .type   \name, %function
\name:
        .cfi_startproc
        .endm

        .macro  end name
        .cfi_endproc
        .size   \name, . - \name
        .endm

// Nothing missing: the order that the architecture asks for.
        .balign 128
        .space  128 - 6 * 4
        function rewrite_full
        str     w1, [x0]
        dc      cvau, x0                        // 1. write the new instruction out to the point of unification
        dsb     ish                             // 2. ... and wait until it is there
        ic      ivau, x0                        // 3. throw the old line out of every instruction cache
        dsb     ish                             // 4. ... and wait until that is done
        isb                                     // 5. forget what was fetched before
        end     rewrite_full
        function answer_full
        mov     w0, #1
        ret
        end     answer_full

// DC CVAU is missing: the instruction cache is refilled from below the data cache, where the old bytes still are.
        .balign 128
        .space  128 - 5 * 4
        function rewrite_no_dc
        str     w1, [x0]
        dsb     ish
        ic      ivau, x0
        dsb     ish
        isb
        end     rewrite_no_dc
        function answer_no_dc
        mov     w0, #1
        ret
        end     answer_no_dc

// IC IVAU is missing: the new bytes are in memory, but the instruction cache still has its copy of the old line.
        .balign 128
        .space  128 - 4 * 4
        function rewrite_no_ic
        str     w1, [x0]
        dc      cvau, x0
        dsb     ish
        isb
        end     rewrite_no_ic
        function answer_no_ic
        mov     w0, #1
        ret
        end     answer_no_ic

// Both are missing.
        .balign 128
        .space  128 - 3 * 4
        function rewrite_neither
        str     w1, [x0]
        dsb     ish
        isb
        end     rewrite_neither
        function answer_neither
        mov     w0, #1
        ret
        end     answer_neither

// ISB is missing: the caches are right, but the core may have fetched the old instruction before the store. Here the
// function follows in the same line, so that a core which fetches a few instructions ahead has done just that.
        .balign 128
        function rewrite_no_isb
        str     w1, [x0]
        dc      cvau, x0
        dsb     ish
        ic      ivau, x0
        dsb     ish
        end     rewrite_no_isb
        function answer_no_isb
        mov     w0, #1
        ret
        end     answer_no_isb
        .balign 128
