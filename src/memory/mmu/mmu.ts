/**
 * Address translation, stage 1: TLBs, walks on misses, permissions and attributes for the accessing context, AT and TLBI.
 * Sections: AArch64.TranslateAddress, S1Translate, S1DisabledOutput. There is no stage 2 yet: AT S12 gives the stage 1 result,
 * TLBI by IPA finds nothing. Result and fault are one object each, rewritten in place.
 */
import type { SystemOperationRow } from '../../arch/sysops/index';
import { MutableFault } from '../faults';
import { Access, type TranslationResult, type Translator, type TranslatorPort } from '../translator';
import { MemoryType, type TranslationContext, type TranslationRange } from '../types';
import {
  Attr,
  accessType,
  attrLevel,
  attrMair,
  attrType,
  effectiveShareability,
  parShareability,
  permits,
} from './attributes';
import { faultStatusCode } from './faultStatus';
import { isUpper, reachable, untagged } from './ranges';
import { regimeCode, Tlb, type TlbEntryView, type TlbSelector, whoOf } from './tlb';
import { Walker } from './walker';

export interface MmuConfig {
  readonly cores: readonly { readonly tlb: { readonly sets: number; readonly ways: number } }[];
  /** Penalty cycles of each descriptor read. */
  readonly cost: { readonly walkStep: number };
}

const TWO32 = 2 ** 32;
/** pageLog2 of a flat map. */
const EVERYTHING = 64;
/** PAR_EL1 bit 11 reads as one. */
const PAR_RES1 = 1 << 11;
const PAR_NS = 1 << 9;
const PAR_SH_SHIFT = 7;
const WRITE_BACK = 0xff;

export class Mmu implements Translator {
  readonly result: TranslationResult = { pa: 0, type: 0, shareability: 0, pageLog2: 12, tlbIndex: -1 };
  readonly fault = new MutableFault();
  /** PAR_EL1 of the last `at`. */
  parHi = 0;
  parLo = 0;
  private readonly tlbs: readonly Tlb[];
  private readonly walker: Walker;
  /** Per core, last entry that served data and fetches: looked at first. */
  private readonly last: Int32Array;
  /** Raw attributes of the last translation, for PAR_EL1. */
  private attr = 0;
  private readonly selector: TlbSelector = {
    regime: 0,
    secure: false,
    vmid: -1,
    asid: -1,
    globalToo: false,
    byAddress: false,
    vaHi: 0,
    vaLo: 0,
  };

  constructor(config: MmuConfig, port: TranslatorPort) {
    this.tlbs = config.cores.map(
      ({ tlb }, core) =>
        new Tlb(tlb.sets, tlb.ways, (hi, lo, pageLog2, index) => port.dropTranslations(core, hi, lo, pageLog2, index)),
    );
    this.last = new Int32Array(config.cores.length * 2).fill(-1);
    this.walker = new Walker(port, this.fault, (core) => port.penalty(core, config.cost.walkStep));
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
    // LDTR and STTR are unprivileged at EL1 only (there is no VHE).
    const privileged = context.el !== 0 && !(unprivileged && context.el === 1);
    return this.translateAs(core, context, vaHi, vaLo, access, privileged, context.pan);
  }

  private translateAs(
    core: number,
    context: TranslationContext,
    vaHi: number,
    vaLo: number,
    access: Access,
    privileged: boolean,
    pan: boolean,
  ): boolean {
    const upper = isUpper(context, vaHi);
    const range = context.ranges[upper ? 1 : 0];
    const hi = untagged(range, upper, vaHi | 0);
    const lo = vaLo | 0;
    if (!context.mmu) return this.flat(context, range.tbi ? hi & 0x00ffffff : hi, lo, access);
    if (!reachable(range, upper, hi, lo)) return this.fail('translation', 0, access);
    const index = this.entryFor(core, context, range, hi, lo, access);
    if (index < 0) return false;
    const tlb = this.tlbs[core];
    const attr = tlb.attr[index];
    this.attr = attr;
    if (!permits(attr, context.regime !== 'EL1&0', access, privileged, context.wxn, pan))
      return this.fail('permission', attrLevel(attr), access);
    const { result } = this;
    const pageLog2 = tlb.pageLog2(index);
    result.pa = tlb.pa[index] + (lo & ((1 << pageLog2) - 1));
    result.type = accessType(attrType(attr), context, access);
    result.shareability = effectiveShareability((attr >>> Attr.ShShift) & 3, result.type);
    result.pageLog2 = pageLog2;
    result.tlbIndex = index;
    return true;
  }

