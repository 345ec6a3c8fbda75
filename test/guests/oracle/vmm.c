/*
 * A machine monitor that does what a script asks for through /dev/kvm and prints one answer a line: the oracle that the model of
 * KVM is held against. A Linux program without a C library. The script (/oracle) has a command a line, a word and hexadecimal
 * numbers; asked.ts says what each means. Answers are values, `ok`, or `error` with the number.
 */
#include "../kvm/kvm.h"

#define GUEST_RAM 0x80000000UL
#define GUEST_BYTES (1UL << 20)
#define DEVICE 0x09000000UL
#define DEMUX 0x11UL
enum { AT_FDCWD = -100, O_RDWR = 2, O_WRONLY = 1, TCSBRK = 0x5409, MAX_ARGUMENTS = 5, MASKS = 3 * 8 * 8 };

extern const u8 guestStart[], guestEnd[];

static long kvm, vm, vcpu;
static u8 *ram;
static volatile struct exits *run;

static char line[1024];
static u64 used;

static void text(const char *from)
{
	while (*from)
		line[used++] = *from++;
}

static void number(u64 value)
{
	int top = 60;
	while (top && !(value >> top & 15))
		top -= 4;
	for (; top >= 0; top -= 4)
		line[used++] = "0123456789abcdef"[value >> top & 15];
}

static void outcome(long result)
{
	text(result < 0 ? "error " : "ok");
	if (result < 0)
		number(-result);
}

/* A value, if `result` says that there is one. */
static void answer(long result, u64 value)
{
	if (result < 0)
		outcome(result);
	else
		number(value);
}

/* Waits until it is out: the kernel's own lines must not get into it. */
static void flush(void)
{
	line[used++] = '\n';
	call(WRITE, 1, (long)line, used, 0, 0, 0);
	call(IOCTL, 1, TCSBRK, 1, 0, 0, 0);
	used = 0;
}

static long control(long fd, u64 request, const volatile void *argument)
{
	return call(IOCTL, fd, request, (long)argument, 0, 0, 0);
}

static void *map(long bytes, long flags, long fd)
{
	return (void *)call(MMAP, 0, bytes, READ_WRITE, flags, fd, 0);
}

static long moveTo(u64 cpu)
{
	u64 mask = 1UL << cpu;
	return call(SCHED_SETAFFINITY, 0, sizeof mask, (long)&mask, 0, 0, 0);
}

static long slot(u32 id, u32 flags, u64 guest, u64 bytes, u64 offset)
{
	struct region region = { id, flags, guest, bytes, (u64)ram + offset };
	return control(vm, SET_USER_MEMORY_REGION, &region);
}

static long initVcpu(void)
{
	struct target target;
	long result = control(vm, PREFERRED_TARGET, &target);
	if (result < 0)
		return result;
	for (int i = 0; i < 7; i++)
		target.features[i] = 0;
	target.features[0] = FEATURE_PSCI_0_2;
	result = control(vcpu, VCPU_INIT, &target);
	u64 pc = GUEST_RAM;
	struct oneReg reg = { REG_PC, (u64)&pc };
	return result < 0 ? result : control(vcpu, SET_ONE_REG, &reg);
}

/* A new machine with one vCPU that has not run. */
static long newMachine(void)
{
	vm = control(kvm, CREATE_VM, 0);
	if (vm < 0)
		return vm;
	ram = map(GUEST_BYTES, PRIVATE_ANONYMOUS, -1);
	for (u64 i = 0; i < (u64)(guestEnd - guestStart); i++)
		ram[i] = guestStart[i];
	long result = slot(0, 0, GUEST_RAM, GUEST_BYTES, 0);
	if (result < 0)
		return result;
	vcpu = control(vm, CREATE_VCPU, 0);
	if (vcpu < 0)
		return vcpu;
	run = map(control(kvm, GET_VCPU_MMAP_SIZE, 0), SHARED, vcpu);
	return initVcpu();
}

static u64 mmioData(void)
{
	u64 value = 0;
	for (u32 i = run->length; i-- > 0;)
		value = value << 8 | run->data[i];
	return value;
}

/* Runs the guest until it has done one operation. */
static void guest(u64 operation, u64 operand, u64 mask)
{
	u64 result = 0;
	for (;;) {
		long outcomeOfRun = control(vcpu, RUN, 0);
		if (outcomeOfRun < 0)
			return outcome(outcomeOfRun);
		if (run->reason != EXIT_MMIO) {
			text("exit ");
			return number(run->reason);
		}
		u64 at = run->address - DEVICE;
		if (!run->isWrite) {
			u64 value = at ? operand : operation;
			for (u32 i = 0; i < run->length; i++)
				run->data[i] = value >> 8 * i;
		} else if (at == 16)
			result = mmioData();
		else if (mmioData() == 0)
			return number(result & mask);
		else {
			text("exception ");
			return number(mmioData() - 1);
		}
	}
}

static struct {
	u64 count, ids[4000];
} list;

static long registers(void)
{
	list.count = sizeof list.ids / sizeof *list.ids;
	return control(vcpu, GET_REG_LIST, &list);
}

static int isDemux(u64 id)
{
	return (id >> 16 & 0xfff) == DEMUX;
}

/* The demultiplexed ids, which have to stand at the end. */
static void demux(void)
{
	long result = registers();
	if (result < 0)
		return outcome(result);
	u64 from = list.count;
	while (from && isDemux(list.ids[from - 1]))
		from--;
	for (u64 i = 0; i < from; i++)
		if (isDemux(list.ids[i]))
			text("early ");
	for (u64 i = from; i < list.count; i++) {
		number(list.ids[i]);
		text(i + 1 < list.count ? " " : "");
	}
}

