/** Fault status codes: DFSC and IFSC of ESR_ELx, FST of PAR_EL1; and faults in words. Section: ISS encoding for an exception from a Data Abort. */
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

const faultNames: Readonly<Record<string, string>> = {
  translation: 'translation fault',
  addressSize: 'address size fault',
  accessFlag: 'access flag fault',
  permission: 'permission fault',
  externalWalk: 'external abort on the table walk',
};

/** 'stage 2 permission fault, level 3, IPA 0x40000000'. */
export function describeFault(fault: AbortFault): string {
  const name = `${faultNames[fault.kind] ?? fault.kind}, level ${fault.level}`;
  if (!fault.stage2) return name;
  const walk = fault.s1ptw ? ' on the stage 1 walk' : '';
  return `stage 2 ${name}${walk}, IPA 0x${fault.ipa.toString(16)}`;
}
