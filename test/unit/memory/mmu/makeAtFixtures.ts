/**
 * Makes the recorded AT results in test/fixtures/mmu: random tables and translation controls, run by QEMU's system emulator.
 * `npx tsx test/unit/memory/mmu/makeAtFixtures.ts` writes them anew; it needs qemu-system-aarch64 and the cross assembler. The
 * tests read the recorded files only.
 *
 * Left out, as CONSTRAINED UNPREDICTABLE or not modelled: reserved MAIR, SH and TGx encodings, hardware access flag updates,
 * hierarchical permission disables.
 */
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { SeededRandom } from '../../../../src/base/random';
import { qemuLines, qemuVersion } from '../../qemuProgram';

export interface AtRecord {
  readonly regime: 1 | 2;
  readonly sctlr: string;
  readonly tcr: string;
  readonly mair: string;
  readonly ttbr0: string;
  readonly ttbr1: string;
  readonly va: string;
  /** Descriptor addresses and values. */
  readonly memory: readonly (readonly [string, string])[];
  /** PAR_EL1 after AT S1E1R, S1E1W, S1E0R, S1E0W; or S1E2R, S1E2W. */
  readonly par: readonly string[];
}
export interface AtFixture {
  readonly made: string;
  readonly core: string;
  readonly midr: number;
  readonly records: readonly AtRecord[];
}

const RECORDS = 300;
const TABLES = 0x4800_0000;
const TABLE_SLOTS = 1024; // of 64 KiB
const cores = [
  { core: 'neoverse-n1', midr: 0x414fd0c1, granules: [12, 14, 16], seed: 7 },
  { core: 'cortex-a57', midr: 0x411fd070, granules: [12, 16], seed: 8 },
] as const;

type Unfinished = Omit<AtRecord, 'par'>;
const hex = (v: bigint): string => `0x${BigInt.asUintN(64, v).toString(16)}`;

class Generator {
  private readonly random = new SeededRandom(new Uint32Array(1));
  private memory = new Map<number, bigint>();

  constructor(
    seed: number,
    private readonly granules: readonly number[],
  ) {
    this.random.seed(seed);
  }

