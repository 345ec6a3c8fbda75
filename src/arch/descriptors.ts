/**
 * Translation table descriptors of the VMSAv8-64 format, 48-bit addresses: what each bit means by granule, level and stage.
 * The walkers read the same facts as numbers in `granules`.
 */
import { fieldBig } from '../base/bits';
import { type Described, describeFields } from './described';
import { bits } from './sysregs/row';
import type { RegisterField } from './sysregs/types';

export type GranuleLog2 = 12 | 14 | 16;
export type DescriptorKind = 'invalid' | 'table' | 'block' | 'page';

export interface GranuleRow {
  readonly log2: GranuleLog2;
  readonly name: string;
  /** Address bits resolved at a full level. */
  readonly bitsPerLevel: number;
  /** Levels at which a block descriptor is allowed (48-bit addresses). */
  readonly blockLevels: readonly number[];
}

export const granules: readonly GranuleRow[] = [
  { log2: 12, name: '4 KB', bitsPerLevel: 9, blockLevels: [1, 2] },
  { log2: 14, name: '16 KB', bitsPerLevel: 11, blockLevels: [2] },
  { log2: 16, name: '64 KB', bitsPerLevel: 13, blockLevels: [2] },
];

const granule = (log2: GranuleLog2): GranuleRow => granules.find((row) => row.log2 === log2)!;

/** Log2 of the bytes that one entry of a level maps: 12, 21, 30, 39 for levels 3 to 0 of the 4 KB granule. */
export const levelShift = (log2: GranuleLog2, level: number): number => log2 + (3 - level) * granule(log2).bitsPerLevel;

/** What a descriptor is, by its low two bits and its level. Block encodings where no block is allowed are invalid. */
export function descriptorKind(log2: GranuleLog2, level: number, descriptor: bigint): DescriptorKind {
  const type = Number(descriptor & 3n);
  if ((type & 1) === 0) return 'invalid';
  if (level === 3) return type === 3 ? 'page' : 'invalid';
  if (type === 3) return 'table';
  return granule(log2).blockLevels.includes(level) ? 'block' : 'invalid';
}

const share = '{0 Non-shareable; 1 reserved; 2 Outer Shareable; 3 Inner Shareable}';

const upperStage1 = (oneVa: boolean): string => `
  63 IGNORED63
  62:59 PBHA [FEAT_HPDS2] page-based hardware attributes
  58:55 SOFTWARE for software's use
  54 ${oneVa ? 'XN execution' : 'UXN execution at EL0'} {0 allowed; 1 never}
  53 ${oneVa ? 'RES0' : 'PXN execution at EL1 {0 allowed; 1 never}'}
  52 Contiguous one of a run of entries that a TLB may hold as one {0 no; 1 yes}
  51 DBM [FEAT_HAFDBS] dirty bit modifier
  50 GP [FEAT_BTI] guarded page
  49:48 RES0`;

const lowerStage1 = (oneVa: boolean): string => `
  11 ${oneVa ? 'RES0' : 'nG {0 global; 1 of one ASID}'}
  10 AF access flag {0 an access faults; 1 accessed}
  9:8 SH shareability ${share}
  7:6 AP ${oneVa ? '{0 read, write; 1 read, write; 2 read only; 3 read only}' : '{0 EL1 read, write; 1 EL1 and EL0 read, write; 2 EL1 read only; 3 EL1 and EL0 read only}'}
  5 NS output address, in Secure state {0 Secure; 1 Non-secure}
  4:2 AttrIndx Attr field of MAIR_ELx`;

const upperStage2 = `
  63 IGNORED63
  62:59 PBHA [FEAT_HPDS2] page-based hardware attributes
  58:55 SOFTWARE for software's use
  54 XN execution {0 allowed; 1 never}
  53 XN0 [FEAT_XNX] with XN, execution by EL
  52 Contiguous one of a run of entries that a TLB may hold as one {0 no; 1 yes}
  51 DBM [FEAT_HAFDBS] dirty bit modifier
  50:48 RES0`;

const memAttr =
  '{0 Device-nGnRnE; 1 Device-nGnRE; 2 Device-nGRE; 3 Device-GRE; 5 Normal NC; 10 Normal WT; 15 Normal WB}';
/** With HCR_EL2.FWB. */
const forcedMemAttr =
  '{0 Device-nGnRnE; 1 Device-nGnRE; 2 Device-nGRE; 3 Device-GRE; 5 Normal NC; 6 Normal WB; 7 as stage 1}';

