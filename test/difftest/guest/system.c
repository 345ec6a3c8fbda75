/*
 * The same cases on a bare machine: a kernel at EL1 that runs each at EL0, by exception return and until any exception
 * comes back. The cases lie at DATA_BASE, put there by the loader as a segment of the ELF file. What a case changed is
 * printed, one line a fact, all numbers hexadecimal:
 *   "c" case, ESR, FAR, ELR, SPSR;  "x" number, value of a register (31: SP) that changed;
 *   "m" offset, value of a doubleword of memory that changed;  "end" after the last case.
 */
#include "record.h"
#include "runtime.h"

void resume(const struct frame *frame) __attribute__((noreturn));

static const u8 *next = (const u8 *)DATA_BASE + 8;
static const struct input *input;
static const u64 *memory;
static u64 done;

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

void main(void) {
  enum { NTWI = 1 << 16, NTWE = 1 << 18 };
  mmu_build();
  mmu_map(CODE_BASE, CODE_BASE + CODE_SIZE, USER_CODE);
  mmu_map(MEMORY_BASE, MEMORY_BASE + MEMORY_SIZE, USER_DATA);
  mmu_map(DATA_BASE, DATA_BASE + DATA_SIZE, KERNEL_DATA);
  mmu_enable(SCTLR_UCI | SCTLR_UCT | SCTLR_DZE | NTWI | NTWE);
  write_sysreg(tcr_el1, read_sysreg(tcr_el1) | 1ul << 37); /* TBI0, as Linux has it */
  __asm__ volatile("isb; tlbi vmalle1; dsb nsh; isb" ::: "memory");
  fill_code();
  make_executable(CODE_BASE, CODE_BASE + CODE_SIZE);
  static struct frame first;
  take_case(&first);
  resume(&first);
}
