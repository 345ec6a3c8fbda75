/**
 * QEMU's devices without a guest: its qtest protocol reads and writes the virt board's registers and memory as a core would,
 * so that a model can be given the same accesses and compared value by value.
 */
import { spawn } from 'node:child_process';
import { onPath } from '../../../src/build/processes';

export interface RegisterAccess {
  readonly at: number;
  readonly size: 1 | 2 | 4;
  /** Written; absent for a read. */
  readonly value?: number;
}

export const read = (at: number, size: 1 | 2 | 4 = 4): RegisterAccess => ({ at, size });
export const write = (at: number, value: number, size: 1 | 2 | 4 = 4): RegisterAccess => ({ at, size, value });

export const hasQemu = onPath('qemu-system-aarch64') !== undefined;

const letter = { 1: 'b', 2: 'w', 4: 'l' } as const;
const hex = (n: number): string => `0x${n.toString(16)}`;
const command = ({ at, size, value }: RegisterAccess): string =>
  value === undefined ? `read${letter[size]} ${hex(at)}` : `write${letter[size]} ${hex(at)} ${hex(value)}`;

/** What each access gives on QEMU: the value of a read, 0 for a write. */
export function onQemu(accesses: readonly RegisterAccess[], options: readonly string[] = []): Promise<number[]> {
  const machine = ['-machine', 'virt,acpi=off', '-m', '256M', '-nodefaults', '-display', 'none', '-S'];
  const child = spawn('qemu-system-aarch64', [...machine, '-qtest', 'stdio', '-qtest-log', '/dev/null', ...options]);
  return new Promise((resolve, reject) => {
    let text = '';
    let errors = '';
    child.stderr.on('data', (chunk: Buffer) => {
      errors += chunk.toString();
    });
    child.stdout.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      const lines = text.split('\n').slice(0, -1);
      const failed = lines.find((line) => line.startsWith('FAIL') || line.startsWith('ERR'));
      const answers = lines.filter((line) => line.startsWith('OK'));
      if (failed === undefined && answers.length < accesses.length) return;
      child.kill();
      if (failed !== undefined) reject(new Error(failed));
      else resolve(answers.map((line) => Number(line.split(' ')[1] ?? 0)));
    });
    child.once('error', reject);
    child.once('close', () => reject(new Error(`QEMU ended: ${errors}`)));
    child.stdin.on('error', () => {});
    child.stdin.write(accesses.map((access) => `${command(access)}\n`).join(''));
  });
}
