/** System control, feature enables and trap controls of every exception level. */

import { EVENT_COUNTERS } from './performance';
import { NONE, rowsOf, underE2h, WHOLE } from './row';
import { CPACR, CPTR2, TACR, VIRTUAL_MEMORY } from './traps';
import type { SystemRegisterRow } from './types';

const shared = { group: 'control', reset: 0n, behaviour: 'storage' } as const;
const el1 = rowsOf({ ...shared, read: 1, write: 1 });
const el2 = rowsOf({ ...shared, read: 2, write: 2 });
const el3 = rowsOf({ ...shared, read: 3, write: 3 });

const auxiliary = '63:0 IMPDEF implementation defined';

/** What SCTLR_EL2 (E2H=0) and SCTLR_EL3 have in common; `el` is the digit. */
const sctlrHigh = (el: number): string => `
    63 TIDCP [FEAT_TIDCP1]
    62:45 RES0
    44 DSSBS [FEAT_SSBS] PSTATE.SSBS on entry
    43 ATA [FEAT_MTE2] allocation tag access
    42 RES0
    41:40 TCF [FEAT_MTE2] tag check fault
    39:38 RES0
    37 ITFSB [FEAT_MTE2]
    36 BT [FEAT_BTI]
    35:32 RES0
    31 EnIA [FEAT_PAuth] key IA
    30 EnIB [FEAT_PAuth] key IB
    29:28 RES1
    27 EnDA [FEAT_PAuth] key DA
    26 RES0
    25 EE byte order of data at EL${el} and of its table walks {0 little-endian; 1 big-endian}
    24 RES0
    23 RES1
    22 EIS [FEAT_ExS RES1] exception entry synchronises context
    21 IESB [FEAT_IESB]
    20 RES0
    19 WXN writable memory is never executable {0 no effect; 1 execute never}
    18 RES1
    17 RES0
    16 RES1
    15:14 RES0
    13 EnDB [FEAT_PAuth] key DB
    12 I instruction accesses at EL${el} {0 Non-cacheable; 1 may be cacheable}
    11 EOS [FEAT_ExS RES1] exception return synchronises context
    10:7 RES0
    6 nAA [FEAT_LSE2]
    5:4 RES1
    3 SA SP alignment check at EL${el} {0 off; 1 on}
    2 C data accesses at EL${el} {0 Non-cacheable; 1 may be cacheable}
    1 A alignment check of data accesses at EL${el} {0 off; 1 on}
    0 M stage 1 of the EL${el} regime {0 off; 1 on}`;

