/**
 * What a stage 2 leaf says, in one word, and how it combines with stage 1. Sections: Stage 2 memory region type and
 * cacheability attributes, Stage 2 data access permissions, FEAT_S2FWB, FEAT_XNX; AArch64.S2ApplyFWBMemAttrs,
 * S2CombineS1MemAttrs.
 *
 * Bits of the word: 0 and 1 S2AP (read, write), 3:2 XN[1:0], 7:4 MemAttr, 9:8 SH, 11:10 level of the leaf, 12 DBM, 13 set in
 * every leaf, so that 0 means no stage 2.
 */
import { Access } from '../translator';
import { MemoryType, type Stage2Controls } from '../types';

export const Attr2 = {
  Read: 1,
  Write: 2,
  XnShift: 2,
  MemShift: 4,
  ShShift: 8,
  LevelShift: 10,
  Dbm: 1 << 12,
  Valid: 1 << 13,
} as const;

export const level2 = (attr2: number): number => (attr2 >>> Attr2.LevelShift) & 3;
const mem2 = (attr2: number): number => (attr2 >>> Attr2.MemShift) & 15;
const sh2 = (attr2: number): number => (attr2 >>> Attr2.ShShift) & 3;

/** Cacheability of one half of MemAttr: 0 is reserved there and acts as Non-cacheable. */
const half = (bits: number): MemoryType =>
  bits === 3 ? MemoryType.NormalWB : bits === 2 ? MemoryType.NormalWT : MemoryType.NormalNC;

/** MemAttr without FWB: Device, or outer and inner cacheability, of which the weaker counts (see mairType). */
function plainType(memAttr: number): MemoryType {
  if (memAttr >>> 2 === 0) return memAttr as MemoryType;
  return Math.min(half(memAttr >>> 2), half(memAttr & 3)) as MemoryType;
}

/** Types are in order of strength, Device first, so without FWB the smaller one wins. */
function combinedType(forced: boolean, memAttr: number, stage1: MemoryType): MemoryType {
  if (!forced) return Math.min(plainType(memAttr), stage1) as MemoryType;
  const device = stage1 <= MemoryType.DeviceGRE;
  switch (memAttr & 7) {
    case 7:
      return stage1;
    case 6:
      return MemoryType.NormalWB;
    case 5:
    case 4:
      return device ? stage1 : MemoryType.NormalNC;
    default:
      return Math.min(memAttr & 3, stage1) as MemoryType;
  }
}

/** By FWB, MemAttr and stage 1's type. */
const combined = Uint8Array.from({ length: 2 * 16 * 8 }, (_, i) =>
  combinedType(i >= 128, (i >>> 3) & 15, (i & 7) as MemoryType),
);

/** The type of both stages; HCR_EL2.CD and ID make Normal memory Non-cacheable, and so is a fetch from Device memory. */
export function combineTypes(attr2: number, stage1: MemoryType, controls: Stage2Controls, access: Access): MemoryType {
  const type = combined[(controls.forcedWriteBack ? 128 : 0) | (mem2(attr2) << 3) | stage1] as MemoryType;
  if (access === Access.Fetch)
    return type <= MemoryType.DeviceGRE || controls.fetchUncached ? MemoryType.NormalNC : type;
  return controls.dataUncached && access !== Access.Maintenance && type > MemoryType.NormalNC
    ? MemoryType.NormalNC
    : type;
}

/** Outer Shareable beats Inner Shareable beats Non-shareable; the reserved encoding acts as none. */
export function combineShareability(attr2: number, stage1: number): 0 | 2 | 3 {
  const stage2 = sh2(attr2);
  if (stage1 === 2 || stage2 === 2) return 2;
  return stage1 === 3 || stage2 === 3 ? 3 : 0;
}

/** Whether stage 2 permits an access; `el0`: the fetching level is EL0. */
export function permits2(attr2: number, access: Access, el0: boolean): boolean {
  switch (access) {
    case Access.Read:
      return (attr2 & Attr2.Read) !== 0;
    case Access.Write:
      return (attr2 & Attr2.Write) !== 0;
    case Access.Fetch: {
      const xn = (attr2 >>> Attr2.XnShift) & 3;
      return xn === 0 || xn === (el0 ? 1 : 3);
    }
    default:
      return true;
  }
}

const NC_BOTH = 0x44;

/** A nibble of a MAIR attribute (stage 1) with a half of MemAttr (stage 2): allocation hints are those of stage 1. */
function combineNibble(stage1: number, stage2: number): number {
  if (stage1 === 4 || stage2 === 1 || stage2 === 0) return 4;
  const stage1WriteThrough = (stage1 & 4) === 0;
  return stage1WriteThrough || stage2 === 3 ? stage1 : 8 | (stage1 & 3);
}

/** PAR_EL1.ATTR of both stages, from stage 1's MAIR attribute. */
export function combineMair(attr2: number, mair: number, controls: Stage2Controls): number {
  const memAttr = mem2(attr2);
  const device = mair >>> 4 === 0;
  if (controls.forcedWriteBack) {
    if ((memAttr & 7) === 7) return mair;
    if ((memAttr & 7) === 6) {
      // Allocation and transience are stage 1's.
      const nibble = (bits: number): number => (device || bits === 4 ? 15 : bits | 4);
      return controls.dataUncached ? NC_BOTH : (nibble(mair >>> 4) << 4) | nibble(mair & 15);
    }
    if ((memAttr & 7) >= 4) return device ? mair : NC_BOTH;
    return device ? Math.min(mair, (memAttr & 3) << 2) : (memAttr & 3) << 2;
  }
  if (memAttr >>> 2 === 0) return device ? Math.min(mair, memAttr << 2) : memAttr << 2;
  if (device) return mair;
  if (controls.dataUncached) return NC_BOTH;
  return (combineNibble(mair >>> 4, memAttr >>> 2) << 4) | combineNibble(mair & 15, memAttr & 3);
}

/** 'RW X': what a stage 2 leaf permits; with FEAT_XNX execution may differ between EL1 and EL0. */
export function describePermissions2(attr2: number, xnx: boolean): string {
  const read = attr2 & Attr2.Read ? 'R' : '';
  const write = attr2 & (Attr2.Write | Attr2.Dbm) ? 'W' : '';
  const el1 = permits2(attr2, Access.Fetch, false) ? 'X' : 'XN';
  const el0 = permits2(attr2, Access.Fetch, true) ? 'X' : 'XN';
  const execute = !xnx || el1 === el0 ? el1 : `EL1 ${el1} EL0 ${el0}`;
  return `${read + write || 'no access'} ${execute}`;
}
