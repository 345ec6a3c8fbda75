/*
 * kvm-pfnmap: memory of a device behind a guest address, mapped by user space without struct page.
 *
 * What KVM says to the slot, what the guest finds there with its MMU off and on, and what becomes of it when user space maps it
 * otherwise while the guest runs.
 */
#include "../common/hypercalls.h"

#define MEMORY 0x80000000ul
#define CODE (MEMORY + 0x800)
#define MOV_W0_2 0x52800040u
#define RET 0xd65f03c0u

enum { SLOT = 1, BEYOND = 2, LOG_DIRTY_PAGES = 1 };
enum { ALIGNMENT_FAULT = 0x21, EXTERNAL_ABORT = 0x10 };
enum { EC_INSTRUCTION_ABORT = 0x21, EC_DATA_ABORT = 0x25 };

static volatile u64 fault;

/* Data: the instruction is skipped. Fetches: back to the caller. */
void exception(struct frame *frame, u64 vector) {
  u64 esr = read_sysreg(esr_el1);
  u64 ec = esr >> 26;
  if (vector != VECTOR_FROM_EL1 + VECTOR_SYNC || (ec != EC_DATA_ABORT && ec != EC_INSTRUCTION_ABORT))
    unexpected_exception(frame, vector);
  fault = esr;
  frame->elr = ec == EC_DATA_ABORT ? frame->elr + 4 : frame->x[30];
}

static const char *what_happened(void) {
  u64 status = fault & 0x3f;
  return !fault ? "done" : status == ALIGNMENT_FAULT ? "alignment fault" : status == EXTERNAL_ABORT ? "external abort" : "fault";
}

static void try_unaligned(const char *when) {
  u32 value;
  fault = 0;
  __asm__ volatile("ldr %w0, [%1]" : "=r"(value) : "r"(MEMORY + 0x101) : "memory");
  print("%s: unaligned load: %s\n", when, what_happened());
}

static void try_fetch(const char *when) {
  fault = 0;
  ((u32(*)(void))CODE)();
  print("%s: fetch: %s\n", when, what_happened());
}

static void read_word(const char *when) { print("%s: the guest reads %x\n", when, *(volatile u32 *)MEMORY); }

static void map_as(const char *when, u64 memory) {
  print("VMM maps it %s: %s\n", when, errno_name(vmm(VMM_MMAP, SLOT, memory, 0, 0)));
  read_word(when);
  try_unaligned(when);
}

void main(void) {
  print("capability: %lu\n", (u64)vmm(VMM_CHECK_EXTENSION, KVM_CAP_ARM_CACHEABLE_PFNMAP_SUPPORTED, 0, 0, 0));
  print("enable: %s\n", errno_name(vmm(VMM_ENABLE_CAP, KVM_CAP_ARM_CACHEABLE_PFNMAP_SUPPORTED, 0, 0, 0)));
  print("slot beyond the IPA size: %s\n", errno_name(vmm(VMM_SET_MEMORY_REGION, BEYOND, 0, 0, 0)));
  print("slot with dirty logging: %s\n", errno_name(vmm(VMM_SET_MEMORY_REGION, SLOT, LOG_DIRTY_PAGES, 0, 0)));
  long slot = vmm(VMM_SET_MEMORY_REGION, SLOT, 0, 0, 0);
  print("slot: %s\n", errno_name(slot));
  if (slot != 0) {
    vmm(VMM_MMAP, SLOT, HOST_NORMAL_NC, 0, 0);
    print("slot, mapped NORMAL_NC instead: %s\n", errno_name(vmm(VMM_SET_MEMORY_REGION, SLOT, 0, 0, 0)));
  }
  /* As the device's driver in the host left it: 1 has reached the memory, 2 is in a cache. */
  vmm(VMM_WRITE, MEMORY, 1, CLEAN_TO_POC, 0);
  vmm(VMM_WRITE, CODE, MOV_W0_2, CLEAN_TO_POC, 0);
  vmm(VMM_WRITE, CODE + 4, RET, CLEAN_TO_POC, 0);
  vmm(VMM_WRITE, MEMORY, 2, NO_CLEANING, 0);
  read_word("MMU off");
  mmu_build();
  mmu_map(MEMORY, MEMORY + 0x1000, KERNEL_PATCH);
  mmu_enable(0);
  read_word("MMU on");
  try_unaligned("MMU on");
  try_fetch("MMU on");
  map_as("NORMAL", HOST_NORMAL);
  map_as("NORMAL_NC", HOST_NORMAL_NC);
  print("the guest ends\n");
}
