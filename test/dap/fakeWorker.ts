/** A worker whose machine is the fake one: `program` names a fixture or one of the written guests. */
import { parentPort } from 'node:worker_threads';
import { hostSession, nodePorts, nodeScheduler, portChannel } from '../../src/worker';
import { launchFake } from '../fakes/programs';

if (parentPort) {
  hostSession(portChannel(parentPort), { launch: launchFake, ports: nodePorts(), scheduler: nodeScheduler });
}
