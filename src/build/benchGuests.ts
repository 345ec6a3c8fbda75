/** The guests that `npm run bench` measures: what they are made of, and where their builds lie. */
import { existsSync, readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { compileBareMetal } from './crossCompiler';
import { cacheDir, ROOT, SAMPLES } from './paths';
import { ENTRY, RUNTIME } from './samples';

export interface BenchGuest {
  readonly source: string;
  readonly defines?: Readonly<Record<string, string | number | true>>;
  readonly cpus: number;
  /** It uses floating point. */
  readonly float?: boolean;
}

export const benchGuests = {
  empty: { source: 'empty.c', cpus: 1 },
  integer: { source: 'integer.c', defines: { ONLY_CORE: true }, cpus: 1 },
  memory: { source: 'memory.c', cpus: 1 },
  branch: { source: 'branch.c', cpus: 1 },
  double: { source: 'double.c', cpus: 1, float: true },
  integer4: { source: 'integer.c', cpus: 4 },
} as const satisfies Readonly<Record<string, BenchGuest>>;

export type BenchGuestName = keyof typeof benchGuests;

const SOURCES = path.join(ROOT, 'test', 'bench', 'guests');

const newest = (directory: string): number =>
  Math.max(...readdirSync(directory).map((name) => statSync(path.join(directory, name)).mtimeMs));

/** Builds a guest into the cache unless it is there and up to date. @returns the path of its ELF file. */
export async function buildBenchGuest(name: BenchGuestName): Promise<string> {
  const guest: BenchGuest = benchGuests[name];
  const out = path.join(cacheDir('bench'), `${name}.elf`);
  const changed = Math.max(newest(SOURCES), newest(path.join(SAMPLES, 'common')));
  if (existsSync(out) && statSync(out).mtimeMs > changed) return out;
  const runtime = [ENTRY, ...RUNTIME, 'common/cores.c'].map((file) => `media/samples/${file}`);
  const own = [guest.source, 'memory-functions.c'].map((file) => `test/bench/guests/${file}`);
  await compileBareMetal(
    {
      root: ROOT,
      sources: [...runtime, ...own],
      linkerScript: 'media/samples/common/link.ld',
      includes: ['media/samples/common', 'test/bench/guests'],
      defines: guest.defines,
      floatSources: guest.float ? own.slice(0, 1) : [],
      optimize: '-O2',
    },
    out,
  );
  return out;
}
