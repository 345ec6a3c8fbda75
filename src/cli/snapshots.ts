/** `--save` and `--load`: the machine's state in a file. */
import { closeSync, openSync, writeSync } from 'node:fs';
import { UserError } from '../base/errors';
import type { Machine } from '../machine/api';
import { restoreFromFile, writeSnapshot } from '../machine/snapshot/file';
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

/** @throws UserError image.missing, snapshot.* */
export function loadSnapshot(machine: Machine, path: string): void {
  restoreFromFile(machine, nodePorts().readFile(path, 'snapshot'), path, nodeCompression);
}
