/**
 * ID registers of a guest, as far as cache identification changes them. Source: FIDELITY A4 ("Mask FEAT_CCIDX"). ID_MMFR4_EL1.CCIDX
 * belongs to AArch32, which no core here has.
 */
import { getField, maskOf, setField } from './fields';
import type { Policies } from './policies';

const DEBUG_VERSION = 'ID_AA64DFR0_EL1.DebugVer';
const LEAST_DEBUG_VERSION = 6n;
const MOST_DEBUG_VERSION: Readonly<Record<Policies['debugVersion'], bigint>> = { v8p0: 6n, v8p8: 10n };

/** ID_AA64DFR0_EL1 of a host as a guest gets it unless user space wants less. */
export function guestDebugFeatures(value: bigint, { debugVersion }: Policies): bigint {
  const most = MOST_DEBUG_VERSION[debugVersion];
  return getField(DEBUG_VERSION, value) > most ? setField(DEBUG_VERSION, value, most) : value;
}

/** Whether user space may have `wanted` in place of `value`. */
export function lowersDebugVersion(wanted: bigint, value: bigint, { debugVersion }: Policies): boolean {
  const version = getField(DEBUG_VERSION, wanted);
  const isLower = version >= LEAST_DEBUG_VERSION && version <= getField(DEBUG_VERSION, value);
  return (
    debugVersion === 'v8p8' && isLower && setField(DEBUG_VERSION, wanted, 0n) === setField(DEBUG_VERSION, value, 0n)
  );
}

/** What a guest reads of an ID register whose sanitised value is `value`: with the normalised topology CCSIDR_EL1 is 32-bit. */
export function guestIdRegister(register: string, value: bigint, policies: Policies): bigint {
  const hidden = policies.ccsidr === 'normalised' && register === 'ID_AA64MMFR2_EL1';
  return hidden ? value & ~maskOf('ID_AA64MMFR2_EL1.CCIDX') : value;
}
