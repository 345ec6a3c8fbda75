/**
 * The first decisions about a stage-2 abort of a guest (kvm_handle_guest_abort): is there memory for the address, and if not,
 * what becomes of the access. Source: FIDELITY A3 and a v6.17 source of mmu.c.
 */

export interface AbortFacts {
  readonly kind: 'translation' | 'permission' | 'accessFlag' | 'other';
  /** An instruction fetch. */
  readonly fetch: boolean;
  readonly write: boolean;
  /** ESR.S1PTW: made by a walk of the guest's own tables. */
  readonly stage1Walk: boolean;
  /** ESR.CM: a cache maintenance operation. */
  readonly cacheMaintenance: boolean;
  readonly ipa: number;
  /** Bits of intermediate addresses: the VM's, and the most that the host's cores have. */
  readonly ipaBits: number;
  readonly hostIpaBits: number;
  /** The slot of the address, if there is one. */
  readonly slot: { readonly writable: boolean } | undefined;
}

export type AbortDecision =
  /** Address size fault into the guest, with the intermediate address: beyond what any core has. */
  | 'injectSizeFault'
  /** Synchronous external abort into the guest with the intermediate address: beyond what the VM has. */
  | 'injectBeyondVm'
  /** Synchronous external abort into the guest, on data or the fetch. */
  | 'injectDataAbort'
  | 'injectInstructionAbort'
  /** The operation is skipped: what is not memory cannot be cached. */
  | 'skipInstruction'
  /** MMIO: to user space, or to a device of the kernel. */
  | 'mmio'
  | 'markYoung'
  /** There is memory: see pfnmap.ts and stage2Map.ts. */
  | 'mapMemory'
  /** KVM_RUN fails with EFAULT. */
  | 'unsupported';

export function abortDecision(abort: AbortFacts): AbortDecision {
  if (abort.kind === 'translation') {
    if (abort.ipa >= 2 ** abort.hostIpaBits) return 'injectSizeFault';
    if (abort.ipa >= 2 ** abort.ipaBits) return 'injectBeyondVm';
  }
  if (abort.kind === 'other') return 'unsupported';
  const { slot } = abort;
  if (slot === undefined || (abort.write && !slot.writable)) {
    if (abort.fetch) return 'injectInstructionAbort';
    if (abort.stage1Walk) return 'injectDataAbort';
    return slot === undefined && abort.cacheMaintenance ? 'skipInstruction' : 'mmio';
  }
  return abort.kind === 'accessFlag' ? 'markYoung' : 'mapMemory';
}

/** The host changed its mappings between look-up and lock (mmu_invalidate_seq): the guest runs on and faults again. */
export const mustRetry = (seenSequence: number, sequence: number, inProgress: boolean): boolean =>
  inProgress || seenSequence !== sequence;
