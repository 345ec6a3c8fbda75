/**
 * Differences that are known and right: where the oracle does something that the architecture does not ask for. The
 * command fails when a long run has not seen one of them: it is to be taken out.
 */
import type { Case, Outcome } from './cases';

export interface KnownDifference {
  readonly reason: string;
  /** The rows that it concerns. */
  readonly rows: RegExp;
  readonly matches: (c: Case, oracle: Outcome, subject: Outcome) => boolean;
}

export const knownDifferences: readonly KnownDifference[] = [
  {
    reason:
      'a store exclusive that has lost its monitor: AArch64.ExclusiveMonitorsPass checks alignment first (and may find other faults); QEMU only returns 1',
    rows: /^(STL?X[RP]|exclusive)$/,
    matches: (_c, oracle, subject) =>
      oracle.ending === 'end' && (subject.ending === 'alignment' || subject.ending === 'dataAbort'),
  },
];
