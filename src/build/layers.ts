/**
 * The layers of src/ as rules over import statements: which folder may import which (its tsconfig's references), where
 * `vscode` and Node may be named, and that modules form no cycle. `import type` leaves nothing at run time, so it obeys
 * the folder rules but makes no cycle. Works on a map of texts, so that the rules can be tested on planted mistakes.
 */
import { isBuiltin } from 'node:module';
import path from 'node:path';

export interface SourceTree {
  /** Text by path relative to src/, with forward slashes. */
  readonly files: ReadonlyMap<string, string>;
  /** For each folder of src/ the folders that it may import, itself left out. */
  readonly references: ReadonlyMap<string, readonly string[]>;
}

interface Import {
  readonly specifier: string;
  readonly typeOnly: boolean;
}

/** Folders that run in a browser as well as in Node. */
export const CORE_FOLDERS: readonly string[] = [
  'base',
  'arch',
  'isa',
  'wasm',
  'engine',
  'memory',
  'cpu',
  'devices',
  'hypervisor',
  'machine',
  'program',
  'scenarios',
  'protocol',
  'session',
];

/** Packages that know neither Node nor a browser. */
const PURE_PACKAGES: readonly string[] = ['fflate', 'jsonc-parser'];

/** All violations, one line each, sorted. */
export function findViolations(tree: SourceTree): string[] {
  const violations: string[] = [];
  const graph = new Map<string, string[]>();
  for (const [file, text] of tree.files) {
    const targets: string[] = [];
    for (const { specifier, typeOnly } of importsOf(text)) {
      const complaint = specifier.startsWith('.')
        ? checkRelative(tree, file, specifier)
        : checkPackage(folderOf(file), specifier, typeOnly);
      if (complaint) violations.push(`${file}: ${complaint}`);
      const target = specifier.startsWith('.') ? resolve(tree, file, specifier) : undefined;
      if (target && !typeOnly) targets.push(target);
    }
    graph.set(file, targets);
  }
  violations.push(...cyclesOf(graph).map((cycle) => `import cycle: ${cycle.join(' → ')}`));
  const folders = new Map([...tree.references].map(([folder, targets]) => [folder, [...targets]]));
  violations.push(...cyclesOf(folders).map((cycle) => `reference cycle: ${cycle.join(' → ')}`));
  return violations.sort();
}

/** The import and export-from statements and dynamic imports of a module; comments are not looked at. */
export function importsOf(text: string): Import[] {
  const code = text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '');
  const found: Import[] = [];
  const statement = /^\s*(?:import|export)\s+(type\s)?([^'";]*?)\bfrom\s*['"]([^'"]+)['"]/gm;
  for (const [, type, names, specifier] of code.matchAll(statement)) {
    found.push({ specifier, typeOnly: type !== undefined || onlyTypes(names) });
  }
  for (const [, specifier] of code.matchAll(/^\s*import\s*['"]([^'"]+)['"]/gm)) {
    found.push({ specifier, typeOnly: false });
  }
  for (const [, specifier] of code.matchAll(/\b(?:import|require)\(\s*['"]([^'"]+)['"]\s*\)/g)) {
    found.push({ specifier, typeOnly: false });
  }
  return found;
}

/** The longest files, longest first, as [lines, path]. */
export function largest(files: ReadonlyMap<string, string>, count: number): [number, string][] {
  const sizes = [...files].map(([file, text]): [number, string] => [text.split('\n').length - 1, file]);
  return sizes.sort((a, b) => b[0] - a[0] || (a[1] < b[1] ? -1 : 1)).slice(0, count);
}

function onlyTypes(names: string): boolean {
  const list = /^\{([\s\S]*)\}\s*$/.exec(names.trim())?.[1];
  const items = list?.split(',').map((item) => item.trim());
  return items?.every((item) => item === '' || item.startsWith('type ')) ?? false;
}

function checkRelative(tree: SourceTree, file: string, specifier: string): string | undefined {
  const target = resolve(tree, file, specifier);
  if (target === undefined) return `imports ${specifier}, which is not a module of src/`;
  const from = folderOf(file);
  const to = folderOf(target);
  if (from === to || tree.references.get(from)?.includes(to)) return undefined;
  return `imports ${target}, but ${from}/tsconfig.json does not refer to ${to}`;
}

function checkPackage(folder: string, specifier: string, typeOnly: boolean): string | undefined {
  if (specifier === 'vscode' && folder !== 'extension') return 'imports vscode outside src/extension';
  if (!CORE_FOLDERS.includes(folder)) return undefined;
  if (PURE_PACKAGES.includes(specifier) || (typeOnly && !isBuiltin(specifier))) return undefined;
  return `imports ${specifier}, but ${folder} runs without Node`;
}

function folderOf(file: string): string {
  return file.split('/')[0];
}

function resolve(tree: SourceTree, file: string, specifier: string): string | undefined {
  const base = path.posix.join(path.posix.dirname(file), specifier);
  return [base, `${base}.ts`, `${base}/index.ts`].find((candidate) => tree.files.has(candidate));
}

/** One cycle for each strongly connected part that the depth-first search meets. */
function cyclesOf(graph: ReadonlyMap<string, readonly string[]>): string[][] {
  const cycles: string[][] = [];
  const done = new Set<string>();
  const trail: string[] = [];
  const visit = (node: string): void => {
    const at = trail.indexOf(node);
    if (at >= 0) cycles.push([...trail.slice(at), node]);
    if (at >= 0 || done.has(node)) return;
    trail.push(node);
    for (const next of graph.get(node) ?? []) visit(next);
    trail.pop();
    done.add(node);
  };
  for (const node of graph.keys()) visit(node);
  return cycles;
}
