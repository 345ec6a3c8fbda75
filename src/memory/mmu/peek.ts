/**
 * Translation as the debugger sees it: every descriptor of both stages' walks with its meaning, without TLB and without any
 * effect. The walks are the Walker's and the Stage2's.
 */
import { describeDescriptor } from '../../arch/descriptors';
import { MutableFault } from '../faults';
import { Access } from '../translator';
import { MemoryType, type TranslationContext } from '../types';
import {
  Attr,
  accessType,
  attrLevel,
  attrType,
  describePermissions,
  describeType,
  effectiveShareability,
  offType,
  permits,
} from './attributes';
import type { DescriptorPort, WalkTrace } from './descriptorAccess';
import { describeFault } from './faultStatus';
import { ignoresTop, isUpper, reachable, untagged } from './ranges';
import { Stage2 } from './stage2';
import { combineShareability, combineTypes, describePermissions2, level2, permits2 } from './stage2Attributes';
import { Walker } from './walker';

export interface TranslationStep {
  readonly stage: 1 | 2;
  readonly level: number;
  readonly descriptorPa: bigint;
  readonly descriptor: bigint;
  readonly meaning: string;
}

export interface PeekedTranslation {
  readonly ok: boolean;
  readonly pa: bigint | undefined;
  /** Stage 1's result where there is a stage 2. */
  readonly ipa: bigint | undefined;
  /** 'translation fault, level 2', 'stage 2 permission fault, level 3, IPA 0x40000000'. */
  readonly fault: string | undefined;
  /** 'Normal WB ISH, EL1 RW XN, EL0 no access XN'. */
  readonly attributes: string;
  readonly steps: readonly TranslationStep[];
  /** log2 of the bytes that the leaf maps; 64 with all stages off. */
  readonly pageLog2: number;
}

/** Reads the 64-bit descriptor at a physical address without effects; undefined where there is no memory. */
export type PeekDescriptor = (pa: number) => bigint | undefined;

/** Reads where the debugger reads; updates go nowhere. */
function peekPort(peek: PeekDescriptor): DescriptorPort {
  const port = {
    walkLo: 0,
    walkHi: 0,
    walkRead(_core: number, pa: number): boolean {
      const value = peek(pa);
      if (value === undefined) return false;
      port.walkLo = Number(value & 0xffffffffn);
      port.walkHi = Number(value >> 32n);
      return true;
    },
    walkWrite: () => true,
  };
  return port;
}

/** One translation: both walks, and what they met. */
class Peek {
  readonly steps: TranslationStep[] = [];
  readonly fault = new MutableFault();
  readonly stage2: Stage2;
  readonly walker: Walker;

  constructor(
    private readonly context: TranslationContext,
    private readonly access: Access,
    peek: PeekDescriptor,
    granuleLog2: 12 | 14 | 16,
  ) {
    const trace: WalkTrace = (stage, level, pa, hi, lo) => {
      const descriptor = (BigInt(hi) << 32n) | BigInt(lo);
      const granule = stage === 1 ? granuleLog2 : context.s2.granuleLog2;
      const { forcedWriteBack } = context.s2;
      const where = { granuleLog2: granule, level, stage, singleRange: !context.twoRanges, forcedWriteBack };
      this.steps.push({
        stage,
        level,
        descriptorPa: BigInt(pa),
        descriptor,
        // Only a view of the translation reads it, while every read of memory comes by here.
        get meaning() {
          return describeDescriptor(where, descriptor).meaning ?? '';
        },
      });
    };
    const port = peekPort(peek);
    this.stage2 = new Stage2(port, this.fault, () => {}, undefined, trace);
    this.walker = new Walker(port, this.fault, this.stage2, () => {}, trace);
  }

  failed(ipa?: number): PeekedTranslation {
    const fault = describeFault(this.fault);
    return { ok: false, pa: undefined, ipa: wide(ipa), fault, attributes: '', steps: this.steps, pageLog2: 0 };
  }
  refused(kind: MutableFault['kind'], level: number): PeekedTranslation {
    this.fault.plain(kind, false);
    this.fault.level = level;
    return this.failed();
  }

