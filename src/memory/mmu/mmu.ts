/**
 * Address translation: TLBs, walks on misses, permissions and attributes for the accessing context, AT and TLBI. Sections:
 * AArch64.TranslateAddress, S1Translate, S1DisabledOutput, S2Translate. An entry holds the result of both stages where there
 * are two; stage 2's own entries are kept by Stage2. Result and fault are one object each, rewritten in place.
 */
import type { SystemOperationRow } from '../../arch/sysops/index';
import { MutableFault } from '../faults';
import {
  Access,
  type TranslationResult,
  type TranslationWatch,
  type Translator,
  type TranslatorPort,
} from '../translator';
import type { TranslationContext, TranslationRange } from '../types';
import { Attr, accessType, attrLevel, attrType, CLEAN, effectiveShareability, offType, permitsIn } from './attributes';
import { EntryUses } from './entryUses';
import { ParResult } from './par';
import { ignoresTop, isUpper, reachable, untagged } from './ranges';
import { Stage2 } from './stage2';
import { combineShareability, combineTypes, level2, permits2 } from './stage2Attributes';
import { stage2Who, Tlb, type TlbEntryView, type TlbSelector, whoOf } from './tlb';
import { newSelector, select } from './tlbiOperands';
import { Walker } from './walker';

export interface MmuConfig {
  readonly cores: readonly { readonly tlb: { readonly sets: number; readonly ways: number } }[];
  /** Penalty cycles of each descriptor read. */
  readonly cost: { readonly walkStep: number };
}

const TWO32 = 2 ** 32;
/** pageLog2 of a flat map. */
const EVERYTHING = 64;
const WRITE_BACK = 0xff;

/** Look-ups beyond the last-entry shortcut, and walks that filled an entry: all, and those for fetches. */
export interface TlbCounts {
  readonly lookups: number;
  readonly misses: number;
  readonly fetchMisses: number;
}

export class Mmu implements Translator {
  readonly result: TranslationResult = {
    pa: 0,
    type: 0,
    shareability: 0,
    pageLog2: 12,
    tlbIndex: -1,
    guarded: false,
    watched: false,
  };
  readonly fault = new MutableFault();
  private readonly par = new ParResult();
  private readonly tlbs: readonly Tlb[];
  private readonly walker: Walker;
  private readonly stage2: Stage2;
  /** Per core, last entry that served data and fetches: looked at first. */
  private readonly last: Int32Array;
  /** Raw attributes of the last translation, for PAR_EL1. */
  private attr = 0;
  private attr2 = 0;
  private readonly selector: TlbSelector = newSelector();
  // Whose rights the access has (Rights of freshWalk.ts).
  privileged = true;
  pan = false;
  /** AT: neither the dirty state nor anything else is changed on behalf of the access. */
  private probing = false;
  /** The coherence checker's, where there is one. */
  private watch: TranslationWatch | undefined;
  private uses: EntryUses | undefined;

  constructor(
    config: MmuConfig,
    private readonly port: TranslatorPort,
  ) {
    this.tlbs = config.cores.map(
      ({ tlb }, core) =>
        new Tlb(tlb.sets, tlb.ways, (hi, lo, pageLog2, index) => port.dropTranslations(core, hi, lo, pageLog2, index)),
    );
    this.last = new Int32Array(config.cores.length * 2).fill(-1);
    const step = (core: number): void => port.penalty(core, config.cost.walkStep);
    this.stage2 = new Stage2(port, this.fault, step, this.tlbs);
    this.walker = new Walker(port, this.fault, this.stage2, step);
  }

  /** The coherence checker hears of what entries are made of, and of uses of those that are out of date. */
  watchedBy(watch: TranslationWatch): void {
    this.watch = watch;
    this.uses = new EntryUses(watch, this.port, this.tlbs);
    this.walker.trace = (stage, level, pa, hi, lo) => watch.read(stage, level, pa, hi, lo);
    this.stage2.watchedBy(watch);
  }

  /** Empties all TLBs without telling anyone: the memory system is reset as well. */
  reset(): void {
    for (const tlb of this.tlbs) tlb.reset();
    this.last.fill(-1);
  }

  translate(
    core: number,
    context: TranslationContext,
    vaHi: number,
    vaLo: number,
    access: Access,
    unprivileged: boolean,
  ): boolean {
    this.privileged = context.el !== 0 && !(unprivileged && context.userAccess);
    this.pan = context.pan;
    this.probing = false;
    return this.bothStages(core, context, vaHi, vaLo, access);
  }

