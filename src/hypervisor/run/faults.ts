/** Stage-2 aborts of a guest (arch/arm64/kvm/mmu.c, mmio.c), and the loops over a VM's memory. */
import { EC } from '../../arch/syndromes';
import { virtMap } from '../../devices/virtBoard';
import { mark } from '../dirtyLog';
import { abortDecision, mustRetry } from '../guestAbort';
import { flushIpaSteps } from '../guestSwitch';
import { memoryFlags } from '../kvmApi';
import { faultDecision } from '../pfnmap';
import { memAttr, type Stage2Memory } from '../stage2Attributes';
import { actionFor, type FaultFacts, faultSteps, permissionsFor, type Replaced } from '../stage2Map';
import { isWhole, mappingOf } from './hostMemory';
import { abortStatus, injectAbort, skip } from './inject';
import type { CoreContext } from './model';
import { done, type Locals, type Next, type Routine, step } from './routines';
import { pfnmapHost } from './slots';
import { freeTree, tablesOf, writeEntry } from './stage2Pages';
import { LAST_LEVEL, type Leaf, Stage2Table } from './stage2Table';
import { releaseLock, takeLock } from './unmap';
import type { Memslot } from './vm';
import { performing, stage2Host } from './world';

const bit = (value: bigint, n: number): boolean => ((value >> BigInt(n)) & 1n) === 1n;

/** Fault status [5:2] of the kinds that KVM looks at. */
const kinds: Readonly<Record<number, 'translation' | 'permission' | 'accessFlag'>> = {
  1: 'translation',
  2: 'accessFlag',
  3: 'permission',
};

/**
 * kvm_is_write_fault, kvm_vcpu_trap_is_exec_fault: a walk of the guest's own tables reads them, whatever it is for; where it may not,
 * it is to set the access flag or the dirty state.
 */
function accessOf(esr: bigint, permission: boolean): FaultFacts['access'] {
  if (bit(esr, 7)) return permission ? 'write' : 'read';
  if (Number(esr >> 26n) === EC.INSTRUCTION_ABORT_LOWER) return 'execute';
  return bit(esr, 6) ? 'write' : 'read';
}

export const guestAbort: Routine = {
  name: 'kvm_handle_guest_abort',
  steps: [
    step('read the fault registers', 10, (c, locals) => {
      const esr = c.read('ESR_EL2');
      const far = c.read('FAR_EL2');
      const page = (c.read('HPFAR_EL2') >> 4n) << 12n;
      locals.esr = esr;
      locals.far = far;
      locals.ipa = Number(page | (far & 0xfffn));
      locals.fetch = Number(esr >> 26n) === EC.INSTRUCTION_ABORT_LOWER;
      locals.kind = kinds[Number((esr >> 2n) & 15n)] ?? 'other';
      const access = accessOf(esr, locals.kind === 'permission');
      locals.write = access === 'write';
      locals.access = access;
      return undefined;
    }),
    step('look for the memory slot', 20, (c, locals): Next => {
      const { vm } = c.vcpu;
      const esr = locals.esr as bigint;
      const ipa = locals.ipa as number;
      const slot = vm.slotOf(ipa);
      const decision = abortDecision({
        kind: locals.kind as 'translation',
        fetch: locals.fetch === true,
        write: locals.write === true,
        stage1Walk: bit(esr, 7),
        cacheMaintenance: bit(esr, 8),
        ipa,
        ipaBits: vm.stage2.inputBits,
        hostIpaBits: c.model.host.kvmIpaLimit,
        slot: slot && { writable: (slot.flags & memoryFlags.KVM_MEM_READONLY) === 0 },
      });
      const far = locals.far as bigint;
      const on = locals.fetch === true ? 'fetch' : 'data';
      switch (decision) {
        case 'mapMemory':
          return { call: 'user_mem_abort', with: { ...locals } };
        case 'mmio':
          return isCpuInterface(c, ipa)
            ? { call: 'map_cpu_interface', with: { ipa } }
            : { call: 'io_mem_abort', with: { esr, ipa } };
        case 'skipInstruction':
          skip(c.vcpu);
          return done('resume');
        case 'injectInstructionAbort':
          injectAbort(c, 'fetch', far);
          return done('resume');
        case 'injectDataAbort':
          injectAbort(c, 'data', far);
          return done('resume');
        case 'injectBeyondVm':
          injectAbort(c, on, BigInt(ipa));
          return done('resume');
        case 'injectSizeFault':
          injectAbort(c, on, BigInt(ipa), abortStatus.addressSize);
          return done('resume');
        case 'markYoung':
          return { call: 'handle_access_fault', with: { ipa } };
        case 'unsupported':
          c.model.userSpace.fail(
            c.vcpu,
            'EFAULT',
            `a stage-2 abort that KVM does not know: ESR_EL2 0x${esr.toString(16)}`,
          );
          return done('yield');
      }
    }),
    step('return', 2, (_c, { result }) => done(result)),
  ],
};

