/**
 * `npm run bench -- [--part speed|checker|boot|latency|workbench]… [--guest NAME]… [--machine PRESET]… [--runs N]`: guest instructions a
 * second, on elscope's command line and on Debian's QEMU in the same run, and the memory that elscope takes; then the
 * debugger's latencies (benchLatency.ts). `checker` is what the coherence checker costs in actual mode. The boot of Debian's kernels is benchBoot.ts's. Guests: test/bench/guests. Every guest prints a checksum, which must be the same
 * everywhere. Instructions are counted by QEMU (one instruction a nanosecond of its virtual time) and, on elscope, by elscope
 * itself.
 */
import { spawn } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { printBoot } from './benchBoot';
import { type BenchGuestName, benchGuests, buildBenchGuest } from './benchGuests';
import { printLatencies } from './benchLatency';
import { ensurePackages } from './host/debian';
import { artefactsDir, DIST } from './paths';
import { residentMiB } from './processes';

const CLI = path.join(DIST, 'cli.cjs');
const MACHINES = ['cortex-a57', 'cortex-a53', 'neoverse-n1'];
const MEMORY = '256M';
const MEASURED: readonly BenchGuestName[] = ['integer', 'memory', 'branch', 'double', 'integer4'];

/** What is to be reached on the default machine. */
export const TARGETS = {
  integer: 150,
  memory: 60,
  fourCores: 0.7,
  l1dMissPercent: 5,
  residentMiB: 450,
  checker: 1.5,
} as const;

interface Finished {
  readonly seconds: number;
  readonly output: string;
  /** Largest resident memory of the process, from the kernel. */
  readonly residentMiB: number;
}

/** Runs to the end. VmHWM only grows, so the last reading before the end is the one that counts. */
function measure(command: string, args: readonly string[]): Promise<Finished> {
  return new Promise((resolve, reject) => {
    const start = performance.now();
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    let errors = '';
    let resident = 0;
    const timer = setInterval(() => {
      resident = Math.max(resident, residentMiB(child));
    }, 25);
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString('latin1');
      resident = Math.max(resident, residentMiB(child)); // the guests print their one line at the end
    });
    child.stderr.on('data', (chunk: Buffer) => {
      errors += chunk.toString();
    });
    child.once('error', reject);
    child.once('close', (code) => {
      clearInterval(timer);
      const seconds = (performance.now() - start) / 1000;
      if (code === 0) resolve({ seconds, output, residentMiB: resident });
      else reject(new Error(`${command} ended with ${code}: ${errors.trim().split('\n').at(-1) ?? ''}`));
    });
  });
}

export interface GuestLine {
  readonly checksum: string;
  readonly ticks: number;
}

/** The line that every bench guest prints. */
export function parseGuestLine(output: string): GuestLine {
  const match = /checksum (0x[0-9a-f]{8}) ticks (\d+)/.exec(output);
  if (!match) throw new Error(`the guest printed ${JSON.stringify(output.slice(0, 200))}`);
  return { checksum: match[1], ticks: Number(match[2]) };
}

const median = (numbers: readonly number[]): number => [...numbers].sort((a, b) => a - b)[numbers.length >> 1];

function qemuArguments(guest: string, cpus: number, ...more: readonly string[]): string[] {
  const machine = ['-M', 'virt', '-cpu', 'cortex-a57', '-smp', `${cpus}`, '-m', MEMORY];
  return [...machine, '-nodefaults', '-display', 'none', '-serial', 'stdio', '-kernel', guest, ...more];
}

interface Measured {
  readonly mips: number;
  readonly checksum: string;
}

