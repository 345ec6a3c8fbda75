/** Memory slots of a VM: what KVM says when one is made, with the host's facts about device memory. */
import type { Outcome } from '../errno';
import { checkSlot, type PfnmapHost } from '../pfnmap';
import type { Hypervisor } from './model';
import type { Memslot, Vm } from './vm';

export function pfnmapHost(model: Hypervisor, vm: Vm): PfnmapHost {
  return {
    policies: model.policies,
    fwb: model.fwb,
    dic: model.host.has('HAS_CACHE_DIC'),
    ipaBits: vm.stage2.inputBits,
    mte: false,
    enabled: vm.cacheablePfnmap,
  };
}

/** What KVM_SET_USER_MEMORY_REGION says of a slot. */
export function slotOutcome(model: Hypervisor, vm: Vm, slot: Memslot, flags = slot.flags): Outcome {
  const { guestAddress, bytes, hostAddress, vma } = slot;
  const request = { change: 'create', guestAddress, bytes, userAddress: hostAddress, flags } as const;
  return checkSlot(request, [vma], pfnmapHost(model, vm));
}
