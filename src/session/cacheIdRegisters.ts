/**
 * The cache identification registers of a core, CCSIDR_EL1 once for each cache that CLIDR_EL1 names. Reading the one of a cache
 * does not touch CSSELR_EL1.
 */
import { byName, systemRegisters } from '../arch/sysregs';
import type { CoreView } from '../machine/api';
import type { RegisterAccess } from './expressions/evaluate';
import { systemAccess } from './registers';

const fixed = ['CTR_EL0', 'CLIDR_EL1', 'DCZID_EL0', 'CSSELR_EL1'] as const;
const CTYPE_NAMES: Readonly<Record<number, readonly ('I' | 'D' | 'U')[]>> = {
  1: ['I'],
  2: ['D'],
  3: ['I', 'D'],
  4: ['U'],
};

/** The caches in CLIDR_EL1, with the CSSELR_EL1 value that selects each. */
export function cachesOf(clidr: bigint): { level: number; kind: 'I' | 'D' | 'U'; selector: number }[] {
  const found: { level: number; kind: 'I' | 'D' | 'U'; selector: number }[] = [];
  for (let level = 1; level <= 7; level++) {
    const ctype = Number((clidr >> BigInt(3 * (level - 1))) & 7n);
    const kinds = CTYPE_NAMES[ctype];
    if (kinds === undefined) break;
    for (const kind of kinds) found.push({ level, kind, selector: ((level - 1) << 1) | (kind === 'I' ? 1 : 0) });
  }
  return found;
}

/** Names such as `CCSIDR_EL1[L1 I]`; unknown (undefined) where the machine cannot say without changing the selection. */
export function cacheIdRegisters(core: CoreView): RegisterAccess[] {
  const present = fixed.filter((name) => core.peekSystem(name) !== undefined);
  const list = present.map((name) => systemAccess(core, systemRegisters[byName(name)]));
  const row = systemRegisters[byName('CCSIDR_EL1')];
  const fields = row.fields.filter((field) => field.res === undefined);
  const sizes = cachesOf(core.peekSystem('CLIDR_EL1') ?? 0n).map(
    ({ level, kind, selector }): RegisterAccess => ({
      name: `CCSIDR_EL1[L${level}${kind === 'U' ? '' : ` ${kind}`}]`,
      size: 8,
      computed: true,
      fields,
      read: () => cacheSize(core, selector),
    }),
  );
  return [...list, ...sizes];
}

/** CCSIDR_EL1 as it reads when CSSELR_EL1 holds `selector`. */
export function cacheSize(core: CoreView, selector: number): bigint | undefined {
  if (core.peekCacheSize) return core.peekCacheSize(selector);
  const selected = core.peekSystem('CSSELR_EL1');
  return selected === BigInt(selector) ? core.peekSystem('CCSIDR_EL1') : undefined;
}
