/**
 * What a core is made from and what it asks of the rest of the machine. MemorySystem and Mmu satisfy CpuMemory and CpuMmu as
 * they are; the machine gives the rest. Virtual addresses are (hi, lo) pairs of unsigned 32-bit numbers.
 */
import type { FeatureSet } from '../arch/features/index';
import type { PerformanceEvent } from '../arch/performanceEvents';
import type { SystemOperationRow } from '../arch/sysops/index';
import type { AbortFault, CacheGeometry, CostTable, InstructionCachePolicy, TranslationContext } from '../memory/types';

/** What the core is: machine/'s CoreConfig has most of it. */
export interface CpuFacts {
  readonly name: string;
  readonly midr: number;
  readonly l1i: CacheGeometry & { readonly policy: InstructionCachePolicy };
  readonly l1d: CacheGeometry;
  /** The cluster's L2, null where there is none. */
  readonly l2: CacheGeometry | null;
  readonly idc: boolean;
  readonly dic: boolean;
  /** FEAT_xxx that it has: done ones, each with all that it needs. */
  readonly features: FeatureSet;
  /** Physical address bits. */
  readonly paBits: number;
  /** Register values that lie: by register name, or `CCSIDR_EL1[n]` for one value of CSSELR_EL1. */
  readonly override: Readonly<Record<string, bigint>>;
  readonly highestEl: 1 | 2 | 3;
  /** Affinity fields of MPIDR_EL1: Aff2.Aff1.Aff0 in bits 23:0. */
  readonly affinity: number;
  /** Cores in the cluster (L2CTLR_EL1). */
  readonly clusterCores: number;
  /** Exclusives reservation granule in bytes. */
  readonly exclusivesBytes: number;
  readonly counterHz: number;
  /** Of every random choice of the machine (default 1). */
  readonly seed?: number;
  readonly cost: CostTable;
}

/** Returned by everything that the engine calls: 0 go on with the next instruction, 1 leave generated code. */
export type Leave = 0 | 1;

export interface CpuMemory {
  /** The last fault of load, store, zero, fetch or maintain, and its address. */
  readonly fault: AbortFault;
  readonly faultHi: number;
  readonly faultLo: number;
  clearExclusive(core: number): void;
  zero(core: number, vaHi: number, vaLo: number): Leave;
  maintain(core: number, op: SystemOperationRow, vaHi: number, vaLo: number, el: number): Leave;
  /** A context synchronisation event. */
  isb(core: number): void;
  selectContext(core: number, key: readonly number[]): void;
}

export interface CpuMmu {
  /** On one core's TLB; `by` is the core that executes it, `core` unless said. */
  tlbi(
    core: number,
    row: SystemOperationRow,
    valueHi: number,
    valueLo: number,
    context: TranslationContext,
    by?: number,
  ): void;
  /** False: `fault` is to be taken as a data abort. Else the PAR_EL1 value is in parHi and parLo. `el` executes it. */
  at(
    core: number,
    row: SystemOperationRow,
    vaHi: number,
    vaLo: number,
    context: TranslationContext,
    el: number,
  ): boolean;
  readonly parHi: number;
  readonly parLo: number;
  readonly fault: AbortFault;
}

export const ExceptionType = { Sync: 0, Irq: 1, Fiq: 2, SError: 3 } as const;
export type ExceptionType = (typeof ExceptionType)[keyof typeof ExceptionType];

/** One exception taken; one object per core, rewritten in place. */
export interface ExceptionEvent {
  readonly core: number;
  readonly type: ExceptionType;
  readonly fromEl: number;
  readonly toEl: number;
  /** ESR_ELx as written; 0 for IRQ and FIQ, which leave it alone. */
  readonly esr: number;
  readonly farHi: number;
  readonly farLo: number;
  /** Preferred return address. */
  readonly elrHi: number;
  readonly elrLo: number;
  readonly vectorHi: number;
  readonly vectorLo: number;
  /** An UNDEFINED instruction (EC 0). */
  readonly undefined: boolean;
}

export interface CpuEvents {
  exceptionTaken(event: ExceptionEvent): void;
  /** An exception or an exception return changed the exception level. */
  elChanged(core: number, from: number, to: number): void;
}

/**
 * Firmware that the machine plays itself: PSCI behind HVC (EL1 is the highest level) or SMC (EL2 is). `call` reads and writes
 * x0 … x3 of the calling core; a result of 1 leaves generated code (the core was turned off, the machine ends …).
 */
export interface Firmware {
  readonly conduit: 'hvc' | 'smc';
  call(core: number): Leave;
}

/** A system register that another part of the machine keeps. `access` reads with effects; `hi` is the upper word, if any. */
export interface SystemRegisterPort {
  lo(core: number): number;
  hi?(core: number): number;
  access?(core: number): number;
  write?(core: number, lo: number, hi: number): void;
}

/** The interrupt controller; a GICv3 has registers by name (ICC_*, ICV_*, ICH_*). */
export interface InterruptControllerPort {
  register?(name: string): SystemRegisterPort | undefined;
  /** The core was reset. */
  resetCore(core: number): void;
  /** The core's level or Security state changed, on a machine with both states: signals depend on it. */
  levelChanged(core: number): void;
}

export interface CpuPorts {
  readonly memory: CpuMemory;
  readonly mmu: CpuMmu;
  /** All cores of the machine, for broadcasts and SEV; filled by the time the first instruction runs. */
  readonly cores: readonly CpuPeer[];
  /** The physical count of the generic timer, in ticks: a whole number. */
  counter(): number;
  /** A core that was off or waiting is about to be neither. */
  waking?(): void;
  /** Events of this core since power-on, up to the instruction that is being executed. */
  counted(core: number, event: PerformanceEvent): number;
  /**
   * Low words of the addresses at which the guest's breakpoints are armed, and whether it watches data accesses. `restored`:
   * line tables and translations were put back with them, and are as they have to be.
   */
  comparators(core: number, addresses: readonly number[], watching: boolean, restored: boolean): void;
  /** Level of the overflow interrupt of the performance monitors, and cycles of the core until it has to be looked at again. */
  monitors(core: number, level: boolean, wait: number): void;
  /** Timer outputs (TimerLine bits) and the physical count at which one of them changes next (Infinity: never). */
  timers(core: number, levels: number, deadline: number): void;
  /** The instruction word at the PC as the core fetched it; asked for only when a system access is trapped or stage 2 aborts. */
  instructionWord(core: number): number;
  readonly firmware?: Firmware;
  /** Present on machines with a GICv3. */
  readonly interruptController?: InterruptControllerPort;
  /** HLT #0xf000: -1 = not a semihosting call, the HLT is UNDEFINED; else as Leave, x0 holding the result. */
  semihosting?(core: number): -1 | Leave;
  readonly events: CpuEvents;
}

/** What one core does to another. */
export interface CpuPeer {
  readonly index: number;
  /** SEV reached this core. */
  signalEvent(): void;
}
