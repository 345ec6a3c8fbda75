/** Advanced SIMD three registers of different types: results of twice or half the width of the operands. */
import type { InstructionRow } from '../types';
import { different, differentScalar } from './forms';

export const simdThreeDifferentRows = [
  different('SADDL', '0 0000', 'long'),
  different('SADDW', '0 0001', 'wide'),
  different('SSUBL', '0 0010', 'long'),
  different('SSUBW', '0 0011', 'wide'),
  different('ADDHN', '0 0100', 'narrow'),
  different('SABAL', '0 0101', 'long'),
  different('SUBHN', '0 0110', 'narrow'),
  different('SABDL', '0 0111', 'long'),
  different('SMLAL', '0 1000', 'long'),
  different('SQDMLAL', '0 1001', 'long', 'hs'),
  different('SMLSL', '0 1010', 'long'),
  different('SQDMLSL', '0 1011', 'long', 'hs'),
  different('SMULL', '0 1100', 'long'),
  different('SQDMULL', '0 1101', 'long', 'hs'),
  different('UADDL', '1 0000', 'long'),
  different('UADDW', '1 0001', 'wide'),
  different('USUBL', '1 0010', 'long'),
  different('USUBW', '1 0011', 'wide'),
  different('RADDHN', '1 0100', 'narrow'),
  different('UABAL', '1 0101', 'long'),
  different('RSUBHN', '1 0110', 'narrow'),
  different('UABDL', '1 0111', 'long'),
  different('UMLAL', '1 1000', 'long'),
  different('UMLSL', '1 1010', 'long'),
  different('UMULL', '1 1100', 'long'),
  differentScalar('SQDMLAL', '0 1001'),
  differentScalar('SQDMLSL', '0 1011'),
  differentScalar('SQDMULL', '0 1101'),
] as const satisfies readonly InstructionRow[];
