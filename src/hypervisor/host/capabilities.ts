/**
 * CPU capabilities of the host kernel as far as caches and KVM are concerned, and the rules by which a late core may differ
 * (cpufeature.h and cpufeature.c, read in v5.13 and v6.3 sources). A capability with scope 'system' follows from sanitised
 * registers once all boot cores are there; with 'localCpu' from any one core.
 */
import { getField, maskOf } from '../fields';
import type { Policies } from '../policies';
import { L1IP } from './ftrTables';

/** A core as the kernel reads it. */
export interface CpuRegisters {
  /** CTR_EL0 as the core has it. */
  readonly ctr: bigint;
  readonly clidr: bigint;
  /** Other ID registers by name; absent ones read as 0. */
  readonly id?: Readonly<Record<string, bigint>>;
  /** CCSIDR_EL1 by CSSELR_EL1.{Level, InD}, 0 … 13; absent ones are not compared. */
  readonly ccsidr?: readonly (bigint | undefined)[];
  /** Neoverse-N1 erratum 1542419 (MIDR says). */
  readonly erratum1542419?: boolean;
}

/** What the rules look at: the system as it is before the core is merged. */
export interface SystemView {
  readonly ctr: bigint;
  readonly ctrStrictMask: bigint;
  id(register: string): bigint;
  readonly bootCcsidr: readonly (bigint | undefined)[];
}

export type CapabilityName =
  | 'HAS_CACHE_DIC'
  | 'HAS_CACHE_IDC'
  | 'HAS_EVT'
  | 'HAS_STAGE2_FWB'
  | 'ICACHE_PIPT'
  | 'MISMATCHED_CACHE_ASSOCIATIVITY'
  | 'MISMATCHED_CACHE_TYPE'
  | 'WORKAROUND_1542419';

/** What enabling does on a core: clear SCTLR_EL1.UCT by one of two rules; see hostCpus.ts. */
export type EnableHook = 'emulateEffectiveCtr' | 'trapCtrAccess';

export interface CapabilityRow {
  readonly name: CapabilityName;
  /** Text of the messages. */
  readonly description: string;
  /**
   * Number in messages. The kernel numbers capabilities by their place in a sorted list that changes from release to release;
   * these are of a v5.16 list. Absent: it came later, or never; messages have the name instead.
   */
  readonly number?: number;
  readonly scope: 'system' | 'localCpu';
  /** A late core may have it although the system does not. */
  readonly permittedForLateCpu: boolean;
  /** A late core may lack it although the system has it. */
  readonly optionalForLateCpu: boolean;
  /** Whether a core has it ('localCpu' scope of matching). */
  readonly cpuHas: (cpu: CpuRegisters, system: SystemView) => boolean;
  /** Whether the system has it, from sanitised registers; scope 'system' only. */
  readonly systemHas?: (system: SystemView) => boolean;
  readonly enable?: EnableHook;
  /** Only with a policy's value. */
  readonly when?: (policies: Policies) => boolean;
}

/** System feature: a late core need not be looked at for having it, but must not lack it. */
const SYSTEM_FEATURE = { scope: 'system', permittedForLateCpu: true, optionalForLateCpu: false } as const;
/** Local erratum: a late core must not bring it, and need not have it. */
const LOCAL_ERRATUM = { scope: 'localCpu', permittedForLateCpu: false, optionalForLateCpu: true } as const;

const bit = (field: string, value: bigint): boolean => getField(field, value) !== 0n;

/** IDC as it is in effect: said by CTR_EL0, or following from CLIDR_EL1. */
export function effectiveIdc(cpu: Pick<CpuRegisters, 'ctr' | 'clidr'>): boolean {
  return bit('CTR_EL0.IDC', cpu.ctr) || clidrImpliesIdc(cpu.clidr);
}

/** CLIDR_EL1 says that cleaning to the PoU is not needed: LoC is 0, or LoUIS and LoUU both are. */
export function clidrImpliesIdc(clidr: bigint): boolean {
  const level = (field: string): bigint => getField(`CLIDR_EL1.${field}`, clidr);
  return level('LoC') === 0n || (level('LoUIS') === 0n && level('LoUU') === 0n);
}

/** read_cpuid_effective_cachetype: CTR_EL0 with the effective IDC. */
export const effectiveCtr = (cpu: Pick<CpuRegisters, 'ctr' | 'clidr'>): bigint =>
  effectiveIdc(cpu) ? cpu.ctr | maskOf('CTR_EL0.IDC') : cpu.ctr;

const idField = (register: string, field: string) => ({
  cpuHas: (cpu: CpuRegisters) => bit(`${register}.${field}`, cpu.id?.[register] ?? 0n),
  systemHas: (system: SystemView) => bit(`${register}.${field}`, system.id(register)),
});

