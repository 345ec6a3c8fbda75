/** Cases on a whole machine, at EL0 under the kernel of guest/system.c: elscope, or QEMU's system mode. */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { DIST } from '../../src/build/paths';
import { qemuArguments } from '../guests/qemu';
import { type Case, type CaseRunner, type Ending, LAYOUT, type Outcome, packCases, withoutTag } from './cases';
import { systemGuest, withSegment } from './guests';

const EC_ENDINGS: Readonly<Record<number, Ending>> = {
  0: 'undefined',
  14: 'undefined', // illegal execution state: SIGILL on Linux
  28: 'undefined', // pointer authentication failure: SIGILL on Linux
  24: 'undefined', // trapped MSR, MRS or system instruction: SIGILL on Linux
  32: 'instructionAbort',
  34: 'pcAlignment',
  36: 'dataAbort',
  38: 'spAlignment',
  60: 'end',
};
const ALIGNMENT_FAULT = 0x21;

function endingOf(esr: number): Ending {
  const ending = EC_ENDINGS[esr >>> 26] ?? 'other';
  return ending === 'dataAbort' && (esr & 0x3f) === ALIGNMENT_FAULT ? 'alignment' : ending;
}

interface Draft {
  ending: Ending;
  pc: bigint;
  x: bigint[];
  sp: bigint;
  nzcv: number;
  v: bigint[];
  fpcr: number;
  fpsr: number;
  faultAddress?: bigint;
  memory: Map<number, bigint>;
}

/** Reads the guest's report. Facts that it leaves out are as they were. */
export function parseReport(text: string, cases: readonly Case[]): Outcome[] {
  const outcomes: Draft[] = [];
  let ended = false;
  for (const line of text.split(/\r?\n/)) {
    const [kind, ...rest] = line.split(' ');
    const numbers = /^[cxvfm]$/.test(kind) ? rest.map((digits) => BigInt(`0x${digits}`)) : [];
    const current = outcomes.at(-1);
    if (kind === 'c') {
      const c = cases[outcomes.length];
      if (!c || Number(numbers[0]) !== outcomes.length)
        throw new Error(`the guest reports case ${rest[0]} out of turn`);
      const ending = endingOf(Number(numbers[1]));
      const aborted = ending === 'dataAbort' || ending === 'alignment';
      outcomes.push({
        ending,
        pc: numbers[3],
        x: [...c.x],
        sp: c.sp,
        nzcv: Number((numbers[4] >> 28n) & 15n),
        v: [...c.v],
        fpcr: c.fpcr,
        fpsr: c.fpsr,
        faultAddress: aborted ? withoutTag(numbers[2]) : undefined,
        memory: new Map(),
      });
    } else if (kind === 'x' && current) {
      if (numbers[0] === 31n) current.sp = numbers[1];
      else current.x[Number(numbers[0])] = numbers[1];
    } else if (kind === 'v' && current) current.v[Number(numbers[0])] = (numbers[2] << 64n) | numbers[1];
    else if (kind === 'f' && current) [current.fpcr, current.fpsr] = [Number(numbers[0]), Number(numbers[1])];
    else if (kind === 'm' && current) current.memory.set(Number(numbers[0]), numbers[1]);
    else if (kind === 'end') ended = true;
    else if (line !== '') throw new Error(`the guest says: ${line}`);
  }
  if (!ended) throw new Error(`the guest stopped after ${outcomes.length} of ${cases.length} cases`);
  return outcomes;
}

/** The output of a command that runs the image; its errors go to ours. */
function outputOf(command: string, args: readonly string[], seconds: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    const chunks: Buffer[] = [];
    const timer = setTimeout(() => child.kill('SIGKILL'), seconds * 1000);
    child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
    child.once('error', reject);
    child.once('close', () => {
      clearTimeout(timer);
      resolve(Buffer.concat(chunks).toString('latin1'));
    });
  });
}

/** A batch must fit at dataBase; larger ones are run in parts. */
const BATCH_BYTES = LAYOUT.dataSize - 64;

function batches(cases: readonly Case[]): (readonly Case[])[] {
  const parts: Case[][] = [[]];
  let size = 0;
  for (const c of cases) {
    const bytes = packCases([c]).length;
    if (size + bytes > BATCH_BYTES) {
      parts.push([]);
      size = 0;
    }
    parts.at(-1)?.push(c);
    size += bytes;
  }
  return parts;
}

function systemRunner(name: string, command: (image: string) => readonly [string, readonly string[]]): CaseRunner {
  return {
    name,
    async run(cases) {
      const guest = readFileSync(await systemGuest());
      const directory = mkdtempSync(path.join(tmpdir(), 'elscope-difftest-'));
      const outcomes: Outcome[] = [];
      try {
        for (const part of batches(cases)) {
          const packed = packCases(part);
          const data = new Uint8Array(8 + packed.length);
          new DataView(data.buffer).setBigUint64(0, BigInt(part.length), true);
          data.set(packed, 8);
          const image = path.join(directory, 'cases.elf');
          writeFileSync(image, withSegment(guest, LAYOUT.dataBase, data));
          outcomes.push(...parseReport(await outputOf(...command(image), 300), part));
        }
      } finally {
        rmSync(directory, { recursive: true, force: true });
      }
      return outcomes;
    },
  };
}

export const qemuSystemRunner = (cpu: string): CaseRunner =>
  systemRunner(`qemu-system-aarch64 -cpu ${cpu}`, (kernel) => [
    'qemu-system-aarch64',
    qemuArguments({ kernel, el: 1, cpu, memory: '256M' }),
  ]);

const CLI = path.join(DIST, 'cli.cjs');

/** @param machine preset name. @param lacking features taken from it. Throws one line when the command line has not been built. */
export function elscopeRunner(machine: string, lacking: readonly string[] = []): CaseRunner {
  if (!existsSync(CLI)) throw new Error('dist/cli.cjs is missing: run `npm run build`');
  const features = Object.fromEntries(lacking.map((feature) => [feature, false]));
  const args = ['--cpus', '1', '--el', '1', '--memory', '256M', '--check', 'off'];
  return systemRunner(`elscope --machine ${machine}`, (image) => {
    const file = path.join(path.dirname(image), 'machine.json');
    writeFileSync(file, JSON.stringify({ preset: machine, cores: [{ features }] }));
    return [process.execPath, [CLI, 'run', image, '--machine', lacking.length > 0 ? file : machine, ...args]];
  });
}
