/**
 * Guests that nobody here wrote, out of Debian's packages: U-Boot, kernels, busybox. They are fetched with apt through a
 * private configuration, which leaves the machine's own package state alone, unpacked into the cache, and never committed.
 * What is in the cache already is not asked for again.
 */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { UserError } from '../base/errors';
import { cacheDir } from './paths';
import { attempt, onPath } from './processes';

/** Debian releases by number. */
const SUITES = { 12: 'bookworm', 13: 'trixie' } as const;
export type DebianRelease = keyof typeof SUITES;

/** The image of U-Boot for the virt board, by U-Boot's version. */
const U_BOOT = { '2023.01': 12, '2025.01': 13 } as const satisfies Record<string, DebianRelease>;
export type UBootVersion = keyof typeof U_BOOT;
export const uBootVersions = Object.keys(U_BOOT) as readonly UBootVersion[];

/** Where packages come from: `uri` of an archive with all suites, and the options of its line. */
export interface DebianSource {
  readonly uri: string;
  readonly signedBy?: string;
}

const isSuite = (text: string): boolean =>
  /^(stable|oldstable|testing|bookworm|trixie|bullseye|forky|sid|unstable)$/.test(text);

/** Reads a `.list` file: `deb [options] uri suite components`. */
export function parseSourceList(text: string): DebianSource | undefined {
  for (const line of text.split('\n')) {
    const match = /^\s*deb\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+(\S+)\s+(.*)$/.exec(line);
    if (match && isSuite(match[3]) && /\bmain\b/.test(match[4]))
      return { uri: match[2], signedBy: /signed-by=(\S+)/i.exec(match[1] ?? '')?.[1] };
  }
  return undefined;
}

/** Reads a `.sources` file: paragraphs of `Field: value`. */
export function parseSourceParagraphs(text: string): DebianSource | undefined {
  for (const paragraph of text.split(/\n\s*\n/)) {
    const field = (name: string): string[] =>
      new RegExp(`^${name}:[ \\t]*(.*)$`, 'im').exec(paragraph)?.[1].trim().split(/\s+/) ?? [];
    const fits = field('Types').includes('deb') && field('Components').includes('main');
    if (!fits || !field('Suites').some(isSuite) || field('Enabled')[0] === 'no') continue;
    const [uri, signedBy] = [field('URIs')[0], field('Signed-By')[0]];
    if (uri) return { uri, signedBy: signedBy?.startsWith('/') ? signedBy : undefined };
  }
  return undefined;
}

/** The Debian archive that this machine uses. `$ELSCOPE_DEBIAN_MIRROR` (an archive's address) wins. */
function machineSource(): DebianSource | undefined {
  const mirror = process.env.ELSCOPE_DEBIAN_MIRROR;
  if (mirror) return { uri: mirror };
  const directory = '/etc/apt/sources.list.d';
  const parts = existsSync(directory) ? readdirSync(directory).sort() : [];
  for (const file of ['/etc/apt/sources.list', ...parts.map((name) => path.join(directory, name))]) {
    if (!existsSync(file)) continue;
    const text = readFileSync(file, 'utf8');
    const found = file.endsWith('.sources') ? parseSourceParagraphs(text) : parseSourceList(text);
    if (found) return found;
  }
  return undefined;
}

/** An apt configuration of its own in `directory`; returns the path of the file. */
function writeAptConfiguration(directory: string, source: DebianSource, suite: string, architecture: string): string {
  for (const name of ['state/lists/partial', 'cache/archives/partial'])
    mkdirSync(path.join(directory, name), { recursive: true });
  const at = (name: string): string => path.join(directory, name);
  const options = source.signedBy ? `[signed-by=${source.signedBy}] ` : '';
  writeFileSync(at('status'), '');
  writeFileSync(at('sources.list'), `deb ${options}${source.uri} ${suite} main\n`);
  const settings = {
    'Dir::State': at('state'),
    'Dir::State::lists': at('state/lists'),
    'Dir::State::status': at('status'),
    'Dir::Cache': at('cache'),
    'Dir::Etc::sourcelist': at('sources.list'),
    'Dir::Etc::sourceparts': '/dev/null',
    'APT::Architecture': architecture,
    'APT::Sandbox::User': '',
    'Acquire::Languages': 'none',
    'Acquire::Retries': '2',
  };
  const lines = Object.entries(settings).map(([name, value]) => `${name} "${value}";`);
  writeFileSync(at('apt.conf'), [...lines, `APT::Architectures { "${architecture}"; };`, ''].join('\n'));
  return at('apt.conf');
}

