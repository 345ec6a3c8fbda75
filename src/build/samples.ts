/**
 * `npm run samples`: rebuilds the prebuilt guests of media/samples from their sources. A test compares the committed
 * files with a fresh build, byte for byte.
 */
import { mkdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { type BareMetalProgram, compileBareMetal } from './crossCompiler';
import { SAMPLES } from './paths';

const LINKER_SCRIPT = 'common/link.ld';

/** Every runtime file but the entry; el-tour has an entry of its own. */
export const RUNTIME = ['calls.S', 'vectors.S', 'print.c', 'mmu.c', 'end.c'].map((name) => `common/${name}`);
export const ENTRY = 'common/boot.S';

const program = (
  sources: readonly string[],
  defines?: BareMetalProgram['defines'],
): Omit<BareMetalProgram, 'root' | 'linkerScript'> => ({ sources, defines });

const selfmod = (only?: string) =>
  program([ENTRY, ...RUNTIME, 'selfmod/selfmod.c', 'selfmod/patch.S'], only ? { ONLY: `"${only}"` } : {});

/** File name in media/samples without ".elf" → what it is made of. */
export const samples: Readonly<Record<string, Omit<BareMetalProgram, 'root' | 'linkerScript'>>> = {
  'el-tour': program(['el-tour/levels.S', ...RUNTIME, 'el-tour/kernel.c', 'el-tour/user.c']),
  selfmod: selfmod(),
  'selfmod-nodc': selfmod('no-dc'),
  'selfmod-noic': selfmod('no-ic'),
  'selfmod-noisb': selfmod('no-isb'),
  jit: program([ENTRY, ...RUNTIME, 'jit/kernel.c', 'jit/user.c']),
  'cache-ids': program([ENTRY, ...RUNTIME, 'common/cores.c', 'cache-ids/cache-ids.c']),
  'kvm-ccsidr': program([ENTRY, ...RUNTIME, 'kvm-ccsidr/kvm-ccsidr.c', 'kvm-ccsidr/user.c'], { FAR_CORE: '4' }),
  'kvm-isolation': program([
    ENTRY,
    ...RUNTIME,
    'common/cores.c',
    'kvm-isolation/kvm-isolation.c',
    'kvm-isolation/code.S',
  ]),
  'kvm-pfnmap': program([ENTRY, ...RUNTIME, 'kvm-pfnmap/kvm-pfnmap.c']),
  'kvm-vpipt': program([ENTRY, ...RUNTIME, 'kvm-vpipt/kvm-vpipt.c', 'kvm-vpipt/code.S']),
  'kvm-soft-lockup': program([ENTRY, ...RUNTIME, 'kvm-soft-lockup/kvm-soft-lockup.c']),
  'two-lines': program([ENTRY, ...RUNTIME, 'common/cores.c', 'two-lines/two-lines.c', 'two-lines/code.S']),
};

/** Builds one sample. @param directory where `<name>.elf` is written. @returns its path. */
export async function buildSample(name: string, directory: string): Promise<string> {
  mkdirSync(directory, { recursive: true });
  const out = path.join(directory, `${name}.elf`);
  await compileBareMetal(
    { root: SAMPLES, linkerScript: LINKER_SCRIPT, includes: ['common'], noInline: true, ...samples[name] },
    out,
  );
  return out;
}

async function main(): Promise<void> {
  for (const name of Object.keys(samples)) {
    const out = await buildSample(name, SAMPLES);
    console.log(`${path.relative(process.cwd(), out)}  ${statSync(out).size} bytes`);
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href)
  main().catch((error: Error) => {
    console.error(error.message);
    process.exitCode = 1;
  });
