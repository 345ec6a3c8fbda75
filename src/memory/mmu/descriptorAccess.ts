/**
 * Reading and updating one descriptor of a walk: 64-bit descriptors are two words, addresses are doubles. The byte order is
 * that of the regime's walks (SCTLR_ELx.EE).
 */

/** Where walks read and update descriptors. */
export interface DescriptorPort {
  walkRead(core: number, pa: number, cacheable: boolean): boolean;
  readonly walkLo: number;
  readonly walkHi: number;
  walkWrite(core: number, pa: number, cacheable: boolean, hi: number, lo: number): boolean;
}

/** Told of every descriptor that a walk reads, as read (after the byte order was applied). */
export type WalkTrace = (stage: 1 | 2, level: number, pa: number, hi: number, lo: number) => void;

const swap = (w: number): number => ((w << 24) | ((w & 0xff00) << 8) | ((w >>> 8) & 0xff00) | (w >>> 24)) >>> 0;

/** Descriptor bits that both stages have. */
export const Leaf = { Af: 1 << 10, DbmHi: 1 << 19 } as const;

export class DescriptorAccess {
  hi = 0;
  lo = 0;
  /** Physical address of the descriptor. */
  pa = 0;
  private cacheable = false;
  private bigEndian = false;

  constructor(private readonly port: DescriptorPort) {}

  /** False: an external abort. */
  read(core: number, pa: number, cacheable: boolean, bigEndian: boolean): boolean {
    this.pa = pa;
    this.cacheable = cacheable;
    this.bigEndian = bigEndian;
    if (!this.port.walkRead(core, pa, cacheable)) return false;
    const { walkHi, walkLo } = this.port;
    this.hi = bigEndian ? swap(walkLo) : walkHi >>> 0;
    this.lo = bigEndian ? swap(walkHi) : walkLo >>> 0;
    return true;
  }

  /** Stores `hi`, `lo` where the last descriptor was read. False: it cannot be updated there. */
  update(core: number, hi: number, lo: number): boolean {
    this.hi = hi >>> 0;
    this.lo = lo >>> 0;
    if (this.bigEndian) return this.port.walkWrite(core, this.pa, this.cacheable, swap(this.lo), swap(this.hi));
    return this.port.walkWrite(core, this.pa, this.cacheable, this.hi, this.lo);
  }
}