const lowerStage2 = (forced: boolean): string => `
  11 RES0
  10 AF access flag {0 an access faults; 1 accessed}
  9:8 SH shareability ${share}
  7:6 S2AP {0 none; 1 read only; 2 write only; 3 read, write}
  5:2 MemAttr ${forced ? forcedMemAttr : memAttr}`;

const tableUpper = (stage: 1 | 2): string =>
  stage === 2
    ? '63:59 RES0'
    : `
  63 NSTable tables below, in Secure state {0 Secure; 1 Non-secure}
  62:61 APTable limit of access below {0 none; 1 not EL0; 2 read only; 3 read only, not EL0}
  60 UXNTable execution at EL0 below {0 no limit; 1 never}
  59 PXNTable execution at EL1 below {0 no limit; 1 never}`;

function addressBits(low: number, name: string): string {
  return low === 12 ? `47:12 ${name}` : `47:${low} ${name}\n${low - 1}:12 RES0`;
}

export interface DescriptorContext {
  readonly granuleLog2: GranuleLog2;
  readonly level: number;
  readonly stage: 1 | 2;
  /** Regime with a single VA range and one privilege (EL2 without E2H, EL3). */
  readonly singleRange?: boolean;
  /** HCR_EL2.FWB: stage 2's MemAttr means something else. */
  readonly forcedWriteBack?: boolean;
}

/** Fields of a descriptor of this kind, all 64 bits. */
export function descriptorFields(kind: DescriptorKind, context: DescriptorContext): RegisterField[] {
  const { granuleLog2, level, stage, singleRange = false, forcedWriteBack = false } = context;
  const end = '\n1:0 Type {1 block; 3 table or page}';
  if (kind === 'invalid') return bits('63:1 IGNORED\n0 Valid {0 invalid; 1 block where none is allowed}');
  if (kind === 'table')
    return bits(
      `${tableUpper(stage)}\n58:51 IGNORED\n50:48 RES0\n${addressBits(granuleLog2, 'NextLevelTable')}\n11:2 IGNORED11${end}`,
    );
  const shift = kind === 'page' ? granuleLog2 : levelShift(granuleLog2, level);
  const upper = stage === 1 ? upperStage1(singleRange) : upperStage2;
  const lower = stage === 1 ? lowerStage1(singleRange) : lowerStage2(forcedWriteBack);
  const text = `${upper}\n${addressBits(shift, 'OutputAddress')}\n${lower}${end}`;
  return bits(kind === 'block' && shift > 17 ? text.replace(`${shift - 1}:12 RES0`, blockGap(shift)) : text);
}

/** Between a block's address and its attributes: nT at bit 16, the rest reserved. */
const blockGap = (shift: number): string => `${shift - 1}:17 RES0\n16 nT [FEAT_BBM] no translation\n15:12 RES0`;

/** Address in a table, block or page descriptor. */
export function descriptorAddress(kind: DescriptorKind, context: DescriptorContext, descriptor: bigint): bigint {
  if (kind === 'invalid') return 0n;
  const low = kind === 'block' ? levelShift(context.granuleLog2, context.level) : context.granuleLog2;
  return fieldBig(descriptor, 47, low) << BigInt(low);
}

/** One line of attributes: 'AttrIndx 0, Inner Shareable, EL1 read, write, AF, UXN'. */
function attributesOf(parts: readonly Described[]): string {
  const part = (name: string): Described | undefined => parts.find((p) => p.name === name);
  const flag = (name: string): string | undefined => (part(name)?.value === 1n ? name : undefined);
  const index = part('AttrIndx');
  return [
    index === undefined ? part('MemAttr')?.meaning : `AttrIndx ${index.value}`,
    part('SH')?.meaning,
    part('AP')?.meaning ?? part('S2AP')?.meaning,
    part('AF')?.value === 0n ? 'AF clear' : undefined,
    ...['nG', 'Contiguous', 'XN', 'UXN', 'PXN', 'NS'].map(flag),
  ]
    .filter((text) => text !== undefined)
    .join('; ');
}

/** A descriptor as a tree; the root's meaning is one line. */
export function describeDescriptor(context: DescriptorContext, descriptor: bigint): Described {
  const kind = descriptorKind(context.granuleLog2, context.level, descriptor);
  const children = describeFields(descriptorFields(kind, context), descriptor);
  const address = `0x${descriptorAddress(kind, context, descriptor).toString(16)}`;
  const meaning = {
    invalid: 'invalid',
    table: `table at ${address}`,
    block: `block at ${address}: ${attributesOf(children)}`,
    page: `page at ${address}: ${attributesOf(children)}`,
  }[kind];
  return { name: `level ${context.level} descriptor`, value: descriptor, meaning, children };
}
