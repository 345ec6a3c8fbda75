/** Entry of the worker thread in which the emulator runs: joins the thread's port to a session. */
import { parentPort } from 'node:worker_threads';
import { bug } from '../base/errors';
import { launch } from '../machine/launch';
import { hostSession } from './host';
import { modelSources } from './modelSources';
import { nodePorts } from './nodePorts';
import { portChannel } from './portChannel';
import { nodeScheduler } from './scheduler';

hostSession(portChannel(parentPort ?? bug('the worker has no parent')), {
  launch,
  ports: nodePorts(),
  scheduler: nodeScheduler,
  modelSources,
});
