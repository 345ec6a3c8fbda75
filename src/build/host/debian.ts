/**
 * Programs that the tests need and npm does not have. Each row names the Debian package, what shows that it is there,
 * and what it is for. On Debian (or a relative with apt-get) and as root, missing ones are installed.
 */
import { existsSync } from 'node:fs';
import { attempt, onPath } from '../processes';

interface Requirement {
  readonly package: string;
  /** A program on PATH, or an absolute path. Any one of them will do. */
  readonly shownBy: readonly string[];
}

export const REQUIREMENTS: readonly Requirement[] = [
  { package: 'chromium', shownBy: ['chromium', 'chromium-browser', 'google-chrome'] },
  { package: 'qemu-user', shownBy: ['qemu-aarch64'] },
  { package: 'qemu-system-arm', shownBy: ['qemu-system-aarch64'] },
  { package: 'gcc-aarch64-linux-gnu', shownBy: ['aarch64-linux-gnu-gcc'] },
  { package: 'binutils-aarch64-linux-gnu', shownBy: ['aarch64-linux-gnu-objdump'] },
  { package: 'libc6-dev-arm64-cross', shownBy: ['/usr/aarch64-linux-gnu/include/stdio.h'] },
  { package: 'llvm', shownBy: ['llvm-mc'] },
  { package: 'gdb-multiarch', shownBy: ['gdb-multiarch'] },
];

/** Where Chromium is. `$ELSCOPE_CHROMIUM` wins. */
export function chromiumPath(): string {
  const file = process.env.ELSCOPE_CHROMIUM || REQUIREMENTS[0].shownBy.map(onPath).find((found) => found !== undefined);
  if (!file) throw new Error('Chromium is missing: apt-get install chromium, or set ELSCOPE_CHROMIUM');
  return file;
}

export function missingPackages(rows: readonly Requirement[] = REQUIREMENTS): string[] {
  const present = (sign: string): boolean => (sign.startsWith('/') ? existsSync(sign) : onPath(sign) !== undefined);
  return rows.filter((row) => !row.shownBy.some(present)).map((row) => row.package);
}

/** Installs what is missing. Throws one line that says what is missing when it may not or cannot. */
export async function ensurePackages(log: (text: string) => void): Promise<void> {
  const missing = missingPackages();
  if (missing.length === 0) return;
  const complaint = `missing Debian packages: apt-get install --no-install-recommends ${missing.join(' ')}`;
  if (process.getuid?.() !== 0 || onPath('apt-get') === undefined) throw new Error(complaint);
  log(`installing ${missing.join(' ')}`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const install = ['install', '-y', '--no-install-recommends', ...missing];
  const first = await attempt('apt-get', install, { env });
  if (first.code !== 0) {
    await attempt('apt-get', ['update'], { env });
    const second = await attempt('apt-get', install, { env });
    if (second.code !== 0) throw new Error(`${complaint}\n${second.output.split('\n').slice(-8).join('\n')}`);
  }
  const still = missingPackages();
  if (still.length > 0) throw new Error(`still missing after apt-get: ${still.join(' ')}`);
}
