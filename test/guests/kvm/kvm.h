/*
 * The kernel's side of small static programs without a C library: system calls, and KVM's interface as far as they use it.
 * Numbers and layouts are those of the kernel's headers for user space.
 */
typedef unsigned long u64;
typedef unsigned int u32;
typedef unsigned char u8;

enum { IOCTL = 29, OPENAT = 56, CLOSE = 57, READ = 63, WRITE = 64, EXIT = 93, SCHED_SETAFFINITY = 122, MMAP = 222 };
enum { CREATE_VM = 0xae01, CHECK_EXTENSION = 0xae03, GET_VCPU_MMAP_SIZE = 0xae04, CREATE_VCPU = 0xae41, RUN = 0xae80 };
enum { SET_USER_MEMORY_REGION = 0x4020ae46, VCPU_INIT = 0x4020aeae, GET_ONE_REG = 0x4010aeab, SET_ONE_REG = 0x4010aeac };
#define PREFERRED_TARGET 0x8020aeafUL
#define GET_REG_LIST 0xc008aeb0UL
#define GET_REG_WRITABLE_MASKS 0x8040aeb6UL
#define REG_PC 0x6030000000100040UL
enum { EXIT_MMIO = 6, EXIT_SYSTEM_EVENT = 24 };
enum { FEATURE_PSCI_0_2 = 1 << 2 };
enum { READ_WRITE = 3, SHARED = 1, PRIVATE_ANONYMOUS = 0x22 };

struct region {
	u32 slot, flags;
	u64 guest, bytes, user;
};
struct target {
	u32 target, features[7];
};
struct oneReg {
	u64 id, address;
};
/* The part of struct kvm_run that is used here. */
struct exits {
	u64 before;
	u32 reason, ready;
	u64 unused[2];
	u64 address;
	u8 data[8];
	u32 length;
	u8 isWrite;
};

static long call(long n, long a, long b, long c, long d, long e, long f)
{
	register long x8 asm("x8") = n;
	register long x0 asm("x0") = a;
	register long x1 asm("x1") = b;
	register long x2 asm("x2") = c;
	register long x3 asm("x3") = d;
	register long x4 asm("x4") = e;
	register long x5 asm("x5") = f;
	asm volatile("svc #0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5) : "memory");
	return x0;
}
