/** Every routine of the model, in the order in which their steps have addresses. */
import { doIdle, secondaryStartKernel, startKernel } from './boot';
import { debugSwitchToGuest, debugSwitchToHost, handleOslar } from './debug';
import { handleExit, handleHvc, handleSmc, handleSysReg, handleWfx, unknownEc } from './exits';
import { accessFault, breakEntry, flushVm, guestAbort, mapCpuInterface, memoryFault, userMemAbort } from './faults';
import { handleIrq } from './interrupts';
import { ioMemAbort } from './mmio';
import { ageGfn, clearDirtyLog, enableLogDirty, getDirtyLog, wpMemoryRegion, wrProtect } from './protect';
import { psci } from './psci';
import type { Routine } from './routines';
import { setMemoryRegion } from './slots';
import { flushShadowMemslot, stage2Unmap, unmapRange, unmapVm } from './unmap';
import { cpuUp, otherVms, vmmCall, vmmReadsCtr, vmmWrite } from './vmmCalls';
import { perform, vcpuLoad, vcpuPut, vcpuRun, vcpuThread } from './world';

export const allRoutines: readonly Routine[] = [
  ...[startKernel, secondaryStartKernel, doIdle],
  ...[vcpuThread, vcpuLoad, vcpuRun, vcpuPut, perform],
  ...[handleExit, unknownEc, handleWfx, handleSysReg, handleHvc, handleSmc, psci],
  ...[guestAbort, accessFault, userMemAbort, breakEntry, ioMemAbort, mapCpuInterface, memoryFault, flushVm, handleIrq],
  ...[vmmCall, vmmWrite, cpuUp, otherVms, vmmReadsCtr],
  ...[wrProtect, wpMemoryRegion, getDirtyLog, clearDirtyLog, enableLogDirty, ageGfn],
  ...[setMemoryRegion, flushShadowMemslot, unmapRange, stage2Unmap, unmapVm],
  ...[debugSwitchToGuest, debugSwitchToHost, handleOslar],
];
