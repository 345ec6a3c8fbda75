/**
 * What U-Boot prints on QEMU, command by command: the reference for the same image on elscope. Recorded when first asked for
 * and kept in the cache; the image is Debian's and stays there too.
 *
 * Not everything is to be equal: addresses follow from the size of memory and of the device tree, `fdt print` shows the
 * board's own tree, and U-Boot shows the time of day nowhere.
 */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { type UBootVersion, uBoot, uBootVersions } from '../../src/build/guests';
import { cacheDir } from '../../src/build/paths';
import { attempt } from '../../src/build/processes';
import { type QemuRun, runOnQemu } from './qemu';

export interface UBootRun {
  readonly version: UBootVersion;
  readonly el: 1 | 2;
  readonly commands: readonly string[];
  readonly cpus?: number;
  readonly cpu?: string;
  /** As QEMU takes it. Default 1G, which is elscope's default too. */
  readonly memory?: string;
}

export interface Transcript {
  /** What is printed before the first prompt. */
  readonly banner: string;
  /** Lines that each command printed, without the command itself. */
  readonly answers: readonly { readonly command: string; readonly lines: readonly string[] }[];
}

/** With the line's beginning: `crc32` prints "==> " in the middle of one. */
export const PROMPT = '\n=> ';

/** Stops the countdown, then types each command at its prompt. For `--expect`/`--send` as well. */
export const uBootDialogue = (commands: readonly string[]): { readonly expect: string; readonly type: string }[] => [
  { expect: 'Hit any key to stop autoboot', type: '\n' },
  ...commands.map((command) => ({ expect: PROMPT, type: `${command}\n` })),
];

/**
 * Cuts console text into the answers of the commands that were typed. Works for any console that echoes what is typed.
 * Throws when a command's echo is not where it should be.
 */
export function parseTranscript(console: string, commands: readonly string[]): Transcript {
  // Backspaces and carriage returns come from the countdown and from line ends.
  const text = console.replace(/[\r\b]/g, '');
  const [banner, ...parts] = text.split(PROMPT);
  const answers = commands.map((command, i) => {
    const [echo, ...lines] = (parts[i] ?? '').split('\n');
    if (echo.trim() !== command) throw new Error(`"${command}" was not echoed: ${JSON.stringify(parts[i] ?? '')}`);
    while (lines.at(-1) === '') lines.pop();
    return { command, lines };
  });
  return { banner, answers };
}

/** Runs on QEMU. A last command that ends the machine (`poweroff`) needs no prompt after it. */
async function record(run: UBootRun): Promise<Transcript> {
  const ends = run.commands.at(-1) === 'poweroff';
  const options: QemuRun = {
    bios: await uBoot(run.version),
    el: run.el,
    cpus: run.cpus,
    cpu: run.cpu,
    memory: run.memory ?? '1G',
    dialogue: uBootDialogue(run.commands),
    until: ends ? undefined : PROMPT,
  };
  const { code, console } = await runOnQemu(options);
  if (code !== 0) throw new Error(`QEMU ended with ${code}:\n${console.slice(-1000)}`);
  return parseTranscript(console, run.commands);
}

/** The transcript of these commands on QEMU, from the cache when QEMU, U-Boot and commands are the same. */
export async function referenceTranscript(run: UBootRun): Promise<Transcript> {
  const qemu = (await attempt('qemu-system-aarch64', ['--version'])).output.split('\n')[0];
  const key = createHash('sha256')
    .update(JSON.stringify([run, qemu]))
    .digest('hex')
    .slice(0, 16);
  const file = path.join(cacheDir('guests', 'transcripts'), `u-boot-${run.version}-el${run.el}-${key}.json`);
  if (existsSync(file)) return JSON.parse(readFileSync(file, 'utf8')) as Transcript;
  const transcript = await record(run);
  writeFileSync(file, `${JSON.stringify(transcript, undefined, 1)}\n`);
  return transcript;
}

/** Commands whose answers the tests compare. `mw` and `md` are on memory that U-Boot itself does not use. */
export const REFERENCE_COMMANDS = [
  'printenv',
  'bdinfo',
  'fdt addr',
  'mw.l 50000000 12345678 100',
  'md.l 50000000 8',
  'md.b 50000000 20',
  'crc32 50000000 400',
  'md.q 50000000 4',
  'fdt addr $fdtcontroladdr',
  'fdt print /psci',
  'poweroff',
];

/** `tsx test/guests/uboot.ts`: prints the transcripts of both versions at both levels. */
async function main(): Promise<void> {
  for (const version of uBootVersions)
    for (const el of [1, 2] as const) {
      const { banner, answers } = await referenceTranscript({ version, el, commands: REFERENCE_COMMANDS });
      console.log(`#### U-Boot ${version}, EL${el}\n${banner}`);
      for (const { command, lines } of answers) console.log(`=> ${command}\n${lines.join('\n')}`);
    }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href)
  main().catch((error: Error) => {
    console.error(error.message);
    process.exitCode = 1;
  });