  /** TLB entry of an address, walking and filling if there is none; -1 after a fault. */
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
    const last = this.last[side];
    if (last >= 0 && tlb.matches(last, who, ids, hi, lo)) return last;
    tlb.lookups++;
    let index = tlb.find(who, ids, hi, lo);
    if (index < 0) {
      if (range.disabledWalks) {
        this.fail('translation', 0, access);
        return -1;
      }
      const { walker } = this;
      if (!walker.walk(core, context, range, hi, lo)) {
        this.describe(access);
        return -1;
      }
      index = tlb.insert(who, ids, !walker.nG, hi, lo, walker.pageLog2, walker.pa, walker.attr);
    }
    this.last[side] = index;
    return index;
  }

  /** Stage 1 off: addresses are physical, up to the size that is implemented. */
  private flat(context: TranslationContext, hi: number, lo: number, access: Access): boolean {
    const pa = (hi >>> 0) * TWO32 + (lo >>> 0);
    if (pa >= 2 ** context.ipsBits) return this.fail('addressSize', 0, access);
    const { result } = this;
    result.pa = pa;
    result.pageLog2 = EVERYTHING;
    result.tlbIndex = -1;
    result.shareability = context.hcrDC ? 0 : 2;
    if (context.hcrDC) result.type = MemoryType.NormalWB;
    else if (access !== Access.Fetch) result.type = MemoryType.DeviceNGnRnE;
    else result.type = context.fetchCacheable ? MemoryType.NormalWT : MemoryType.NormalNC;
    const mair = context.hcrDC ? WRITE_BACK : 0;
    this.attr = (mair << Attr.MairShift) | (result.type << Attr.TypeShift) | (context.secure ? 0 : Attr.Ns);
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

  /**
   * AT: the PAR_EL1 value is in parHi, parLo. False: an external abort on the walk, in `fault`; it is taken as a data abort.
   * `context` is that of the row's regime (EL1&0 for the EL0 forms).
   */
  at(core: number, row: SystemOperationRow, vaHi: number, vaLo: number, context: TranslationContext): boolean {
    const pan = context.pan && row.name.endsWith('P');
    const access = row.write === true ? Access.Write : Access.Read;
    if (this.translateAs(core, context, vaHi, vaLo, access, row.regime !== 'EL0', pan)) {
      this.success();
      return true;
    }
    if (this.fault.kind === 'externalWalk') {
      this.fault.cacheMaintenance = true;
      return false;
    }
    this.parHi = 0;
    this.parLo = PAR_RES1 | (faultStatusCode(this.fault) << 1) | 1;
    return true;
  }

  private success(): void {
    const { pa } = this.result;
    const shareability = parShareability((this.attr >>> Attr.ShShift) & 3, attrMair(this.attr));
    const page = Math.floor(pa / 4096) * 4096;
    const flags = PAR_RES1 | (this.attr & Attr.Ns ? PAR_NS : 0) | (shareability << PAR_SH_SHIFT);
    this.parHi = ((attrMair(this.attr) << 24) | Math.floor(page / TWO32)) >>> 0;
    this.parLo = ((page % TWO32) | flags) >>> 0;
  }

  /**
   * TLBI on one core's TLB. The operand is Xt: VA[55:12] in bits 43:0, ASID in 63:48. `context` says which VMID and security
   * state are current; it is that of the row's regime.
   */
  tlbi(core: number, row: SystemOperationRow, valueHi: number, valueLo: number, context: TranslationContext): void {
    if (row.stage === 2) return;
    const s = this.selector;
    s.regime = regimeCode(context.regime);
    s.secure = context.secure;
    s.vmid = row.regime === 'EL1&0' && row.allVmids !== true ? context.vmid : -1;
    s.asid = row.operand === 'asid' || row.operand === 'va+asid' ? valueHi >>> 16 : -1;
    s.globalToo = row.operand === 'va+asid';
    s.byAddress = row.operand === 'va' || row.operand === 'va+asid';
    s.vaHi = ((valueHi << 12) | (valueLo >>> 20)) & 0x00ffffff;
    s.vaLo = valueLo << 12;
    this.tlbs[core].invalidate(s);
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
    if (!context.mmu || !reachable(range, upper, hi, lo)) return undefined;
    const tlb = this.tlbs[core];
    const index = tlb.find(whoOf(context), (context.vmid << 16) | context.asid, hi, lo);
    return index < 0 ? undefined : tlb.entry(index);
  }
  /** Look-ups beyond the last-entry shortcut, and walks that filled an entry. */
  tlbCounts(core: number): { readonly lookups: number; readonly misses: number } {
    const { lookups, misses } = this.tlbs[core];
    return { lookups, misses };
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
