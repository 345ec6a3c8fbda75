/**
 * The kernel's log lines about cores, worded as the kernel words them (cpufeature.c, cpuinfo.c, smp.c and arm.c, read in v5.13,
 * v5.19 and v6.3 sources and in real logs). Times and log levels are the caller's.
 */
import type { Policies } from '../policies';
import { L1IP } from './ftrTables';

export type Level = 'info' | 'warn' | 'crit';

export interface Message {
  readonly level: Level;
  readonly text: string;
}

const info = (text: string): Message => ({ level: 'info', text });
const warn = (text: string): Message => ({ level: 'warn', text });
const crit = (text: string): Message => ({ level: 'crit', text });

/** %#016llx: sixteen characters with the 0x, more where needed. */
const wide = (value: bigint): string => `0x${value.toString(16).padStart(14, '0')}`;

/** Name of a policy as the log has it; VPIPT has had none since v6.8. */
export function icachePolicyName(l1ip: bigint, vpipt: Policies['vpipt']): string {
  if (l1ip === L1IP.PIPT) return 'PIPT';
  if (l1ip === L1IP.VIPT) return 'VIPT';
  return l1ip === L1IP.VPIPT && vpipt !== 'unaware' ? 'VPIPT' : 'RESERVED/UNKNOWN';
}

export const detectedIcache = (policy: string, cpu: number): Message => info(`Detected ${policy} I-cache on CPU${cpu}`);

/** `register`: 'CTR_EL0'. */
export const unexpectedVariation = (register: string, boot: bigint, cpu: number, value: bigint): Message =>
  warn(
    `CPU features: SANITY CHECK: Unexpected variation in SYS_${register}. Boot CPU: ${wide(boot)}, CPU${cpu}: ${wide(value)}`,
  );

/** Once, with the first variation. */
export const unsupportedVariation: Message = warn('CPU features: Unsupported CPU feature variation detected.');

export const capabilityDetected = (description: string): Message => info(`CPU features: detected: ${description}`);

export const capabilityConflict = (
  cpu: number,
  row: { readonly number?: number; readonly name: string; readonly description: string },
  system: boolean,
  has: boolean,
): Message =>
  crit(
    `CPU features: CPU${cpu}: Detected conflict for capability ${row.number ?? row.name} (${row.description}), ` +
      `System: ${Number(system)}, CPU: ${Number(has)}`,
  );

export const vmidMismatch = (cpu: number): Message => crit(`CPU features: CPU${cpu}: VMID width mismatch`);
export const ipaMismatch = (cpu: number): Message => crit(`CPU features: CPU${cpu}: IPA range mismatch`);

/** cpu_die_early on the core, then what the core that wanted it online says. `psci`: it could be switched off. */
export const diesEarly = (cpu: number, psci: boolean): Message[] => [
  crit(`CPU${cpu}: will not boot`),
  crit(`CPU${cpu}: failed to come online`),
  crit(psci ? `CPU${cpu}: died during early boot` : `CPU${cpu}: is stuck in kernel`),
];

/** Bits that a VMM gets where it asks for none (KVM_PHYS_SHIFT). */
const KVM_PHYS_SHIFT = 40;

/** With KVM's prefix for the process that initialises it; worded as since v5.12. */
export const ipaSizeLimit = (bits: number): Message =>
  info(
    `kvm [1]: IPA Size Limit: ${bits} bits${bits < KVM_PHYS_SHIFT ? ' (Reduced IPA size, limited VM/VMM compatibility)' : ''}`,
  );

/** As posted (Jan 2023), with KVM's prefix for the process that initialises it. */
export const vpiptRefused: Message = info('kvm [1]: Incompatible VPIPT I-Cache policy');
