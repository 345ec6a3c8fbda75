/** Bundles of the adapter for tests, made once in a folder that goes away: with the fake machine, and the product itself. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { workerThread } from '../../src/adapter';
import { copyModel } from '../../src/build/bundle';
import type { Product } from './client';

const root = fileURLToPath(new URL('../..', import.meta.url));

async function bundled(entries: Readonly<Record<string, string>>): Promise<string> {
  const folder = mkdtempSync(path.join(tmpdir(), 'elscope-dap-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  await build({
    absWorkingDir: root,
    entryPoints: entries,
    outdir: folder,
    outExtension: { '.js': '.cjs' },
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node20',
    mainFields: ['module', 'main'],
    logLevel: 'warning',
    define: { 'import.meta.url': 'importMetaUrl' },
    banner: { js: `const importMetaUrl = require('node:url').pathToFileURL(__filename).href;` },
  });
  copyModel(folder);
  return folder;
}

async function product(adapter: string, worker: string): Promise<Product> {
  const names = { adapter: path.basename(adapter, '.ts'), worker: path.basename(worker, '.ts') };
  if (names.adapter === 'main') Object.assign(names, { adapter: 'adapter', worker: 'worker' });
  const folder = await bundled({ [names.adapter]: adapter, [names.worker]: worker });
  const file = (name: string): string => path.join(folder, `${name}.cjs`);
  return { adapter: file(names.adapter), connect: workerThread(pathToFileURL(file(names.worker))) };
}

export const fakeProduct = (): Promise<Product> => product('test/dap/fakeAdapter.ts', 'test/dap/fakeWorker.ts');
export const realProduct = (): Promise<Product> => product('src/adapter/main.ts', 'src/worker/main.ts');
