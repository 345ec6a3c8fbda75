/*
 * Memory work on 4 MiB, which is 128 times a 32 KiB L1 data cache, in 65,536 lines of 64 bytes.
 *
 * At least 5 % of the data accesses miss in such a cache, whatever its ways and replacement. Every phase goes over all
 * lines (or random ones) and touches each in one go, so of the lines that it meets at most the 512 that are in the
 * cache at its beginning can hit at their first touch: 512 / 65,536 = 0.8 %. Misses per access are therefore at least
 * 0.992 / (accesses per line), and accesses per line are, by the source and with everything else in registers:
 *
 *   phase    accesses per line                                      at least
 *   sum      16 loads of 4 bytes                                    6.2 %
 *   scale     8 loads and 8 stores of 8 bytes                       6.2 %
 *   copy      8 loads or 8 stores of 8 bytes (pairs; two halves)   12.4 %
 *   link      1 store                                              99.2 %
 *   chase    12: 10 loads and 2 stores in a node of one line        8.2 %
 *   scatter   2: load and store of a random word                   49.6 % (99.2 % of random lines are elsewhere)
 *
 * The mean of phases that each have more than 5 % has more than 5 %: all in all it is 9.6 %.
 */
#include "bench.h"

#ifndef ROUNDS
#define ROUNDS 28
#endif
#define LINES 65536u
#define LINE_WORDS 8

/* One line: a node of the list that `chase` follows, or eight doublewords of the array. */
struct node {
  u64 next; /* index */
  u64 value[LINE_WORDS - 1];
} __attribute__((aligned(64)));

static struct node nodes[LINES] __attribute__((section(".noinit"), aligned(4096)));

static __attribute__((noinline)) u32 sum(const u32 *p) {
  u32 total = 0;
  for (u32 i = 0; i < LINES * 16; i++) total += p[i];
  return total;
}

static __attribute__((noinline)) void scale(u64 *p, u64 factor) {
  for (u32 i = 0; i < LINES * LINE_WORDS; i++) p[i] = p[i] * factor + i;
}

static __attribute__((noinline)) void copy(u64 *to, const u64 *from) {
  for (u32 i = 0; i < LINES * LINE_WORDS / 2; i++) to[i] = from[i];
}

/* Links all nodes into one ring in an order without a pattern: index i goes to (i * odd + odd) modulo a power of 2. */
static __attribute__((noinline)) void link_nodes(u32 step) {
  for (u32 i = 0; i < LINES; i++) nodes[i].next = (i * 0x9e35u * 4 + i + step) % LINES;
}

static __attribute__((noinline)) u64 chase(u64 from) {
  u64 total = 0, at = from;
  for (u32 i = 0; i < LINES; i++) {
    volatile struct node *node = &nodes[at];
    total += node->value[0] ^ node->value[1];
    total += node->value[2] ^ node->value[3];
    total += node->value[4] ^ node->value[5];
    node->value[6] = total;
    total += node->value[1] + node->value[3] + node->value[5];
    node->value[0] = total >> 3;
    at = node->next;
  }
  return total;
}

static __attribute__((noinline)) u32 scatter(u32 *p, u32 count) {
  u32 random = 0x2545f491;
  for (u32 i = 0; i < count; i++) p[next_random(&random) % (LINES * 16)] += i;
  return random;
}

void main(void) {
  mmu_build();
  mmu_enable(0);
  u64 *words = (u64 *)nodes;
  for (u32 i = 0; i < LINES * LINE_WORDS; i++) words[i] = i * 0x9e3779b97f4a7c15ull;
  u64 start = ticks();
  u32 checksum = 0;
  for (u32 round = 0; round < ROUNDS; round++) {
    checksum = mix(checksum, sum((const u32 *)words));
    scale(words, 2 * round + 3);
    copy(words + LINES * LINE_WORDS / 2, words);
    link_nodes(2 * round + 1);
    checksum = mix(checksum, (u32)chase(round));
    checksum = mix(checksum, scatter((u32 *)words, LINES / 8));
  }
  finish("memory", checksum, start);
}
