/*
 * jit: a code generator at EL0 that does exactly the cache maintenance that CTR_EL0 asks for, no more and no less.
 *
 * It makes small functions of random arithmetic, runs each, and compares with what C computes. All rounds reuse the
 * same buffer, so the caches hold older functions at the same addresses: a step of maintenance too few, and an old
 * function runs.
 */
#include "runtime.h"
#include "calls.h"

enum { ROUNDS = 2000, MAX_OPERATIONS = 24, BUFFER_WORDS = 1024 };

typedef u32 generated_function(u32 a, u32 b);

static u32 code_buffer[BUFFER_WORDS] __attribute__((section(".bss.user_code"), aligned(4096)));
u8 user_stack[4096] __attribute__((aligned(16)));

/* A64 encodings of `op w0, w0, w1` and `op w1, w1, w0`: Rd and Rn are equal, Rm is the other one. */
static const struct operation {
  u32 encoding;
  char name;
} operations[] = {
    {0x0b000000, '+'}, /* ADD (shifted register) */
    {0x4b000000, '-'}, /* SUB (shifted register) */
    {0x4a000000, '^'}, /* EOR (shifted register) */
    {0x0a000000, '&'}, /* AND (shifted register) */
    {0x2a000000, '|'}, /* ORR (shifted register) */
    {0x1b007c00, '*'}, /* MUL */
};

#define RET 0xd65f03c0u

static u32 random_state = 0x2545f491;

static u32 random(void) {
  random_state ^= random_state << 13;
  random_state ^= random_state >> 17;
  random_state ^= random_state << 5;
  return random_state;
}

static u32 compute(char operation, u32 a, u32 b) {
  switch (operation) {
    case '+': return a + b;
    case '-': return a - b;
    case '^': return a ^ b;
    case '&': return a & b;
    case '|': return a | b;
    default: return a * b;
  }
}

static u64 call(u64 number, u64 a, u64 b) {
  register u64 x8 __asm__("x8") = number;
  register u64 x0 __asm__("x0") = a;
  register u64 x1 __asm__("x1") = b;
  __asm__ volatile("svc #0" : "+r"(x0) : "r"(x8), "r"(x1) : "memory");
  return x0;
}

/* Makes the instructions in [start, end) ready to run, by what CTR_EL0 says of this machine. */
static void make_executable(u64 start, u64 end) {
  u64 ctr = read_sysreg(ctr_el0);
  u64 data_line = 4ul << ((ctr >> 16) & 15);  /* CTR_EL0.DminLine */
  u64 instruction_line = 4ul << (ctr & 15);   /* CTR_EL0.IminLine */
  u32 idc = (ctr >> 28) & 1;                  /* data need not be cleaned to the point of unification */
  u32 dic = (ctr >> 29) & 1;                  /* instructions need not be invalidated */

  if (!idc)
    for (u64 a = start & ~(data_line - 1); a < end; a += data_line) __asm__ volatile("dc cvau, %0" ::"r"(a) : "memory");
  __asm__ volatile("dsb ish" ::: "memory");
  if (!dic) {
    for (u64 a = start & ~(instruction_line - 1); a < end; a += instruction_line)
      __asm__ volatile("ic ivau, %0" ::"r"(a) : "memory");
    __asm__ volatile("dsb ish" ::: "memory");
  }
  __asm__ volatile("isb" ::: "memory");
}

/* One function of `count` operations at `code`, run on (a, b); true when its result is the right one. */
static u32 round_is_right(u32 *code, u32 count, u32 a, u32 b) {
  u32 expected[2] = {a, b};
  u32 *next = code;
  for (u32 i = 0; i < count; i++) {
    const struct operation *operation = &operations[random() % (sizeof operations / sizeof operations[0])];
    u32 rd = random() & 1, rm = 1 - rd;
    *next++ = operation->encoding | rm << 16 | rd << 5 | rd;
    expected[rd] = compute(operation->name, expected[rd], expected[rm]);
  }
  *next++ = RET;
  make_executable((u64)code, (u64)next);
  return ((generated_function *)code)(a, b) == expected[0];
}

void user_main(void) {
  u32 wrong = 0;
  for (u32 i = 0; i < ROUNDS; i++) {
    u32 count = 1 + random() % MAX_OPERATIONS;
    u32 *code = code_buffer + random() % (BUFFER_WORDS - MAX_OPERATIONS - 1);
    u32 a = random(), b = random();
    if (!round_is_right(code, count, a, b)) wrong++;
  }
  call(CALL_RESULT, ROUNDS, wrong);
  for (;;) {
  }
}
