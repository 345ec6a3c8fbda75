/**
 * The small initial RAM disk that the tests boot Debian's kernels with: busybox, an `/init` script, and our own programs.
 * `/init` mounts what a shell needs, prints `elscope: init is running`, runs `/elscope/*` in order, and starts a shell.
 * `poweroff -f` ends the machine by PSCI SYSTEM_OFF.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { type CpioEntry, cpioArchive } from './cpio';
import { dynamicProgram } from './dynamicProgram';
import { busybox, debianPackage, type KernelVersion, linuxKernel } from './guests';
import { cacheDir } from './paths';

/** Printed when user space runs; the prompt of the shell. */
export const INIT_MARKER = 'elscope: init is running';
export const SHELL_PROMPT = '/ # ';

const INIT = `#!/bin/busybox sh
/bin/busybox mount -t proc proc /proc
/bin/busybox mount -t sysfs sysfs /sys
/bin/busybox mount -t devtmpfs devtmpfs /dev
/bin/busybox --install -s /bin
export PATH=/bin PS1='${SHELL_PROMPT}'
echo '${INIT_MARKER}'
for program in /elscope/*; do [ -f "$program" ] && [ -x "$program" ] && "$program"; done
grep -q elscope.poweroff /proc/cmdline && poweroff -f
exec setsid cttyhack /bin/sh
`;

const folder = (name: string): CpioEntry => ({ name, kind: 'folder', mode: 0o755 });
const program = (name: string, data: Uint8Array): CpioEntry => ({ name, kind: 'file', mode: 0o755, data });

/** The archive, packed; `programs` are put into /elscope under their names, `more` wherever it says. */
export async function initrdBytes(
  programs: Readonly<Record<string, Uint8Array>> = {},
  more: readonly CpioEntry[] = [],
): Promise<Uint8Array> {
  const archive = cpioArchive([
    ...['bin', 'dev', 'elscope', 'proc', 'sys', 'tmp'].map(folder),
    program('bin/busybox', readFileSync(await busybox())),
    program('init', new TextEncoder().encode(INIT)),
    ...Object.entries(programs).map(([name, data]) => program(`elscope/${name}`, data)),
    ...more,
  ]);
  return gzipSync(archive, { level: 9 });
}

/**
 * Starts a guest of the kernel that runs: QEMU with KVM, on the host's GIC, with the same kernel and the plain RAM disk. It stays
 * where it is linked, so that a debugger knows its addresses.
 */
const NESTED = `#!/bin/busybox sh
exec qemu-system-aarch64 -M virt,gic-version=host -accel kvm -cpu host -m 256 -nodefaults -display none -serial stdio \\
  -kernel /elscope/guest/Image -initrd /elscope/guest/initrd -append 'console=ttyAMA0 elscope.poweroff nokaslr'
`;

/** A RAM disk whose `/elscope/nested` starts a guest of its own by KVM: QEMU for arm64, its libraries, a kernel, a RAM disk. */
async function nestedBytes(version: KernelVersion): Promise<Uint8Array> {
  const tree = await debianPackage(12, 'qemu-system-arm', { tree: true });
  return initrdBytes({}, [
    ...['lib', 'lib/aarch64-linux-gnu', 'elscope/guest'].map(folder),
    ...(await dynamicProgram(tree, 'usr/bin/qemu-system-aarch64', 'qemu-system-aarch64')),
    { name: 'elscope/guest/Image', kind: 'file', mode: 0o644, data: readFileSync(await linuxKernel(version)) },
    { name: 'elscope/guest/initrd', kind: 'file', mode: 0o644, data: await initrdBytes() },
    program('elscope/nested', new TextEncoder().encode(NESTED)),
  ]);
}

/** perf of the kernel's own version, with what it is linked to. */
export async function perfEntries(): Promise<CpioEntry[]> {
  const tree = await debianPackage(12, 'linux-perf', { tree: true });
  return [...['lib', 'lib/aarch64-linux-gnu'].map(folder), ...(await dynamicProgram(tree, 'usr/bin/perf', 'perf'))];
}

/** Writes a RAM disk into the cache when it is not there, or would be another one. @returns its path. */
function cached(name: string, bytes: Uint8Array): string {
  const file = path.join(cacheDir('guests'), name);
  if (!existsSync(file) || !readFileSync(file).equals(bytes)) writeFileSync(file, bytes);
  return file;
}

/** The path of the RAM disk. */
export const initrd = async (): Promise<string> => cached('initrd.cpio.gz', await initrdBytes());

/** The path of the RAM disk with perf, for Debian 12's kernels. */
export const perfInitrd = async (): Promise<string> =>
  cached('initrd-perf.cpio.gz', await initrdBytes({}, await perfEntries()));

/** The path of the RAM disk that starts a guest of its own. */
export const nestedInitrd = async (version: KernelVersion): Promise<string> =>
  cached(`initrd-nested-${version}.cpio.gz`, await nestedBytes(version));
