/** The prebuilt programs of test/fixtures/program with what binutils and GDB recorded of them. */

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import {
  type DebugInfo,
  type ElfFile,
  type EvaluationPort,
  loadSegments,
  openDebugInfo,
  readElf,
} from '../../../src/program/index';

export const FIXTURES = ['v5-O0', 'v4-O0', 'v5-O2', 'v4-O2', 'v5-O2-packed'] as const;
export type FixtureName = (typeof FIXTURES)[number];

const folder = new URL('../../fixtures/program/', import.meta.url);

export const fixtureBytes = (file: string): Uint8Array =>
  new Uint8Array(readFileSync(fileURLToPath(new URL(file, folder))));
export const fixtureText = (file: string): string => readFileSync(fileURLToPath(new URL(file, folder)), 'utf8');
export const fixtureElf = (name: string): ElfFile => readElf(fixtureBytes(`${name}.elf`), `${name}.elf`);
export const fixtureDebug = (name: string, loadOffset = 0n): DebugInfo =>
  openDebugInfo(fixtureElf(name), { loadOffset });

export interface Recorded {
  readonly type: string;
  readonly leaves: Readonly<Record<string, string>>;
}

export interface RecordedFrame {
  readonly function: string;
  readonly pc: string;
  readonly inlined: boolean;
  readonly file: string | null;
  readonly line: number;
  readonly registers: Readonly<Record<string, string>>;
  readonly locals: Readonly<Record<string, Recorded>>;
}

export interface RecordedStop {
  readonly at: string;
  readonly memory: Readonly<Record<string, string>>;
  readonly frames: readonly RecordedFrame[];
  readonly expressions: Readonly<Record<string, Recorded>>;
}

/** What GDB said of a fixture. */
export interface Recording {
  readonly functions: Readonly<Record<string, readonly string[]>>;
  readonly lines: Readonly<Record<string, readonly string[]>>;
  readonly types: Readonly<Record<string, string>>;
  readonly stops: readonly RecordedStop[];
}

export const recording = (name: string): Recording => JSON.parse(fixtureText(`${name}.gdb.txt`)) as Recording;

/** Memory as bytes by address: what a stop recorded, above what the ELF loads. Everything recorded as zero reads as zero. */
export class StoppedMemory {
  private readonly bytes = new Map<number, number>();
  private readonly written = new Map<number, number>();

  constructor(
    elf: ElfFile,
    stop: RecordedStop,
    private readonly low = 0x40200000,
    private readonly high = 0x40203000,
  ) {
    const segments = loadSegments(elf).filter((segment) => !segment.flags.write);
    for (const segment of segments) {
      for (const [i, byte] of segment.data.entries()) this.bytes.set(segment.address + i, byte);
    }
    for (const [address, hex] of Object.entries(stop.memory)) {
      for (let i = 0; i < hex.length; i += 2)
        this.bytes.set(Number(address) + i / 2, Number.parseInt(hex.slice(i, i + 2), 16));
    }
  }

  read(address: bigint, size: number): Uint8Array | undefined {
    const start = Number(address);
    // Flash at 0 reads as zeroes on the recorded machine.
    if (start + size <= 0x1000) return new Uint8Array(size);
    if (start < this.low || start + size > this.high) return undefined;
    return Uint8Array.from({ length: size }, (_, i) => this.written.get(start + i) ?? this.bytes.get(start + i) ?? 0);
  }

  write(address: bigint, bytes: Uint8Array): boolean {
    const start = Number(address);
    if (start < this.low || start + bytes.length > this.high) return false;
    for (const [i, byte] of bytes.entries()) this.written.set(start + i, byte);
    return true;
  }
}

/** A port over registers by DWARF number, without a frame. */
export const registerPort = (registers: ReadonlyMap<number, bigint>, memory?: StoppedMemory): EvaluationPort => ({
  register: (n) => registers.get(n),
  memory: (address, size) => memory?.read(address, size),
  cfa: () => undefined,
  frameBase: () => undefined,
});

export const registersOf = (frame: RecordedFrame): Map<number, bigint> =>
  new Map(Object.entries(frame.registers).map(([n, value]) => [Number(n), BigInt(value)]));
