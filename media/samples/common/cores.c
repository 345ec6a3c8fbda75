/* How other cores begin: PSCI CPU_ON, at secondary_start in boot.S. */
#include "runtime.h"

#define PSCI_CPU_ON 0xc4000003ul

u64 start_core(u64 core, u64 argument) {
  return firmware_call(PSCI_CPU_ON, core, (u64)secondary_start, argument);
}