/** SCTLR_EL1, and SCTLR_EL2 while HCR_EL2.E2H is set: regimes with EL0. */
const sctlrLow = (el: number): string => `
    63 TIDCP [FEAT_TIDCP1] traps IMPLEMENTATION DEFINED functions at EL0
    62 SPINTMASK [FEAT_NMI]
    61 NMI [FEAT_NMI]
    60 EnTP2 [FEAT_SME]
    59:58 RES0
    57 EPAN [FEAT_PAN3] enhanced privileged access never
    56 EnALS [FEAT_LS64]
    55 EnAS0 [FEAT_LS64]
    54 EnASR [FEAT_LS64]
    53 TME [FEAT_TME]
    52 TME0 [FEAT_TME]
    51 TMT [FEAT_TME]
    50 TMT0 [FEAT_TME]
    49:46 TWEDEL [FEAT_TWED] delay of the WFE trap
    45 TWEDEn [FEAT_TWED]
    44 DSSBS [FEAT_SSBS] PSTATE.SSBS on entry
    43 ATA [FEAT_MTE2] allocation tag access at EL${el}
    42 ATA0 [FEAT_MTE2] allocation tag access at EL0
    41:40 TCF [FEAT_MTE2] tag check fault at EL${el}
    39:38 TCF0 [FEAT_MTE2] tag check fault at EL0
    37 ITFSB [FEAT_MTE2]
    36 BT1 [FEAT_BTI]
    35 BT0 [FEAT_BTI]
    34 EnFPM [FEAT_FPMR]
    33 MSCEn [FEAT_MOPS]
    32 CMOW [FEAT_CMOW] maintenance at EL0 needs write permission
    31 EnIA [FEAT_PAuth] key IA
    30 EnIB [FEAT_PAuth] key IB
    29 LSMAOE [FEAT_LSMAOC RES1]
    28 nTLSMD [FEAT_LSMAOC RES1]
    27 EnDA [FEAT_PAuth] key DA
    26 UCI DC CVAU, CIVAC, CVAC, CVAP and IC IVAU at EL0 {0 trapped; 1 allowed}
    25 EE byte order of data at EL${el} and of EL${el}&0 table walks {0 little-endian; 1 big-endian}
    24 E0E byte order of data at EL0 {0 little-endian; 1 big-endian}
    23 SPAN [FEAT_PAN RES1] PSTATE.PAN on entry to EL${el} {0 set; 1 left as it is}
    22 EIS [FEAT_ExS RES1] exception entry synchronises context
    21 IESB [FEAT_IESB]
    20 TSCXT [FEAT_CSV2_2 RES1]
    19 WXN writable memory is never executable {0 no effect; 1 execute never}
    18 nTWE WFE at EL0 {0 trapped; 1 allowed}
    17 RES0
    16 nTWI WFI at EL0 {0 trapped; 1 allowed}
    15 UCT CTR_EL0 at EL0 {0 trapped; 1 allowed}
    14 DZE DC ZVA at EL0 {0 trapped; 1 allowed}
    13 EnDB [FEAT_PAuth] key DB
    12 I instruction accesses at EL${el} and EL0 {0 Non-cacheable; 1 may be cacheable}
    11 EOS [FEAT_ExS RES1] exception return synchronises context
    10 EnRCTX [FEAT_SPECRES]
    9 UMA DAIF at EL0 {0 trapped; 1 allowed}
    8 SED [FEAT_AA32EL0 RES1] SETEND at EL0 using AArch32
    7 ITD [FEAT_AA32EL0 RES1] IT at EL0 using AArch32
    6 nAA [FEAT_LSE2]
    5 CP15BEN [FEAT_AA32EL0] CP15 barriers at EL0 using AArch32
    4 SA0 SP alignment check at EL0 {0 off; 1 on}
    3 SA SP alignment check at EL${el} {0 off; 1 on}
    2 C data accesses at EL${el} and EL0 {0 Non-cacheable; 1 may be cacheable}
    1 A alignment check of data accesses at EL${el} and EL0 {0 off; 1 on}
    0 M stage 1 of the EL${el}&0 regime {0 off; 1 on}`;

/** CPACR_EL1, and CPTR_EL2 while HCR_EL2.E2H is set. */
const cpacr = (el: number): string => `
    63:32 RES0
    31 TCPAC ${el === 1 ? '[FEAT_NV2]' : 'CPACR_EL1 at EL1 {0 allowed; 1 trapped}'}
    30 TAM ${el === 1 ? '[FEAT_NV2]' : '[FEAT_AMUv1]'}
    29 RES0
    28 TTA [FEAT_ETE] trace registers {0 allowed; 1 trapped}
    27:26 RES0
    25:24 SMEN [FEAT_SME]
    23:22 RES0
    21:20 FPEN FP and SIMD at EL${el} and EL0 {0 trapped; 1 trapped at EL0; 2 trapped; 3 allowed}
    19:18 RES0
    17:16 ZEN [FEAT_SVE]
    15:0 RES0`;

