/*
 * The small runtime under every sample: console, end of run, page tables, exceptions, other cores.
 * The board is QEMU's "virt": PL011 at 0x09000000, RAM from 0x40000000, PSCI by HVC (entered at EL1) or SMC.
 */
#pragma once

typedef __UINT8_TYPE__ u8;
typedef __UINT32_TYPE__ u32;
typedef __UINT64_TYPE__ u64;

#define read_sysreg(name)                                                                                              \
  ({                                                                                                                   \
    u64 value_;                                                                                                        \
    __asm__ volatile("mrs %0, " #name : "=r"(value_));                                                                 \
    value_;                                                                                                            \
  })
#define write_sysreg(name, value) __asm__ volatile("msr " #name ", %x0" ::"rZ"((u64)(value)) : "memory")
#define isb() __asm__ volatile("isb" ::: "memory")
#define dsb_ish() __asm__ volatile("dsb ish" ::: "memory")

/* print.c: %s text, %c character, %u %x 32 bits, %lu %lx 64 bits, each with an optional width; %x pads with zeros. */
void console_init(void);
void print(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* boot.S: the level at which the machine entered us, 1, 2 or 3. */
extern u64 boot_el;
/* boot.S: where PSCI CPU_ON is to start a core; it goes to secondary_main. */
void secondary_start(void);

/* calls.S: PSCI, by HVC when the machine entered us at EL1, else by SMC. */
u64 firmware_call(u64 function, u64 a, u64 b, u64 c);
/* calls.S: HLT #0xF000 with SYS_EXIT. */
void semihosting_exit(u64 code) __attribute__((noreturn));
/* calls.S: leaves EL1 for EL0, interrupts enabled. */
void enter_el0(u64 pc, u64 sp) __attribute__((noreturn));

/* end.c: 0 powers the machine off by PSCI, anything else is the exit code given through semihosting. */
void end_run(u64 code) __attribute__((noreturn));
/* cores.c: starts core `core` at secondary_start with `argument` in x0; 0 when it worked. */
u64 start_core(u64 core, u64 argument);

/* What the vectors save, in this order (vectors.S). */
struct frame {
  u64 x[31];
  u64 sp_el0;
  u64 elr;
  u64 spsr;
};

/* Which of the sixteen vectors was taken: source (0 EL1 with SP_EL0, 1 EL1, 2 EL0, 3 EL0 AArch32) * 4 + kind. */
enum { VECTOR_SYNC = 0, VECTOR_IRQ = 1, VECTOR_FIQ = 2, VECTOR_SERROR = 3, VECTOR_FROM_EL1 = 4, VECTOR_FROM_EL0 = 8 };

/* A sample defines this to take exceptions; the runtime's own prints the syndrome and ends the run with code 1. */
void exception(struct frame *frame, u64 vector);
void unexpected_exception(struct frame *frame, u64 vector) __attribute__((noreturn));

/* mmu.c: 4 KiB granule, 39-bit addresses, identity map of the image and the devices. */
enum permission { KERNEL_TEXT, KERNEL_CONST, KERNEL_DATA, KERNEL_PATCH, USER_TEXT, USER_DATA, USER_CODE, UNMAPPED };
void mmu_build(void);
void mmu_map(u64 start, u64 end, enum permission permission);
/* Loads the translation registers of this core and sets SCTLR_EL1 to M, C, I and `extra`. */
void mmu_enable(u64 extra);

enum {
  SCTLR_DZE = 1 << 14, /* DC ZVA at EL0 */
  SCTLR_UCT = 1 << 15, /* CTR_EL0 at EL0 */
  SCTLR_UCI = 1 << 26, /* DC CVAU, IC IVAU and their like at EL0 */
};

/* The sample itself: main runs on core 0 at EL1 with the MMU off. */
void main(void);
void secondary_main(u64 argument);
