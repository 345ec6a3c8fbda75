/*
 * A virtual machine monitor for one page of guest code, as a Linux program without a C library: what KVM on top of the
 * emulated machine has to do for any guest. It prints one line for each exit of the guest.
 */
#include "kvm.h"

#define GUEST_RAM 0x80000000UL
#define GUEST_BYTES (4UL << 20)

extern const u8 guestStart[], guestEnd[];

static void text(const char *s)
{
	u64 n = 0;
	while (s[n])
		n++;
	call(WRITE, 1, (long)s, n, 0, 0, 0);
}

static void number(const char *name, u64 value)
{
	char digits[20];
	int at = 19;
	digits[at] = 0;
	do
		digits[--at] = "0123456789abcdef"[value & 15];
	while (value >>= 4);
	text(name);
	text(digits + at);
}

/* The result, or the end of the program with the name of what failed. */
static long must(const char *name, long result)
{
	if (result < 0) {
		number("kvm: failed ", -result);
		text(" in ");
		text(name);
		text("\n");
		call(EXIT, 1, 0, 0, 0, 0, 0);
	}
	return result;
}

static long control(const char *name, long fd, u64 request, const void *argument)
{
	return must(name, call(IOCTL, fd, request, (long)argument, 0, 0, 0));
}

static void *map(long bytes, long flags, long fd)
{
	return (void *)must("mmap", call(MMAP, 0, bytes, READ_WRITE, flags, fd, 0));
}

static void mmio(volatile struct exits *run)
{
	u64 value = 0;
	if (run->isWrite)
		for (u32 i = run->length; i-- > 0;)
			value = value << 8 | run->data[i];
	else
		for (u32 i = 0; i < run->length; i++)
			run->data[i] = 0x81 + i;
	number(run->isWrite ? "kvm: write " : "kvm: read ", run->length);
	number(" at ", run->address);
	if (run->isWrite)
		number(" of ", value);
	text("\n");
}

void _start(void)
{
	long kvm = must("open", call(OPENAT, -100, (long)"/dev/kvm", 2, 0, 0, 0));
	long vm = control("create VM", kvm, CREATE_VM, 0);
	u8 *ram = map(GUEST_BYTES, PRIVATE_ANONYMOUS, -1);
	for (u64 i = 0; i < (u64)(guestEnd - guestStart); i++)
		ram[i] = guestStart[i];
	struct region region = { 0, 0, GUEST_RAM, GUEST_BYTES, (u64)ram };
	control("memory", vm, SET_USER_MEMORY_REGION, &region);
	long vcpu = control("create vCPU", vm, CREATE_VCPU, 0);
	struct target target;
	control("target", vm, PREFERRED_TARGET, &target);
	for (int i = 0; i < 7; i++)
		target.features[i] = 0;
	target.features[0] = FEATURE_PSCI_0_2;
	control("init", vcpu, VCPU_INIT, &target);
	u64 pc = GUEST_RAM;
	struct oneReg reg = { REG_PC, (u64)&pc };
	control("pc", vcpu, SET_ONE_REG, &reg);
	volatile struct exits *run = map(control("size", kvm, GET_VCPU_MMAP_SIZE, 0), SHARED, vcpu);
	for (;;) {
		control("run", vcpu, RUN, 0);
		if (run->reason == EXIT_MMIO)
			mmio(run);
		else if (run->reason == EXIT_SYSTEM_EVENT) {
			number("kvm: system event ", (u32)run->address);
			text("\n");
			call(EXIT, 0, 0, 0, 0, 0, 0);
		} else {
			number("kvm: exit ", run->reason);
			text("\n");
			call(EXIT, 1, 0, 0, 0, 0, 0);
		}
	}
}
