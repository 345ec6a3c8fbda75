/**
 * Set/way operations of a guest (HCR_EL2.TSW) and the switch of its caches (HCR_EL2.TVM): kvm_set_way_flush and
 * kvm_toggle_cache. Source: FIDELITY A4 and a v6.17 source of mmu.c and sys_regs.c.
 */

import { maskOf } from './fields';

const CACHES = maskOf('SCTLR_EL1.M') | maskOf('SCTLR_EL1.C');

/** What to do to the VM's memory, and what HCR_EL2.TVM is afterwards. */
export interface CacheSwitch {
  /** Clean and invalidate all of the VM's stage-2 memory to the PoC (stage2_flush_vm). */
  readonly flush: boolean;
  readonly tvm: boolean;
}

/** A trapped DC ISW, CSW or CISW. With FWB nothing is done: the guest cannot have made memory incoherent. */
export function setWayTrap(tvm: boolean, fwb: boolean): CacheSwitch {
  if (fwb) return { flush: false, tvm };
  return { flush: !tvm, tvm: true };
}

/** The guest's caches are on: SCTLR_EL1.M and .C both set. */
export const cachesOn = (sctlr: bigint): boolean => (sctlr & CACHES) === CACHES;

/** A trapped write of a stage-1 control register; SCTLR_EL1 before and after it. Traps end once the caches are on. */
export function controlWrite(tvm: boolean, before: bigint, after: bigint): CacheSwitch {
  const now = cachesOn(after);
  return { flush: now !== cachesOn(before), tvm: tvm && !now };
}
