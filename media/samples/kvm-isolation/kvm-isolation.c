/*
 * kvm-isolation: two vCPUs of one VM share a physical core, and its instruction cache.
 *
 * vCPU 0 has its MMU and caches on. It rewrites functions with all the maintenance that the architecture asks for, and does not
 * run them yet. vCPU 1, with its MMU off, runs them first: it fetches past the caches, from where the old bytes still are, and the
 * lines stay in the instruction cache. Then vCPU 0 runs what it wrote.
 *
 * Before that the VMM writes code too, as one does that loads a program or sets a breakpoint, and cleans it or does not.
 */
#include "../common/hypercalls.h"

#define MOV_W0_2 0x52800040u

typedef u32 function(void);
extern function answer, answer_cached, answer_fresh, vmm_plain, vmm_clear_cache, vmm_to_poc, vmm_fresh;
extern void rewrite(u32 *code, u32 instruction);

static void with_icache(u64 on) {
  u64 sctlr = read_sysreg(sctlr_el1) & ~(1ul << 12);
  write_sysreg(sctlr_el1, sctlr | on << 12);
  isb();
}

static void say(const char *who, const char *what, function *code) { print("%s: %s returns %u\n", who, what, code()); }

void secondary_main(u64 argument) {
  (void)argument;
  static const char who[] = "vCPU 1, MMU off";
  say(who, "the function", answer);
  with_icache(1);
  say(who, "with SCTLR_EL1.I, the function", answer_cached);
  with_icache(0);
  say(who, "on a page that was not executed, the function", answer_fresh);
  say(who, "written by the VMM, not cleaned, the function", vmm_plain);
  say(who, "written by the VMM, with clear_cache, the function", vmm_clear_cache);
  say(who, "written by the VMM, cleaned to the PoC, the function", vmm_to_poc);
  say(who, "written by the VMM on a page that was not mapped, the function", vmm_fresh);
  for (;;) hypercall(CALL_YIELD, 0);
}

static void result(const char *what, function *code) {
  u32 got = code();
  print("vCPU 0: %s returns %u%s\n", what, got, got == 2 ? "" : ": a line of vCPU 1");
}

void main(void) {
  static function *const own[] = {answer, answer_cached, answer_fresh};
  mmu_build();
  mmu_enable(0);
  print("vCPU 0: the function returns %u\n", answer());
  answer_cached();
  for (u64 i = 0; i < sizeof own / sizeof *own; i++) rewrite((u32 *)own[i], MOV_W0_2);
  print("vCPU 0: rewritten, cleaned, invalidated\n");
  vmm(VMM_WRITE, (u64)vmm_plain, MOV_W0_2, NO_CLEANING, 0);
  vmm(VMM_WRITE, (u64)vmm_clear_cache, MOV_W0_2, CLEAR_CACHE, 0);
  vmm(VMM_WRITE, (u64)vmm_to_poc, MOV_W0_2, CLEAN_TO_POC, 0);
  vmm(VMM_WRITE, (u64)vmm_fresh, MOV_W0_2, NO_CLEANING, 0);
  if (start_core(1, 0) != 0) print("vCPU 1 does not start\n");
  hypercall(CALL_YIELD, 0);
  result("with SCTLR_EL1.I, the function", answer_cached);
  result("on a page that was not executed, the function", answer_fresh);
  result("the function", answer);
}
