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

/** QEMU's address of an exclusive monitor that is not set. */
const NO_MONITOR = 2n ** 64n - 1n;

export const knownDifferences: readonly KnownDifference[] = [
  {
    reason:
      'AddPAC where one of two ranges has tags: bit 55 tells the ranges apart, whatever the range; QEMU takes bit 63 of pointers to the range without tags',
    rows: /^(PAC_|signed$)/,
    matches: (c) => c.x.some((value) => ((value >> 55n) & 0x101n) === 1n),
  },
  {
    reason:
      'a branch to an address that is neither aligned nor mapped: PC alignment comes first; QEMU in system mode aborts',
    rows: /^(BL?RA|RETA|signed)/,
    matches: (_c, oracle, subject) => oracle.ending === 'instructionAbort' && subject.ending === 'pcAlignment',
  },
  {
    reason:
      'a store exclusive that has lost its monitor: AArch64.ExclusiveMonitorsPass checks alignment first (and may find other faults); QEMU only returns 1, or looks for the page first, or goes on where the address is all ones, which is what it keeps when there is no monitor',
    rows: /^(STL?X[RP]|exclusive)$/,
    matches: (c, oracle, subject) =>
      (oracle.ending === 'end' && (subject.ending === 'alignment' || subject.ending === 'dataAbort')) ||
      (oracle.ending === 'dataAbort' && subject.ending === 'alignment') ||
      (oracle.ending === 'dataAbort' && subject.ending === 'end' && c.x.includes(NO_MONITOR)),
  },
  {
    reason:
      'FCVTZS of half precision to a fixed-point scalar: V[d] is the 16 bits zero-extended; QEMU 7.2 extends their sign to 32',
    rows: /^FCVTZS_imm_scalar_h$/,
    matches: (_c, oracle, subject) =>
      subject.v.every((value, i) => value === oracle.v[i] || (value & 0xffff_8000n) === 0x8000n) &&
      oracle.v.every((value, i) => value === subject.v[i] || value === (subject.v[i] | 0xffff_0000n)),
  },
  {
    reason:
      'FJCVTZS of a denormal that FPCR.FZ flushes: FPToFixedJS clears Z, as it does for all that is not exact, and so does QEMU 10; QEMU 7.2 sets it',
    rows: /^FJCVTZS$/,
    matches: (c, oracle, subject) => (c.fpcr & (1 << 24)) !== 0 && oracle.nzcv === 4 && subject.nzcv === 0,
  },
];
