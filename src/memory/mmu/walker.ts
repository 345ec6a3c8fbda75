/**
 * The stage 1 table walk of VMSAv8-64, 48-bit addresses: AArch64.S1Walk. Where stage 2 is on, tables stand at intermediate
 * addresses and each descriptor's goes through it. The access flag is set by hardware where TCR_ELx.HA asks for it, the dirty
 * state by `setDirty`. The Contiguous bit is no more than a hint, and not taken.
 */
import { granules } from '../../arch/descriptors';
import type { MutableFault } from '../faults';
import type { AbortFault, TranslationContext, TranslationRange } from '../types';
import { Attr, mairType } from './attributes';
import { DescriptorAccess, type DescriptorPort, Leaf, type WalkTrace } from './descriptorAccess';
import type { Stage2 } from './stage2';

const MIN_VA_BITS = 25;
const MAX_VA_BITS = 48;
const TWO32 = 2 ** 32;
/** Address bits 47:32 in a descriptor's upper word. */
const ADDRESS_HI = 0xffff;

/** Bit L: blocks are allowed at level L. */
export const blockLevels: Readonly<Record<number, number>> = Object.fromEntries(
  granules.map((g) => [g.log2, g.blockLevels.reduce((mask, level) => mask | (1 << level), 0)]),
);

/** TCR_ELx.TxSZ in range (16 … 39): a size out of range makes every access a level 0 translation fault. */
export const sizeInRange = (range: TranslationRange): boolean =>
  range.vaBits >= MIN_VA_BITS && range.vaBits <= MAX_VA_BITS;

/** The level of the first table of a range. */
export const startLevel = (range: TranslationRange): number =>
  4 - Math.ceil((range.vaBits - range.granuleLog2) / (range.granuleLog2 - 3));

/** AP[2] of a leaf, and the NSTable bit of the table limits. */
const READ_ONLY = 1 << 7;
const NS_TABLE = 16;

export class Walker {
  /** The leaf that the last successful walk found: its output is an intermediate address where stage 2 is on. */
  pa = 0;
  pageLog2 = 12;
  attr = 0;
  nG = false;
  /** Address of the leaf descriptor before stage 2, and how it is read. */
  private leafAt = 0;
  /** The descriptor that was read last: after a success, the leaf. */
  readonly descriptor: DescriptorAccess;

  constructor(
    port: DescriptorPort,
    readonly fault: MutableFault,
    private readonly stage2: Stage2,
    private readonly step: (core: number) => void,
    /** Told of each descriptor. */
    public trace?: WalkTrace,
  ) {
    this.descriptor = new DescriptorAccess(port);
  }

  /** Walks for an address that lies in `range`, whose walks are not disabled. True: the leaf is filled; false: `fault` is. */
  walk(core: number, context: TranslationContext, range: TranslationRange, vaHi: number, vaLo: number): boolean {
    const g = range.granuleLog2;
    const stride = g - 3;
    const level0 = startLevel(range);
    const input = ((vaHi & 0xffff) * TWO32 + (vaLo >>> 0)) % 2 ** range.vaBits;
    const outputLimit = 2 ** context.ipsBits;
    let shift = g + (3 - level0) * stride;
    const firstBytes = 8 * 2 ** (range.vaBits - shift);
    let base = range.base - (range.base % firstBytes);
    if (base >= outputLimit) return this.fail('addressSize', 0);
    let limits = 0; // bits 63:59 of all table descriptors so far, ORed: NS, AP[1], AP[0], UXN, PXN
    for (let level = level0; ; level++, shift -= stride) {
      const at = base + 8 * (Math.floor(input / 2 ** shift) % 2 ** stride);
      if (!this.read(core, context, range, at, level)) return false;
      const { hi, lo } = this.descriptor;
      const type = lo & 3;
      if ((type & 1) === 0 || (level === 3 && type === 1)) return this.fail('translation', level);
      const address = (hi & ADDRESS_HI) * TWO32 + lo;
      if (level === 3 || type === 1) {
        if (level < 3 && ((blockLevels[g] >>> level) & 1) === 0) return this.fail('translation', level);
        this.pa = address - (address % 2 ** shift);
        this.pageLog2 = shift;
        if (this.pa >= outputLimit) return this.fail('addressSize', level);
        return this.leaf(core, context, level, range.flatPermissions ? limits & NS_TABLE : limits);
      }
      base = address - (address % 2 ** g);
      if (base >= outputLimit) return this.fail('addressSize', level);
      limits |= hi >>> 27;
    }
  }

