/**
 * CCSIDR_EL1, CLIDR_EL1, CSSELR_EL1 and CCSIDR2_EL1 of one vCPU: what the guest reads (trapped or not), and what user space reads
 * and writes through one-reg, under each `ccsidr` policy. Source: FIDELITY A4; sys_regs.c of v5.18 and v6.17; the three patches
 * as posted in Dec 2022; held against Debian's 6.1 and 6.12 (test/guests/oracle.slow.test.ts).
 *
 * host: the current core's own registers. A trapped read (mismatched cache types) hides the geometry of data and unified caches,
 *   one-reg does not. Writing anything but the current core's value is EINVAL: a VM saved on one cluster fails on another.
 * overrideAssociativity: where associativity differs between cores, reads are trapped and all geometry is hidden, in one-reg too.
 * normalised: a fabricated topology; user space may store other values for all 14 caches. Only a line below the smallest is
 *   refused: the 32-bit value has no RES0 bits, [31:28] are UNKNOWN in the kernel's table, so old hosts' values pass.
 */
import type { Outcome } from './errno';
import { compose, getField, maskOf } from './fields';
import type { CacheTrap } from './hcr';
import { CSSELR_MAX, ccsidrId, decodeOneReg } from './kvmApi';
import type { Policies } from './policies';
import { checkClidr, resetClidr } from './virtualClidr';

/** What the vCPU's registers follow from. */
export interface CacheHost {
  readonly policies: Policies;
  /** CTR_EL0 as the host sanitised it. */
  readonly sanitisedCtr: bigint;
  /** CLIDR_EL1 of the core that initialised KVM. */
  readonly bootClidr: bigint;
  readonly mismatchedCacheType: boolean;
  readonly mismatchedAssociativity: boolean;
  readonly mte: boolean;
  /** The physical core that the vCPU is on now, as EL2 reads it; CCSIDR2_EL1 where it is there (FEAT_CCIDX). */
  readonly core: { readonly clidr: bigint; ccsidr(csselr: number): bigint; readonly ccsidr2?: bigint };
}

/** What a guest's access comes to. 'kept': the destination register keeps what it had (the value is UNKNOWN). */
export type Access =
  | { readonly kind: 'value'; readonly value: bigint }
  | { readonly kind: 'kept' }
  | { readonly kind: 'written' }
  | { readonly kind: 'undefined' };

const UNDEFINED: Access = { kind: 'undefined' };
const value = (v: bigint): Access => ({ kind: 'value', value: v });

export type CacheRegister = 'CCSIDR_EL1' | 'CCSIDR2_EL1' | 'CLIDR_EL1' | 'CSSELR_EL1';

/** A value, or why there is none. */
export type OneRegRead =
  | { readonly outcome: 'ok'; readonly value: bigint }
  | { readonly outcome: Exclude<Outcome, 'ok'> };

const GEOMETRY = maskOf('CCSIDR_EL1.NumSets') | maskOf('CCSIDR_EL1.Associativity');
const IN_D = 1;
const SELECTION = maskOf('CSSELR_EL1.Level') | maskOf('CSSELR_EL1.InD');

export interface CachesState {
  readonly csselr: bigint;
  readonly stored: readonly bigint[] | undefined;
  readonly clidr: bigint;
}

export class VirtualCaches {
  /** CSSELR_EL1 of the vCPU; UNKNOWN at reset. */
  csselr = 0n;
  private readonly host: CacheHost;
  /** All 14 values, once user space has stored one that differs. */
  private stored: bigint[] | undefined;
  private clidr: bigint;

  constructor(host: CacheHost) {
    this.host = host;
    this.clidr = resetClidr(host.sanitisedCtr, host.mte);
  }

  save(): CachesState {
    const { csselr, stored, clidr } = this;
    return { csselr, stored: stored && [...stored], clidr };
  }
  load({ csselr, stored, clidr }: CachesState): void {
    Object.assign(this, { csselr, stored: stored && [...stored], clidr });
  }

  /** KVM_ARM_VCPU_INIT again, or PSCI CPU_ON: stored CCSIDR_EL1 values stay, CLIDR_EL1 by its policy. */
  reset(): void {
    const { policies, sanitisedCtr, mte } = this.host;
    if (policies.clidrReset === 'always') this.clidr = resetClidr(sanitisedCtr, mte);
  }

  /** Whether user space has stored a topology. */
  get hasStored(): boolean {
    return this.stored !== undefined;
  }

  /** get_ccsidr: what one-reg reads for a CSSELR_EL1 value. */
  ccsidr(csselr: number): bigint {
    const { policies, core } = this.host;
    if (policies.ccsidr === 'normalised') return this.stored?.[csselr] ?? this.fabricated(csselr);
    const own = core.ccsidr(csselr) & 0xffff_ffffn;
    return this.overridden ? own & ~GEOMETRY : own;
  }

  /** One set and one way, with the smallest line of any core on that side. */
  private fabricated(csselr: number): bigint {
    return compose('CCSIDR_EL1', { LineSize: this.smallestLine(csselr) });
  }

  /** LineSize as CCSIDR_EL1 has it (log2 of bytes, minus 4), from CTR_EL0's log2 of words. */
  private smallestLine(csselr: number): bigint {
    const side = (csselr & IN_D) === 0 ? 'DminLine' : 'IminLine';
    return getField(`CTR_EL0.${side}`, this.host.sanitisedCtr) - 2n;
  }

  /** vcpu_cache_overridden of the first posted version. */
  private get overridden(): boolean {
    const { policies, mismatchedAssociativity, mismatchedCacheType } = this.host;
    return policies.ccsidr === 'overrideAssociativity' && (mismatchedCacheType || mismatchedAssociativity);
  }

