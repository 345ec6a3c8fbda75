/**
 * A dynamically linked arm64 program of Debian's, with the loader and libraries that it needs, as entries of an initial RAM
 * disk. What is needed is read from the ELF files themselves by the cross binutils.
 */
import { existsSync, readdirSync, readFileSync, realpathSync, statSync } from 'node:fs';
import path from 'node:path';
import { UserError } from '../base/errors';
import type { CpioEntry } from './cpio';
import { run } from './processes';

const LIBRARIES = ['lib/aarch64-linux-gnu', 'usr/lib/aarch64-linux-gnu'];
const LOADER = 'lib/ld-linux-aarch64.so.1';

/** Folders of `root` with libraries: the usual two, and their own folders, where some packages keep private ones. */
function libraryFolders(root: string): string[] {
  const folders = LIBRARIES.map((folder) => path.join(root, folder)).filter((folder) => existsSync(folder));
  const inner = folders.flatMap((folder) => readdirSync(folder).map((name) => path.join(folder, name)));
  return [...folders, ...inner.filter((name) => statSync(name, { throwIfNoEntry: false })?.isDirectory())].sort();
}

async function neededBy(file: string): Promise<string[]> {
  const printed = await run('aarch64-linux-gnu-objdump', ['-p', file]);
  return [...printed.matchAll(/^\s*NEEDED\s+(\S+)$/gm)].map((match) => match[1]);
}

/** A link may be absolute, and then counts from `root`. */
function real(root: string, file: string): string {
  const target = realpathSync(file);
  return target.startsWith(root) ? target : path.join(root, target);
}

/**
 * The program at `file` below `root` (a folder of unpacked packages), its loader and its libraries. The archive must have the
 * folders lib and lib/aarch64-linux-gnu.
 * @throws UserError `guest.download` when a library is in none of the packages.
 */
export async function dynamicProgram(root: string, file: string, name: string): Promise<CpioEntry[]> {
  const folders = libraryFolders(root);
  const libraries = new Map<string, string>();
  const wanted = await neededBy(path.join(root, file));
  for (let library = wanted.pop(); library !== undefined; library = wanted.pop()) {
    if (libraries.has(library) || library === path.basename(LOADER)) continue;
    const folder = folders.find((where) => existsSync(path.join(where, library as string)));
    if (!folder) throw new UserError('guest.download', { package: name, release: 'Debian', reason: `no ${library}` });
    const found = real(root, path.join(folder, library));
    libraries.set(library, found);
    wanted.push(...(await neededBy(found)));
  }
  const entry = (where: string, from: string): CpioEntry => {
    return { name: where, kind: 'file', mode: 0o755, data: readFileSync(from) };
  };
  const loader = LIBRARIES.map((folder) => path.join(root, folder, path.basename(LOADER))).find((at) => existsSync(at));
  return [
    entry(`bin/${name}`, path.join(root, file)),
    entry(LOADER, loader ?? real(root, path.join(root, LOADER))),
    ...[...libraries].sort().map(([library, from]) => entry(`lib/aarch64-linux-gnu/${library}`, from)),
  ];
}
