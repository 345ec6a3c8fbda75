/**
 * A guest as its VMM saves it and gives it to another host: registers by KVM_GET_ONE_REG, KVM_GET_MP_STATE, the interrupt
 * controller, and the VMM's own devices. Its memory is beside it. Restoring is KVM_ARM_VCPU_INIT and then KVM_SET_ONE_REG of
 * each register in order: the first one that is refused ends it, as VMMs do.
 */
import { copyPlain } from '../../base/plain';
import type { Hypervisor } from './model';
import { getOneReg, oneRegName, regList, setOneReg } from './oneReg';
import { contextOf, threadOf } from './vcpuRegisters';
import type { VgicCpu, VgicState } from './vgic';
import type { Vcpu, Vm } from './vm';

export interface GuestVcpu {
  readonly mpState: 'KVM_MP_STATE_RUNNABLE' | 'KVM_MP_STATE_STOPPED';
  readonly registers: readonly (readonly [id: bigint, value: bigint])[];
  /** Absent where the machine has no interrupt controller. */
  readonly interface?: VgicCpu;
}

export interface GuestState {
  readonly vcpus: readonly GuestVcpu[];
  /** By vCPU: something waits for a list register. */
  readonly waiting: readonly boolean[];
  /** Of the VMM's devices and the interrupt controller's frames, in order. */
  readonly devices: readonly unknown[];
}

/** The routine in which a vCPU is, when its exit is not yet handled to the end: its registers are no state to go on from. */
export function inMidstOf(model: Hypervisor, vm: Vm): { readonly vcpu: string; readonly routine: string } | undefined {
  for (const vcpu of vm.vcpus) {
    const frames = threadOf(model, vcpu)?.frames ?? [];
    const at = frames.findIndex(({ routine }) => routine === 'handle_exit');
    if (at >= 0 && frames[at].at > 0) return { vcpu: vcpu.name, routine: frames[frames.length - 1].routine };
  }
  return undefined;
}

function interfaceOf(model: Hypervisor, vcpu: Vcpu): VgicCpu | undefined {
  const { vgic } = vcpu.vm;
  if (vgic === undefined) return undefined;
  const context = contextOf(model, vcpu);
  const run = context?.thread.frames.find(({ routine }) => routine === '__kvm_vcpu_run');
  if (context !== undefined && run !== undefined && run.at > 0) return vgic.peek(context);
  const { lists } = vgic.saveState() as VgicState<number | bigint>;
  const { vmcr, apr, apr0, index } = vcpu;
  return { vmcr, apr, apr0, lists: lists[index] };
}

/** Looks only; of no vCPU the exit is being handled. */
export function saveGuest(model: Hypervisor, vm: Vm): GuestState {
  const vcpus = vm.vcpus.map((vcpu): GuestVcpu => {
    const registers = regList(model, vcpu).flatMap((id): [bigint, bigint][] => {
      const value = getOneReg(model, vcpu, id);
      return typeof value === 'bigint' ? [[id, value]] : [];
    });
    const mpState = vcpu.state === 'off' ? 'KVM_MP_STATE_STOPPED' : 'KVM_MP_STATE_RUNNABLE';
    return { mpState, registers, interface: interfaceOf(model, vcpu) };
  });
  const waiting = (vm.vgic?.saveState() as VgicState<unknown> | undefined)?.waiting ?? [];
  return { vcpus, waiting, devices: copyPlain(model.userSpace.devicesOf(vm).map((device) => device.save())) };
}

/** Into a VM that was just made. What KVM refused, as the VMM reports it. */
export function restoreGuest(model: Hypervisor, vm: Vm, guest: GuestState): string | undefined {
  for (const [n, device] of model.userSpace.devicesOf(vm).entries()) device.load(guest.devices[n]);
  for (const [index, vcpu] of vm.vcpus.entries()) {
    const { registers, mpState, interface: own } = guest.vcpus[index];
    for (const [id, value] of registers) {
      const outcome = setOneReg(model, vcpu, id, value);
      if (outcome === 'ok') continue;
      const call = `KVM_SET_ONE_REG ${oneRegName(id)} = 0x${value.toString(16)} of vCPU ${index}`;
      model.userSpace.ioctls.push({ vm: vm.id, call, errno: outcome });
      return `${call}: ${outcome}`;
    }
    vcpu.state = mpState === 'KVM_MP_STATE_RUNNABLE' ? 'runnable' : 'off';
    if (own !== undefined) Object.assign(vcpu, { vmcr: own.vmcr, apr: own.apr, apr0: own.apr0 });
  }
  const lists = guest.vcpus.map((vcpu) => vcpu.interface?.lists ?? []);
  vm.vgic?.loadState({ waiting: guest.waiting, lists });
  return undefined;
}