  /** set_ccsidr, or the check for the current core's value. `csselr` is below CSSELR_MAX. */
  setCcsidr(csselr: number, wanted: bigint): Outcome {
    const current = this.ccsidr(csselr);
    if (this.host.policies.ccsidr !== 'normalised') return wanted === current ? 'ok' : 'EINVAL';
    // CCSIDR_EL1_RES0 is [63:32], which a register of 32 bits does not reach: [31:28] are UNKNOWN, and accepted.
    if (getField('CCSIDR_EL1.LineSize', wanted) < this.smallestLine(csselr)) return 'EINVAL';
    if (this.stored === undefined) {
      if (wanted === current) return 'ok';
      this.stored = Array.from({ length: CSSELR_MAX }, (_, index) => this.fabricated(index));
    }
    this.stored[csselr] = wanted;
    return 'ok';
  }

  /** A guest's MRS or MSR (`write`). Untrapped accesses reach the core's own registers. */
  access(register: CacheRegister, trap: CacheTrap, write?: bigint): Access {
    if (trap === 'none') return this.untrapped(register, write);
    if (register === 'CSSELR_EL1') {
      if (write === undefined) return value(this.csselr);
      this.csselr = write;
      return { kind: 'written' };
    }
    if (write !== undefined || register === 'CCSIDR2_EL1') return UNDEFINED;
    return register === 'CLIDR_EL1' ? value(this.clidrValue) : this.trappedCcsidr();
  }

  private trappedCcsidr(): Access {
    const normalised = this.host.policies.ccsidr === 'normalised';
    const csselr = Number(this.csselr & SELECTION);
    if (normalised && csselr >= CSSELR_MAX) return { kind: 'kept' };
    const seen = this.ccsidr(csselr);
    return value(this.host.policies.ccsidr === 'host' && (csselr & IN_D) === 0 ? seen & ~GEOMETRY : seen);
  }

  private untrapped(register: CacheRegister, write: bigint | undefined): Access {
    if (register === 'CSSELR_EL1') {
      if (write === undefined) return value(this.csselr);
      this.csselr = write;
      return { kind: 'written' };
    }
    if (write !== undefined) return UNDEFINED;
    const { core } = this.host;
    if (register === 'CCSIDR2_EL1') return core.ccsidr2 === undefined ? UNDEFINED : value(core.ccsidr2);
    return value(register === 'CLIDR_EL1' ? core.clidr : core.ccsidr(Number(this.csselr & SELECTION)));
  }

  /** CLIDR_EL1 as user space and a trapped guest read it. */
  private get clidrValue(): bigint {
    return this.host.policies.ccsidr === 'normalised' ? this.clidr : this.host.core.clidr;
  }

  /** KVM_GET_ONE_REG of CLIDR_EL1: before v6.3 that of the core that initialised KVM. */
  get oneRegClidr(): bigint {
    return this.host.policies.ccsidr === 'normalised' ? this.clidr : this.host.bootClidr;
  }

  /** KVM_SET_ONE_REG of CLIDR_EL1. */
  setClidr(wanted: bigint): Outcome {
    const { policies, bootClidr, sanitisedCtr } = this.host;
    if (policies.ccsidr !== 'normalised') return wanted === bootClidr ? 'ok' : 'EINVAL';
    const outcome = checkClidr(wanted, sanitisedCtr);
    if (outcome === 'ok') this.clidr = wanted;
    return outcome;
  }

  /** KVM_GET_ONE_REG of a CCSIDR_EL1. `readable`: user space's buffer can be reached. */
  getOneReg(id: bigint, readable = true): OneRegRead {
    const csselr = this.selected(id);
    if (typeof csselr === 'string') return { outcome: csselr };
    return readable ? { outcome: 'ok', value: this.ccsidr(csselr) } : { outcome: 'EFAULT' };
  }

  /** KVM_SET_ONE_REG of a CCSIDR_EL1; `wanted` is undefined where user space's buffer cannot be reached. */
  setOneReg(id: bigint, wanted: bigint | undefined): Outcome {
    const csselr = this.selected(id);
    if (typeof csselr === 'string') return csselr;
    return wanted === undefined ? 'EFAULT' : this.setCcsidr(csselr, wanted & 0xffff_ffffn);
  }

  /** The part of KVM_GET_REG_LIST that stands at its end. */
  regList(): readonly bigint[] {
    const all = Array.from({ length: CSSELR_MAX }, (_, csselr) => csselr);
    return all.filter((csselr) => this.exists(csselr)).map(ccsidrId);
  }

  private selected(id: bigint): number | 'ENOENT' | 'EINVAL' {
    const reg = decodeOneReg(id);
    if (reg.kind === 'foreign') return 'EINVAL';
    return reg.kind === 'ccsidr' && this.exists(reg.csselr) ? reg.csselr : 'ENOENT';
  }

  /** Before v6.3 only caches that the initialising core's CLIDR_EL1 names (is_valid_cache), since then all 14. */
  private exists(csselr: number): boolean {
    if (csselr >= CSSELR_MAX) return false;
    return this.host.policies.ccsidr === 'normalised' || cacheExists(this.host.bootClidr, csselr);
  }
}

/** Whether CLIDR_EL1 names the cache that a CSSELR_EL1 value selects: levels beyond the first empty one do not count. */
export function cacheExists(clidr: bigint, csselr: number): boolean {
  const level = (csselr >> 1) + 1;
  const types = Array.from({ length: level }, (_, index) => Number(getField(`CLIDR_EL1.Ctype${index + 1}`, clidr)));
  if (types.includes(0)) return false;
  const type = types[level - 1];
  const instruction = (csselr & IN_D) !== 0;
  if (type === 3) return true;
  return instruction ? type === 1 : type === 2 || type === 4;
}
