/**
 * The features of the architecture, one row each: what it brings, which fields of the ID registers advertise it and at which
 * value, what it needs, and whether it is done. The ID registers of a core, the instructions and registers that it has and the
 * masks of its control registers all follow from the set of its features; a feature that is not done is in no core.
 */

export interface FeatureRow {
  /** What it brings, a few words. */
  readonly doc: string;
  /**
   * `ISAR0.Atomic=2` for ID_AA64ISAR0_EL1.Atomic at 2 or more; several are separated by spaces. With `?FEAT_X` the field says so
   * on cores that have that feature too. Empty: no field says it.
   */
  readonly id: string;
  /** Features without which this one makes no sense. */
  readonly needs: readonly string[];
  /** Features that a core cannot have beside it. */
  readonly excludes?: readonly string[];
  readonly status: 'done' | 'unimplemented';
  /** Why it is not done. */
  readonly note?: string;
}

const done = (doc: string, id: string, needs: readonly string[] = []): FeatureRow => ({
  doc,
  id,
  needs,
  status: 'done',
});

/** A feature that is not there (yet). */
const not = (doc: string, id: string, needs: readonly string[] = [], note = 'not modelled'): FeatureRow => ({
  doc,
  id,
  needs,
  status: 'unimplemented',
  note,
});

const LATER = 'a later extension, of which only the name is known here';
const later = (doc: string, id = ''): FeatureRow => not(doc, id, [], LATER);