  private read(core: number, context: TranslationContext, range: TranslationRange, at: number, level: number): boolean {
    let pa = at;
    let cacheable = range.walkCacheable;
    this.leafAt = at;
    if (context.stage2) {
      const { stage2 } = this;
      if (!stage2.ofTable(core, context, at, cacheable, false)) return false;
      pa = stage2.pa;
      cacheable = stage2.cacheable;
    }
    this.step(core);
    if (!this.descriptor.read(core, pa, cacheable, context.bigEndianWalks)) return this.fail('externalWalk', level);
    this.trace?.(1, level, pa, this.descriptor.hi, this.descriptor.lo);
    return true;
  }

  /** A block or page descriptor. `limits` holds bits 63:59 of all tables above it that count, ORed. */
  private leaf(core: number, context: TranslationContext, level: number, limits: number): boolean {
    const { hi, lo } = this.descriptor;
    if ((lo & Leaf.Af) === 0) {
      if (!context.hardwareFlag) return this.fail('accessFlag', level);
      if (!this.update(core, context, lo | Leaf.Af, level)) return false;
    }
    const single = !context.twoRanges;
    const index = (lo >>> 2) & 7;
    const mair = ((index < 4 ? context.mairLo : context.mairHi) >>> ((index & 3) * 8)) & 0xff;
    let attr = mair << Attr.MairShift;
    attr |= mairType(mair) << Attr.TypeShift;
    attr |= ((lo >>> 8) & 3) << Attr.ShShift;
    attr |= level << Attr.LevelShift;
    // APTable[1] (bit 62) takes writing away, APTable[0] (bit 61) EL0's access; XNTable is bit 60, PXNTable bit 59.
    if (lo & READ_ONLY || limits & 8) attr |= Attr.ReadOnly;
    // What the tables above forbid, the dirty state does not bring back.
    if (hi & Leaf.DbmHi && (limits & 8) === 0) attr |= Attr.Dbm;
    if (lo & (1 << 6) && (single || (limits & 4) === 0)) attr |= Attr.El0;
    if (hi & (1 << 22) || limits & 2) attr |= Attr.Uxn;
    if (!single && (hi & (1 << 21) || limits & 1)) attr |= Attr.Pxn;
    if (hi & (1 << 18)) attr |= Attr.Guarded;
    if (!context.secure || lo & (1 << 5) || limits & NS_TABLE) attr |= Attr.Ns;
    this.attr = attr;
    // In Secure state an entry under a Non-secure table is never global.
    this.nG = !single && ((lo & (1 << 11)) !== 0 || (context.secure && (limits & NS_TABLE) !== 0));
    return true;
  }

  /** The leaf just found is written to for the first time: AP[2] is cleared in the table and in `attr`. */
  setDirty(core: number, context: TranslationContext): boolean {
    this.attr &= ~Attr.ReadOnly;
    return this.update(core, context, this.descriptor.lo & ~READ_ONLY, (this.attr >>> Attr.LevelShift) & 3);
  }

  private update(core: number, context: TranslationContext, lo: number, level: number): boolean {
    if (context.stage2 && !this.stage2.ofTable(core, context, this.leafAt, true, true)) return false;
    return this.descriptor.update(core, this.descriptor.hi, lo) || this.fail('hardwareUpdate', level);
  }

  private fail(kind: AbortFault['kind'], level: number): false {
    this.fault.plain(kind, false);
    this.fault.level = level;
    return false;
  }
}
