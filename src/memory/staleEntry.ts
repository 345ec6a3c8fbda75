/** The use of a stale TLB entry in words: what was used, what has changed, and the operations that were owed. */
import { type Change, isTable } from './descriptorChanges';
import { Access, type EntryUse } from './translator';
import type { TranslationContext } from './types';
import type { Unfinished } from './unfinishedTlbi';

const verbs: Readonly<Record<Access, string>> = {
  [Access.Read]: 'read',
  [Access.Write]: 'wrote',
  [Access.Fetch]: 'fetched from',
  [Access.Maintenance]: 'did maintenance of',
};
const byAddress = { 'EL1&0': 'TLBI VAE1IS', 'EL2&0': 'TLBI VAE2IS', EL2: 'TLBI VAE2IS', EL3: 'TLBI VAE3IS' } as const;

const word = (n: number): string => (n >>> 0).toString(16).padStart(8, '0');
/** A descriptor, in hexadecimal. */
export const descriptorText = (hi: number, lo: number): string => `0x${word(hi)}${word(lo)}`;
const addressText = (hi: number, lo: number): string =>
  `0x${hi === 0 ? (lo >>> 0).toString(16) : `${(hi >>> 0).toString(16)}${word(lo)}`}`;

/** What is due after a change of a descriptor, by its stage. */
export const MAINTENANCE = {
  1: 'after the change: DSB ISHST; TLBI VAE1IS; DSB ISH; ISB',
  2: 'after the change: DSB ISHST; TLBI IPAS2E1IS; DSB ISH; TLBI VMALLE1IS; DSB ISH; ISB',
} as const;

/** Around a TLBI: what there has to be before and after it. */
export function missingSteps(row: Unfinished, completed: boolean, synchronised: boolean): readonly string[] {
  const steps: string[] = [];
  if (!row.ordered) steps.push('DSB ISHST before the TLBI');
  if (row.lastLevel && isTable(row.level, row.oldLo)) steps.push('a TLBI that is not of the last level alone');
  if (!completed) steps.push('DSB ISH');
  if (!synchronised) steps.push('ISB');
  return steps;
}

export const unfinishedText = ({ stage, level, oldHi, oldLo }: Unfinished, hi: number, lo: number): string =>
  `walked by the stage ${stage} level ${level} descriptor ${descriptorText(hi, lo)}, ` +
  `while a TLB may still hold what it was, ${descriptorText(oldHi, oldLo)}`;

/** `alone`: the core that did the TLBI for itself, -1 none; `own`: the user wrote the descriptor. */
export function staleEntry(
  change: Change,
  use: EntryUse,
  context: TranslationContext,
  alone: number,
  own: boolean,
): { detail: string; missing: readonly string[]; advice: string } {
  const { stage, level, oldHi, oldLo, newHi, newLo } = change;
  const kind = `stage ${stage} level ${level} ${isTable(level, oldLo) ? 'table descriptor' : 'descriptor'}`;
  const values = `${descriptorText(oldHi, oldLo)}, which has become ${descriptorText(newHi, newLo)}`;
  const access = `${verbs[use.access]} ${addressText(use.vaHi, use.vaLo)} (${use.got})`;
  const operations =
    stage === 2 ? ['TLBI IPAS2E1IS', 'DSB ISH', 'TLBI VMALLE1IS', 'DSB ISH'] : [byAddress[context.regime], 'DSB ISH'];
  // The operation was done, but did not reach this core.
  const missing = alone < 0 ? operations : [`${operations[0]} in place of what reached core ${alone} alone`, 'DSB ISH'];
  return {
    detail: `${access} by a TLB entry made from the ${kind} ${values}: a walk gives ${use.walked}`,
    missing: own ? [...missing, 'ISB'] : missing,
    advice: `after the change: DSB ISHST; ${operations.join('; ')}; ISB`,
  };
}
