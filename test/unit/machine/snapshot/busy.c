/*
 * A guest that never ends and keeps every part of the machine busy: two cores that patch and run code, walk memory at random,
 * count with exclusives, wait for each other and for the timer's interrupts, and print.
 */
#include "runtime.h"

#define GICD 0x08000000ul
#define GICC 0x08010000ul
#define REGISTER(at) (*(volatile u32 *)(at))
enum { VIRTUAL_TIMER = 27, WORDS = 1 << 16, ADD = 0x11000000, RET = 0xd65f03c0, TICKS = 20000 };

static u32 words[WORDS];
static u32 counter, ticks[2], turn;
static u32 seeds[2] = {1, 2};

__attribute__((section(".patch"), aligned(256), noinline)) static u32 patched(u32 x) {
  __asm__ volatile("nop\n\tnop\n\tnop" : "+r"(x));
  return x;
}
__attribute__((section(".patch"), aligned(256), noinline)) static u32 patched_too(u32 x) {
  __asm__ volatile("nop\n\tnop" : "+r"(x));
  return x;
}

static u32 next(u32 self) {
  u32 x = seeds[self];
  x ^= x << 13;
  x ^= x >> 17;
  x ^= x << 5;
  return seeds[self] = x;
}

static void patch(u32 *code, u32 immediate) {
  code[0] = ADD | (immediate & 0xfff) << 10; /* ADD w0, w0, #immediate */
  code[1] = RET;
  __asm__ volatile("dc cvau, %0; dsb ish; ic ivau, %0; dsb ish; isb" ::"r"(code) : "memory");
}

static void timer_on(void) {
  REGISTER(GICD + 0x100) = 1u << VIRTUAL_TIMER;
  REGISTER(GICD) = 1;
  REGISTER(GICC + 4) = 0xff;
  REGISTER(GICC) = 1;
  write_sysreg(cntv_tval_el0, TICKS);
  write_sysreg(cntv_ctl_el0, 1);
  __asm__ volatile("msr daifclr, #2");
}

void exception(struct frame *frame, u64 vector) {
  if (vector % 4 != VECTOR_IRQ) unexpected_exception(frame, vector);
  u32 id = REGISTER(GICC + 0xc);
  if (id == VIRTUAL_TIMER) {
    u32 self = read_sysreg(mpidr_el1) & 1;
    ticks[self]++;
    write_sysreg(cntv_tval_el0, TICKS + (next(self) & 4095));
  }
  REGISTER(GICC + 0x10) = id;
}

static void work(u32 self) {
  u32 sum = 0;
  u32 (*own)(u32) = self ? patched_too : patched;
  for (u32 round = 0;; round++) {
    patch((u32 *)own, next(self));
    for (u32 i = 0; i < 400; i++) {
      u32 at = next(self) % WORDS;
      sum = own(sum ^ words[at]);
      words[at] = sum;
      if (i % 50 == 0) __atomic_fetch_add(&counter, 1, __ATOMIC_RELAXED);
    }
    if (round % 8 == self * 4) __asm__ volatile("wfi");
    if (round % 16 == 3) {
      __atomic_store_n(&turn, 1 - self, __ATOMIC_RELEASE);
      __asm__ volatile("sev");
    }
    if (round % 16 == 9) __asm__ volatile("wfe");
    if (round % 32 == self) print("%u %u %8x %u\n", self, round, sum, ticks[self]);
  }
}

void secondary_main(u64 argument) {
  (void)argument;
  mmu_enable(0);
  timer_on();
  work(1);
}

void main(void) {
  mmu_build();
  mmu_enable(0);
  timer_on();
  start_core(1, 0);
  work(0);
}
