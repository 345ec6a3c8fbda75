/**
 * A headless Chromium on the workbench of a VS Code host. Nothing may leave the machine: requests to anything but the
 * loopback address are remembered, and closing the workbench complains about them.
 */
import path from 'node:path';
import { type BrowserContext, chromium, type Page } from 'playwright-core';
import { chromiumPath } from '../../src/build/host/debian';

const SWITCHES = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--disable-dev-shm-usage',
];

export interface Browser {
  readonly context: BrowserContext;
  readonly page: Page;
  /** Addresses outside this machine that were asked for. */
  readonly outside: readonly string[];
}

/** Starts Chromium with a fresh profile below `work`. */
export async function startBrowser(work: string): Promise<Browser> {
  const context = await chromium.launchPersistentContext(path.join(work, 'chromium'), {
    executablePath: chromiumPath(),
    headless: true,
    viewport: { width: 1440, height: 900 },
    colorScheme: 'dark',
    locale: 'en-US',
    args: SWITCHES,
  });
  const outside: string[] = [];
  context.on('request', (request) => {
    const { protocol, hostname, href } = new URL(request.url());
    // Files of webviews have addresses of this form; VS Code's service worker answers them from the extension host.
    if (hostname.endsWith('.vscode-resource.vscode-cdn.net')) return;
    if (/^(http|ws)/.test(protocol) && hostname !== '127.0.0.1' && hostname !== 'localhost') outside.push(href);
  });
  const page = context.pages()[0] ?? (await context.newPage());
  page.setDefaultTimeout(30_000);
  return { context, page, outside };
}
