/* Starts, says so and ends: what its run takes is the cost of starting a machine. */
#include "bench.h"

void main(void) {
  mmu_build();
  mmu_enable(0);
  finish("empty", 0, ticks());
}
