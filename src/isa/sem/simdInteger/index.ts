/** The meaning of Advanced SIMD integer rows, by id. */
import { elementSemantics } from './element';
import { miscSemantics } from './misc';
import { shiftSemantics } from './shift';
import { threeDifferentSemantics } from './threeDifferent';
import { threeSameSemantics } from './threeSame';

export const simdIntegerSemantics = {
  ...threeSameSemantics,
  ...threeDifferentSemantics,
  ...miscSemantics,
  ...shiftSemantics,
  ...elementSemantics,
} as const;
