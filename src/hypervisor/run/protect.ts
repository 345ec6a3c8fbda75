/**
 * Stage-2 entries that stay and lose something: write permission, for dirty logging (kvm_mmu_wp_memory_region, KVM_GET_DIRTY_LOG,
 * KVM_CLEAR_DIRTY_LOG), or the access flag, for the host's ageing (kvm_age_gfn). Blocks are protected as they are; the
 * fault that writes breaks them, since there is no eager splitting (KVM_CAP_ARM_EAGER_SPLIT_CHUNK_SIZE of v6.5 is 0
 * unless user space asks). TLBs forget the whole VM afterwards, not a range (v6.6 with FEAT_TLBIRANGE).
 */
import {
  clearOutcome,
  countDirty,
  dirtyPages,
  getOutcome,
  isDirty,
  LOG_WORD,
  manualProtect,
  spansOf,
} from '../dirtyLog';
import { resultOf } from '../errno';
import { flushVmidSteps } from '../guestSwitch';
import type { CoreContext } from './model';
import { done, type Next, type Plain, type Routine, step } from './routines';
import { writeEntry } from './stage2Pages';
import { Stage2Table } from './stage2Table';
import { nextEntry, releaseLock, takeLock } from './unmap';
import type { Memslot } from './vm';
import { AGEING } from './vmmApi';
import { performing } from './world';

const rangeOf = ({ guestAddress }: Memslot, pageBytes: number, first: number, pages: number) => ({
  at: guestAddress + first * pageBytes,
  end: guestAddress + (first + pages) * pageBytes,
});

export const wrProtect: Routine = {
  name: 'kvm_pgtable_stage2_wrprotect',
  steps: [
    step('write-protect the next entry', 10, (c, locals): Next => {
      const leaf = nextEntry(c, locals);
      if (leaf === undefined) return done();
      if (leaf !== 'later' && Stage2Table.isWritable(leaf.entry))
        writeEntry(c, c.vcpu.vm, leaf.at, Stage2Table.readOnly(leaf.entry));
      return { goto: 'write-protect the next entry' };
    }),
  ],
};

/** Logging begins: everything of the slot is write-protected, so that the next write of each page faults. */
export const wpMemoryRegion: Routine = {
  name: 'kvm_mmu_wp_memory_region',
  steps: [
    step('lock and write-protect the slot', 10, (c, { at, end }): Next => {
      if (!takeLock(c)) return { goto: 'lock and write-protect the slot' };
      return { call: 'kvm_pgtable_stage2_wrprotect', with: { at, end } };
    }),
    step('forget the VM’s TLB entries', 5, (c) => {
      releaseLock(c);
      return performing(flushVmidSteps);
    }),
  ],
};

const slotOf = (c: CoreContext, id: Plain): Memslot | undefined => c.vcpu.vm.slots.find((slot) => slot.id === id);

/**
 * KVM_GET_DIRTY_LOG. The VMM gets the bitmap; with manual protection that is all, else it begins anew and what was dirty is
 * write-protected again. X1: how many pages are dirty.
 */
export const getDirtyLog: Routine = {
  name: 'kvm_get_dirty_log_protect',
  steps: [
    step('copy the bitmap', 40, (c, locals): Next => {
      const { vm, x } = c.vcpu;
      const slot = slotOf(c, locals.slot);
      const outcome = getOutcome(locals.slot as number, slot?.dirty);
      x[0] = resultOf(outcome);
      if (outcome !== 'ok' || slot?.dirty === undefined) return done();
      vm.dirtyLogs[slot.id] = [...slot.dirty];
      x[1] = BigInt(countDirty(slot.dirty));
      const manual = (vm.manualDirtyLog & manualProtect.ENABLE) !== 0;
      return manual ? done() : { call: 'kvm_arch_mmu_enable_log_dirty_pt_masked', with: { slot: slot.id } };
    }),
  ],
};