  private bothStages(core: number, context: TranslationContext, vaHi: number, vaLo: number, access: Access): boolean {
    const upper = isUpper(context, vaHi);
    const range = context.ranges[upper ? 1 : 0];
    const fetch = access === Access.Fetch;
    const hi = untagged(range, upper, vaHi | 0, fetch);
    const lo = vaLo | 0;
    if (!context.mmu) return this.flat(core, context, ignoresTop(range, fetch) ? hi & 0x00ffffff : hi, lo, access);
    if (!this.open(range, upper, hi, lo)) return this.fail('translation', 0, access);
    const index = this.entryFor(core, context, range, hi, lo, access);
    if (index < 0) return this.describe(access);
    const tlb = this.tlbs[core];
    const { result } = this;
    const attr = tlb.attr[index];
    const attr2 = tlb.attr2[index];
    const pageLog2 = tlb.pageLog2(index);
    this.attr = attr;
    this.attr2 = attr2;
    result.pa = tlb.pa[index] + (lo & ((1 << pageLog2) - 1));
    result.type = accessType(attrType(attr), attr2, context, access);
    const sh = (attr >>> Attr.ShShift) & 3;
    result.shareability = effectiveShareability(attr2 === 0 ? sh : combineShareability(attr2, sh), result.type);
    result.pageLog2 = pageLog2;
    result.tlbIndex = index;
    result.guarded = (attr & Attr.Guarded) !== 0;
    result.watched = this.uses !== undefined && this.isWatched(core, context, range, hi, lo, access);
    return true;
  }

  private isWatched(
    core: number,
    context: TranslationContext,
    range: TranslationRange | undefined,
    hi: number,
    lo: number,
    access: Access,
  ): boolean {
    const { uses, attr, result } = this;
    return !this.probing && uses?.isWatched(core, context, range, hi, lo, access, this, attr, result) === true;
  }

  /** The range reaches the address and is not closed to EL0 (TCR_ELx.E0PD). */
  private open(range: TranslationRange, upper: boolean, hi: number, lo: number): boolean {
    return reachable(range, upper, hi, lo) && !(range.closedToEl0 && !this.privileged);
  }

  /** TLB entry that permits the access, walking and filling if there is none; -1 after a fault. */
  private entryFor(
    core: number,
    context: TranslationContext,
    range: TranslationRange,
    hi: number,
    lo: number,
    access: Access,
  ): number {
    const tlb = this.tlbs[core];
    const who = whoOf(context);
    const ids = (context.vmid << 16) | context.asid;
    const side = core * 2 + (access === Access.Fetch ? 1 : 0);
    let index = this.last[side];
    if (index < 0 || !tlb.matches(index, who, ids, hi, lo)) {
      tlb.lookups++;
      index = tlb.find(who, ids, hi, lo);
    }
    if (index >= 0 && access === Access.Write && this.becomesDirty(context, tlb.attr[index], tlb.attr2[index])) {
      tlb.drop(index);
      index = -1;
    }
    if (index < 0) index = this.fill(core, context, range, hi, lo, access, who, ids);
    if (index < 0) return -1;
    this.last[side] = index;
    if (!this.permits1(context, tlb.attr[index], access)) return this.refuse(attrLevel(tlb.attr[index]));
    const attr2 = tlb.attr2[index];
    if (attr2 === 0 || this.permits2(context, attr2, access)) return index;
    this.stage2.refuse(tlb.ipa[index] + (lo & ((1 << tlb.pageLog2(index)) - 1)), level2(attr2));
    return -1;
  }

  /** A write finds the page clean: the walk is made again and sets the dirty state. */
  private becomesDirty(context: TranslationContext, attr: number, attr2: number): boolean {
    if (this.probing) return false;
    if (context.hardwareDirty && (attr & CLEAN) === CLEAN) return this.permits1(context, attr, Access.Write);
    return attr2 !== 0 && this.stage2.mayBecomeDirty(attr2);
  }

  /** Stage 1's permissions; a clean page may be written to. */
  private permits1(context: TranslationContext, attr: number, access: Access): boolean {
    return permitsIn(context, attr, access, this.privileged, this.pan);
  }
  private permits2(context: TranslationContext, attr2: number, access: Access): boolean {
    if (permits2(attr2, access, context.el === 0)) return true;
    return this.probing && access === Access.Write && this.stage2.mayBecomeDirty(attr2);
  }

