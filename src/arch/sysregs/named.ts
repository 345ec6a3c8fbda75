/**
 * Registers that have a name for the disassembler and the coverage page but are not implemented: an access is UNDEFINED, as on
 * a core without the feature. Each says why.
 */
import { bug } from '../../base/errors';
import type { FeatureName } from '../features';
import type { Encoding, NamedRegister } from './types';

function named(reason: string, section: string, list: string, feature?: FeatureName): NamedRegister[] {
  return list
    .trim()
    .split('\n')
    .map((line) => {
      const [name, ...numbers] = line.trim().split(/\s+/);
      if (numbers.length !== 5) bug(`named register "${line}"`);
      const [op0, op1, CRn, CRm, op2] = numbers.map(Number);
      return { name, encoding: [op0, op1, CRn, CRm, op2] as Encoding, section, reason, feature };
    });
}

export const namedRegisters: readonly NamedRegister[] = [
  ...named('holds AArch32 state: there is none', 'Floating-Point Exception Control Register', 'FPEXC32_EL2 3 4 5 3 0'),
  ...named(
    'exist in Debug state only, which needs an external debugger',
    'Debug Saved Program Status Register, Debug Link Register',
    `
    DSPSR_EL0 3 3 4 5 0
    DLR_EL0 3 3 4 5 1`,
  ),
  ...named(
    'for more than 5 bits of priority: UNDEFINED with 5, as on the cores here',
    'GIC active priorities registers',
    `
    ICC_AP0R1_EL1 3 0 12 8 5
    ICC_AP0R2_EL1 3 0 12 8 6
    ICC_AP0R3_EL1 3 0 12 8 7
    ICC_AP1R1_EL1 3 0 12 9 1
    ICC_AP1R2_EL1 3 0 12 9 2
    ICC_AP1R3_EL1 3 0 12 9 3
    ICH_AP0R1_EL2 3 4 12 8 1
    ICH_AP0R2_EL2 3 4 12 8 2
    ICH_AP0R3_EL2 3 4 12 8 3
    ICH_AP1R1_EL2 3 4 12 9 1
    ICH_AP1R2_EL2 3 4 12 9 2
    ICH_AP1R3_EL2 3 4 12 9 3`,
  ),
  ...named(
    'the extension is not implemented',
    'Registers of later extensions',
    `
    TCO 3 3 4 2 7
    ZCR_EL1 3 0 1 2 0
    ZCR_EL2 3 4 1 2 0
    ZCR_EL3 3 6 1 2 0
    TRFCR_EL1 3 0 1 2 1
    TRFCR_EL2 3 4 1 2 1
    GCR_EL1 3 0 1 0 6
    RGSR_EL1 3 0 1 0 5
    TFSR_EL1 3 0 5 6 0
    TFSRE0_EL1 3 0 5 6 1
    GMID_EL1 3 1 0 0 4
    ERRSELR_EL1 3 0 5 3 1
    SCXTNUM_EL0 3 3 13 0 7
    SCXTNUM_EL1 3 0 13 0 7
    HFGRTR_EL2 3 4 1 1 4
    HFGWTR_EL2 3 4 1 1 5
    HFGITR_EL2 3 4 1 1 6
    HDFGRTR_EL2 3 4 3 1 4
    HDFGWTR_EL2 3 4 3 1 5
    HCRX_EL2 3 4 1 2 2
    VNCR_EL2 3 4 2 2 0
    VSTTBR_EL2 3 4 2 6 0
    VSTCR_EL2 3 4 2 6 2
    PMMIR_EL1 3 0 9 14 6`,
  ),
];
