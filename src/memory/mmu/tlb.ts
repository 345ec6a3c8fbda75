/**
 * One core's TLB: set-associative, several page sizes, entries that stay until something removes them, however stale. A set
 * is replaced in the order of filling, invalid ways first, so hits change nothing and a line-table hit may skip the look-up.
 *
 * `info` of an entry: bit 0 valid, 3:1 regime, 4 Secure, 5 global, 8:6 size class. `ids`: VMID in 31:16, ASID in 15:0 (0 for
 * global entries). An entry of both stages has its intermediate address and stage 2's attribute word beside the physical
 * address; one of stage 2 alone has the intermediate address as its tag. All look-ups compare signed 32-bit words (unsigned ones above 2^31 would be boxed); nothing allocates.
 */

import { isPowerOfTwo, joinBig } from '../../base/bits';
import { bug } from '../../base/errors';
import type { TranslationContext } from '../types';

/** Page and block sizes of the three granules. */
export const sizeClasses = [12, 14, 16, 21, 25, 29, 30] as const;
const classOf = (pageLog2: number): number => {
  const index = sizeClasses.indexOf(pageLog2 as (typeof sizeClasses)[number]);
  return index < 0 ? bug(`no TLB entry size 2^${pageLog2}`) : index;
};

const VALID = 1;
const REGIME_SHIFT = 1;
const SECURE = 16;
const GLOBAL = 32;
const CLASS_SHIFT = 6;
/** Bits of `info` that say whose entry it is: valid, regime, Secure. */
const WHO = 31;

/** Codes of what an entry belongs to: a regime, or stage 2 alone. */
export const Regime = { 'EL1&0': 0, EL2: 1, EL3: 2, 'EL2&0': 3, 'stage 2': 4 } as const;
const regimeNames = ['EL1&0', 'EL2', 'EL3', 'EL2&0', 'stage 2'] as const;

/** What a removal is about; fields of -1 do not matter. */
export interface TlbSelector {
  /** Bit n: entries of the regime with code n. */
  regimes: number;
  secure: boolean;
  vmid: number;
  asid: number;
  /** Global entries match whatever `asid` says. */
  globalToo: boolean;
  byAddress: boolean;
  vaHi: number;
  vaLo: number;
  /** Not 0: all addresses from (vaHi, vaLo) on, so many bytes. */
  bytes: number;
}

export interface TlbEntryView {
  readonly index: number;
  readonly set: number;
  readonly way: number;
  readonly regime: keyof typeof Regime;
  readonly secure: boolean;
  readonly global: boolean;
  readonly asid: number;
  readonly vmid: number;
  /** The intermediate address of an entry of stage 2 alone. */
  readonly va: bigint;
  readonly pa: bigint;
  readonly pageLog2: number;
  readonly attr: number;
  /** Of an entry of both stages. */
  readonly ipa: bigint | undefined;
  /** Stage 2's attribute word, 0: there was no stage 2. */
  readonly attr2: number;
}

/** Called before an entry is replaced or removed. */
export type Vanishing = (vaHi: number, vaLo: number, pageLog2: number, index: number) => void;

export class Tlb {
  private readonly tagLo: Int32Array;
  private readonly tagHi: Int32Array;
  private readonly info: Int32Array;
  private readonly ids: Int32Array;
  private readonly next: Uint8Array;
  private readonly counts = new Int32Array(sizeClasses.length);
  readonly pa: Float64Array;
  readonly attr: Int32Array;
  readonly ipa: Float64Array;
  readonly attr2: Int32Array;
  lookups = 0;
  misses = 0;
  /** Those of them that were for instruction fetches. */
  fetchMisses = 0;

  constructor(
    readonly sets: number,
    readonly ways: number,
    private readonly vanishing: Vanishing,
  ) {
    if (!isPowerOfTwo(sets) || ways < 1 || ways > 255) bug(`TLB of ${sets} sets, ${ways} ways`);
    const n = sets * ways;
    this.tagLo = new Int32Array(n);
    this.tagHi = new Int32Array(n);
    this.info = new Int32Array(n);
    this.ids = new Int32Array(n);
    this.pa = new Float64Array(n);
    this.attr = new Int32Array(n);
    this.ipa = new Float64Array(n);
    this.attr2 = new Int32Array(n);
    this.next = new Uint8Array(sets);
  }