/** QEMU's rate: its time without that of a guest which only starts and ends. */
async function onQemu(name: BenchGuestName, runs: number, startup: number): Promise<Measured> {
  const guest = await buildBenchGuest(name);
  const { cpus } = benchGuests[name];
  const times: Finished[] = [];
  for (let i = 0; i < runs; i++) times.push(await measure('qemu-system-aarch64', qemuArguments(guest, cpus)));
  // Several cores in virtual time would count each other's waiting: they run one core's loop each.
  const counted = cpus === 1 ? guest : await buildBenchGuest('integer');
  const inVirtualTime = qemuArguments(counted, 1, '-icount', 'shift=0,sleep=off');
  const { ticks } = parseGuestLine((await measure('qemu-system-aarch64', inVirtualTime)).output);
  const instructions = ticks * 16 * cpus; // 62.5 MHz: 16 ns a tick
  const seconds = Math.max(median(times.map((t) => t.seconds)) - startup, 0.001);
  return { mips: instructions / seconds / 1e6, checksum: parseGuestLine(times[0].output).checksum };
}

/** What `--stats` is known to have, as far as it is used here. */
interface Stats {
  readonly instructions: number;
  readonly seconds: number;
  readonly cores: readonly { readonly l1d: { readonly hits: number; readonly misses: number } }[];
}

interface OnElscope extends Measured {
  readonly l1dMissPercent: number;
  readonly residentMiB: number;
}

async function onElscope(
  name: BenchGuestName,
  machine: string,
  runs: number,
  check: 'off' | 'actual' = 'off',
): Promise<OnElscope> {
  const guest = await buildBenchGuest(name);
  const file = path.join(artefactsDir('bench'), `${name}-${machine}.json`);
  const options = [
    '--check',
    check,
    '--machine',
    machine,
    '--cpus',
    `${benchGuests[name].cpus}`,
    '--memory',
    MEMORY,
    '--stats',
    file,
  ];
  const rates: number[] = [];
  let last: OnElscope | undefined;
  for (let i = 0; i < runs; i++) {
    rmSync(file, { force: true });
    const finished = await measure(process.execPath, [CLI, 'run', guest, ...options]);
    const stats = JSON.parse(readFileSync(file, 'utf8')) as Stats;
    rates.push(stats.instructions / stats.seconds / 1e6);
    const hits = stats.cores.reduce((sum, core) => sum + core.l1d.hits, 0);
    const misses = stats.cores.reduce((sum, core) => sum + core.l1d.misses, 0);
    last = {
      mips: median(rates),
      checksum: parseGuestLine(finished.output).checksum,
      l1dMissPercent: (100 * misses) / Math.max(hits + misses, 1),
      residentMiB: Math.max(last?.residentMiB ?? 0, finished.residentMiB),
    };
  }
  if (!last) throw new Error('no run');
  return last;
}

const cell = (text: string, width: number): string => text.padStart(width);

function printRow(name: string, machine: string, found: OnElscope | undefined, qemu: Measured): void {
  const columns = [
    name.padEnd(10),
    machine.padEnd(13),
    cell(found ? found.mips.toFixed(1) : '-', 10),
    cell(qemu.mips.toFixed(0), 10),
    cell(found ? (found.mips / qemu.mips).toFixed(3) : '-', 8),
    cell(found ? found.l1dMissPercent.toFixed(2) : '-', 10),
    cell(found ? found.residentMiB.toFixed(0) : '-', 10),
  ];
  if (found && found.checksum !== qemu.checksum) columns.push(`  WRONG: ${found.checksum}, not ${qemu.checksum}`);
  console.log(columns.join(' '));
}

/** One line for each target: what was found, and whether it is enough. Targets whose guests did not run are left out. */
export function targetLines(found: Readonly<Partial<Record<BenchGuestName, OnElscope>>>): string[] {
  const lines: string[] = [];
  const judge = (text: string, value: number, good: boolean): void => {
    lines.push(`${good ? 'reached' : 'missed '}  ${text}: ${value.toFixed(2)}`);
  };
  const { integer, memory, integer4 } = found;
  if (integer) judge(`integer, at least ${TARGETS.integer} MIPS`, integer.mips, integer.mips >= TARGETS.integer);
  if (memory) {
    judge(`memory, at least ${TARGETS.memory} MIPS`, memory.mips, memory.mips >= TARGETS.memory);
    const misses = memory.l1dMissPercent;
    judge(
      `memory, at least ${TARGETS.l1dMissPercent} % of accesses miss in L1D`,
      misses,
      misses >= TARGETS.l1dMissPercent,
    );
  }
  if (integer && integer4) {
    const ratio = integer4.mips / integer.mips;
    judge(`four cores together, at least ${TARGETS.fourCores} of one`, ratio, ratio >= TARGETS.fourCores);
  }
  const resident = Math.max(...Object.values(found).map((f) => f.residentMiB));
  if (Number.isFinite(resident))
    judge(`resident memory, under ${TARGETS.residentMiB} MiB with ${MEMORY}`, resident, resident < TARGETS.residentMiB);
  return lines;
}

