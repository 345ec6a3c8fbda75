/** Which range of the regime an address belongs to, its tag, and whether the range reaches that far: AArch64.VAIsInRange. */
import type { TranslationContext, TranslationRange } from '../types';
import { sizeInRange } from './walker';

/** Bit 55 chooses the range, where there are two. */
export const isUpper = (context: TranslationContext, hi: number): boolean =>
  context.twoRanges && ((hi >>> 23) & 1) !== 0;

/** The top byte is a tag: TCR_ELx.TBI, for instructions without TBID. */
export const ignoresTop = (range: TranslationRange, fetch: boolean): boolean => range.tbi && !(fetch && range.tbid);

/** Upper word of the address without its tag, as the TLB and the walker see it: a signed word. */
export const untagged = (range: TranslationRange, upper: boolean, hi: number, fetch = false): number =>
  ignoresTop(range, fetch) ? (upper ? hi | 0xff000000 : hi & 0x00ffffff) : hi | 0;

/** Whether all bits above the range's size are zeros (lower range) or ones (upper). Words are signed. */
function inRange(range: TranslationRange, upper: boolean, hi: number, lo: number): boolean {
  const bits = range.vaBits;
  if (!upper) return bits > 32 ? hi >>> (bits - 32) === 0 : hi === 0 && (bits === 32 || lo >>> bits === 0);
  if (bits > 32) return hi >> (bits - 32) === -1;
  return hi === -1 && (bits === 32 || lo >> bits === -1);
}

/** False: a translation fault at level 0 without a walk, the size being reserved or the address beyond it. */
export const reachable = (range: TranslationRange, upper: boolean, hi: number, lo: number): boolean =>
  sizeInRange(range) && inRange(range, upper, hi, lo);
