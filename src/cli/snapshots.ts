/** `--save` and `--load`: the machine's state in a file. */
import { closeSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { UserError } from '../base/errors';
import { inMidstOf } from '../hypervisor/run/guestState';
import type { Machine } from '../machine/api';
import { restoreFromFile, writeSnapshot } from '../machine/snapshot/file';
import { writeVm } from '../machine/vmFile';
import { nodeCompression } from '../worker/nodeCompression';
import { nodePorts } from '../worker/nodePorts';

/** @throws UserError cli.write */
export function saveSnapshot(machine: Machine, path: string): void {
  let descriptor: number | undefined;
  try {
    descriptor = openSync(path, 'w');
    for (const part of writeSnapshot(machine.save(), nodeCompression)) writeSync(descriptor, part);
  } catch (error) {
    if (error instanceof Error && 'errno' in error) throw new UserError('cli.write', { path });
    throw error;
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

/** Instructions until an exit has been handled, at most. */
const EXIT_INSTRUCTIONS = 100_000;

/** The first virtual machine, as it is after the exits that are being handled. @throws UserError cli.write, vm.* */
export function saveVm(machine: Machine, path: string): void {
  const { hypervisor } = machine;
  const vm = hypervisor?.vms[0];
  for (let n = 0; n < EXIT_INSTRUCTIONS && hypervisor && vm && inMidstOf(hypervisor, vm); n++) machine.run(1);
  const text = writeVm(machine, 1);
  try {
    writeFileSync(path, text);
  } catch {
    throw new UserError('cli.write', { path });
  }
}

/** @throws UserError image.missing, snapshot.* */
export function loadSnapshot(machine: Machine, path: string): void {
  restoreFromFile(machine, nodePorts().readFile(path, 'snapshot'), path, nodeCompression);
}
