/**
 * The machine as session/, cli/ and tests use it. Everything here is synchronous and deterministic; nothing waits. The peek
 * side never changes anything. Virtual and physical addresses are BigInt at this edge only.
 */
import type { Hypervisor } from '../hypervisor/run/model';
import type { FindingKind } from '../memory/findingKinds';

import type { MachineConfig } from './config';
import type { MachineState } from './snapshot/state';

export { findingKinds } from '../memory/findingKinds';

/** The number of the host kernel's log among the consoles, under the hypervisor model. */
export const HOST_CONSOLE = 9;

export type Space = 'va' | 'el0' | 'el1' | 'el2' | 'el3' | 'ipa' | 'pa' | 'pou' | 'poc' | 'icache';

/** A breakpoint comparator. `space` va compares the PC, pa compares the physical address of the instruction. */
export interface ExecBreakpoint {
  readonly id: number;
  readonly space: 'va' | 'pa';
  readonly address: bigint;
  readonly el?: number;
  readonly core?: number;
}
export interface Watchpoint {
  readonly id: number;
  readonly space: 'va' | 'pa';
  readonly address: bigint;
  readonly size: number;
  readonly access: 'read' | 'write' | 'readWrite';
  readonly core?: number;
}
export type ExceptionKind = 'sync' | 'irq' | 'fiq' | 'serror';
/** Which events stop. `exceptions` holds strings `EL1.sync` (the EL that takes it). */
export interface CatchSet {
  readonly exceptions: ReadonlySet<string>;
  readonly elChange: boolean;
  readonly undefined: boolean;
  readonly finding: boolean;
}

/** One exception taken, as plain facts. */
export interface ExceptionRecord {
  readonly core: number;
  readonly kind: ExceptionKind;
  readonly fromEl: number;
  readonly toEl: number;
  readonly esr: bigint;
  readonly far: bigint;
  readonly elr: bigint; // preferred return address
  readonly vector: bigint;
  readonly undefined: boolean;
}

/** A coherence finding (DESIGN.md section 5). */
export interface Finding {
  readonly id: number;
  readonly kind: FindingKind;
  readonly mode: 'actual' | 'architectural';
  readonly core: number;
  readonly el: number;
  readonly asid: number;
  readonly vmid: number;
  readonly pc: bigint;
  readonly pa: bigint;
  readonly executed: number; // instruction word that ran
  readonly current: number; // word in the coherent view
  /** What was read or lost, where it is no instruction that ran: then `executed` and `current` say nothing. */
  readonly detail?: string;
  /** Under the hypervisor model: the vCPU that ran it, as vm1/vcpu0, and the one that brought the line. */
  readonly vcpu?: string;
  readonly filledBy?: string;
  readonly writerCore: number | undefined;
  readonly writerPc: bigint | undefined;
  readonly instructions: number; // machine instruction count
  readonly missing: readonly string[]; // 'DC CVAU', 'DSB ISH', 'IC IVAU', 'DSB ISH', 'ISB' with the core where it matters
  readonly advice: string;
}

export type Stop =
  | { readonly reason: 'limit' } // the instruction limit of this call was used up
  | {
      readonly reason: 'breakpoint';
      readonly core: number;
      readonly hits: readonly { core: number; ids: readonly number[] }[];
    }
  | {
      readonly reason: 'watchpoint';
      readonly core: number;
      readonly ids: readonly number[];
      readonly address: bigint;
      readonly access: 'read' | 'write';
      readonly oldValue?: bigint;
      readonly newValue?: bigint;
    }
  | { readonly reason: 'step'; readonly core: number }
  | { readonly reason: 'exception'; readonly core: number; readonly exception: ExceptionRecord }
  /** A core takes one and the same exception again and again and does nothing else; run goes on with that. */
  | { readonly reason: 'exceptionLoop'; readonly core: number; readonly exception: ExceptionRecord }
  | { readonly reason: 'elChange'; readonly core: number; readonly from: number; readonly to: number }
  | { readonly reason: 'finding'; readonly core: number; readonly finding: Finding }
  | { readonly reason: 'idle' } // every core waits and no event will ever come
  | { readonly reason: 'exited'; readonly code: number; readonly how: string };

/** One core's registers. Names: x0..x30, sp, pc, pstate (SPSR layout), nzcv. */
export interface CoreView {
  readonly index: number;
  /** 'running' | 'wfi' | 'wfe' | 'off' */
  readonly state: string;
  readonly el: number;
  pc(): bigint;
  setPc(value: bigint): void;
  /** n = 0..30, 31 = the current SP. */
  x(n: number): bigint;
  setX(n: number, value: bigint): void;
  /** SIMD&FP register n = 0..31, all 128 bits. */
  v(n: number): bigint;
  setV(n: number, value: bigint): void;
  pstate(): bigint;
  setPstate(value: bigint): void;
  /** Peek by register name as in arch/sysregs ('SCTLR_EL1'); undefined if this core does not have it. */
  peekSystem(name: string): bigint | undefined;
  /** A debugger write: stored, with its effect on translation contexts, no traps. False when read-only. */
  pokeSystem(name: string, value: bigint): boolean;
  instructions(): number;
  /** Peek: CCSIDR_EL1 as it reads when CSSELR_EL1 holds `selector` (Level in bits 3:1, InD in bit 0). */
  peekCacheSize?(selector: number): bigint | undefined;
}

