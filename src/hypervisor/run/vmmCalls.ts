/**
 * What a guest asks of user space, so that its program tells a whole story by itself, in the terminal as under a debugger: calls
 * of ours in SMCCC's range for vendor-specific hypervisor services, which KVM_RUN hands to the VMM as KVM_EXIT_HYPERCALL. The VMM
 * does what it does at an administrator's request otherwise: ioctls on the guest's own behalf, changes of its mappings behind
 * KVM's back, writes of guest memory. The return value is an ioctl's: 0, or a negative errno.
 */
import { EC } from '../../arch/syndromes';
import { bug } from '../../base/errors';
import { manualProtect, wordOf } from '../dirtyLog';
import { type Outcome, resultOf as result } from '../errno';
import { checkExtension } from '../extensions';
import { vmidRolloverSteps } from '../guestSwitch';
import { capabilities } from '../kvmApi';
import { enableCacheablePfnmap } from '../pfnmap';
import { NEWEST_VERSION } from '../policies';
import { mapAgain, mappingOf, unmap } from './hostMemory';
import type { CoreContext } from './model';
import { cacheReg } from './oneReg';
import { done, type Locals, type Next, type Routine, step } from './routines';
import { pfnmapHost, slotRequest } from './slots';
import type { Memslot, Vm } from './vm';
import { CLEANING, HOST_MEMORY, VmmCall } from './vmmApi';
import { performing } from './world';

const CTR_LINES = { IDC: 1n << 28n, DIC: 1n << 29n } as const;

function extension(c: CoreContext, number: bigint): bigint {
  const { model, vcpu } = c;
  const { config, host } = model;
  const value = checkExtension(Number(number), 'vm', {
    version: config.version ?? NEWEST_VERSION,
    pfnmap: pfnmapHost(model, vcpu.vm),
    cores: host.online.length,
    ipaLimit: host.kvmIpaLimit,
    gic: config.gic ?? 2,
  });
  return typeof value === 'number' ? BigInt(value) : result(value);
}

/** `argument`: args[0] of the ioctl. */
function enable(c: CoreContext, number: bigint, argument: bigint): Outcome {
  const { model, vcpu } = c;
  if (Number(number) === capabilities.KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2) return enableManualLog(vcpu.vm, argument);
  if (Number(number) !== capabilities.KVM_CAP_ARM_CACHEABLE_PFNMAP_SUPPORTED) return 'EINVAL';
  const outcome = enableCacheablePfnmap(pfnmapHost(model, vcpu.vm));
  if (outcome === 'ok') vcpu.vm.cacheablePfnmap = true;
  return outcome;
}

const MANUAL_CAPS = manualProtect.ENABLE | manualProtect.INITIALLY_SET;

function enableManualLog(vm: Vm, flags: bigint): Outcome {
  const allowed = (flags & BigInt(manualProtect.ENABLE)) !== 0n ? BigInt(MANUAL_CAPS) : BigInt(manualProtect.ENABLE);
  if ((flags & ~allowed) !== 0n) return 'EINVAL';
  vm.manualDirtyLog = Number(flags);
  return 'ok';
}

const slotById = ({ vcpu }: CoreContext, id: bigint): Memslot | undefined =>
  [...vcpu.vm.slots, ...vcpu.vm.refused].find((row) => row.id === Number(id));

/** The slot that is there, or was refused, with other flags. */
function setFlags(c: CoreContext, id: bigint, flags: bigint): Next {
  const slot = slotById(c, id);
  if (slot === undefined) return answered(c, result('EINVAL'));
  return { call: 'kvm_set_memory_region', with: slotRequest({ ...slot, flags: Number(flags) }) };
}

/** What KVM hears of a change of mappings, slot by slot (kvm_mmu_notifier_invalidate_range_start). */
function notify(c: CoreContext, slot: Memslot, start: number, end: number): Next {
  const { vm } = c.vcpu;
  c.vcpu.x[0] = 0n;
  if (!vm.slots.includes(slot)) return undefined;
  return { call: 'kvm_unmap_gfn_range', with: { at: start, end } };
}

/** Another mapping in the slot's place: KVM hears of it as of any unmapping, and has to look at the next fault. */
function mapOtherwise(c: CoreContext, id: bigint, type: bigint): Next {
  const slot = slotById(c, id);
  const mapping = slot && mappingOf(c.vcpu.vm.mappings, slot.hostAddress);
  const memory = HOST_MEMORY[Number(type)];
  if (slot === undefined || mapping === undefined || memory === undefined) return answered(c, result('EINVAL'));
  mapAgain(mapping, memory);
  return notify(c, slot, slot.guestAddress, slot.guestAddress + slot.bytes);
}

/** munmap(2) of what is behind a guest address. */
function unmapBehind(c: CoreContext, ipa: number, bytes: number): Next {
  const { vm } = c.vcpu;
  const slot = vm.slotOf(ipa);
  const { pageBytes } = c.model.config;
  const end = ipa + bytes;
  if (slot === undefined || bytes <= 0 || ipa % pageBytes !== 0 || end > slot.guestAddress + slot.bytes)
    return answered(c, result('EINVAL'));
  const start = slot.hostAddress + ipa - slot.guestAddress;
  unmap(vm.mappings, { start, end: start + Math.ceil(bytes / pageBytes) * pageBytes });
  return notify(c, slot, ipa, end);
}

function userAddress(c: CoreContext, ipa: number): Next {
  const slot = c.vcpu.vm.slotOf(ipa);
  if (slot === undefined) return answered(c, result('EFAULT'));
  c.vcpu.x[1] = BigInt(slot.hostAddress + ipa - slot.guestAddress);
  return answered(c, 0n);
}

function answered(c: CoreContext, value: bigint): Next {
  c.vcpu.x[0] = value;
  return undefined;
}

export const vmmCall: Routine = {
  name: 'vmm_hypercall',
  steps: [
    step('exit to user space with KVM_EXIT_HYPERCALL', 200, (c): Next => {
      const { vcpu, model } = c;
      const [id, x1, x2, x3, x4, x5] = vcpu.x;
      vcpu.count('KVM_EXIT_HYPERCALL');
      switch (id) {
        case VmmCall.GET_ONE_REG: {
          const read = cacheReg(c.vcpu, x1, undefined);
          if (typeof read === 'bigint') vcpu.x[1] = read;
          return answered(c, typeof read === 'bigint' ? 0n : result(read));
        }
        case VmmCall.SET_ONE_REG: {
          const set = cacheReg(c.vcpu, x1, x2);
          return answered(c, typeof set === 'bigint' ? 0n : result(set));
        }
        case VmmCall.CHECK_EXTENSION:
          return answered(c, extension(c, x1));
        case VmmCall.ENABLE_CAP:
          return answered(c, result(enable(c, x1, x2)));
        case VmmCall.SET_MEMORY_REGION:
          return setFlags(c, x1, x2);
        case VmmCall.SET_USER_MEMORY_REGION: {
          const [id, flags, guestAddress, bytes, hostAddress] = [x1, x2, x3, x4, x5].map(Number);
          return { call: 'kvm_set_memory_region', with: { id, flags, guestAddress, bytes, hostAddress } };
        }
        case VmmCall.USER_ADDRESS:
          return userAddress(c, Number(x1));
        case VmmCall.MMAP:
          return mapOtherwise(c, x1, x2);
        case VmmCall.MUNMAP:
          return unmapBehind(c, Number(x1), Number(x2));
        case VmmCall.GET_DIRTY_LOG:
          return { call: 'kvm_get_dirty_log_protect', with: { slot: Number(x1) } };
        case VmmCall.DIRTY_PAGES:
          vcpu.x[1] = wordOf(vcpu.vm.dirtyLogs[Number(x1)] ?? [], Number(x2));
          return answered(c, 0n);
        case VmmCall.CLEAR_DIRTY_LOG:
          return {
            call: 'kvm_clear_dirty_log_protect',
            with: { slot: Number(x1), first: Number(x2), pages: Number(x3) },
          };
        case VmmCall.AGE:
          return { call: 'kvm_age_gfn', with: { at: Number(x1), end: Number(x1 + x2), how: x3 } };
        case VmmCall.WRITE:
          return { call: 'vmm_write', with: { ipa: Number(x1), value: x2, cleaning: x3 } };
        case VmmCall.ONLINE:
          if (Number(x1) >= c.port.cores || model.host.online.includes(Number(x1)))
            return answered(c, result('EINVAL'));
          model.online(Number(x1));
          return { call: 'cpu_device_up', with: { cpu: Number(x1) } };
        case VmmCall.OTHER_VMS:
          return { call: 'vmm_other_vms', with: { count: Number(x1) } };
        default:
          return { call: 'vmm_reads_ctr' };
      }
    }),
    step('go back to KVM_RUN', 200, () => done('resume')),
  ],
};

/** The VMM writes guest memory through its own mapping, which is cacheable. */
export const vmmWrite: Routine = {
  name: 'vmm_write',
  steps: [
    step('write', 20, (c, locals): Next => {
      const ipa = locals.ipa as number;
      const slot = c.vcpu.vm.slotOf(ipa);
      if (slot === undefined) {
        c.vcpu.x[0] = result('EFAULT');
        return done();
      }
      const pa = slot.hostAddress + ipa - slot.guestAddress;
      const word = pa - (pa % 8);
      const shift = BigInt(pa % 8) * 8n;
      const value = (locals.value as bigint) & 0xffff_ffffn;
      c.store(word, (c.load(word) & ~(0xffff_ffffn << shift)) | (value << shift));
      c.vcpu.x[0] = 0n;
      return performing(cleaningSteps(locals.cleaning as bigint, c.read('CTR_EL0')), { from: BigInt(pa) });
    }),
    step('return', 1, () => done()),
  ],
};

function cleaningSteps(cleaning: bigint, ctr: bigint): readonly { readonly name: string }[] {
  if (cleaning === CLEANING.none) return [];
  if (cleaning === CLEANING.toPoC) return [{ name: 'DC CVAC' }, { name: 'DSB SY' }];
  const clean = (ctr & CTR_LINES.IDC) === 0n ? [{ name: 'DC CVAU' }] : [];
  const invalidate = (ctr & CTR_LINES.DIC) === 0n ? [{ name: 'IC IVAU' }, { name: 'DSB ISH' }] : [];
  return [...clean, { name: 'DSB ISH' }, ...invalidate, { name: 'ISB' }];
}

/** Somebody wrote 1 to the core's `online` file: the caller waits until the core is there, or has died. */
export const cpuUp: Routine = {
  name: 'cpu_device_up',
  steps: [
    step('wait for the core', 100, (c, locals: Locals): Next => {
      const { model } = c;
      const cpu = locals.cpu as number;
      if (model.onlining.has(cpu)) {
        // The other core has its turn.
        c.port.penalty(c.core, 100);
        return { goto: 'wait for the core' };
      }
      c.vcpu.x[0] = model.host.online.includes(cpu) ? 0n : 1n;
      return done();
    }),
  ],
};

/** Other VMs run for a moment: nothing of them is modelled but the VMIDs that they take. */
export const otherVms: Routine = {
  name: 'vmm_other_vms',
  steps: [
    step('run the next one', 10, (c, locals): Next => {
      const { model, vcpu, core } = c;
      const count = locals.count as number;
      vcpu.x[0] = 0n;
      if (count <= 0) return done();
      locals.count = count - 1;
      model.clearVmid(core);
      const rolledOver = model.updateVmid({ vmid: 0, generation: 0 }, core);
      model.clearVmid(core);
      return rolledOver ? performing(vmidRolloverSteps(model.host, model.policies)) : { goto: 'run the next one' };
    }),
    step('look for another one', 1, () => ({ goto: 'run the next one' })),
  ],
};

/** MRS X0, CTR_EL0; SVC #0. */
const READ_CTR = 0xd400_0001_d53b_0020n;
/** EL0, everything masked. */
const PSTATE_EL0 = 0x3c0n;
const HCR = { host: 1n << 31n, TGE: 1n << 27n } as const;
/** RES1 of SCTLR_EL1 with everything off, and its UCT. */
const SCTLR = { off: 0x30d0_0800n, UCT: 1n << 15n } as const;

/**
 * The VMM's own code at EL0, under a host at EL2 in place of nVHE's EL1 (HCR_EL2.TGE; its translation is not modelled): it reads
 * CTR_EL0, which traps where the host cleared SCTLR_EL1.UCT on this core, and is answered as the kernel does (ctr_read_handler).
 */
export const vmmReadsCtr: Routine = {
  name: 'vmm_reads_ctr',
  steps: [
    step('put the program into memory', 20, (c, locals): Next => {
      const at = c.allocate();
      c.store(at, READ_CTR);
      locals.at = at;
      locals.trapped = false;
      return performing([{ name: 'DC CVAC' }, { name: 'DSB SY' }, { name: 'ISB' }], { from: BigInt(at) });
    }),
    step('return to EL0', 20, (c, locals) => {
      locals.sctlr = c.read('SCTLR_EL1');
      c.write('SCTLR_EL1', SCTLR.off | (c.model.host.uct(c.core) ? SCTLR.UCT : 0n));
      c.write('HCR_EL2', HCR.host | HCR.TGE);
      c.write('ELR_EL2', BigInt(locals.at as number));
      c.write('SPSR_EL2', PSTATE_EL0);
      c.port.eret(c.core);
      return undefined;
    }),
    step('handle an interrupt', 10, (c) => (c.exception === 'sync' ? undefined : { call: 'gic_handle_irq' })),
    step('decode the exception', 20, (c, locals): Next => {
      if (c.exception !== 'sync') {
        c.port.eret(c.core);
        return { goto: 'handle an interrupt' };
      }
      const ec = Number(c.read('ESR_EL2') >> 26n);
      if (ec === EC.SYSTEM_REGISTER) {
        locals.trapped = true;
        c.port.setX(c.core, 0, c.model.host.userCtr);
        c.write('ELR_EL2', c.read('ELR_EL2') + 4n);
        c.port.eret(c.core);
        return { goto: 'handle an interrupt' };
      }
      if (ec !== EC.SVC) bug(`exception class ${ec} of the VMM`);
      return undefined;
    }),
    step('go back to the kernel', 20, (c, locals) => {
      c.write('HCR_EL2', HCR.host);
      c.write('SCTLR_EL1', locals.sctlr as bigint);
      c.vcpu.x[0] = c.port.x(c.core, 0);
      c.vcpu.x[1] = locals.trapped === true ? 1n : 0n;
      return done();
    }),
  ],
};