  reset(): void {
    this.info.fill(0);
    this.next.fill(0);
    this.counts.fill(0);
    this.lookups = 0;
    this.misses = 0;
    this.fetchMisses = 0;
  }

  pageLog2(index: number): number {
    return sizeClasses[this.info[index] >>> CLASS_SHIFT];
  }

  private firstOfSet(shift: number, hi: number, lo: number): number {
    return (((lo >>> shift) | (hi << (32 - shift))) & (this.sets - 1)) * this.ways;
  }

  /** Whether the entry is for this address and these ids; for the shortcut of the last hit as well. */
  matches(index: number, who: number, ids: number, hi: number, lo: number): boolean {
    const info = this.info[index];
    const shift = sizeClasses[info >>> CLASS_SHIFT];
    return (
      (info & WHO) === who &&
      this.tagHi[index] === hi &&
      (this.tagLo[index] ^ lo) >>> shift === 0 &&
      (info & GLOBAL ? this.ids[index] >>> 16 === ids >>> 16 : this.ids[index] === ids)
    );
  }

  /** Index of an entry for the address, or -1. `who` from `whoOf`, `ids` VMID << 16 | ASID; all words signed. */
  find(who: number, ids: number, hi: number, lo: number): number {
    const { counts, ways } = this;
    for (let c = 0; c < counts.length; c++) {
      if (counts[c] === 0) continue;
      const first = this.firstOfSet(sizeClasses[c], hi, lo);
      const want = who | (c << CLASS_SHIFT);
      for (let i = first; i < first + ways; i++)
        if ((this.info[i] & ~GLOBAL) === want && this.matches(i, who, ids, hi, lo)) return i;
    }
    return -1;
  }

  /** Fills an entry; returns its index. */
  insert(
    who: number,
    ids: number,
    global: boolean,
    hi: number,
    lo: number,
    pageLog2: number,
    pa: number,
    attr: number,
    attr2: number,
    ipa: number,
  ): number {
    const c = classOf(pageLog2);
    const first = this.firstOfSet(pageLog2, hi, lo);
    const set = first / this.ways;
    let index = -1;
    for (let i = first; i < first + this.ways && index < 0; i++) if ((this.info[i] & VALID) === 0) index = i;
    if (index < 0) {
      index = first + this.next[set];
      this.next[set] = (this.next[set] + 1) % this.ways;
      this.drop(index);
    }
    this.tagLo[index] = lo & (-1 << pageLog2);
    this.tagHi[index] = hi;
    this.info[index] = who | (global ? GLOBAL : 0) | (c << CLASS_SHIFT);
    this.ids[index] = global ? ids & 0xffff0000 : ids;
    this.pa[index] = pa;
    this.attr[index] = attr;
    this.attr2[index] = attr2;
    this.ipa[index] = ipa;
    this.counts[c]++;
    return index;
  }

  /** Removes one entry. */
  drop(index: number): void {
    const info = this.info[index];
    const c = info >>> CLASS_SHIFT;
    this.counts[c]--;
    this.info[index] = 0;
    this.vanishing(this.tagHi[index] >>> 0, this.tagLo[index] >>> 0, sizeClasses[c], index);
  }

  private selected(index: number, s: TlbSelector): boolean {
    const info = this.info[index];
    if ((info & VALID) === 0 || ((s.regimes >>> ((info >>> REGIME_SHIFT) & 7)) & 1) === 0) return false;
    if ((info & SECURE) !== (s.secure ? SECURE : 0)) return false;
    const ids = this.ids[index];
    if (s.vmid >= 0 && ids >>> 16 !== s.vmid) return false;
    if (s.asid < 0) return true;
    return info & GLOBAL ? s.globalToo : (ids & 0xffff) === s.asid;
  }

