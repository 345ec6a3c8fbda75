/** The emulator's thread: what serves a session, and what joins it to Node. */
export { type HostPorts, hostSession } from './host';
export { modelSources } from './modelSources';
export { nodePorts } from './nodePorts';
export { portChannel } from './portChannel';
export { nodeScheduler } from './scheduler';
