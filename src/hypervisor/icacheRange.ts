/**
 * Invalidating the I-cache for a guest page or block (__invalidate_icache_guest_page): how many operations, by policy. The bound
 * is counted in lines of the sanitised IminLine, in the number of entries of one table level (MAX_DVM_OPS = PTRS_PER_PTE).
 * Source: FIDELITY A2; thread 2; 909b583f81b5 as posted.
 */
import { bug } from '../base/errors';
import { getField } from './fields';
import type { Policies } from './policies';
import { broadcasts, type Step } from './steps';

export type PageBytes = 4096 | 16384 | 65536;

/** Bytes of one entry of a translation table. */
const ENTRY_BYTES = 8;

/** MAX_DVM_OPS, MAX_TLBI_OPS before v6.7: broadcast operations that one call may issue. */
export const maxDvmOps = (pageBytes: PageBytes): number => pageBytes / ENTRY_BYTES;

/** Bytes of the smallest I-line of any core, from a sanitised CTR_EL0. */
export const icacheLineBytes = (ctr: bigint): number => 4 << Number(getField('CTR_EL0.IminLine', ctr));

/** The largest range that is invalidated line by line under the 'bounded' policy, in bytes. */
export const maxRangeBytes = (pageBytes: PageBytes, ctr: bigint): number => maxDvmOps(pageBytes) * icacheLineBytes(ctr);

export interface IcacheFacts {
  /** CTR_EL0 as the host sanitised it. */
  readonly ctr: bigint;
  /** icache_is_aliasing: some core's I-cache is not PIPT. */
  readonly aliasing: boolean;
  readonly vpipt: boolean;
  /** Where this code runs: 1 for an nVHE host. */
  readonly hostEl: 1 | 2;
  readonly pageBytes: PageBytes;
}

const EVERYTHING: readonly Step[] = [{ name: 'IC IALLUIS' }, { name: 'DSB ISH' }];

/** icache_inval_all_pou */
export const invalidateAll = ({ ctr }: Pick<IcacheFacts, 'ctr'>): readonly Step[] =>
  getField('CTR_EL0.DIC', ctr) === 1n ? [] : EVERYTHING;

/** Steps for a range of `bytes`, which is aligned to its size. */
export function icacheSteps(bytes: number, facts: IcacheFacts, policies: Policies): readonly Step[] {
  const line = icacheLineBytes(facts.ctr);
  if (bytes <= 0 || bytes % facts.pageBytes !== 0) bug(`an I-cache range of ${bytes} bytes`);
  const dic = getField('CTR_EL0.DIC', facts.ctr) === 1n;
  if (facts.vpipt && policies.vpipt === 'aware' && facts.hostEl === 1) return [];
  if (facts.aliasing || wantsEverything(bytes, facts, policies)) return invalidateAll(facts);
  return dic ? [{ name: 'ISB' }] : [{ name: 'IC IVAU', count: bytes / line }, { name: 'DSB ISH' }, { name: 'ISB' }];
}

function wantsEverything(bytes: number, facts: IcacheFacts, policies: Policies): boolean {
  switch (policies.icacheInvalidation) {
    case 'everyLine':
      return false;
    case 'bounded':
      return bytes > maxRangeBytes(facts.pageBytes, facts.ctr);
    case 'abovePage':
      return bytes > facts.pageBytes;
    case 'all':
      return true;
  }
}

/** Broadcast operations issued for a range: what the soft lockup is made of. */
export const icacheOperations = (bytes: number, facts: IcacheFacts, policies: Policies): number =>
  broadcasts(icacheSteps(bytes, facts, policies));
