/**
 * Translation as the debugger sees it: every descriptor of the walk with its meaning, without TLB and without any effect. The
 * walk itself is the Walker's.
 */
import { describeDescriptor } from '../../arch/descriptors';
import { MutableFault } from '../faults';
import { Access } from '../translator';
import { MemoryType, type TranslationContext } from '../types';
import {
  Attr,
  accessType,
  attrType,
  describePermissions,
  describeType,
  effectiveShareability,
  permits,
} from './attributes';
import { isUpper, reachable, untagged } from './ranges';
import { startLevel, Walker } from './walker';

export interface TranslationStep {
  readonly level: number;
  readonly descriptorPa: bigint;
  readonly descriptor: bigint;
  readonly meaning: string;
}

export interface PeekedTranslation {
  readonly ok: boolean;
  readonly pa: bigint | undefined;
  /** 'translation fault, level 2'. */
  readonly fault: string | undefined;
  /** 'Normal WB ISH, EL1 RW XN, EL0 no access XN'. */
  readonly attributes: string;
  readonly steps: readonly TranslationStep[];
  /** log2 of the bytes that the leaf maps; 64 with stage 1 off. */
  readonly pageLog2: number;
}

/** Reads the 64-bit descriptor at a physical address without effects; undefined where there is no memory. */
export type PeekDescriptor = (pa: number) => bigint | undefined;

const faultNames: Readonly<Record<string, string>> = {
  translation: 'translation fault',
  addressSize: 'address size fault',
  accessFlag: 'access flag fault',
  permission: 'permission fault',
  externalWalk: 'external abort on the table walk',
};
const describeFault = (fault: Pick<MutableFault, 'kind' | 'level'>): string =>
  `${faultNames[fault.kind] ?? fault.kind}, level ${fault.level}`;

const nothing = { attributes: '', pa: undefined, ok: false, steps: [] as TranslationStep[], pageLog2: 0 };
const failed = (
  kind: MutableFault['kind'],
  level: number,
  steps: readonly TranslationStep[] = [],
): PeekedTranslation => ({
  ...nothing,
  steps,
  fault: describeFault({ kind, level }),
});

function flat(context: TranslationContext, hi: number, lo: number, access: Access): PeekedTranslation {
  const pa = (hi >>> 0) * 2 ** 32 + lo;
  if (pa >= 2 ** context.ipsBits) return failed('addressSize', 0);
  const fetch = context.fetchCacheable ? MemoryType.NormalWT : MemoryType.NormalNC;
  const off = access === Access.Fetch ? fetch : MemoryType.DeviceNGnRnE;
  const type = context.hcrDC ? MemoryType.NormalWB : off;
  const attributes = `${describeType(type, context.hcrDC ? 0 : 2)}, stage 1 off`;
  return { ok: true, pa: BigInt(pa), fault: undefined, attributes, steps: [], pageLog2: 64 };
}

/** Translates for `context` as an access of that kind would, TLBs aside. */
export function peekTranslate(
  context: TranslationContext,
  va: bigint,
  access: Access,
  peek: PeekDescriptor,
): PeekedTranslation {
  const vaHi = Number((va >> 32n) & 0xffffffffn) | 0;
  const lo = Number(va & 0xffffffffn);
  const upper = isUpper(context, vaHi);
  const range = context.ranges[upper ? 1 : 0];
  const hi = untagged(range, upper, vaHi);
  if (!context.mmu) return flat(context, range.tbi ? hi & 0x00ffffff : hi, lo, access);
  if (!reachable(range, upper, hi, lo) || range.disabledWalks) return failed('translation', 0);

  const steps: TranslationStep[] = [];
  const singleRange = context.regime !== 'EL1&0';
  const fault = new MutableFault();
  const reader = {
    walkLo: 0,
    walkHi: 0,
    walkRead(_core: number, pa: number): boolean {
      const value = peek(pa);
      if (value === undefined) return false;
      reader.walkLo = Number(value & 0xffffffffn);
      reader.walkHi = Number(value >> 32n);
      return true;
    },
  };
  const walker = new Walker(
    reader,
    fault,
    () => {},
    (level, pa, dHi, dLo) => {
      const descriptor = (BigInt(dHi) << 32n) | BigInt(dLo);
      const where = { granuleLog2: range.granuleLog2, level, stage: 1, singleRange } as const;
      steps.push({
        level,
        descriptorPa: BigInt(pa),
        descriptor,
        // Only a view of the translation reads it, while every read of memory comes by here.
        get meaning() {
          return describeDescriptor(where, descriptor).meaning ?? '';
        },
      });
    },
  );
  if (!walker.walk(0, context, range, hi, lo)) return failed(fault.kind, fault.level, steps);

  const { attr } = walker;
  const type = accessType(attrType(attr), context, access);
  const shareability = effectiveShareability((attr >>> Attr.ShShift) & 3, type);
  const attributes = `${describeType(type, shareability)}, ${describePermissions(attr, context)}`;
  const permitted = permits(attr, singleRange, access, context.el !== 0, context.wxn, context.pan);
  return {
    ok: permitted,
    pa: BigInt(walker.pa) + (va & ((1n << BigInt(walker.pageLog2)) - 1n)),
    fault: permitted ? undefined : describeFault({ kind: 'permission', level: startLevel(range) + steps.length - 1 }),
    attributes,
    steps,
    pageLog2: walker.pageLog2,
  };
}
