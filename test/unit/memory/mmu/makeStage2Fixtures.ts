/**
 * Makes the recorded results of both stages in test/fixtures/mmu: random tables and controls of EL1, stage 2 and EL2, with and
 * without HCR_EL2.{E2H,TGE}, run by QEMU's system emulator. `npx tsx test/unit/memory/mmu/makeStage2Fixtures.ts` writes them
 * anew; it needs qemu-system-aarch64 and the cross assembler. The tests read the recorded files only; with arguments RECORDS,
 * SEED and FOLDER it makes others, which STAGE2_FIXTURES=FOLDER tells the tests to read.
 *
 * Left out, as CONSTRAINED UNPREDICTABLE or not modelled: reserved MAIR, MemAttr, SH and TGx encodings, 52-bit addresses, small
 * translation tables. Left out because QEMU 7.2 differs from the manual: HCR_EL2.PTW without stage 2 (it applies), TGE without
 * E2H (stage 1 stays on for AT), VTCR_EL2.PS below the IPA size (a translation fault, which the manual has for the implemented
 * size only).
 */
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { SeededRandom } from '../../../../src/base/random';
import { qemuLines, qemuVersion } from '../../qemuProgram';

export const registerNames = [
  'HCR_EL2',
  'SCTLR_EL1',
  'TCR_EL1',
  'MAIR_EL1',
  'TTBR0_EL1',
  'TTBR1_EL1',
  'VTCR_EL2',
  'VTTBR_EL2',
  'SCTLR_EL2',
  'TCR_EL2',
  'MAIR_EL2',
  'TTBR0_EL2',
  'TTBR1_EL2',
] as const;
const ats = ['S1E1R', 'S1E1W', 'S1E0R', 'S1E0W', 'S12E1R', 'S12E1W', 'S12E0R', 'S12E0W', 'S1E2R', 'S1E2W'] as const;
export const operationsOf = (pan2: boolean): readonly string[] => (pan2 ? [...ats, 'S1E1RP', 'S1E1WP'] : ats);

export interface Stage2Record {
  /** In the order of registerNames. */
  readonly registers: readonly string[];
  readonly va: string;
  readonly pan: boolean;
  /** Descriptor addresses and values. */
  readonly memory: readonly (readonly [string, string])[];
  /** PAR_EL1 after each operation. */
  readonly par: readonly string[];
  /** The descriptors afterwards. */
  readonly after: readonly string[];
}
export interface Stage2Fixture {
  readonly made: string;
  readonly core: 'cortex-a57' | 'neoverse-n1' | 'max';
  readonly pan2: boolean;
  readonly records: readonly Stage2Record[];
}

const [, , count = '300', seedFrom = '20', folder = path.join(import.meta.dirname, '../../../fixtures/mmu')] =
  process.argv;
const RECORDS = Number(count);
const TABLES = 0x4800_0000n;
const TABLE_SLOTS = 512; // of 64 KiB
const MASK48 = (1n << 48n) - 1n;

interface Core {
  readonly core: Stage2Fixture['core'];
  readonly granules: readonly number[];
  readonly paBits: number;
  readonly vhe: boolean;
  /** FEAT_HAFDBS, HPDS, XNX, PAN2, VMID16. */
  readonly v82: boolean;
  readonly fwb: boolean;
  readonly e0pd: boolean;
  readonly seed: number;
}
const cores: readonly Core[] = [
  { core: 'cortex-a57', granules: [12, 16], paBits: 44, vhe: false, v82: false, fwb: false, e0pd: false, seed: 1 },
  { core: 'neoverse-n1', granules: [12, 14, 16], paBits: 48, vhe: true, v82: true, fwb: false, e0pd: false, seed: 2 },
  { core: 'max', granules: [12, 14, 16], paBits: 48, vhe: true, v82: true, fwb: true, e0pd: true, seed: 3 },
];

