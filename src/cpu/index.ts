/** The processing element: state, exceptions, system registers and operations, interrupts, timers. */
export { Cpu } from './cpu';
export { CORE_BLOCK_BYTES, coreLayout, SP_SLOT, slotOffset, systemOffset } from './layout';
export {
  type CpuEvents,
  type CpuFacts,
  type CpuMemory,
  type CpuMmu,
  type CpuPeer,
  type CpuPorts,
  type ExceptionEvent,
  ExceptionType,
  type Firmware,
  type Leave,
} from './ports';
export { Pstate } from './pstate';
export { WaitState, waitNames } from './state';
export { TimerLine } from './timers';
