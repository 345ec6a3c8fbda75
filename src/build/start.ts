/**
 * `npm start`: builds, and opens VS Code on the sample workspace with elscope in it and a debug session stopped at the
 * guest's entry. The VS Code is the one on PATH, with a profile of its own, or else a code-server of the cache on the
 * loopback address, which runs until Ctrl-C. How the session starts by itself: src/extension/autostart.ts.
 */
import { spawn, spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { parse } from 'jsonc-parser';
import { bundle } from './bundle';
import { installHost } from './host/install';
import { installVsix, QUIET_SETTINGS, startServer } from './host/server';
import { HOSTS } from './host/versions';
import { packageVsix } from './package';
import { cacheDir, DIST, ROOT, SAMPLES } from './paths';
import { onPath } from './processes';

const HELP = `npm start -- [options]

Builds elscope and opens VS Code with it, under the debugger, stopped at the entry of a sample guest.
VS Code is 'code' on PATH, else one that is served on 127.0.0.1 and opened in a browser; Ctrl-C ends it.

  --folder DIR     open this folder instead of the samples
  --config NAME    start this configuration of its launch.json (default: the first of type elscope)
  --no-debug       start no debug session
  --server         serve VS Code even when 'code' is on PATH
  --port N         port for that (default: a free one)
  --no-open        only print the address; open no browser
  --no-build       use what is in dist/ already
  --profile DIR    keep settings and window state there (default: in the cache)
  --fresh          forget the settings and the window state of earlier runs
  --cli ARGS...    build, and run the elscope command line with the remaining arguments instead
  --help           this text
`;

const OPTIONS = {
  folder: { type: 'string' },
  config: { type: 'string' },
  'no-debug': { type: 'boolean' },
  server: { type: 'boolean' },
  port: { type: 'string' },
  'no-open': { type: 'boolean' },
  'no-build': { type: 'boolean' },
  profile: { type: 'string' },
  fresh: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const;

/** Where the user was when npm was called: what relative paths are relative to. */
const BASE = process.env.INIT_CWD ?? ROOT;

/** Batch files (code.cmd) need a shell. */
const SHELL = { shell: process.platform === 'win32' };

type Options = ReturnType<typeof readOptions>;

/** What VS Code is to do: the folder to show, and the environment that makes the extension start a session. */
interface Plan {
  readonly folder: string;
  readonly env: Record<string, string>;
}

await main(process.argv.slice(2)).catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : String(error));
  process.exit(1);
});

async function main(words: readonly string[]): Promise<void> {
  const cli = words.indexOf('--cli');
  if (cli >= 0) return runCommandLine(words.slice(cli + 1));
  const options = readOptions(words);
  if (options.help) return void process.stdout.write(HELP);
  const plan = makePlan(options);
  if (!options['no-build']) await bundle();
  const code = options.server ? undefined : desktopCode();
  if (code) openDesktop(code, options, plan);
  else await serve(options, plan);
}

function readOptions(words: readonly string[]) {
  try {
    const { values } = parseArgs({ args: [...words], options: OPTIONS });
    if (values.port !== undefined && !/^\d{1,5}$/.test(values.port)) throw new Error(`--port is a number`);
    return values;
  } catch (error) {
    return complain(error instanceof Error ? error.message : String(error));
  }
}

function complain(text: string): never {
  console.error(`${text}\n\n${HELP}`);
  process.exit(2);
}

async function runCommandLine(args: readonly string[]): Promise<void> {
  await bundle();
  const file = path.join(DIST, 'cli.cjs');
  const { status } = spawnSync(process.execPath, [file, ...args], { stdio: 'inherit', cwd: BASE });
  process.exitCode = status ?? 1;
}

function makePlan(options: Options): Plan {
  const folder = options.folder === undefined ? SAMPLES : path.resolve(BASE, options.folder);
  if (!existsSync(folder)) complain(`there is no folder ${folder}`);
  const names = configurations(folder);
  if (options.config !== undefined && !names.includes(options.config)) {
    complain(`${folder} has no launch configuration '${options.config}'; it has: ${names.join('; ') || 'none'}`);
  }
  const name = options['no-debug'] ? undefined : (options.config ?? names[0]);
  return { folder, env: name ? { ELSCOPE_AUTOSTART: name, ELSCOPE_AUTOSTART_RUN: randomUUID() } : {} };
}

