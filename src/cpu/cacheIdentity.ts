/**
 * CTR_EL0, CLIDR_EL1, CCSIDR_EL1 and DCZID_EL0 of a core, from the geometry that it is built with. Level 1 is separate,
 * level 2 the cluster's unified cache. With IDC the point of unification is before any cache (LoUU = LoUIS = 0).
 */
import type { CacheGeometry, InstructionCachePolicy } from '../memory/types';

export interface CacheFacts {
  readonly l1i: CacheGeometry & { readonly policy: InstructionCachePolicy };
  readonly l1d: CacheGeometry;
  readonly l2: CacheGeometry | null;
  readonly idc: boolean;
  readonly dic: boolean;
  readonly exclusivesBytes: number;
}

/** Bytes that DC ZVA zeroes. */
export const ZERO_BLOCK_LOG2_WORDS = 4;

const policyCode: Readonly<Record<InstructionCachePolicy, bigint>> = { VPIPT: 0n, VIPT: 2n, PIPT: 3n };
const log2Words = (bytes: number): bigint => BigInt(Math.log2(bytes) - 2);

export function ctrEl0(facts: CacheFacts): bigint {
  const data = [facts.l1d, ...(facts.l2 === null ? [] : [facts.l2])].map((g) => g.lineBytes);
  const writeBackGranule = log2Words(Math.max(...data));
  return (
    (1n << 31n) |
    ((facts.dic ? 1n : 0n) << 29n) |
    ((facts.idc ? 1n : 0n) << 28n) |
    (writeBackGranule << 24n) |
    (log2Words(facts.exclusivesBytes) << 20n) |
    (log2Words(Math.min(...data)) << 16n) |
    (policyCode[facts.l1i.policy] << 14n) |
    log2Words(facts.l1i.lineBytes)
  );
}

export function clidrEl1(facts: CacheFacts): bigint {
  const separate = 3n;
  const unified = 4n;
  const toUnification = facts.idc ? 0n : 1n;
  const levels = facts.l2 === null ? 1n : 2n;
  const types = separate | (facts.l2 === null ? 0n : unified << 3n);
  return (toUnification << 27n) | (levels << 24n) | (toUnification << 21n) | types;
}

/** One cache's CCSIDR_EL1. Bits 31:28 of the 32-bit format are the write-through … write-allocate flags of old manuals. */
function ccsidr(geometry: CacheGeometry, flags: bigint, ccidx: boolean): bigint {
  const sets = BigInt(geometry.sets - 1);
  const ways = BigInt(geometry.ways - 1);
  const line = BigInt(Math.log2(geometry.lineBytes) - 4);
  return ccidx ? (sets << 32n) | (ways << 3n) | line : (flags << 28n) | (sets << 13n) | (ways << 3n) | line;
}

const WRITE_BACK_ALLOCATE = 7n;
const READ_ALLOCATE = 2n;

/** CCSIDR_EL1 by CSSELR_EL1.{Level,InD} (0 … 15); zero for caches that do not exist. `ccidx`: FEAT_CCIDX. */
export function ccsidrValues(facts: CacheFacts, ccidx: boolean): bigint[] {
  const values = new Array<bigint>(16).fill(0n);
  values[0] = ccsidr(facts.l1d, WRITE_BACK_ALLOCATE, ccidx);
  values[1] = ccsidr(facts.l1i, READ_ALLOCATE, ccidx);
  if (facts.l2 !== null) values[2] = ccsidr(facts.l2, WRITE_BACK_ALLOCATE, ccidx);
  return values;
}
