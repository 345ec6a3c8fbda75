/** The kinds of coherence findings: one row each, which views, SARIF and README are made from. */

interface FindingKindRow {
  /** What happened, a few words. */
  readonly what: string;
  /** The kind of access that found it: an instruction that ran, or data. */
  readonly side: 'instruction' | 'data';
}

export const findingKinds = {
  'stale fetch': { what: 'an instruction ran that memory no longer holds', side: 'instruction' },
  'inherited line': {
    what: 'a vCPU ran an old instruction out of a line that another vCPU brought into the I-cache',
    side: 'instruction',
  },
  'VIPT alias': {
    what: 'an old instruction ran at one address after its line was invalidated by another address only',
    side: 'instruction',
  },
  'wrong stride': { what: 'maintenance went by lines larger than those of some core', side: 'instruction' },
  'missing maintenance': {
    what: 'an instruction ran that could be old on hardware that CTR_EL0 allows',
    side: 'instruction',
  },
  'missing context synchronisation': {
    what: 'an instruction ran that could have been fetched before it was written',
    side: 'instruction',
  },
  'mismatched attributes': { what: 'a non-cacheable read got bytes older than a cache holds', side: 'data' },
  'lost data': { what: 'an invalidation threw away written data', side: 'data' },
  'break-before-make': {
    what: 'a valid translation table entry became another valid one while a TLB held it',
    side: 'data',
  },
  'stale TLB entry': {
    what: 'an access went by a TLB entry that was due to be invalidated, and a walk gives something else',
    side: 'data',
  },
  'incomplete TLB maintenance': {
    what: 'a walk read a changed descriptor before the TLBI for it was complete: a TLB could still hold what it was',
    side: 'data',
  },
  'set/way': { what: 'maintenance by set and way while other cores run: it does not reach their caches', side: 'data' },
} as const satisfies Readonly<Record<string, FindingKindRow>>;

export type FindingKind = keyof typeof findingKinds;
