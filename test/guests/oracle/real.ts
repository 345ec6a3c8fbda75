/** The kernel's answers to the script of asked.ts: Debian's kernel at EL2 of a machine of ours, with vmm.c in its RAM disk. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { type KernelVersion, linuxKernel } from '../../../src/build/guests';
import { initrdBytes } from '../../../src/build/initrd';
import { elscope, file, scratch } from '../../unit/cli/program';
import { messages } from '../linux';

const FLAGS = ['-static', '-nostdlib', '-nostartfiles', '-ffreestanding', '-fno-stack-protector', '-O2', '-Wall'];
const LIMIT = 20_000_000_000;
/** Milliseconds: a boot takes half a minute on an idle machine. */
const LONGEST = 1_200_000;

export interface Asked {
  readonly kernel: KernelVersion;
  /** Text of the machine file. */
  readonly machine: string;
  readonly script: readonly string[];
  /** Further words of the kernel's command line. */
  readonly append?: string;
}

export interface Told {
  /** By place in the script. */
  readonly answers: readonly string[];
  /** The kernel's log. */
  readonly messages: readonly string[];
}

function monitor(): Uint8Array {
  const out = path.join(scratch(), 'oracle-vmm');
  const sources = ['vmm.c', 'guest.S'].map((name) => path.join(import.meta.dirname, name));
  const flags = [...FLAGS, '-fno-tree-loop-distribute-patterns', '-mgeneral-regs-only'];
  execFileSync('aarch64-linux-gnu-gcc', [...flags, '-o', out, ...sources]);
  return readFileSync(out);
}

/** Boots the kernel, which switches the machine off after the last answer. */
export async function askKernel({ kernel, machine, script, append = '' }: Asked): Promise<Told> {
  const text = new TextEncoder().encode(`${script.join('\n')}\n`);
  const disk = await initrdBytes({ oracle: monitor() }, [{ name: 'oracle', kind: 'file', mode: 0o644, data: text }]);
  const args = ['run', '--kernel', await linuxKernel(kernel), '--initrd', file('oracle.cpio.gz', disk), '--el', '2'];
  args.push('--machine', file('oracle.elscope.json', machine), '--memory', '512M', '--max-instructions', `${LIMIT}`);
  args.push('--append', `console=ttyAMA0 rdinit=/init elscope.poweroff ${append}`.trim());
  const { code, stdout, stderr } = await elscope(args, { timeout: LONGEST });
  if (code !== 0 || stderr !== '') throw new Error(`exit ${code}: ${stderr}\n${stdout.slice(-3000)}`);
  const answers: string[] = [];
  for (const [, index, answer] of stdout.matchAll(/^oracle: ([0-9a-f]+) (.*)$/gm))
    answers[Number.parseInt(index, 16)] = answer;
  return { answers, messages: messages(stdout) };
}
