/**
 * Bundles the product into dist/: one CommonJS file for each Node entry, one script for each webview, and their styles.
 * The Node bundles are .cjs because the package is ESM while VS Code loads CommonJS. An entry whose source is not there
 * is skipped, so that parts can be built before all of them exist.
 */
import { chmodSync, copyFileSync, existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { type BuildOptions, build } from 'esbuild';
import { DIST, ROOT, SUITE } from './paths';

interface NodeEntry {
  readonly source: string;
  readonly out: string;
  readonly external?: readonly string[];
  readonly executable?: boolean;
}

const NODE_ENTRIES: readonly NodeEntry[] = [
  { source: 'src/extension/extension.ts', out: 'extension.cjs', external: ['vscode'] },
  { source: 'src/adapter/main.ts', out: 'adapter.cjs' },
  { source: 'src/worker/main.ts', out: 'worker.cjs' },
  { source: 'src/cli/main.ts', out: 'cli.cjs', executable: true },
];

const COMMON: BuildOptions = {
  absWorkingDir: ROOT,
  bundle: true,
  sourcemap: true,
  logLevel: 'warning',
  legalComments: 'none',
};

/** Settings of the code that runs in Node 20 or in an extension host of that age. */
const FOR_NODE: BuildOptions = { ...COMMON, platform: 'node', format: 'cjs', target: 'node20' };

/** Builds dist/ anew. @returns the files made, relative to dist/. */
export async function bundle(): Promise<string[]> {
  rmSync(DIST, { recursive: true, force: true });
  mkdirSync(DIST, { recursive: true });
  const made: string[] = [];
  await Promise.all([bundleNode(made), bundleWebviews(made), bundleSuite()]);
  made.push(...copyCodicons());
  return made.sort();
}

async function bundleNode(made: string[]): Promise<void> {
  const present = NODE_ENTRIES.filter((entry) => existsSync(path.join(ROOT, entry.source)));
  await Promise.all(
    present.map(async (entry) => {
      const outfile = path.join(DIST, entry.out);
      // Sources say `import.meta.url` where they mean "this file"; CommonJS spells it differently.
      const start = `const importMetaUrl = require('node:url').pathToFileURL(__filename).href;`;
      await build({
        ...FOR_NODE,
        entryPoints: [entry.source],
        outfile,
        external: [...(entry.external ?? [])],
        define: { 'import.meta.url': 'importMetaUrl' },
        banner: { js: entry.executable ? `#!/usr/bin/env node\n${start}` : start },
      });
      if (entry.executable) chmodSync(outfile, 0o755);
      made.push(entry.out);
    }),
  );
}

/** Every `<name>.ts` directly in src/webview that has a `<name>.css` beside it is the entry of a webview. */
async function bundleWebviews(made: string[]): Promise<void> {
  const folder = path.join(ROOT, 'src', 'webview');
  const files = readdirSync(folder);
  const names = files.filter((file) => file.endsWith('.css')).map((file) => file.slice(0, -4));
  const scripts = names.filter((name) => files.includes(`${name}.ts`));
  const entryPoints = [...names.map((name) => `${name}.css`), ...scripts.map((name) => `${name}.ts`)];
  if (entryPoints.length === 0) return;
  await build({
    ...COMMON,
    entryPoints: entryPoints.map((file) => path.join(folder, file)),
    outdir: path.join(DIST, 'webview'),
    platform: 'browser',
    format: 'iife',
    target: 'chrome120',
    loader: { '.ttf': 'file' },
  });
  made.push(...names.map((name) => `webview/${name}.css`), ...scripts.map((name) => `webview/${name}.js`));
}

/** The suites that run inside the extension host, one file each; mocha is found in node_modules at run time. */
async function bundleSuite(): Promise<void> {
  const folder = path.join(ROOT, 'test', 'vscode', 'suite');
  if (!existsSync(folder)) return;
  const tests = readdirSync(folder).filter((file) => file === 'index.ts' || file.endsWith('.test.ts'));
  await build({
    ...FOR_NODE,
    entryPoints: tests.map((file) => path.join(folder, file)),
    outdir: SUITE,
    outExtension: { '.js': '.cjs' },
    external: ['vscode', 'mocha'],
  });
}

/** VS Code's own icon font, for webviews. */
function copyCodicons(): string[] {
  const from = path.join(ROOT, 'node_modules', '@vscode', 'codicons', 'dist');
  const to = path.join(DIST, 'webview');
  mkdirSync(to, { recursive: true });
  return ['codicon.css', 'codicon.ttf'].map((file) => {
    copyFileSync(path.join(from, file), path.join(to, file));
    return `webview/${file}`;
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) console.log(`dist: ${(await bundle()).join(' ')}`);
