/** U-Boot on elscope's command line, with commands typed at its prompt. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { type UBootVersion, uBoot } from '../../src/build/guests';
import type { MachineStatistics } from '../../src/machine/api';
import { elscope, scratch } from '../unit/cli/program';
import { PROMPT, parseTranscript, type Transcript, uBootDialogue } from './uboot';

export interface ElscopeRun {
  readonly version: UBootVersion;
  readonly commands?: readonly string[];
  readonly el?: 1 | 2;
  readonly machine?: string;
  readonly cpus?: number;
  readonly check?: 'actual' | 'architectural';
  /** Ends the run, with exit code 4, where the guest would go on for ever. */
  readonly limit?: number;
}

export interface ElscopeResult {
  readonly code: number | null;
  readonly console: string;
  readonly stderr: string;
  readonly statistics: MachineStatistics & { readonly seconds: number };
  /** Of a run that answered all commands. */
  transcript(): Transcript;
}

/** More than any of these runs needs. */
const LIMIT = 400_000_000;
let runs = 0;

const escaped = (text: string): string => text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');

/** Runs to `poweroff`, or else to the prompt after the last command. */
export async function runUBoot(run: ElscopeRun): Promise<ElscopeResult> {
  const commands = run.commands ?? [];
  const stats = path.join(scratch(), `u-boot-${runs++}.json`);
  const args = ['run', '--bios', await uBoot(run.version), '--stats', stats];
  args.push('--max-instructions', `${run.limit ?? LIMIT}`);
  if (run.el) args.push('--el', `${run.el}`);
  if (run.machine) args.push('--machine', run.machine);
  if (run.cpus) args.push('--cpus', `${run.cpus}`);
  if (run.check) args.push('--check', run.check);
  for (const { expect, type } of uBootDialogue(commands))
    args.push('--expect', escaped(expect), '--send', escaped(type));
  if (commands.at(-1) !== 'poweroff') args.push('--until-console', escaped(PROMPT));
  const { code, stdout, stderr } = await elscope(args);
  return {
    code,
    console: stdout,
    stderr,
    statistics: JSON.parse(readFileSync(stats, 'utf8')),
    transcript: () => parseTranscript(stdout, commands),
  };
}

const millions = (n: number): string => `${(n / 1e6).toFixed(1)} M`;

/** For the log: how many instructions, how fast. */
export const pace = ({ statistics: { instructions, seconds } }: ElscopeResult): string =>
  `${millions(instructions)} instructions in ${seconds.toFixed(1)} s, ${millions(instructions / seconds)}/s`;
