/**
 * Memory attributes and permissions as a TLB entry keeps them: raw, in one word, before anything that the accessing context
 * decides (SCTLR.C and I, PAN, WXN, level). Sections: MAIR_EL1, Stage 1 memory region attributes, Data access permissions.
 *
 * Bits of the word: 0 AP[1] (EL0 has access), 1 AP[2] (read only), 2 UXN or XN, 3 PXN, 6:4 MemoryType, 8:7 SH, 9 NS,
 * 11:10 level of the leaf, 19:12 MAIR attribute, 20 DBM, 21 guarded page (FEAT_BTI).
 */
import { Access } from '../translator';
import { MemoryType, type TranslationContext } from '../types';
import { combineTypes } from './stage2Attributes';

export const Attr = {
  El0: 1,
  ReadOnly: 2,
  Uxn: 4,
  Pxn: 8,
  TypeShift: 4,
  ShShift: 7,
  Ns: 1 << 9,
  LevelShift: 10,
  MairShift: 12,
  Dbm: 1 << 20,
  Guarded: 1 << 21,
} as const;

export const attrType = (attr: number): MemoryType => ((attr >>> Attr.TypeShift) & 7) as MemoryType;
export const attrLevel = (attr: number): number => (attr >>> Attr.LevelShift) & 3;
export const attrMair = (attr: number): number => (attr >>> Attr.MairShift) & 0xff;

/** Cacheability of one half of a Normal attribute: 0b0000 is no Normal encoding, 0b0100 is Non-cacheable. */
function cacheability(half: number): MemoryType {
  if (half === 0 || half === 4) return MemoryType.NormalNC;
  return half & 4 ? MemoryType.NormalWB : MemoryType.NormalWT;
}

/**
 * Memory type of a MAIR attribute. Inner and outer cacheability are one here, the weaker of the two: all caches of these
 * machines stand before the outer domain, and cores treat mixed attributes as the weaker one.
 */
export function mairType(attribute: number): MemoryType {
  if (attribute >>> 4 === 0) return ((attribute >>> 2) & 3) as MemoryType;
  return Math.min(cacheability(attribute >>> 4), cacheability(attribute & 15)) as MemoryType;
}

/** Device and Non-cacheable memory is Outer Shareable whatever the descriptor says; the reserved value acts as none. */
export const effectiveShareability = (sh: number, type: MemoryType): 0 | 2 | 3 =>
  type <= MemoryType.NormalNC ? 2 : sh === 1 ? 0 : (sh as 0 | 2 | 3);

/** PAR_EL1.SH: that of the descriptor, Outer Shareable for Device memory and where both cacheabilities are none. */
export const parShareability = (sh: number, mair: number): number =>
  mair >>> 4 === 0 || mair === NC_BOTH ? 2 : sh === 1 ? 0 : sh;
const NC_BOTH = 0x44;

/**
 * The type that an access in this context sees, stage 1 on; `attr2` is stage 2's attribute word or 0. Maintenance acts whatever
 * SCTLR says.
 */
export function accessType(type: MemoryType, attr2: number, context: TranslationContext, access: Access): MemoryType {
  const stage1 = stage1Type(type, context, access);
  return attr2 === 0 ? stage1 : combineTypes(attr2, stage1, context.s2, access);
}
function stage1Type(type: MemoryType, context: TranslationContext, access: Access): MemoryType {
  if (access === Access.Fetch)
    return type <= MemoryType.DeviceGRE || !context.fetchCacheable ? MemoryType.NormalNC : type;
  if (access === Access.Maintenance || context.dataCacheable || type <= MemoryType.DeviceGRE) return type;
  return MemoryType.NormalNC;
}

/** A page that hardware may mark as written to. */
export const CLEAN = Attr.Dbm | Attr.ReadOnly;

/** As `permits` under a context: where hardware keeps the dirty state, a clean page may be written to. */
export function permitsIn(
  context: TranslationContext,
  attr: number,
  access: Access,
  privileged: boolean,
  pan: boolean,
): boolean {
  const dirty = context.hardwareDirty && (attr & CLEAN) === CLEAN ? attr & ~Attr.ReadOnly : attr;
  return permits(dirty, !context.twoRanges, access, privileged, context.wxn, pan);
}

/** Stage 1's memory type where it is off (S1DisabledOutput). */
export function offType(context: TranslationContext, access: Access): MemoryType {
  if (context.hcrDC) return MemoryType.NormalWB;
  if (access !== Access.Fetch) return MemoryType.DeviceNGnRnE;
  return context.fetchCacheable ? MemoryType.NormalWT : MemoryType.NormalNC;
}

/** Whether stage 1 of a regime permits the access. `privileged`: at EL1 or above, not LDTR or STTR. */
export function permits(
  attr: number,
  singleRange: boolean,
  access: Access,
  privileged: boolean,
  wxn: boolean,
  pan: boolean,
): boolean {
  if (access === Access.Maintenance) return true;
  const writable = (attr & Attr.ReadOnly) === 0;
  if (singleRange) {
    if (access === Access.Fetch) return (attr & Attr.Uxn) === 0 && !(wxn && writable);
    return access === Access.Read || writable;
  }
  const el0 = (attr & Attr.El0) !== 0;
  if (access === Access.Fetch) {
    if (!privileged) return (attr & Attr.Uxn) === 0 && !(wxn && el0 && writable);
    // What EL0 may write is never executable at EL1.
    return (attr & Attr.Pxn) === 0 && !(el0 && writable) && !(wxn && writable);
  }
  if (privileged ? pan && el0 : !el0) return false;
  return access === Access.Read || writable;
}

const typeNames: Readonly<Record<number, string>> = {
  [MemoryType.DeviceNGnRnE]: 'Device-nGnRnE',
  [MemoryType.DeviceNGnRE]: 'Device-nGnRE',
  [MemoryType.DeviceNGRE]: 'Device-nGRE',
  [MemoryType.DeviceGRE]: 'Device-GRE',
  [MemoryType.NormalNC]: 'Normal NC',
  [MemoryType.NormalWT]: 'Normal WT',
  [MemoryType.NormalWB]: 'Normal WB',
};
const shareabilityNames = { 0: 'NSH', 2: 'OSH', 3: 'ISH' } as const;

/** 'Normal WB ISH'. */
export const describeType = (type: MemoryType, shareability: 0 | 2 | 3): string =>
  `${typeNames[type]} ${shareabilityNames[shareability]}`;

/** 'EL1 RW X, EL0 R XN': what a raw attribute word permits. */
export function describePermissions(attr: number, context: TranslationContext): string {
  const single = !context.twoRanges;
  const rights = (privileged: boolean): string => {
    const may = (access: Access): boolean => permits(attr, single, access, privileged, context.wxn, false);
    const data = may(Access.Write) ? 'RW' : may(Access.Read) ? 'R' : 'no access';
    return `${data} ${may(Access.Fetch) ? 'X' : 'XN'}`;
  };
  const upper = context.regime === 'EL2&0' ? 'EL2' : 'EL1';
  return single ? `${context.regime} ${rights(true)}` : `${upper} ${rights(true)}, EL0 ${rights(false)}`;
}