/** Both the raw and the effective CTR_EL0 differ from the system's in strict bits. */
export function hasMismatchedCacheType(cpu: CpuRegisters, system: SystemView): boolean {
  const sanitised = system.ctr & system.ctrStrictMask;
  return (cpu.ctr & system.ctrStrictMask) !== sanitised && (effectiveCtr(cpu) & system.ctrStrictMask) !== sanitised;
}

/** Associativity and number of sets: what the posted detection compares. */
const GEOMETRY = maskOf('CCSIDR_EL1.NumSets') | maskOf('CCSIDR_EL1.Associativity');

const hasMismatchedAssociativity = (cpu: CpuRegisters, system: SystemView): boolean =>
  (cpu.ccsidr ?? []).some((value, index) => {
    const boot = system.bootCcsidr[index];
    return value !== undefined && boot !== undefined && (value & GEOMETRY) !== (boot & GEOMETRY);
  });

/** In order of name, which is the kernel's order of checking. */
export const capabilityRows: readonly CapabilityRow[] = [
  {
    name: 'HAS_CACHE_DIC',
    description: 'Instruction cache invalidation not required for I/D coherence',
    number: 8,
    ...SYSTEM_FEATURE,
    cpuHas: (cpu) => bit('CTR_EL0.DIC', cpu.ctr),
    systemHas: (system) => bit('CTR_EL0.DIC', system.ctr),
  },
  {
    name: 'HAS_CACHE_IDC',
    description: 'Data cache clean to the PoU not required for I/D coherence',
    number: 9,
    ...SYSTEM_FEATURE,
    cpuHas: effectiveIdc,
    systemHas: (system) => bit('CTR_EL0.IDC', system.ctr),
    enable: 'emulateEffectiveCtr',
  },
  {
    name: 'HAS_EVT',
    description: 'Enhanced Virtualization Traps',
    ...SYSTEM_FEATURE,
    ...idField('ID_AA64MMFR2_EL1', 'EVT'),
    when: (policies) => policies.cacheTrap === 'tid4',
  },
  {
    name: 'HAS_STAGE2_FWB',
    description: 'Stage-2 Force Write-Back',
    number: 29,
    ...SYSTEM_FEATURE,
    ...idField('ID_AA64MMFR2_EL1', 'FWB'),
    when: (policies) => policies.fwb === 'on',
  },
  {
    // As posted; the text of its description was not to be found and is ours.
    name: 'ICACHE_PIPT',
    description: 'PIPT I-cache',
    ...SYSTEM_FEATURE,
    cpuHas: (cpu) => getField('CTR_EL0.L1Ip', cpu.ctr) === L1IP.PIPT,
    systemHas: (system) => getField('CTR_EL0.L1Ip', system.ctr) === L1IP.PIPT,
    when: (policies) => policies.lateOnlining === 'icachePipt',
  },
  {
    name: 'MISMATCHED_CACHE_ASSOCIATIVITY',
    description: 'Mismatched cache associativity',
    ...LOCAL_ERRATUM,
    cpuHas: hasMismatchedAssociativity,
    when: (policies) => policies.ccsidr === 'overrideAssociativity',
  },
  {
    name: 'MISMATCHED_CACHE_TYPE',
    description: 'Mismatched cache type (CTR_EL0)',
    number: 35,
    ...LOCAL_ERRATUM,
    cpuHas: hasMismatchedCacheType,
    enable: 'trapCtrAccess',
  },
  {
    name: 'WORKAROUND_1542419',
    description: 'ARM erratum 1542419 (kernel portion)',
    number: 51,
    ...LOCAL_ERRATUM,
    cpuHas: (cpu) => cpu.erratum1542419 === true && bit('CTR_EL0.DIC', cpu.ctr),
    enable: 'trapCtrAccess',
  },
];

/** Why a late core cannot join, by verify_local_cpu_caps: which side has what the other lacks; undefined when it can. */
export function lateConflict(
  row: CapabilityRow,
  systemHas: boolean,
  cpuHas: boolean,
): 'cpuLacks' | 'cpuHas' | undefined {
  if (systemHas && !cpuHas && !row.optionalForLateCpu) return 'cpuLacks';
  if (!systemHas && cpuHas && !row.permittedForLateCpu) return 'cpuHas';
  return undefined;
}

/** What must hold of the table; an empty list is a pass. */
export function validateCapabilities(rows: readonly CapabilityRow[] = capabilityRows): string[] {
  const complaints: string[] = [];
  rows.forEach((row, index) => {
    if (index > 0 && rows[index - 1].name >= row.name) complaints.push(`${row.name}: is not in order`);
    if ((row.scope === 'system') !== (row.systemHas !== undefined))
      complaints.push(`${row.name}: its scope and what it looks at do not go together`);
    if (row.description.trim() === '') complaints.push(`${row.name}: has no description`);
  });
  return complaints;
}
