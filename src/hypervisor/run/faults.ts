/** Stage-2 aborts of a guest (arch/arm64/kvm/mmu.c, mmio.c), and the loops over a VM's memory. */
import { EC } from '../../arch/syndromes';
import { virtMap } from '../../devices/virtBoard';
import { abortDecision } from '../guestAbort';
import { memoryFlags } from '../kvmApi';
import { faultDecision } from '../pfnmap';
import { memAttr, type Stage2Memory } from '../stage2Attributes';
import { actionFor, type FaultFacts, faultSteps, permissionsFor, type Stage2Host } from '../stage2Map';
import { inject } from './exits';
import type { CoreContext } from './model';
import { done, type Next, type Routine, step } from './routines';
import { pfnmapHost } from './slots';
import { Stage2Table } from './stage2Table';
import type { Memslot } from './vm';
import { performing } from './world';

const bit = (value: bigint, n: number): boolean => ((value >> BigInt(n)) & 1n) === 1n;

const EXTERNAL_ABORT = 0x10n;
const ADDRESS_SIZE_FAULT = 0x00n;

/** Fault status [5:2] of the kinds that KVM looks at. */
const kinds: Readonly<Record<number, 'translation' | 'permission' | 'accessFlag'>> = {
  1: 'translation',
  2: 'accessFlag',
  3: 'permission',
};

export const stage2Host = (c: CoreContext): Stage2Host => {
  const { host, config, fwb } = c.model;
  return {
    ctr: host.sanitisedCtr,
    aliasing: host.icacheIsAliasing,
    vpipt: host.icacheIsVpipt,
    hostEl: 1,
    pageBytes: config.pageBytes,
    fwb,
    dataLineBytes: 4 << Number((host.sanitisedCtr >> 16n) & 15n),
  };
};

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
      locals.write = locals.fetch !== true && bit(esr, 6);
      locals.kind = kinds[Number((esr >> 2n) & 15n)] ?? 'other';
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
        hostIpaBits: vm.stage2.inputBits,
        slot: slot && { writable: (slot.flags & memoryFlags.KVM_MEM_READONLY) === 0 },
      });
      const far = locals.far as bigint;
      switch (decision) {
        case 'mapMemory':
          return { call: 'user_mem_abort', with: { ...locals } };
        case 'mmio':
          return isCpuInterface(c, ipa)
            ? { call: 'map_cpu_interface', with: { ipa } }
            : { call: 'io_mem_abort', with: { esr, ipa } };
        case 'skipInstruction':
          c.vcpu.pc += 4n;
          return done('resume');
        case 'injectInstructionAbort':
          inject(c, EC.INSTRUCTION_ABORT_SAME, EXTERNAL_ABORT, far);
          return done('resume');
        case 'injectDataAbort':
          inject(c, EC.DATA_ABORT_SAME, EXTERNAL_ABORT, far);
          return done('resume');
        case 'injectSizeFault':
          inject(c, EC.DATA_ABORT_SAME, ADDRESS_SIZE_FAULT, far);
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
      const leaf = stage2.reach(c, ipa, 3);
      const address = ipa - virtMap.gicCpu.base + virtMap.gicVirtualCpu.base;
      const permissions = { read: true, write: true, execute: false };
      c.store(leaf.at, stage2.leaf(3, { address, memAttr: memAttr('DEVICE_nGnRE', c.model.fwb), permissions }));
      c.port.barrier(c.core, 'DSB ISHST');
      return done('resume');
    }),
  ],
};

export const accessFault: Routine = {
  name: 'handle_access_fault',
  steps: [
    step('mark the entry young', 10, (c, locals) => {
      const leaf = c.vcpu.vm.stage2.find(c, locals.ipa as number);
      c.store(leaf.at, leaf.entry | (1n << 10n));
      return done('resume');
    }),
  ],
};

/** The largest entry that slot, host mapping and addresses allow around an IPA. */
function sizeAt(c: CoreContext, slot: Memslot, ipa: number): { level: number; bytes: number; ipa: number; pa: number } {
  const { stage2 } = c.vcpu.vm;
  const logging = (slot.flags & memoryFlags.KVM_MEM_LOG_DIRTY_PAGES) !== 0;
  for (let level = stage2.startLevel; level < 3; level++) {
    const bytes = stage2.bytesAt(level);
    const start = Math.floor(ipa / bytes) * bytes;
    const pa = slot.hostAddress + start - slot.guestAddress;
    const inside = start >= slot.guestAddress && start + bytes <= slot.guestAddress + slot.bytes;
    if (logging || bytes > slot.mapBytes || !inside || pa % bytes !== 0) continue;
    if (stage2.levelFor(start, pa, bytes) === level) return { level, bytes, ipa: start, pa };
  }
  const bytes = stage2.pageBytes;
  const start = Math.floor(ipa / bytes) * bytes;
  return { level: 3, bytes, ipa: start, pa: slot.hostAddress + start - slot.guestAddress };
}

