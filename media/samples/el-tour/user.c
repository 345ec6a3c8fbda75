/*
 * el-tour, part 3: the program at EL0. It can do nothing by itself but compute; every call below leaves EL0 by SVC
 * and comes back to the next instruction by ERET.
 */
#include "runtime.h"
#include "calls.h"

u32 user_ticks;
u8 user_lazy_page[4096] __attribute__((aligned(4096)));
u8 user_stack[4096] __attribute__((aligned(16)));

static u64 call(u64 number, u64 argument) {
  register u64 x8 __asm__("x8") = number;
  register u64 x0 __asm__("x0") = argument;
  __asm__ volatile("svc #0" : "+r"(x0) : "r"(x8) : "memory");
  return x0;
}

static void say(const char *text) { call(CALL_PRINT, (u64)text); }

void user_main(void) {
  say("[EL0] hello, by SVC\n");

  u64 doubled = call(CALL_DOUBLE, 21);
  say(doubled == 42 ? "[EL0] 21 doubled is 42\n" : "[EL0] 21 doubled is wrong\n");

  say("[EL0] touching a page that is not mapped\n");
  volatile u32 *page = (volatile u32 *)user_lazy_page;
  page[3] = 7;
  say(page[3] == 7 ? "[EL0] the page holds what was written\n" : "[EL0] the page is wrong\n");

  say("[EL0] asking for a timer interrupt, then spinning\n");
  call(CALL_TIMER, 1000);
  while (*(volatile u32 *)&user_ticks == 0) {
  }
  say("[EL0] the tick has arrived\n");

  call(CALL_EXIT, doubled == 42 && page[3] == 7 ? 0 : 1);
  for (;;) {
  }
}
