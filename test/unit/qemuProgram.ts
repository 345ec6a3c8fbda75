/**
 * Assembles a bare-metal program (with program.inc, beside this file) and what it includes, runs it on QEMU, and gives what the
 * serial port printed.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

export interface QemuRun {
  /** Path of the program's source. */
  readonly source: string;
  readonly machine: string;
  readonly core: string;
  /** Of records.bin. */
  readonly words?: readonly bigint[];
  /** Further files to include, by name. */
  readonly files?: Readonly<Record<string, string>>;
  /** Assembler symbols. */
  readonly symbols?: Readonly<Record<string, number>>;
}

export const qemuVersion = (): string =>
  execFileSync('qemu-system-aarch64', ['--version'], { encoding: 'utf8' }).split('\n')[0];

/** The words that the program printed. */
export const qemuLines = (run: QemuRun): string[] => qemuImage(run).lines;

/** The same, with the program. */
export function qemuImage(run: QemuRun): { elf: Uint8Array; lines: string[] } {
  const { source, machine, core, words = [], files = {}, symbols = {} } = run;
  const folder = mkdtempSync(path.join(tmpdir(), 'records-'));
  try {
    writeFileSync(path.join(folder, 'records.bin'), new Uint8Array(BigUint64Array.from(words).buffer));
    for (const [name, text] of Object.entries(files)) writeFileSync(path.join(folder, name), text);
    const tool = (name: string, ...args: string[]): void =>
      void execFileSync(`aarch64-linux-gnu-${name}`, args, { cwd: folder, stdio: 'inherit' });
    const defined = Object.entries(symbols).flatMap(([name, value]) => ['--defsym', `${name}=${value}`]);
    tool('as', '-I', import.meta.dirname, ...defined, '-o', 'a.o', source);
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
