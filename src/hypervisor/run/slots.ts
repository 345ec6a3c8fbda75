/** Memory slots of a VM: KVM_SET_USER_MEMORY_REGION, decided by memslots.ts and carried out at stage 2. */
import { manualProtect, newBitmap } from '../dirtyLog';
import { type Outcome, resultOf } from '../errno';
import { memoryFlags } from '../kvmApi';
import { type SlotDecision, setRegion, withSlot } from '../memslots';
import type { PfnmapHost, SlotChange } from '../pfnmap';
import { vmasOf } from './hostMemory';
import type { Hypervisor } from './model';
import { done, type Next, type Plain, type Routine, step } from './routines';
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
function decide(model: Hypervisor, vm: Vm, wanted: Memslot): SlotDecision {
  const slots = vm.slots.map((slot) => ({ ...slot, userAddress: slot.hostAddress }));
  const host = { ...pfnmapHost(model, vm), pageBytes: model.config.pageBytes };
  return setRegion(slots, { ...wanted, userAddress: wanted.hostAddress }, vmasOf(vm.mappings), host);
}

/** A slot of a VM that has not run: nothing is mapped. One that is refused is not there for the guest. */
export function makeSlot(model: Hypervisor, vm: Vm, slot: Memslot): Outcome {
  const { outcome } = decide(model, vm, slot);
  if (outcome === 'ok') vm.slots.push(withLog(vm, slot, null));
  else vm.refused.push(slot);
  return outcome;
}

/** As plain data, for a call of kvm_set_memory_region. */
export function slotRequest({ id, guestAddress, bytes, flags, hostAddress }: Memslot): {
  readonly [name: string]: Plain;
} {
  return { id, guestAddress, bytes, flags, hostAddress };
}

export const setMemoryRegion: Routine = {
  name: 'kvm_set_memory_region',
  steps: [
    step('check the request', 60, (c, locals): Next => {
      const { vm } = c.vcpu;
      const wanted = wantedSlot(locals);
      const decision = decide(c.model, vm, wanted);
      c.vcpu.x[0] = resultOf(decision.outcome);
      if (decision.outcome !== 'ok' || decision.change === 'nothing') return done();
      locals.change = decision.change;
      return undefined;
    }),
    step('unmap what the slot had', 20, (c, locals): Next => {
      const { vm } = c.vcpu;
      const old = vm.slots.find(({ id }) => id === locals.id);
      const change = locals.change as SlotChange;
      locals.old = old === undefined ? null : { ...old };
      if (old === undefined || (change !== 'delete' && change !== 'move')) return undefined;
      // KVM_MEMSLOT_INVALID: faults find no slot from here on.
      vm.slots = vm.slots.filter((slot) => slot !== old);
      const { guestAddress, bytes } = old;
      return { call: 'kvm_arch_flush_shadow_memslot', with: { at: guestAddress, end: guestAddress + bytes } };
    }),
    step('commit the change', 40, (c, locals) => {
      const { vm } = c.vcpu;
      const wanted = withLog(vm, wantedSlot(locals), locals.old as unknown as Memslot | null);
      vm.slots = withSlot(vm.slots, wanted);
      vm.refused = vm.refused.filter(({ id }) => id !== wanted.id);
      // kvm_arch_commit_memory_region: with all pages dirty from the start, clearing them protects.
      const protects = wanted.dirty !== undefined && wanted.bytes > 0 && !isInitiallySet(vm);
      const { guestAddress, bytes } = wanted;
      return protects
        ? { call: 'kvm_mmu_wp_memory_region', with: { at: guestAddress, end: guestAddress + bytes } }
        : done();
    }),
  ],
};

const isInitiallySet = ({ manualDirtyLog }: Vm): boolean => (manualDirtyLog & manualProtect.INITIALLY_SET) !== 0;

/** The slot with its bitmap of dirty pages: the old one's, or a new one. */
function withLog(vm: Vm, slot: Memslot, old: Memslot | null): Memslot {
  if ((slot.flags & memoryFlags.KVM_MEM_LOG_DIRTY_PAGES) === 0) return slot;
  return { ...slot, dirty: old?.dirty ?? newBitmap(slot.bytes / vm.stage2.pageBytes, isInitiallySet(vm)) };
}

function wantedSlot(locals: { readonly [name: string]: Plain }): Memslot {
  const { id, guestAddress, bytes, flags, hostAddress } = locals as unknown as Memslot;
  return { id, guestAddress, bytes, flags, hostAddress };
}