/** The names of the elscope configurations in a folder's launch.json. */
function configurations(folder: string): string[] {
  const file = path.join(folder, '.vscode', 'launch.json');
  if (!existsSync(file)) return [];
  const rows: { type?: string; name?: string }[] = parse(readFileSync(file, 'utf8'))?.configurations ?? [];
  return rows.flatMap((row) => (row.type === 'elscope' && row.name ? [row.name] : []));
}

/** The desktop VS Code on PATH. The `code` of a remote window cannot open one with an extension under development. */
function desktopCode(): string | undefined {
  const code = process.env.VSCODE_IPC_HOOK_CLI ? undefined : onPath(process.platform === 'win32' ? 'code.cmd' : 'code');
  if (!code) return undefined;
  // As root, VS Code wants to be told twice, even to say its version.
  const root = process.getuid?.() === 0 ? ['--no-sandbox', '--user-data-dir', cacheDir('desktop', 'data')] : [];
  return spawnSync(code, ['--version', ...root], { stdio: 'ignore', ...SHELL }).status === 0 ? code : undefined;
}

function openDesktop(code: string, options: Options, plan: Plan): void {
  const home = profile(options, 'desktop');
  const settings = path.join(home, 'data', 'User', 'settings.json');
  if (!existsSync(settings)) {
    mkdirSync(path.dirname(settings), { recursive: true });
    writeFileSync(settings, JSON.stringify({ 'workbench.startupEditor': 'none' }, null, 2));
  }
  const args = ['--user-data-dir', path.join(home, 'data'), '--extensions-dir', path.join(home, 'extensions')];
  if (process.getuid?.() === 0) args.push('--no-sandbox');
  args.push('--disable-workspace-trust', '--new-window', `--extensionDevelopmentPath=${ROOT}`, plan.folder);
  const { status } = spawnSync(code, args, { stdio: 'inherit', env: { ...process.env, ...plan.env }, ...SHELL });
  if (status !== 0) process.exitCode = 1;
  else console.log(`elscope is open in VS Code (${code})`);
}

async function serve(options: Options, plan: Plan): Promise<void> {
  const home = profile(options, 'served');
  const host = await installHost(HOSTS.current, (text) => console.log(text));
  await installVsix(host, home, await packageVsix(path.join(cacheDir(), 'elscope.vsix')));
  const port = Number(options.port ?? 0);
  const server = await startServer(host, { home, port, env: plan.env, settings: QUIET_SETTINGS });
  const stopped = new Promise<string>((resolve) => {
    for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(name, () => resolve(name));
    server.process.once('exit', () => resolve('exit'));
  });
  const url = server.url(plan.folder);
  console.log(`elscope is at ${url}`);
  console.log('Ctrl-C stops it.');
  if (!options['no-open']) openBrowser(url);
  const why = await stopped;
  await server.stop();
  if (why === 'exit') console.error(`the server ended by itself; see ${server.log}`);
  process.exit(why === 'exit' ? 1 : 0);
}

/** The folder for VS Code's settings and state, apart from those of the user's own VS Code. */
function profile(options: Options, name: string): string {
  const home = options.profile === undefined ? path.join(cacheDir(), name) : path.resolve(BASE, options.profile);
  if (options.fresh) rmSync(home, { recursive: true, force: true });
  return home;
}

/** Shows the address in the user's browser where there is a screen; without one the printed address has to do. */
function openBrowser(url: string): void {
  const screen = process.platform === 'darwin' || process.env.DISPLAY || process.env.WAYLAND_DISPLAY;
  const opener = process.platform === 'darwin' ? 'open' : onPath('xdg-open');
  if (!screen || !opener) return;
  const child = spawn(opener, [url], { stdio: 'ignore', detached: true });
  child.once('error', () => undefined);
  child.unref();
}