/** @returns what it printed. */
async function must(directory: string, what: What, command: string, args: readonly string[]): Promise<string> {
  const { code, output } = await attempt(command, args, { cwd: directory });
  if (code === 0) return output;
  const lines = output.split('\n').map((line) => line.trim());
  const reason = lines.find((line) => line.startsWith('E:')) ?? lines.find((line) => line !== '') ?? `exit ${code}`;
  throw new UserError('guest.download', { ...what, reason: reason.replace(/^E: */, '') });
}

/** The first package that `name` depends on and that `pattern` matches, out of what `apt-cache depends` prints. */
export function dependencyIn(output: string, pattern: RegExp): string | undefined {
  const names = [...output.matchAll(/^\s*Depends: (\S+)$/gm)].map((match) => match[1]);
  return names.find((name) => pattern.test(name));
}

interface PackageOptions {
  /** The package only names the current version of another one, as linux-image-arm64 does: the dependency that matches. */
  readonly dependency?: RegExp;
  /** Default arm64. */
  readonly architecture?: string;
  /** With every package that it depends on, all unpacked into one folder. */
  readonly tree?: true;
}

type What = Readonly<Record<string, string>>;

/** Downloads into `directory`. @returns the folder with the package files. */
async function download(
  directory: string,
  configuration: string,
  name: string,
  what: What,
  { dependency, tree }: PackageOptions,
): Promise<string> {
  const apt = ['-qq', '-c', configuration];
  await must(directory, what, 'apt-get', [...apt, 'update']);
  if (tree) {
    const options = ['-y', '--download-only', '--no-install-recommends', 'install'];
    await must(directory, what, 'apt-get', [...apt, ...options, name]);
    return path.join(directory, 'cache', 'archives');
  }
  let wanted: string | undefined = name;
  if (dependency) {
    const printed = await must(directory, what, 'apt-cache', ['-c', configuration, 'depends', name]);
    wanted = dependencyIn(printed, dependency);
    if (!wanted) throw new UserError('guest.download', { ...what, reason: `it depends on no ${dependency}` });
  }
  await must(directory, what, 'apt-get', [...apt, 'download', wanted]);
  return directory;
}

/**
 * Unpacks a package of Debian's archive into the cache.
 * @returns the folder with its files. Throws UserError `guest.download`, one line with the reason.
 */
