/** The host kernel's own routines: boot of its cores, cores that come later, and what a core does while it has no vCPU to run. */

import { HostCpus } from '../host/hostCpus';
import { hostGicOf } from './hostGic';
import type { CoreContext } from './model';
import { done, type Routine, step } from './routines';

const tell = ({ model }: CoreContext, from: number): void => {
  const lines = model.host.messages.slice(from).map((message) => message.text);
  model.printk(...lines);
};

/** Instructions of a boot are not modelled, their order is. */
const BOOT_CYCLES = 100;

export const startKernel: Routine = {
  name: 'start_kernel',
  steps: [
    step('read the boot core’s ID registers', BOOT_CYCLES, ({ model }) => {
      model.host = new HostCpus({
        policies: model.policies,
        boot: model.registersOf(0),
        pageBytes: model.config.pageBytes,
      });
      return undefined;
    }),
    step('bring up the other cores', BOOT_CYCLES, ({ model }) => {
      for (let cpu = 1; cpu < model.bootCores; cpu++) model.host.bootSecondary(cpu, model.registersOf(cpu));
      return undefined;
    }),
    step('settle the capabilities', BOOT_CYCLES, (c) => {
      c.model.host.finalise();
      tell(c, 0);
      return undefined;
    }),
    step('start KVM', BOOT_CYCLES, (c) => {
      const { model } = c;
      const from = model.host.messages.length;
      model.kvm = model.host.startKvm() === 'ok';
      tell(c, from);
      model.exitCode = model.kvm ? 0 : 1;
      return undefined;
    }),
    step('create the VMs', BOOT_CYCLES, (c) => {
      if (c.model.kvm) c.model.createVms(c);
      return undefined;
    }),
    step('let the other cores go', BOOT_CYCLES, ({ model, port }) => {
      model.isBooted = true;
      for (let cpu = 1; cpu < model.bootCores; cpu++) port.wake(cpu);
      return { call: 'do_idle' };
    }),
  ],
};

export const secondaryStartKernel: Routine = {
  name: 'secondary_start_kernel',
  steps: [
    step('wait for the boot core', 1, ({ model, port, core }) => {
      if (model.isBooted && core < model.bootCores) return { goto: 'be idle' };
      if (model.isBooted && model.onlining.has(core)) return undefined;
      port.wait(core);
      return { goto: 'wait for the boot core' };
    }),
    step('check local capabilities', BOOT_CYCLES, (c) => {
      const { model, core } = c;
      const from = model.host.messages.length;
      const outcome = model.host.onlineLate(core, model.registersOf(core));
      tell(c, from);
      model.onlining.delete(core);
      if (outcome === 'died') return { goto: 'wait for the boot core' };
      return undefined;
    }),
    step('be idle', 1, () => ({ call: 'do_idle' })),
  ],
};

export const doIdle: Routine = {
  name: 'do_idle',
  steps: [
    step('enable interrupts of this core', 20, (c) => {
      hostGicOf(c)?.enable(c);
      // clear_os_lock: debug exceptions of guests are theirs to enable.
      c.write('OSLAR_EL1', 0n);
      return undefined;
    }),
    step('pick the next thread', 20, (c) => {
      const { model, port, core, queue } = c;
      const at = queue.findIndex(({ vcpu }) => vcpu?.state === 'runnable' && !vcpu.paused);
      if (at >= 0) {
        const [next] = queue.splice(at, 1);
        queue.push(next);
        c.thread = next;
        const { slice } = model.config;
        model.rescheduled.delete(core);
        if (slice !== undefined) port.schedule(`slice ${core}`, slice);
        return { goto: 'pick the next thread' };
      }
      if (model.isBooted && model.allOff)
        port.exit(model.exitCode, model.kvm ? model.failure || 'every vCPU is off' : 'KVM does not start');
      port.wait(core);
      return { goto: 'pick the next thread' };
    }),
    step('never', 1, () => done()),
  ],
};
