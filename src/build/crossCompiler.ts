/**
 * Bare-metal AArch64 programs with Debian's cross compiler. What comes out depends on the sources and the compiler
 * alone: sources are named relative to `root`, that folder's own name is replaced by "." in the debug information, there
 * is no build id, and objects are linked in the order given.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { UserError } from '../base/errors';
import { onPath, run } from './processes';

export interface BareMetalProgram {
  /** Folder that the sources are relative to, and that the debug information calls ".". */
  readonly root: string;
  /** C and assembly files, relative to `root`. Their base names must differ. */
  readonly sources: readonly string[];
  readonly linkerScript: string;
  /** Macros for all sources; `true` defines it to 1. */
  readonly defines?: Readonly<Record<string, string | number | true>>;
  readonly optimize?: '-O1' | '-O2';
  /** Keeps every function a function of its own, so that breakpoints and stack frames are as in the source. */
  readonly noInline?: boolean;
  readonly includes?: readonly string[];
  /** Those of the sources that use floating point and SIMD; they switch it on themselves. */
  readonly floatSources?: readonly string[];
}

const PREFIX = 'aarch64-linux-gnu-';

const FLAGS = [
  '-mstrict-align', // before the MMU is on all memory is Device memory, where an unaligned access faults
  '-march=armv8-a',
  '-mbranch-protection=none',
  '-mno-outline-atomics',
  '-std=gnu17',
  '-ffreestanding',
  '-nostdinc',
  '-fno-builtin',
  '-fno-tree-loop-distribute-patterns', // no loop becomes a call of memset
  '-fno-pic',
  '-fno-stack-protector',
  '-fno-asynchronous-unwind-tables',
  '-fno-unwind-tables', // call frames are described in .debug_frame, which is debug information and not linked away
  '-fno-omit-frame-pointer',
  '-g',
  '-gdwarf-5',
  '-Wall',
  '-Wextra',
  '-Werror',
];

/** True when the cross compiler is on PATH. */
export const hasCrossCompiler = (): boolean => onPath(`${PREFIX}gcc`) !== undefined;

function requireCrossCompiler(): void {
  for (const [tool, name] of [
    ['gcc', 'gcc-aarch64-linux-gnu'],
    ['ld', 'binutils-aarch64-linux-gnu'],
  ])
    if (!onPath(PREFIX + tool)) throw new UserError('tool.missing', { command: PREFIX + tool, package: name });
}

/** Compiles and links. @param out the ELF file to write. */
export async function compileBareMetal(program: BareMetalProgram, out: string): Promise<void> {
  requireCrossCompiler();
  const objects = mkdtempSync(path.join(tmpdir(), 'elscope-build-'));
  try {
    const names: string[] = [];
    for (const source of program.sources) {
      const name = `${path.basename(source).replaceAll('.', '_')}.o`;
      names.push(name);
      const defines = Object.entries(program.defines ?? {}).map(([k, v]) => `-D${k}=${v === true ? 1 : v}`);
      const includes = (program.includes ?? []).map((dir) => `-I${dir}`);
      const inline = program.noInline ? ['-fno-inline'] : [];
      const registers = program.floatSources?.includes(source) ? ['-ffp-contract=fast'] : ['-mgeneral-regs-only'];
      const prefixMap = `-ffile-prefix-map=${program.root}=.`;
      await run(
        `${PREFIX}gcc`,
        [
          ...registers,
          ...FLAGS,
          program.optimize ?? '-O1',
          ...inline,
          prefixMap,
          ...defines,
          ...includes,
          '-c',
          source,
          '-o',
          path.join(objects, name),
        ],
        { cwd: program.root },
      );
    }
    // Linked inside the folder of the objects: the linker script tells EL0's objects by their names alone.
    const script = path.resolve(program.root, program.linkerScript);
    const flags = ['--build-id=none', '-z', 'max-page-size=4096', '-z', 'noexecstack', '--no-warn-rwx-segments'];
    await run(`${PREFIX}ld`, ['-T', script, ...flags, '-o', path.resolve(out), ...names], { cwd: objects });
  } finally {
    rmSync(objects, { recursive: true, force: true });
  }
}

/** The compiler's own line in the `.comment` section of an ELF that it made; '' when there is none. */
export function compilerOf(elf: string): string {
  return /GCC: \([^)]*\) [\d.]+/.exec(readFileSync(elf, 'latin1'))?.[0] ?? '';
}
