/** Every routine of the model, in the order in which their steps have addresses. */
import { doIdle, secondaryStartKernel, startKernel } from './boot';
import { handleExit, handleHvc, handleSmc, handleSysReg, handleWfx, psci, unknownEc } from './exits';
import { accessFault, flushVm, guestAbort, ioMemAbort, mapCpuInterface, memoryFault, userMemAbort } from './faults';
import { handleIrq } from './interrupts';
import type { Routine } from './routines';
import { cpuUp, otherVms, unmapRange, vmmCall, vmmReadsCtr, vmmWrite } from './vmmCalls';
import { perform, vcpuLoad, vcpuPut, vcpuRun, vcpuThread } from './world';

export const allRoutines: readonly Routine[] = [
  ...[startKernel, secondaryStartKernel, doIdle],
  ...[vcpuThread, vcpuLoad, vcpuRun, vcpuPut, perform],
  ...[handleExit, unknownEc, handleWfx, handleSysReg, handleHvc, handleSmc, psci],
  ...[guestAbort, accessFault, userMemAbort, ioMemAbort, mapCpuInterface, memoryFault, flushVm, handleIrq],
  ...[vmmCall, vmmWrite, unmapRange, cpuUp, otherVms, vmmReadsCtr],
];
