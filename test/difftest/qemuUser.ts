/** The oracle: cases on QEMU's user mode, thousands in one process. */
import { spawn } from 'node:child_process';
import { qemuProgram, type UserVersion } from './benches';
import {
  type Case,
  type CaseRunner,
  changedMemory,
  type Ending,
  getVector,
  LAYOUT,
  type Outcome,
  packCases,
  withoutTag,
} from './cases';
import { userGuest } from './guests';

const SIGILL = 4;
const SIGTRAP = 5;
const SIGBUS = 7;
const SIGSEGV = 11;

function endingOf(signal: number, pc: bigint, address: bigint): Ending {
  if (signal === SIGTRAP) return 'end';
  if (signal === SIGILL) return 'undefined';
  if (signal === SIGSEGV) return address === pc ? 'instructionAbort' : 'dataAbort';
  if (signal === SIGBUS) return (pc & 3n) !== 0n ? 'pcAlignment' : 'alignment';
  return 'other';
}

/** Of guest/user.c's struct output. */
const FP_AT = 35 * 8 + 8;
const FIXED_BYTES = FP_AT + 8 + 32 * 16;

function unpack(cases: readonly Case[], output: Buffer): Outcome[] {
  let at = 0;
  return cases.map((c, index) => {
    const size = FIXED_BYTES + (c.memory ? LAYOUT.memorySize : 0);
    if (at + size > output.length) throw new Error(`QEMU ended in case ${index}: ${c.row} #${c.index}`);
    const view = new DataView(output.buffer, output.byteOffset + at, size);
    at += size;
    const u64 = (i: number): bigint => view.getBigUint64(8 * i, true);
    const [pc, address] = [u64(32), u64(34)];
    const ending = endingOf(view.getUint32(280, true), pc, address);
    return {
      ending,
      pc,
      x: Array.from({ length: 31 }, (_, i) => u64(i)),
      sp: u64(31),
      fpsr: view.getUint32(FP_AT, true),
      fpcr: view.getUint32(FP_AT + 4, true),
      v: Array.from({ length: 32 }, (_, i) => getVector(view, FP_AT + 8 + 16 * i)),
      nzcv: Number((u64(33) >> 28n) & 15n),
      // A host that refuses a non-canonical address does not say which it was: the signal then carries 0.
      faultAddress: (ending === 'dataAbort' || ending === 'alignment') && address ? withoutTag(address) : undefined,
      memory: c.memory
        ? changedMemory(c.memory, new DataView(view.buffer, view.byteOffset + FIXED_BYTES, LAYOUT.memorySize))
        : new Map(),
    };
  });
}

/** Without SVE, whose record in the signal frame would win over the vectors that a case starts with. */
const modelOf = (cpu: string): string => (cpu === 'max' ? 'max,sve=off,sme=off' : cpu);

/** @param cpu as `qemu-aarch64 -cpu` takes it. @param seconds after which a run that has not ended is an error. */
export function qemuUserRunner(cpu: string, version: UserVersion = '7.2', seconds = 120): CaseRunner {
  return {
    name: `qemu-aarch64 ${version} -cpu ${cpu}`,
    async run(cases) {
      const [guest, program] = [await userGuest(), await qemuProgram(version)];
      const output = await new Promise<Buffer>((resolve, reject) => {
        const child = spawn(program, ['-cpu', modelOf(cpu), guest], { stdio: ['pipe', 'pipe', 'inherit'] });
        const chunks: Buffer[] = [];
        const timer = setTimeout(() => child.kill('SIGKILL'), seconds * 1000);
        child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
        child.stdin.on('error', () => {}); // it ended early: the missing outcomes say so
        child.once('error', reject);
        child.once('close', () => {
          clearTimeout(timer);
          resolve(Buffer.concat(chunks));
        });
        child.stdin.end(packCases(cases));
      });
      return unpack(cases, output);
    },
  };
}
