import type { Program } from '../program';
import { debug } from './debug';
import { fpHostTraps, fpTraps } from './fp';
import { gicv2Registers, gicv2Virtual } from './gicv2';
import { gicv3Random, gicv3Secure, gicv3Virtual } from './gicv3Random';
import { gicv3Registers, gicv3SecureRegisters } from './gicv3Registers';
import { gicv3Smp } from './gicv3Smp';
import { gicv3VirtualSteps } from './gicv3Virtual';
import { pmuRegisters } from './pmu';
import { timerSteps } from './timers';

export const programs: readonly Program[] = [
  gicv3Registers,
  gicv3SecureRegisters,
  gicv3Random(1),
  gicv3Random(2),
  gicv3Secure(1),
  gicv3Virtual(1),
  gicv3VirtualSteps,
  gicv3Smp,
  gicv2Registers,
  gicv2Virtual(1),
  pmuRegisters,
  debug,
  fpTraps,
  fpHostTraps,
  timerSteps,
];
