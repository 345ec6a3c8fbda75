/**
 * Taking stage-2 entries away: for an MMU notifier of the host (kvm_unmap_gfn_range) and for memory slots that go or move. Every
 * entry goes by itself, with its TLB entries, and is cleaned to the PoC where guests may have written past the caches. A
 * block goes as a whole, even if a part of it was asked for: the rest is mapped by later faults.
 */
import { flushIpaSteps } from '../guestSwitch';
import { invalidateAll } from '../icacheRange';
import type { Step } from '../steps';
import { mappingOf } from './hostMemory';
import type { CoreContext } from './model';
import { done, type Locals, type Next, type Routine, step } from './routines';
import { freeTable, isEmptyTable } from './stage2Pages';
import { type Leaf, Stage2Table } from './stage2Table';
import { performing, stage2Host } from './world';

/** Entries that one step looks at, where they are invalid. */
const LOOKS = 512;

/** The next valid entry from `at` on, which moves behind it; 'later': none among so many. */
export function nextEntry(c: CoreContext, locals: Locals): Leaf | 'later' | undefined {
  for (let looks = 0; (locals.at as number) < (locals.end as number); looks++) {
    if (looks === LOOKS) return 'later';
    const leaf = c.vcpu.vm.stage2.find(c, locals.at as number);
    locals.at = leaf.ipa + leaf.bytes;
    if (Stage2Table.isValid(leaf.entry)) return leaf;
  }
  return undefined;
}

/** mmu_lock, for writing. False: another vCPU has it, and this one spins. */
export function takeLock(c: CoreContext): boolean {
  const { vm, owner } = c.vcpu;
  if (vm.mmuLock !== 0 && vm.mmuLock !== owner) {
    // The other core has its turn.
    c.port.penalty(c.core, 20);
    return false;
  }
  vm.mmuLock = owner;
  return true;
}

export const releaseLock = ({ vcpu }: CoreContext): void => {
  vcpu.vm.mmuLock = 0;
};

export const unmapRange: Routine = {
  name: 'kvm_unmap_gfn_range',
  steps: [
    step('begin the invalidation', 10, (c, { at, end }): Next => {
      if (!takeLock(c)) return { goto: 'begin the invalidation' };
      c.vcpu.vm.invalidating++;
      return { call: 'kvm_pgtable_stage2_unmap', with: { at, end } };
    }),
    step('end the invalidation', 10, (c) => {
      const { vm } = c.vcpu;
      vm.invalidateSequence++;
      vm.invalidating--;
      releaseLock(c);
      return done();
    }),
  ],
};

export const flushShadowMemslot: Routine = {
  name: 'kvm_arch_flush_shadow_memslot',
  steps: [
    step('take the lock to unmap', 10, (c, { at, end }): Next => {
      if (!takeLock(c)) return { goto: 'take the lock to unmap' };
      return { call: 'kvm_pgtable_stage2_unmap', with: { at, end } };
    }),
    step('release the lock', 2, (c) => {
      releaseLock(c);
      return done();
    }),
  ],
};

/**
 * KVM_ARM_VCPU_INIT of a vCPU that has run: the guest may find its memory with its caches off, so memory is unmapped, and cleaned
 * when it is mapped again. With FWB only the I-caches are invalidated (since v5.8). Then the vCPU is loaded.
 */
export const unmapVm: Routine = {
  name: 'stage2_unmap_vm',
  steps: [
    step('lock the VM’s memory', 10, (c, locals): Next => {
      const { vm } = c.vcpu;
      locals.next = 0;
      if (!vm.initAgain) return { goto: 'load the vCPU after all' };
      if (!c.model.fwb) return takeLock(c) ? undefined : { goto: 'lock the VM’s memory' };
      vm.initAgain = false;
      locals.next = vm.slots.length;
      return performing(invalidateAll(stage2Host(c)));
    }),
    step('unmap the next slot', 5, (c, locals): Next => {
      const { vm } = c.vcpu;
      const slot = vm.slots[locals.next as number];
      if (slot === undefined) return { goto: 'release the VM’s memory' };
      locals.next = (locals.next as number) + 1;
      const { guestAddress: at, bytes, hostAddress } = slot;
      const isOrdinary = mappingOf(vm.mappings, hostAddress)?.vma.kind !== 'pfnmap';
      return isOrdinary ? { call: 'kvm_pgtable_stage2_unmap', with: { at, end: at + bytes } } : undefined;
    }),
    step('look for another slot', 1, () => ({ goto: 'unmap the next slot' })),
    step('release the VM’s memory', 2, (c) => {
      c.vcpu.vm.initAgain = false;
      if (!c.model.fwb) releaseLock(c);
      return undefined;
    }),
    step('load the vCPU after all', 1, () => ({ call: 'kvm_arch_vcpu_load' })),
  ],
};

/** Locals: `at` where it goes on, `end`, both guest addresses; of what was cleared last `cleared` (an address) and its `level`. */
export const stage2Unmap: Routine = {
  name: 'kvm_pgtable_stage2_unmap',
  steps: [
    step('clear the next entry', 10, (c, locals): Next => {
      const leaf = nextEntry(c, locals);
      if (leaf === undefined) return done();
      if (leaf === 'later') return { goto: 'clear the next entry' };
      locals.cleared = leaf.ipa;
      locals.level = leaf.level;
      return clearing(c, leaf, cleanSteps(c, leaf));
    }),
    step('clear the entry of an empty table', 5, (c, locals): Next => {
      const table = emptyTable(c, locals);
      if (table === undefined) return { goto: 'clear the next entry' };
      locals.level = table.level;
      locals.table = Stage2Table.addressOf(table.entry);
      return clearing(c, table, []);
    }),
    step('free the table', 5, (c, { table }) => {
      freeTable(c.vcpu.vm, table as number);
      return { goto: 'clear the entry of an empty table' };
    }),
  ],
};

/** The entry that points to the table in which the last entry was cleared, if nothing is left in that table. */
function emptyTable(c: CoreContext, { cleared, level }: Locals): Leaf | undefined {
  const { vm } = c.vcpu;
  if (level === vm.stage2.startLevel) return undefined;
  const above = vm.stage2.entry(c, cleared as number, (level as number) - 1);
  return isEmptyTable(vm, Stage2Table.addressOf(above.entry)) ? above : undefined;
}

function clearing(c: CoreContext, entry: Leaf, after: readonly Step[]): Next {
  const { host, policies } = c.model;
  const flush = flushIpaSteps({ icacheIsVpipt: host.icacheIsVpipt }, policies, stage2Host(c).hostEl);
  const { call, with: about } = performing([{ name: 'clear the entry' }, ...flush, ...after], {
    from: BigInt(Stage2Table.addressOf(entry.entry)),
    bytes: entry.bytes,
    at: entry.at,
  });
  return { call, with: { ...about, ipa: BigInt(entry.ipa) } };
}

/** Without FWB, guests may have written past the caches what is cacheable for the host. */
function cleanSteps(c: CoreContext, { entry, bytes }: Leaf): readonly Step[] {
  const mapping = mappingOf(c.vcpu.vm.mappings, Stage2Table.addressOf(entry));
  if (c.model.fwb || mapping?.kernelMemory !== true || !Stage2Table.isCacheable(entry)) return [];
  return [{ name: 'DC CIVAC', count: bytes / stage2Host(c).dataLineBytes }, { name: 'DSB SY' }];
}