/** KVM_CLEAR_DIRTY_LOG of pages [first, first + pages) that were dirty in the log that the VMM got last. */
export const clearDirtyLog: Routine = {
  name: 'kvm_clear_dirty_log_protect',
  steps: [
    step('check the range', 40, (c, locals): Next => {
      const { vm, x } = c.vcpu;
      const slot = slotOf(c, locals.slot);
      const span = { first: locals.first as number, pages: locals.pages as number };
      const outcome = clearOutcome(locals.slot as number, slot?.dirty, span, (slot?.bytes ?? 0) / vm.stage2.pageBytes);
      x[0] = resultOf(outcome);
      if (outcome !== 'ok' || slot === undefined) return done();
      const { first, pages } = span;
      const end = first + Math.ceil(pages / LOG_WORD) * LOG_WORD;
      return { call: 'kvm_arch_mmu_enable_log_dirty_pt_masked', with: { slot: slot.id, first, end } };
    }),
  ],
};

/** Takes dirty pages out of the bitmap and write-protects them; those of a range only if the VMM has seen them dirty. */
export const enableLogDirty: Routine = {
  name: 'kvm_arch_mmu_enable_log_dirty_pt_masked',
  steps: [
    step('take the dirty pages', 20, (c, locals): Next => {
      if (!takeLock(c)) return { goto: 'take the dirty pages' };
      const slot = slotOf(c, locals.slot);
      if (slot?.dirty === undefined) return { goto: 'release the lock of the log' };
      const { dirty } = slot;
      const { first, end } = locals as { first?: number; end?: number };
      const seen = first === undefined ? undefined : (c.vcpu.vm.dirtyLogs[slot.id] ?? []);
      const taken = dirtyPages(dirty, first, end).filter((page) => seen === undefined || isDirty(seen, page));
      for (const page of taken) dirty[Math.floor(page / 32)] &= ~(1 << (page % 32));
      locals.spans = spansOf(taken).map((span) => rangeOf(slot, c.vcpu.vm.stage2.pageBytes, span.first, span.pages));
      locals.next = 0;
      return undefined;
    }),
    step('write-protect the next pages', 5, (_c, locals): Next => {
      const spans = locals.spans as readonly Plain[];
      const next = locals.next as number;
      if (next >= spans.length) return undefined;
      locals.next = next + 1;
      return { call: 'kvm_pgtable_stage2_wrprotect', with: { ...(spans[next] as { [name: string]: Plain }) } };
    }),
    step('look for more dirty pages', 1, (_c, locals) => {
      const more = (locals.next as number) < (locals.spans as readonly Plain[]).length;
      return more ? { goto: 'write-protect the next pages' } : undefined;
    }),
    step('release the lock of the log', 2, (c, locals) => {
      releaseLock(c);
      return ((locals.spans ?? []) as readonly Plain[]).length === 0 ? done() : performing(flushVmidSteps);
    }),
  ],
};

/**
 * kvm_age_gfn and kvm_test_age_gfn: whether any entry of a range was used since it was made old. `how`: only look; make old, and leave
 * TLBs alone, so that uses through them go unseen; or forget the VM's TLB entries too if something was young. Since v6.5 all
 * entries of the range count, before it the first. X1: 1 if something was young.
 */
export const ageGfn: Routine = {
  name: 'kvm_age_gfn',
  steps: [
    step('take the lock to age', 10, (c, locals): Next => {
      if (!takeLock(c)) return { goto: 'take the lock to age' };
      locals.young = false;
      return undefined;
    }),
    step('make the next entry old', 10, (c, locals): Next => {
      const { vm } = c.vcpu;
      if (c.model.policies.ageing === 'firstEntry')
        locals.end = Math.min(locals.end as number, (locals.at as number) + 1);
      const leaf = nextEntry(c, locals);
      if (leaf === undefined) return undefined;
      if (leaf !== 'later' && Stage2Table.isYoung(leaf.entry)) {
        locals.young = true;
        if (locals.how !== AGEING.testYoung) writeEntry(c, vm, leaf.at, Stage2Table.old(leaf.entry));
      }
      return { goto: 'make the next entry old' };
    }),
    step('forget the TLB entries of what was young', 5, (c, { young, how }) => {
      releaseLock(c);
      c.vcpu.x[0] = 0n;
      c.vcpu.x[1] = young === true ? 1n : 0n;
      return young === true && how === AGEING.clearFlushYoung ? performing(flushVmidSteps) : done();
    }),
  ],
};
