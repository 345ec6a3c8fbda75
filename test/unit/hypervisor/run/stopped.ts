/** Machines of the hypervisor model that a test stops where it wants them. */
import assert from 'node:assert/strict';
import path from 'node:path';
import { SAMPLES } from '../../../../src/build/paths';
import type { CoreContext, Hypervisor } from '../../../../src/hypervisor/run/model';
import type { LaunchOptions } from '../../../../src/machine/launch.types';
import type { ElscopeMachine } from '../../../../src/machine/machine';
import { launchSample } from '../../machine/samples';

export interface Stopped {
  readonly machine: ElscopeMachine;
  readonly model: Hypervisor;
  /** Core 0 at EL2, with the first vCPU. */
  readonly c: CoreContext;
}

const MOST_STEPS = 1e6;

/** Goes on until something holds, looked at after each instruction and step. */
export function goUntil({ machine }: Pick<Stopped, 'machine'>, holds: () => boolean): void {
  for (let n = 0; !holds(); n++) {
    assert.ok(n < MOST_STEPS);
    machine.run(1);
  }
}

/** A sample with the machine file of its name, when its VMs are made and no vCPU has run. */
export function beforeFirstRun(name: string, options: Omit<LaunchOptions, 'program'>): Stopped {
  const machineFile = path.join(SAMPLES, `${name}.json`);
  const { machine } = launchSample(name, { memory: '128M', machine: machineFile, ...options });
  const model = machine.hypervisor ?? assert.fail('no model');
  goUntil({ machine }, () => model.vms.length > 0);
  const [c] = model.cores;
  c.thread = c.queue[0];
  return { machine, model, c };
}
