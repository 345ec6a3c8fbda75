/**
 * ID registers of a guest, as far as cache identification changes them. Source: FIDELITY A4 ("Mask FEAT_CCIDX"). ID_MMFR4_EL1.CCIDX
 * belongs to AArch32, which no core here has.
 */
import { maskOf } from './fields';
import type { Policies } from './policies';

/** What a guest reads of an ID register whose sanitised value is `value`: with the normalised topology CCSIDR_EL1 is 32-bit. */
export function guestIdRegister(register: string, value: bigint, policies: Policies): bigint {
  const hidden = policies.ccsidr === 'normalised' && register === 'ID_AA64MMFR2_EL1';
  return hidden ? value & ~maskOf('ID_AA64MMFR2_EL1.CCIDX') : value;
}
