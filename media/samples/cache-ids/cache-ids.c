/*
 * cache-ids: every core says what its own cache ID registers hold.
 *
 * CTR_EL0 is one register for all caches. CLIDR_EL1 says which caches there are; CCSIDR_EL1 describes the one that
 * CSSELR_EL1 selects, which takes an ISB in between. Cores of one machine may differ in all of them.
 */
#include "runtime.h"

enum { CORES = 8, LEVELS = 7 };
enum cache_type { NONE = 0, INSTRUCTION = 1, DATA = 2, SEPARATE = 3, UNIFIED = 4 };

static u32 said; /* cores that have spoken */

static u64 ccsidr(u32 level, u32 instruction) {
  write_sysreg(csselr_el1, (level - 1) << 1 | instruction);
  isb();
  return read_sysreg(ccsidr_el1);
}

static void cache(u32 level, u32 instruction, const char *name) {
  u64 value = ccsidr(level, instruction);
  /* ID_AA64MMFR2_EL1.CCIDX: which of the two formats it is. */
  u32 wide = (read_sysreg(s3_0_c0_c7_2) >> 20 & 15) != 0;
  u64 ways = (wide ? value >> 3 & 0x1fffff : value >> 3 & 0x3ff) + 1;
  u64 sets = (wide ? value >> 32 & 0xffffff : value >> 13 & 0x7fff) + 1;
  u64 line = 16ul << (value & 7);
  print("  L%u%s CCSIDR_EL1 0x%lx: %lu sets, %lu ways, lines of %lu bytes, %lu KiB\n", level, name, value, sets, ways,
        line, sets * ways * line >> 10);
}

static void speak(u32 core) {
  u64 clidr = read_sysreg(clidr_el1);
  print("core %u: MIDR_EL1 0x%lx CTR_EL0 0x%lx CLIDR_EL1 0x%lx DCZID_EL0 0x%lx\n", core, read_sysreg(midr_el1),
        read_sysreg(ctr_el0), clidr, read_sysreg(dczid_el0));
  for (u32 level = 1; level <= LEVELS; level++) {
    enum cache_type type = clidr >> 3 * (level - 1) & 7;
    if (type == INSTRUCTION || type == SEPARATE) cache(level, 1, "I");
    if (type == DATA || type == SEPARATE) cache(level, 0, "D");
    if (type == UNIFIED) cache(level, 0, "");
  }
  __atomic_store_n(&said, core + 1, __ATOMIC_RELEASE);
  __asm__ volatile("dsb ish; sev" ::: "memory");
}

void secondary_main(u64 core) {
  mmu_enable(0);
  speak(core);
}

void main(void) {
  mmu_build();
  mmu_enable(0);
  speak(0);
  u32 core = 1;
  for (; core < CORES && start_core(core, core) == 0; core++)
    while (__atomic_load_n(&said, __ATOMIC_ACQUIRE) <= core) __asm__ volatile("wfe" ::: "memory");
  print("cache-ids: %u core%s\n", core, core == 1 ? "" : "s");
  end_run(0);
}
