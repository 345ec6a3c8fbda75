/*
 * kvm-ccsidr: what a guest sees of the caches, before and after it moved to a core with other ones.
 *
 * A vCPU reads CLIDR_EL1 and CCSIDR_EL1, goes to the last physical core, and reads them again. A kernel that kept the first
 * values for its loops by set and way would now miss sets. Then EL0 reads CTR_EL0 a thousand times, to see what that costs.
 */
#include "../common/hypercalls.h"

#ifndef FAR_CORE
#define FAR_CORE 1
#endif

enum { READS = 1000 };

extern void user_main(void);
static u64 started;

static u64 ccsidr(u64 selector) {
  write_sysreg(csselr_el1, selector);
  isb();
  return read_sysreg(ccsidr_el1);
}

static void speak(void) {
  print("core %lu: CTR_EL0 0x%lx CLIDR_EL1 0x%lx CCSIDR_EL1 L1D 0x%lx L1I 0x%lx L2 0x%lx\n", hypercall(CALL_CORE, 0),
        read_sysreg(ctr_el0), read_sysreg(clidr_el1), ccsidr(0), ccsidr(1), ccsidr(2));
}

void exception(struct frame *frame, u64 vector) {
  if (vector != VECTOR_FROM_EL0 + VECTOR_SYNC) unexpected_exception(frame, vector);
  u64 ticks = read_sysreg(cntvct_el0) - started;
  print("EL0 read CTR_EL0 %u times: 0x%lx, %lu ticks in all\n", READS, frame->x[0], ticks);
  end_run(0);
}

void main(void) {
  static u8 stack[4096] __attribute__((section(".bss.user_code"), aligned(16)));
  mmu_build();
  mmu_enable(SCTLR_UCT);
  speak();
  if (hypercall(CALL_MIGRATE, FAR_CORE) == 0) speak();
  isb();
  started = read_sysreg(cntvct_el0);
  enter_el0((u64)user_main, (u64)(stack + sizeof stack));
}
