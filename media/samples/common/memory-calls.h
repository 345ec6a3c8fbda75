/*
 * What a guest asks of its VMM about memory slots and mappings, beside hypercalls.h: KVM's ioctls on the guest's own VM, and changes
 * behind KVM's back.
 */
#pragma once
#include "hypercalls.h"

enum {
  VMM_SET_USER_MEMORY_REGION = 0xc600011au, /* see vmm_set_region */
  VMM_USER_ADDRESS = 0xc600011bu,           /* *value: the user address behind guest address `a` */
  VMM_MUNMAP = 0xc600011cu,                 /* user space unmaps the `b` bytes behind guest address `a` */
  VMM_GET_DIRTY_LOG = 0xc600011du,          /* KVM_GET_DIRTY_LOG of slot `a`; *value: how many pages are dirty */
  VMM_DIRTY_PAGES = 0xc600011eu,            /* *value: pages 64 b to 64 b + 63 of the log of slot `a` that was got last */
  VMM_CLEAR_DIRTY_LOG = 0xc600011fu,        /* KVM_CLEAR_DIRTY_LOG of slot `a`, from page `b` on, `c` pages */
  VMM_AGE = 0xc6000120u,                    /* `enum ageing` c of `b` bytes from guest address `a` on; *value: 1 if used */
};

enum ageing { TEST_YOUNG, CLEAR_YOUNG, CLEAR_FLUSH_YOUNG };
#define KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2 168

/* KVM_SET_USER_MEMORY_REGION; 0 bytes: the slot goes. */
static inline long vmm_set_region(u64 slot, u64 flags, u64 guest_address, u64 bytes, u64 user_address) {
  register u64 x0 __asm__("x0") = VMM_SET_USER_MEMORY_REGION;
  register u64 x1 __asm__("x1") = slot;
  register u64 x2 __asm__("x2") = flags;
  register u64 x3 __asm__("x3") = guest_address;
  register u64 x4 __asm__("x4") = bytes;
  register u64 x5 __asm__("x5") = user_address;
  __asm__ volatile("hvc #0" : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3), "+r"(x4), "+r"(x5)::"memory");
  return (long)x0;
}