type Unfinished = Omit<Stage2Record, 'par' | 'after'>;
interface Range {
  readonly size: number;
  readonly granule: number;
  readonly epd: boolean;
  readonly tbi: boolean;
  readonly hpd: boolean;
  readonly e0pd: boolean;
}
interface Stage2 {
  readonly size: number;
  readonly granule: number;
  readonly start: number;
  readonly base: bigint;
  readonly on: boolean;
}

const hex = (v: bigint): string => `0x${BigInt.asUintN(64, v).toString(16)}`;

class Generator {
  private readonly random = new SeededRandom(new Uint32Array(1));
  private memory = new Map<number, bigint>();

  constructor(private readonly core: Core) {
    this.random.seed(Number(seedFrom) + core.seed);
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
  private flag(percent: number, bit: number): bigint {
    return this.chance(percent) ? 1n << BigInt(bit) : 0n;
  }

  private range(): Range {
    const { core } = this;
    const size = this.chance(4) ? this.pick([0, 8]) : 16 + this.below(24);
    const granule = this.pick(core.granules);
    const hpd = core.v82 && this.chance(25);
    const e0pd = core.e0pd && this.chance(10);
    return { size, granule, epd: this.chance(3), tbi: this.chance(30), hpd, e0pd };
  }
  private table(): bigint {
    return TABLES + BigInt(this.below(TABLE_SLOTS)) * 0x1_0000n;
  }
  private isTable(pa: bigint): boolean {
    return pa >= TABLES && pa < TABLES + BigInt(TABLE_SLOTS) * 0x1_0000n;
  }

  // ---- stage 2 ----

  private stage2(on: boolean): Stage2 {
    const granule = this.pick(this.core.granules);
    const size = this.chance(4) ? this.pick([8, 15, 17, 63]) : 64 - (this.core.paBits - this.below(20));
    const stride = granule - 3;
    // A first level that fits, as a rule.
    const levels = [0, 1, 2, 3].filter((level) => {
      const bits = 64 - size - (granule + (3 - level) * stride);
      return bits >= 1 && bits <= stride + 4 && !(level === 0 && granule !== 12) && !(level === 3 && granule === 12);
    });
    const start = levels.length === 0 || this.chance(3) ? this.below(4) : this.pick(levels);
    return { size, granule, start, base: this.table() & ~0xf_ffffn, on };
  }

  /** A stage 2 descriptor. `mild`: of a stage 1 table, which should mostly work. */
  private descriptor2(level: number, s2: Stage2, mild: boolean): bigint {
    const mayBlock = level === 2 || (level === 1 && s2.granule === 12);
    const kind = this.chance(2) ? 0n : mayBlock && this.chance(mild ? 40 : 20) ? 1n : 3n;
    if (kind === 3n && level < 3) return this.table() | (this.chance(2) ? 1n << 46n : 0n) | 3n;
    if (kind === 0n) return this.word() & ~1n;
    const normal = this.pick([5n, 10n, 15n, 15n, 7n, 13n, 14n, 11n, 6n, 9n]);
    const plain = this.chance(mild ? 8 : 30) ? BigInt(this.below(4)) : normal;
    const forced = this.pick([0n, 1n, 2n, 3n, 5n, 6n, 6n, 7n, 7n]);
    const memAttr = (this.forced ? (mild && this.chance(70) ? this.pick([6n, 7n]) : forced) : plain) << 2n;
    const ap = (this.chance(mild ? 90 : 60) ? 3n : BigInt(this.below(4))) << 6n;
    const af = this.chance(93) ? 1n << 10n : 0n;
    const sh = this.pick([0n, 2n, 3n]) << 8n;
    const upper = this.word() & 0x0060_0000_0000_0000n;
    const dbm = this.core.v82 ? this.flag(25, 51) : 0n;
    const address = mild ? this.table() + BigInt(this.below(16)) * 0x1000n : this.word() & MASK48 & ~0xfffn;
    const near = this.chance(70) ? address & 0xffff_f000n : address;
    return upper | dbm | (mild ? address : near) | memAttr | ap | af | sh | kind;
  }

  /** Makes what is missing of the stage 2 walk of an IPA; its physical address, or undefined where it faults or leaves RAM. */
  private map2(s2: Stage2, ipa: bigint, mild: boolean): bigint | undefined {
    if (!s2.on) return ipa;
    const ipaBits = BigInt(64 - s2.size);
    if (ipa >> ipaBits !== 0n) return undefined;
    const stride = s2.granule - 3;
    let table = s2.base;
    for (let level = s2.start; level <= 3; level++) {
      const shift = BigInt(s2.granule + (3 - level) * stride);
      const bits = level === s2.start ? ipaBits - shift : BigInt(stride);
      if (bits < 1n || bits > 20n) return undefined;
      const at = Number(table + ((ipa >> shift) & ((1n << bits) - 1n)) * 8n);
      if (!this.isTable(BigInt(at))) return undefined;
      const value = this.memory.get(at) ?? this.descriptor2(level, s2, mild);
      this.memory.set(at, value);
      if ((value & 1n) === 0n || (level === 3 && (value & 2n) === 0n)) return undefined;
      if (level === 3 || (value & 2n) === 0n)
        return (((value & MASK48) >> shift) << shift) | (ipa & ((1n << shift) - 1n));
      table = value & MASK48 & ~((1n << BigInt(s2.granule)) - 1n);
    }
    return undefined;
  }

  // ---- stage 1 ----

  /** Where stage 1 tables stand: in the IPA space where stage 2 is on. */
  private table1(s2: Stage2): bigint {
    if (!s2.on) return this.table();
    const bits = Math.min(64 - s2.size, 48);
    return (this.word() & ((1n << BigInt(Math.max(bits, 26))) - 1n) & ~0xffffn) | (this.chance(2) ? 1n << 47n : 0n);
  }

  private descriptor1(level: number, granule: number, s2: Stage2): bigint {
    const mayBlock = level === 2 || (level === 1 && granule === 12);
    const kind = this.chance(3) ? 0n : mayBlock && this.chance(30) ? 1n : 3n;
    if (kind === 0n) return this.word() & ~1n;
    if (kind === 3n && level < 3) {
      const limits = this.chance(30) ? this.word() & 0x7800_0000_0000_0000n : 0n;
      return (this.table1(s2) & MASK48) | 3n | limits;
    }
    const af = this.chance(94) ? 1n << 10n : 0n;
    const sh = this.pick([0n, 2n, 3n]) << 8n;
    const bits = (this.word() & 0x8dcn) | af | sh;
    const out = s2.on ? this.word() & ((1n << BigInt(64 - s2.size)) - 1n) : this.word() & MASK48;
    const address = (this.chance(60) ? out & 0xffff_ffffn : out) & MASK48 & ~0xfffn;
    const dbm = this.core.v82 ? this.flag(25, 51) : 0n;
    return (this.word() & 0x0060_0000_0000_0000n) | dbm | address | bits | kind;
  }

  private walk1(base: bigint, r: Range, va: bigint, s2: Stage2): void {
    const vaBits = 64 - r.size;
    if (vaBits < 25 || vaBits > 48) return;
    const stride = r.granule - 3;
    const first = 4 - Math.ceil((vaBits - r.granule) / stride);
    let table = base;
    for (let level = first; level <= 3; level++) {
      const shift = BigInt(r.granule + (3 - level) * stride);
      const bits = level === first ? BigInt(vaBits) - shift : BigInt(stride);
      const ipa = table + ((va >> shift) & ((1n << bits) - 1n)) * 8n;
      const at = this.map2(s2, ipa, true);
      if (at === undefined || !this.isTable(at)) return;
      const value = this.memory.get(Number(at)) ?? this.descriptor1(level, r.granule, s2);
      this.memory.set(Number(at), value);
      if ((value & 1n) === 0n) return;
      if (level === 3 || (value & 2n) === 0n) {
        this.map2(s2, (((value & MASK48) >> shift) << shift) | (va & ((1n << shift) - 1n)), false);
        return;
      }
      table = value & MASK48 & ~((1n << BigInt(r.granule)) - 1n);
    }
  }

  private address(r: Range, upper: boolean): bigint {
    const vaBits = BigInt(Math.min(Math.max(64 - r.size, 1), 63));
    const low = this.word() & ((1n << vaBits) - 1n);
    let va = upper ? low | (((1n << 64n) - 1n) & ~((1n << vaBits) - 1n)) : low;
    if (this.chance(4)) va ^= 1n << BigInt(25 + this.below(31));
    if (r.tbi && this.chance(50)) va = (va & 0x00ff_ffff_ffff_ffffn) | (this.word() & 0xff00_0000_0000_0000n);
    return va;
  }

  // ---- registers ----

  private mair(): bigint {
    let value = 0n;
    const normal = [0x44n, 0xffn, 0xbbn, 0xeen, 0xddn, 0x4fn, 0xf4n, 0xaan, 0x77n, 0x33n, 0xffn, 0xffn];
    for (let i = 0n; i < 8n; i++)
      value |= (this.chance(25) ? this.pick([0n, 4n, 8n, 12n]) : this.pick(normal)) << (8n * i);
    return value;
  }
  private ips(): bigint {
    return this.chance(70) ? 5n : BigInt(this.below(6));
  }
  private sctlr(el: number, on: boolean): bigint {
    const res1 = el === 1 ? 0x30d0_0980n : 0x30c5_0830n;
    return res1 | (on ? 1n : 0n) | 0x1004n | this.flag(25, 19);
  }
  /** TCR of a regime with two ranges. */
  private tcrLow(r0: Range, r1: Range): bigint {
    const tg0 = BigInt([0, 2, 1][[12, 14, 16].indexOf(r0.granule)]);
    const tg1 = BigInt([2, 1, 3][[12, 14, 16].indexOf(r1.granule)]);
    const bit = (on: boolean, n: bigint): bigint => (on ? 1n << n : 0n);
    const low = BigInt(r0.size) | bit(r0.epd, 7n) | (5n << 8n) | (3n << 12n) | (tg0 << 14n);
    const high = (BigInt(r1.size) << 16n) | bit(r1.epd, 23n) | (5n << 24n) | (3n << 28n) | (tg1 << 30n);
    const more = bit(r0.tbi, 37n) | bit(r1.tbi, 38n) | bit(r0.hpd, 41n) | bit(r1.hpd, 42n);
    const hardware = this.core.v82 ? this.flag(40, 39) | this.flag(40, 40) : 0n;
    return low | high | more | hardware | (this.ips() << 32n) | bit(r0.e0pd, 55n) | bit(r1.e0pd, 56n);
  }
  private tcrHigh(r: Range): bigint {
    const tg0 = BigInt([0, 2, 1][[12, 14, 16].indexOf(r.granule)]);
    const hardware = this.core.v82 ? this.flag(40, 21) | this.flag(40, 22) : 0n;
    const flags = (r.tbi ? 1n << 20n : 0n) | (r.hpd ? 1n << 24n : 0n) | hardware;
    return BigInt(r.size) | (5n << 8n) | (3n << 12n) | (tg0 << 14n) | (this.ips() << 16n) | flags | 0x8080_0000n;
  }
  private vtcr(s2: Stage2): bigint {
    const tg0 = BigInt([0, 2, 1][[12, 14, 16].indexOf(s2.granule)]);
    const ps = s2.size >= 20 && this.chance(25) ? 4n : 5n;
    const sl0 = BigInt((s2.granule === 12 ? 2 - s2.start : 3 - s2.start) & 3);
    const hardware = this.core.v82 ? this.flag(40, 21) | this.flag(40, 22) | this.flag(50, 19) : 0n;
    return (
      BigInt(s2.size) | (sl0 << 6n) | (5n << 8n) | (3n << 12n) | (tg0 << 14n) | (ps << 16n) | hardware | (1n << 31n)
    );
  }

  /** HCR_EL2.FWB of the record. */
  private forced = false;

  record(): Unfinished {
    const { core } = this;
    this.memory = new Map();
    const host = core.vhe ? this.pick([0, 0, 0, 1, 3, 3]) : 0; // bit 0: E2H, bit 1: TGE
    const dc = this.chance(8);
    const vm = this.chance(90);
    this.forced = core.fwb && this.chance(50);
    const hcr =
      (1n << 31n) |
      (vm ? 1n : 0n) |
      (dc ? 1n << 12n : 0n) |
      (vm || dc ? this.flag(30, 2) : 0n) |
      this.flag(12, 32) |
      (this.forced ? 1n << 46n : 0n) |
      (host & 1 ? 1n << 34n : 0n) |
      (host & 2 ? 1n << 27n : 0n);
    const s2 = this.stage2(vm || dc);
    const ranges = [this.range(), this.range()] as const;
    const ranges2 = [this.range(), this.range()] as const;
    const bases = [this.table1(s2), this.table1(s2), this.table(), this.table()];
    const on = this.chance(92);
    const on2 = this.chance(95);
    const upper = this.chance(45);
    // The address is one of EL2's regime where that is a host's.
    const forHost = host === 3;
    const va = this.address((forHost ? ranges2 : ranges)[upper ? 1 : 0], upper);
    const selected = (va >> 55n) & 1n ? 1 : 0;
    const none: Stage2 = { ...s2, on: false };
    if (on && !dc) this.walk1(bases[selected], ranges[selected], va, s2);
    else this.map2(s2, va & MASK48, false);
    const side = host & 1 ? selected : 0;
    if (on2) this.walk1(bases[2 + side], ranges2[side], va, none);
    const registers = [
      hcr,
      this.sctlr(1, on),
      this.tcrLow(ranges[0], ranges[1]),
      this.mair(),
      bases[0] | (this.word() & 0x00ff_0000_0000_0000n),
      bases[1],
      this.vtcr(s2),
      s2.base | (this.word() & 0x00ff_0000_0000_0000n),
      this.sctlr(2, on2),
      host & 1 ? this.tcrLow(ranges2[0], ranges2[1]) : this.tcrHigh(ranges2[0]),
      this.mair(),
      bases[2],
      bases[3],
    ];
    return {
      registers: registers.map(hex),
      va: hex(va),
      pan: core.v82 && this.chance(30),
      memory: [...this.memory].map(([at, value]) => [hex(BigInt(at)), hex(value)] as const),
    };
  }
}

function main(): void {
  for (const core of cores) {
    const generator = new Generator(core);
    const records = Array.from({ length: RECORDS }, () => generator.record());
    const words = records.flatMap((r) => [
      ...r.registers.map(BigInt),
      ...[BigInt(r.va), r.pan ? 1n : 0n, BigInt(r.memory.length)],
      ...r.memory.flat().map(BigInt),
    ]);
    const symbols = { VHE: core.vhe ? 1 : 0, PAN2: core.v82 ? 1 : 0 };
    const machine = 'virt,secure=on,virtualization=on';
    const lines = qemuLines({
      source: path.join(import.meta.dirname, 'stage2Program.s'),
      machine,
      core: core.core,
      words,
      symbols,
    });
    const operations = operationsOf(core.v82).length;
    let at = 0;
    const take = (n: number): string[] => lines.slice(at, (at += n)).map((line) => `0x${line.replace(/^0+(?=.)/, '')}`);
    const done = records.map((r): Stage2Record => ({ ...r, par: take(operations), after: take(r.memory.length) }));
    if (at !== lines.length) throw new Error(`${lines.length} results for ${at} lines`);
    const made = `${qemuVersion()}; makeStage2Fixtures.ts, seed ${Number(seedFrom) + core.seed}`;
    const fixture: Stage2Fixture = { made, core: core.core, pan2: core.v82, records: done };
    const text = JSON.stringify(fixture).replace(/\{"registers"/g, '\n{"registers"');
    writeFileSync(path.join(folder, `stage2-${core.core}.json`), `${text}\n`);
  }
}

if (process.argv[1]?.endsWith('makeStage2Fixtures.ts')) main();
