/*
 * selfmod: what happens when code is rewritten and a step of the cache maintenance is left out.
 *
 * A function that returns 1 is run (so its line is in the instruction cache), rewritten to return 2, and run again
 * after the full sequence or after one with a step missing (patch.S). On a machine whose caches are coherent by
 * themselves, or which has none, every variant runs the new code; on others it is not so, and which variants fail
 * depends on CTR_EL0.IDC and CTR_EL0.DIC.
 *
 * Built with -DONLY="name" it runs that variant only, so that a debugger session shows one thing.
 */
#include "runtime.h"

#define MOV_W0_1 0x52800020u
#define MOV_W0_2 0x52800040u

typedef u32 answer_function(void);
typedef u32 rewrite_function(u32 *code, u32 instruction);

extern answer_function answer_full, answer_no_dc, answer_no_ic, answer_neither, answer_no_isb;
extern rewrite_function rewrite_full, rewrite_no_dc, rewrite_no_ic, rewrite_neither, rewrite_no_isb;

struct variant {
  const char *name;
  rewrite_function *rewrite_and_run; /* stores the instruction, does its maintenance, falls into the function */
  answer_function *answer;           /* the function that is rewritten */
};

static const struct variant variants[] = {
    {"full", rewrite_full, answer_full},          {"no-dc", rewrite_no_dc, answer_no_dc},
    {"no-ic", rewrite_no_ic, answer_no_ic},       {"neither", rewrite_neither, answer_neither},
    {"no-isb", rewrite_no_isb, answer_no_isb},
};

static u32 same(const char *a, const char *b) {
  while (*a && *a == *b) a++, b++;
  return *a == *b;
}

static void run(const struct variant *variant) {
  u32 old = variant->answer(); /* brings the old line into the instruction cache */
  u32 ran = variant->rewrite_and_run((u32 *)variant->answer, MOV_W0_2);
  print("variant %s: ran %u (%s)\n", variant->name, ran, ran == old ? "stale" : "new");
}

void main(void) {
  mmu_build();
  mmu_enable(0);
  u64 ctr = read_sysreg(ctr_el0);
  print("selfmod: CTR_EL0 0x%8lx, IDC %u, DIC %u\n", ctr, (u32)(ctr >> 28) & 1, (u32)(ctr >> 29) & 1);
  for (u32 i = 0; i < sizeof variants / sizeof variants[0]; i++) {
#ifdef ONLY
    if (!same(variants[i].name, ONLY)) continue;
#else
    (void)same;
#endif
    run(&variants[i]);
  }
  print("selfmod: end\n");
}
