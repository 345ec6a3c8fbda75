/** Translation table bases, control and memory attributes of every regime. */

import { faultStatus } from '../syndromes/faultStatus';
import { bits, rowsOf, underE2h } from './row';
import { TLOR, VIRTUAL_MEMORY } from './traps';
import type { SystemRegisterRow } from './types';

const shared = { group: 'translation', reset: 0n, behaviour: 'storage' } as const;
const el1 = rowsOf({ ...shared, read: 1, write: 1 });
const el2 = rowsOf({ ...shared, read: 2, write: 2 });
const el3 = rowsOf({ ...shared, read: 3, write: 3 });

const VM = { traps: VIRTUAL_MEMORY, context: true } as const;
const LOR = {
  feature: 'FEAT_LOR',
  traps: TLOR,
  note: 'plain storage: all ordering is stronger than any region asks for',
};
const CONTEXT = { context: true } as const;

const ttbrAsid = `
  63:48 ASID address space identifier
  47:1 BADDR physical address of the first table
  0 CnP [FEAT_TTCNP] common not private`;
const ttbr2 = `
  63:48 ASID [FEAT_VHE] address space identifier, with HCR_EL2.E2H
  47:1 BADDR physical address of the first table
  0 CnP [FEAT_TTCNP] common not private`;
const ttbr = `
  63:48 RES0
  47:1 BADDR physical address of the first table
  0 CnP [FEAT_TTCNP] common not private`;

const cacheability =
  '{0 Non-cacheable; 1 Write-Back, write-allocate; 2 Write-Through; 3 Write-Back, no write-allocate}';
const shareability = '{0 Non-shareable; 1 reserved; 2 Outer Shareable; 3 Inner Shareable}';
const addressSize =
  '{0 32 bits, 4 GB; 1 36 bits, 64 GB; 2 40 bits, 1 TB; 3 42 bits, 4 TB; 4 44 bits, 16 TB; 5 48 bits, 256 TB; 6 52 bits, 4 PB}';

/** TCR_EL2 (E2H=0) and TCR_EL3: one range, 32 bits. */
const tcrHigh = `
  63:34 RES0
  33 MTX [FEAT_MTE4]
  32 DS [FEAT_LPA2]
  31 RES1
  30 TCMA [FEAT_MTE2]
  29 TBID [FEAT_PAuth]
  28 HWU62 [FEAT_HPDS2]
  27 HWU61 [FEAT_HPDS2]
  26 HWU60 [FEAT_HPDS2]
  25 HWU59 [FEAT_HPDS2]
  24 HPD [FEAT_HPDS] hierarchical permissions {0 on; 1 off}
  23 RES1
  22 HD [FEAT_HAFDBS] hardware sets the dirty state
  21 HA [FEAT_HAFDBS] hardware sets the access flag
  20 TBI top byte of addresses {0 used; 1 ignored}
  19 RES0
  18:16 PS physical address size ${addressSize}
  15:14 TG0 granule {0 4 KB; 1 64 KB; 2 16 KB; 3 reserved}
  13:12 SH0 shareability of walks ${shareability}
  11:10 ORGN0 outer cacheability of walks ${cacheability}
  9:8 IRGN0 inner cacheability of walks ${cacheability}
  7:6 RES0
  5:0 T0SZ region size is 2 to the power of 64 - T0SZ`;

