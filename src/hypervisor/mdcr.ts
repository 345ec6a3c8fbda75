/**
 * MDCR_EL2 as KVM composes it for a vCPU (kvm_arm_setup_mdcr_el2): TDE, which user space's debugging of a guest sets, is never set
 * here, and cores have neither what TPMS nor what TTRF traps. Source: debug.c before and after v6.14.
 */
import { maskOf } from './fields';

const mask = (...names: readonly string[]): bigint => names.reduce((all, name) => all | maskOf(`MDCR_EL2.${name}`), 0n);

/** Event counters of EL1 and EL0: the host's own value, which stays. */
const HOST = mask('HPMN');
/** A guest has no PMU: it is UNDEFINED. */
const ALWAYS = mask('TPM', 'TPMCR', 'TDRA', 'TDOSA');
const TDA = mask('TDA');

/** From the register's value; `trapsDebug`: breakpoints and watchpoints are not the guest's on the core. */
export const composeMdcr = (value: bigint, trapsDebug: boolean): bigint =>
  (value & HOST) | ALWAYS | (trapsDebug ? TDA : 0n);

/** While the host has the core. */
export const hostMdcr = (value: bigint): bigint => value & HOST;
