/** LLVM's disassembler as the second opinion: one llvm-mc run for many words. */

import { spawnSync } from 'node:child_process';
import { bug } from '../../../src/base/errors';

/** What llvm-mc says of one word: its text with single spaces and no comments; undefined if it does not accept the word. */
export type LlvmText = string | undefined;

function bytesOf(word: number): string {
  return [0, 8, 16, 24].map((s) => `0x${((word >>> s) & 0xff).toString(16)}`).join(' ');
}

const cleanLine = (line: string): string =>
  line
    .replace(/\s*\/\/.*$/, '')
    .trim()
    .replace(/\s+/g, ' ');

/** Disassembles `words` with the given llvm-mc attributes, e.g. `['+pauth']`. Fails if llvm-mc is not installed. */
export function llvmDisassemble(words: readonly number[], attributes: readonly string[]): LlvmText[] {
  const options = ['--disassemble', '-triple=aarch64', `-mattr=${attributes.join(',')}`];
  const input = words.map((w) => bytesOf(w) + '\n').join('');
  const run = spawnSync('llvm-mc', options, { input, encoding: 'utf8', maxBuffer: 2 ** 28 });
  if (run.error) bug(`llvm-mc is needed (Debian package llvm): ${run.error.message}`);
  const invalid = new Set<number>();
  for (const m of run.stderr.matchAll(/^<stdin>:(\d+):\d+: warning: invalid instruction/gm))
    invalid.add(Number(m[1]) - 1);
  const lines = run.stdout
    .split('\n')
    .map(cleanLine)
    .filter((l) => l !== '' && l !== '.text');
  if (lines.length + invalid.size !== words.length) bug(`llvm-mc answered ${lines.length} of ${words.length} words`);
  let next = 0;
  return words.map((_, i) => (invalid.has(i) ? undefined : lines[next++]));
}

/** Major version of the llvm-mc on PATH. */
export function llvmVersion(): number {
  const { stdout } = spawnSync('llvm-mc', ['--version'], { encoding: 'utf8' });
  return Number(/LLVM version (\d+)/.exec(stdout ?? '')?.[1] ?? bug('llvm-mc is needed (Debian package llvm)'));
}
