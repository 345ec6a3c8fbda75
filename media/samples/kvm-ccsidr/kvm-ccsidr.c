/*
 * kvm-ccsidr: what a guest sees of the caches, before and after it moved to a core with other ones, and what its VMM can restore.
 *
 * A vCPU reads CLIDR_EL1 and CCSIDR_EL1; its VMM saves what one-reg gives for them. The vCPU goes to the last physical core and
 * reads them again: a kernel that kept the first values for its loops by set and way would now miss sets. The VMM restores what it
 * saved, as one does that starts a saved machine there, and tries values that it should not. Then EL0 reads CTR_EL0 a thousand
 * times, to see what that costs.
 */
#include "../common/hypercalls.h"

#ifndef FAR_CORE
#define FAR_CORE 1
#endif

enum { READS = 1000, CACHES = 3 };

extern void user_main(void);
static u64 started;
static const char *const names[CACHES] = {"L1D", "L1I", "L2"};
/* What kernels before v6.3 save on core 0 of the m2-like preset: the hardware's values, with bits 31:28 that mean nothing. */
static const u64 older[CACHES] = {0x700fe03a, 0x203fe01a, 0x70ffe07b};

static u64 ccsidr(u64 selector) {
  write_sysreg(csselr_el1, selector);
  isb();
  return read_sysreg(ccsidr_el1);
}

static void speak(void) {
  print("core %lu: CTR_EL0 0x%lx CLIDR_EL1 0x%lx CCSIDR_EL1 L1D 0x%lx L1I 0x%lx L2 0x%lx\n", hypercall(CALL_CORE, 0),
        read_sysreg(ctr_el0), read_sysreg(clidr_el1), ccsidr(0), ccsidr(1), ccsidr(2));
}

static void restore(const char *whose, const u64 *saved) {
  for (u64 i = 0; i < CACHES; i++)
    print("VMM restores %s %s 0x%lx: %s\n", whose, names[i], saved[i],
          errno_name(vmm(VMM_SET_ONE_REG, REG_CCSIDR(i), saved[i], 0, 0)));
  print("the guest then reads %s L1D 0x%lx L1I 0x%lx L2 0x%lx\n", whose, ccsidr(0), ccsidr(1), ccsidr(2));
}

static void set(const char *what, u64 id, u64 value) {
  print("VMM sets %s, 0x%lx: %s\n", what, value, errno_name(vmm(VMM_SET_ONE_REG, id, value, 0, 0)));
}

static void try_values(void) {
  u64 clidr = 0, ctr = 0;
  vmm(VMM_GET_ONE_REG, REG_CLIDR, 0, 0, &clidr);
  vmm(VMM_GET_ONE_REG, REG_CTR, 0, 0, &ctr);
  set("CCSIDR_EL1 with 32-byte lines", REG_CCSIDR(0), 1);
  set("CCSIDR_EL1 of an eighth level", REG_CCSIDR(14), 2);
  set("CLIDR_EL1 as it is", REG_CLIDR, clidr);
  set("CLIDR_EL1 with a reserved bit", REG_CLIDR, clidr | 1ul << 63);
  set("CLIDR_EL1 without unification", REG_CLIDR, clidr & ~(7ul << 21 | 7ul << 27));
  set("CTR_EL0 as it is", REG_CTR, ctr);
  set("CTR_EL0 with 32-byte I-lines", REG_CTR, (ctr & ~15ul) | 3);
}

void exception(struct frame *frame, u64 vector) {
  if (vector != VECTOR_FROM_EL0 + VECTOR_SYNC) unexpected_exception(frame, vector);
  u64 ticks = read_sysreg(cntvct_el0) - started;
  print("EL0 read CTR_EL0 %u times: 0x%lx, %lu ticks in all\n", READS, frame->x[0], ticks);
  end_run(0);
}

void main(void) {
  static u8 stack[4096] __attribute__((section(".bss.user_code"), aligned(16)));
  u64 saved[CACHES] = {0, 0, 0};
  mmu_build();
  mmu_enable(SCTLR_UCT);
  speak();
  for (u64 i = 0; i < CACHES; i++) vmm(VMM_GET_ONE_REG, REG_CCSIDR(i), 0, 0, &saved[i]);
  if (hypercall(CALL_MIGRATE, FAR_CORE) == 0) speak();
  restore("its own", saved);
  try_values();
  restore("an older kernel's", older);
  isb();
  started = read_sysreg(cntvct_el0);
  enter_el0((u64)user_main, (u64)(stack + sizeof stack));
}
