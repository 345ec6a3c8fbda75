/**
 * The contract between the memory system and whoever translates addresses (the MMU, or a flat map in tests). The translator
 * owns TLBs and walks; the memory system owns caches and line tables and calls back for nothing: it only promises that every
 * line-table entry is justified by a translation, so a translator reports each TLB entry that vanishes.
 */
import type { AbortFault, MemoryType, TranslationContext } from './types';

/** What an access wants of a translation. */
export const Access = {
  Read: 0,
  Write: 1,
  Fetch: 2,
  /** DC and IC by VA: translation, access flag and address size faults, but no permission check. */
  Maintenance: 3,
} as const;
export type Access = (typeof Access)[keyof typeof Access];

/** Result of the last successful `translate`; one object, rewritten in place. */
export interface TranslationResult {
  /** Physical address of the byte asked for. */
  pa: number;
  /**
   * Memory type after both stages and all controls (SCTLR.C and .I, HCR_EL2.DC, .CD, .ID, FWB, stage 1 off): the memory system
   * looks at nothing else to decide between cacheable, non-cacheable and Device.
   */
  type: MemoryType;
  /** Effective shareability: 0 non-shareable, 2 outer shareable, 3 inner shareable (as in descriptors). */
  shareability: 0 | 2 | 3;
  /** log2 of the bytes around the address for which this result holds (TLB entry size; 12 or more, 64 for a flat map). */
  pageLog2: number;
  /** Index of the TLB entry that justified it, 0 .. sets * ways - 1 of the core, or -1 if none can vanish (stage 1 and 2 off). */
  tlbIndex: number;
  /** A guarded page (FEAT_BTI): the GP bit of stage 1's leaf. */
  guarded: boolean;
}

export interface Translator {
  /** True: `result` is filled; false: `fault` is. May walk, allocate in the TLB and add penalty. */
  translate(
    core: number,
    context: TranslationContext,
    vaHi: number,
    vaLo: number,
    access: Access,
    unprivileged: boolean,
  ): boolean;
  readonly result: TranslationResult;
  readonly fault: AbortFault;
}

/** What the memory system does for a translator. MemorySystem has these members. */
export interface TranslatorPort {
  /** Coherent 64-bit read for a walk, into walkLo / walkHi; `cacheable` false reads the point of coherency. False: external abort. */
  walkRead(core: number, pa: number, cacheable: boolean): boolean;
  readonly walkLo: number;
  readonly walkHi: number;
  /** A TLB entry was made from the leaf descriptor (hi, lo) at a physical address. */
  filled?(core: number, index: number, stage: 1 | 2, pa: number, hi: number, lo: number): void;
  /**
   * Coherent 64-bit write of a descriptor that a walk has just read (access flag, dirty state): as a store of that core. False:
   * the location takes no such update.
   */
  walkWrite(core: number, pa: number, cacheable: boolean, hi: number, lo: number): boolean;
  /**
   * Removes what a vanished TLB entry justified: entries of all contexts for the 2^pageLog2 bytes around the address (64 = all).
   * With the `tlbIndex` of the entry only the tables that it served are looked through.
   */
  dropTranslations(core: number, vaHi: number, vaLo: number, pageLog2: number, tlbIndex?: number): void;
  penalty(core: number, cycles: number): void;
}
