/**
 * How a core says that it has a feature: the ID register field and the smallest value that means yes. Row and field
 * `feature`s are names of this table. Features that no ID value turns on here have a reason instead.
 */
import type { HasFeature } from './masks';

export interface FeatureRow {
  readonly register: string;
  readonly field: string;
  readonly atLeast: number;
  /** The field is signed: all ones means no. */
  readonly signed?: boolean;
}

const from = (register: string, field: string, atLeast = 1): FeatureRow => ({ register, field, atLeast });
const PFR0 = 'ID_AA64PFR0_EL1';
const PFR1 = 'ID_AA64PFR1_EL1';
const DFR0 = 'ID_AA64DFR0_EL1';
const ISAR0 = 'ID_AA64ISAR0_EL1';
const ISAR1 = 'ID_AA64ISAR1_EL1';
const ISAR2 = 'ID_AA64ISAR2_EL1';
const MMFR0 = 'ID_AA64MMFR0_EL1';
const MMFR1 = 'ID_AA64MMFR1_EL1';
const MMFR2 = 'ID_AA64MMFR2_EL1';

export const features: Readonly<Record<string, FeatureRow>> = {
  FEAT_AA32EL0: from(PFR0, 'EL0', 2),
  FEAT_AA32EL1: from(PFR0, 'EL1', 2),
  FEAT_AMUv1: from(PFR0, 'AMU'),
  FEAT_AMUv1p1: from(PFR0, 'AMU', 2),
  FEAT_AFP: from(MMFR1, 'AFP'),
  FEAT_AdvSIMD: { ...from(PFR0, 'AdvSIMD', 0), signed: true },
  FEAT_BBM: from(MMFR2, 'BBM', 1),
  FEAT_BTI: from(PFR1, 'BT'),
  FEAT_CCIDX: from(MMFR2, 'CCIDX'),
  FEAT_CRC32: from(ISAR0, 'CRC32'),
  FEAT_CSV2: from(PFR0, 'CSV2'),
  FEAT_CSV2_2: from(PFR0, 'CSV2', 2),
  FEAT_DGH: from(ISAR1, 'DGH'),
  FEAT_DIT: from(PFR0, 'DIT'),
  FEAT_DPB: from(ISAR1, 'DPB'),
  FEAT_DPB2: from(ISAR1, 'DPB', 2),
  FEAT_E0PD: from(MMFR2, 'E0PD'),
  FEAT_ECV: from(MMFR0, 'ECV'),
  FEAT_EVT: from(MMFR2, 'EVT'),
  FEAT_ExS: from(MMFR0, 'ExS'),
  FEAT_FGT: from(MMFR0, 'FGT'),
  FEAT_EBF16: from(ISAR1, 'BF16', 2),
  FEAT_FP: { ...from(PFR0, 'FP', 0), signed: true },
  FEAT_FP16: { ...from(PFR0, 'FP', 1), signed: true },
  FEAT_FlagM: from(ISAR0, 'TS'),
  FEAT_FlagM2: from(ISAR0, 'TS', 2),
  FEAT_HAFDBS: from(MMFR1, 'HAFDBS'),
  FEAT_HBC: from(ISAR2, 'BC'),
  FEAT_HCX: from(MMFR1, 'HCX'),
  FEAT_HPDS: from(MMFR1, 'HPDS'),
  FEAT_HPDS2: from(MMFR1, 'HPDS', 2),
  FEAT_IDST: from(MMFR2, 'IDS'),
  FEAT_IESB: from(MMFR2, 'IESB'),
  FEAT_LOR: from(MMFR1, 'LO'),
  FEAT_LRCPC: from(ISAR1, 'LRCPC'),
  FEAT_LRCPC2: from(ISAR1, 'LRCPC', 2),
  FEAT_LS64: from(ISAR1, 'LS64'),
  FEAT_LSE: from(ISAR0, 'Atomic', 2),
  FEAT_LSE2: from(MMFR2, 'AT'),
  FEAT_LSMAOC: from(MMFR2, 'LSM'),
  FEAT_MOPS: from(ISAR2, 'MOPS'),
  FEAT_MTE: from(PFR1, 'MTE'),
  FEAT_MTE2: from(PFR1, 'MTE', 2),
  FEAT_MTPMU: { ...from(DFR0, 'MTPMU'), signed: true },
  FEAT_NMI: from(PFR1, 'NMI'),
  FEAT_NV: from(MMFR2, 'NV'),
  FEAT_NV2: from(MMFR2, 'NV', 2),
  FEAT_PAN: from(MMFR1, 'PAN'),
  FEAT_PAN2: from(MMFR1, 'PAN', 2),
  FEAT_PAN3: from(MMFR1, 'PAN', 3),
  FEAT_PAuth: from(ISAR1, 'APA'),
  FEAT_PMUv3p1: { ...from(DFR0, 'PMUVer', 4), signed: true },
  FEAT_PMUv3p5: { ...from(DFR0, 'PMUVer', 6), signed: true },
  FEAT_PMUv3p7: { ...from(DFR0, 'PMUVer', 7), signed: true },
  FEAT_RAS: from(PFR0, 'RAS'),
  FEAT_RASv1p1: from(PFR0, 'RAS', 2),
  FEAT_DoubleFault: from(PFR0, 'RAS', 2),
  FEAT_RME: from(PFR0, 'RME'),
  FEAT_S2FWB: from(MMFR2, 'FWB'),
  FEAT_SB: from(ISAR1, 'SB'),
  FEAT_SEL2: from(PFR0, 'SEL2'),
  FEAT_SHA512: from(ISAR0, 'SHA2', 2),
  FEAT_SME: from(PFR1, 'SME'),
  FEAT_SPE: from(DFR0, 'PMSVer'),
  FEAT_SPEv1p2: from(DFR0, 'PMSVer', 3),
  FEAT_SPECRES: from(ISAR1, 'SPECRES'),
  FEAT_SSBS: from(PFR1, 'SSBS'),
  FEAT_SVE: from(PFR0, 'SVE'),
  FEAT_TLBIOS: from(ISAR0, 'TLB'),
  FEAT_TLBIRANGE: from(ISAR0, 'TLB', 2),
  FEAT_TME: from(ISAR0, 'TME'),
  FEAT_TRBE: from(DFR0, 'TraceBuffer'),
  FEAT_TRF: from(DFR0, 'TraceFilt'),
  FEAT_TTCNP: from(MMFR2, 'CnP'),
  FEAT_TWED: from(MMFR1, 'TWED'),
  FEAT_UAO: from(MMFR2, 'UAO'),
  FEAT_VHE: from(MMFR1, 'VH'),
  FEAT_VMID16: from(MMFR1, 'VMIDBits', 2),
  FEAT_WFxT: from(ISAR2, 'WFxT', 2),
  FEAT_XNX: from(MMFR1, 'XNX'),
  FEAT_XS: from(ISAR1, 'XS'),
};

const LATER = 'a later extension, of which only the name is known here';

/** Features named by fields that no core has, and why. */
export const absentFeatures: Readonly<Record<string, string>> = {
  FEAT_CMOW: LATER,
  FEAT_Debugv8p9: LATER,
  FEAT_EBEP: LATER,
  FEAT_ETE: 'no trace unit',
  FEAT_FPMR: LATER,
  FEAT_GCS: LATER,
  FEAT_LPA2: 'no 52-bit addresses',
  FEAT_MEC: LATER,
  FEAT_MTE4: LATER,
  FEAT_OCCMO: LATER,
  FEAT_PCSRv8: 'no PC sampling',
  FEAT_PMUv3_ICNTR: LATER,
  FEAT_PMUv3p9: LATER,
  FEAT_PoPS: LATER,
  FEAT_SPMU: LATER,
  FEAT_TIDCP1: LATER,
};

/** Answers for one core, from its ID register values (read once per question: ask when building masks, not per access). */
export function featuresOf(idField: (register: string, field: string) => number): HasFeature {
  return (feature) => {
    const row = features[feature];
    if (row === undefined) return false;
    const value = idField(row.register, row.field);
    return row.signed === true && value === 15 ? false : value >= row.atLeast;
  };
}
