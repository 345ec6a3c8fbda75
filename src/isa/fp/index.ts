/**
 * All floating-point routines by name: the manual's pseudocode function and the width of the format. Values are bits in i64.
 * FPCR and FPSR are used in the core block.
 */
import { arithmeticRoutines } from './arithmetic';
import { brainFloatRoutines } from './brain';
import { compareRoutines } from './compare';
import { convertRoutines } from './convert';
import { estimateRoutines, tableRoutines } from './estimate';
import { fastRoutines } from './fastRoutines';
import { double, type Format, half, single } from './format';
import { fusedRoutines, halfProductRoutines } from './fused';
import { integerRoutines } from './integers';
import { laneRoutines } from './lanes';
import { nanRoutines } from './nans';
import { roundRoutines } from './round';
import type { Routine } from './routine';

const ofFormat = (f: Format): Record<string, Routine> => ({
  ...roundRoutines(f),
  ...nanRoutines(f),
  ...arithmeticRoutines(f),
  ...fusedRoutines(f),
  ...compareRoutines(f),
  ...integerRoutines(f),
  ...estimateRoutines(f),
});

export const fpRoutines: Readonly<Record<string, Routine>> = {
  ...tableRoutines,
  ...ofFormat(half),
  ...ofFormat(single),
  ...ofFormat(double),
  ...halfProductRoutines,
  ...convertRoutines,
  ...brainFloatRoutines,
  ...fastRoutines,
  ...laneRoutines,
};

export { type Attempt, attemptMulAdd, attemptProduct, attemptSum, hostSuffices, type Site } from './fast';
export { FPCR, FPSR, Rounding } from './format';
export { type Float, type Host, host32, host64 } from './host';
export type { FpState, Routine, RoutineIndex } from './routine';
