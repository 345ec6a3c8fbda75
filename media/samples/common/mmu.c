/*
 * Translation tables for EL1 and EL0: 4 KiB granule, 39-bit virtual addresses (so three levels, 1 to 3), identity map.
 * Memory is Normal, Write-Back, Inner Shareable; the devices below 1 GiB are Device-nGnRnE and never executable.
 */
#include "runtime.h"

#define PAGE 4096ul
#define ENTRIES 512

enum { DESC_TABLE = 3, DESC_PAGE = 3, DESC_BLOCK = 1, ATTR_DEVICE = 0 << 2, ATTR_NORMAL = 1 << 2 };
enum { AP_EL0 = 1 << 6, AP_READ_ONLY = 2 << 6, SH_INNER = 3 << 8, AF = 1 << 10 };
#define PXN (1ul << 53)
#define UXN (1ul << 54)

static const u64 permission_bits[] = {
    [KERNEL_TEXT] = AP_READ_ONLY | UXN,
    [KERNEL_CONST] = AP_READ_ONLY | UXN | PXN,
    [KERNEL_DATA] = UXN | PXN,
    [KERNEL_PATCH] = UXN,
    [USER_TEXT] = AP_READ_ONLY | AP_EL0 | PXN,
    [USER_DATA] = AP_EL0 | UXN | PXN,
    [USER_CODE] = AP_EL0 | PXN,
};

#ifndef TABLES
#define TABLES 12
#endif
static u64 tables[TABLES][ENTRIES] __attribute__((aligned(4096)));
static u32 tables_used = 1; /* tables[0] is the level 1 table */

static u64 *next_table(u64 *entry) {
  if (!(*entry & 1)) {
    if (tables_used == TABLES) {
      print("mmu: no table left\n");
      end_run(1);
    }
    *entry = (u64)tables[tables_used++] | DESC_TABLE;
  }
  return (u64 *)(*entry & 0xfffffffff000ul);
}

/* Maps whole pages of Normal memory, or takes them away. Does no TLB maintenance: that is the caller's. */
void mmu_map(u64 start, u64 end, enum permission permission) {
  for (u64 va = start & ~(PAGE - 1); va < end; va += PAGE) {
    u64 *level2 = next_table(&tables[0][(va >> 30) % ENTRIES]);
    u64 *level3 = next_table(&level2[(va >> 21) % ENTRIES]);
    u64 descriptor = 0;
    if (permission != UNMAPPED) descriptor = va | permission_bits[permission] | AF | SH_INNER | ATTR_NORMAL | DESC_PAGE;
    *(volatile u64 *)&level3[(va >> 12) % ENTRIES] = descriptor;
  }
}

extern u8 image_start[], rodata_start[], user_text_start[], patch_start[], data_start[], user_data_start[],
    user_code_start[], kernel_bss_start[], image_end[];

void mmu_build(void) {
  tables[0][0] = 0 | UXN | PXN | AF | ATTR_DEVICE | DESC_BLOCK; /* 0 to 1 GiB: flash, GIC, UART, virtio */
  mmu_map((u64)image_start, (u64)rodata_start, KERNEL_TEXT);
  mmu_map((u64)rodata_start, (u64)user_text_start, KERNEL_CONST);
  mmu_map((u64)user_text_start, (u64)patch_start, USER_TEXT);
  mmu_map((u64)patch_start, (u64)data_start, KERNEL_PATCH);
  mmu_map((u64)data_start, (u64)user_data_start, KERNEL_DATA);
  mmu_map((u64)user_data_start, (u64)user_code_start, USER_DATA);
  mmu_map((u64)user_code_start, (u64)kernel_bss_start, USER_CODE);
  mmu_map((u64)kernel_bss_start, (u64)image_end, KERNEL_DATA);

  /*
   * The tables were written with the MMU off, so past the caches, and will be read through them: no line of them may
   * be in a data cache, left there by whoever ran before us.
   */
  u64 line = 4ul << ((read_sysreg(ctr_el0) >> 16) & 15);
  for (u64 a = (u64)tables; a < (u64)tables + sizeof tables; a += line) __asm__ volatile("dc ivac, %0" ::"r"(a) : "memory");
  __asm__ volatile("dsb sy" ::: "memory");
}

void mmu_enable(u64 extra) {
  write_sysreg(mair_el1, 0xff00);  /* attribute 0 Device-nGnRnE, 1 Normal Write-Back */
  write_sysreg(tcr_el1, 25         /* T0SZ: 39 bits */
                            | 1 << 8 | 1 << 10 /* walks are Write-Back */
                            | 3 << 12          /* and Inner Shareable */
                            | 1 << 23);        /* EPD1: nothing through TTBR1; IPS 0: 4 GiB */
  write_sysreg(ttbr0_el1, (u64)tables[0]);
  __asm__ volatile("dsb ish; tlbi vmalle1; dsb nsh; isb; ic iallu; dsb nsh; isb" ::: "memory");
  write_sysreg(sctlr_el1, read_sysreg(sctlr_el1) | 1 | 1 << 2 | 1 << 12 | extra); /* M, C, I */
  isb();
}
