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
import { pathToFileURL } from 'node:url';
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
function writeAptConfiguration(directory: string, source: DebianSource, suite: string): string {
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
    'APT::Architecture': 'arm64',
    'APT::Sandbox::User': '',
    'Acquire::Languages': 'none',
    'Acquire::Retries': '2',
  };
  const lines = Object.entries(settings).map(([name, value]) => `${name} "${value}";`);
  writeFileSync(at('apt.conf'), [...lines, 'APT::Architectures { "arm64"; };', ''].join('\n'));
  return at('apt.conf');
}

async function must(
  directory: string,
  what: Readonly<Record<string, string>>,
  command: string,
  args: readonly string[],
) {
  const { code, output } = await attempt(command, args, { cwd: directory });
  if (code === 0) return;
  const lines = output.split('\n').map((line) => line.trim());
  const reason = lines.find((line) => line.startsWith('E:')) ?? lines.find((line) => line !== '') ?? `exit ${code}`;
  throw new UserError('guest.download', { ...what, reason: reason.replace(/^E: */, '') });
}

/**
 * Unpacks a package of Debian's arm64 archive into the cache.
 * @returns the folder with its files. Throws UserError `guest.download`, one line with the reason.
 */
export async function debianPackage(release: DebianRelease, name: string): Promise<string> {
  const suite = SUITES[release];
  const wanted = path.join(cacheDir('guests'), `${suite}-${name}`);
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
    const configuration = writeAptConfiguration(directory, source, suite);
    await must(directory, what, 'apt-get', ['-qq', '-c', configuration, 'update']);
    await must(directory, what, 'apt-get', ['-qq', '-c', configuration, 'download', name]);
    const archive = readdirSync(directory).find((file) => file.endsWith('.deb'));
    if (!archive) throw new UserError('guest.download', { ...what, reason: 'apt-get left no file' });
    const unpacked = path.join(directory, 'unpacked');
    await must(directory, what, 'dpkg-deb', ['-x', archive, unpacked]);
    if (!existsSync(wanted)) renameSync(unpacked, wanted);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
  return wanted;
}

/** One file of a package. */
export async function debianFile(release: DebianRelease, name: string, file: string): Promise<string> {
  const found = path.join(await debianPackage(release, name), file);
  if (existsSync(found)) return found;
  throw new UserError('guest.download', {
    package: name,
    release: `Debian ${release}`,
    reason: `it has no ${file}`,
  });
}

/** `u-boot.bin` for the virt board: a raw image for flash at address 0. */
export const uBoot = (version: UBootVersion): Promise<string> =>
  debianFile(U_BOOT[version], 'u-boot-qemu', 'usr/lib/u-boot/qemu_arm64/u-boot.bin');

async function main(): Promise<void> {
  for (const version of uBootVersions) console.log(`U-Boot ${version}  ${await uBoot(version)}`);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href)
  main().catch((error: Error) => {
    console.error(error.message);
    process.exitCode = 1;
  });