/** The guest's GICC: what stage 2 has there is the core's virtual CPU interface (kvm_phys_addr_ioremap). */
const isCpuInterface = (c: CoreContext, ipa: number): boolean =>
  c.vcpu.vm.vgic?.version === 2 && ipa >= virtMap.gicCpu.base && ipa < virtMap.gicCpu.base + virtMap.gicCpu.size;

export const mapCpuInterface: Routine = {
  name: 'map_cpu_interface',
  steps: [
    step('map the virtual CPU interface', 50, (c, locals) => {
      const { stage2 } = c.vcpu.vm;
      const ipa = Math.floor((locals.ipa as number) / stage2.pageBytes) * stage2.pageBytes;
      const tables = tablesOf(c, c.vcpu.vm);
      const leaf = stage2.reach(tables, ipa, 3);
      const address = ipa - virtMap.gicCpu.base + virtMap.gicVirtualCpu.base;
      const permissions = { read: true, write: true, execute: false };
      tables.store(leaf.at, stage2.leaf(3, { address, memAttr: memAttr('DEVICE_nGnRE', c.model.fwb), permissions }));
      c.port.barrier(c.core, 'DSB ISHST');
      return done('resume');
    }),
  ],
};

export const accessFault: Routine = {
  name: 'handle_access_fault',
  steps: [
    step('mark the entry young', 10, (c, locals) => {
      const { vm } = c.vcpu;
      const leaf = vm.stage2.find(c, locals.ipa as number);
      if (Stage2Table.isValid(leaf.entry)) writeEntry(c, vm, leaf.at, Stage2Table.young(leaf.entry));
      c.port.barrier(c.core, 'DSB ISHST');
      return done('resume');
    }),
  ],
};

/** An entry that may be written: its level, what it covers, and what it maps. */
interface Size {
  readonly level: number;
  readonly bytes: number;
  readonly ipa: number;
  readonly pa: number;
}

const isLogging = ({ flags }: Memslot): boolean => (flags & memoryFlags.KVM_MEM_LOG_DIRTY_PAGES) !== 0;
const isWritable = ({ flags }: Memslot): boolean => (flags & memoryFlags.KVM_MEM_READONLY) === 0;

/** The largest entry that slot, host mapping and addresses allow around an IPA; while dirty pages are logged, a page. */
function sizeAt(c: CoreContext, slot: Memslot, ipa: number): Size {
  const { stage2, mappings } = c.vcpu.vm;
  const mapping = mappingOf(mappings, slot.hostAddress + ipa - slot.guestAddress);
  const mapBytes = mapping === undefined || isLogging(slot) ? 0 : mapping.mapBytes;
  for (let level = stage2.startLevel; level < LAST_LEVEL; level++) {
    const bytes = stage2.bytesAt(level);
    const start = Math.floor(ipa / bytes) * bytes;
    const pa = slot.hostAddress + start - slot.guestAddress;
    const inside = start >= slot.guestAddress && start + bytes <= slot.guestAddress + slot.bytes;
    if (bytes > mapBytes || !inside || pa % bytes !== 0) continue;
    if (mapping !== undefined && !isWhole(mapping, { start: pa, end: pa + bytes })) continue;
    if (stage2.levelFor(start, pa, bytes) === level) return { level, bytes, ipa: start, pa };
  }
  const bytes = stage2.pageBytes;
  const start = Math.floor(ipa / bytes) * bytes;
  return { level: LAST_LEVEL, bytes, ipa: start, pa: slot.hostAddress + start - slot.guestAddress };
}