/** TCR_EL1, and TCR_EL2 while HCR_EL2.E2H is set: two ranges. */
const tcrLow = `
    63:62 RES0
    61 MTX1 [FEAT_MTE4]
    60 MTX0 [FEAT_MTE4]
    59 DS [FEAT_LPA2]
    58 TCMA1 [FEAT_MTE2]
    57 TCMA0 [FEAT_MTE2]
    56 E0PD1 [FEAT_E0PD]
    55 E0PD0 [FEAT_E0PD]
    54 NFD1 [FEAT_SVE]
    53 NFD0 [FEAT_SVE]
    52 TBID1 [FEAT_PAuth]
    51 TBID0 [FEAT_PAuth]
    50 HWU162 [FEAT_HPDS2]
    49 HWU161 [FEAT_HPDS2]
    48 HWU160 [FEAT_HPDS2]
    47 HWU159 [FEAT_HPDS2]
    46 HWU062 [FEAT_HPDS2]
    45 HWU061 [FEAT_HPDS2]
    44 HWU060 [FEAT_HPDS2]
    43 HWU059 [FEAT_HPDS2]
    42 HPD1 [FEAT_HPDS] hierarchical permissions of TTBR1's tables {0 on; 1 off}
    41 HPD0 [FEAT_HPDS] hierarchical permissions of TTBR0's tables {0 on; 1 off}
    40 HD [FEAT_HAFDBS] hardware sets the dirty state
    39 HA [FEAT_HAFDBS] hardware sets the access flag
    38 TBI1 top byte of addresses in the upper range {0 used; 1 ignored}
    37 TBI0 top byte of addresses in the lower range {0 used; 1 ignored}
    36 AS ASID size {0 8 bits; 1 16 bits}
    35 RES0
    34:32 IPS intermediate physical address size ${addressSize}
    31:30 TG1 granule of the upper range {0 reserved; 1 16 KB; 2 4 KB; 3 64 KB}
    29:28 SH1 shareability of TTBR1's walks ${shareability}
    27:26 ORGN1 outer cacheability of TTBR1's walks ${cacheability}
    25:24 IRGN1 inner cacheability of TTBR1's walks ${cacheability}
    23 EPD1 walks of TTBR1 {0 on; 1 off, a miss faults}
    22 A1 the ASID is in {0 TTBR0_EL1; 1 TTBR1_EL1}
    21:16 T1SZ upper range's size is 2 to the power of 64 - T1SZ
    15:14 TG0 granule of the lower range {0 4 KB; 1 64 KB; 2 16 KB; 3 reserved}
    13:12 SH0 shareability of TTBR0's walks ${shareability}
    11:10 ORGN0 outer cacheability of TTBR0's walks ${cacheability}
    9:8 IRGN0 inner cacheability of TTBR0's walks ${cacheability}
    7 EPD0 walks of TTBR0 {0 on; 1 off, a miss faults}
    6 RES0
    5:0 T0SZ lower range's size is 2 to the power of 64 - T0SZ`;

const attr = (n: number): string => `${8 * n + 7}:${8 * n} Attr${n} memory attributes of AttrIndx ${n}`;
const mair = [7, 6, 5, 4, 3, 2, 1, 0].map(attr).join('\n');
const auxiliary = '63:0 IMPDEF implementation defined';

