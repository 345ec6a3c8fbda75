/**
 * What a stage-2 fault on ordinary memory leads to: which permissions the entry gets, whether an entry that is there is only
 * relaxed, and in which order caches, TLBs and the entry are treated (user_mem_abort, stage2_map_walker_try_leaf,
 * kvm_pgtable_stage2_relax_perms). Source: FIDELITY A2 and a v6.17 source of mmu.c.
 */
import { getField } from './fields';
import { flushIpaSteps, flushVmidSteps } from './guestSwitch';
import { type IcacheFacts, icacheSteps } from './icacheRange';
import type { Policies } from './policies';
import { kindOf, type Step } from './steps';

export interface Permissions {
  readonly read: boolean;
  readonly write: boolean;
  readonly execute: boolean;
}

export interface FaultFacts {
  readonly kind: 'translation' | 'permission';
  readonly access: 'read' | 'write' | 'execute';
  /** The slot and the page in the host allow writes. */
  readonly writable: boolean;
  /** Pages are written only once they were: dirty logging. */
  readonly logging: boolean;
  /** Bytes that the new entry covers. */
  readonly mapBytes: number;
  /** Bytes that the faulting entry covers; permission faults only. */
  readonly faultBytes?: number;
  /** Stage 2 makes it Device or Non-cacheable. */
  readonly forceNonCacheable: boolean;
  /** The page is in the kernel's linear map: else it cannot be cleaned. Default true. */
  readonly kernelMemory?: boolean;
}

/** Permissions that the entry gets (lazy: execute only for a fetch, unless DIC makes maintenance needless). */
export function permissionsFor(fault: FaultFacts, ctr: bigint, policies: Policies): Permissions {
  const dic = getField('CTR_EL0.DIC', ctr) === 1n;
  const early = (dic || policies.executePermission === 'eager') && !fault.forceNonCacheable;
  return {
    read: true,
    write: fault.writable && !(fault.logging && fault.access !== 'write'),
    execute: fault.access === 'execute' || early,
  };
}

/** 'relax': the entry is there with its size and gets more permissions. 'map': it is written anew. */
export const actionFor = (fault: FaultFacts): 'relax' | 'map' =>
  fault.kind === 'permission' && fault.faultBytes === fault.mapBytes ? 'relax' : 'map';

/** What the steps need to know of the host. */
export interface Stage2Host extends IcacheFacts {
  /** FWB in effect: guests' accesses are cacheable whatever they say, and pages are not cleaned for them. */
  readonly fwb: boolean;
  /** Bytes of the smallest D-line of any core. */
  readonly dataLineBytes: number;
}

/**
 * What the entry has that is written: nothing valid; a page or block; a table, whose pages become one block. A table's entries may
 * be many, so that all of the VM is forgotten.
 */
export type Replaced = 'nothing' | 'entry' | 'table';

/** Steps of one fault in order. D-cache maintenance is part of mapping only: what the guest writes later is its own to clean. */
export function faultSteps(
  fault: FaultFacts,
  replaces: Replaced,
  host: Stage2Host,
  policies: Policies,
): readonly Step[] {
  const permissions = permissionsFor(fault, host.ctr, policies);
  const icache = permissions.execute ? icacheSteps(fault.mapBytes, host, policies) : [];
  const flush = (reach: 'broadcast' | 'local'): readonly Step[] =>
    flushIpaSteps({ icacheIsVpipt: host.vpipt }, policies, host.hostEl, reach);
  if (actionFor(fault) === 'relax') {
    const added = fault.access === 'execute' ? icache : [];
    return [...added, { name: 'write the entry' }, ...flush(policies.relaxTlbi)];
  }
  const clean: readonly Step[] =
    host.fwb || fault.forceNonCacheable || fault.kernelMemory === false
      ? []
      : [{ name: 'DC CIVAC', count: fault.mapBytes / host.dataLineBytes }, { name: 'DSB SY' }];
  const forget = { nothing: [], entry: flush('broadcast'), table: flushVmidSteps }[replaces];
  const broken: readonly Step[] = replaces === 'nothing' ? [] : [{ name: 'clear the entry' }, ...forget];
  return [...broken, ...clean, ...icache, { name: 'write the entry' }, { name: 'DSB ISHST' }];
}

/** Whether the I-cache is dealt with before the entry allows fetches: what every order of steps has to keep. */
export function icacheBeforeEntry(steps: readonly Step[]): boolean {
  const entry = steps.findIndex((step) => step.name === 'write the entry');
  return steps.every((step, index) => kindOf(step) !== 'operation' || !step.name.startsWith('IC ') || index < entry);
}
