/** Guests for the fake machine: an ELF fixture, or words written by hand. */
import { existsSync, readFileSync } from 'node:fs';
import { UserError } from '../../src/base/errors';
import type { Launch, Launched } from '../../src/machine/launch.types';
import { loadSegments, readElf } from '../../src/program';
import { FakeMachine } from './fakeMachine';
import { guests } from './guests';

export const fixturePath = (name: string): string => new URL(`../fixtures/program/${name}`, import.meta.url).pathname;

/** The C fixture, entered at EL2. */
export function launchFixture(path: string, cores = 1): Launched & { readonly machine: FakeMachine } {
  const bytes = new Uint8Array(readFileSync(path));
  const elf = readElf(bytes, path);
  const segments = loadSegments(elf);
  const entry = elf.entry;
  const machine = new FakeMachine(cores, (m) => {
    for (const segment of segments) m.write(BigInt(segment.address), segment.data);
    m.cores[0].cpu.pc = entry;
  });
  return { machine, images: [{ path, bytes, kind: 'elf', loadOffset: 0n }], entry };
}

/** What the fake worker launches: `program` ends in the name of a fixture, or of a guest below. */
export const launchFake: Launch = (options) => {
  const program = options.program ?? '';
  const name = program.slice(program.lastIndexOf('/') + 1);
  const written = Object.hasOwn(guests, name) ? guests[name as keyof typeof guests] : undefined;
  if (written) return written();
  if (!existsSync(program))
    throw new UserError('image.missing', { what: 'program', path: program, why: 'there is no such file' });
  return launchFixture(program, options.cpus ?? 1);
};
