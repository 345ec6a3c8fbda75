// Makes the calls of a table, with HVC at EL1 or SMC at EL2, and prints what each left in X0 as a line of 16 digits.
// A call's row: X0 to X3. Core 1, once started, writes what it was started with to memory and stops with CPU_OFF.
    .global _start
_start:
    ldr x19, =calls
    ldr x20, =calls_end
    ldr x21, =0x09000000
    mrs x22, CurrentEL
next:
    cmp x19, x20
    b.hs off
    ldp x0, x1, [x19], #16
    ldp x2, x3, [x19], #16
    mov x23, x0
    mov x24, x1
    bl conduit
    bl print
    // A core that was started is on before the next call.
    cbnz x0, next
    movz x1, #3
    movk x1, #0xc400, lsl #16
    cmp x23, x1
    b.ne next
wait:
    movz x0, #4
    movk x0, #0xc400, lsl #16
    mov x1, x24
    mov x2, #0
    bl conduit
    cbnz x0, wait
    b next
off:
    movz x0, #8
    movk x0, #0x8400, lsl #16
    bl conduit
    b .

conduit:
    cmp x22, #8
    b.eq 1f
    hvc #0
    ret
1:  smc #0
    ret

print:
    mov x4, #60
1:  lsr x5, x0, x4
    and x5, x5, #15
    add x6, x5, #'0'
    cmp x5, #9
    b.ls 2f
    add x6, x5, #'a' - 10
2:  str w6, [x21]
    subs x4, x4, #4
    b.pl 1b
    mov w6, #'\n'
    str w6, [x21]
    ret

// Core 1: waits for ever, so that it stays on.
    .global second
second:
    wfe
    b second

    .balign 16
calls:
    .quad CALLS
calls_end:
