/** View model of the hypervisor model's virtual machines. Tables are read by peeking: looking costs the caches nothing. */
import { hex64 } from '../../base/bits';
import { countDirty } from '../../hypervisor/dirtyLog';
import { memoryFlags } from '../../hypervisor/kvmApi';
import { NEWEST, policiesOf, policyNames, policyRow } from '../../hypervisor/policies';
import type { Hypervisor } from '../../hypervisor/run/model';
import type { Memslot, Vcpu, Vm } from '../../hypervisor/run/vm';
import type { Machine } from '../../machine/api';
import type { CountRow, MemslotRow, PolicyRow, VcpuRow, VmsView } from '../../protocol';
import { coreOfVcpu } from '../model/stepping';
import type { Target } from '../target';
import { stage2Facts } from './stage2';

function mappingText(vm: Vm, hostAddress: number): string {
  const vma = vm.mappedAt(hostAddress)?.vma;
  return vma === undefined ? 'not mapped' : `${vma.kind}, ${vma.memory}`;
}

const slotRow = (vm: Vm, { id, guestAddress, bytes, hostAddress, flags, dirty }: Memslot): MemslotRow => ({
  id,
  guestAddress: hex64(BigInt(guestAddress)),
  bytes,
  hostAddress: hex64(BigInt(hostAddress)),
  flags: Object.entries(memoryFlags).flatMap(([name, bit]) => ((flags & bit) === 0 ? [] : [name])),
  mapping: mappingText(vm, hostAddress),
  ...(dirty === undefined ? {} : { dirty: countDirty(dirty) }),
});

/** Those that KVM has taken, then those that it has refused. */
function slotRows({ userSpace }: Hypervisor, vm: Vm): MemslotRow[] {
  const errno = ({ id }: Memslot): string | undefined => {
    const call = `KVM_SET_USER_MEMORY_REGION slot ${id}`;
    return userSpace.ioctls.find((row) => row.vm === vm.id && row.call === call)?.errno;
  };
  const refused = vm.refused.map((slot) => ({ ...slotRow(vm, slot), refused: errno(slot) }));
  return [...vm.slots.map((slot) => slotRow(vm, slot)), ...refused];
}

/** Most frequent first. */
const countRows = (counts: Readonly<Record<string, number>>, cycles: Readonly<Record<string, number>>): CountRow[] =>
  Object.entries(counts)
    .map(([name, count]) => ({ name, count, cycles: cycles[name] ?? 0 }))
    .sort((a, b) => b.count - a.count || (a.name < b.name ? -1 : 1));

/** PC and PSTATE of the guest: the core's while its code runs, what was saved otherwise. */
function guestPlace(machine: Machine, model: Hypervisor, vcpu: Vcpu): { pc: bigint; pstate: bigint } {
  const core = coreOfVcpu(machine, vcpu);
  if (core === undefined) return vcpu;
  const { guest } = model.cores[core.index];
  if (guest === 'entered') return { pc: core.pc(), pstate: core.pstate() };
  if (guest !== 'onCore') return vcpu;
  return { pc: core.peekSystem('ELR_EL2') ?? 0n, pstate: core.peekSystem('SPSR_EL2') ?? 0n };
}

function stateOf(machine: Machine, model: Hypervisor, vcpu: Vcpu): VcpuRow['state'] {
  if (vcpu.state === 'off') return 'off';
  const core = coreOfVcpu(machine, vcpu);
  if (core === undefined) return vcpu.paused ? 'paused' : 'waiting';
  return model.cores[core.index].guest === 'entered' ? 'guest' : 'host';
}

function vcpuRow(machine: Machine, model: Hypervisor, target: Target, vcpu: Vcpu): VcpuRow {
  const { pc, pstate } = guestPlace(machine, model, vcpu);
  return {
    vcpu: vcpu.index,
    name: vcpu.name,
    core: coreOfVcpu(machine, vcpu)?.index ?? vcpu.core,
    state: stateOf(machine, model, vcpu),
    el: Number((pstate >> 2n) & 3n),
    pc: hex64(pc),
    symbol: target.describe(pc),
    source: target.sourceAt(pc),
    goesTo: vcpu.wantsCore,
    pinned: vcpu.pinned,
    paused: vcpu.paused,
    exits: countRows(vcpu.exits, vcpu.exitCycles),
    traps: countRows(vcpu.traps, vcpu.trapCycles),
  };
}

function policyRows(machine: Machine, model: Hypervisor): PolicyRow[] {
  const released = policiesOf(machine.config.hypervisor?.kvm);
  return policyNames.flatMap((name) => {
    const row = policyRow(name);
    const value = model.policies[name];
    if (row === undefined) return [];
    const values = Object.entries(row.values).map(([each, { meaning, since, standing }]) => {
      return { value: each, meaning, standing: since === undefined ? standing : `since ${since}` };
    });
    const { meaning, standing } = values.find((other) => other.value === value) ?? values[0];
    const { about } = row;
    const changed = value !== released[name];
    return [{ name, about, value, meaning, standing, changed, released: released[name], values }];
  });
}

export function vmsView(machine: Machine, target: Target): Omit<VmsView, 'version' | 'running'> {
  const { hypervisor: model } = machine;
  const none = { model: false, kvm: undefined, started: false, policies: [], vms: [], errors: [] };
  if (model === undefined) return none;
  return {
    model: true,
    kvm: machine.config.hypervisor?.kvm ?? NEWEST,
    started: model.kvm,
    policies: policyRows(machine, model),
    vms: model.vms.map((vm) => ({
      vm: vm.id,
      vmid: vm.vmid,
      slots: slotRows(model, vm),
      stage2: stage2Facts(vm),
      vcpus: vm.vcpus.map((vcpu) => vcpuRow(machine, model, target, vcpu)),
    })),
    errors: model.userSpace.errors.map(({ vcpu, errno, why }) => `${vcpu}: ${errno}: ${why}`),
  };
}