const PARTS = ['speed', 'checker', 'boot', 'latency', 'workbench'] as const;

/** The values of a repeated option, each one of a list. */
function chosen<T extends string>(option: string, given: readonly string[], known: readonly T[]): T[] {
  return given.map((name) => {
    const found = known.find((value) => value === name);
    if (!found) throw new Error(`--${option} takes one of ${known.join(', ')}, not "${name}"`);
    return found;
  });
}

async function printSpeed(guests: readonly BenchGuestName[], machines: readonly string[], runs: number): Promise<void> {
  const built = existsSync(CLI);
  if (!built) console.log("dist/cli.cjs is missing (npm run build): only QEMU's figures");

  const startup = await measure('qemu-system-aarch64', qemuArguments(await buildBenchGuest('empty'), 1));
  console.log('guest      machine          elscope       QEMU    ratio  L1D miss %   resident');
  console.log('                               MIPS       MIPS                            MiB');
  const onDefault: Partial<Record<BenchGuestName, OnElscope>> = {};
  for (const name of guests) {
    const qemu = await onQemu(name, runs, startup.seconds);
    for (const machine of built ? machines : ['-']) {
      const found = built ? await onElscope(name, machine, runs) : undefined;
      printRow(name, machine, found, qemu);
      if (found && found.checksum !== qemu.checksum) process.exitCode = 1;
      if (found && machine === MACHINES[0]) onDefault[name] = found;
    }
  }
  for (const line of targetLines(onDefault)) console.log(line);
}

/** One line: what the coherence checker costs, as the rate without it over the rate with it. */
export function checkerLine(name: string, off: number, on: number): string {
  const ratio = off / on;
  const judged = ratio < TARGETS.checker ? 'reached' : 'missed ';
  return `${judged}  ${name} with the checker, under ${TARGETS.checker} times: ${ratio.toFixed(2)} (${off.toFixed(1)} and ${on.toFixed(1)} MIPS)`;
}

async function printChecker(guests: readonly BenchGuestName[], runs: number): Promise<void> {
  if (!existsSync(CLI)) throw new Error('dist/cli.cjs is missing (npm run build)');
  for (const name of guests) {
    const off = await onElscope(name, MACHINES[0], runs);
    const on = await onElscope(name, MACHINES[0], runs, 'actual');
    console.log(checkerLine(name, off.mips, on.mips));
  }
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      part: { type: 'string', multiple: true, default: [...PARTS] },
      guest: { type: 'string', multiple: true, default: [...MEASURED] },
      machine: { type: 'string', multiple: true, default: MACHINES },
      runs: { type: 'string', default: '1' },
    },
  });
  const runs = Number(values.runs);
  if (!Number.isInteger(runs) || runs < 1) throw new Error(`--runs takes a number from 1, not "${values.runs}"`);
  const guests = chosen('guest', values.guest, MEASURED);
  const parts = chosen('part', values.part, PARTS);
  await ensurePackages(console.log);
  if (parts.includes('speed')) await printSpeed(guests, values.machine, runs);
  if (parts.includes('checker')) await printChecker(guests, runs);
  if (parts.includes('boot')) await printBoot();
  if (parts.includes('latency') || parts.includes('workbench')) {
    await printLatencies(parts.includes('latency'), parts.includes('workbench'));
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href)
  main().catch((error: Error) => {
    console.error(error.message);
    process.exitCode = 2;
  });
