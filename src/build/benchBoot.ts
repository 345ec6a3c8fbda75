/**
 * The boot of Debian's kernel to the shell of our initial RAM disk: seconds from the start of the process to the prompt, on
 * elscope with all caches modelled and on QEMU, and the instructions that both executed until then. QEMU counts its own while
 * it records a run, and tells them through QMP.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { type KernelVersion, linuxKernel } from './guests';
import { initrd, SHELL_PROMPT } from './initrd';
import { artefactsDir, DIST } from './paths';
import { residentMiB } from './processes';

const CLI = path.join(DIST, 'cli.cjs');
const VERSIONS: readonly KernelVersion[] = ['6.1', '6.12'];
const MEMORY = '1G';
const APPEND = 'console=ttyAMA0';
/** A machine that never reaches its prompt. */
const LONGEST = 600_000;

export const BOOT_TARGETS = { timesQemu: 8, fourCores: 1.3, checker: 1.5, residentMiB: 1331 } as const;

export interface Boot {
  readonly seconds: number;
  readonly instructions: number;
  readonly residentMiB: number;
}

/** Runs until the prompt is on standard output; `then` is called there, before the process is ended. */
function untilPrompt<T>(command: string, args: readonly string[], then: (child: ChildProcess) => Promise<T>) {
  return new Promise<T & { readonly seconds: number }>((resolve, reject) => {
    const started = performance.now();
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    const timer = setTimeout(() => child.kill('SIGKILL'), LONGEST);
    let output = '';
    let found = false;
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString('latin1');
      if (found || !output.includes(SHELL_PROMPT)) return;
      found = true;
      const seconds = (performance.now() - started) / 1000;
      then(child)
        .then((more) => resolve({ ...more, seconds }), reject)
        .finally(() => child.kill('SIGKILL'));
    });
    child.stderr.resume();
    child.once('error', reject);
    child.once('close', () => {
      clearTimeout(timer);
      if (!found) reject(new Error(`${command} never came to a prompt: ${output.slice(-300)}`));
    });
  });
}

const qemuArguments = (kernel: string, disk: string, cpus: number): string[] => [
  ...['-M', 'virt', '-cpu', 'cortex-a57', '-smp', `${cpus}`, '-m', MEMORY, '-nodefaults', '-display', 'none'],
  ...['-serial', 'stdio', '-kernel', kernel, '-initrd', disk, '-append', APPEND],
];

/** Asks one question of a QMP server. */
function askQmp<T>(socketPath: string, command: string): Promise<T> {
  return new Promise((resolve, reject) => {
    const socket = connect(socketPath);
    let text = '';
    socket.on('data', (chunk) => {
      text += chunk.toString();
      for (const line of text.split('\n').slice(0, -1)) {
        const message = JSON.parse(line) as { QMP?: object; id?: string; return?: T };
        if (message.QMP) socket.write(`{"execute":"qmp_capabilities"}{"execute":"${command}","id":"asked"}`);
        if (message.id !== 'asked' || message.return === undefined) continue;
        resolve(message.return);
        socket.end();
      }
      text = text.slice(text.lastIndexOf('\n') + 1);
    });
    socket.once('error', reject);
  });
}

