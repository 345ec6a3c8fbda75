/**
 * Memory attributes that KVM writes into stage-2 entries, MemAttr[3:0], with and without FWB. Source: FIDELITY A3; meanings under
 * FWB: FIDELITY B6.
 */
export type Stage2Memory = 'NORMAL' | 'NORMAL_NC' | 'DEVICE_nGnRE' | 'AS_S1';

/** Value without FWB and with it. */
const rows = {
  NORMAL: [0xf, 6],
  NORMAL_NC: [0x5, 5],
  DEVICE_nGnRE: [0x1, 1],
  AS_S1: [0xf, 7],
} as const satisfies Record<Stage2Memory, readonly [plain: number, fwb: number]>;

export const memAttr = (memory: Stage2Memory, fwb: boolean): number => rows[memory][fwb ? 1 : 0];

/** The type that MemAttr means; AS_S1 where it has no value of its own is NORMAL. */
export const memoryOf = (attr: number, fwb: boolean): Stage2Memory | 'unknown' =>
  (Object.keys(rows) as Stage2Memory[]).find((name) => memAttr(name, fwb) === attr) ?? 'unknown';

/** Attributes of the host's own stage-1 mapping of a page (MAIR's AttrIndx, by the kernel's names). */
export type HostMemory = 'NORMAL' | 'NORMAL_TAGGED' | 'NORMAL_NC' | 'DEVICE_nGnRnE' | 'DEVICE_nGnRE';

/** kvm_vma_is_cacheable */
export const isCacheable = (memory: HostMemory): boolean => memory === 'NORMAL' || memory === 'NORMAL_TAGGED';
