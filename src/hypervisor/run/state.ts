/**
 * The state of the hypervisor model for snapshots. Guests' memory and stage-2 tables are the machine's; what code at EL2 has
 * reached is plain data in its frames, so nothing has to run again. VMs are made anew when a state is put back: whoever keeps
 * one across that has the old one.
 */
import { copyPlain } from '../../base/plain';
import { HostCpus, type HostState } from '../host/hostCpus';
import type { CoreContext, Frame, Hypervisor, Thread } from './model';
import type { WatchdogState } from './softLockup';
import type { SavedVm, Vcpu } from './vm';

interface CoreState {
  readonly exception: CoreContext['exception'];
  readonly guest: CoreContext['guest'];
  readonly idle: readonly Frame[];
  readonly queue: readonly { readonly vcpu: number; readonly frames: readonly Frame[] }[];
  /** Which of the queue has the core; -1: the idle thread. */
  readonly current: number;
}

export interface ModelState {
  readonly host: HostState | undefined;
  readonly vms: readonly SavedVm[];
  readonly userSpace: ReturnType<Hypervisor['userSpace']['save']>;
  readonly cores: readonly CoreState[];
  readonly watchdog: WatchdogState;
  /** vCPUs by owner number. */
  readonly timers: readonly (readonly [id: string, vcpu: number])[];
  readonly random: number;
  readonly sets: { readonly rescheduled: readonly number[]; readonly onlining: readonly number[] };
  readonly lists: Pick<Hypervisor, 'log' | 'faults' | 'operations' | 'vmids'>;
  readonly values: Pick<Hypervisor, (typeof VALUES)[number]>;
}

const VALUES = ['entered', 'exitCode', 'failure', 'kvm', 'isBooted', 'used'] as const;

/** What is wrong with a state: it was made by hand, since files have check sums. */
const malformed = (what: string): never => {
  throw new RangeError(`hypervisor state: ${what}`);
};

const saveCore = ({ exception, guest, idle, queue, thread }: CoreContext): CoreState => ({
  exception,
  guest,
  idle: copyPlain(idle.frames),
  queue: queue.map(({ vcpu, frames }) => ({ vcpu: vcpu?.owner ?? 0, frames: copyPlain(frames) })),
  current: queue.indexOf(thread),
});

export function saveModel(model: Hypervisor): ModelState {
  const { hostCpus, vms, userSpace, cores, watchdog, timers, randomState, rescheduled, onlining } = model;
  const { log, faults, operations, vmids } = model;
  return {
    host: hostCpus?.save(),
    vms: vms.map((vm) => vm.save()),
    userSpace: userSpace.save(),
    cores: cores.map(saveCore),
    watchdog: watchdog.save(),
    timers: Array.from(timers, ([id, vcpu]) => [id, vcpu.owner] as const),
    random: randomState[0],
    sets: { rescheduled: [...rescheduled], onlining: [...onlining] },
    lists: copyPlain({ log, faults, operations, vmids }),
    values: Object.fromEntries(VALUES.map((name) => [name, model[name]])) as ModelState['values'],
  };
}

const vcpuOf = (model: Hypervisor, owner: number): Vcpu =>
  model.vms.flatMap((vm) => vm.vcpus).find((vcpu) => vcpu.owner === owner) ?? malformed(`vCPU ${owner}`);

/** Frames whose routines and steps there are. */
function framesOf(model: Hypervisor, frames: readonly Frame[]): Frame[] {
  for (const { routine, at } of frames) {
    const steps = model.table.get(routine)?.steps.length ?? malformed(`routine ${routine}`);
    // One that has made its last step waits for what that called.
    if (!Number.isInteger(at) || at < 0 || at > steps) malformed(`step ${at} of ${routine}`);
  }
  return copyPlain([...frames]);
}

function loadCore(model: Hypervisor, context: CoreContext, state: CoreState): void {
  const { exception, guest, idle, queue, current } = state;
  const replace = <T>(list: T[], items: readonly T[]): void => void list.splice(0, list.length, ...items);
  Object.assign(context, { exception, guest });
  replace(context.idle.frames, framesOf(model, idle));
  const threads = queue.map(({ vcpu, frames }): Thread => {
    return { vcpu: vcpuOf(model, vcpu), frames: framesOf(model, frames) };
  });
  replace(context.queue, threads);
  context.thread = current < 0 ? context.idle : (threads[current] ?? malformed(`thread ${current}`));
}

function replaceLists(model: Hypervisor, { log, faults, operations, vmids }: ModelState['lists']): void {
  Object.assign(model.vmids, copyPlain(vmids));
  model.log.splice(0, model.log.length, ...log);
  model.faults.splice(0, model.faults.length, ...copyPlain([...faults]));
  for (const name of Object.keys(model.operations)) delete model.operations[name];
  Object.assign(model.operations, operations);
}

function loadVms(model: Hypervisor, states: readonly SavedVm[]): void {
  const { vms, userSpace, port } = model;
  vms.length = 0;
  userSpace.detachAll();
  for (const { id, root, vcpus } of states) {
    const cores = vcpus.map(({ rest }) => rest.core as number);
    if (cores.some((core) => !(core in model.cores))) malformed('a core');
    if (states.filter((other) => other.id === id).length > 1 || vcpus.length > 255) malformed(`VM ${id}`);
    for (const { name } of model.makeVm(id, root, cores).vcpus)
      for (const timer of ['timer', 'ptimer']) port.schedule(`${name} ${timer}`, Number.POSITIVE_INFINITY);
  }
}

/**
 * Puts a state back, before cores and memory are. Times that were asked for are the machine's to put back; that their names
 * are known is seen to here.
 * @throws RangeError or TypeError for what is no state
 */
export function loadModel(model: Hypervisor, state: ModelState): void {
  const { host, vms, userSpace, cores, watchdog, timers, random, sets, lists, values } = state;
  model.hostCpus = undefined;
  if (host !== undefined) {
    const { policies, config } = model;
    model.host = new HostCpus({ policies, boot: host.boot, pageBytes: config.pageBytes });
    model.host.load(host);
  } else if (vms.length > 0) malformed('VMs before the host');
  Object.assign(model, Object.fromEntries(VALUES.map((name) => [name, values[name]])));
  loadVms(model, vms);
  // Devices first: what they do about interrupts on the way is nothing that happened.
  model.userSpace.load(userSpace);
  for (const [n, vm] of model.vms.entries()) vm.load(vms[n]);
  for (const [n, context] of model.cores.entries()) loadCore(model, context, cores[n]);
  for (const { core } of model.cores) model.port.schedule(`slice ${core}`, Number.POSITIVE_INFINITY);
  model.watchdog.load(watchdog);
  model.timers.clear();
  for (const [id, vcpu] of timers) model.timers.set(id, vcpuOf(model, vcpu));
  model.randomState[0] = random;
  for (const name of ['rescheduled', 'onlining'] as const) {
    model[name].clear();
    for (const core of sets[name]) model[name].add(core);
  }
  replaceLists(model, lists);
}