/** What is mapped: a fault on a block is about the block, unless pages are wanted now. */
function wantedSize(c: CoreContext, slot: Memslot, { ipa, kind }: Locals, old: Leaf): Size {
  const size = sizeAt(c, slot, ipa as number);
  const { pageBytes } = c.vcpu.vm.stage2;
  const keeps = kind === 'permission' && Stage2Table.isValid(old.entry) && old.bytes > pageBytes && !isLogging(slot);
  if (!keeps) return size;
  const pa = slot.hostAddress + old.ipa - slot.guestAddress;
  return { level: old.level, bytes: old.bytes, ipa: old.ipa, pa };
}

export const userMemAbort: Routine = {
  name: 'user_mem_abort',
  steps: [
    step('look at user space’s mapping', 40, (c, locals): Next => {
      const { vm } = c.vcpu;
      const ipa = locals.ipa as number;
      locals.sequence = vm.invalidateSequence;
      const slot = vm.slotOf(ipa);
      if (slot === undefined) return done('resume');
      const mapping = vm.mappedAt(slot.hostAddress + ipa - slot.guestAddress);
      const access = locals.access as FaultFacts['access'];
      const decision = faultDecision(
        {
          vma: mapping?.vma,
          kernelMemory: mapping?.kernelMemory === true,
          access,
          permissionFault: locals.kind === 'permission',
        },
        pfnmapHost(c.model, vm),
      );
      if (decision.kind === 'error') {
        c.model.userSpace.fail(c.vcpu, decision.errno, 'a page that the host does not map as KVM can');
        return done('yield');
      }
      if (decision.kind === 'instructionAbort') {
        injectAbort(c, 'fetch', locals.far as bigint);
        return done('resume');
      }
      if (decision.kind === 'memoryFaultExit') return { call: 'vmm_memory_fault', with: { ipa: locals.ipa } };
      locals.memory = decision.memory;
      locals.forced = decision.forceNonCacheable;
      return undefined;
    }),
    step('take the MMU lock', 5, (c, locals): Next => {
      if (locals.memory === undefined) return done(locals.result ?? 'resume');
      if (!takeLock(c)) return { goto: 'take the MMU lock' };
      const { invalidateSequence, invalidating } = c.vcpu.vm;
      // The host has changed its mappings meanwhile: the guest runs on, and faults again.
      const stale = mustRetry(locals.sequence as number, invalidateSequence, invalidating > 0);
      return stale ? { goto: 'release the MMU lock' } : undefined;
    }),
    step('break a block that is to be a table', 5, (c, locals): Next => {
      const { vm } = c.vcpu;
      const slot = vm.slotOf(locals.ipa as number);
      if (slot === undefined) return { goto: 'release the MMU lock' };
      const old = vm.stage2.find(c, locals.ipa as number);
      const { level } = wantedSize(c, slot, locals, old);
      return Stage2Table.isValid(old.entry) && old.level < level
        ? { call: 'stage2_try_break_pte', with: breaking(old) }
        : undefined;
    }),
    step('choose size, permissions and type', 40, (c, locals): Next => {
      const { model, vcpu } = c;
      const { vm } = vcpu;
      const slot = vm.slotOf(locals.ipa as number);
      if (slot === undefined) return { goto: 'release the MMU lock' };
      const mapping = vm.mappedAt(slot.hostAddress + (locals.ipa as number) - slot.guestAddress);
      const old = vm.stage2.find(c, locals.ipa as number);
      const size = wantedSize(c, slot, locals, old);
      const permissionFault = locals.kind === 'permission' && Stage2Table.isValid(old.entry);
      const fault: FaultFacts = {
        kind: permissionFault ? 'permission' : 'translation',
        access: locals.access as FaultFacts['access'],
        writable: isWritable(slot),
        logging: isLogging(slot),
        mapBytes: size.bytes,
        faultBytes: permissionFault ? old.bytes : undefined,
        forceNonCacheable: locals.forced === true,
        kernelMemory: mapping?.kernelMemory === true,
      };
      const host = stage2Host(c);
      const permissions = permissionsFor(fault, host.ctr, model.policies);
      const action = actionFor(fault);
      const leaf = action === 'relax' ? old : vm.stage2.reach(tablesOf(c, vm), size.ipa, size.level);
      const attributes = memAttr(locals.memory as Stage2Memory, model.fwb);
      const entry =
        action === 'relax'
          ? vm.stage2.relaxed(old.entry, permissions)
          : vm.stage2.leaf(size.level, { address: size.pa, memAttr: attributes, permissions });
      const replaces = replacedBy(leaf);
      // Another vCPU was there first: if that is not enough, the next fault adds permissions.
      if (action === 'map' && replaces === 'entry' && Stage2Table.sameMapping(leaf.entry, entry))
        return { goto: 'release the MMU lock' };
      locals.table = replaces === 'table' ? Stage2Table.addressOf(leaf.entry) : 0;
      locals.level = leaf.level;
      locals.dirties = permissions.write;
      const steps = faultSteps(fault, replaces, host, model.policies);
      const { bytes, ipa, pa } = size;
      model.noteFault({ vcpu: vcpu.name, ipa, action, bytes, access: fault.access, steps });
      const { call, with: about } = performing(steps, { from: BigInt(pa), bytes, entry, at: leaf.at });
      return { call, with: { ...about, ipa: BigInt(ipa) } };
    }),
    step('free the tables that a block replaced', 5, (c, { table, level, dirties }) => {
      if (table !== 0) freeTree(c, c.vcpu.vm, table as number, (level as number) + 1);
      return dirties === true ? undefined : { goto: 'release the MMU lock' };
    }),
    step('mark the page dirty', 2, (c, { ipa }) => {
      const slot = c.vcpu.vm.slotOf(ipa as number);
      const page = Math.floor(((ipa as number) - (slot?.guestAddress ?? 0)) / c.vcpu.vm.stage2.pageBytes);
      if (slot?.dirty !== undefined) mark(slot.dirty, page);
      return undefined;
    }),
    step('release the MMU lock', 2, (c) => {
      releaseLock(c);
      return undefined;
    }),
    step('let the guest try again', 10, () => done('resume')),
  ],
};

