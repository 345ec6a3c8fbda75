import { cacheablePfnmap } from '../../../src/scenarios/cacheablePfnmap';
import { checkScenario } from './check';

checkScenario(cacheablePfnmap);
