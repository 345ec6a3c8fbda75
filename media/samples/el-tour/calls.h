/* What EL0 (user.c) and EL1 (kernel.c) know of each other: system call numbers in x8, and EL0's memory that EL1 uses. */
#pragma once

enum { CALL_PRINT = 1, CALL_DOUBLE = 2, CALL_TIMER = 3, CALL_EXIT = 4 };

extern unsigned user_ticks;                /* counted up by the kernel at each timer interrupt */
extern unsigned char user_lazy_page[4096]; /* not mapped until it is touched */
extern unsigned char user_stack[4096];
