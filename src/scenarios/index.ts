/** The scenarios, in the order of the mail threads that they tell. */
import { cacheablePfnmap } from './cacheablePfnmap';
import { ccsidr } from './ccsidr';
import { softLockup } from './softLockup';
import type { Scenario } from './types';
import { vcpuIsolation } from './vcpuIsolation';
import { vpipt } from './vpipt';

export const scenarios: readonly Scenario[] = [vpipt, vcpuIsolation, softLockup, cacheablePfnmap, ccsidr];