static void has(u64 id)
{
	u64 found = 0;
	long result = registers();
	for (u64 i = 0; result >= 0 && i < list.count; i++)
		found += list.ids[i] == id;
	answer(result, found);
}

static u64 masks[MASKS];

static void writable(u64 index)
{
	static struct {
		u64 address;
		u32 range, reserved[13];
	} request;
	request.address = (u64)masks;
	answer(control(vm, GET_REG_WRITABLE_MASKS, &request), masks[index % MASKS]);
}

static void online(u64 cpu)
{
	char path[] = "/sys/devices/system/cpu/cpu0/online";
	path[sizeof "/sys/devices/system/cpu/cpu" - 1] += cpu;
	long fd = call(OPENAT, AT_FDCWD, (long)path, O_WRONLY, 0, 0, 0);
	if (fd < 0)
		return outcome(fd);
	text(call(WRITE, fd, (long)"1", 1, 0, 0, 0) < 0 ? "died" : "online");
	call(CLOSE, fd, 0, 0, 0, 0, 0);
}

static void el0(u64 cpu)
{
	u64 value = 0;
	long result = moveTo(cpu);
	if (result >= 0)
		asm volatile("mrs %0, ctr_el0" : "=r"(value));
	answer(result, value);
}

static void oneReg(u64 request, u64 id, u64 value, int reachable)
{
	struct oneReg reg = { id, reachable ? (u64)&value : 16 };
	long result = control(vcpu, request, &reg);
	if (request == GET_ONE_REG)
		answer(result, value);
	else
		outcome(result);
}

static void tainted(u64 bit)
{
	u8 digits[24];
	u64 value = 0;
	long fd = call(OPENAT, AT_FDCWD, (long)"/proc/sys/kernel/tainted", 0, 0, 0, 0);
	long count = call(READ, fd, (long)digits, sizeof digits, 0, 0, 0);
	for (long i = 0; i < count && digits[i] >= '0'; i++)
		value = value * 10 + digits[i] - '0';
	call(CLOSE, fd, 0, 0, 0, 0, 0);
	answer(count, value >> bit & 1);
}

static int is(const char *word, const char *name)
{
	while (*name && *word == *name)
		word++, name++;
	return !*name && *word <= ' ';
}

/* Whether there can be a machine of a type. */
static void create(u64 type)
{
	long fd = control(kvm, CREATE_VM, (void *)type);
	outcome(fd);
	if (fd >= 0)
		call(CLOSE, fd, 0, 0, 0, 0, 0);
}

static void extension(long fd, u64 number)
{
	long value = control(fd, CHECK_EXTENSION, (void *)number);
	answer(value, value);
}

static void perform(const char *word, const u64 *a)
{
	if (is(word, "vm"))
		outcome(newMachine());
	else if (is(word, "create"))
		create(a[0]);
	else if (is(word, "init"))
		outcome(initVcpu());
	else if (is(word, "move"))
		outcome(moveTo(a[0]));
	else if (is(word, "get"))
		oneReg(GET_ONE_REG, a[0], 0, 1);
	else if (is(word, "set"))
		oneReg(SET_ONE_REG, a[0], a[1], 1);
	else if (is(word, "getFault"))
		oneReg(GET_ONE_REG, a[0], 0, 0);
	else if (is(word, "setFault"))
		oneReg(SET_ONE_REG, a[0], 0, 0);
	else if (is(word, "demux"))
		demux();
	else if (is(word, "has"))
		has(a[0]);
	else if (is(word, "writable"))
		writable(a[0]);
	else if (is(word, "guest"))
		guest(a[0], a[1], a[2]);
	else if (is(word, "system"))
		extension(kvm, a[0]);
	else if (is(word, "extension"))
		extension(vm, a[0]);
	else if (is(word, "slot"))
		outcome(slot(a[0], a[1], a[2], a[3], a[4]));
	else if (is(word, "online"))
		online(a[0]);
	else if (is(word, "el0"))
		el0(a[0]);
	else if (is(word, "tainted"))
		tainted(a[0]);
	else
		text("unknown command");
}

static u64 hexadecimal(const char **at)
{
	u64 value = 0;
	for (; **at > ' '; (*at)++)
		value = value << 4 | (u64)(**at <= '9' ? **at - '0' : **at - 'a' + 10);
	return value;
}

/* One line, which ends with a newline. @returns what comes after it. */
static const char *command(const char *at, u64 index)
{
	const char *word = at;
	u64 arguments[MAX_ARGUMENTS];
	while (*at > ' ')
		at++;
	for (int i = 0; i < MAX_ARGUMENTS; i++) {
		at += *at == ' ';
		arguments[i] = hexadecimal(&at);
	}
	text("oracle: ");
	number(index);
	text(" ");
	perform(word, arguments);
	flush();
	return at + 1;
}

static char script[65536];

void _start(void)
{
	long fd = call(OPENAT, AT_FDCWD, (long)"/oracle", 0, 0, 0, 0);
	long bytes = call(READ, fd, (long)script, sizeof script - 1, 0, 0, 0);
	kvm = call(OPENAT, AT_FDCWD, (long)"/dev/kvm", O_RDWR, 0, 0, 0);
	const char *at = script;
	for (u64 index = 0; bytes > 0 && at < script + bytes; index++)
		at = command(at, index);
	call(EXIT, 0, 0, 0, 0, 0, 0);
}
