/**
 * Makes test/fixtures/mmu/aborts.json: what EL2 is told of loads, stores and maintenance that stage 2 stops, by QEMU's
 * Neoverse-N1. `npx tsx test/unit/memory/mmu/makeAbortFixture.ts` writes it anew; it needs qemu-system-aarch64 and the cross
 * assembler. The test runs the recorded program on the emulated machine.
 */
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { qemuImage, qemuVersion } from '../../qemuProgram';

export interface AbortFixture {
  readonly made: string;
  /** Mode and word of each record; see abortProgram.s. */
  readonly records: readonly (readonly [number, string])[];
  /** The program with its records, an ELF file in base64. */
  readonly elf: string;
  /** ESR_EL2, FAR_EL2, HPFAR_EL2 of each record. */
  readonly lines: readonly string[];
}

const Rn = 1 << 5;
/** Rt cycles through all registers. */
let next = 0;
const rt = (): number => next++ % 32;
const both = [0, 1] as const;
const four = [0, 1, 2, 3] as const;

/** Loads and stores of every form, by size and opc, of general and vector registers. */
function words(): number[] {
  const list: number[] = [];
  for (const size of four) {
    for (const opc of four) {
      for (const V of both) {
        const base = size * 2 ** 30 + (V << 26) + (opc << 22) + Rn;
        list.push(base + 0x39000400 + rt()); // unsigned offset
        for (const form of four) list.push(base + 0x38010000 + (form << 10) + rt()); // unscaled, post, unprivileged, pre
        list.push(base + 0x38206800 + (2 << 16) + rt(), base + 0x38207800 + (2 << 16) + rt()); // register offset
      }
      list.push(size * 2 ** 30 + 0x19000000 + (opc << 22) + Rn + rt()); // LDAPUR, STLUR
    }
    for (const V of both) list.push(size * 2 ** 30 + 0x187fffe0 + (V << 26) + rt()); // literal
    for (const L of both)
      for (const o0 of both) {
        const base = size * 2 ** 30 + (L << 22) + (o0 << 15) + Rn;
        list.push(base + 0x089f7c00 + rt()); // STLR, LDAR, STLLR, LDLAR
        list.push(base + 0x08007c00 + (L ? 31 << 16 : 3 << 16) + rt()); // exclusives
      }
    for (const form of [0, 1, 2, 3])
      list.push(size * 2 ** 30 + 0x28000800 + (form << 23) + (1 << 22) + Rn + (4 << 10) + 3);
    list.push(size * 2 ** 30 + 0x38bfc000 + Rn + rt()); // LDAPR
    list.push(size * 2 ** 30 + 0x38200000 + (5 << 16) + Rn + rt()); // LDADD
  }
  return list.map((word) => word >>> 0);
}

/** DC CIVAC, CVAC, CVAU, IVAC, ZVA and AT S1E1R, S1E1W, S1E0R of x1. */
const operations = [0xd50b7e21, 0xd50b7a21, 0xd50b7b21, 0xd5087621, 0xd50b7421, 0xd5087801, 0xd5087821, 0xd5087841];

function main(): void {
  const all = words();
  const records = [
    ...[...all, ...operations].map((word) => [0, word] as const),
    ...[...all, ...operations].map((word) => [8, word] as const),
    ...[...all.filter((_, i) => i % 7 === 0), ...operations].flatMap((word) =>
      [1, 2, 3, 4, 9, 11].map((mode) => [mode, word] as const),
    ),
  ];
  const symbols = records.flatMap(([mode, word]) => [BigInt(mode), BigInt(word)]);
  const machine = 'virt,virtualization=on';
  const { elf, lines } = qemuImage({
    source: path.join(import.meta.dirname, 'abortProgram.s'),
    machine,
    core: 'neoverse-n1',
    words: symbols,
  });
  if (lines.length !== records.length * 3) throw new Error(`${lines.length} lines for ${records.length} records`);
  const fixture: AbortFixture = {
    made: `${qemuVersion()}; makeAbortFixture.ts`,
    records: records.map(([mode, word]) => [mode, word.toString(16)] as const),
    elf: Buffer.from(elf).toString('base64'),
    lines,
  };
  const text = JSON.stringify(fixture).replace(/","/g, '",\n"');
  writeFileSync(path.join(import.meta.dirname, '../../../fixtures/mmu/aborts.json'), `${text}\n`);
}

if (process.argv[1]?.endsWith('makeAbortFixture.ts')) main();
