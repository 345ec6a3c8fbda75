/* The part of kvm-ccsidr that runs at EL0. */
#include "../common/runtime.h"

void user_main(void) {
  u64 ctr = 0;
  for (u32 i = 0; i < 1000; i++) ctr = read_sysreg(ctr_el0);
  register u64 x0 __asm__("x0") = ctr;
  __asm__ volatile("svc #0" ::"r"(x0) : "memory");
  __builtin_unreachable();
}
