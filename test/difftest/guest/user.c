/*
 * The oracle's half of the differential test: a static Linux program, run by QEMU's user mode. It reads cases from
 * standard input and writes outcomes to standard output. The only way into a case is a signal return with all of its
 * registers, and the only way out of it a signal: SIGTRAP from a BRK, or the signal of whatever fault it caused.
 */
#include "record.h"

struct output {
  u64 x[31];
  u64 sp;
  u64 pc;
  u64 pstate;
  u64 fault_address;
  u32 signal;
  u32 code;
  u32 fpsr, fpcr;
  u64 v[64];
};

/* The parts of Linux's signal frame that are used (arm64 ABI). */
struct signal_info {
  u32 number, error, code, pad;
  u64 address;
};
struct context {
  u64 flags, link, stack[3], mask[16];
  u64 fill;
  u64 fault_address, x[31], sp, pc, pstate;
  u64 fill2;
  /* The first record of what follows is always this one. */
  u32 magic, size, fpsr, fpcr;
  u64 v[64];
};
enum { FPSIMD_MAGIC = 0x46508001 };

enum { READ = 63, WRITE = 64, EXIT = 93, SIGALTSTACK = 132, RT_SIGACTION = 134, RT_SIGRETURN = 139, MMAP = 222 };
enum { SIGILL = 4, SIGTRAP = 5, SIGBUS = 7, SIGFPE = 8, SIGSEGV = 11, SIGSYS = 31 };
enum { SA_SIGINFO = 4, SA_ONSTACK = 0x08000000, SA_NODEFER = 0x40000000 };

static u64 call(u64 number, u64 a, u64 b, u64 c, u64 d, u64 e, u64 f) {
  register u64 x8 __asm__("x8") = number;
  register u64 x0 __asm__("x0") = a;
  register u64 x1 __asm__("x1") = b;
  register u64 x2 __asm__("x2") = c;
  register u64 x3 __asm__("x3") = d;
  register u64 x4 __asm__("x4") = e;
  register u64 x5 __asm__("x5") = f;
  __asm__ volatile("svc #0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5) : "memory");
  return x0;
}

static void finish(u64 code) {
  call(EXIT, code, 0, 0, 0, 0, 0);
  __builtin_unreachable();
}

/* False at the end of the input; a cut-off record is an error of whoever wrote it. */
static u32 read_all(void *to, u64 size) {
  for (u64 done = 0; done < size;) {
    u64 count = call(READ, 0, (u64)to + done, size - done, 0, 0, 0);
    if (count == 0 && done == 0) return 0;
    if (count == 0 || count > size) finish(2);
    done += count;
  }
  return 1;
}

static void write_all(const void *from, u64 size) {
  for (u64 done = 0; done < size;) {
    u64 count = call(WRITE, 1, (u64)from + done, size - done, 0, 0, 0);
    if (count > size) finish(3);
    done += count;
  }
}

static struct input input;
static u64 memory[MEMORY_SIZE / 8];
static u32 started;
static u8 signal_stack[65536] __attribute__((aligned(16)));

static void report(const struct signal_info *info, const struct context *context) {
  struct output out;
  for (u32 i = 0; i < 31; i++) out.x[i] = context->x[i];
  out.sp = context->sp;
  out.pc = context->pc;
  out.pstate = context->pstate;
  out.fault_address = info->address;
  out.signal = info->number;
  out.code = info->code;
  out.fpsr = context->fpsr;
  out.fpcr = context->fpcr;
  for (u32 i = 0; i < 64; i++) out.v[i] = context->v[i];
  write_all(&out, sizeof out);
  if (input.has_memory) write_all((const void *)MEMORY_BASE, MEMORY_SIZE);
}

__attribute__((used)) static void on_signal(u64 number, const struct signal_info *info, struct context *context) {
  (void)number;
  if (context->magic != FPSIMD_MAGIC) finish(6);
  if (started) report(info, context);
  started = 1;
  if (!read_all(&input, sizeof input)) finish(0);
  if (input.has_memory) read_all(memory, sizeof memory);
  place_code(&input);
  place_memory(input.has_memory ? memory : 0);
  for (u32 i = 0; i < 31; i++) context->x[i] = input.x[i];
  context->sp = input.sp;
  context->pc = CODE_START;
  context->pstate = input.pstate;
  context->fpsr = input.fpsr;
  context->fpcr = input.fpcr;
  for (u32 i = 0; i < 64; i++) context->v[i] = input.v[i];
}

/* Returns from the signal by itself: the frame that the kernel made begins at SP. */
__asm__(".text\n"
        ".type signal_entry, %function\n"
        "signal_entry:\n"
        "  mov x19, sp\n"
        "  bl on_signal\n"
        "  mov sp, x19\n"
        "  mov x8, #139\n"
        "  svc #0\n");
extern void signal_entry(void);

void _start(void) {
  struct {
    u64 handler, flags, restorer, mask;
  } action = {(u64)signal_entry, SA_SIGINFO | SA_ONSTACK | SA_NODEFER, 0, 0};
  static const u8 signals[] = {SIGILL, SIGTRAP, SIGBUS, SIGFPE, SIGSEGV, SIGSYS};
  struct {
    u64 base, flags, size;
  } stack = {(u64)signal_stack, 0, sizeof signal_stack};
  enum { READ_WRITE_EXEC = 7, PRIVATE_FIXED_ANONYMOUS = 0x32 };

  if (call(MMAP, CODE_BASE, CODE_SIZE, READ_WRITE_EXEC, PRIVATE_FIXED_ANONYMOUS, -1ul, 0) != CODE_BASE) finish(4);
  if (call(MMAP, MEMORY_BASE, MEMORY_SIZE, 3, PRIVATE_FIXED_ANONYMOUS, -1ul, 0) != MEMORY_BASE) finish(4);
  fill_code();
  call(SIGALTSTACK, (u64)&stack, 0, 0, 0, 0, 0);
  for (u32 i = 0; i < sizeof signals; i++) call(RT_SIGACTION, signals[i], (u64)&action, 0, 8, 0, 0);
  __asm__ volatile("brk #0");
  finish(5);
}
