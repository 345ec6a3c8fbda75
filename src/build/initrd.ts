/**
 * The small initial RAM disk that the tests boot Debian's kernels with: busybox, an `/init` script, and our own programs.
 * `/init` mounts what a shell needs, prints `elscope: init is running`, runs `/elscope/*` in order, and starts a shell.
 * `poweroff -f` ends the machine by PSCI SYSTEM_OFF.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';
import { type CpioEntry, cpioArchive } from './cpio';
import { busybox } from './guests';
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
for program in /elscope/*; do [ -x "$program" ] && "$program"; done
grep -q elscope.poweroff /proc/cmdline && poweroff -f
exec setsid cttyhack /bin/sh
`;

const folder = (name: string): CpioEntry => ({ name, kind: 'folder', mode: 0o755 });
const program = (name: string, data: Uint8Array): CpioEntry => ({ name, kind: 'file', mode: 0o755, data });

/** The archive, packed; `programs` are put into /elscope under their names. */
export async function initrdBytes(programs: Readonly<Record<string, Uint8Array>> = {}): Promise<Uint8Array> {
  const archive = cpioArchive([
    ...['bin', 'dev', 'elscope', 'proc', 'sys', 'tmp'].map(folder),
    program('bin/busybox', readFileSync(await busybox())),
    program('init', new TextEncoder().encode(INIT)),
    ...Object.entries(programs).map(([name, data]) => program(`elscope/${name}`, data)),
  ]);
  return gzipSync(archive, { level: 9 });
}

/** The path of the RAM disk in the cache, made anew when it would be another one. */
export async function initrd(): Promise<string> {
  const file = path.join(cacheDir('guests'), 'initrd.cpio.gz');
  const bytes = await initrdBytes();
  if (!existsSync(file) || !readFileSync(file).equals(bytes)) writeFileSync(file, bytes);
  return file;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href)
  initrd().then(console.log, (error: Error) => {
    console.error(error.message);
    process.exitCode = 1;
  });
