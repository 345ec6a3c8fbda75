/* Calls of the hypervisor model beside PSCI: SMCCC's range of vendor-specific hypervisor services. */
#pragma once
#include "runtime.h"

enum {
  CALL_YIELD = 0xc6000100u,   /* another vCPU may have the core */
  CALL_MIGRATE = 0xc6000101u, /* go on on physical core `a` */
  CALL_CORE = 0xc6000103u,    /* the physical core */
};

#define hypercall(function, a) firmware_call((function), (a), 0, 0)
