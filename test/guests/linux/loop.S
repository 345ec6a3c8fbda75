/*
 * An EL0 program for Linux that executes a known number of instructions (linuxPerf.slow.test.ts has it): six outside of the
 * loops, three in each of a million rounds, and four in each of the rounds that store to a new page, where it faults.
 */
  .equ ROUNDS, 1000000
  .equ PAGES, 64
  .global _start
_start:
  ldr x1, =ROUNDS
1:
  add x2, x2, #1
  subs x1, x1, #1
  b.ne 1b
  adrp x3, pages
  mov x1, #PAGES
2:
  str x1, [x3]
  add x3, x3, #4096
  subs x1, x1, #1
  b.ne 2b
  mov x0, #0
  mov x8, #93 // exit
  svc #0

  .bss
  .balign 4096
pages:
  .skip 4096 * PAGES
