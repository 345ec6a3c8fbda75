/** Advanced SIMD integer data processing, by the manual's encoding groups. */
import { simdElementRows } from './element';
import { simdMiscRows } from './misc';
import { simdShiftRows } from './shift';
import { simdThreeDifferentRows } from './threeDifferent';
import { simdThreeSameRows } from './threeSame';

export const simdIntegerRows = [
  ...simdThreeSameRows,
  ...simdThreeDifferentRows,
  ...simdMiscRows,
  ...simdShiftRows,
  ...simdElementRows,
] as const;