  private below(n: number): number {
    return this.random.next() % n;
  }
  private chance(percent: number): boolean {
    return this.below(100) < percent;
  }
  private pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)];
  }
  private word(): bigint {
    return (BigInt(this.random.next()) << 32n) | BigInt(this.random.next());
  }

  private range(): { size: number; granule: number; epd: boolean; tbi: boolean } {
    const size = this.chance(6) ? this.pick([0, 8, 15, 40, 48, 63]) : 16 + this.below(24);
    return { size, granule: this.pick(this.granules), epd: this.chance(4), tbi: this.chance(40) };
  }

  private table(): bigint {
    return BigInt(TABLES + this.below(TABLE_SLOTS) * 0x1_0000);
  }

  /** A leaf or table descriptor for a level. No blocks where none are allowed: QEMU 7.2 takes them. */
  private descriptor(level: number, granule: number): bigint {
    const blocks = level === 2 || (level === 1 && granule === 12) ? 30 : level === 3 ? 4 : 0;
    const kind = this.chance(5) ? 0n : this.chance(blocks) ? 1n : 3n;
    if (kind === 3n && level < 3) {
      // Bit 39 would lead into the board's PCI window, which reads as ones.
      const far = this.chance(3) ? 1n << BigInt(this.pick([32, 34, 36, 38, 40, 42, 44, 46, 47])) : 0n;
      const limits = this.chance(40) ? this.word() & 0x7800_0000_0000_0000n : 0n;
      return (this.table() | far | 3n | limits) & ~(1n << 63n);
    }
    const af = this.chance(93) ? 1n << 10n : 0n;
    const sh = this.pick([0n, 2n, 3n]) << 8n;
    const bits = (this.word() & 0x8dcn) | af | sh;
    const address = this.word() & (this.chance(60) ? 0xffff_f000n : 0xffff_ffff_f000n);
    const xn = this.word() & 0x0060_0000_0000_0000n;
    return xn | address | bits | kind;
  }

  /** Writes descriptors along the walk of a VA, as far as it goes. */
  private walk(base: bigint, size: number, granule: number, va: bigint, bigEndian: boolean): void {
    const vaBits = 64 - size;
    if (vaBits < 25 || vaBits > 48) return;
    const stride = granule - 3;
    const first = 4 - Math.ceil((vaBits - granule) / stride);
    let table = base;
    for (let level = first; level <= 3; level++) {
      const shift = granule + (3 - level) * stride;
      const bits = level === first ? vaBits - shift : stride;
      const index = (va >> BigInt(shift)) & ((1n << BigInt(bits)) - 1n);
      const at = Number(table & 0xffff_ffff_ffffn) + Number(index) * 8;
      const value = this.descriptor(level, granule);
      this.memory.set(at, bigEndian ? swap(value) : value);
      if ((value & 3n) !== 3n || level === 3) return;
      table = value & 0xffff_ffff_ffffn & ~((1n << BigInt(granule)) - 1n);
      if (table < BigInt(TABLES) || table >= BigInt(TABLES + TABLE_SLOTS * 0x1_0000)) return;
    }
  }

  private address(range: ReturnType<Generator['range']>, upper: boolean): bigint {
    const vaBits = BigInt(Math.min(Math.max(64 - range.size, 1), 63));
    const low = this.word() & ((1n << vaBits) - 1n);
    let va = upper ? low | (((1n << 64n) - 1n) & ~((1n << vaBits) - 1n)) : low;
    if (this.chance(8)) va ^= 1n << BigInt(25 + this.below(31));
    if (range.tbi && this.chance(50)) va = (va & 0x00ff_ffff_ffff_ffffn) | (this.word() & 0xff00_0000_0000_0000n);
    return va;
  }

  private mair(): bigint {
    let value = 0n;
    const normal = [0x44n, 0xffn, 0xbbn, 0xeen, 0xddn, 0x4fn, 0xf4n, 0xaan, 0x77n, 0x33n];
    for (let i = 0n; i < 8n; i++)
      value |= (this.chance(35) ? this.pick([0n, 4n, 8n, 12n]) : this.pick(normal)) << (8n * i);
    return value;
  }

  record(): Unfinished {
    this.memory = new Map();
    const regime = this.chance(25) ? 2 : 1;
    const ranges = [this.range(), this.range()] as const;
    const upper = regime === 1 && this.chance(50);
    const range = ranges[upper ? 1 : 0];
    const bigEndian = this.chance(10);
    const bases = [this.table(), this.table()] as const;
    const va = this.address(range, upper);
    const selected = regime === 1 && (va >> 55n) & 1n ? 1 : 0;
    this.walk(bases[selected], ranges[selected].size, ranges[selected].granule, va, bigEndian);
    const asid = this.word() & 0xffff_0000_0000_0000n;
    const wxn = this.chance(30) ? 1n << 19n : 0n;
    const ips = BigInt(this.below(6));
    const tg0 = BigInt([0, 2, 1][[12, 14, 16].indexOf(ranges[0].granule)]);
    const tg1 = BigInt([2, 1, 3][[12, 14, 16].indexOf(ranges[1].granule)]);
    const [r0, r1] = ranges;
    const low = BigInt(r0.size) | (1n << 8n) | (1n << 10n) | (3n << 12n) | (tg0 << 14n);
    const high = (BigInt(r1.size) << 16n) | (1n << 24n) | (1n << 26n) | (3n << 28n) | (tg1 << 30n);
    const tcr1 =
      low |
      high |
      (r0.epd ? 1n << 7n : 0n) |
      (r1.epd ? 1n << 23n : 0n) |
      (ips << 32n) |
      (r0.tbi ? 1n << 37n : 0n) |
      (r1.tbi ? 1n << 38n : 0n) |
      (this.chance(50) ? 1n << 36n : 0n);
    const tcr2 = low | (ips << 16n) | (r0.tbi ? 1n << 20n : 0n) | (1n << 31n) | (1n << 23n);
    const ee = bigEndian ? 1n << 25n : 0n;
    const res1 = regime === 1 ? 0x30d0_0980n : 0x30c5_0830n;
    return {
      regime,
      sctlr: hex(res1 | 0x1005n | wxn | ee),
      tcr: hex(regime === 1 ? tcr1 : tcr2),
      mair: hex(this.mair()),
      ttbr0: hex(bases[0] | (regime === 1 ? asid : 0n)),
      ttbr1: hex(bases[1]),
      va: hex(va),
      memory: [...this.memory].map(([at, value]) => [hex(BigInt(at)), hex(value)] as const),
    };
  }
}

function swap(value: bigint): bigint {
  const bytes = value.toString(16).padStart(16, '0').match(/../g)!;
  return BigInt(`0x${bytes.reverse().join('')}`);
}

function run(core: string, records: readonly Unfinished[]): string[] {
  const words = records.flatMap((r) => [
    ...[r.sctlr, r.tcr, r.mair, r.ttbr0, r.ttbr1, r.va, String(r.regime), String(r.memory.length)].map(BigInt),
    ...r.memory.flat().map(BigInt),
  ]);
  const source = path.join(import.meta.dirname, 'atProgram.s');
  return qemuLines({ source, machine: 'virt,secure=on,virtualization=on', core, words });
}

for (const { core, midr, granules, seed } of cores) {
  const generator = new Generator(seed, granules);
  const records = Array.from({ length: RECORDS }, () => generator.record());
  const lines = run(core, records);
  let at = 0;
  const done = records.map((r): AtRecord => {
    const n = r.regime === 1 ? 4 : 2;
    at += n;
    return { ...r, par: lines.slice(at - n, at).map((line) => `0x${line}`) };
  });
  if (at !== lines.length) throw new Error(`${lines.length} results for ${at} operations`);
  const fixture: AtFixture = { made: `${qemuVersion()}; makeAtFixtures.ts, seed ${seed}`, core, midr, records: done };
  const text = JSON.stringify(fixture).replace(/\{"regime"/g, '\n{"regime"');
  writeFileSync(path.join(import.meta.dirname, '../../../fixtures/mmu', `at-${core}.json`), `${text}\n`);
}
