/**
 * CTR_EL0 of a VM: one value for all of its vCPUs, which user space may lower before the first run (set_ctr_el0, set_id_reg,
 * arm64_check_features). Checked against the host's sanitised value only, never against CLIDR_EL1 or CCSIDR_EL1. Source:
 * FIDELITY A0; the v6.11 patches as posted; a v6.17 source of sys_regs.c.
 */
import type { Outcome } from './errno';
import { getField, maskOf } from './fields';
import { type FtrField, safeValue } from './host/ftr';
import { ctrTable, L1IP } from './host/ftrTables';
import type { Policies } from './policies';

const MASKS: Readonly<Record<Policies['ctrWritable'], readonly string[]>> = {
  no: [],
  yes: ['DIC', 'IDC', 'DminLine', 'IminLine'],
  withL1Ip: ['DIC', 'IDC', 'DminLine', 'L1Ip', 'IminLine'],
};

/** Bits that user space may write: KVM_ARM_GET_REG_WRITABLE_MASKS' answer for CTR_EL0. */
export const ctrWritableMask = (policies: Policies): bigint =>
  MASKS[policies.ctrWritable].reduce((mask, field) => mask | maskOf(`CTR_EL0.${field}`), 0n);

/** The host's sanitised CTR_EL0: late cores may lower it (L1Ip: the other fields are strict). */
export interface CtrHost {
  readonly sanitisedCtr: bigint;
  /** When KVM started. */
  readonly bootCtr: bigint;
}

export class VmCtr {
  private readonly host: CtrHost;
  private readonly policies: Policies;
  private current: bigint;

  constructor(host: CtrHost, policies: Policies) {
    this.host = host;
    this.policies = policies;
    this.current = host.sanitisedCtr;
  }

  save(): bigint {
    return this.current;
  }
  load(value: bigint): void {
    this.current = value;
  }

  /** What guests read where the access is trapped. A vCPU's reset does not change it. */
  get value(): bigint {
    return this.policies.ctrWritable === 'no' ? this.host.sanitisedCtr : this.current;
  }

  /** KVM_GET_ONE_REG: before v6.11 one of the invariant registers, which were read when KVM started. */
  get oneReg(): bigint {
    return this.policies.ctrWritable === 'no' ? this.host.bootCtr : this.current;
  }

  /** The VM shows the host's own value: TID4 will do. */
  get isHost(): boolean {
    return this.value === this.host.sanitisedCtr;
  }

  /** KVM_SET_ONE_REG. `hasRun`: a vCPU of the VM has run. */
  set(wanted: bigint, hasRun: boolean): Outcome {
    if (this.policies.ctrWritable === 'no') return wanted === this.oneReg ? 'ok' : 'EINVAL';
    if (this.policies.ctrWritable === 'withL1Ip' && getField('CTR_EL0.L1Ip', wanted) < L1IP.VIPT) return 'EINVAL';
    if (hasRun) return wanted === this.current ? 'ok' : 'EBUSY';
    if (checkFeatures(wanted, this.host.sanitisedCtr, ctrWritableMask(this.policies)) !== 'ok') return 'EINVAL';
    this.current = wanted;
    return 'ok';
  }
}

/** arm64_check_features: writable fields may only move to where the merge of both would be; all else must be the limit's. */
export function checkFeatures(wanted: bigint, limit: bigint, writable: bigint): 'ok' | 'E2BIG' {
  let checked = 0n;
  for (const row of ctrTable.fields) {
    const mask = maskOf(row.field);
    if ((mask & writable) !== mask) continue;
    checked |= mask;
    if (!reaches(row, getField(row.field, wanted), getField(row.field, limit))) return 'E2BIG';
  }
  return (wanted & ~checked) === (limit & ~checked) ? 'ok' : 'E2BIG';
}

const reaches = (row: FtrField, wanted: bigint, limit: bigint): boolean =>
  wanted === limit || safeValue(row, wanted, limit) === wanted;
