/** ISS values of exceptions, from what happened. Section: ESR_ELx, ISS encodings. */
import { bug } from '../base/errors';
import type { AbortFault } from '../memory/types';

/** Fault status codes; those of MMU faults have the level in bits 1:0. */
const status = {
  addressSize: 0x00,
  translation: 0x04,
  accessFlag: 0x08,
  permission: 0x0c,
  external: 0x10,
  externalWalk: 0x14,
  alignment: 0x21,
  tlbConflict: 0x30,
  unsupportedExclusive: 0x35,
} as const;
const WITH_LEVEL = new Set<AbortFault['kind']>([
  'addressSize',
  'translation',
  'accessFlag',
  'permission',
  'externalWalk',
]);

/** DFSC or IFSC. */
export function faultStatusCode(fault: AbortFault): number {
  if (fault.kind === 'pcAlignment') bug('a PC alignment fault has no status code');
  return status[fault.kind] | (WITH_LEVEL.has(fault.kind) ? fault.level : 0);
}

export const isExternal = (fault: AbortFault): boolean => fault.kind === 'external' || fault.kind === 'externalWalk';

const S1PTW = 1 << 7;
const CM = 1 << 8;
const WNR = 1 << 6;

/** ISS of a data abort. ISV is 0: only stage 2 aborts describe their access. Maintenance and AT always report a write. */
export const dataAbortIss = (fault: AbortFault): number =>
  faultStatusCode(fault) | (fault.cacheMaintenance ? CM | WNR : fault.write ? WNR : 0) | (fault.s1ptw ? S1PTW : 0);

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

/** ISS of a trapped WFI or WFE: the condition "always" is valid. */
export const wfxIss = (wfe: boolean): number => (1 << 24) | (0xe << 20) | (wfe ? 1 : 0);
