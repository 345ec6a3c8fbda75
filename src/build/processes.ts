/**
 * Child processes of the build: commands that must succeed, with their output shown only when they do not, and
 * servers that run in a process group of their own so that stopping one takes all its children with it.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream, existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

export interface RunOptions {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  /** Also append the output to this file. */
  readonly log?: string;
  /** Show the output while it comes. */
  readonly inherit?: boolean;
}

/** Runs a command to its end. @returns its output; throws with the last lines of it when it fails. */
export async function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
  const { code, output } = await attempt(command, args, options);
  if (code === 0) return output;
  const tail = output.trimEnd().split('\n').slice(-25).join('\n');
  throw new Error(`${[command, ...args].join(' ')}: exit ${code}${tail ? `\n${tail}` : ''}`);
}

/** Runs a command to its end and reports how it went. A command that cannot be started has code 127. */
export function attempt(
  command: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<{ readonly code: number; readonly output: string }> {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd: options.cwd,
      env: options.env ?? process.env,
      stdio: options.inherit ? 'inherit' : ['ignore', 'pipe', 'pipe'],
    });
    const log = options.log ? createWriteStream(options.log, { flags: 'a' }) : undefined;
    let output = '';
    const take = (chunk: Buffer): void => {
      output += chunk.toString();
      log?.write(chunk);
    };
    child.stdout?.on('data', take);
    child.stderr?.on('data', take);
    const finish = (code: number): void => {
      log?.end();
      resolve({ code, output });
    };
    child.once('error', (error) => {
      output += `${error.message}\n`;
      finish(127);
    });
    child.once('close', (code, signal) => finish(code ?? (signal ? 128 : 1)));
  });
}

/** The environment for an npm of its own: the caller's settings, but nothing about the package that is being run. */
export function npmEnvironment(outer: NodeJS.ProcessEnv = process.env): NodeJS.ProcessEnv {
  const env = { ...outer };
  for (const key of Object.keys(env)) {
    if (/^npm_(package|lifecycle|command)|^npm_config_(local_|global_)?prefix$|^INIT_CWD$/.test(key)) delete env[key];
  }
  return env;
}

/** Runs npm: the one that started us if any, else the one on PATH. */
export function npm(args: readonly string[], options: RunOptions = {}): Promise<string> {
  const cli = process.env.npm_execpath;
  const env = options.env ?? npmEnvironment();
  if (cli?.endsWith('npm-cli.js') && existsSync(cli)) return run(process.execPath, [cli, ...args], { ...options, env });
  return run('npm', args, { ...options, env });
}

/** First file of that name on PATH that exists. */
export function onPath(name: string): string | undefined {
  for (const dir of (process.env.PATH ?? '').split(path.delimiter)) {
    const file = path.join(dir, name);
    if (dir && existsSync(file)) return file;
  }
  return undefined;
}

/**
 * Stops a process that was started detached, and all of its group: asks first, kills after `patience` milliseconds.
 * Resolves when the whole group is gone, or is only dead processes that nobody has waited for.
 */
export async function stopGroup(child: ChildProcess, patience = 5000): Promise<void> {
  const group = child.pid;
  if (group === undefined) return;
  const signal = (name: NodeJS.Signals | 0): boolean => {
    try {
      return process.kill(-group, name);
    } catch {
      return false;
    }
  };
  const gone = async (time: number): Promise<boolean> => {
    const deadline = Date.now() + time;
    while (signal(0)) {
      if (Date.now() > deadline) return false;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    return true;
  };
  signal('SIGTERM');
  if (await gone(patience)) return;
  signal('SIGKILL');
  await gone(1000);
}

/**
 * Processes that have this text in the environment they were started with, as `pid command line`. Linux only; none
 * elsewhere. The caller, whose own start was before it set the variable, is not among them.
 */
export function processesWith(text: string): string[] {
  if (!existsSync('/proc/self/environ')) return [];
  const found: string[] = [];
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      if (!readFileSync(`/proc/${pid}/environ`, 'latin1').includes(text)) continue;
      const words = readFileSync(`/proc/${pid}/cmdline`, 'latin1').split('\0');
      if (words[0]) found.push(`${pid} ${words.join(' ').trim()}`);
    } catch {
      // ended meanwhile, or not ours
    }
  }
  return found;
}

let exitsOnSignals = false;

/** Lets a signal end this process by way of its `exit` handlers, which stop the servers that it started. */
export function exitOnSignals(): void {
  if (exitsOnSignals) return;
  exitsOnSignals = true;
  for (const [name, number] of [
    ['SIGHUP', 1],
    ['SIGINT', 2],
    ['SIGTERM', 15],
  ] as const) {
    process.once(name, () => process.exit(128 + number));
  }
}

/** Largest resident memory of a process so far, from the kernel, in MiB; 0 when it has ended, or where there is no /proc. */
export function residentMiB(child: ChildProcess): number {
  try {
    const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
    return Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) / 1024;
  } catch {
    return 0;
  }
}