export const userMemAbort: Routine = {
  name: 'user_mem_abort',
  steps: [
    step('look at user space’s mapping', 40, (c, locals): Next => {
      const slot = c.vcpu.vm.slotOf(locals.ipa as number);
      if (slot === undefined) return done('resume');
      const access = locals.fetch === true ? 'execute' : locals.write === true ? 'write' : 'read';
      const decision = faultDecision(
        {
          vma: slot.vma,
          kernelMemory: slot.kernelMemory,
          access,
          permissionFault: locals.kind === 'permission',
        },
        pfnmapHost(c.model, c.vcpu.vm),
      );
      locals.access = access;
      if (decision.kind === 'error') {
        c.model.userSpace.fail(c.vcpu, decision.errno, 'a page that the host does not map as KVM can');
        return done('yield');
      }
      if (decision.kind === 'instructionAbort') {
        inject(c, EC.INSTRUCTION_ABORT_SAME, EXTERNAL_ABORT, locals.far as bigint);
        return done('resume');
      }
      if (decision.kind === 'memoryFaultExit') return { call: 'vmm_memory_fault', with: { ipa: locals.ipa } };
      locals.memory = decision.memory;
      locals.forced = decision.forceNonCacheable;
      return undefined;
    }),
    step('choose size, permissions and type', 40, (c, locals): Next => {
      if (locals.memory === undefined) return done(locals.result ?? 'resume');
      const { model, vcpu } = c;
      const { stage2 } = vcpu.vm;
      const slot = vcpu.vm.slotOf(locals.ipa as number);
      if (slot === undefined) return done('resume');
      const size = sizeAt(c, slot, locals.ipa as number);
      const old = stage2.find(c, locals.ipa as number);
      const permissionFault = locals.kind === 'permission' && Stage2Table.isValid(old.entry);
      const bytes = permissionFault ? old.bytes : size.bytes;
      const fault: FaultFacts = {
        kind: permissionFault ? 'permission' : 'translation',
        access: locals.access as FaultFacts['access'],
        writable: (slot.flags & memoryFlags.KVM_MEM_READONLY) === 0,
        logging: (slot.flags & memoryFlags.KVM_MEM_LOG_DIRTY_PAGES) !== 0,
        mapBytes: bytes,
        faultBytes: permissionFault ? old.bytes : undefined,
        forceNonCacheable: locals.forced === true,
        kernelMemory: slot.kernelMemory,
      };
      const host = stage2Host(c);
      const permissions = permissionsFor(fault, host.ctr, model.policies);
      const relax = actionFor(fault) === 'relax';
      const leaf = relax ? old : stage2.reach(c, size.ipa, size.level);
      const steps = faultSteps(fault, Stage2Table.isValid(leaf.entry), host, model.policies);
      const attributes = memAttr(locals.memory as Stage2Memory, model.fwb);
      const entry = relax
        ? stage2.relaxed(old.entry, permissions)
        : stage2.leaf(size.level, { address: size.pa, memAttr: attributes, permissions });
      const start = Math.floor((locals.ipa as number) / bytes) * bytes;
      const pa = slot.hostAddress + start - slot.guestAddress;
      const action = relax ? 'relax' : 'map';
      model.noteFault({ vcpu: vcpu.name, ipa: start, action, bytes, access: fault.access, steps });
      const { call, with: about } = performing(steps, { from: BigInt(pa), bytes, entry, at: leaf.at });
      return { call, with: { ...about, ipa: BigInt(start) } };
    }),
    step('let the guest try again', 10, () => done('resume')),
  ],
};

/** KVM_EXIT_MMIO: user space answers, then the register gets what was read. */
export const ioMemAbort: Routine = {
  name: 'io_mem_abort',
  steps: [
    step('exit to user space with KVM_EXIT_MMIO', 200, (c, locals) => {
      const { vcpu, model } = c;
      const esr = locals.esr as bigint;
      if (!bit(esr, 24)) {
        inject(c, EC.DATA_ABORT_SAME, EXTERNAL_ABORT, c.read('FAR_EL2'));
        return done('resume');
      }
      vcpu.count('KVM_EXIT_MMIO');
      const rt = Number((esr >> 16n) & 31n);
      const bytes = 1 << Number((esr >> 22n) & 3n);
      const ipa = locals.ipa as number;
      if (bit(esr, 6)) model.userSpace.write(vcpu, ipa, bytes, rt === 31 ? 0n : vcpu.x[rt]);
      else if (rt !== 31) vcpu.x[rt] = model.userSpace.read(vcpu, ipa, bytes);
      return undefined;
    }),
    step('skip the instruction', 5, ({ vcpu }) => {
      vcpu.pc += 4n;
      return done('resume');
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

/** stage2_flush_vm: cleans and invalidates what is mapped, page by page. */
export const flushVm: Routine = {
  name: 'stage2_flush_vm',
  steps: [
    step('clean and invalidate what is mapped', 20, (c) => {
      const { stage2, slots } = c.vcpu.vm;
      const line = stage2Host(c).dataLineBytes;
      for (const slot of slots.filter((row) => row.kernelMemory))
        for (let at = slot.guestAddress; at < slot.guestAddress + slot.bytes; ) {
          const leaf = stage2.find(c, at);
          const from = Math.floor(at / leaf.bytes) * leaf.bytes;
          if (Stage2Table.isValid(leaf.entry)) {
            const pa = slot.hostAddress + from - slot.guestAddress;
            c.perform({ name: 'DC CIVAC', count: leaf.bytes / line }, BigInt(pa), line);
          }
          at = from + leaf.bytes;
        }
      c.port.barrier(c.core, 'DSB SY');
      return done();
    }),
  ],
};
