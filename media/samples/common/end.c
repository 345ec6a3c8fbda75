/* How a run ends: by PSCI, by semihosting, or by an exception that nobody expected. */
#include "runtime.h"

#define PSCI_SYSTEM_OFF 0x84000008ul

void end_run(u64 code) {
  if (code == 0) firmware_call(PSCI_SYSTEM_OFF, 0, 0, 0);
  semihosting_exit(code);
}

void unexpected_exception(struct frame *frame, u64 vector) {
  print("unexpected exception: vector %lu, ESR_EL1 0x%8lx, ELR_EL1 0x%16lx, FAR_EL1 0x%16lx\n", vector,
        read_sysreg(esr_el1), frame->elr, read_sysreg(far_el1));
  end_run(1);
}

__attribute__((weak)) void exception(struct frame *frame, u64 vector) { unexpected_exception(frame, vector); }

__attribute__((weak)) void secondary_main(u64 argument) { (void)argument; }
