import { ccsidr } from '../../../src/scenarios/ccsidr';
import { checkScenario } from './check';

checkScenario(ccsidr);
