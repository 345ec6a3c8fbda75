/** Fault status codes: DFSC and IFSC of ESR_ELx, FST of PAR_EL1. Section: ISS encoding for an exception from a Data Abort. */
import { bug } from '../../base/errors';
import type { AbortFault } from '../types';

/** Those of MMU faults have the level in bits 1:0. */
const status = {
  addressSize: 0x00,
  translation: 0x04,
  accessFlag: 0x08,
  permission: 0x0c,
  external: 0x10,
  externalWalk: 0x14,
  alignment: 0x21,
  watchpoint: 0x22,
  tlbConflict: 0x30,
  hardwareUpdate: 0x31,
  unsupportedExclusive: 0x35,
} as const;
const withLevel = new Set<AbortFault['kind']>([
  'addressSize',
  'translation',
  'accessFlag',
  'permission',
  'externalWalk',
]);

export function faultStatusCode(fault: AbortFault): number {
  if (fault.kind === 'pcAlignment') bug('a PC alignment fault has no status code');
  return status[fault.kind] | (withLevel.has(fault.kind) ? fault.level : 0);
}