/** Instructions that QEMU executes up to the prompt, in a run that it records. */
async function countOnQemu(kernel: string, disk: string): Promise<number> {
  const scratch = mkdtempSync(path.join(os.tmpdir(), 'elscope-boot-'));
  const [record, socket] = [path.join(scratch, 'record'), path.join(scratch, 'qmp')];
  try {
    const args = qemuArguments(kernel, disk, 1);
    args.push('-icount', `shift=0,sleep=off,rr=record,rrfile=${record}`, '-qmp', `unix:${socket},server=on,wait=off`);
    const counted = await untilPrompt('qemu-system-aarch64', args, async () => {
      const { icount } = await askQmp<{ readonly icount: number }>(socket, 'query-replay');
      return { icount };
    });
    return counted.icount;
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

async function onQemu(kernel: string, disk: string): Promise<Boot> {
  const { seconds, resident } = await untilPrompt(
    'qemu-system-aarch64',
    qemuArguments(kernel, disk, 1),
    async (child) => ({ resident: residentMiB(child) }),
  );
  return { seconds, instructions: await countOnQemu(kernel, disk), residentMiB: resident };
}

async function onElscope(kernel: string, disk: string, cpus: number, check = 'off'): Promise<Boot> {
  const stats = path.join(artefactsDir('bench'), `boot-${cpus}-${check}.json`);
  rmSync(stats, { force: true });
  const args = [CLI, 'run', '--kernel', kernel, '--initrd', disk, '--append', APPEND, '--memory', MEMORY];
  args.push('--check', check, '--cpus', `${cpus}`, '--until-console', SHELL_PROMPT, '--stats', stats);
  const { seconds, resident } = await untilPrompt(process.execPath, args, async (child) => {
    const largest = residentMiB(child);
    if (child.exitCode === null) await new Promise((resolve) => child.once('close', resolve));
    return { resident: largest };
  });
  const { instructions } = JSON.parse(readFileSync(stats, 'utf8')) as { instructions: number };
  return { seconds, instructions, residentMiB: resident };
}

/** One line for each target. `one` and `four`: elscope on so many cores; `checked`: on one, with the coherence checker. */
export function bootTargets(one: Boot, four: Boot, checked: Boot, qemu: Boot): string[] {
  const judge = (text: string, value: number, good: boolean): string =>
    `${good ? 'reached' : 'missed '}  ${text}: ${value.toFixed(2)}`;
  const times = one.seconds / qemu.seconds;
  const each = four.seconds / four.instructions / (one.seconds / one.instructions);
  const price = checked.seconds / one.seconds;
  const resident = Math.max(one.residentMiB, four.residentMiB);
  const { timesQemu, fourCores, residentMiB: most } = BOOT_TARGETS;
  return [
    judge(`boot on one core, at most ${timesQemu} times QEMU's seconds`, times, times <= timesQemu),
    judge(`boot on four cores, at most ${fourCores} times one core's seconds an instruction`, each, each <= fourCores),
    judge(`boot with the checker, under ${BOOT_TARGETS.checker} times`, price, price < BOOT_TARGETS.checker),
    judge(`resident memory of the boot, under ${most} MiB with ${MEMORY}`, resident, resident < most),
  ];
}

const row = (name: string, { seconds, instructions, residentMiB: resident }: Boot): string => {
  const cells = [seconds.toFixed(1), (instructions / 1e6).toFixed(1), (instructions / seconds / 1e6).toFixed(0)];
  return [name.padEnd(24), ...cells.map((text) => text.padStart(14)), resident.toFixed(0).padStart(14)].join('');
};

/** Boots Debian's kernels and prints what it took. */
export async function printBoot(): Promise<void> {
  const titles = ['seconds', 'M instr.', 'MIPS', 'resident MiB'].map((title) => title.padStart(14));
  console.log(`\n${'boot to the shell'.padEnd(24)}${titles.join('')}`);
  const disk = await initrd();
  const lines: string[] = [];
  for (const version of VERSIONS) {
    const kernel = await linuxKernel(version);
    const qemu = await onQemu(kernel, disk);
    const [one, four] = [await onElscope(kernel, disk, 1), await onElscope(kernel, disk, 4)];
    const checked = await onElscope(kernel, disk, 1, 'actual');
    console.log(row(`Linux ${version}, QEMU`, qemu));
    console.log(row(`Linux ${version}, 1 core`, one));
    console.log(row(`Linux ${version}, 4 cores`, four));
    console.log(row(`Linux ${version}, checker`, checked));
    lines.push(...bootTargets(one, four, checked, qemu).map((line) => `${line}  (Linux ${version})`));
  }
  for (const line of lines) console.log(line);
}
