/*
 * Runs single floating-point instructions: records of an operation's number, FPCR and three operands come in by standard
 * input, results with FPSR and the flags go out. The operations are made by operations.ts, one function each.
 */
typedef __UINT32_TYPE__ u32;
typedef __UINT64_TYPE__ u64;

struct input {
  u32 operation, fpcr;
  u64 operands[3];
};
struct output {
  u64 result;
  u32 fpsr, nzcv;
};

extern void (*const operations[])(const u64 *operands, u64 *result_and_flags);

enum { READ = 63, WRITE = 64, EXIT = 93, BATCH = 4096 };

static u64 call(u64 number, u64 a, u64 b, u64 c) {
  register u64 x8 __asm__("x8") = number;
  register u64 x0 __asm__("x0") = a;
  register u64 x1 __asm__("x1") = b;
  register u64 x2 __asm__("x2") = c;
  __asm__ volatile("svc #0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2) : "memory");
  return x0;
}

static void transfer(u64 number, u64 fd, void *data, u64 size) {
  for (u64 done = 0; done < size;) {
    u64 count = call(number, fd, (u64)data + done, size - done);
    if (count == 0 || count > size) call(EXIT, done != 0, 0, 0);
    done += count;
  }
}

static struct input in[BATCH];
static struct output out[BATCH];

void _start(void) {
  for (;;) {
    u32 count;
    transfer(READ, 0, &count, sizeof count);
    transfer(READ, 0, in, count * sizeof *in);
    for (u32 i = 0; i < count; i++) {
      u64 result[2], fpsr;
      __asm__ volatile("msr fpcr, %0; msr fpsr, xzr" ::"r"((u64)in[i].fpcr) : "memory");
      operations[in[i].operation](in[i].operands, result);
      __asm__ volatile("mrs %0, fpsr" : "=r"(fpsr)::"memory");
      out[i] = (struct output){result[0], (u32)fpsr, (u32)(result[1] >> 28)};
    }
    transfer(WRITE, 1, out, count * sizeof *out);
  }
}
