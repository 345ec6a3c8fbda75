/*
 * kvm-isolation: two vCPUs of one VM share a physical core, and its instruction cache.
 *
 * vCPU 0 has its MMU and caches on. It rewrites a function with all the maintenance that the architecture asks for, and does
 * not run it yet. vCPU 1, with its MMU off, runs it first: it fetches past the caches, from where the old bytes still are, and
 * the line stays in the instruction cache. Then vCPU 0 runs what it wrote.
 */
#include "../common/hypercalls.h"

#define MOV_W0_2 0x52800040u

extern u32 answer(void);
extern void rewrite(u32 *code, u32 instruction);

void secondary_main(u64 argument) {
  (void)argument;
  u32 got = answer();
  print("vCPU 1, MMU off: the function returns %u\n", got);
  for (;;) hypercall(CALL_YIELD, 0);
}

void main(void) {
  mmu_build();
  mmu_enable(0);
  print("vCPU 0: the function returns %u\n", answer());
  rewrite((u32 *)answer, MOV_W0_2);
  print("vCPU 0: rewritten, cleaned, invalidated\n");
  if (start_core(1, 0) != 0) print("vCPU 1 does not start\n");
  hypercall(CALL_YIELD, 0);
  u32 got = answer();
  print("vCPU 0: the function returns %u%s\n", got, got == 2 ? "" : ": a line of vCPU 1");
}
