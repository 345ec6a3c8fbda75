/**
 * Runs a VS Code host: code-server on the loopback address, without login, telemetry, gallery or trust prompts, with a
 * profile of its own. It is in a process group of its own; `stop` ends the group, and so does the end of this process.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import path from 'node:path';
import { run, stopGroup } from '../processes';
import type { InstalledHost } from './install';

/** Settings of a fresh profile: nothing that covers the workbench, asks, or goes outside. */
export const QUIET_SETTINGS: Readonly<Record<string, unknown>> = {
  'chat.disableAIFeatures': true,
  'debug.internalConsoleOptions': 'openOnSessionStart',
  'debug.openDebug': 'openOnSessionStart',
  'debug.toolBarLocation': 'docked',
  'extensions.autoCheckUpdates': false,
  'extensions.autoUpdate': false,
  'extensions.ignoreRecommendations': true,
  'git.enabled': false,
  'security.workspace.trust.enabled': false,
  'telemetry.telemetryLevel': 'off',
  'terminal.integrated.enablePersistentSessions': false,
  'update.mode': 'none',
  'window.commandCenter': false,
  'workbench.colorTheme': 'Default Dark Modern',
  'workbench.enableExperiments': false,
  'workbench.secondarySideBar.defaultVisibility': 'hidden',
  'workbench.startupEditor': 'none',
  'workbench.tips.enabled': false,
  'workbench.welcomePage.walkthroughs.openOnInstall': false,
};

export interface ServerOptions {
  /** Folder for profile, extensions and log; made when missing. */
  readonly home: string;
  /** 0 or none: a free one. */
  readonly port?: number;
  /** Added to the environment of the server, hence of the extension host. */
  readonly env?: Readonly<Record<string, string>>;
  /** Written as the user's settings unless the profile has some. */
  readonly settings?: Readonly<Record<string, unknown>>;
  /** Allow an extension under development and its tests to be named in the URL. Hides notifications. */
  readonly development?: boolean;
}

export interface RunningServer {
  readonly port: number;
  readonly process: ChildProcess;
  readonly log: string;
  /** Address of the workbench with that folder open. `payload` entries as VS Code's web workbench takes them. */
  url(folder: string, payload?: readonly (readonly [string, string])[]): string;
  /** A path of this machine as the workbench names it. */
  remote(file: string): string;
  stop(): Promise<void>;
}

/** Installs a packaged extension into the profile at `home`; do it while no server runs on it. */
export async function installVsix(host: InstalledHost, home: string, vsix: string): Promise<void> {
  await run(host.node, [host.entry, ...profileArguments(home), '--install-extension', vsix, '--force'], {
    env: serverEnvironment(home, {}),
  });
}

/** Starts the server and waits until it answers. */
export async function startServer(host: InstalledHost, options: ServerOptions): Promise<RunningServer> {
  const { home } = options;
  writeSettings(home, options.settings ?? QUIET_SETTINGS);
  const port = options.port || (await freePort());
  const args = [host.entry, ...profileArguments(home), '--bind-addr', `127.0.0.1:${port}`, '--auth', 'none'];
  args.push('--disable-telemetry', '--disable-update-check', '--disable-workspace-trust', '--disable-proxy');
  args.push('--disable-getting-started-override', '--ignore-last-opened');
  if (options.development && host.version.developmentOption) {
    args.push('--vscode-option', host.version.developmentOption);
  }
  const log = path.join(home, 'server.log');
  const output = openSync(log, 'w');
  const child = spawn(host.node, args, {
    env: serverEnvironment(home, options.env ?? {}),
    stdio: ['ignore', output, output],
    detached: true,
  });
  closeSync(output);
  const kill = (): void => killNow(child);
  process.once('exit', kill);
  const stop = async (): Promise<void> => {
    await stopGroup(child);
    process.off('exit', kill);
  };
  try {
    await answering(port, child, log);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    port,
    process: child,
    log,
    stop,
    remote: (file) => `vscode-remote://127.0.0.1:${port}${file}`,
    url: (folder, payload = []) => {
      const url = new URL(`http://127.0.0.1:${port}/`);
      url.searchParams.set('folder', folder);
      if (payload.length > 0) url.searchParams.set('payload', JSON.stringify(payload));
      return url.href;
    },
  };
}

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() =>
        address && typeof address === 'object' ? resolve(address.port) : reject(new Error('no port')),
      );
    });
  });
}

function profileArguments(home: string): string[] {
  const config = path.join(home, 'code-server.yaml');
  mkdirSync(home, { recursive: true });
  writeFileSync(config, '');
  const extensions = path.join(home, 'extensions');
  mkdirSync(extensions, { recursive: true });
  return ['--config', config, '--user-data-dir', path.join(home, 'data'), '--extensions-dir', extensions];
}

function writeSettings(home: string, settings: Readonly<Record<string, unknown>>): void {
  const file = path.join(home, 'data', 'User', 'settings.json');
  if (existsSync(file)) return;
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, JSON.stringify(settings, null, 2));
}

function serverEnvironment(home: string, extra: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
  const env: NodeJS.ProcessEnv = { ...process.env };
  for (const key of Object.keys(env)) if (/^(VSCODE|npm|NODE_TEST|NODE_OPTIONS$)/.test(key)) delete env[key];
  const xdg = { XDG_CONFIG_HOME: path.join(home, 'xdg'), XDG_DATA_HOME: path.join(home, 'xdg') };
  return { ...env, HOME: home, ...xdg, EXTENSIONS_GALLERY: '{"serviceUrl":""}', ...extra };
}

async function answering(port: number, child: ChildProcess, log: string): Promise<void> {
  const deadline = Date.now() + 60_000;
  for (;;) {
    if (child.exitCode !== null || child.signalCode) {
      throw new Error(`code-server ended at once:\n${readFileSync(log, 'utf8').slice(-3000)}`);
    }
    const response = await fetch(`http://127.0.0.1:${port}/healthz`).catch(() => undefined);
    if (response?.ok) return;
    if (Date.now() > deadline) throw new Error(`code-server does not answer on port ${port}; see ${log}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

function killNow(child: ChildProcess): void {
  try {
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
  } catch {
    // gone already
  }
}