  /** Walks and fills a TLB entry; -1 after a fault. */
  private fill(
    core: number,
    context: TranslationContext,
    range: TranslationRange,
    hi: number,
    lo: number,
    access: Access,
    who: number,
    ids: number,
  ): number {
    const { walker, stage2, fault } = this;
    if (range.disabledWalks) {
      fault.plain('translation', false);
      return -1;
    }
    if (!this.walkStage1(core, context, range, hi, lo, access)) return -1;
    const tlb = this.tlbs[core];
    tlb.misses++;
    if (access === Access.Fetch) tlb.fetchMisses++;
    const { attr, nG } = walker;
    if (!context.stage2) {
      const index = tlb.insert(who, ids, !nG, hi, lo, walker.pageLog2, walker.pa, attr, 0, 0);
      this.watch?.filled(core, index, 1, hi, lo, walker.pageLog2);
      return index;
    }
    // Stage 1's permission faults come before all of stage 2's.
    if (!this.permits1(context, attr, access)) return this.refuse(attrLevel(attr));
    const ipa = this.walkedAddress(lo);
    if (!stage2.find(core, context, ipa, this.probing ? Access.Read : access)) return -1;
    const pageLog2 = Math.min(walker.pageLog2, stage2.pageLog2);
    const offset = lo & ((1 << pageLog2) - 1);
    this.watch?.through(core, stage2.index);
    const index = tlb.insert(who, ids, !nG, hi, lo, pageLog2, stage2.pa - offset, attr, stage2.attr2, ipa - offset);
    this.watch?.filled(core, index, 1, hi, lo, pageLog2);
    return index;
  }

  /** The stage 1 walk with all that hardware updates in its leaf. */
  private walkStage1(
    core: number,
    context: TranslationContext,
    range: TranslationRange,
    hi: number,
    lo: number,
    access: Access,
  ): boolean {
    const { walker } = this;
    this.watch?.walk(core, 1, context.bigEndianWalks);
    if (!walker.walk(core, context, range, hi, lo)) return false;
    if (access !== Access.Write || this.probing) return true;
    const clean = context.hardwareDirty && (walker.attr & CLEAN) === CLEAN;
    return !clean || !this.permits1(context, walker.attr, access) || walker.setDirty(core, context);
  }

  /** Output address of the last stage 1 walk for the byte. */
  private walkedAddress(lo: number): number {
    return this.walker.pa + (lo & ((1 << this.walker.pageLog2) - 1));
  }

  /** A permission fault of stage 1. */
  private refuse(level: number): -1 {
    this.fault.plain('permission', false);
    this.fault.level = level;
    return -1;
  }

  /** Stage 1 off: addresses are physical, or intermediate ones where stage 2 is on, up to the size that is implemented. */
  private flat(core: number, context: TranslationContext, hi: number, lo: number, access: Access): boolean {
    const pa = (hi >>> 0) * TWO32 + (lo >>> 0);
    if (!this.flatStage1(context, pa, access)) return false;
    if (!context.stage2) return true;
    const { stage2, result } = this;
    if (!stage2.find(core, context, pa, this.probing ? Access.Read : access)) return this.describe(access);
    const { attr2 } = stage2;
    if (!this.permits2(context, attr2, access)) {
      stage2.refuse(pa, level2(attr2));
      return this.describe(access);
    }
    this.attr2 = attr2;
    result.pa = stage2.pa;
    result.pageLog2 = stage2.pageLog2;
    result.tlbIndex = stage2.index;
    const stage1Type = result.type;
    result.type = combineTypes(attr2, stage1Type, context.s2, access);
    result.shareability = effectiveShareability(combineShareability(attr2, result.shareability), result.type);
    result.watched = this.uses !== undefined && this.isWatched(core, context, undefined, hi, lo, access);
    return true;
  }

  private flatStage1(context: TranslationContext, pa: number, access: Access): boolean {
    if (pa >= 2 ** context.ipsBits) return this.fail('addressSize', 0, access);
    const { result } = this;
    result.pa = pa;
    result.pageLog2 = EVERYTHING;
    result.tlbIndex = -1;
    result.guarded = false;
    result.watched = false;
    result.shareability = context.hcrDC ? 0 : 2;
    result.type = offType(context, access);
    const mair = context.hcrDC ? WRITE_BACK : 0;
    this.attr = (mair << Attr.MairShift) | (result.type << Attr.TypeShift) | (context.secure ? 0 : Attr.Ns);
    if (!context.hcrDC) this.attr |= 2 << Attr.ShShift;
    this.attr2 = 0;
    return true;
  }

  private fail(kind: MutableFault['kind'], level: number, access: Access): false {
    this.fault.plain(kind, false);
    this.fault.level = level;
    return this.describe(access);
  }
  private describe(access: Access): false {
    this.fault.write = access === Access.Write;
    this.fault.cacheMaintenance = access === Access.Maintenance;
    return false;
  }

  // ---- AT and TLBI ----

  /** PAR_EL1 of the last `at`. */
  get parHi(): number {
    return this.par.hi;
  }
  get parLo(): number {
    return this.par.lo;
  }

