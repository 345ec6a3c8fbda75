/*
 * el-tour, part 2: the kernel at EL1.
 *
 * It turns the MMU and the caches on, sets the GIC and the virtual timer up, goes to EL0 (user.c), and from then on
 * runs only when an exception brings it back: an SVC, an IRQ, or a data abort. Good places for breakpoints:
 * `exception`, `system_call`, `data_abort`, `interrupt`.
 */
#include "runtime.h"
#include "calls.h"

#define GICD 0x08000000ul
#define GICC 0x08010000ul
#define GICD_CTLR (*(volatile u32 *)(GICD + 0x000))
#define GICD_ISENABLER0 (*(volatile u32 *)(GICD + 0x100))
#define GICC_CTLR (*(volatile u32 *)(GICC + 0x000))
#define GICC_PMR (*(volatile u32 *)(GICC + 0x004))
#define GICC_IAR (*(volatile u32 *)(GICC + 0x00c))
#define GICC_EOIR (*(volatile u32 *)(GICC + 0x010))

enum { VIRTUAL_TIMER_PPI = 27, SPURIOUS = 1023 };
enum { EC_SVC64 = 0x15, EC_DATA_ABORT_LOWER_EL = 0x24 };

/* What the tour has seen, for a look in the Variables view. */
struct tour {
  u32 system_calls;
  u32 interrupts;
  struct abort {
    u64 far;
    u32 fault_status; /* ESR_EL1.ISS.DFSC */
    u32 is_write;     /* ESR_EL1.ISS.WnR */
  } aborts[4];
  u32 abort_count;
};

struct tour tour;

extern void user_main(void);
extern u64 hvc_double(u64 number);

static void gic_enable(u32 interrupt) {
  GICD_ISENABLER0 = 1u << interrupt;
  GICD_CTLR = 1;
  GICC_PMR = 0xff;
  GICC_CTLR = 1;
}

static void timer_start(u64 microseconds) {
  u64 ticks = read_sysreg(cntfrq_el0) * microseconds / 1000000;
  write_sysreg(cntv_tval_el0, ticks);
  write_sysreg(cntv_ctl_el0, 1); /* ENABLE */
}

static void timer_stop(void) { write_sysreg(cntv_ctl_el0, 0); }

void main(void) {
  mmu_build();
  mmu_map((u64)user_lazy_page, (u64)user_lazy_page + 4096, UNMAPPED);
  mmu_enable(0);
  print("[EL1] MMU and caches are on, SCTLR_EL1 0x%8lx\n", read_sysreg(sctlr_el1));
  gic_enable(VIRTUAL_TIMER_PPI);
  print("[EL1] going to EL0 by ERET\n");
  enter_el0((u64)user_main, (u64)user_stack + sizeof user_stack);
}

/* True when the machine gave us an EL2 of our own: levels.S has then been there on its way down. */
static u32 have_el2(void) { return boot_el >= 2 && ((read_sysreg(id_aa64pfr0_el1) >> 8) & 15) != 0; }

static void system_call(struct frame *frame) {
  u64 number = frame->x[8], argument = frame->x[0];
  tour.system_calls++;
  switch (number) {
    case CALL_PRINT:
      print("%s", (const char *)argument);
      break;
    case CALL_DOUBLE:
      if (!have_el2()) {
        print("[EL1] SVC from EL0: there is no EL2 of ours, so EL1 answers itself\n");
        frame->x[0] = argument * 2;
        break;
      }
      print("[EL1] SVC from EL0: asking EL2 by HVC\n");
      frame->x[0] = hvc_double(argument);
      print("[EL1] EL2 answered %lu\n", frame->x[0]);
      break;
    case CALL_TIMER:
      print("[EL1] SVC from EL0: timer set, back to EL0\n");
      timer_start(argument);
      break;
    case CALL_EXIT:
      print("[EL1] taken in all: SVC %u, IRQ %u, data abort %u; powering off by PSCI\n", tour.system_calls, tour.interrupts,
            tour.abort_count);
      end_run(argument);
    default:
      print("[EL1] no system call %lu\n", number);
      end_run(1);
  }
}

/*
 * EL0 touched the page at LAZY_PAGE, which has no descriptor yet. It gets one, and the ERET tries the instruction
 * again. A descriptor that was invalid is in no TLB, so it needs no invalidation: only the store must reach the table
 * walker (DSB) before the instruction is tried again (the ERET is a context synchronisation event).
 */
static void data_abort(struct frame *frame, u64 esr) {
  struct abort *abort = &tour.aborts[tour.abort_count++ % 4];
  abort->far = read_sysreg(far_el1);
  abort->fault_status = esr & 0x3f;
  abort->is_write = (esr >> 6) & 1;
  print("[EL1] data abort from EL0: FAR_EL1 0x%lx, %s, fault status 0x%2x\n", abort->far,
        abort->is_write ? "write" : "read", abort->fault_status);
  u64 lazy_page = (u64)user_lazy_page;
  if (abort->far - lazy_page >= 4096) unexpected_exception(frame, VECTOR_FROM_EL0);
  mmu_map(lazy_page, lazy_page + 4096, USER_DATA);
  dsb_ish();
  print("[EL1] the page is mapped now: back by ERET to the same instruction\n");
}

static void interrupt(struct frame *frame) {
  u32 id = GICC_IAR & 0x3ff;
  if (id == SPURIOUS) return;
  tour.interrupts++;
  timer_stop();
  print("[EL1] IRQ %u, the virtual timer, taken from EL%u\n", id, (u32)(frame->spsr >> 2) & 3);
  *(volatile u32 *)&user_ticks += 1;
  GICC_EOIR = id;
}

void exception(struct frame *frame, u64 vector) {
  u64 esr = read_sysreg(esr_el1);
  if (vector == VECTOR_FROM_EL0 + VECTOR_IRQ) return interrupt(frame);
  if (vector == VECTOR_FROM_EL0 + VECTOR_SYNC) {
    if (esr >> 26 == EC_SVC64) return system_call(frame);
    if (esr >> 26 == EC_DATA_ABORT_LOWER_EL) return data_abort(frame, esr);
  }
  unexpected_exception(frame, vector);
}