export const features = {
  // Armv8.0
  FEAT_AA32EL0: not('AArch32 at EL0', 'PFR0.EL0=2'),
  FEAT_AA32EL1: not('AArch32 at EL1', 'PFR0.EL1=2', ['FEAT_AA32EL0']),
  FEAT_FP: done('floating point', 'PFR0.FP=0'),
  FEAT_AdvSIMD: done('Advanced SIMD', 'PFR0.AdvSIMD=0', ['FEAT_FP']),
  FEAT_CRC32: done('CRC32 instructions', 'ISAR0.CRC32=1'),
  FEAT_AES: done('AES instructions', 'ISAR0.AES=1', ['FEAT_AdvSIMD']),
  FEAT_PMULL: done('PMULL of 64 bits', 'ISAR0.AES=2', ['FEAT_AES']),
  FEAT_SHA1: done('SHA1 instructions', 'ISAR0.SHA1=1', ['FEAT_AdvSIMD']),
  FEAT_SHA256: done('SHA256 instructions', 'ISAR0.SHA2=1', ['FEAT_SHA1']),
  FEAT_PMUv3: done('performance monitors', 'DFR0.PMUVer=1'),
  FEAT_GICv3: done('system registers of the GICv3 CPU interface', 'PFR0.GIC=1'),
  FEAT_TGran4K: done('4 KB granule', 'MMFR0.TGran4=0'),
  FEAT_TGran16K: done('16 KB granule', 'MMFR0.TGran16=1'),
  FEAT_TGran64K: done('64 KB granule', 'MMFR0.TGran64=0'),
  FEAT_MixedEnd: not('big-endian data by SCTLR_ELx.EE and E0E', 'MMFR0.BigEnd=1'),
  FEAT_CSV2: done('branch targets trained in one context do not steer another', 'PFR0.CSV2=1'),
  FEAT_CSV2_2: not('SCXTNUM_ELx', 'PFR0.CSV2=2', ['FEAT_CSV2']),
  FEAT_CSV3: done('data loaded under a fault is not used by speculation', 'PFR0.CSV3=1'),
  FEAT_SB: done('SB', 'ISAR1.SB=1'),
  FEAT_SSBS: done('PSTATE.SSBS', 'PFR1.SSBS=1'),
  FEAT_SSBS2: done('SSBS by MRS and MSR', 'PFR1.SSBS=2', ['FEAT_SSBS']),
  FEAT_SPECRES: not('CFP, DVP and CPP RCTX', 'ISAR1.SPECRES=1'),
  FEAT_CLRBHB: done('CLRBHB', 'ISAR2.CLRBHB=1'),
  FEAT_DGH: done('data gathering hint', 'ISAR1.DGH=1'),
  FEAT_PCSRv8: not('PC sampling', '', [], 'no PC sampling'),

  // Armv8.1
  FEAT_LSE: done('CAS, SWP, LDADD and their kin', 'ISAR0.Atomic=2'),
  FEAT_RDM: done('SQRDMLAH and SQRDMLSH', 'ISAR0.RDM=1', ['FEAT_AdvSIMD']),
  FEAT_PAN: done('PSTATE.PAN', 'MMFR1.PAN=1'),
  FEAT_VHE: done('Virtualization Host Extensions', 'MMFR1.VH=1 DFR0.DebugVer=7'),
  FEAT_LOR: done('limited ordering regions', 'MMFR1.LO=1'),
  FEAT_HPDS: done('hierarchical permission disables', 'MMFR1.HPDS=1'),
  FEAT_VMID16: done('16-bit VMIDs', 'MMFR1.VMIDBits=2'),
  FEAT_HAFDBS: done('hardware update of access flag and dirty state', 'MMFR1.HAFDBS=2'),
  FEAT_PMUv3p1: not('PMUv3 of Armv8.1', 'DFR0.PMUVer=4', ['FEAT_PMUv3']),

  // Armv8.2
  FEAT_PAN2: done('AT S1E1RP and S1E1WP', 'MMFR1.PAN=2', ['FEAT_PAN']),
  FEAT_FP16: done('half-precision arithmetic', 'PFR0.FP=1 PFR0.AdvSIMD=1', ['FEAT_AdvSIMD']),
  FEAT_DotProd: done('UDOT and SDOT', 'ISAR0.DP=1', ['FEAT_AdvSIMD']),
  FEAT_FHM: done('FMLAL and FMLSL', 'ISAR0.FHM=1', ['FEAT_FP16']),
  FEAT_SHA512: done('SHA512 instructions', 'ISAR0.SHA2=2', ['FEAT_SHA256']),
  FEAT_SHA3: done('EOR3, RAX1, XAR and BCAX', 'ISAR0.SHA3=1', ['FEAT_SHA512']),
  FEAT_SM3: done('SM3 instructions', 'ISAR0.SM3=1', ['FEAT_AdvSIMD']),
  FEAT_SM4: done('SM4 instructions', 'ISAR0.SM4=1', ['FEAT_SM3']),
  FEAT_BF16: done('BFloat16 instructions', 'ISAR1.BF16=1', ['FEAT_AdvSIMD']),
  FEAT_EBF16: not('extended BFloat16 behaviours', 'ISAR1.BF16=2', ['FEAT_BF16']),
  FEAT_I8MM: done('8-bit integer matrix multiply', 'ISAR1.I8MM=1', ['FEAT_AdvSIMD']),
  FEAT_DPB: done('DC CVAP', 'ISAR1.DPB=1'),
  FEAT_DPB2: done('DC CVADP', 'ISAR1.DPB=2', ['FEAT_DPB']),
  FEAT_UAO: done('PSTATE.UAO', 'MMFR2.UAO=1'),
  FEAT_TTCNP: done('common not private translations', 'MMFR2.CnP=1'),
  FEAT_XNX: done('execute-never by EL at stage 2', 'MMFR1.XNX=1'),
  FEAT_HPDS2: done('page based hardware attributes', 'MMFR1.HPDS=2', ['FEAT_HPDS']),
  FEAT_IESB: not('implicit error synchronisation', 'MMFR2.IESB=1', ['FEAT_RAS']),
  FEAT_LSMAOC: not('SCTLR_ELx.LSMAOE and nTLSMD', 'MMFR2.LSM=1'),
  FEAT_RAS: done('ESB and error records', 'PFR0.RAS=1'),
  FEAT_SPE: not('Statistical Profiling Extension', 'DFR0.PMSVer=1'),
  FEAT_SVE: not('Scalable Vector Extension', 'PFR0.SVE=1', ['FEAT_FP16']),
  FEAT_LPA: not('52-bit physical addresses', 'MMFR0.PARange=6'),
  FEAT_LVA: not('52-bit virtual addresses', 'MMFR2.VARange=1'),

  // Armv8.3
  FEAT_PAuth: done(
    'pointer authentication',
    'ISAR1.APA=1?FEAT_PACQARMA5 ISAR1.API=1?FEAT_PACIMP ISAR2.APA3=1?FEAT_PACQARMA3',
  ),
  FEAT_EPAC: done(
    'enhanced PAC: no PAC for pointers that are not canonical',
    'ISAR1.APA=2?FEAT_PACQARMA5 ISAR1.API=2?FEAT_PACIMP',
    ['FEAT_PAuth'],
  ),
  FEAT_PAuth2: done('enhanced PAC, second form', 'ISAR1.APA=3?FEAT_PACQARMA5 ISAR1.API=3?FEAT_PACIMP', ['FEAT_PAuth']),
  FEAT_FPAC: done('faulting authentication', 'ISAR1.APA=4?FEAT_PACQARMA5 ISAR1.API=4?FEAT_PACIMP', ['FEAT_PAuth2']),
  FEAT_FPACCOMBINE: done(
    'faulting authentication in combined instructions',
    'ISAR1.APA=5?FEAT_PACQARMA5 ISAR1.API=5?FEAT_PACIMP',
    ['FEAT_FPAC'],
  ),
  FEAT_PACQARMA5: done('the QARMA5 algorithm', 'ISAR1.GPA=1', ['FEAT_PAuth']),
  FEAT_PACIMP: {
    ...done('an implementation defined algorithm', 'ISAR1.GPI=1', ['FEAT_PAuth']),
    excludes: ['FEAT_PACQARMA5'],
  },
  FEAT_PACQARMA3: not('the QARMA3 algorithm', 'ISAR2.GPA3=1', ['FEAT_PAuth']),
  FEAT_LRCPC: done('LDAPR', 'ISAR1.LRCPC=1'),
  FEAT_FCMA: done('complex number instructions', 'ISAR1.FCMA=1', ['FEAT_AdvSIMD']),
  FEAT_JSCVT: done('FJCVTZS', 'ISAR1.JSCVT=1', ['FEAT_FP']),
  FEAT_CCIDX: done('64-bit format of CCSIDR_EL1', 'MMFR2.CCIDX=1'),
  FEAT_NV: not('nested virtualization', 'MMFR2.NV=1'),
  FEAT_SPEv1p2: not('SPE of Armv8.7', 'DFR0.PMSVer=3', ['FEAT_SPE']),

  // Armv8.4
  FEAT_LSE2: done('single-copy atomicity within 16 bytes', 'MMFR2.AT=1', ['FEAT_LSE']),
  FEAT_LRCPC2: done('LDAPUR and STLUR', 'ISAR1.LRCPC=2', ['FEAT_LRCPC']),
  FEAT_FlagM: done('CFINV, RMIF and SETF', 'ISAR0.TS=1'),
  FEAT_DIT: done('PSTATE.DIT', 'PFR0.DIT=1'),
  FEAT_IDST: done('EC 0x18 for ID registers at EL0', 'MMFR2.IDS=1'),
  FEAT_S2FWB: done('stage 2 forced write-back', 'MMFR2.FWB=1'),
  FEAT_TTL: done('translation table level hint of TLBI', 'MMFR2.TTL=1'),
  FEAT_TLBIOS: done('outer shareable TLBI', 'ISAR0.TLB=1'),
  FEAT_TLBIRANGE: done('range TLBI', 'ISAR0.TLB=2', ['FEAT_TLBIOS']),
  FEAT_TTST: not('small translation tables', 'MMFR2.ST=1'),
  FEAT_BBM: not('changing block size without break-before-make', 'MMFR2.BBM=1'),
  FEAT_NV2: not('nested virtualization by memory', 'MMFR2.NV=2', ['FEAT_NV']),
  FEAT_SEL2: not('Secure EL2', 'PFR0.SEL2=1'),
  FEAT_DoubleFault: not('SCR_EL3.EASE and NMEA', 'PFR0.RAS=2', ['FEAT_RAS']),
  FEAT_RASv1p1: not('RAS of Armv8.4', 'PFR0.RAS=2', ['FEAT_RAS']),
  FEAT_AMUv1: not('activity monitors', 'PFR0.AMU=1'),
  FEAT_TRF: not('self-hosted trace filtering', 'DFR0.TraceFilt=1'),

  // Armv8.5
  FEAT_FlagM2: done('AXFLAG and XAFLAG', 'ISAR0.TS=2', ['FEAT_FlagM']),
  FEAT_FRINTTS: done('FRINT32 and FRINT64', 'ISAR1.FRINTTS=1', ['FEAT_FP']),
  FEAT_BTI: done('branch target identification', 'PFR1.BT=1'),
  FEAT_EVT: done('enhanced virtualization traps', 'MMFR2.EVT=2'),
  FEAT_E0PD: done('EL0 kept out of half of the address space', 'MMFR2.E0PD=1'),
  FEAT_ExS: not('exception entry and return without synchronisation', 'MMFR0.ExS=1'),
  FEAT_RNG: done('RNDR and RNDRRS', 'ISAR0.RNDR=1'),
  FEAT_MTE: not('memory tagging instructions', 'PFR1.MTE=1'),
  FEAT_MTE2: not('memory tagging', 'PFR1.MTE=2', ['FEAT_MTE']),
  FEAT_PMUv3p5: not('PMUv3 of Armv8.5', 'DFR0.PMUVer=6', ['FEAT_PMUv3p1']),

  // Armv8.6 and later
  FEAT_ECV: done('self-synchronised counters, traps of virtual counts and timers, slow event streams', 'MMFR0.ECV=1'),
  FEAT_ECV_POFF: done('CNTPOFF_EL2', 'MMFR0.ECV=2', ['FEAT_ECV']),
  FEAT_FGT: not('fine-grained traps', 'MMFR0.FGT=1'),
  FEAT_TWED: not('delayed trap of WFE', 'MMFR1.TWED=1'),
  FEAT_AMUv1p1: not('activity monitor offsets', 'PFR0.AMU=2', ['FEAT_AMUv1']),
  FEAT_MTPMU: not('multi-threaded PMU', 'DFR0.MTPMU=1'),
  FEAT_AFP: not('alternate floating point', 'MMFR1.AFP=1', ['FEAT_FP']),
  FEAT_RPRES: not('more precise estimates', 'ISAR2.RPRES=1', ['FEAT_FP']),
  FEAT_WFxT: not('WFET and WFIT', 'ISAR2.WFxT=2'),
  FEAT_XS: not('DSB and TLBI with nXS', 'ISAR1.XS=1'),
  FEAT_HCX: not('HCRX_EL2', 'MMFR1.HCX=1'),
  FEAT_PAN3: not('enhanced PAN', 'MMFR1.PAN=3', ['FEAT_PAN2']),
  FEAT_LPA2: not('52-bit addresses with 4 KB and 16 KB', 'MMFR0.TGran16=2', ['FEAT_LPA'], 'no 52-bit addresses'),
  FEAT_LS64: not('64-byte loads and stores', 'ISAR1.LS64=1'),
  FEAT_PMUv3p7: not('PMUv3 of Armv8.7', 'DFR0.PMUVer=7', ['FEAT_PMUv3p5']),
  FEAT_HBC: not('BC.cond', 'ISAR2.BC=1'),
  FEAT_MOPS: not('memory copy and set', 'ISAR2.MOPS=1'),
  FEAT_NMI: not('non-maskable interrupts', 'PFR1.NMI=1'),
  FEAT_CSSC: done('ABS, CNT, CTZ, SMAX and their kin', 'ISAR2.CSSC=1'),
  FEAT_TIDCP1: not('traps of implementation defined registers at EL0', 'MMFR1.TIDCP1=1'),
  FEAT_CMOW: not('maintenance that needs write permission', 'MMFR1.CMOW=1'),
  FEAT_SME: not('Scalable Matrix Extension', 'PFR1.SME=1'),
  FEAT_RME: not('Realm Management Extension', 'PFR0.RME=1'),
  FEAT_TME: not('Transactional Memory Extension', 'ISAR0.TME=1'),
  FEAT_TRBE: not('trace buffer', 'DFR0.TraceBuffer=1'),
  FEAT_ETE: not('trace unit', '', [], 'no trace unit'),
  FEAT_Debugv8p9: later('debug of Armv8.9'),
  FEAT_EBEP: later('exceptions of profiling'),
  FEAT_FPMR: later('FPMR'),
  FEAT_GCS: later('guarded control stacks'),
  FEAT_MEC: later('memory encryption contexts'),
  FEAT_MTE4: later('MTE of Armv8.9'),
  FEAT_OCCMO: later('maintenance to the outer cache'),
  FEAT_PMUv3_ICNTR: later('instruction counter'),
  FEAT_PMUv3p9: later('PMUv3 of Armv8.9'),
  FEAT_PoPS: later('maintenance to the point of physical storage'),
  FEAT_SPMU: later('system PMU'),
} as const satisfies Readonly<Record<string, FeatureRow>>;

export type FeatureName = keyof typeof features;

/** What fields read where no feature says anything and that is not zero, written as `id` above. */
export const fieldsWithout = 'PFR0.FP=15 PFR0.AdvSIMD=15 MMFR0.TGran4=15 MMFR0.TGran64=15';