  /**
   * AT executed at ELx: the PAR_EL1 value is in parHi, parLo. False: `fault` is to be taken as a data abort; that is an external
   * abort on the walk, or EL1's stage 1 walk that stage 2 does not let through. `context` is that of the row's regime.
   */
  at(
    core: number,
    row: SystemOperationRow,
    vaHi: number,
    vaLo: number,
    context: TranslationContext,
    el: number,
  ): boolean {
    const { fault, par } = this;
    this.privileged = row.regime !== 'EL0';
    this.pan = context.pan && row.name.endsWith('P');
    this.probing = true;
    const access = row.write === true ? Access.Write : Access.Read;
    const done =
      row.stage === 1 && context.stage2
        ? this.stage1Only(core, context, vaHi, vaLo, access)
        : this.bothStages(core, context, vaHi, vaLo, access);
    if (done) {
      par.translated(this.result.pa, this.attr, this.attr2, context.s2);
      return true;
    }
    if (fault.kind === 'externalWalk' || (fault.s1ptw && row.stage === 1 && el === 1)) {
      fault.cacheMaintenance = true;
      return false;
    }
    par.failed(fault);
    return true;
  }

  /** Stage 1 of a regime that has both: the result is an intermediate address. Fills no TLB entry of both stages. */
  private stage1Only(core: number, context: TranslationContext, vaHi: number, vaLo: number, access: Access): boolean {
    const upper = isUpper(context, vaHi);
    const range = context.ranges[upper ? 1 : 0];
    const hi = untagged(range, upper, vaHi | 0);
    const lo = vaLo | 0;
    if (!context.mmu)
      return this.flatStage1(context, (range.tbi ? hi & 0x00ffffff : hi >>> 0) * TWO32 + (lo >>> 0), access);
    if (!this.open(range, upper, hi, lo)) return this.fail('translation', 0, access);
    const tlb = this.tlbs[core];
    const index = tlb.find(whoOf(context), (context.vmid << 16) | context.asid, hi, lo);
    const { result, walker } = this;
    this.attr2 = 0;
    if (index >= 0) {
      this.attr = tlb.attr[index];
      result.pa = tlb.ipa[index] + (lo & ((1 << tlb.pageLog2(index)) - 1));
    } else {
      if (range.disabledWalks) return this.fail('translation', 0, access);
      if (!this.walkStage1(core, context, range, hi, lo, access)) return this.describe(access);
      this.attr = walker.attr;
      result.pa = this.walkedAddress(lo);
    }
    if (this.permits1(context, this.attr, access)) return true;
    this.refuse(attrLevel(this.attr));
    return this.describe(access);
  }

  /**
   * TLBI of core `by` on one core's TLB. `context` says which regime, VMID and security state are meant: that of the row's regime, or of the
   * host's for EL1's operations there.
   */
  tlbi(
    core: number,
    row: SystemOperationRow,
    valueHi: number,
    valueLo: number,
    context: TranslationContext,
    by = core,
  ): void {
    select(this.selector, row, valueHi, valueLo, context);
    this.watch?.invalidating(by, row);
    this.tlbs[core].invalidate(this.selector);
    this.watch?.invalidating(by, undefined);
    if (row.shareable !== true) this.uses?.spare(core, this.selector);
  }

  // ---- the debugger's door ----

  peekTlb(core: number): readonly TlbEntryView[] {
    return this.tlbs[core].entries();
  }
  /** The TLB entry that an access to this address would use now, however stale; undefined: it would walk. No effects. */
  peekEntry(core: number, context: TranslationContext, va: bigint): TlbEntryView | undefined {
    const vaHi = Number((va >> 32n) & 0xffffffffn) | 0;
    const lo = Number(va & 0xffffffffn) | 0;
    const upper = isUpper(context, vaHi);
    const range = context.ranges[upper ? 1 : 0];
    const hi = untagged(range, upper, vaHi);
    const tlb = this.tlbs[core];
    if (!context.mmu) return this.peekStage2(core, context, range.tbi ? hi & 0x00ffffff : hi, lo);
    if (!reachable(range, upper, hi, lo)) return undefined;
    const index = tlb.find(whoOf(context), (context.vmid << 16) | context.asid, hi, lo);
    return index < 0 ? undefined : tlb.entry(index);
  }
  /** Stage 2's own entry for an intermediate address. */
  peekStage2(core: number, context: TranslationContext, hi: number, lo: number): TlbEntryView | undefined {
    if (!context.stage2) return undefined;
    const index = this.tlbs[core].find(stage2Who(context), context.vmid << 16, hi | 0, lo | 0);
    return index < 0 ? undefined : this.tlbs[core].entry(index);
  }
  tlbCounts(core: number): TlbCounts {
    return this.tlbs[core];
  }

  save(): unknown {
    return { tlbs: this.tlbs.map((tlb) => tlb.save()), last: Array.from(this.last) };
  }
  load(state: unknown): void {
    const saved = state as { tlbs: unknown[]; last: number[] };
    this.tlbs.forEach((tlb, core) => {
      tlb.load(saved.tlbs[core]);
    });
    this.last.set(saved.last);
  }
}
