/**
 * `npm run package [-- FILE.vsix]`: builds and packs the extension. The bundles hold all dependencies, so no
 * node_modules go in; .vscodeignore says what does.
 */
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundle } from './bundle';
import { ROOT } from './paths';
import { run } from './processes';

/** Folders that are never packed, and so large that matching all their files takes longer than everything else. */
const LEFT_OUT: readonly string[] = ['node_modules', '.cache', '.git', '.tsbuild', 'src', 'test'];

/** Packs dist/ as it is into `out`. @returns `out`. */
export async function packageVsix(out: string): Promise<string> {
  const vsce = path.join(ROOT, 'node_modules', '@vscode', 'vsce', 'vsce');
  const args = ['package', '--no-dependencies', '--allow-missing-repository', '--no-rewrite-relative-links'];
  const scratch = mkdtempSync(path.join(os.tmpdir(), 'elscope-package-'));
  mkdirSync(path.dirname(out), { recursive: true });
  try {
    for (const name of readdirSync(ROOT).filter((entry) => !LEFT_OUT.includes(entry) && !entry.endsWith('.vsix'))) {
      cpSync(path.join(ROOT, name), path.join(scratch, name), { recursive: true });
    }
    await run(process.execPath, [vsce, ...args, '--out', out], { cwd: scratch });
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
  return out;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { name, version } = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8'));
  await bundle();
  console.log(await packageVsix(path.resolve(process.argv[2] ?? path.join(ROOT, `${name}-${version}.vsix`))));
}
