/*
 * One case, as cases.ts packs it: the instructions, all registers and flags, and a page of memory. CODE_BASE,
 * CODE_SIZE, CODE_START, MEMORY_BASE and MEMORY_SIZE come from the compiler's command line.
 */
#pragma once

typedef __UINT8_TYPE__ u8;
typedef __UINT32_TYPE__ u32;
typedef __UINT64_TYPE__ u64;

struct input {
  u32 word_count;
  u32 has_memory; /* then MEMORY_SIZE bytes follow, else the memory is all zero */
  u64 x[31];
  u64 sp;
  u64 pstate;
  u32 words[16];
  u32 fpcr, fpsr;
  u64 v[64];
};

/* What every word of the code region is that no case has written: a BRK ends a case, wherever it went. */
#define BRK 0xd4200000u

static void fill_code(void) {
  volatile u32 *code = (volatile u32 *)CODE_BASE;
  for (u32 i = 0; i < CODE_SIZE / 4; i++) code[i] = BRK;
}

static void make_executable(u64 start, u64 end) {
  u64 ctr;
  __asm__ volatile("mrs %0, ctr_el0" : "=r"(ctr));
  u64 d_line = 4ul << ((ctr >> 16) & 15), i_line = 4ul << (ctr & 15);
  for (u64 a = start & ~(d_line - 1); a < end; a += d_line) __asm__ volatile("dc cvau, %0" ::"r"(a) : "memory");
  __asm__ volatile("dsb ish" ::: "memory");
  for (u64 a = start & ~(i_line - 1); a < end; a += i_line) __asm__ volatile("ic ivau, %0" ::"r"(a) : "memory");
  __asm__ volatile("dsb ish; isb" ::: "memory");
}

/* Puts the instructions at CODE_START, and BRK over what the case before left behind them. */
static void place_code(const struct input *in) {
  volatile u32 *code = (volatile u32 *)CODE_START;
  for (u32 i = 0; i < 16; i++) code[i] = i < in->word_count ? in->words[i] : BRK;
  make_executable(CODE_START, CODE_START + 64);
}

static void place_memory(const u64 *from) {
  volatile u64 *to = (volatile u64 *)MEMORY_BASE;
  for (u32 i = 0; i < MEMORY_SIZE / 8; i++) to[i] = from ? from[i] : 0;
}
