/** Assembles a bare-metal program beside this file with a file of records, and gives what QEMU's serial port printed. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

export interface QemuRun {
  /** Name of the program's source. */
  readonly source: string;
  readonly machine: string;
  readonly core: string;
  readonly words: readonly bigint[];
  /** Assembler symbols. */
  readonly symbols?: Readonly<Record<string, number>>;
}

export const qemuVersion = (): string =>
  execFileSync('qemu-system-aarch64', ['--version'], { encoding: 'utf8' }).split('\n')[0];

/** The words that the program printed. */
export const qemuLines = (run: QemuRun): string[] => qemuImage(run).lines;

/** The same, with the program. */
export function qemuImage({ source, machine, core, words, symbols = {} }: QemuRun): {
  elf: Uint8Array;
  lines: string[];
} {
  const folder = mkdtempSync(path.join(tmpdir(), 'records-'));
  try {
    writeFileSync(path.join(folder, 'records.bin'), new Uint8Array(BigUint64Array.from(words).buffer));
    const tool = (name: string, ...args: string[]): void =>
      void execFileSync(`aarch64-linux-gnu-${name}`, args, { cwd: folder, stdio: 'inherit' });
    const defined = Object.entries(symbols).flatMap(([name, value]) => ['--defsym', `${name}=${value}`]);
    tool('as', ...defined, '-o', 'a.o', path.join(import.meta.dirname, source));
    tool('ld', '-Ttext=0x40100000', '-o', 'a.elf', 'a.o');
    const quiet = ['-display', 'none', '-nic', 'none', '-monitor', 'none', '-serial', 'file:out'];
    const args = ['-M', machine, '-cpu', core, '-m', '1G', ...quiet, '-semihosting', '-kernel', 'a.elf'];
    execFileSync('qemu-system-aarch64', args, { cwd: folder, timeout: 120_000 });
    tool('strip', 'a.elf');
    const lines = readFileSync(path.join(folder, 'out'), 'utf8').trim().split(/\s+/);
    return { elf: readFileSync(path.join(folder, 'a.elf')), lines };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
