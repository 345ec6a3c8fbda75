/*
 * Calls of the hypervisor model beside PSCI, in SMCCC's range of vendor-specific hypervisor services. Those from 0x110 on go
 * to user space, as KVM_EXIT_HYPERCALL: the VMM does on its own ioctls, mappings and memory what the guest asks for.
 */
#pragma once
#include "runtime.h"

enum {
  CALL_YIELD = 0xc6000100u,   /* another vCPU may have the core */
  CALL_MIGRATE = 0xc6000101u, /* go on on physical core `a` */
  CALL_CORE = 0xc6000103u,    /* the physical core */

  VMM_GET_ONE_REG = 0xc6000110u,       /* register `a`; the value comes through `*value` */
  VMM_SET_ONE_REG = 0xc6000111u,       /* register `a` to `b` */
  VMM_CHECK_EXTENSION = 0xc6000112u,   /* capability `a` of the VM */
  VMM_ENABLE_CAP = 0xc6000113u,        /* capability `a` */
  VMM_SET_MEMORY_REGION = 0xc6000114u, /* slot `a` anew, with flags `b` */
  VMM_MMAP = 0xc6000115u,              /* slot `a` is mapped as `enum host_memory` b from now on */
  VMM_WRITE = 0xc6000116u,             /* word `b` to address `a`, then `enum cleaning` c */
  VMM_ONLINE = 0xc6000117u,            /* core `a` is to come online: 0, or 1 if it died */
  VMM_HOST_CTR = 0xc6000118u,          /* what the VMM reads of CTR_EL0 here; *value: 1 if the read was trapped */
  VMM_OTHER_VMS = 0xc6000119u,         /* `a` other VMs come and go, each with a VMID of its own */
};

enum host_memory { HOST_NORMAL, HOST_NORMAL_NC, HOST_DEVICE_nGnRE, HOST_DEVICE_nGnRnE };
enum cleaning { NO_CLEANING, CLEAR_CACHE, CLEAN_TO_POC };

#define KVM_CAP_ARM_CACHEABLE_PFNMAP_SUPPORTED 243
#define REG_CCSIDR(csselr) (0x6020000000110000ul | (csselr))
#define REG_CLIDR 0x603000000013c801ul
#define REG_CTR 0x603000000013d801ul

/* Errno as ioctls give it, negative. */
enum { ENOENT = 2, EFAULT = 14, EBUSY = 16, EINVAL = 22 };

#define hypercall(function, a) firmware_call((function), (a), 0, 0)

/* A call of the VMM; `value`, where given, takes its second result. */
static inline long vmm(u64 function, u64 a, u64 b, u64 c, u64 *value) {
  register u64 x0 __asm__("x0") = function;
  register u64 x1 __asm__("x1") = a;
  register u64 x2 __asm__("x2") = b;
  register u64 x3 __asm__("x3") = c;
  __asm__ volatile("hvc #0" : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3)::"memory");
  if (value) *value = x1;
  return (long)x0;
}

/* "0", or the errno's name. */
static inline const char *errno_name(long result) {
  switch (result) {
    case 0: return "ok";
    case -ENOENT: return "ENOENT";
    case -EFAULT: return "EFAULT";
    case -EBUSY: return "EBUSY";
    case -EINVAL: return "EINVAL";
    default: return "?";
  }
}