  /** Stage 2 of a stage 1 result whose type and shareability are known. */
  through(ipa: number, type: MemoryType, shareability: number, pageLog2: number, rights: string): PeekedTranslation {
    const { context, access, stage2, steps } = this;
    if (!stage2.find(0, context, ipa, Access.Read)) return this.failed(ipa);
    const { attr2 } = stage2;
    const both = combineTypes(attr2, type, context.s2, access);
    const sh = effectiveShareability(combineShareability(attr2, shareability), both);
    const attributes = `${describeType(both, sh)}, ${rights}; stage 2 ${describePermissions2(attr2, context.s2.xnx)}`;
    const size = Math.min(pageLog2, stage2.pageLog2);
    const ok = permits2(attr2, access, context.el === 0);
    if (!ok) stage2.refuse(ipa, level2(attr2));
    const fault = ok ? undefined : describeFault(this.fault);
    return { ok, pa: BigInt(stage2.pa), ipa: BigInt(ipa), fault, attributes, steps, pageLog2: size };
  }
}

const wide = (address: number | undefined): bigint | undefined => (address === undefined ? undefined : BigInt(address));

function flat(peek: Peek, context: TranslationContext, hi: number, lo: number, access: Access): PeekedTranslation {
  const pa = (hi >>> 0) * 2 ** 32 + lo;
  if (pa >= 2 ** context.ipsBits) return peek.refused('addressSize', 0);
  const type = offType(context, access);
  const shareability = context.hcrDC ? 0 : 2;
  if (context.stage2) return peek.through(pa, type, shareability, 64, 'stage 1 off');
  const attributes = `${describeType(type, shareability)}, stage 1 off`;
  return { ok: true, pa: BigInt(pa), ipa: undefined, fault: undefined, attributes, steps: [], pageLog2: 64 };
}

/** Translates for `context` as an access of that kind would, TLBs aside. */
export function peekTranslate(
  context: TranslationContext,
  va: bigint,
  access: Access,
  read: PeekDescriptor,
): PeekedTranslation {
  const vaHi = Number((va >> 32n) & 0xffffffffn) | 0;
  const lo = Number(va & 0xffffffffn);
  const upper = isUpper(context, vaHi);
  const range = context.ranges[upper ? 1 : 0];
  const fetch = access === Access.Fetch;
  const hi = untagged(range, upper, vaHi, fetch);
  const peek = new Peek(context, access, read, range.granuleLog2);
  if (!context.mmu) return flat(peek, context, ignoresTop(range, fetch) ? hi & 0x00ffffff : hi, lo, access);
  const closed = range.disabledWalks || (range.closedToEl0 && context.el === 0);
  if (!reachable(range, upper, hi, lo) || closed) return peek.refused('translation', 0);
  const { walker, steps } = peek;
  if (!walker.walk(0, context, range, hi, lo)) return peek.failed();

  const { attr, pageLog2 } = walker;
  const out = walker.pa + Number(va & ((1n << BigInt(pageLog2)) - 1n));
  const rights = describePermissions(attr, context);
  const permitted = permits(attr, !context.twoRanges, access, context.el !== 0, context.wxn, context.pan);
  const sh = (attr >>> Attr.ShShift) & 3;
  const type = accessType(attrType(attr), 0, context, access);
  if (context.stage2 && permitted) return peek.through(out, type, sh, pageLog2, rights);
  const attributes = `${describeType(type, effectiveShareability(sh, type))}, ${rights}`;
  const address = context.stage2 ? { pa: undefined, ipa: BigInt(out) } : { pa: BigInt(out), ipa: undefined };
  if (permitted) return { ok: true, ...address, fault: undefined, attributes, steps, pageLog2 };
  const refused = peek.refused('permission', attrLevel(attr));
  return { ...refused, ...address, attributes, pageLog2 };
}

/** Stage 2 alone, of an intermediate address; where it is off the address is physical. */
export function peekStage2(
  context: TranslationContext,
  ipa: bigint,
  access: Access,
  read: PeekDescriptor,
): PeekedTranslation {
  const peek = new Peek(context, access, read, 12);
  if (context.stage2) return peek.through(Number(ipa), MemoryType.NormalWB, 0, 64, 'stage 1 aside');
  return { ok: true, pa: ipa, ipa, fault: undefined, attributes: 'stage 2 off', steps: [], pageLog2: 64 };
}
