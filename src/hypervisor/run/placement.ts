/**
 * Where vCPUs run and whether they do: what an administrator or the schedule asks of a vCPU takes effect when it has left its core,
 * which it is made to at once; at once too while it waits for its turn.
 */
import { bug } from '../../base/errors';
import type { CoreContext, Hypervisor, Thread } from './model';
import { contextOf } from './vcpuRegisters';
import type { Vcpu, Vm } from './vm';

/** Where a vCPU that gives way goes on. */
export function nextCore({ config, random, bootCores }: Hypervisor, vcpu: Vcpu, core: number): number {
  const { wantsCore } = vcpu;
  vcpu.wantsCore = undefined;
  if (wantsCore !== undefined) return wantsCore;
  if (vcpu.pinned !== undefined) return vcpu.pinned;
  return config.migrate === undefined ? core : random.below(bootCores);
}

/** A thread goes on on another core. */
export function moveThread(from: CoreContext, thread: Thread, to: number): void {
  const { cores, port } = from.model;
  from.queue.splice(from.queue.indexOf(thread), 1);
  cores[to].queue.push(thread);
  if (thread.vcpu !== undefined) thread.vcpu.core = to;
  port.wake(to);
}

/** The core of a vCPU, whose guest is left at once if it runs. */
function leaveGuest({ cores, port }: Hypervisor, vcpu: Vcpu): CoreContext {
  const context = cores[vcpu.core];
  if (context.thread.vcpu === vcpu && context.guest === 'entered') port.kick(vcpu.core);
  return context;
}

/** None of a VM's vCPUs runs on (KVM_REQ_SLEEP): those that are in the guest leave it. */
export function stopAll(model: Hypervisor, vm: Vm): void {
  for (const vcpu of vm.vcpus) {
    vcpu.state = 'off';
    leaveGuest(model, vcpu);
  }
}

/** A vCPU goes on on another core. */
export function migrate(model: Hypervisor, vcpu: Vcpu, core: number): void {
  const context = leaveGuest(model, vcpu);
  if (context.thread.vcpu === vcpu) {
    vcpu.wantsCore = core;
    return;
  }
  vcpu.wantsCore = undefined;
  const thread = context.queue.find((other) => other.vcpu === vcpu) ?? bug(`${vcpu.name} has no thread`);
  if (core !== vcpu.core) moveThread(context, thread, core);
}

/**
 * The vCPU runs on this core from its next guest entry on, and on no other; undefined: where it likes, and that is where it is
 * if it has not moved yet.
 */
export function pin(model: Hypervisor, vcpu: Vcpu, core: number | undefined): void {
  if (core === undefined && vcpu.wantsCore === vcpu.pinned) vcpu.wantsCore = undefined;
  vcpu.pinned = core;
  if (core === vcpu.core) vcpu.wantsCore = undefined;
  else if (core !== undefined) migrate(model, vcpu, core);
}

/** User space stops calling KVM_RUN for a vCPU, or begins again. */
export function pause(model: Hypervisor, vcpu: Vcpu, paused: boolean): void {
  vcpu.paused = paused;
  if (paused) leaveGuest(model, vcpu);
  else model.port.wake(vcpu.core);
}

/** KVM_ARM_VCPU_INIT again: registers as at its start, memory as it is. */
export function reset(model: Hypervisor, vcpu: Vcpu): void {
  vcpu.wantsReset = true;
  const context = leaveGuest(model, vcpu);
  if (context.thread.vcpu !== vcpu) resetNow(model, vcpu);
}

function resetNow(model: Hypervisor, vcpu: Vcpu): void {
  model.init(vcpu);
  model.port.wake(vcpu.core);
}

/** A vCPU has left its core: what was asked of it meanwhile. */
export function hasLeft(model: Hypervisor, vcpu: Vcpu, core: number): void {
  vcpu.exitOver(model.port.cycles(core));
  const { start, vm } = vcpu;
  if (start !== undefined) vcpu.reset(start.entry, start.x0);
  vcpu.start = undefined;
  if (vcpu.wantsReset) resetNow(model, vcpu);
  if (vm.resets && vm.vcpus.every((other) => other === vcpu || contextOf(model, other) === undefined))
    model.resetVm(vm);
}

/** Before each guest entry: false if the vCPU has to leave its core first. */
export function mayGoBack(model: Hypervisor, vcpu: Vcpu): boolean {
  const { config, host } = model;
  const row = config.schedule?.find(({ vcpu: name, entry }) => name === vcpu.name && entry === vcpu.entries + 1);
  if (row !== undefined && row.core !== vcpu.core) {
    if (host.online.includes(row.core)) vcpu.wantsCore = row.core;
    else model.printk(`vmm [${vcpu.vm.id}]: ${vcpu.name} cannot go to core ${row.core}, which is not online`);
  }
  return vcpu.state !== 'off' && vcpu.wantsCore === undefined && !vcpu.paused && !vcpu.wantsReset;
}