export interface CacheLineView {
  readonly level: number;
  readonly kind: 'I' | 'D' | 'U';
  readonly set: number;
  readonly way: number;
  readonly valid: boolean;
  readonly dirty: boolean;
  readonly pa: bigint;
  /** Most recent VA that reached it, if known. */
  readonly va: bigint | undefined;
  readonly bytes: Uint8Array;
  readonly differs: boolean; // from the coherent view
  readonly vmid?: number;
  readonly symbol?: string;
}

/** Whether a way is asked for, by numbers: caches have many more lines than a view shows. `pa` is 0 for an invalid line. */
export type WantedLine = (set: number, valid: boolean, pa: number) => boolean;

/** One copy of a line. `where` is 'L1I core0', 'L1D core1', 'L2 cluster0', 'PoU', 'PoC', 'view'. */
export interface LineCopy {
  readonly where: string;
  readonly core: number | undefined;
  readonly present: boolean;
  readonly dirty: boolean;
  readonly bytes: Uint8Array | undefined;
  /** Where `bytes` begin in the line asked for: copies of a cache with shorter lines. */
  readonly offset?: number;
  readonly differs: boolean;
}
export interface LineState {
  readonly pa: bigint;
  readonly lineBytes: number;
  readonly copies: readonly LineCopy[];
}

export interface TranslationView {
  readonly ok: boolean;
  readonly pa: bigint | undefined;
  readonly ipa: bigint | undefined; // stage 1's result where stage 2 is on
  readonly fault: string | undefined;
  readonly attributes: string; // 'Normal WB ISH, RW EL1, XN EL0'
  readonly steps: readonly {
    stage: 1 | 2;
    level: number;
    descriptorPa: bigint;
    descriptor: bigint;
    meaning: string;
  }[];
  readonly fromTlb: boolean;
}

export interface Machine {
  readonly config: MachineConfig;
  readonly cores: readonly CoreView[];
  /** What has EL2, where that is not the guest's own; another one after a reset. */
  readonly hypervisor?: Hypervisor | undefined;
  /** Total instructions of all cores. */
  instructions(): number;
  /** Runs until a stop, or until about `limit` more instructions ran (exactly, for the last core). */
  run(limit: number): Stop;
  /** Ends the run that is going on after the current instruction, as if the limit were reached; for listeners of the machine. */
  endRun(): void;
  /**
   * One instruction of `core`; the others run by the schedule meanwhile unless `freezeOthers`. `limit` when the core still
   * waits after a good while: step again.
   */
  step(core: number, freezeOthers?: boolean): Stop;
  reset(): void;

  /** All state at the current instruction boundary; good until the machine moves on. */
  save(): MachineState;
  /** Puts a state back, at power-on or later; breakpoints and watchpoints stay. False: it is another machine's. */
  restore(state: MachineState): boolean;

  setBreakpoints(list: readonly ExecBreakpoint[]): void;
  setWatchpoints(list: readonly Watchpoint[]): void;
  setCatch(set: CatchSet): void;
  /** After a stop: every core whose next instruction has a matching breakpoint will not hit it again when run goes on. */

  /** Debugger read; shorter than asked (or empty) where nothing is mapped. Never has an effect. */
  peek(core: number, space: Space, address: bigint, length: number): Uint8Array;
  /** Debugger write: every copy, or that copy only for pou / poc / icache. Returns the bytes written. */
  poke(core: number, space: Space, address: bigint, bytes: Uint8Array): number;
  translate(core: number, space: Space, address: bigint): TranslationView;
  /**
   * Ways of a cache by set and way, all or those that are wanted. Rows look at the machine when they are read: use them before
   * it moves on.
   */
  cacheLines(core: number, level: number, kind: 'I' | 'D' | 'U', wanted?: WantedLine): readonly CacheLineView[];
  /** The same counted. */
  cacheCounts(
    core: number,
    level: number,
    kind: 'I' | 'D' | 'U',
  ): { readonly valid: number; readonly dirty: number; readonly differing: number };
  /** The caches of a core: what is there. */
  caches(core: number): readonly {
    level: number;
    kind: 'I' | 'D' | 'U';
    sets: number;
    ways: number;
    lineBytes: number;
    policy: string;
    replacement: string;
  }[];
  lineState(core: number, space: Space, address: bigint): LineState | undefined;
  findings(): readonly Finding[];
  statistics(): MachineStatistics;

  /** Presses the board's power key, and lets it go after a tenth of a second of guest time. */
  pressPowerKey(): void;
  /** Console bytes typed by the user, to UART n; 1 is the virtio console. */
  input(uart: number, bytes: Uint8Array): void;
  onConsole(listener: (uart: number, bytes: Uint8Array) => void): void;
}

export interface MissCounts {
  readonly hits: number;
  readonly misses: number;
}
export interface MachineStatistics {
  readonly instructions: number;
  readonly guestSeconds: number;
  readonly cores: readonly {
    readonly instructions: number;
    readonly cycles: number;
    readonly l1i: MissCounts;
    readonly l1d: MissCounts;
    readonly l2: MissCounts;
    readonly tlb: MissCounts;
    readonly exceptions: number;
    /** Named counters of every slow path. */
    readonly counters: Readonly<Record<string, number>>;
  }[];
  readonly findings: number;
}
