/**
 * The stage 1 table walk of VMSAv8-64, 48-bit addresses: AArch64.S1Walk. 64-bit descriptors are two words, addresses are
 * doubles. Not here: hardware update of the access flag, hierarchical permission disables, the Contiguous bit as more than a
 * hint, concatenated tables.
 */
import { granules } from '../../arch/descriptors';
import type { MutableFault } from '../faults';
import type { AbortFault, TranslationContext, TranslationRange } from '../types';
import { Attr, mairType } from './attributes';

/** Where a walk reads descriptors. */
export interface DescriptorReader {
  walkRead(core: number, pa: number, cacheable: boolean): boolean;
  readonly walkLo: number;
  readonly walkHi: number;
}

/** Told of every descriptor that a walk reads, as read (after the byte order was applied). */
export type WalkTrace = (level: number, pa: number, hi: number, lo: number) => void;

const MIN_VA_BITS = 25;
const MAX_VA_BITS = 48;
const TWO32 = 2 ** 32;
/** Address bits 47:32 in a descriptor's upper word. */
const ADDRESS_HI = 0xffff;

/** Bit L: blocks are allowed at level L. */
const blockLevels: Readonly<Record<number, number>> = Object.fromEntries(
  granules.map((g) => [g.log2, g.blockLevels.reduce((mask, level) => mask | (1 << level), 0)]),
);

const swap = (w: number): number => ((w << 24) | ((w & 0xff00) << 8) | ((w >>> 8) & 0xff00) | (w >>> 24)) >>> 0;

/** TCR_ELx.TxSZ in range (16 … 39): a size out of range makes every access a level 0 translation fault. */
export const sizeInRange = (range: TranslationRange): boolean =>
  range.vaBits >= MIN_VA_BITS && range.vaBits <= MAX_VA_BITS;

/** The level of the first table of a range. */
export const startLevel = (range: TranslationRange): number =>
  4 - Math.ceil((range.vaBits - range.granuleLog2) / (range.granuleLog2 - 3));

export class Walker {
  /** The leaf that the last successful walk found. */
  pa = 0;
  pageLog2 = 12;
  attr = 0;
  nG = false;

  constructor(
    private readonly reader: DescriptorReader,
    readonly fault: MutableFault,
    private readonly step: (core: number) => void,
    private readonly trace?: WalkTrace,
  ) {}

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
      this.step(core);
      if (!this.reader.walkRead(core, at, range.walkCacheable)) return this.fail('externalWalk', level);
      let lo = this.reader.walkLo >>> 0;
      let hi = this.reader.walkHi >>> 0;
      if (context.bigEndianWalks) {
        const low = lo;
        lo = swap(hi);
        hi = swap(low);
      }
      this.trace?.(level, at, hi, lo);
      const type = lo & 3;
      if ((type & 1) === 0 || (level === 3 && type === 1)) return this.fail('translation', level);
      const address = (hi & ADDRESS_HI) * TWO32 + lo;
      if (level === 3 || type === 1) {
        if (level < 3 && ((blockLevels[g] >>> level) & 1) === 0) return this.fail('translation', level);
        return this.leaf(context, level, shift, address - (address % 2 ** shift), hi, lo, limits, outputLimit);
      }
      base = address - (address % 2 ** g);
      if (base >= outputLimit) return this.fail('addressSize', level);
      limits |= hi >>> 27;
    }
  }

  /** A block or page descriptor. `limits` holds bits 63:59 of all tables above it, ORed. */
  private leaf(
    context: TranslationContext,
    level: number,
    shift: number,
    pa: number,
    hi: number,
    lo: number,
    limits: number,
    outputLimit: number,
  ): boolean {
    if (pa >= outputLimit) return this.fail('addressSize', level);
    if ((lo & (1 << 10)) === 0) return this.fail('accessFlag', level);
    const single = context.regime !== 'EL1&0';
    const index = (lo >>> 2) & 7;
    const mair = ((index < 4 ? context.mairLo : context.mairHi) >>> ((index & 3) * 8)) & 0xff;
    let attr = mair << Attr.MairShift;
    attr |= mairType(mair) << Attr.TypeShift;
    attr |= ((lo >>> 8) & 3) << Attr.ShShift;
    attr |= level << Attr.LevelShift;
    // APTable[1] (bit 62) takes writing away, APTable[0] (bit 61) EL0's access; XNTable is bit 60, PXNTable bit 59.
    if (lo & (1 << 7) || limits & 8) attr |= Attr.ReadOnly;
    if (lo & (1 << 6) && (single || (limits & 4) === 0)) attr |= Attr.El0;
    if (hi & (1 << 22) || limits & 2) attr |= Attr.Uxn;
    if (!single && (hi & (1 << 21) || limits & 1)) attr |= Attr.Pxn;
    if (!context.secure || lo & (1 << 5) || limits & 16) attr |= Attr.Ns;
    this.pa = pa;
    this.pageLog2 = shift;
    this.attr = attr;
    // In Secure state an entry under a Non-secure table is never global.
    this.nG = !single && ((lo & (1 << 11)) !== 0 || (context.secure && (limits & 16) !== 0));
    return true;
  }

  private fail(kind: AbortFault['kind'], level: number): false {
    this.fault.plain(kind, false);
    this.fault.level = level;
    return false;
  }
}