export const translationRows: readonly SystemRegisterRow[] = [
  el1('TTBR0_EL1', '3 0 2 0 0', 'Translation Table Base Register 0 (EL1)', ttbrAsid, VM),
  el1('TTBR1_EL1', '3 0 2 0 1', 'Translation Table Base Register 1 (EL1)', ttbrAsid, VM),
  el1('TCR_EL1', '3 0 2 0 2', 'Translation Control Register (EL1)', tcrLow, VM),
  el2('TTBR0_EL2', '3 4 2 0 0', 'Translation Table Base Register 0 (EL2)', ttbr2, CONTEXT),
  el2('TTBR1_EL2', '3 4 2 0 1', 'Translation Table Base Register 1 (EL2)', ttbr2, {
    ...CONTEXT,
    feature: 'FEAT_VHE',
  }),
  el2('TCR_EL2', '3 4 2 0 2', 'Translation Control Register (EL2)', tcrHigh, {
    ...CONTEXT,
    reset: 0x8080_0000n,
    variants: underE2h(tcrLow),
  }),
  el2(
    'VTTBR_EL2',
    '3 4 2 1 0',
    'Virtualization Translation Table Base Register',
    `
    63:56 VMIDhigh [FEAT_VMID16] upper half of the 16-bit VMID
    55:48 VMID virtual machine identifier
    47:1 BADDR physical address of the first stage 2 table
    0 CnP [FEAT_TTCNP] common not private`,
    CONTEXT,
  ),
  el2(
    'VTCR_EL2',
    '3 4 2 1 2',
    'Virtualization Translation Control Register',
    `
    63:34 RES0
    33 SL2 [FEAT_LPA2]
    32 DS [FEAT_LPA2]
    31 RES1
    30 NSA [FEAT_SEL2]
    29 NSW [FEAT_SEL2]
    28 HWU62 [FEAT_HPDS2]
    27 HWU61 [FEAT_HPDS2]
    26 HWU60 [FEAT_HPDS2]
    25 HWU59 [FEAT_HPDS2]
    24:23 RES0
    22 HD [FEAT_HAFDBS] hardware sets the dirty state
    21 HA [FEAT_HAFDBS] hardware sets the access flag
    20 RES0
    19 VS [FEAT_VMID16] VMID size {0 8 bits; 1 16 bits}
    18:16 PS physical address size ${addressSize}
    15:14 TG0 granule {0 4 KB; 1 64 KB; 2 16 KB; 3 reserved}
    13:12 SH0 shareability of walks ${shareability}
    11:10 ORGN0 outer cacheability of walks ${cacheability}
    9:8 IRGN0 inner cacheability of walks ${cacheability}
    7:6 SL0 first level of the walk {0 level 2 (64 KB: 3); 1 level 1 (64 KB: 2); 2 level 0 (64 KB: 1); 3 reserved}
    5:0 T0SZ region size is 2 to the power of 64 - T0SZ`,
    { ...CONTEXT, reset: 0x8000_0000n },
  ),
  el3('TTBR0_EL3', '3 6 2 0 0', 'Translation Table Base Register 0 (EL3)', ttbr, CONTEXT),
  el3('TCR_EL3', '3 6 2 0 2', 'Translation Control Register (EL3)', tcrHigh, { ...CONTEXT, reset: 0x8080_0000n }),
  el1('MAIR_EL1', '3 0 10 2 0', 'Memory Attribute Indirection Register (EL1)', mair, VM),
  el1('AMAIR_EL1', '3 0 10 3 0', 'Auxiliary Memory Attribute Indirection Register (EL1)', auxiliary, {
    traps: VIRTUAL_MEMORY,
  }),
  el2('MAIR_EL2', '3 4 10 2 0', 'Memory Attribute Indirection Register (EL2)', mair, CONTEXT),
  el2('AMAIR_EL2', '3 4 10 3 0', 'Auxiliary Memory Attribute Indirection Register (EL2)', auxiliary),
  el3('MAIR_EL3', '3 6 10 2 0', 'Memory Attribute Indirection Register (EL3)', mair, CONTEXT),
  el3('AMAIR_EL3', '3 6 10 3 0', 'Auxiliary Memory Attribute Indirection Register (EL3)', auxiliary),
  el1(
    'CONTEXTIDR_EL1',
    '3 0 13 0 1',
    'Context ID Register (EL1)',
    `
    63:32 RES0
    31:0 PROCID what the operating system calls the running process`,
    { traps: VIRTUAL_MEMORY },
  ),
  el2(
    'CONTEXTIDR_EL2',
    '3 4 13 0 1',
    'Context ID Register (EL2)',
    `
    63:32 RES0
    31:0 PROCID what the operating system calls the running process`,
    { feature: 'FEAT_VHE' },
  ),
  el1(
    'LORSA_EL1',
    '3 0 10 4 0',
    'LORegion Start Address (EL1)',
    `
    63:52 RES0
    51:16 SA physical address of the first byte, 64 KB aligned
    15:1 RES0
    0 Valid the region {0 does not exist; 1 exists}`,
    LOR,
  ),
  el1(
    'LOREA_EL1',
    '3 0 10 4 1',
    'LORegion End Address (EL1)',
    `
    63:52 RES0
    51:16 EA physical address of the last 64 KB
    15:0 RES0`,
    LOR,
  ),
  el1(
    'LORN_EL1',
    '3 0 10 4 2',
    'LORegion Number (EL1)',
    `
    63:8 RES0
    7:0 Num the descriptor that LORSA_EL1 and LOREA_EL1 are`,
    LOR,
  ),
  el1(
    'LORC_EL1',
    '3 0 10 4 3',
    'LORegion Control (EL1)',
    `
    63:10 RES0
    9:2 DS the descriptor in use
    1 RES0
    0 EN LORegions {0 off; 1 on}`,
    LOR,
  ),
  el1(
    'LORID_EL1',
    '3 0 10 4 7',
    'LORegionID (EL1)',
    `
    63:24 RES0
    23:16 LD descriptors
    15:8 RES0
    7:0 LR regions`,
    { ...LOR, write: 'none', behaviour: 'constant', note: 'no regions: LDLAR and STLLR order everything' },
  ),
  el1(
    'PAR_EL1',
    '3 0 7 4 0',
    'Physical Address Register',
    `
    63:56 ATTR memory attributes, as in MAIR_ELx
    55:48 RES0
    47:12 PA physical address
    11 RES1
    10 IMPDEF implementation defined
    9 NS Non-secure
    8:7 SH shareability ${shareability}
    6:1 RES0
    0 F the translation {0 succeeded; 1 failed}`,
    {
      behaviour: 'PAR_EL1',
      reset: 0x800n,
      variants: [
        {
          when: { bit: 0 },
          fields: bits(`
            63:52 IMPDEF implementation defined
            51:12 RES0
            11 RES1
            10 RES0
            9 S failed at {0 stage 1; 1 stage 2}
            8 PTW stage 2 fault on a stage 1 walk {0 no; 1 yes}
            7 RES0
            6:1 FST fault status, as DFSC
            0 F the translation {0 succeeded; 1 failed}`).map((f) =>
            f.name === 'FST' ? { ...f, values: faultStatus } : f,
          ),
        },
      ],
      note: 'plain storage, all bits kept',
    },
  ),
  el2(
    'HPFAR_EL2',
    '3 4 6 0 4',
    'Hypervisor IPA Fault Address Register',
    `
    63 NS [FEAT_SEL2]
    62:44 RES0
    43:4 FIPA bits 51:12 of the faulting intermediate physical address
    3:0 RES0`,
    { group: 'exception' },
  ),
];
