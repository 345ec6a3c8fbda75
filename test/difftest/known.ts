/**
 * Differences that are known and right: where the oracle does something that the architecture does not ask for. The
 * command says which of them a run has not seen: one that is never seen any more is to be taken out.
 */
import type { Case, Outcome } from './cases';

export interface KnownDifference {
  readonly reason: string;
  readonly matches: (c: Case, oracle: Outcome, subject: Outcome) => boolean;
}

export const knownDifferences: readonly KnownDifference[] = [
  {
    reason:
      'a store exclusive that has lost its monitor: AArch64.ExclusiveMonitorsPass checks alignment first (and may find other faults); QEMU only returns 1',
    matches: (c, oracle, subject) =>
      (/^STL?X[RP]$/.test(c.row) || c.row === 'exclusive') &&
      oracle.ending === 'end' &&
      (subject.ending === 'alignment' || subject.ending === 'dataAbort'),
  },
];
