/** Debian's kernels with our initial RAM disk: on elscope's command line and on QEMU, with commands typed at the shell. */
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { compileBareMetal } from '../../src/build/crossCompiler';
import { type KernelVersion, linuxKernel } from '../../src/build/guests';
import { INIT_MARKER, initrdBytes, SHELL_PROMPT } from '../../src/build/initrd';
import { ROOT } from '../../src/build/paths';
import type { MachineStatistics } from '../../src/machine/api';
import { elscope, scratch } from '../unit/cli/program';

/** The RAM disk with `ids` (linux/ids.c), which init runs before the shell. */
let disk: Promise<string> | undefined;
export function linuxInitrd(): Promise<string> {
  disk ??= (async () => {
    const ids = path.join(scratch(), 'ids.elf');
    const sources = ['test/guests/linux/ids.c'];
    await compileBareMetal({ root: ROOT, sources, linkerScript: 'test/guests/linux/ids.ld', optimize: '-O2' }, ids);
    const file = path.join(scratch(), 'initrd.cpio.gz');
    const elf = readFileSync(ids);
    writeFileSync(file, await initrdBytes({ ids: elf }));
    return file;
  })();
  return disk;
}

export interface LinuxRun {
  readonly version: KernelVersion;
  readonly machine?: string;
  readonly cpus?: number;
  readonly el?: 1 | 2 | 3;
  readonly gic?: 2 | 3;
  readonly memory?: string;
  readonly append?: string;
  readonly check?: 'actual' | 'architectural';
  /** Default: with `ids`. */
  readonly initrd?: string;
  /** Typed at the shell one after the other; then `poweroff -f`. */
  readonly commands?: readonly string[];
}

export interface LinuxResult {
  readonly code: number | null;
  readonly console: string;
  readonly stderr: string;
  readonly statistics: MachineStatistics & { readonly seconds: number };
  /** What each command printed. */
  readonly answers: readonly string[];
}

/** More than any of these runs needs. */
const LIMIT = 20_000_000_000;
let runs = 0;

/** Stand around what a command prints; typed differently, since the shell echoes and at times folds what is typed. */
const [BEGUN, ENDED] = ['BEGIN', 'END'];
const typed = (command: string): string => `echo BE""GIN; ${command}; echo E""ND`;
const escaped = (text: string): string => text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');

/** From power-on to power-off. */
export async function runLinux(run: LinuxRun): Promise<LinuxResult> {
  const stats = path.join(scratch(), `linux-${runs++}.json`);
  const append = `console=ttyAMA0 ${run.append ?? ''}`.trim();
  const args = ['run', '--kernel', await linuxKernel(run.version), '--initrd', run.initrd ?? (await linuxInitrd())];
  args.push('--append', append, '--stats', stats, '--max-instructions', `${LIMIT}`);
  for (const name of ['machine', 'cpus', 'el', 'gic', 'memory', 'check'] as const)
    if (run[name] !== undefined) args.push(`--${name}`, `${run[name]}`);
  const commands = run.commands ?? [];
  for (const [i, command] of commands.entries())
    args.push('--expect', i === 0 ? SHELL_PROMPT : ENDED, '--send', escaped(`${typed(command)}\n`));
  args.push('--expect', commands.length === 0 ? SHELL_PROMPT : ENDED, '--send', 'poweroff -f\\n');
  const { code, stdout, stderr } = await elscope(args, { timeout: 600_000 });
  const console = stdout.replaceAll('\r', '');
  return {
    code,
    console,
    stderr,
    statistics: JSON.parse(readFileSync(stats, 'utf8')),
    answers: answersIn(console, commands),
  };
}

/** What each command printed. */
const answersIn = (console: string, commands: readonly string[]): string[] => {
  const parts = console.split(`${BEGUN}\n`).slice(1);
  return commands.map((_, i) => parts[i]?.slice(0, parts[i].indexOf(ENDED)) ?? '');
};

/** Lines of our `ids` program. */
export const idLines = (console: string): string[] =>
  console
    .slice(console.indexOf(INIT_MARKER))
    .split('\n')
    .filter((line) => /^cpu\d+ CTR_EL0/.test(line));

/** Boot messages without their time stamps. */
export const messages = (console: string): string[] =>
  console.split('\n').map((line) => line.replace(/^\[ *\d+\.\d+\] /, ''));

export const pace = ({ statistics: { instructions, seconds } }: LinuxResult): string =>
  `${(instructions / 1e6).toFixed(0)} M instructions in ${seconds.toFixed(1)} s, ${(instructions / seconds / 1e6).toFixed(0)} M/s`;