function replacedBy({ entry, level }: Leaf): Replaced {
  if (!Stage2Table.isValid(entry)) return 'nothing';
  return Stage2Table.isTable(entry, level) ? 'table' : 'entry';
}

const breaking = ({ at, ipa }: Leaf): Locals => ({ at, ipa });

/** A block goes, so that a table with some of its pages can take its place: the others are mapped by later faults. */
export const breakEntry: Routine = {
  name: 'stage2_try_break_pte',
  steps: [
    step('break the entry', 5, (c, { at, ipa }) => {
      const { host, policies } = c.model;
      const flush = flushIpaSteps({ icacheIsVpipt: host.icacheIsVpipt }, policies, stage2Host(c).hostEl);
      const { call, with: about } = performing([{ name: 'clear the entry' }, ...flush], { at: at as number });
      return { call, with: { ...about, ipa: BigInt(ipa as number) } };
    }),
  ],
};

/** Ours: user space maps the memory otherwise, and the fault happens again. */
export const memoryFault: Routine = {
  name: 'vmm_memory_fault',
  steps: [
    step('exit to user space with KVM_EXIT_MEMORY_FAULT', 200, ({ vcpu, model }, locals) => {
      vcpu.count('KVM_EXIT_MEMORY_FAULT');
      model.userSpace.memoryFault(vcpu, locals.ipa as number);
      return done(vcpu.state === 'off' ? 'yield' : 'resume');
    }),
  ],
};

/** stage2_flush_vm: cleans and invalidates what is mapped cacheable, entry by entry. */
export const flushVm: Routine = {
  name: 'stage2_flush_vm',
  steps: [
    step('clean and invalidate what is mapped', 20, (c) => {
      const { stage2, slots, mappings } = c.vcpu.vm;
      const line = stage2Host(c).dataLineBytes;
      for (const slot of slots)
        for (let at = slot.guestAddress; at < slot.guestAddress + slot.bytes; ) {
          const { entry, ipa, bytes } = stage2.find(c, at);
          const pa = Stage2Table.addressOf(entry);
          if (Stage2Table.isValid(entry) && mappingOf(mappings, pa)?.kernelMemory === true)
            c.perform({ name: 'DC CIVAC', count: bytes / line }, BigInt(pa), line);
          at = ipa + bytes;
        }
      c.port.barrier(c.core, 'DSB SY');
      return done();
    }),
  ],
};
