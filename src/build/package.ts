/**
 * `npm run package [-- FILE.vsix]`: builds and packs the extension, and looks at what is in the package. The bundles hold all
 * dependencies, so no node_modules go in; .vscodeignore says what does.
 */
import {
  copyFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundle } from './bundle';
import { packageProblems } from './packageCheck';
import { DIST, ROOT } from './paths';
import { run } from './processes';

/** Folders that are never packed, and so large that matching all their files takes longer than everything else. */
const LEFT_OUT: readonly string[] = ['node_modules', '.cache', '.git', '.tsbuild', 'src', 'test'];

/**
 * README for the extension's page in VS Code, which shows pictures from https addresses only and follows no relative links:
 * pictures go, links become their text.
 */
export function pageOf(readme: string): string {
  const file = String.raw`\((?![a-z]+:|#)[^)\s]+\)`;
  return readme
    .replace(new RegExp(String.raw`^!\[[^\]]*\]${file}\n+(?:\*[^*]+\*\n+)?`, 'gm'), '')
    .replace(new RegExp(String.raw`(?<!!)\[([^\]]+)\]${file}`, 'g'), '$1');
}

/** The built files that belong in a package, by their paths from the top. */
function builtFiles(): string[] {
  const entries = readdirSync(DIST, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const names = entries.map((entry) => path.relative(ROOT, path.join(entry.parentPath, entry.name)));
  return names.map((name) => name.split(path.sep).join('/')).filter((name) => !/\.map$|^dist\/test\//.test(name));
}

/** Packs dist/ as it is into `out`. @returns `out`; throws when something is missing or too much in it. */
export async function packageVsix(out: string): Promise<string> {
  const vsce = path.join(ROOT, 'node_modules', '@vscode', 'vsce', 'vsce');
  const args = ['package', '--no-dependencies', '--allow-missing-repository', '--no-rewrite-relative-links'];
  const scratch = mkdtempSync(path.join(os.tmpdir(), 'elscope-package-'));
  mkdirSync(path.dirname(out), { recursive: true });
  try {
    for (const name of readdirSync(ROOT).filter((entry) => !LEFT_OUT.includes(entry) && !entry.endsWith('.vsix'))) {
      cpSync(path.join(ROOT, name), path.join(scratch, name), { recursive: true });
    }
    writeFileSync(path.join(scratch, 'README.md'), pageOf(readFileSync(path.join(ROOT, 'README.md'), 'utf8')));
    const made = path.join(scratch, 'made.vsix');
    await run(process.execPath, [vsce, ...args, '--out', made], { cwd: scratch });
    const problems = packageProblems(readFileSync(made), builtFiles());
    if (problems.length > 0) throw new Error(['the package is not what it should be:', ...problems].join('\n  '));
    copyFileSync(made, out);
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
