/** The command line as its users start it: bundled once for a process of tests, run in child processes. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { buildSync } from 'esbuild';
import { ROOT } from '../../../src/build/paths';

let directory = '';

/** A folder for files of these tests, gone when the process ends. */
export function scratch(): string {
  if (directory === '') {
    directory = mkdtempSync(path.join(tmpdir(), 'elscope-cli-'));
    process.once('exit', () => rmSync(directory, { recursive: true, force: true }));
  }
  return directory;
}

/** Writes a file into the folder. @returns its path. */
export function file(name: string, content: Uint8Array | string): string {
  const where = path.join(scratch(), name);
  writeFileSync(where, content);
  return where;
}

/** A raw image of instruction words. */
export const words = (...list: readonly number[]): Uint8Array => new Uint8Array(Uint32Array.from(list).buffer);

let bundled: string | undefined;

/** The program, built the way dist/cli.cjs is. */
export function program(): string {
  if (bundled === undefined) {
    bundled = path.join(scratch(), 'cli.cjs');
    buildSync({
      absWorkingDir: ROOT,
      entryPoints: ['src/cli/main.ts'],
      outfile: bundled,
      bundle: true,
      platform: 'node',
      format: 'cjs',
      target: 'node20',
      mainFields: ['module', 'main'],
      logLevel: 'warning',
      define: { 'import.meta.url': 'importMetaUrl' },
      banner: { js: `const importMetaUrl = require('node:url').pathToFileURL(__filename).href;` },
    });
  }
  return bundled;
}

export interface Result {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  /** What stdin gives before it ends; or what to do with the process. */
  readonly stdin?: string | ((child: ChildProcess) => void);
  readonly cwd?: string;
  /** Milliseconds after which it is a failure. */
  readonly timeout?: number;
}

/** A program that never ends is a failure, not a test run that never ends. */
const LONGEST = 60_000;

/** Runs `elscope` to its end. Carriage returns of the guest's console are taken out. */
export function elscope(args: readonly string[], options: RunOptions = {}): Promise<Result> {
  const { stdin = '', cwd = ROOT, timeout = LONGEST } = options;
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [program(), ...args], { cwd, timeout });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (chunk: Buffer) => {
      stdout += chunk.toString('latin1').replaceAll('\r', '');
    });
    child.stderr.on('data', (chunk: Buffer) => {
      stderr += chunk.toString();
    });
    child.stdin.on('error', () => {}); // the program may end before it has read everything
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, stdout, stderr }));
    if (typeof stdin === 'string') child.stdin.end(stdin);
    else stdin(child);
  });
}
