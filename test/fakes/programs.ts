/** Guests for the fake machine: an ELF fixture, or words written by hand. */
import { readFileSync } from 'node:fs';
import type { Launched } from '../../src/machine/launch.types';
import { loadSegments, readElf } from '../../src/program';
import { FakeMachine, RAM_BASE } from './fakeMachine';

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

/** Words from the start of RAM on, run by core 0 from there. `others` are start addresses of further cores. */
export function launchWords(
  words: readonly number[],
  others: readonly bigint[] = [],
): Launched & { machine: FakeMachine } {
  const machine = new FakeMachine(1 + others.length, (m) => {
    m.write(RAM_BASE, new Uint8Array(Uint32Array.from(words).buffer));
    m.cores[0].cpu.pc = RAM_BASE;
    others.forEach((pc, i) => {
      m.cores[i + 1].cpu.pc = pc;
      m.cores[i + 1].state = 'running';
    });
  });
  return { machine, images: [], entry: RAM_BASE };
}
