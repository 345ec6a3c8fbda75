/**
 * What a packaged extension must hold and must not: every file that its manifest names, everything that was built, what its
 * Markdown shows; no sources, no source maps, and not suddenly much more than it is.
 */
import path from 'node:path';
import { strFromU8, unzipSync } from 'fflate';

/** All of it: bundles, samples with their debug information, pictures. */
export const MOST_BYTES = 3 << 20;
const INSIDE = 'extension/';
const UNWANTED = /\.map$|^(src|test|node_modules|dist\/test|\.cache|\.git)\/|\.vsix$/;
/** vsce gives these other names. */
const RENAMED: Readonly<Record<string, string>> = {
  'README.md': 'readme.md',
  'CHANGELOG.md': 'changelog.md',
  LICENSE: 'LICENSE.txt',
};

/** Every text of a JSON value that is the path of a file of the product. */
function pathsIn(value: unknown): string[] {
  if (typeof value === 'string') return /^(\.\/)?(dist|media|syntaxes)\/[\w./-]+\.\w+$/.test(value) ? [value] : [];
  if (typeof value !== 'object' || value === null) return [];
  return Object.values(value).flatMap(pathsIn);
}

/** Targets of links and pictures that are files, as paths from the top of the package. */
function targetsIn(markdown: string, file: string): string[] {
  const targets = [...markdown.matchAll(/\]\((?![a-z]+:|#)([^)\s]+)\)/g)].map(([, target]) => target);
  return targets.map((target) => path.posix.join(path.posix.dirname(file), target));
}

/** What is wrong with a package, one line each. `built`: files that were made for it. */
export function packageProblems(vsix: Uint8Array, built: readonly string[]): string[] {
  const files = new Map(
    Object.entries(unzipSync(vsix)).flatMap(([name, bytes]) =>
      name.startsWith(INSIDE) && !name.endsWith('/') ? [[name.slice(INSIDE.length), bytes] as const] : [],
    ),
  );
  const text = (name: string): string => strFromU8(files.get(name) ?? new Uint8Array(0));
  const wanted = new Map<string, string>();
  const want = (name: string, why: string): void => void wanted.set(path.posix.normalize(name), why);
  for (const name of ['package.json', ...Object.keys(RENAMED)]) want(RENAMED[name] ?? name, 'every package has it');
  for (const name of pathsIn(files.has('package.json') ? JSON.parse(text('package.json')) : {})) {
    want(name, 'package.json names it');
  }
  for (const name of built) want(name, 'it was built');
  for (const name of [...files.keys()].filter((file) => file.endsWith('.md'))) {
    for (const target of targetsIn(text(name), name)) want(target, `${name} shows it`);
  }
  const missing = [...wanted].filter(([name]) => !files.has(name)).map(([name, why]) => `${name} is missing: ${why}`);
  const unwanted = [...files.keys()]
    .filter((name) => UNWANTED.test(name))
    .map((name) => `${name} does not belong in it`);
  const large = vsix.length > MOST_BYTES ? [`it has ${vsix.length} bytes, more than ${MOST_BYTES}`] : [];
  return [...missing, ...unwanted, ...large];
}
