/**
 * Opens a real VS Code workbench with elscope in it: a VS Code host with a fresh profile, and Chromium showing it. Which
 * VS Code version is `$ELSCOPE_HOST`'s choice. All files are in a scratch folder that goes away with the workbench; the
 * server's log stays among the artefacts.
 */
import { copyFileSync, cpSync, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { Page } from 'playwright-core';
import { installHost } from '../../src/build/host/install';
import { installVsix, QUIET_SETTINGS, type RunningServer, startServer } from '../../src/build/host/server';
import { type HostVersion, selectedHost } from '../../src/build/host/versions';
import { packageVsix } from '../../src/build/package';
import { artefactsDir, cacheDir, ROOT, SAMPLES } from '../../src/build/paths';
import { exitOnSignals } from '../../src/build/processes';
import { startBrowser } from './browser';
import { THEME_SETTINGS, Ui } from './ui';

export interface WorkbenchOptions {
  /** How elscope gets in: packaged and installed, or as the extension under development (hides notifications). */
  readonly extension: 'vsix' | 'development';
  /** Opened as it is; default: a copy of the sample workspace, which tests may change. */
  readonly folder?: string;
  /** Added to the quiet settings. */
  readonly settings?: Readonly<Record<string, unknown>>;
  readonly env?: Readonly<Record<string, string>>;
  /** Added to the URL's payload. */
  readonly payload?: readonly (readonly [string, string])[];
  /** Called before the workbench is loaded. */
  readonly prepare?: (page: Page, server: RunningServer) => Promise<readonly (readonly [string, string])[]>;
}

export interface Workbench {
  readonly host: HostVersion;
  readonly server: RunningServer;
  readonly page: Page;
  readonly ui: Ui;
  /** The folder that is open. */
  readonly folder: string;
  /** Where pictures and logs of this host go. */
  readonly artefacts: string;
  /** Ends everything; throws when something asked for an address outside this machine. */
  close(): Promise<void>;
}

export async function openWorkbench(options: WorkbenchOptions): Promise<Workbench> {
  exitOnSignals();
  const host = selectedHost();
  const installed = await installHost(host, console.log);
  const vsix = options.extension === 'vsix' ? await testedVsix() : undefined;
  const work = mkdtempSync(path.join(os.tmpdir(), 'elscope-workbench-'));
  const remove = (): void => rmSync(work, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  const artefacts = artefactsDir(host.vscode);
  const folder = options.folder ?? copySamples(work);
  const home = path.join(work, 'host');
  const start = async (): Promise<RunningServer> => {
    if (vsix) await installVsix(installed, home, vsix);
    const settings = { ...QUIET_SETTINGS, ...THEME_SETTINGS, ...options.settings };
    return startServer(installed, { home, env: options.env, settings, development: !vsix });
  };
  const server = await start().catch((error) => {
    remove();
    throw error;
  });
  const cleanUp = async (): Promise<void> => {
    await server.stop();
    copyFileSync(server.log, path.join(artefacts, 'server.log'));
    remove();
  };
  try {
    const { context, page, outside } = await startBrowser(work);
    const close = async (): Promise<void> => {
      await context.close();
      await cleanUp();
      if (outside.length > 0) throw new Error(`asked for addresses outside this machine: ${outside.join(' ')}`);
    };
    try {
      const payload = [...(options.payload ?? []), ...((await options.prepare?.(page, server)) ?? [])];
      if (options.extension === 'development') payload.push(['extensionDevelopmentPath', server.remote(ROOT)]);
      payload.push(['skipWelcome', 'true']);
      await page.goto(server.url(folder, payload));
      await page.locator('.monaco-workbench').waitFor();
      return { host, server, page, folder, artefacts, close, ui: new Ui(page, artefacts) };
    } catch (error) {
      await page.screenshot({ path: path.join(artefacts, 'not-opened.png') }).catch(() => undefined);
      await context.close();
      throw error;
    }
  } catch (error) {
    await cleanUp();
    throw error;
  }
}

/** Opens a workbench for `body` and closes it whatever happens; a failure leaves a picture among the artefacts. */
export async function withWorkbench(
  options: WorkbenchOptions,
  body: (bench: Workbench) => Promise<void>,
): Promise<void> {
  const bench = await openWorkbench(options);
  try {
    await body(bench);
  } catch (error) {
    await bench.page.screenshot({ path: path.join(bench.artefacts, 'failure.png') }).catch(() => undefined);
    await bench.close().catch(() => undefined);
    throw error;
  }
  await bench.close();
}

/** The package under test: the one that the runner made, else one made now of what is in dist/. */
export async function testedVsix(): Promise<string> {
  const given = process.env.ELSCOPE_VSIX;
  if (given && existsSync(given)) return given;
  process.env.ELSCOPE_VSIX = await packageVsix(path.join(cacheDir(), 'elscope.vsix'));
  return process.env.ELSCOPE_VSIX;
}

function copySamples(work: string): string {
  const folder = path.join(work, 'samples');
  mkdirSync(folder);
  cpSync(SAMPLES, folder, { recursive: true });
  return folder;
}
