/**
 * HCR_EL2 as KVM composes it for a vCPU (HCR_GUEST_FLAGS, vcpu_reset_hcr, vcpu_set_hcr), by the names of the architecture's
 * table. Source: FIDELITY A0 and A4, the header in several sources, and the patches that the policy table names.
 */
import { compose } from './fields';
import type { Policies } from './policies';

/** What of the VM and its host decides. */
export interface HcrFacts {
  readonly policies: Policies;
  /** The host runs at EL2 (VHE). */
  readonly vhe: boolean;
  /** Capabilities of the host. */
  readonly evt: boolean;
  readonly stage2Fwb: boolean;
  readonly mismatchedCacheType: boolean;
  readonly mismatchedAssociativity: boolean;
  readonly ras: boolean;
  /** CTR_EL0 of the VM is the host's sanitised one. */
  readonly hostCtr: boolean;
  readonly mte: boolean;
  readonly pointerAuthentication: boolean;
  /** The guest has its caches off, or has used set/way operations: see setWay.ts. */
  readonly tvm: boolean;
  /** Nothing else wants this physical core: WFE is not trapped. */
  readonly alone: boolean;
}

export type CacheTrap = 'TID2' | 'TID4' | 'none';

/** Which bit traps the cache ID registers. */
export function cacheTrap(facts: HcrFacts): CacheTrap {
  const { policies } = facts;
  switch (policies.cacheTrap) {
    case 'tid2WhenMismatched': {
      const differs =
        facts.mismatchedCacheType || (policies.ccsidr === 'overrideAssociativity' && facts.mismatchedAssociativity);
      return differs ? 'TID2' : 'none';
    }
    case 'tid2':
      return 'TID2';
    case 'tid4':
      return facts.evt && !facts.mismatchedCacheType && (policies.ctrWritable === 'no' || facts.hostCtr)
        ? 'TID4'
        : 'TID2';
  }
}

/** Bits of every AArch64 guest. BSU 1: barriers reach the Inner Shareable domain at least. */
const ALWAYS = 'VM SWIO PTW FMO IMO AMO TWI TIDCP TSC TSW TACR RW TLOR TID3'.split(' ');

/** FWB is in effect for this VM. */
export const fwbInEffect = (facts: Pick<HcrFacts, 'policies' | 'stage2Fwb'>): boolean =>
  facts.policies.fwb === 'on' && facts.stage2Fwb;

/** The value, and the fields that are set, from the top. */
export function composeHcr(facts: HcrFacts): { readonly value: bigint; readonly set: readonly string[] } {
  const trap = cacheTrap(facts);
  const fwb = fwbInEffect(facts);
  const conditional: readonly (readonly [boolean, string])[] = [
    [!facts.alone, 'TWE'],
    [facts.policies.fb === 'on', 'FB'],
    [trap === 'TID2', 'TID2'],
    [trap === 'TID4', 'TID4'],
    [fwb, 'FWB'],
    [!fwb && facts.tvm, 'TVM'],
    [facts.vhe, 'E2H'],
    [facts.ras, 'TEA'],
    [facts.ras, 'TERR'],
    [facts.mte, 'ATA'],
    [facts.pointerAuthentication, 'API'],
    [facts.pointerAuthentication, 'APK'],
  ];
  const names = [...ALWAYS, 'BSU', ...conditional.flatMap(([holds, name]) => (holds ? [name] : []))];
  return { value: compose('HCR_EL2', Object.fromEntries(names.map((name) => [name, 1n]))), set: names };
}
