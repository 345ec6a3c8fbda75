/**
 * Names and encodings that reach another register. While HCR_EL2.E2H is set, EL2's accesses to registers of EL1 reach those of
 * EL2 instead, and EL1's are reached by names that end in EL12 and EL02. Sections: "Virtualization Host Extensions, System and
 * Special-purpose register redirection", "aliasing".
 */
import type { Encoding } from './types';

export interface RegisterAlias {
  readonly name: string;
  readonly encoding: Encoding;
  /** The register that it is. */
  readonly of: string;
}

/** Registers of EL1, with what EL2 reaches by their names under E2H. */
const hosts = `
  SCTLR_EL1 SCTLR_EL2
  CPACR_EL1 CPTR_EL2
  TTBR0_EL1 TTBR0_EL2
  TTBR1_EL1 TTBR1_EL2
  TCR_EL1 TCR_EL2
  SPSR_EL1 SPSR_EL2
  ELR_EL1 ELR_EL2
  AFSR0_EL1 AFSR0_EL2
  AFSR1_EL1 AFSR1_EL2
  ESR_EL1 ESR_EL2
  FAR_EL1 FAR_EL2
  MAIR_EL1 MAIR_EL2
  AMAIR_EL1 AMAIR_EL2
  VBAR_EL1 VBAR_EL2
  CONTEXTIDR_EL1 CONTEXTIDR_EL2
  CNTKCTL_EL1 CNTHCTL_EL2
  CNTP_TVAL_EL0 CNTHP_TVAL_EL2
  CNTP_CTL_EL0 CNTHP_CTL_EL2
  CNTP_CVAL_EL0 CNTHP_CVAL_EL2
  CNTV_TVAL_EL0 CNTHV_TVAL_EL2
  CNTV_CTL_EL0 CNTHV_CTL_EL2
  CNTV_CVAL_EL0 CNTHV_CVAL_EL2`;

/** [name, what EL2 reaches by it under E2H]; EL0's names also lead there at EL0 of a host. */
export const redirections: readonly (readonly [string, string])[] = hosts
  .trim()
  .split('\n')
  .map((line) => line.trim().split(' ') as unknown as readonly [string, string]);

/** SCTLR_EL12, CNTP_CTL_EL02: op1 is 5, the rest as in the register itself. */
export const aliasesOf = (encodingOf: (name: string) => Encoding): readonly RegisterAlias[] =>
  redirections.map(([of]) => {
    const [op0, , CRn, CRm, op2] = encodingOf(of);
    return { name: `${of}2`, encoding: [op0, 5, CRn, CRm, op2], of };
  });
