/** Requests that a VMM or an administrator makes: where vCPUs run, whether they do, and a virtual machine as a file. */
import type { Hypervisor } from '../hypervisor/run/model';
import { migrate, pause, pin, reset } from '../hypervisor/run/placement';
import type { Vcpu } from '../hypervisor/run/vm';
import { writeVm } from '../machine/vmFile';
import type { SessionHandlers } from './handlers';
import type { Session } from './session';
import { refuse } from './variables';
import { stage2View } from './views/stage2';

/** Does something to a vCPU; whoever waits for the machine is told. */
function change(session: Session, vm: number, vcpu: number, act: (model: Hypervisor, found: Vcpu) => void): object {
  const model = session.machine.hypervisor ?? refuse('there is no hypervisor model: EL2 is the guest’s own');
  const found = model.vms.find(({ id }) => id === vm)?.vcpus[vcpu] ?? refuse(`there is no vm${vm}/vcpu${vcpu}`);
  act(model, found);
  session.run.wake();
  session.announce();
  return {};
}

const online = ({ host }: Hypervisor, core: number): number =>
  host.online.includes(core) ? core : refuse(`core ${core} is not online`);

export const vmHandlers = (session: Session) =>
  ({
    'elscope/migrateVcpu': ({ vm, vcpu, core }) =>
      change(session, vm, vcpu, (model, found) => migrate(model, found, online(model, core))),
    'elscope/pinVcpu': ({ vm, vcpu, core }) =>
      change(session, vm, vcpu, (model, found) => pin(model, found, core === undefined ? core : online(model, core))),
    'elscope/pauseVcpu': ({ vm, vcpu, paused }) =>
      change(session, vm, vcpu, (model, found) => pause(model, found, paused)),
    'elscope/resetVcpu': ({ vm, vcpu }) => change(session, vm, vcpu, (model, found) => reset(model, found)),
    'elscope/stage2': ({ vm }) => {
      const model = session.machine.hypervisor ?? refuse('there is no hypervisor model: EL2 is the guest’s own');
      const found = model.vms.find(({ id }) => id === vm) ?? refuse(`there is no VM ${vm}`);
      return { ...session.stateOfViews, ...stage2View(session.machine, model, found) };
    },
    'elscope/saveVm': ({ vm }) => ({ text: writeVm(session.machine, vm) }),
  }) satisfies Partial<SessionHandlers>;
