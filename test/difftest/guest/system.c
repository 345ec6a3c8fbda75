/*
 * The same cases on a bare machine: a kernel at EL1 that runs each at EL0, by exception return and until any exception
 * comes back. The cases lie at DATA_BASE, put there by the loader as a segment of the ELF file. What a case changed is
 * printed, one line a fact, all numbers hexadecimal:
 *   "c" case, ESR, FAR, ELR, SPSR;  "x" number, value of a register (31: SP) that changed;
 *   "v" number, low and high half of a SIMD register that changed;  "f" FPCR, FPSR, when one of them changed;
 *   "m" offset, value of a doubleword of memory that changed;  "end" after the last case.
 */
#include "record.h"
#include "runtime.h"

void resume(const struct frame *frame) __attribute__((noreturn));

static const u8 *next = (const u8 *)DATA_BASE + 8;
static const struct input *input;
static const u64 *memory;
static u64 done;

/* The kernel uses none of these registers: a case finds and leaves them as they are. */
#define EACH_PAIR(F) \
  F(0, 1) F(2, 3) F(4, 5) F(6, 7) F(8, 9) F(10, 11) F(12, 13) F(14, 15) F(16, 17) F(18, 19) F(20, 21) F(22, 23) F(24, 25) \
  F(26, 27) F(28, 29) F(30, 31)
#define LOAD_PAIR(a, b) __asm__ volatile("ldp q" #a ", q" #b ", [%0, #" #a "*16]" ::"r"(from) : "memory");
#define STORE_PAIR(a, b) __asm__ volatile("stp q" #a ", q" #b ", [%0, #" #a "*16]" ::"r"(to) : "memory");
static void load_vectors(const u64 *from) { EACH_PAIR(LOAD_PAIR) }
static void store_vectors(u64 *to) { EACH_PAIR(STORE_PAIR) }

static void take_case(struct frame *frame) {
  if (done == *(const u64 *)DATA_BASE) {
    print("end\n");
    end_run(0);
  }
  input = (const struct input *)next;
  next += sizeof *input;
  memory = input->has_memory ? (const u64 *)next : 0;
  if (memory) next += MEMORY_SIZE;
  place_code(input);
  place_memory(memory);
  load_vectors(input->v);
  write_sysreg(fpcr, (u64)input->fpcr);
  write_sysreg(fpsr, (u64)input->fpsr);
  for (u32 i = 0; i < 31; i++) frame->x[i] = input->x[i];
  frame->sp_el0 = input->sp;
  frame->elr = CODE_START;
  frame->spsr = input->pstate | 0x3c0; /* no interrupts */
}

static void report(const struct frame *frame) {
  print("c %lx %lx %lx %lx %lx\n", done++, read_sysreg(esr_el1), read_sysreg(far_el1), frame->elr, frame->spsr);
  for (u32 i = 0; i < 31; i++)
    if (frame->x[i] != input->x[i]) print("x %x %lx\n", i, frame->x[i]);
  if (frame->sp_el0 != input->sp) print("x %x %lx\n", 31, frame->sp_el0);
  static u64 v[64];
  store_vectors(v);
  for (u32 i = 0; i < 32; i++)
    if (v[2 * i] != input->v[2 * i] || v[2 * i + 1] != input->v[2 * i + 1])
      print("v %x %lx %lx\n", i, v[2 * i], v[2 * i + 1]);
  u64 fpcr = read_sysreg(fpcr), fpsr = read_sysreg(fpsr);
  if (fpcr != input->fpcr || fpsr != input->fpsr) print("f %lx %lx\n", fpcr, fpsr);
  for (u32 i = 0; memory && i < MEMORY_SIZE / 8; i++) {
    u64 now = ((const u64 *)MEMORY_BASE)[i];
    if (now != memory[i]) print("m %x %lx\n", i * 8, now);
  }
}

void exception(struct frame *frame, u64 vector) {
  if (vector != VECTOR_FROM_EL0 + VECTOR_SYNC) unexpected_exception(frame, vector);
  report(frame);
  take_case(frame);
}

/* Pointer authentication, where there is any: keys that are always the same, all enabled. */
static void enable_pointer_authentication(void) {
  if ((read_sysreg(id_aa64isar1_el1) >> 4 & 0xff) == 0) return;
  const u64 key = 0x84be85ce9804e94b;
  write_sysreg(S3_0_C2_C1_0, key);
  write_sysreg(S3_0_C2_C1_1, key * 3);
  write_sysreg(S3_0_C2_C1_2, key * 5);
  write_sysreg(S3_0_C2_C1_3, key * 7);
  write_sysreg(S3_0_C2_C2_0, key * 9);
  write_sysreg(S3_0_C2_C2_1, key * 11);
  write_sysreg(S3_0_C2_C2_2, key * 13);
  write_sysreg(S3_0_C2_C2_3, key * 15);
  write_sysreg(S3_0_C2_C3_0, key * 17);
  write_sysreg(S3_0_C2_C3_1, key * 19);
  write_sysreg(sctlr_el1, read_sysreg(sctlr_el1) | 1ul << 31 | 1ul << 30 | 1ul << 27 | 1ul << 13);
}

void main(void) {
  enum { NTWI = 1 << 16, NTWE = 1 << 18 };
  write_sysreg(cpacr_el1, 3ul << 20); /* FP and SIMD at both levels */
  mmu_build();
  mmu_map(CODE_BASE, CODE_BASE + CODE_SIZE, USER_CODE);
  mmu_map(MEMORY_BASE, MEMORY_BASE + MEMORY_SIZE, USER_DATA);
  mmu_map(DATA_BASE, DATA_BASE + DATA_SIZE, KERNEL_DATA);
  mmu_enable(SCTLR_UCI | SCTLR_UCT | SCTLR_DZE | NTWI | NTWE);
  enable_pointer_authentication();
  write_sysreg(tcr_el1, read_sysreg(tcr_el1) | 1ul << 37); /* TBI0, as Linux has it */
  __asm__ volatile("isb; tlbi vmalle1; dsb nsh; isb" ::: "memory");
  fill_code();
  make_executable(CODE_BASE, CODE_BASE + CODE_SIZE);
  static struct frame first;
  take_case(&first);
  resume(&first);
}
