/*
 * kvm-soft-lockup: a guest reads a large block of memory, then executes in it.
 *
 * The read maps the whole block at stage 2, without execute permission; the first fetch adds it, and a host whose cores need
 * instruction cache maintenance has to invalidate for all of the block. Four functions in the block are written by different hands
 * at different times, to see which of them the host's maintenance covers.
 */
#include "../common/hypercalls.h"

#define BLOCK 0x80000000ul
#define MOV_W0_1 0x52800020u
#define MOV_W0_2 0x52800040u
#define RET 0xd65f03c0u

enum { LINE = 256 };
enum { BEFORE, BETWEEN, CLEANED, UNCLEANED, FUNCTIONS };

static u64 place(u64 function) { return BLOCK + 0x1000 + function * LINE; }

static u32 call(u64 function) { return ((u32(*)(void))place(function))(); }

void main(void) {
  mmu_build();
  mmu_map(BLOCK, BLOCK + 0x2000, KERNEL_PATCH);
  mmu_enable(0);
  /* The block as it came from the host: functions that return 1, wholly in memory. */
  for (u64 i = 0; i < FUNCTIONS; i++) {
    vmm(VMM_WRITE, place(i), MOV_W0_1, CLEAN_TO_POC, 0);
    vmm(VMM_WRITE, place(i) + 4, RET, CLEAN_TO_POC, 0);
  }
  vmm(VMM_WRITE, place(BEFORE), MOV_W0_2, NO_CLEANING, 0);
  print("read %x\n", *(volatile u32 *)place(FUNCTIONS));
  vmm(VMM_WRITE, place(BETWEEN), MOV_W0_2, NO_CLEANING, 0);
  *(volatile u32 *)place(CLEANED) = MOV_W0_2;
  __asm__ volatile("dc cvau, %0; dsb ish" ::"r"(place(CLEANED)) : "memory");
  *(volatile u32 *)place(UNCLEANED) = MOV_W0_2;
  isb();
  u64 started = read_sysreg(cntvct_el0);
  u32 got = call(BEFORE);
  u64 ticks = read_sysreg(cntvct_el0) - started;
  print("written by the host before the first fault: %u\n", got);
  print("written by the host between the faults: %u\n", call(BETWEEN));
  print("written by the guest, cleaned: %u\n", call(CLEANED));
  print("written by the guest, not cleaned: %u\n", call(UNCLEANED));
  print("the first call took %lu ticks\n", ticks);
}
