/*
 * kvm-vpipt: instruction caches of another kind that come late, and VMIDs that begin anew.
 *
 * A program asks CTR_EL0 once what kind of instruction cache it has to do with, as programs do, and invalidates accordingly: where
 * lines are found by physical address, one address of a page will do for all of its aliases. Then a core comes online whose
 * cache is of another kind, and the program goes there. After that the host uses up its VMIDs, and the guest comes back to one
 * that it had before: lines that a cache keeps by VMID are still there, unless the host cared for them.
 */
#include "../common/hypercalls.h"

#define MOV_W0_1 0x52800020u
#define MOV_W0_2 0x52800040u
#define PAGE_MASK 0xffful
#define ALIAS_BASE 0x90000000ul

enum { L1IP_SHIFT = 14, PIPT = 3, MAX_CORES = 3, LAST_VMID = 255 };

typedef u32 function(void);
extern function aliased, kept;
extern void rewrite(u32 *code, u32 instruction, u32 *alias);

static function *alias;

/* A second address of the page of `aliased`, with another index in a cache that goes by virtual addresses. */
static void map_alias(void) {
  u64 page = (u64)aliased;
  u64 va = ALIAS_BASE | ((page ^ 0x1000) & 0x3000);
  mmu_map(va, va + 0x1000, KERNEL_PATCH);
  u64 *table = (u64 *)read_sysreg(ttbr0_el1);
  for (u32 shift = 30; shift > 12; shift -= 9) table = (u64 *)(table[(va >> shift) & 511] & ~PAGE_MASK);
  volatile u64 *entry = &table[(va >> 12) & 511];
  *entry = (*entry & ~0xfffffffff000ul) | page;
  dsb_ish();
  isb();
  alias = (function *)va;
}

static u64 kind(void) { return (read_sysreg(ctr_el0) >> L1IP_SHIFT) & 3; }

/* Code is rewritten through one address and run through another. */
static u32 patch(u64 kind) {
  rewrite((u32 *)aliased, MOV_W0_1, (u32 *)alias);
  alias();
  rewrite((u32 *)aliased, MOV_W0_2, kind == PIPT ? 0 : (u32 *)alias);
  return alias();
}

static void host_sees(const char *when) {
  u64 trapped, here = hypercall(CALL_CORE, 0);
  for (u64 core = 0; core < MAX_CORES; core++) {
    if (hypercall(CALL_MIGRATE, core) != 0) continue;
    u64 ctr = (u64)vmm(VMM_HOST_CTR, 0, 0, 0, &trapped);
    print("%s: a program of the host reads 0x%lx on core %lu%s\n", when, ctr, core, trapped ? ", trapped" : "");
  }
  hypercall(CALL_MIGRATE, here);
}

static void guest_sees(const char *when) { print("%s: the guest reads L1Ip %lu\n", when, kind()); }

/* The first VMID again, after the guest had another one under which it rewrote `kept`. */
static void reuse_vmids(void) {
  /* Everything that runs from here on ran before: a page that gets execute permission may cost all lines. */
  hypercall(CALL_YIELD, 0);
  kept();
  vmm(VMM_OTHER_VMS, LAST_VMID, 0, 0, 0);
  hypercall(CALL_YIELD, 0);
  rewrite((u32 *)kept, MOV_W0_2, 0);
  print("another VMID: the function returns %u\n", kept());
  vmm(VMM_OTHER_VMS, 2 * LAST_VMID - 2, 0, 0, 0);
  hypercall(CALL_YIELD, 0);
  print("the first VMID again: the function returns %u\n", kept());
}

void main(void) {
  mmu_build();
  mmu_enable(0);
  map_alias();
  u64 first = kind();
  host_sees("before");
  guest_sees("before");
  print("core 0: rewritten as CTR_EL0 says, the function returns %u\n", patch(first));
  for (u64 core = 1; core < MAX_CORES; core++) {
    long outcome = vmm(VMM_ONLINE, core, 0, 0, 0);
    if (outcome < 0) continue;
    print("core %lu: %s\n", core, outcome == 0 ? "online" : "died");
    host_sees("after");
    guest_sees("after, on core 0");
    if (outcome != 0 || hypercall(CALL_MIGRATE, core) != 0) continue;
    guest_sees("on the late core");
    print("late core: rewritten as CTR_EL0 said before, the function returns %u\n", patch(first));
    print("late core: rewritten as CTR_EL0 says now, the function returns %u\n", patch(kind()));
  }
  reuse_vmids();
}