  /** TLBI: removes what the selector names. Addresses are compared in bits 55:12. */
  invalidate(s: TlbSelector): void {
    if (s.bytes > 0) {
      for (let i = 0; i < this.info.length; i++) if (this.selected(i, s) && this.overlaps(i, s)) this.drop(i);
      return;
    }
    if (!s.byAddress) {
      for (let i = 0; i < this.info.length; i++) if (this.selected(i, s)) this.drop(i);
      return;
    }
    for (let c = 0; c < this.counts.length; c++) {
      if (this.counts[c] === 0) continue;
      const shift = sizeClasses[c];
      const first = this.firstOfSet(shift, s.vaHi, s.vaLo);
      for (let i = first; i < first + this.ways; i++) {
        if (this.info[i] >>> CLASS_SHIFT !== c || ((this.tagHi[i] ^ s.vaHi) & 0x00ffffff) !== 0) continue;
        if ((this.tagLo[i] ^ s.vaLo) >>> shift === 0 && this.selected(i, s)) this.drop(i);
      }
    }
  }

  /** Whether a TLBI with this selector removes the entry. */
  names(index: number, s: TlbSelector): boolean {
    if (!this.selected(index, s)) return false;
    if (s.bytes > 0) return this.overlaps(index, s);
    if (!s.byAddress) return true;
    const shift = sizeClasses[this.info[index] >>> CLASS_SHIFT];
    return ((this.tagHi[index] ^ s.vaHi) & 0x00ffffff) === 0 && (this.tagLo[index] ^ s.vaLo) >>> shift === 0;
  }

  /** Whether an entry maps part of the selector's range; both without the top byte. */
  private overlaps(index: number, s: TlbSelector): boolean {
    const first = (this.tagHi[index] & 0x00ffffff) * 2 ** 32 + (this.tagLo[index] >>> 0);
    const from = s.vaHi * 2 ** 32 + (s.vaLo >>> 0);
    return first < from + s.bytes && from < first + 2 ** this.pageLog2(index);
  }

  entry(index: number): TlbEntryView {
    const info = this.info[index];
    const both = this.attr2[index] !== 0 && ((info >>> REGIME_SHIFT) & 7) !== Regime['stage 2'];
    return {
      index,
      set: Math.floor(index / this.ways),
      way: index % this.ways,
      regime: regimeNames[(info >>> REGIME_SHIFT) & 7],
      secure: (info & SECURE) !== 0,
      global: (info & GLOBAL) !== 0,
      asid: this.ids[index] & 0xffff,
      vmid: this.ids[index] >>> 16,
      va: joinBig(this.tagHi[index], this.tagLo[index]),
      pa: BigInt(this.pa[index]),
      pageLog2: this.pageLog2(index),
      attr: this.attr[index],
      ipa: both ? BigInt(this.ipa[index]) : undefined,
      attr2: this.attr2[index],
    };
  }
  entries(): TlbEntryView[] {
    const valid = Array.from(this.info.keys()).filter((index) => (this.info[index] & VALID) !== 0);
    return valid.map((index) => this.entry(index));
  }

  /** For snapshots: everything, as plain arrays. */
  save(): unknown {
    const { tagLo, tagHi, info, ids, pa, attr, ipa, attr2, next, lookups, misses, fetchMisses } = this;
    const arrays = [tagLo, tagHi, info, ids, pa, attr, ipa, attr2, next].map((a) => Array.from(a));
    return { arrays, lookups, misses, fetchMisses };
  }
  load(state: unknown): void {
    const saved = state as { arrays: number[][]; lookups: number; misses: number; fetchMisses: number };
    const { tagLo, tagHi, info, ids, pa, attr, ipa, attr2, next } = this;
    [tagLo, tagHi, info, ids, pa, attr, ipa, attr2, next].forEach((a, i) => {
      a.set(saved.arrays[i]);
    });
    this.counts.fill(0);
    for (const i of info) if (i & VALID) this.counts[i >>> CLASS_SHIFT]++;
    this.lookups = saved.lookups;
    this.misses = saved.misses;
    this.fetchMisses = saved.fetchMisses;
  }
}

const whose = (code: number, secure: boolean): number => VALID | (code << REGIME_SHIFT) | (secure ? SECURE : 0);

/** The part of `info` that a context asks for: valid, regime, security. */
export const whoOf = (context: TranslationContext): number => whose(regimeCode(context), context.secure);
/** Of stage 2's own entries. */
export const stage2Who = (context: TranslationContext): number => whose(Regime['stage 2'], context.secure);
const regimeCode = (context: TranslationContext): number =>
  context.regime === 'EL1&0' ? 0 : context.regime === 'EL2' ? 1 : context.regime === 'EL3' ? 2 : 3;
