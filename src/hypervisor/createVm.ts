/**
 * KVM_CREATE_VM: its argument is how many bits the VM's intermediate addresses have (kvm_init_ipa_range, kvm_arm_setup_stage2 before
 * v6.2; read in a v5.13 source and a later one).
 */
import type { Outcome } from './errno';

/** KVM_PHYS_SHIFT */
export const DEFAULT_IPA_BITS = 40;
/** ARM64_MIN_PARANGE_BITS */
const LEAST_IPA_BITS = 32;
/** KVM_VM_TYPE_ARM_IPA_SIZE_MASK */
const IPA_SIZE = 0xff;

/** `limit`: what KVM offers on these cores. `type` 0 is the default. */
export function createVm(type: number, limit: number): { outcome: Outcome; ipaBits: number } {
  const ipaBits = type === 0 ? DEFAULT_IPA_BITS : type;
  const isPossible = type <= IPA_SIZE && ipaBits >= LEAST_IPA_BITS && ipaBits <= limit;
  return { outcome: isPossible ? 'ok' : 'EINVAL', ipaBits };
}
