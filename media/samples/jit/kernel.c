/*
 * jit, the kernel's part: lets EL0 read CTR_EL0 and do cache maintenance (SCTLR_EL1.UCT and UCI), starts the code
 * generator (user.c), and prints what it reports.
 */
#include "runtime.h"
#include "calls.h"

extern void user_main(void);

void main(void) {
  mmu_build();
  mmu_enable(SCTLR_UCT | SCTLR_UCI);
  u64 ctr = read_sysreg(ctr_el0);
  print("jit: CTR_EL0 0x%8lx: IDC %u, DIC %u, I-lines of %u bytes, D-lines of %u bytes\n", ctr, (u32)(ctr >> 28) & 1,
        (u32)(ctr >> 29) & 1, 4u << (ctr & 15), 4u << ((ctr >> 16) & 15));
  enter_el0((u64)user_main, (u64)user_stack + sizeof user_stack);
}

void exception(struct frame *frame, u64 vector) {
  enum { EC_SVC64 = 0x15 };
  if (vector != VECTOR_FROM_EL0 + VECTOR_SYNC || read_sysreg(esr_el1) >> 26 != EC_SVC64 ||
      frame->x[8] != CALL_RESULT)
    unexpected_exception(frame, vector);
  u64 rounds = frame->x[0], wrong = frame->x[1];
  print("jit: %lu rounds, %lu wrong: %s\n", rounds, wrong, wrong ? "FAIL" : "PASS");
  end_run(wrong != 0);
}
