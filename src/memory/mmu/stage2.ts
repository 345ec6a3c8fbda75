/**
 * Stage 2 of the EL1&0 regime: intermediate physical addresses to physical ones, of accesses and of stage 1's own table
 * walks. Its TLB entries live beside the others under the VMID, with the IPA as their address; entries of both stages are the
 * Mmu's. Section: AArch64.S2Translate.
 */
import type { MutableFault } from '../faults';
import { Access, type TranslationWatch } from '../translator';
import { MemoryType, type TranslationContext } from '../types';
import type { DescriptorPort, WalkTrace } from './descriptorAccess';
import { Attr2, combineTypes, level2, permits2 } from './stage2Attributes';
import { Stage2Walker } from './stage2Walker';
import { stage2Who, type Tlb } from './tlb';

const TWO32 = 2 ** 32;

export class Stage2 {
  /** After a success: physical address of the byte, leaf size, attribute word, TLB entry (-1 where there is no TLB). */
  pa = 0;
  pageLog2 = 12;
  attr2 = 0;
  index = -1;
  /** After `ofTable`: the descriptor is read through the caches. */
  cacheable = false;
  private readonly walker: Stage2Walker;
  private watch: TranslationWatch | undefined;

  /** Without `tlbs` every translation walks: the debugger's view. */
  constructor(
    port: DescriptorPort,
    private readonly fault: MutableFault,
    step: (core: number) => void,
    private readonly tlbs?: readonly Tlb[],
    trace?: WalkTrace,
  ) {
    this.walker = new Stage2Walker(port, fault, step, trace);
  }

  watchedBy(watch: TranslationWatch): void {
    this.watch = watch;
    this.walker.trace = (stage, level, pa, hi, lo) => watch.read(stage, level, pa, hi, lo);
  }

  /** Address of a descriptor; permissions are judged. False: `fault` is filled. */
  private translate(core: number, context: TranslationContext, ipa: number, access: Access): boolean {
    if (!this.find(core, context, ipa, access)) return false;
    if (permits2(this.attr2, access, context.el === 0)) return true;
    return this.refuse(ipa, level2(this.attr2));
  }

  /** Address of a stage 1 descriptor, and whether it is read through the caches. `write`: hardware is to update it. */
  ofTable(core: number, context: TranslationContext, ipa: number, cacheable: boolean, write: boolean): boolean {
    const { fault } = this;
    if (!this.translate(core, context, ipa, write ? Access.Write : Access.Read)) {
      fault.s1ptw = true;
      return false;
    }
    const asked = cacheable ? MemoryType.NormalWB : MemoryType.NormalNC;
    const type = combineTypes(this.attr2, asked, context.s2, Access.Read);
    this.cacheable = type >= MemoryType.NormalWT;
    if (type > MemoryType.DeviceGRE || !context.s2.protectedWalks) return true;
    this.refuse(ipa, level2(this.attr2));
    fault.s1ptw = true;
    return false;
  }

  /** The leaf of an address, from the TLB or by a walk that fills it; permissions are not judged. */
  find(core: number, context: TranslationContext, ipa: number, access: Access): boolean {
    const el0 = context.el === 0;
    const tlb = this.tlbs?.[core];
    if (tlb === undefined) {
      if (!this.walker.walk(core, context.s2, ipa, access, el0)) return false;
      this.take(-1, this.walker.pa, this.walker.pageLog2, this.walker.attr2, ipa);
      return true;
    }
    const who = stage2Who(context);
    const ids = context.vmid << 16;
    const hi = Math.floor(ipa / TWO32) | 0;
    const lo = ipa | 0;
    let index = tlb.find(who, ids, hi, lo);
    if (index >= 0 && access === Access.Write && this.mayBecomeDirty(tlb.attr2[index])) {
      tlb.drop(index);
      index = -1;
    }
    if (index < 0) {
      const { walker, watch } = this;
      watch?.walk(core, 2, context.s2.bigEndianWalks);
      if (!walker.walk(core, context.s2, ipa, access, el0)) return false;
      index = tlb.insert(who, ids, true, hi, lo, walker.pageLog2, walker.pa, 0, walker.attr2, 0);
      watch?.filled(core, index, 2, hi, lo, walker.pageLog2);
    }
    this.take(index, tlb.pa[index], tlb.pageLog2(index), tlb.attr2[index], ipa);
    return true;
  }

  /** A write needs a new walk, which sets the dirty state. */
  mayBecomeDirty(attr2: number): boolean {
    return (attr2 & (Attr2.Dbm | Attr2.Write)) === Attr2.Dbm;
  }

  private take(index: number, page: number, pageLog2: number, attr2: number, ipa: number): void {
    this.index = index;
    this.pageLog2 = pageLog2;
    this.attr2 = attr2;
    this.pa = page + (ipa % 2 ** pageLog2);
  }

  /** A permission fault of stage 2. */
  refuse(ipa: number, level: number): false {
    const { fault } = this;
    fault.plain('permission', false);
    fault.level = level;
    fault.stage2 = true;
    fault.ipa = ipa;
    return false;
  }
}
