/**
 * Bundles the product into dist/: one CommonJS file for each Node entry, one script for each webview, and their styles.
 * The Node bundles are .cjs because the package is ESM while VS Code loads CommonJS. An entry whose source is not there
 * is skipped, so that parts can be built before all of them exist.
 */
import { chmodSync, copyFileSync, existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { type BuildOptions, build, stop } from 'esbuild';
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
const FOR_NODE: BuildOptions = {
  ...COMMON,
  platform: 'node',
  format: 'cjs',
  target: 'node20',
  mainFields: ['module', 'main'],
};

/** Builds dist/, and takes out of it what an older build has left. @returns the files made, relative to dist/. */
export async function bundle(): Promise<string[]> {
  mkdirSync(DIST, { recursive: true });
  const parts = [bundleNode(), bundleWebviews(), bundleSuite(), copyCodicons(), copyModel(DIST)];
  const made = (await Promise.all(parts)).flat().sort();
  // esbuild works in a process of its own, which would stay as long as this one.
  await stop();
  for (const entry of readdirSync(DIST, { recursive: true, withFileTypes: true })) {
    const file = path.join(entry.parentPath, entry.name);
    if (entry.isFile() && !made.includes(path.relative(DIST, file))) rmSync(file);
  }
  return made;
}

/** Runs esbuild. @returns the files it wrote, relative to dist/. */
async function esbuild(options: BuildOptions): Promise<string[]> {
  const { metafile } = await build({ ...options, metafile: true });
  return Object.keys(metafile?.outputs ?? {}).map((file) => path.relative(DIST, path.join(ROOT, file)));
}

async function bundleNode(): Promise<string[]> {
  const present = NODE_ENTRIES.filter((entry) => existsSync(path.join(ROOT, entry.source)));
  const made = present.map(async (entry) => {
    const outfile = path.join(DIST, entry.out);
    // Sources say `import.meta.url` where they mean "this file"; CommonJS spells it differently.
    const start = `const importMetaUrl = require('node:url').pathToFileURL(__filename).href;`;
    const files = await esbuild({
      ...FOR_NODE,
      entryPoints: [entry.source],
      outfile,
      external: [...(entry.external ?? [])],
      define: { 'import.meta.url': 'importMetaUrl' },
      banner: { js: entry.executable ? `#!/usr/bin/env node\n${start}` : start },
    });
    if (entry.executable) chmodSync(outfile, 0o755);
    return files;
  });
  return (await Promise.all(made)).flat();
}

/** A script in src/webview that has a style sheet of its name is the entry of a webview; the others are its parts. */
async function bundleWebviews(): Promise<string[]> {
  const folder = path.join(ROOT, 'src', 'webview');
  const sheets = readdirSync(folder).filter((file) => file.endsWith('.css'));
  const scripts = sheets
    .map((file) => file.replace(/css$/, 'ts'))
    .filter((file) => existsSync(path.join(folder, file)));
  const entryPoints = [...sheets, ...scripts];
  if (entryPoints.length === 0) return [];
  return esbuild({
    ...COMMON,
    entryPoints: entryPoints.map((file) => path.join(folder, file)),
    outdir: path.join(DIST, 'webview'),
    platform: 'browser',
    format: 'iife',
    target: 'chrome120',
    loader: { '.ttf': 'file' },
  });
}

/** The suites that run inside the extension host, one file each; mocha is found in node_modules at run time. */
async function bundleSuite(): Promise<string[]> {
  const folder = path.join(ROOT, 'test', 'vscode', 'suite');
  const tests = readdirSync(folder).filter((file) => file === 'index.ts' || file.endsWith('.test.ts'));
  return esbuild({
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

/** The hypervisor model's routines as text, which the worker looks for beside itself. */
export function copyModel(out: string): string[] {
  const from = path.join(ROOT, 'src', 'hypervisor', 'run');
  const names = readdirSync(from).filter((file) => file.endsWith('.ts'));
  mkdirSync(path.join(out, 'hypervisor'), { recursive: true });
  for (const name of names) copyFileSync(path.join(from, name), path.join(out, 'hypervisor', name));
  return names.map((name) => path.join('hypervisor', name));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const made = await bundle();
  console.log(`dist: ${made.filter((file) => !file.endsWith('.map')).join(' ')}`);
}
