/** Identification registers. Their values come from the core's configuration; here stand names, fields and traps. */
import { NONE, rowsOf } from './row';
import { TID1, TID3 } from './traps';
import type { SystemRegisterRow } from './types';

const id = rowsOf({ group: 'identification', read: 1, write: 'none', reset: 'id', behaviour: 'constant' });
const T3 = { traps: TID3 } as const;

/** AArch32 feature registers: these cores have no AArch32 state, so all of them read as zero (permitted, as UNKNOWN). */
const noAarch32 = (name: string, encoding: string, section: string): SystemRegisterRow =>
  id(name, encoding, section, NONE, {
    traps: TID3,
    reset: 0n,
    note: 'no AArch32 state: UNKNOWN in the manual, zero here',
  });

/** Unallocated ID space (CRn=0, CRm=2..7): reads as zero for EL1 and above. */
const reserved = (encoding: string, name: string): SystemRegisterRow =>
  id(name, encoding, 'Reserved identification space', NONE, {
    traps: TID3,
    reset: 0n,
    note: 'RAZ; the name is made from the encoding',
  });

export const identificationRows: readonly SystemRegisterRow[] = [
  id(
    'MIDR_EL1',
    '3 0 0 0 0',
    'Main ID Register',
    `
    63:32 RES0
    31:24 Implementer who made the core {0x41 Arm; 0x42 Broadcom; 0x43 Cavium; 0x48 HiSilicon; 0x4e NVIDIA; 0x51 Qualcomm; 0x53 Samsung; 0x61 Apple; 0xc0 Ampere}
    23:20 Variant major revision, the n of rnpm
    19:16 Architecture {15 see the ID registers}
    15:4 PartNum {0xd03 Cortex-A53; 0xd04 Cortex-A35; 0xd05 Cortex-A55; 0xd07 Cortex-A57; 0xd08 Cortex-A72; 0xd09 Cortex-A73; 0xd0a Cortex-A75; 0xd0b Cortex-A76; 0xd0c Neoverse N1; 0xd40 Neoverse V1; 0xd49 Neoverse N2}
    3:0 Revision minor revision, the m of rnpm`,
    { behaviour: 'MIDR_EL1', note: 'EL1 reads VPIDR_EL2 where EL2 is enabled' },
  ),
  id(
    'MPIDR_EL1',
    '3 0 0 0 5',
    'Multiprocessor Affinity Register',
    `
    63:40 RES0
    39:32 Aff3 affinity level 3
    31 RES1
    30 U uniprocessor system {0 part of a multiprocessor; 1 uniprocessor}
    29:25 RES0
    24 MT lowest affinity level is hardware threads {0 independent cores; 1 threads of one core}
    23:16 Aff2 affinity level 2
    15:8 Aff1 affinity level 1, often the cluster
    7:0 Aff0 affinity level 0, often the core`,
    { behaviour: 'MPIDR_EL1', note: 'EL1 reads VMPIDR_EL2 where EL2 is enabled' },
  ),
  id('REVIDR_EL1', '3 0 0 0 6', 'Revision ID Register', '63:0 REVISION implementation defined revision information', {
    traps: TID1,
  }),
  id('AIDR_EL1', '3 1 0 0 7', 'Auxiliary ID Register', '63:0 AUX implementation defined identification', {
    traps: TID1,
    reset: 0n,
  }),
  noAarch32('ID_PFR0_EL1', '3 0 0 1 0', 'AArch32 Processor Feature Register 0'),
  noAarch32('ID_PFR1_EL1', '3 0 0 1 1', 'AArch32 Processor Feature Register 1'),
  noAarch32('ID_DFR0_EL1', '3 0 0 1 2', 'AArch32 Debug Feature Register 0'),
  noAarch32('ID_AFR0_EL1', '3 0 0 1 3', 'AArch32 Auxiliary Feature Register 0'),
  noAarch32('ID_MMFR0_EL1', '3 0 0 1 4', 'AArch32 Memory Model Feature Register 0'),
  noAarch32('ID_MMFR1_EL1', '3 0 0 1 5', 'AArch32 Memory Model Feature Register 1'),
  noAarch32('ID_MMFR2_EL1', '3 0 0 1 6', 'AArch32 Memory Model Feature Register 2'),
  noAarch32('ID_MMFR3_EL1', '3 0 0 1 7', 'AArch32 Memory Model Feature Register 3'),
  noAarch32('ID_ISAR0_EL1', '3 0 0 2 0', 'AArch32 Instruction Set Attribute Register 0'),
  noAarch32('ID_ISAR1_EL1', '3 0 0 2 1', 'AArch32 Instruction Set Attribute Register 1'),
  noAarch32('ID_ISAR2_EL1', '3 0 0 2 2', 'AArch32 Instruction Set Attribute Register 2'),
  noAarch32('ID_ISAR3_EL1', '3 0 0 2 3', 'AArch32 Instruction Set Attribute Register 3'),
  noAarch32('ID_ISAR4_EL1', '3 0 0 2 4', 'AArch32 Instruction Set Attribute Register 4'),
  noAarch32('ID_ISAR5_EL1', '3 0 0 2 5', 'AArch32 Instruction Set Attribute Register 5'),
  noAarch32('ID_MMFR4_EL1', '3 0 0 2 6', 'AArch32 Memory Model Feature Register 4'),
  noAarch32('ID_ISAR6_EL1', '3 0 0 2 7', 'AArch32 Instruction Set Attribute Register 6'),
  noAarch32('MVFR0_EL1', '3 0 0 3 0', 'AArch32 Media and VFP Feature Register 0'),
  noAarch32('MVFR1_EL1', '3 0 0 3 1', 'AArch32 Media and VFP Feature Register 1'),
  noAarch32('MVFR2_EL1', '3 0 0 3 2', 'AArch32 Media and VFP Feature Register 2'),
  reserved('3 0 0 3 3', 'S3_0_C0_C3_3'),
  noAarch32('ID_PFR2_EL1', '3 0 0 3 4', 'AArch32 Processor Feature Register 2'),
  noAarch32('ID_DFR1_EL1', '3 0 0 3 5', 'AArch32 Debug Feature Register 1'),
  noAarch32('ID_MMFR5_EL1', '3 0 0 3 6', 'AArch32 Memory Model Feature Register 5'),
  reserved('3 0 0 3 7', 'S3_0_C0_C3_7'),
  id(
    'ID_AA64PFR0_EL1',
    '3 0 0 4 0',
    'AArch64 Processor Feature Register 0',
    `
    63:60 CSV3 speculative use of data loaded under a faulting translation {0 not disclosed; 1 not possible}
    59:56 CSV2 branch targets trained in one context {0 not disclosed; 1 cannot steer another; 2 also by SCXTNUM}
    55:52 RME Realm Management Extension {0 no; 1 RME}
    51:48 DIT data independent timing {0 no; 1 PSTATE.DIT}
    47:44 AMU Activity Monitors {0 no; 1 AMUv1; 2 AMUv1p1}
    43:40 MPAM memory partitioning, major version
    39:36 SEL2 Secure EL2 {0 no; 1 implemented}
    35:32 SVE Scalable Vector Extension {0 no; 1 implemented}
    31:28 RAS RAS Extension {0 no; 1 RAS; 2 RASv1p1}
    27:24 GIC system register interface of the GIC {0 no; 1 version 3.0 and 4.0; 3 version 4.1}
    23:20 AdvSIMD Advanced SIMD {0 yes; 1 with half precision; 15 no}
    19:16 FP floating point {0 yes; 1 with half precision; 15 no}
    15:12 EL3 {0 not implemented; 1 AArch64 only; 2 AArch64 and AArch32}
    11:8 EL2 {0 not implemented; 1 AArch64 only; 2 AArch64 and AArch32}
    7:4 EL1 {1 AArch64 only; 2 AArch64 and AArch32}
    3:0 EL0 {1 AArch64 only; 2 AArch64 and AArch32}`,
    T3,
  ),
  id(
    'ID_AA64PFR1_EL1',
    '3 0 0 4 1',
    'AArch64 Processor Feature Register 1',
    `
    63:40 RES0
    39:36 NMI non-maskable interrupts {0 no; 1 yes}
    35:32 CSV2_frac
    31:28 RNDR_trap trap of RNDR and RNDRRS {0 no; 1 yes}
    27:24 SME Scalable Matrix Extension
    23:20 RES0
    19:16 MPAM_frac memory partitioning, minor version
    15:12 RAS_frac
    11:8 MTE Memory Tagging Extension {0 no; 1 instructions only; 2 full; 3 with asymmetric faults}
    7:4 SSBS speculative store bypass control {0 no; 1 PSTATE.SSBS; 2 with MRS and MSR}
    3:0 BT branch target identification {0 no; 1 yes}`,
    T3,
  ),
  reserved('3 0 0 4 2', 'ID_AA64PFR2_EL1'),
  reserved('3 0 0 4 3', 'S3_0_C0_C4_3'),
  id('ID_AA64ZFR0_EL1', '3 0 0 4 4', 'SVE Feature ID Register 0', NONE, {
    ...T3,
    reset: 0n,
    note: 'RAZ: no SVE',
  }),
  id('ID_AA64SMFR0_EL1', '3 0 0 4 5', 'SME Feature ID Register 0', NONE, {
    ...T3,
    reset: 0n,
    note: 'RAZ: no SME',
  }),
  reserved('3 0 0 4 6', 'S3_0_C0_C4_6'),
  reserved('3 0 0 4 7', 'S3_0_C0_C4_7'),
  id(
    'ID_AA64DFR0_EL1',
    '3 0 0 5 0',
    'AArch64 Debug Feature Register 0',
    `
    63:52 RES0
    51:48 MTPMU multi-threaded PMU extension
    47:44 TraceBuffer trace buffer extension {0 no; 1 yes}
    43:40 TraceFilt trace extension filtering {0 no; 1 yes}
    39:36 DoubleLock OS double lock {0 yes; 15 no}
    35:32 PMSVer Statistical Profiling Extension version
    31:28 CTX_CMPs context-aware breakpoints, minus one
    27:24 RES0
    23:20 WRPs watchpoints, minus one
    19:16 RES0
    15:12 BRPs breakpoints, minus one
    11:8 PMUVer performance monitors {0 no; 1 PMUv3; 4 PMUv3 for 8.1; 5 PMUv3 for 8.4; 15 implementation defined}
    7:4 TraceVer trace unit system registers {0 no; 1 yes}
    3:0 DebugVer debug architecture {6 Armv8.0; 7 with VHE; 8 Armv8.2; 9 Armv8.4}`,
    T3,
  ),
  id('ID_AA64DFR1_EL1', '3 0 0 5 1', 'AArch64 Debug Feature Register 1', NONE, T3),
  reserved('3 0 0 5 2', 'S3_0_C0_C5_2'),
  reserved('3 0 0 5 3', 'S3_0_C0_C5_3'),
  id(
    'ID_AA64AFR0_EL1',
    '3 0 0 5 4',
    'AArch64 Auxiliary Feature Register 0',
    `
    63:32 RES0
    31:0 IMPDEF implementation defined`,
    { ...T3, reset: 0n },
  ),
  id('ID_AA64AFR1_EL1', '3 0 0 5 5', 'AArch64 Auxiliary Feature Register 1', NONE, { ...T3, reset: 0n }),
  reserved('3 0 0 5 6', 'S3_0_C0_C5_6'),
  reserved('3 0 0 5 7', 'S3_0_C0_C5_7'),
  id(
    'ID_AA64ISAR0_EL1',
    '3 0 0 6 0',
    'AArch64 Instruction Set Attribute Register 0',
    `
    63:60 RNDR random number instructions {0 no; 1 RNDR and RNDRRS}
    59:56 TLB outer shareable and range TLBI {0 no; 1 outer shareable; 2 and range}
    55:52 TS flag manipulation {0 no; 1 FEAT_FlagM; 2 FEAT_FlagM2}
    51:48 FHM FMLAL and FMLSL {0 no; 1 yes}
    47:44 DP dot product {0 no; 1 UDOT and SDOT}
    43:40 SM4 {0 no; 1 yes}
    39:36 SM3 {0 no; 1 yes}
    35:32 SHA3 {0 no; 1 yes}
    31:28 RDM SQRDMLAH and SQRDMLSH {0 no; 1 yes}
    27:24 TME Transactional Memory Extension {0 no; 1 yes}
    23:20 Atomic large system extensions {0 no; 2 FEAT_LSE}
    19:16 CRC32 {0 no; 1 yes}
    15:12 SHA2 {0 no; 1 SHA256; 2 and SHA512}
    11:8 SHA1 {0 no; 1 yes}
    7:4 AES {0 no; 1 AES; 2 and 64-bit polynomial multiply}
    3:0 RES0`,
    T3,
  ),
  id(
    'ID_AA64ISAR1_EL1',
    '3 0 0 6 1',
    'AArch64 Instruction Set Attribute Register 1',
    `
    63:60 LS64 64-byte loads and stores
    59:56 XS TLBI and DSB with nXS {0 no; 1 yes}
    55:52 I8MM Int8 matrix multiply {0 no; 1 yes}
    51:48 DGH data gathering hint {0 no; 1 yes}
    47:44 BF16 {0 no; 1 yes; 2 with FPCR.EBF}
    43:40 SPECRES speculation restriction {0 no; 1 yes}
    39:36 SB speculation barrier {0 no; 1 yes}
    35:32 FRINTTS {0 no; 1 yes}
    31:28 GPI generic code authentication, implementation defined algorithm {0 no; 1 yes}
    27:24 GPA generic code authentication, QARMA5 {0 no; 1 yes}
    23:20 LRCPC load-acquire RCpc {0 no; 1 LDAPR; 2 and LDAPUR, STLUR}
    19:16 FCMA complex number instructions {0 no; 1 yes}
    15:12 JSCVT FJCVTZS {0 no; 1 yes}
    11:8 API address authentication, implementation defined algorithm {0 no; 1 FEAT_PAuth; 2 FEAT_EPAC; 3 FEAT_PAuth2; 4 FEAT_FPAC; 5 FEAT_FPACCOMBINE}
    7:4 APA address authentication, QARMA5 {0 no; 1 FEAT_PAuth; 2 FEAT_EPAC; 3 FEAT_PAuth2; 4 FEAT_FPAC; 5 FEAT_FPACCOMBINE}
    3:0 DPB data cache clean to the point of persistence {0 no; 1 DC CVAP; 2 and DC CVADP}`,
    T3,
  ),
  id(
    'ID_AA64ISAR2_EL1',
    '3 0 0 6 2',
    'AArch64 Instruction Set Attribute Register 2',
    `
    63:56 RES0
    55:52 CSSC common short sequence compression {0 no; 1 yes}
    51:32 RES0
    31:28 CLRBHB clear branch history {0 no; 1 yes}
    27:24 PAC_frac
    23:20 BC hinted conditional branches {0 no; 1 yes}
    19:16 MOPS memory copy and set {0 no; 1 yes}
    15:12 APA3 address authentication, QARMA3
    11:8 GPA3 generic code authentication, QARMA3
    7:4 RPRES
    3:0 WFxT WFE and WFI with timeout {0 no; 2 yes}`,
    T3,
  ),
  reserved('3 0 0 6 3', 'S3_0_C0_C6_3'),
  reserved('3 0 0 6 4', 'S3_0_C0_C6_4'),
  reserved('3 0 0 6 5', 'S3_0_C0_C6_5'),
  reserved('3 0 0 6 6', 'S3_0_C0_C6_6'),
  reserved('3 0 0 6 7', 'S3_0_C0_C6_7'),
  id(
    'ID_AA64MMFR0_EL1',
    '3 0 0 7 0',
    'AArch64 Memory Model Feature Register 0',
    `
    63:60 ECV enhanced counter virtualization
    59:56 FGT fine grained traps {0 no; 1 yes}
    55:48 RES0
    47:44 ExS non-context-synchronising exception entry and exit {0 no; 1 yes}
    43:40 TGran4_2 4 KB granule at stage 2 {0 as TGran4; 1 no; 2 yes; 3 with 52 bits}
    39:36 TGran64_2 64 KB granule at stage 2 {0 as TGran64; 1 no; 2 yes}
    35:32 TGran16_2 16 KB granule at stage 2 {0 as TGran16; 1 no; 2 yes; 3 with 52 bits}
    31:28 TGran4 4 KB granule {0 yes; 1 with 52 bits; 15 no}
    27:24 TGran64 64 KB granule {0 yes; 15 no}
    23:20 TGran16 16 KB granule {0 no; 1 yes; 2 with 52 bits}
    19:16 BigEndEL0 mixed endian at EL0 only {0 see BigEnd; 1 yes}
    15:12 SNSMem secure and non-secure memory are told apart {0 no; 1 yes}
    11:8 BigEnd mixed endian {0 no; 1 SCTLR_ELx.EE and E0E can be set}
    7:4 ASIDBits {0 8 bits; 2 16 bits}
    3:0 PARange physical address size {0 32 bits; 1 36 bits; 2 40 bits; 3 42 bits; 4 44 bits; 5 48 bits; 6 52 bits}`,
    T3,
  ),
  id(
    'ID_AA64MMFR1_EL1',
    '3 0 0 7 1',
    'AArch64 Memory Model Feature Register 1',
    `
    63:60 ECBHB exploitative control of branch history
    59:56 CMOW maintenance needing write permission {0 no; 1 yes}
    55:52 TIDCP1 {0 no; 1 yes}
    51:48 nTLBPA intermediate walk results {0 may be cached by address; 1 are not}
    47:44 AFP alternate floating point {0 no; 1 yes}
    43:40 HCX HCRX_EL2 {0 no; 1 yes}
    39:36 ETS enhanced translation synchronisation {0 no; 1 yes}
    35:32 TWED delayed trap of WFE {0 no; 1 yes}
    31:28 XNX execute-never by EL at stage 2 {0 no; 1 yes}
    27:24 SpecSEI SError from speculative reads {0 never; 1 possible}
    23:20 PAN privileged access never {0 no; 1 PAN; 2 with AT S1E1RP and WP; 3 with EPAN}
    19:16 LO limited ordering regions {0 no; 1 yes}
    15:12 HPDS hierarchical permission disables {0 no; 1 yes; 2 with page based attributes}
    11:8 VH Virtualization Host Extensions {0 no; 1 yes}
    7:4 VMIDBits {0 8 bits; 2 16 bits}
    3:0 HAFDBS hardware update of access flag and dirty state {0 no; 1 access flag; 2 and dirty state}`,
    T3,
  ),
  id(
    'ID_AA64MMFR2_EL1',
    '3 0 0 7 2',
    'AArch64 Memory Model Feature Register 2',
    `
    63:60 E0PD {0 no; 1 yes}
    59:56 EVT enhanced virtualization traps {0 no; 1 TID4, TICAB, TOCU; 2 and TTLBIS, TTLBOS}
    55:52 BBM level of support for changing block size {0 level 0; 1 level 1; 2 level 2}
    51:48 TTL translation table level hint in TLBI {0 no; 1 yes}
    47:44 RES0
    43:40 FWB stage 2 forced write-back {0 no; 1 yes}
    39:36 IDS EC of ID register traps from EL0 {0 0x00, undefined; 1 0x18}
    35:32 AT unaligned single-copy atomicity {0 no; 1 within 16 bytes}
    31:28 ST small translation tables {0 no; 1 yes}
    27:24 NV nested virtualization {0 no; 1 yes; 2 with VNCR_EL2}
    23:20 CCIDX format of CCSIDR_EL1 {0 32-bit; 1 64-bit}
    19:16 VARange {0 48 bits; 1 52 bits with 64 KB granule}
    15:12 IESB {0 no; 1 yes}
    11:8 LSM LSMAOE and nTLSMD {0 no; 1 yes}
    7:4 UAO user access override {0 no; 1 yes}
    3:0 CnP common not private translations {0 no; 1 yes}`,
    T3,
  ),
  reserved('3 0 0 7 3', 'ID_AA64MMFR3_EL1'),
  reserved('3 0 0 7 4', 'ID_AA64MMFR4_EL1'),
  reserved('3 0 0 7 5', 'S3_0_C0_C7_5'),
  reserved('3 0 0 7 6', 'S3_0_C0_C7_6'),
  reserved('3 0 0 7 7', 'S3_0_C0_C7_7'),
  id(
    'VPIDR_EL2',
    '3 4 0 0 0',
    'Virtualization Processor ID Register',
    `
    63:32 RES0
    31:24 Implementer who made the core, as EL1 reads it
    23:20 Variant major revision
    19:16 Architecture {15 see the ID registers}
    15:4 PartNum
    3:0 Revision minor revision`,
    { read: 2, write: 2, behaviour: 'storage', note: "what EL1 reads in MIDR_EL1; reset to the core's own value" },
  ),
  id(
    'VMPIDR_EL2',
    '3 4 0 0 5',
    'Virtualization Multiprocessor ID Register',
    `
    63:40 RES0
    39:32 Aff3 affinity level 3, as EL1 reads it
    31 RES1
    30 U uniprocessor system
    29:25 RES0
    24 MT lowest affinity level is hardware threads
    23:16 Aff2
    15:8 Aff1
    7:0 Aff0`,
    { read: 2, write: 2, behaviour: 'storage', note: "what EL1 reads in MPIDR_EL1; reset to the core's own value" },
  ),
];