export const controlRows: readonly SystemRegisterRow[] = [
  el1('SCTLR_EL1', '3 0 1 0 0', 'System Control Register (EL1)', sctlrLow(1), {
    traps: VIRTUAL_MEMORY,
    context: true,
    reset: 0x30d50998n,
  }),
  el1('ACTLR_EL1', '3 0 1 0 1', 'Auxiliary Control Register (EL1)', auxiliary, { traps: TACR }),
  el1('CPACR_EL1', '3 0 1 0 2', 'Architectural Feature Access Control Register', cpacr(1), {
    traps: CPACR,
    context: true,
  }),
  el2('SCTLR_EL2', '3 4 1 0 0', 'System Control Register (EL2)', sctlrHigh(2), {
    context: true,
    reset: 0x30c50838n,
    variants: underE2h(sctlrLow(2)),
  }),
  el2('ACTLR_EL2', '3 4 1 0 1', 'Auxiliary Control Register (EL2)', auxiliary),
  el2(
    'HCR_EL2',
    '3 4 1 1 0',
    'Hypervisor Configuration Register',
    `
    63:60 TWEDEL [FEAT_TWED]
    59 TWEDEn [FEAT_TWED]
    58 TID5 [FEAT_MTE2] GMID_EL1 {0 allowed; 1 trapped}
    57 DCT [FEAT_MTE2]
    56 ATA [FEAT_MTE2]
    55 TTLBOS [FEAT_EVT] outer shareable TLBI at EL1 {0 allowed; 1 trapped}
    54 TTLBIS [FEAT_EVT] inner shareable TLBI at EL1 {0 allowed; 1 trapped}
    53 EnSCXT [FEAT_CSV2_2]
    52 TOCU [FEAT_EVT] maintenance to the PoU at EL1 and EL0 {0 allowed; 1 trapped}
    51 AMVOFFEN [FEAT_AMUv1p1]
    50 TICAB [FEAT_EVT] IC IALLUIS at EL1 {0 allowed; 1 trapped}
    49 TID4 [FEAT_EVT] CCSIDR, CCSIDR2, CLIDR and CSSELR at EL1 {0 allowed; 1 trapped}
    48 GPF [FEAT_RME]
    47 FIEN [FEAT_RASv1p1]
    46 FWB [FEAT_S2FWB] stage 2 decides the memory type
    45 NV2 [FEAT_NV2]
    44 AT [FEAT_NV]
    43 NV1 [FEAT_NV]
    42 NV [FEAT_NV]
    41 API [FEAT_PAuth]
    40 APK [FEAT_PAuth]
    39 TME [FEAT_TME]
    38 RES0
    37 TEA [FEAT_RAS]
    36 TERR [FEAT_RAS]
    35 TLOR [FEAT_LOR]
    34 E2H [FEAT_VHE] EL2 runs a host operating system
    33 ID stage 2 instruction accesses {0 no effect; 1 Non-cacheable}
    32 CD stage 2 data accesses {0 no effect; 1 Non-cacheable}
    31 RW execution state of EL1 {0 AArch32; 1 AArch64}
    30 TRVM reads of EL1 translation controls {0 allowed; 1 trapped}
    29 HCD HVC at EL1 and EL2 {0 enabled; 1 UNDEFINED}
    28 TDZ DC ZVA at EL1 and EL0 {0 allowed; 1 trapped}
    27 TGE exceptions of EL0 {0 as routed; 1 all to EL2}
    26 TVM writes of EL1 translation controls {0 allowed; 1 trapped}
    25 TTLB TLBI at EL1 {0 allowed; 1 trapped}
    24 TPU maintenance to the PoU at EL1 and EL0 {0 allowed; 1 trapped}
    23 TPCP maintenance to the PoC at EL1 and EL0 {0 allowed; 1 trapped}
    22 TSW maintenance by set/way at EL1 {0 allowed; 1 trapped}
    21 TACR ACTLR_EL1 at EL1 {0 allowed; 1 trapped}
    20 TIDCP implementation defined functions at EL1 {0 allowed; 1 trapped}
    19 TSC SMC at EL1 {0 allowed; 1 trapped}
    18 TID3 ID group 3, feature registers, at EL1 {0 allowed; 1 trapped}
    17 TID2 ID group 2, cache registers, at EL1 and EL0 {0 allowed; 1 trapped}
    16 TID1 ID group 1, REVIDR and AIDR, at EL1 {0 allowed; 1 trapped}
    15 TID0 ID group 0, AArch32 only {0 allowed; 1 trapped}
    14 TWE WFE at EL1 and EL0 {0 allowed; 1 trapped}
    13 TWI WFI at EL1 and EL0 {0 allowed; 1 trapped}
    12 DC default cacheability of EL1&0 with stage 1 off {0 no effect; 1 Normal Write-Back}
    11:10 BSU barrier shareability upgrade at EL1 and EL0 {0 none; 1 inner; 2 outer; 3 full system}
    9 FB EL1's TLBI and IC IALLU are broadcast {0 local; 1 inner shareable}
    8 VSE virtual SError pending
    7 VI virtual IRQ pending
    6 VF virtual FIQ pending
    5 AMO physical SError to EL2 {0 no; 1 yes}
    4 IMO physical IRQ to EL2 {0 no; 1 yes}
    3 FMO physical FIQ to EL2 {0 no; 1 yes}
    2 PTW stage 1 walk to Device memory {0 Non-cacheable; 1 permission fault}
    1 SWIO EL1's DC ISW {0 invalidates; 1 cleans and invalidates}
    0 VM stage 2 of the EL1&0 regime {0 off; 1 on}`,
    {
      context: true,
      behaviour: 'HCR_EL2',
      note: 'plain storage whose VSE, VI and VF bits pend virtual exceptions; RW reads as one: there is no AArch32',
      reset: 0x8000_0000n,
    },
  ),
  el2(
    'MDCR_EL2',
    '3 4 1 1 1',
    'Monitor Debug Configuration Register (EL2)',
    `
    63:37 RES0
    36 HPMFZS [FEAT_SPEv1p2]
    35:32 RES0
    31:30 RES0
    29 HPMFZO [FEAT_PMUv3p7]
    28 MTPME [FEAT_MTPMU]
    27 TDCC [FEAT_FGT]
    26 HLP [FEAT_PMUv3p5]
    25:24 E2TB [FEAT_TRBE]
    23 HCCD [FEAT_PMUv3p5]
    22:20 RES0
    19 TTRF [FEAT_TRF]
    18 RES0
    17 HPMD [FEAT_PMUv3p1]
    16:15 RES0
    14 TPMS [FEAT_SPE]
    13:12 E2PB [FEAT_SPE]
    11 TDRA debug ROM address registers at EL1 {0 allowed; 1 trapped}
    10 TDOSA OS lock and power-down registers at EL1 {0 allowed; 1 trapped}
    9 TDA other debug registers at EL1 and EL0 {0 allowed; 1 trapped}
    8 TDE debug exceptions {0 to EL1; 1 to EL2}
    7 HPME event counters of EL2 {0 off; 1 on}
    6 TPM performance monitors at EL1 and EL0 {0 allowed; 1 trapped}
    5 TPMCR PMCR_EL0 at EL1 and EL0 {0 allowed; 1 trapped}
    4:0 HPMN event counters that EL1 and EL0 may use`,
    { context: true, group: 'debug', behaviour: 'MDCR_EL2', reset: BigInt(EVENT_COUNTERS) },
  ),
  el2(
    'CPTR_EL2',
    '3 4 1 1 2',
    'Architectural Feature Trap Register (EL2)',
    `
    63:32 RES0
    31 TCPAC CPACR_EL1 at EL1 {0 allowed; 1 trapped}
    30 TAM [FEAT_AMUv1]
    29:21 RES0
    20 TTA [FEAT_ETE] trace registers {0 allowed; 1 trapped}
    19:14 RES0
    13:12 RES1
    11 RES0
    10 TFP FP and SIMD at EL2 and below {0 allowed; 1 trapped}
    9 RES1
    8 TZ [FEAT_SVE RES1] SVE at EL2 and below {0 allowed; 1 trapped}
    7:0 RES1`,
    { traps: CPTR2, context: true, reset: 0x33ffn, variants: underE2h(cpacr(2)) },
  ),
  el2('HSTR_EL2', '3 4 1 1 3', 'Hypervisor System Trap Register', NONE, { note: 'traps of AArch32 accesses only' }),
  el2('HACR_EL2', '3 4 1 1 7', 'Hypervisor Auxiliary Control Register', auxiliary),
  el3('SCTLR_EL3', '3 6 1 0 0', 'System Control Register (EL3)', sctlrHigh(3), { context: true, reset: 0x30c50838n }),
  el3('ACTLR_EL3', '3 6 1 0 1', 'Auxiliary Control Register (EL3)', auxiliary),
  el3(
    'SCR_EL3',
    '3 6 1 1 0',
    'Secure Configuration Register',
    `
    63:39 RES0
    38 HXEn [FEAT_HCX]
    37 ADEn [FEAT_LS64]
    36 EnAS0 [FEAT_LS64]
    35 AMVOFFEN [FEAT_AMUv1p1]
    34 TME [FEAT_TME]
    33:30 TWEDEL [FEAT_TWED]
    29 TWEDEn [FEAT_TWED]
    28 ECVEn [FEAT_ECV_POFF] CNTPOFF_EL2 {0 trapped, does not count; 1 there}
    27 FGTEn [FEAT_FGT]
    26 ATA [FEAT_MTE2]
    25 EnSCXT [FEAT_CSV2_2]
    24:22 RES0
    21 FIEN [FEAT_RASv1p1]
    20 NMEA [FEAT_DoubleFault]
    19 EASE [FEAT_DoubleFault]
    18 EEL2 [FEAT_SEL2] Secure EL2
    17 API [FEAT_PAuth]
    16 APK [FEAT_PAuth]
    15 TERR [FEAT_RAS]
    14 TLOR [FEAT_LOR]
    13 TWE WFE below EL3 {0 allowed; 1 trapped}
    12 TWI WFI below EL3 {0 allowed; 1 trapped}
    11 ST secure timer at Secure EL1 {0 trapped; 1 allowed}
    10 RW execution state of the next lower level {0 AArch32; 1 AArch64}
    9 SIF Secure fetches from Non-secure memory {0 allowed; 1 permission fault}
    8 HCE HVC {0 UNDEFINED; 1 enabled}
    7 SMD SMC {0 enabled; 1 UNDEFINED}
    6 RES0
    5:4 RES1
    3 EA external aborts and SError to EL3 {0 no; 1 yes}
    2 FIQ physical FIQ to EL3 {0 no; 1 yes}
    1 IRQ physical IRQ to EL3 {0 no; 1 yes}
    0 NS EL0 and EL1 are {0 Secure; 1 Non-secure}`,
    { context: true, behaviour: 'SCR_EL3', reset: 0x430n, note: 'plain storage; RW reads as one: there is no AArch32' },
  ),
  el3(
    'SDER32_EL3',
    '3 6 1 1 1',
    'AArch32 Secure Debug Enable Register',
    `
    63:2 RES0
    1 SUNIDEN [FEAT_AA32EL0] non-invasive debug of Secure EL0
    0 SUIDEN [FEAT_AA32EL0] invasive debug of Secure EL0`,
    { group: 'debug' },
  ),
  el3(
    'CPTR_EL3',
    '3 6 1 1 2',
    'Architectural Feature Trap Register (EL3)',
    `
    63:32 RES0
    31 TCPAC CPACR_EL1 and CPTR_EL2 below EL3 {0 allowed; 1 trapped}
    30 TAM [FEAT_AMUv1]
    29:21 RES0
    20 TTA [FEAT_ETE] trace registers {0 allowed; 1 trapped}
    19:13 RES0
    12 ESM [FEAT_SME]
    11 RES0
    10 TFP FP and SIMD everywhere {0 allowed; 1 trapped}
    9 RES0
    8 EZ [FEAT_SVE]
    7:0 RES0`,
    { context: true },
  ),
  el3(
    'MDCR_EL3',
    '3 6 1 3 1',
    'Monitor Debug Configuration Register (EL3)',
    `
    63:37 RES0
    36 MPMX [FEAT_PMUv3p7]
    35 MCCD [FEAT_PMUv3p7]
    34:29 RES0
    28 MTPME [FEAT_MTPMU]
    27 TDCC [FEAT_FGT]
    26 RES0
    25:24 NSTB [FEAT_TRBE]
    23 SCCD [FEAT_PMUv3p5]
    22 RES0
    21 EPMAD external access to the performance monitors {0 allowed; 1 not}
    20 EDAD external access to the breakpoints {0 allowed; 1 not}
    19 TTRF [FEAT_TRF]
    18 STE [FEAT_TRF]
    17 SPME counting in Secure state {0 off; 1 on}
    16 SDD debug exceptions in Secure state {0 as for Non-secure; 1 off}
    15:14 SPD32 [FEAT_AA32EL1]
    13:12 NSPB [FEAT_SPE]
    11 RES0
    10 TDOSA OS lock and power-down registers below EL3 {0 allowed; 1 trapped}
    9 TDA other debug registers below EL3 {0 allowed; 1 trapped}
    8:7 RES0
    6 TPM performance monitors below EL3 {0 allowed; 1 trapped}
    5:0 RES0`,
    { context: true, group: 'debug' },
  ),
  el1('RVBAR_EL1', '3 0 12 0 1', 'Reset Vector Base Address Register (EL1)', WHOLE, {
    write: 'none',
    reset: 'id',
    behaviour: 'RVBAR_EL1',
    note: 'UNDEFINED unless EL1 is the highest level implemented',
  }),
  el2('RVBAR_EL2', '3 4 12 0 1', 'Reset Vector Base Address Register (EL2)', WHOLE, {
    write: 'none',
    reset: 'id',
    behaviour: 'RVBAR_EL2',
    note: 'UNDEFINED unless EL2 is the highest level implemented',
  }),
  el3('RVBAR_EL3', '3 6 12 0 1', 'Reset Vector Base Address Register (EL3)', WHOLE, {
    write: 'none',
    reset: 'id',
    behaviour: 'RVBAR_EL3',
  }),
  ...([1, 2, 3] as const).map((el) =>
    [el1, el2, el3][el - 1](
      `RMR_EL${el}`,
      `3 ${[0, 4, 6][el - 1]} 12 0 2`,
      `Reset Management Register (EL${el})`,
      `
      63:2 RES0
      1 RR reset request {0 no; 1 warm reset at the next WFI}
      0 AA64 [ro] execution state after reset {0 AArch32; 1 AArch64}`,
      {
        behaviour: `RMR_EL${el}`,
        reset: 1n,
        status: 'partial',
        note: 'UNDEFINED unless this is the highest level implemented; a reset request is remembered, not acted upon',
      },
    ),
  ),
];
