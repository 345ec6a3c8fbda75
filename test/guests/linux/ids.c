/*
 * An EL0 program for Linux without a C library: prints what every CPU's CTR_EL0 and DCZID_EL0 hold, read there. Where the
 * kernel traps CTR_EL0 it is the kernel's answer.
 */
typedef unsigned long u64;

enum { WRITE = 64, EXIT = 93, SCHED_SETAFFINITY = 122, CPUS = 64 };

static u64 call(u64 number, u64 a, u64 b, u64 c) {
  register u64 x8 __asm__("x8") = number;
  register u64 x0 __asm__("x0") = a;
  register u64 x1 __asm__("x1") = b;
  register u64 x2 __asm__("x2") = c;
  __asm__ volatile("svc #0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2) : "memory");
  return x0;
}

static char line[128];
static u64 used;

static void text(const char *from) {
  while (*from) line[used++] = *from++;
}

static void number(u64 value, u64 base) {
  char digits[20];
  u64 count = 0;
  do digits[count++] = "0123456789abcdef"[value % base];
  while (value /= base);
  while (count) line[used++] = digits[--count];
}

void _start(void) {
  for (u64 cpu = 0; cpu < CPUS; cpu++) {
    u64 mask = 1ul << cpu, ctr, dczid;
    if (call(SCHED_SETAFFINITY, 0, sizeof mask, (u64)&mask)) continue;
    __asm__ volatile("mrs %0, ctr_el0" : "=r"(ctr));
    __asm__ volatile("mrs %0, dczid_el0" : "=r"(dczid));
    used = 0;
    text("cpu");
    number(cpu, 10);
    text(" CTR_EL0 0x");
    number(ctr, 16);
    text(" DCZID_EL0 0x");
    number(dczid, 16);
    text("\n");
    call(WRITE, 1, (u64)line, used);
  }
  call(EXIT, 0, 0, 0);
  __builtin_unreachable();
}
