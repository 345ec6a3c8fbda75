/** ISS values of exceptions, from what happened. Section: ESR_ELx, ISS encodings. */
import { faultStatusCode } from '../memory/mmu/faultStatus';
import type { AbortFault } from '../memory/types';

export const isExternal = (fault: AbortFault): boolean => fault.kind === 'external' || fault.kind === 'externalWalk';

const S1PTW = 1 << 7;
const CM = 1 << 8;
const WNR = 1 << 6;

/** ISS of a data abort, but for ISV: only stage 2 aborts describe their access. Maintenance and AT always report a write. */
export const dataAbortIss = (fault: AbortFault): number =>
  faultStatusCode(fault) | (fault.cacheMaintenance ? CM | WNR : fault.write ? WNR : 0) | (fault.s1ptw ? S1PTW : 0);

/** The fault is one of stage 2 that describes its access to EL2 where the instruction allows it. */
export const describesAccess = (fault: AbortFault): boolean =>
  fault.stage2 && !fault.s1ptw && !fault.cacheMaintenance && !isExternal(fault);

export const instructionAbortIss = (fault: AbortFault): number => faultStatusCode(fault) | (fault.s1ptw ? S1PTW : 0);

/** ISS of a trapped MSR, MRS or system instruction: `key` is bits 20:5 of the instruction. */
export const systemRegisterIss = (key: number, rt: number, read: boolean): number =>
  ((key >>> 14) << 20) |
  ((key & 7) << 17) |
  (((key >>> 11) & 7) << 14) |
  (((key >>> 7) & 15) << 10) |
  (rt << 5) |
  (((key >>> 3) & 15) << 1) |
  (read ? 1 : 0);

/** CV and COND: the condition "always" is valid. */
const ALWAYS = (1 << 24) | (0xe << 20);

/** ISS of a trapped WFI or WFE. */
export const wfxIss = (wfe: boolean): number => ALWAYS | (wfe ? 1 : 0);

/** ISS of a trapped floating-point or SIMD instruction. */
export const FP_ACCESS_ISS = ALWAYS;

/** ISV and EX of a Software Step exception: what was stepped (Stepped of selfHostedDebug.ts). */
export const softwareStepIss = (stepped: number): number =>
  (stepped !== 0 ? 1 << 24 : 0) | (stepped === 2 ? 1 << 6 : 0);
