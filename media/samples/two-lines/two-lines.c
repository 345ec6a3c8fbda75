/*
 * two-lines: two cores whose caches have lines of different sizes, one patching code that the other runs.
 *
 * CTR_EL0 tells the line sizes of the core that reads it, and of no other. A core with long lines that steps through
 * memory by its own line size skips half of the lines of a core with short ones: those keep the old instructions.
 * The right step is the smallest line of all cores. Each core is the patcher once with its own step and once with the
 * smallest, so the outcome does not depend on which of them has the longer lines.
 */
#include "runtime.h"

enum { WORDS = 64, ADD_1 = 0x11000400, ADD_2 = 0x11000800 }; /* ADD w0, w0, #1 and #2 */

typedef u32 summing_function(u32 start); /* WORDS times ADD w0, w0, #n, then RET (code.S) */

extern summing_function sum_a, sum_b, sum_c, sum_d;

static const struct round {
  const char *name;
  u32 patcher; /* core number; the other core is the executor */
  u32 smallest;
  summing_function *code;
} rounds[] = {
    {"own line size", 0, 0, sum_a},
    {"own line size", 1, 0, sum_b},
    {"smallest line size", 0, 1, sum_c},
    {"smallest line size", 1, 1, sum_d},
};

enum { ROUNDS = sizeof rounds / sizeof rounds[0] };

/* The steps of a round, in order; `progress` counts them over all rounds. */
enum step { RAN_OLD = 1, PATCHED = 2, RAN_NEW = 3, STEPS = 3 };

static u32 progress;
static u64 ctr[2];
static u32 first_sum, second_sum; /* written by the executor */
static u32 step_i, step_d;        /* written by the patcher, in bytes */

static void announce(u32 round, enum step step) {
  __atomic_store_n(&progress, round * STEPS + step, __ATOMIC_RELEASE);
  __asm__ volatile("dsb ish; sev" ::: "memory");
}

static void wait_for(u32 round, enum step step) {
  while (__atomic_load_n(&progress, __ATOMIC_ACQUIRE) < round * STEPS + step) __asm__ volatile("wfe" ::: "memory");
}

static u32 instruction_line(u64 value) { return 4u << (value & 15); }
static u32 data_line(u64 value) { return 4u << ((value >> 16) & 15); }
static u32 smaller(u32 a, u32 b) { return a < b ? a : b; }

static void patch(u32 self, const struct round *round) {
  u32 other = 1 - self;
  step_i = instruction_line(ctr[self]);
  step_d = data_line(ctr[self]);
  if (round->smallest) {
    step_i = smaller(step_i, instruction_line(ctr[other]));
    step_d = smaller(step_d, data_line(ctr[other]));
  }
  u64 start = (u64)round->code, end = start + 4 * WORDS;
  for (u64 a = start; a < end; a += 4) *(volatile u32 *)a = ADD_2;
  for (u64 a = start; a < end; a += step_d) __asm__ volatile("dc cvau, %0" ::"r"(a) : "memory");
  dsb_ish();
  for (u64 a = start; a < end; a += step_i) __asm__ volatile("ic ivau, %0" ::"r"(a) : "memory");
  dsb_ish();
}

static void play(u32 self, u32 number) {
  const struct round *round = &rounds[number];
  if (round->patcher == self) {
    wait_for(number, RAN_OLD);
    patch(self, round);
    announce(number, PATCHED);
    wait_for(number, RAN_NEW);
  } else {
    first_sum = round->code(0); /* brings the old lines into this core's instruction cache */
    announce(number, RAN_OLD);
    wait_for(number, PATCHED);
    isb(); /* the executor's part: forget what was fetched before */
    second_sum = round->code(0);
    announce(number, RAN_NEW);
  }
}

static void report(const struct round *round) {
  u32 fresh = second_sum - WORDS, old = WORDS - fresh;
  print("%s: core %u patched in steps of %u (I) and %u (D) bytes; core %u ran %u old and %u new instructions: %s\n",
        round->name, round->patcher, step_i, step_d, 1 - round->patcher, old, fresh, old ? "WRONG" : "right");
}

void secondary_main(u64 argument) {
  (void)argument;
  mmu_enable(0);
  ctr[1] = read_sysreg(ctr_el0);
  announce(0, 0); /* wakes core 0, which waits for ctr[1] */
  for (u32 i = 0; i < ROUNDS; i++) play(1, i);
}

void main(void) {
  mmu_build();
  mmu_enable(0);
  ctr[0] = read_sysreg(ctr_el0);
  if (start_core(1, 0) != 0) {
    print("two-lines: core 1 did not start: this sample needs two cores and PSCI\n");
    end_run(1);
  }
  while (__atomic_load_n(&ctr[1], __ATOMIC_ACQUIRE) == 0) __asm__ volatile("wfe" ::: "memory");
  for (u32 core = 0; core < 2; core++)
    print("core %u: CTR_EL0 0x%8lx, I-lines of %u bytes, D-lines of %u bytes\n", core, ctr[core],
          instruction_line(ctr[core]), data_line(ctr[core]));
  u32 all_old = 1;
  for (u32 i = 0; i < ROUNDS; i++) {
    play(0, i);
    if (first_sum != WORDS) all_old = 0;
    report(&rounds[i]);
  }
  print("two-lines: %s\n", all_old ? "end" : "FAIL: the first run of a function was not the old code");
  end_run(all_old ? 0 : 1);
}
