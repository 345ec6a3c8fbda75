/**
 * Runs a suite inside the extension host of a code-server workbench, for a caller that thinks it started a desktop
 * VS Code: takes VS Code's own options for that (see codeServerShim.mjs). Exits with what the extension host said.
 */
import { createServer, type Server } from 'node:http';
import path from 'node:path';
import type { Page } from 'playwright-core';
import { selectedHost } from '../../src/build/host/versions';
import { artefactsDir } from '../../src/build/paths';
import { type WorkbenchOptions, withWorkbench } from './workbench';

const TIME_LIMIT_MS = 5 * 60_000;

const option = (name: string): string => {
  const start = `--${name}=`;
  const found = process.argv.find((word) => word.startsWith(start));
  if (!found) throw new Error(`${start} is missing`);
  return found.slice(start.length);
};

const suite = option('extensionTestsPath');
let page: Page | undefined;
let finish: (code: number) => void = () => undefined;
const finished = new Promise<number>((resolve) => {
  finish = resolve;
});

const control = await startControl();
const address = control.address();
const url = address && typeof address === 'object' ? `http://127.0.0.1:${address.port}` : '';

const options: WorkbenchOptions = {
  extension: 'development',
  folder: process.argv.slice(2).find((word) => !word.startsWith('-')),
  env: { ELSCOPE_TEST_RESULTS: process.env.ELSCOPE_TEST_RESULTS ?? '', ELSCOPE_TEST_CONTROL: url },
  prepare: async (opened, server) => {
    page = opened;
    await opened.exposeFunction('codeAutomationLog', (_kind: string, args: unknown) => {
      if (process.env.ELSCOPE_TEST_LOG) console.log(...(Array.isArray(args) ? args : [args]));
    });
    await opened.exposeFunction('codeAutomationExit', (code: number) => finish(code));
    return [['extensionTestsPath', server.remote(suite)]];
  },
};
let code = 1;
const timer = setTimeout(() => finish(99), TIME_LIMIT_MS);
try {
  await withWorkbench(options, async () => {
    code = await finished;
    if (code === 99) throw new Error(`the suite did not end within ${TIME_LIMIT_MS / 1000} s`);
  });
} finally {
  clearTimeout(timer);
  control.close();
}
process.exit(code);

/** Answers what tests ask for (see suite/control.ts). */
async function startControl(): Promise<Server> {
  const server = createServer(async (request, response) => {
    try {
      const { pathname, searchParams } = new URL(request.url ?? '/', 'http://127.0.0.1');
      const name = path.basename(searchParams.get('name') ?? '');
      if (pathname !== '/screenshot' || !name || !page) throw new Error(`nothing to do for ${request.url}`);
      await page.screenshot({ path: path.join(artefactsDir(selectedHost().vscode), `${name}.png`) });
      response.end('ok');
    } catch (error) {
      response.statusCode = 500;
      response.end(String(error));
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}
