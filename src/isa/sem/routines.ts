/**
 * Routines: functions of generated code that several semantic functions call, for what would be long in each of them. An
 * engine generates a routine when a handler that calls it is generated first. The first parameter of each is the core block.
 */

import { fpRoutines, type Routine } from '../fp';
import { pauthRoutines } from '../pauth';
import { bitRoutines } from './bitRoutines';

export type { Routine };

export const routines: Readonly<Record<string, Routine>> = {
  ...fpRoutines,
  ...bitRoutines,
  ...pauthRoutines,
};
