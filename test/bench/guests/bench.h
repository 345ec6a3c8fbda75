/*
 * What the bench guests share. Each prints one line, `name: checksum 0x… ticks N`: the checksum must be the same on
 * every machine, the ticks are of the virtual counter over the measured part.
 */
#pragma once
#include "runtime.h"

#define CORES 4

/* A small generator whose numbers the compiler cannot foresee. */
static inline u32 next_random(u32 *state) {
  u32 x = *state;
  x ^= x << 13;
  x ^= x >> 17;
  x ^= x << 5;
  return *state = x;
}

static inline u32 mix(u32 hash, u32 value) { return (hash ^ value) * 0x01000193u + 0x9e3779b9u; }

static inline u64 ticks(void) {
  isb();
  return read_sysreg(cntvct_el0);
}

static inline void finish(const char *name, u32 checksum, u64 start) {
  print("%s: checksum 0x%8x ticks %lu\n", name, checksum, ticks() - start);
}
