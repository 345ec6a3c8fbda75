import { vcpuIsolation } from '../../../src/scenarios/vcpuIsolation';
import { checkScenario } from './check';

checkScenario(vcpuIsolation);
