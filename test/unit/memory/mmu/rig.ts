/** Page tables in a sparse memory, a context to change, and an Mmu over them. */
import { operationByName } from '../../../../src/arch/sysops/index';
import { noStage2 } from '../../../../src/cpu/stage2Controls';
import { Mmu, peekTranslate } from '../../../../src/memory/mmu/index';
import { Access } from '../../../../src/memory/translator';
import type { Stage2Controls, TranslationContext, TranslationRange } from '../../../../src/memory/types';

export const range = (more: Partial<TranslationRange> = {}): TranslationRange => ({
  enabled: true,
  disabledWalks: false,
  base: 0x10_0000,
  vaBits: 48,
  granuleLog2: 12,
  tbi: false,
  tbid: false,
  walkCacheable: true,
  flatPermissions: false,
  closedToEl0: false,
  ...more,
});

/** MAIR: 0 nGnRnE, 1 nGnRE, 2 nGRE, 3 GRE, 4 NC, 5 WT, 6 WB, 7 inner WB with outer NC. */
export const MAIR_LO = 0x0c080400;
export const MAIR_HI = 0x4fffbb44;

/** Stage 2 of 40-bit addresses, 4 KB granule, tables from level 1 on. */
export const stage2 = (more: Partial<Stage2Controls> = {}): Stage2Controls => ({
  ...noStage2(),
  valid: true,
  base: 0x80_0000,
  ipaBits: 40,
  startLevel: 1,
  psBits: 48,
  walkCacheable: true,
  ...more,
});

export const context = (more: Partial<TranslationContext> = {}): TranslationContext => ({
  regime: 'EL1&0',
  twoRanges: more.regime === undefined || more.regime.endsWith('0'),
  el: 1,
  secure: false,
  mmu: true,
  dataCacheable: true,
  fetchCacheable: true,
  alignmentCheck: false,
  nAA: false,
  wxn: false,
  bigEndianWalks: false,
  pan: false,
  userAccess: more.el === undefined || more.el === 1,
  asid: 1,
  vmid: 0,
  ranges: [range(), range({ base: 0x20_0000 })],
  ipsBits: 48,
  mairLo: MAIR_LO,
  mairHi: MAIR_HI,
  hcrDC: false,
  hardwareFlag: false,
  hardwareDirty: false,
  stage2: more.s2 !== undefined,
  s2: stage2(),
  ...more,
});

export interface Drop {
  readonly core: number;
  readonly va: bigint;
  readonly pageLog2: number;
}

const va64 = (hi: number, lo: number): bigint => (BigInt(hi >>> 0) << 32n) | BigInt(lo >>> 0);

export class MmuRig {
  readonly memory = new Map<number, bigint>();
  readonly reads: number[] = [];
  /** Descriptors that hardware updated. */
  readonly writes: number[] = [];
  readonly drops: Drop[] = [];
  penalty = 0;
  readonly mmu: Mmu;

  constructor(tlb = { sets: 16, ways: 2 }, cores = 1) {
    const rig = this;
    const read = { lo: 0, hi: 0 };
    this.mmu = new Mmu(
      { cores: Array.from({ length: cores }, () => ({ tlb })), cost: { walkStep: 8 } },
      {
        get walkLo() {
          return read.lo;
        },
        get walkHi() {
          return read.hi;
        },
        walkRead(_core: number, pa: number): boolean {
          rig.reads.push(pa);
          const value = rig.memory.get(pa);
          if (value === undefined) return false;
          read.lo = Number(value & 0xffffffffn);
          read.hi = Number(value >> 32n);
          return true;
        },
        walkWrite(_core: number, pa: number, _cacheable: boolean, hi: number, lo: number): boolean {
          rig.writes.push(pa);
          if (!rig.memory.has(pa)) return false;
          rig.memory.set(pa, va64(hi, lo));
          return true;
        },
        dropTranslations: (core, hi, lo, pageLog2) => void rig.drops.push({ core, va: va64(hi, lo), pageLog2 }),
        penalty: (_core, cycles) => void (rig.penalty += cycles),
      },
    );
  }

  /** Writes one descriptor. */
  put(pa: number, value: bigint): this {
    this.memory.set(pa, value);
    return this;
  }

  /** Writes tables for a leaf at `level` of a range; returns the descriptor's address. Tables stand 64 KiB apart. */
  map(r: TranslationRange, va: bigint, level: number, leaf: bigint, tableBits = 0n): number {
    const stride = r.granuleLog2 - 3;
    const first = 4 - Math.ceil((r.vaBits - r.granuleLog2) / stride);
    let table = r.base;
    for (let at = first; ; at++) {
      const shift = BigInt(r.granuleLog2 + (3 - at) * stride);
      const bits = at === first ? BigInt(r.vaBits) - shift : BigInt(stride);
      const index = Number((va >> shift) & ((1n << bits) - 1n));
      const pa = table + index * 8;
      if (at === level) {
        this.put(pa, leaf);
        return pa;
      }
      const old = this.memory.get(pa);
      if (old !== undefined) table = Number(old & 0xffff_ffff_0000n);
      else {
        table = r.base + 0x1_0000 * (1 + this.memory.size * 2);
        this.put(pa, BigInt(table) | 3n | tableBits);
      }
    }
  }

  /** 'ok PA' or 'fault kind level'. */
  translate(
    ctx: TranslationContext,
    va: bigint,
    access: Access = Access.Read,
    options: { unprivileged?: boolean; core?: number } = {},
  ): string {
    const hi = Number((va >> 32n) & 0xffffffffn);
    const lo = Number(va & 0xffffffffn);
    if (this.mmu.translate(options.core ?? 0, ctx, hi, lo, access, options.unprivileged ?? false))
      return `ok 0x${this.mmu.result.pa.toString(16)}`;
    return `${this.mmu.fault.kind} ${this.mmu.fault.level}`;
  }

  peek(ctx: TranslationContext, va: bigint, access: Access = Access.Read) {
    return peekTranslate(ctx, va, access, (pa) => this.memory.get(pa));
  }

  tlbi(name: string, value: bigint, ctx: TranslationContext, core = 0): void {
    const row = operationByName(`TLBI ${name}`)!;
    this.mmu.tlbi(core, row, Number((value >> 32n) & 0xffffffffn), Number(value & 0xffffffffn), ctx);
  }

  at(name: string, va: bigint, ctx: TranslationContext, el = 2): bigint | 'abort' {
    const row = operationByName(`AT ${name}`)!;
    if (!this.mmu.at(0, row, Number((va >> 32n) & 0xffffffffn), Number(va & 0xffffffffn), ctx, el)) return 'abort';
    return va64(this.mmu.parHi, this.mmu.parLo);
  }
}

/** Leaf descriptors: AF set, attribute index 6 (WB), Inner Shareable, EL1 read-write. */
export const AF = 1n << 10n;
export const NG = 1n << 11n;
export const ISH = 3n << 8n;
export const WB = 6n << 2n;
export const USER = 1n << 6n;
export const RO = 1n << 7n;
export const UXN = 1n << 54n;
export const PXN = 1n << 53n;
export const page = (pa: bigint, more = 0n): bigint => pa | 3n | AF | ISH | WB | more;
export const block = (pa: bigint, more = 0n): bigint => pa | 1n | AF | ISH | WB | more;
