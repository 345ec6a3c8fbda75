import { vpipt } from '../../../src/scenarios/vpipt';
import { checkScenario } from './check';

checkScenario(vpipt);
