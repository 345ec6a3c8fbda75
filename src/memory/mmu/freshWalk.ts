/**
 * What an access would get without TLBs: the walks of both stages now, with no effect on anything. The coherence checker
 * compares it with what a TLB entry gave.
 */
import { hex } from '../../base/bits';
import { MutableFault } from '../faults';
import type { Access, TranslationResult, TranslatorPort } from '../translator';
import { MemoryType, type TranslationContext, type TranslationRange } from '../types';
import {
  Attr,
  accessType,
  attrLevel,
  attrType,
  describeType,
  effectiveShareability,
  offType,
  permitsIn,
} from './attributes';
import { describeFault } from './faultStatus';
import { Stage2 } from './stage2';
import { combineShareability, combineTypes, level2, permits2 } from './stage2Attributes';
import { Walker } from './walker';

/** Whose rights an access has. */
export interface Rights {
  readonly privileged: boolean;
  readonly pan: boolean;
}

export class FreshWalk {
  private readonly fault = new MutableFault();
  private readonly stage2: Stage2;
  private readonly walker: Walker;
  /** After `differs`: what is not the same is the memory type. */
  sameAddress = false;
  private pa = 0;
  private type: MemoryType = MemoryType.DeviceNGnRnE;
  private shareability: 0 | 2 | 3 = 0;

  constructor(port: TranslatorPort) {
    const reader = {
      walkRead: (_core: number, pa: number, cacheable: boolean) => port.peekDescriptor?.(pa, cacheable) ?? false,
      get walkLo() {
        return port.walkLo;
      },
      get walkHi() {
        return port.walkHi;
      },
      walkWrite: () => true,
    };
    this.stage2 = new Stage2(reader, this.fault, () => {});
    this.walker = new Walker(reader, this.fault, this.stage2, () => {});
  }

  /**
   * For an access with a result from a TLB: undefined if a walk gives the same, else what it gives. Stage 1 is on, or `range`
   * undefined and (hi, lo) an intermediate address.
   */
  differs(
    core: number,
    context: TranslationContext,
    range: TranslationRange | undefined,
    hi: number,
    lo: number,
    access: Access,
    rights: Rights,
    result: TranslationResult,
  ): string | undefined {
    const done =
      range === undefined
        ? this.second(core, context, (hi >>> 0) * 2 ** 32 + (lo >>> 0), result, access)
        : this.both(core, context, range, hi, lo, access, rights);
    this.sameAddress = done && this.pa === result.pa;
    if (!done) return `a ${describeFault(this.fault)}`;
    if (!this.sameAddress) return `PA ${hex(this.pa)}`;
    return this.type === result.type ? undefined : describeType(this.type, this.shareability);
  }

  private both(
    core: number,
    context: TranslationContext,
    range: TranslationRange,
    hi: number,
    lo: number,
    access: Access,
    { privileged, pan }: Rights,
  ): boolean {
    const { walker, fault, stage2 } = this;
    if (!walker.walk(core, context, range, hi, lo)) return false;
    const { attr } = walker;
    if (!permitsIn(context, attr, access, privileged, pan)) {
      fault.plain('permission', false);
      fault.level = attrLevel(attr);
      return false;
    }
    this.pa = walker.pa + (lo & ((1 << walker.pageLog2) - 1));
    let attr2 = 0;
    if (context.stage2) {
      if (!this.through(core, context, this.pa, access)) return false;
      attr2 = stage2.attr2;
    }
    this.type = accessType(attrType(attr), attr2, context, access);
    const sh = (attr >>> Attr.ShShift) & 3;
    this.shareability = effectiveShareability(attr2 === 0 ? sh : combineShareability(attr2, sh), this.type);
    return true;
  }

  /** Stage 1 is off: its part of the result is what it was. */
  private second(
    core: number,
    context: TranslationContext,
    ipa: number,
    result: TranslationResult,
    access: Access,
  ): boolean {
    if (!this.through(core, context, ipa, access)) return false;
    this.type = combineTypes(this.stage2.attr2, offType(context, access), context.s2, access);
    this.shareability = result.shareability;
    return true;
  }

  private through(core: number, context: TranslationContext, ipa: number, access: Access): boolean {
    const { stage2 } = this;
    if (!stage2.find(core, context, ipa, access)) return false;
    if (!permits2(stage2.attr2, access, context.el === 0)) return stage2.refuse(ipa, level2(stage2.attr2));
    this.pa = stage2.pa;
    return true;
  }
}
