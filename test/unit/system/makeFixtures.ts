/**
 * Makes test/fixtures/system/*.json: the programs of programs/, assembled, and what QEMU's system emulator logs of them.
 * `npx tsx test/unit/system/makeFixtures.ts [NAME]` writes them (or one) anew; it needs qemu-system-aarch64 and the cross
 * assembler. The test reads the recorded files only.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { assembly, type Program } from './program';
import { programs } from './programs';

export interface SystemFixture {
  readonly made: string;
  /** The program's assembly by hash: a program that was changed has to be recorded anew. */
  readonly steps: readonly string[];
  /** The ELF image, base64. */
  readonly image: string;
  /** Pairs of step number and value in hexadecimal. */
  readonly log: readonly string[];
}

export const fixtureFile = (name: string): string =>
  path.join(import.meta.dirname, '../../fixtures/system', `${name}.json`);

/** The log as the UART gave it. */
export function readLog(bytes: Uint8Array): string[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const lines: string[] = [];
  for (let at = 0; at + 16 <= bytes.length; at += 16) {
    const step = view.getBigUint64(at, true);
    if (step === 2n ** 64n - 1n) break;
    lines.push(`${step} ${view.getBigUint64(at + 8, true).toString(16)}`);
  }
  return lines;
}

function make(program: Program, version: string): SystemFixture {
  const folder = mkdtempSync(path.join(tmpdir(), 'system-'));
  try {
    writeFileSync(path.join(folder, 'a.s'), assembly(program));
    const tool = (name: string, ...args: string[]): void =>
      void execFileSync(`aarch64-linux-gnu-${name}`, args, { cwd: folder, stdio: 'inherit' });
    tool('as', '-march=armv8.6-a', '-o', 'a.o', 'a.s');
    tool('ld', '-z', 'max-page-size=4096', '-Ttext=0x40100000', '-o', 'a.elf', 'a.o');
    tool('strip', 'a.elf');
    const machine = ['virt', `gic-version=${program.gic}`, ...(program.gic === 3 ? ['its=off'] : [])];
    if (program.el >= 2) machine.push('virtualization=on');
    if (program.el === 3) machine.push('secure=on');
    const args = ['-M', machine.join(','), '-cpu', program.cpu, '-smp', `${program.cpus ?? 1}`, '-m', '1G'];
    args.push('-display', 'none', '-nic', 'none', '-monitor', 'none', '-serial', 'file:out', '-semihosting');
    // Several cores really at once: with -icount one waits for the other too long.
    const pace = program.cpus === undefined ? ['-icount', 'shift=0'] : ['-accel', 'tcg,thread=multi'];
    execFileSync('qemu-system-aarch64', [...args, ...pace, '-kernel', 'a.elf'], {
      cwd: folder,
      timeout: 20_000,
    });
    return {
      made: version,
      steps: program.steps.map((step) => step.label),
      image: readFileSync(path.join(folder, 'a.elf')).toString('base64'),
      log: readLog(readFileSync(path.join(folder, 'out'))),
    };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

if (process.argv[1] === import.meta.filename) {
  const version = execFileSync('qemu-system-aarch64', ['--version'], { encoding: 'utf8' }).split('\n')[0];
  for (const program of programs) {
    if (process.argv[2] !== undefined && !program.name.startsWith(process.argv[2])) continue;
    writeFileSync(fixtureFile(program.name), `${JSON.stringify(make(program, version), undefined, 1)}\n`);
  }
}