export async function debianPackage(
  release: DebianRelease,
  name: string,
  options: PackageOptions = {},
): Promise<string> {
  const suite = SUITES[release];
  const wanted = path.join(cacheDir('guests'), `${suite}-${name}${options.tree ? '-tree' : ''}`);
  if (existsSync(wanted)) return wanted;
  const what = { package: name, release: `Debian ${release}` };
  for (const tool of ['apt-get', 'dpkg-deb'])
    if (!onPath(tool))
      throw new UserError('guest.download', { ...what, reason: `there is no ${tool} on this machine` });
  const source = machineSource();
  if (!source)
    throw new UserError('guest.download', {
      ...what,
      reason: 'no Debian archive in /etc/apt; set ELSCOPE_DEBIAN_MIRROR to the address of one',
    });
  // Everything happens in a folder of this process's own and is moved into place at the end.
  const directory = mkdtempSync(path.join(cacheDir('guests'), 'fetch-'));
  try {
    const configuration = writeAptConfiguration(directory, source, suite, options.architecture ?? 'arm64');
    const archives = await download(directory, configuration, name, what, options);
    const files = readdirSync(archives).filter((file) => file.endsWith('.deb'));
    if (files.length === 0) throw new UserError('guest.download', { ...what, reason: 'apt-get left no file' });
    const unpacked = path.join(directory, 'unpacked');
    for (const file of files.sort())
      await must(directory, what, 'dpkg-deb', ['-x', path.join(archives, file), unpacked]);
    if (!existsSync(wanted)) renameSync(unpacked, wanted);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
  return wanted;
}

/** One file of a package; the last part of `file` may be a pattern, of which the first match in order is taken. */
export async function debianFile(
  release: DebianRelease,
  name: string,
  file: string | { readonly folder: string; readonly pattern: RegExp },
  options: PackageOptions = {},
): Promise<string> {
  const root = await debianPackage(release, name, options);
  const found = path.join(root, typeof file === 'string' ? file : file.folder);
  if (typeof file === 'string') {
    if (existsSync(found)) return found;
  } else if (existsSync(found)) {
    const match = readdirSync(found)
      .sort()
      .find((entry) => file.pattern.test(entry));
    if (match) return path.join(found, match);
  }
  throw new UserError('guest.download', {
    package: name,
    release: `Debian ${release}`,
    reason: `it has no ${typeof file === 'string' ? file : `${file.pattern} in ${file.folder}`}`,
  });
}

/** `u-boot.bin` for the virt board: a raw image for flash at address 0. */
export const uBoot = (version: UBootVersion): Promise<string> =>
  debianFile(U_BOOT[version], 'u-boot-qemu', 'usr/lib/u-boot/qemu_arm64/u-boot.bin');

/** Debian's arm64 kernel images (`vmlinuz`: an arm64 Image with an EFI stub). */
const KERNELS = {
  '6.1': [12, 'linux-image-arm64', /^linux-image-6\.1\.[-0-9.]+-arm64$/],
  '6.1-cloud': [12, 'linux-image-cloud-arm64', /^linux-image-6\.1\.[-0-9.]+-cloud-arm64$/],
  '6.12': [13, 'linux-image-arm64', /^linux-image-6\.12\.[-+0-9.a-z]+-arm64$/],
} as const satisfies Record<string, readonly [DebianRelease, string, RegExp]>;
const DEBUG_KERNELS = {
  '6.1-cloud': [12, 'linux-image-cloud-arm64-dbg', /^linux-image-6\.1\.[-0-9.]+-cloud-arm64-dbg$/],
} as const satisfies Partial<Record<keyof typeof KERNELS, readonly [DebianRelease, string, RegExp]>>;
export type KernelVersion = keyof typeof KERNELS;
export const kernelVersions = Object.keys(KERNELS) as readonly KernelVersion[];

export function linuxKernel(version: KernelVersion): Promise<string> {
  const [release, name, dependency] = KERNELS[version];
  return debianFile(release, name, { folder: 'boot', pattern: /^vmlinuz-/ }, { dependency });
}

/** The kernel and the RAM disk of Debian 12's installer, as a machine that boots from the network gets them; 128 MB to download. */
export async function installer(): Promise<{ readonly kernel: string; readonly initrd: string }> {
  const folder = 'usr/lib/debian-installer/images/12/arm64/text/debian-installer/arm64';
  const file = (name: string): Promise<string> =>
    debianFile(12, 'debian-installer-12-netboot-arm64', `${folder}/${name}`);
  return { kernel: await file('linux'), initrd: await file('initrd.gz') };
}

/**
 * The ELF file with DWARF of the kernel `version`: 260 MB to download, and 1.5 GB on disk.
 */
export function kernelWithDwarf(version: '6.1-cloud'): Promise<string> {
  const [release, name, dependency] = DEBUG_KERNELS[version];
  const folder = 'usr/lib/debug/boot';
  return debianFile(release, name, { folder, pattern: /^vmlinux-/ }, { dependency });
}

/** busybox, statically linked for arm64. */
export const busybox = (): Promise<string> => debianFile(12, 'busybox-static', 'bin/busybox');

/** EDK2 for the virt board: a raw image for flash at address 0. */
export const edk2 = (release: DebianRelease): Promise<string> =>
  debianFile(release, 'qemu-efi-aarch64', 'usr/share/qemu-efi-aarch64/QEMU_EFI.fd');

/** Debian's names of the architectures of Node. */
const HOST_ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64' };

/** Debian 13's `qemu-aarch64` for this machine: one static file that any Linux runs. */
export const laterQemuUser = (): Promise<string> =>
  debianFile(13, 'qemu-user', 'usr/bin/qemu-aarch64', {
    architecture: HOST_ARCHITECTURES[process.arch] ?? process.arch,
  });
