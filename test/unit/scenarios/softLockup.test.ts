import { softLockup } from '../../../src/scenarios/softLockup';
import { checkScenario } from './check';

checkScenario(softLockup);
