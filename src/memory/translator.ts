/**
 * The contract between the memory system and whoever translates addresses (the MMU, or a flat map in tests). The translator
 * owns TLBs and walks; the memory system owns caches and line tables and calls back for nothing: it only promises that every
 * line-table entry is justified by a translation, so a translator reports each TLB entry that vanishes.
 */
import type { SystemOperationRow } from '../arch/sysops/types';
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
  /** The checker waits for uses of this TLB entry: nothing may stand in for the next look-up. */
  watched: boolean;
}

/** What the coherence checker has to know of TLBs: what entries are made of, and the uses of those that are out of date. */
export interface TranslationWatch {
  /** A walk of a stage begins. */
  walk(core: number, stage: 1 | 2, bigEndian: boolean): void;
  /** It read a descriptor. */
  read(stage: 1 | 2, level: number, pa: number, hi: number, lo: number): void;
  /** Stage 2's entry `index` is part of the entry of both stages that is filled next. */
  through(core: number, index: number): void;
  /** A TLB entry for the 2^pageLog2 bytes around an address was made of all that. */
  filled(core: number, index: number, stage: 1 | 2, vaHi: number, vaLo: number, pageLog2: number): void;
  /** By core and TLB index, not 0: the entry is out of date and its uses are wanted. */
  readonly watched: readonly Uint8Array[];
  /** Would a use of the entry be wrong, if a walk gave another result? `user`: EL0 has access to the page. */
  mayNotUse(core: number, index: number, user: boolean): boolean;
  /** A use of the entry got something else than a walk: `walked` says what that gives. */
  used(core: number, index: number, context: TranslationContext, use: EntryUse): void;
  /** What vanishes from now on is due to a TLBI of core `by`, until it is `undefined`'s. */
  invalidating(by: number, row: SystemOperationRow | undefined): void;
  /** A TLBI of core `by` alone names an entry of another core. */
  spared(core: number, index: number, by: number): void;
}

/** A use of a TLB entry. */
export interface EntryUse {
  vaHi: number;
  vaLo: number;
  access: Access;
  /** What the entry gave, and what a walk gives: 'PA 0x40201000', 'a translation fault, level 3'. */
  got: string;
  walked: string;
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
  /** As walkRead, without counting. */
  peekDescriptor?(pa: number, cacheable: boolean): boolean;
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
