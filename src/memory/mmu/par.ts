/** PAR_EL1 as AT leaves it. Sections: PAR_EL1, AArch64.EncodePAR. */
import type { AbortFault, Stage2Controls } from '../types';
import { Attr, attrMair, parShareability } from './attributes';
import { faultStatusCode } from './faultStatus';
import { combineMair, combineShareability } from './stage2Attributes';

/** Bit 11 reads as one. */
const PAR_RES1 = 1 << 11;
const PAR_NS = 1 << 9;
const PAR_SH_SHIFT = 7;
const PAR_STAGE2 = 1 << 9;
const PAR_PTW = 1 << 8;
const TWO32 = 2 ** 32;

/** One object, rewritten in place. */
export class ParResult {
  hi = 0;
  lo = 0;

  failed(fault: AbortFault): void {
    const stage = (fault.stage2 ? PAR_STAGE2 : 0) | (fault.s1ptw ? PAR_PTW : 0);
    this.hi = 0;
    this.lo = PAR_RES1 | stage | (faultStatusCode(fault) << 1) | 1;
  }

  /** `attr` and `attr2` are the attribute words of both stages, `attr2` 0 where only stage 1 was asked for. */
  translated(pa: number, attr: number, attr2: number, controls: Stage2Controls): void {
    const sh = (attr >>> Attr.ShShift) & 3;
    const mair = attr2 === 0 ? attrMair(attr) : combineMair(attr2, attrMair(attr), controls);
    const shareability = parShareability(attr2 === 0 ? sh : combineShareability(attr2, sh), mair);
    const page = Math.floor(pa / 4096) * 4096;
    const flags = PAR_RES1 | (attr & Attr.Ns ? PAR_NS : 0) | (shareability << PAR_SH_SHIFT);
    this.hi = ((mair << 24) | Math.floor(page / TWO32)) >>> 0;
    this.lo = ((page % TWO32) | flags) >>> 0;
  }
}
