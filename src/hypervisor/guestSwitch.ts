/**
 * What KVM does to a physical core's TLB and I-cache when a vCPU comes to it (kvm_arch_vcpu_load, __kvm_flush_cpu_context), when
 * VMIDs roll over (__kvm_flush_vm_context), and when one IPA changes (__kvm_tlb_flush_vmid_ipa).
 * Source: FIDELITY A0, A1, B4; for VPIPT the comments and code that ced242ba9d7c removed.
 */
import type { HostCpus } from './host/hostCpus';
import type { Policies } from './policies';
import type { Step } from './steps';

/** last_vcpu_ran of a VM on a physical core before any of its vCPUs ran there. */
export const NO_VCPU = -1;

const step = (name: string): Step => ({ name });

/**
 * Steps on the core when vCPU `vcpu` is loaded and `last` was the last of its VM there. Other VMs do not matter: VMIDs keep
 * TLB entries apart. With the isolation policy off the TLB is still taken care of, the I-cache is not.
 */
export function loadSteps(last: number, vcpu: number, policies: Policies): readonly Step[] {
  if (last === vcpu) return [];
  const icache = policies.icacheIsolation === 'invalidate' ? [step('IC IALLU')] : [];
  return [
    step("load the guest's VTTBR_EL2"),
    step('ISB'),
    step('TLBI VMALLE1'),
    ...icache,
    step('DSB NSH'),
    step('ISB'),
  ];
}

/** Steps when VMIDs are used up and begin anew; they reach all cores. */
export function vmidRolloverSteps(host: Pick<HostCpus, 'icacheIsVpipt'>, policies: Policies): readonly Step[] {
  const icache = host.icacheIsVpipt && policies.vpipt === 'aware' ? [step('IC IALLUIS')] : [];
  return [step('DSB ISHST'), step('TLBI ALLE1IS'), ...icache, step('DSB ISH')];
}

/** Steps that forget everything of a VM on all cores (__kvm_tlb_flush_vmid). */
export const flushVmidSteps: readonly Step[] = [
  step('DSB ISHST'),
  step("load the guest's VTTBR_EL2"),
  step('ISB'),
  step('TLBI VMALLS12E1IS'),
  step('DSB ISH'),
  step('ISB'),
];

/**
 * Steps that forget one IPA of a VM, on all cores or on this one. A host at EL1 (nVHE) cannot reach a guest's lines of a VPIPT
 * cache, so there EL2 does it here; see icacheSteps for the other half.
 */
export function flushIpaSteps(
  host: Pick<HostCpus, 'icacheIsVpipt'>,
  policies: Policies,
  hostEl: 1 | 2,
  reach: 'broadcast' | 'local' = 'broadcast',
): readonly Step[] {
  const icache =
    host.icacheIsVpipt && policies.vpipt === 'aware' && hostEl === 1 ? [step('IC IALLUIS'), step('DSB ISH')] : [];
  const [domain, suffix] = reach === 'broadcast' ? ['ISH', 'IS'] : ['NSH', ''];
  return [
    step(`DSB ${domain}ST`),
    step("load the guest's VTTBR_EL2"),
    step('ISB'),
    step(`TLBI IPAS2E1${suffix}`),
    step(`DSB ${domain}`),
    step(`TLBI VMALLE1${suffix}`),
    step(`DSB ${domain}`),
    step('ISB'),
    ...icache,
  ];
}
