/**
 * Cache identification. Values follow from the geometry that each core is built with (or from a machine file that makes them
 * lie), so their reset is 'id' and the computed ones are behaviours.
 */
import { bits, rowsOf } from './row';
import { CTR, TID2_TID4 } from './traps';
import type { SystemRegisterRow } from './types';

const cache = rowsOf({ group: 'cache', read: 1, write: 'none', reset: 'id', behaviour: 'constant' });

const LINE_SIZE =
  "log2 of the line's bytes, minus 4 {0 16 bytes; 1 32 bytes; 2 64 bytes; 3 128 bytes; 4 256 bytes; 5 512 bytes; 6 1 KB; 7 2 KB}";

/** One Ctype field of CLIDR_EL1. */
const ctype = (n: number): string =>
  `${3 * n - 1}:${3 * n - 3} Ctype${n} caches at level ${n} {0 none; 1 instruction; 2 data; 3 separate; 4 unified}`;

export const cacheRows: readonly SystemRegisterRow[] = [
  cache(
    'CTR_EL0',
    '3 3 0 0 1',
    'Cache Type Register',
    `
    63:38 RES0
    37:32 TminLine [FEAT_MTE2] log2 of the words of the tags' smallest line
    31 RES1
    30 RES0
    29 DIC invalidating the I-cache to the PoU for coherence {0 required; 1 not required}
    28 IDC cleaning the D-cache to the PoU for coherence {0 required; 1 not required}
    27:24 CWG cache write-back granule, log2 of words {0 not given, at most 2 KB; 1 8 bytes; 2 16 bytes; 3 32 bytes; 4 64 bytes; 5 128 bytes; 6 256 bytes; 7 512 bytes; 8 1 KB; 9 2 KB}
    23:20 ERG exclusives reservation granule, log2 of words {0 not given, at most 2 KB; 2 16 bytes; 3 32 bytes; 4 64 bytes; 5 128 bytes; 6 256 bytes; 7 512 bytes; 8 1 KB; 9 2 KB}
    19:16 DminLine smallest data line, log2 of words {2 16 bytes; 3 32 bytes; 4 64 bytes; 5 128 bytes; 6 256 bytes}
    15:14 L1Ip level 1 instruction cache policy {0 VPIPT (withdrawn); 1 reserved (AIVIVT); 2 VIPT; 3 PIPT}
    13:4 RES0
    3:0 IminLine smallest instruction line, log2 of words {2 16 bytes; 3 32 bytes; 4 64 bytes; 5 128 bytes; 6 256 bytes}`,
    { read: 0, traps: CTR },
  ),
  cache(
    'CCSIDR_EL1',
    '3 1 0 0 0',
    'Current Cache Size ID Register',
    `
    63:32 RES0
    31:28 UNKNOWN write-through, write-back, read- and write-allocate in old manuals
    27:13 NumSets number of sets, minus one
    12:3 Associativity number of ways, minus one
    2:0 LineSize ${LINE_SIZE}`,
    {
      behaviour: 'CCSIDR_EL1',
      traps: TID2_TID4,
      variants: [
        {
          when: { feature: 'FEAT_CCIDX' },
          fields: bits(`
            63:56 RES0
            55:32 NumSets number of sets, minus one
            31:24 RES0
            23:3 Associativity number of ways, minus one
            2:0 LineSize ${LINE_SIZE}`),
        },
      ],
      note: 'of the cache that CSSELR_EL1 selects; the 64-bit format with FEAT_CCIDX',
    },
  ),
  cache(
    'CLIDR_EL1',
    '3 1 0 0 1',
    'Cache Level ID Register',
    `
    63:47 RES0
    46:45 Ttype7 [FEAT_MTE2]
    44:43 Ttype6 [FEAT_MTE2]
    42:41 Ttype5 [FEAT_MTE2]
    40:39 Ttype4 [FEAT_MTE2]
    38:37 Ttype3 [FEAT_MTE2]
    36:35 Ttype2 [FEAT_MTE2]
    34:33 Ttype1 [FEAT_MTE2]
    32:30 ICB inner cache boundary {0 not disclosed; 1 level 1; 2 level 2; 3 level 3}
    29:27 LoUU level of unification, uniprocessor
    26:24 LoC level of coherence
    23:21 LoUIS level of unification, inner shareable
    ${ctype(7)}
    ${ctype(6)}
    ${ctype(5)}
    ${ctype(4)}
    ${ctype(3)}
    ${ctype(2)}
    ${ctype(1)}`,
    { traps: TID2_TID4 },
  ),
  cache(
    'CCSIDR2_EL1',
    '3 1 0 0 2',
    'Current Cache Size ID Register 2',
    `
    63:24 RES0
    23:0 NumSets number of sets, minus one`,
    {
      behaviour: 'CCSIDR2_EL1',
      traps: TID2_TID4,
      feature: 'FEAT_CCIDX',
      note: 'UNKNOWN where AArch32 is not implemented; UNDEFINED without FEAT_CCIDX',
    },
  ),
  cache(
    'CSSELR_EL1',
    '3 2 0 0 0',
    'Cache Size Selection Register',
    `
    63:5 RES0
    4 TnD [FEAT_MTE2] tags, not data
    3:1 Level cache level, minus one {0 level 1; 1 level 2; 2 level 3; 3 level 4; 4 level 5; 5 level 6; 6 level 7}
    0 InD {0 data or unified; 1 instruction}`,
    { write: 1, reset: 0n, behaviour: 'storage', traps: TID2_TID4 },
  ),
  cache(
    'DCZID_EL0',
    '3 3 0 0 7',
    'Data Cache Zero ID Register',
    `
    63:5 RES0
    4 DZP DC ZVA at this EL {0 permitted; 1 prohibited}
    3:0 BS log2 of the words that DC ZVA zeroes {2 16 bytes; 3 32 bytes; 4 64 bytes; 5 128 bytes; 6 256 bytes; 7 512 bytes; 8 1 KB; 9 2 KB}`,
    { read: 0, behaviour: 'DCZID_EL0', note: 'DZP follows SCTLR_EL1.DZE and HCR_EL2.TDZ' },
  ),
];
