/**
 * View models: what the trees and panels show, as plain JSON. 64-bit values and addresses are strings `0x` + 16 hexadecimal
 * digits; bytes are hexadecimal digits, two a byte, lowest address first. Every view carries the state version that it was made
 * from: a view whose version is older than the last `elscope/state` event's is out of date.
 */

/** `0x` and 16 hexadecimal digits. */
export type Hex64 = string;
/** Bytes, two hexadecimal digits each. */
export type HexBytes = string;

export interface Versioned {
  /** Counts up whenever anything visible may have changed: stops, steps, writes; and every refresh period while running. */
  readonly version: number;
  readonly running: boolean;
}

export interface SourceLine {
  readonly path: string;
  readonly line: number;
  /** The file is no file of the client: DAP's `source` request gives its text. */
  readonly sourceReference?: number;
}

// Cores

export interface CoreRow {
  readonly core: number;
  readonly threadId: number;
  /** Of the machine file: `cortex-a57`. */
  readonly model: string;
  /** What the core does: `running` also while it is stopped by the debugger in the middle of code. */
  readonly state: 'running' | 'wfi' | 'wfe' | 'off';
  readonly el: number;
  readonly pc: Hex64;
  /** `main+0x10`, if there is a symbol near. */
  readonly symbol: string | undefined;
  readonly source: SourceLine | undefined;
  /** Stage 1 translation of the current regime is on. */
  readonly mmu: boolean;
  /** Undefined where the regime has none (EL2 without VHE, EL3). */
  readonly asid: number | undefined;
  readonly vmid: number | undefined;
  readonly instructions: number;
  /** Why it stands here if it caused the last stop: `breakpoint`, `stale fetch`. */
  readonly stopReason: string | undefined;
}
export interface CoresView extends Versioned {
  readonly cores: readonly CoreRow[];
}

// Cache ID registers

export interface FieldRow {
  readonly name: string;
  readonly hi: number;
  readonly lo: number;
  /** `0x3`. */
  readonly value: string;
  /** What the value means, where the manual says so or where it follows: `64 bytes`, `PIPT`. */
  readonly meaning: string | undefined;
  /** The field does not have the same value on every core that has the register. */
  readonly differs: boolean;
}
export interface IdRegisterCell {
  readonly core: number;
  /** What the core's hardware says; undefined when the core does not have the register. */
  readonly raw: Hex64 | undefined;
  /** Under the hypervisor model: what a guest reads on this core. */
  readonly guest?: Hex64;
  readonly fields: readonly FieldRow[];
}
export interface IdRegisterRow {
  /** `CTR_EL0`; for CCSIDR_EL1 one row for each cache: `CCSIDR_EL1[L1 I]`. */
  readonly name: string;
  /** The manual's title. */
  readonly title: string;
  /** Not the same value on every core. */
  readonly mismatch: boolean;
  /** Under the hypervisor model: the value that its host kernel has made of all cores', where it makes one. */
  readonly sanitised?: Hex64;
  /** One for each core, in order. */
  readonly cells: readonly IdRegisterCell[];
}
export interface IdRegistersView extends Versioned {
  readonly cores: readonly { readonly core: number; readonly model: string }[];
  readonly rows: readonly IdRegisterRow[];
}

// Virtual machines

export interface PolicyRow {
  readonly name: string;
  readonly about: string;
  readonly value: string;
  readonly meaning: string;
  /** In which release it came, or that no release has it: `since v6.3`, `posted`, `ours`. */
  readonly standing: string;
  /** Not what the chosen release does. */
  readonly changed: boolean;
  /** What the chosen release does. */
  readonly released: string;
  /** All that it can be. */
  readonly values: readonly { readonly value: string; readonly meaning: string; readonly standing: string }[];
}
export interface MemslotRow {
  readonly id: number;
  readonly guestAddress: Hex64;
  readonly bytes: number;
  /** Physical address of its first byte. */
  readonly hostAddress: Hex64;
  /** `KVM_MEM_READONLY`. */
  readonly flags: readonly string[];
  /** The mapping of user space behind it: `ordinary, NORMAL`. */
  readonly mapping: string;
  /** Pages that were written since user space took the log, while they are logged. */
  readonly dirty?: number;
  /** KVM has not taken it, with this errno: the guest finds nothing there. */
  readonly refused?: string;
}
/** Valid stage-2 entries: the bytes that they map, how many there are, and how many of them allow what; young: with the access flag. */
export interface Stage2Counts {
  readonly bytes: number;
  readonly entries: number;
  readonly readable: number;
  readonly writable: number;
  readonly executable: number;
  readonly young: number;
}
/** What is known of a VM's stage-2 tables without reading them. */
export interface Stage2Facts {
  readonly root: Hex64;
  readonly pageBytes: number;
  readonly inputBits: number;
  readonly startLevel: number;
  /** Tables in memory, each of a page. */
  readonly tables: number;
}
export interface Stage2View extends Versioned {
  readonly vm: number;
  readonly pageBytes: number;
  readonly tables: number;
  readonly tableBytes: number;
  /** By level: bytes that one entry maps. */
  readonly sizes: readonly (Stage2Counts & { readonly level: number; readonly size: number })[];
  /** By type of memory: `NORMAL`, `NORMAL_NC`, `DEVICE_nGnRE`. */
  readonly memory: readonly (Stage2Counts & { readonly name: string })[];
  /** By memory slot; `dirty`: pages, where they are logged. */
  readonly slots: readonly (Stage2Counts & {
    readonly id: number;
    readonly slotBytes: number;
    readonly dirty: number | undefined;
  })[];
}
export interface CountRow {
  readonly name: string;
  readonly count: number;
  /** Of the core, from the exception to the next guest entry, or until the vCPU has left the core. */
  readonly cycles: number;
}
export interface VcpuRow {
  readonly vcpu: number;
  /** `vm1/vcpu0`. */
  readonly name: string;
  /** The physical core that it is on, or was last. */
  readonly core: number;
  /** guest: its code runs. host: the core is at EL2 for it. waiting: another thread has the core. */
  readonly state: 'guest' | 'host' | 'waiting' | 'paused' | 'off';
  /** Of the guest. */
  readonly el: number;
  readonly pc: Hex64;
  readonly symbol: string | undefined;
  readonly source: SourceLine | undefined;
  /** Where it goes on after its next exit, if that was asked for. */
  readonly goesTo: number | undefined;
  /** The core that it is pinned to. */
  readonly pinned: number | undefined;
  /** User space does not let it run, from its next exit on. */
  readonly paused: boolean;
  readonly exits: readonly CountRow[];
  /** Trapped registers and operations. */
  readonly traps: readonly CountRow[];
}
export interface VmRow {
  readonly vm: number;
  /** 0: none yet. */
  readonly vmid: number;
  readonly slots: readonly MemslotRow[];
  readonly stage2: Stage2Facts;
  readonly vcpus: readonly VcpuRow[];
}
export interface VmsView extends Versioned {
  /** EL2 is the hypervisor model's. */
  readonly model: boolean;
  /** Kernel release of its host. */
  readonly kvm: string | undefined;
  /** The host has booted and KVM runs. */
  readonly started: boolean;
  readonly policies: readonly PolicyRow[];
  readonly vms: readonly VmRow[];
  /** vCPUs that user space gave up: `vm1/vcpu0: EFAULT: …`. */
  readonly errors: readonly string[];
}

// Caches

export type CacheKind = 'I' | 'D' | 'U';
export interface CacheRow {
  readonly level: number;
  readonly kind: CacheKind;
  /** `L1 I`, `L1 D`, `L2`. */
  readonly name: string;
  readonly sets: number;
  readonly ways: number;
  readonly lineBytes: number;
  readonly sizeBytes: number;
  /** `VIPT` and the like for instruction caches; `write-back` and the like for others. */
  readonly policy: string;
  readonly replacement: string;
  readonly valid: number;
  readonly dirty: number;
  /** Lines whose bytes are not those that cacheable accesses see. */
  readonly differing: number;
}
export interface CachesView extends Versioned {
  readonly cores: readonly { readonly core: number; readonly model: string; readonly caches: readonly CacheRow[] }[];
}

export type LineStateName = 'invalid' | 'clean' | 'dirty';
export interface CacheCell {
  readonly way: number;
  readonly state: LineStateName;
  /** Physical address of the line's first byte; undefined for an invalid line, as all that follows. */
  readonly pa: Hex64 | undefined;
  /** The virtual address that last reached it, if known. */
  readonly va: Hex64 | undefined;
  readonly vmid: number | undefined;
  readonly symbol: string | undefined;
  readonly differs: boolean;
  /** Not as it was at the stop before. */
  readonly changed: boolean;
  /** Fits the filter (true without one, for valid lines). */
  readonly matches: boolean;
}
export interface CacheSetRow {
  readonly set: number;
  readonly cells: readonly CacheCell[];
}
/** One page of a cache: sets × ways. */
export interface CacheLinesView extends Versioned {
  readonly core: number;
  readonly level: number;
  readonly kind: CacheKind;
  readonly name: string;
  readonly sets: number;
  readonly ways: number;
  readonly lineBytes: number;
  /** Rows that there are in all with this filter; `rows` is the page [start, start + count) of them. */
  readonly totalRows: number;
  readonly start: number;
  readonly rows: readonly CacheSetRow[];
  readonly valid: number;
  readonly dirty: number;
  readonly differing: number;
}

export interface InstructionRow {
  /** Virtual address where one is known, else physical. */
  readonly address: Hex64;
  /** `0x` and eight digits. */
  readonly word: string;
  readonly text: string;
  readonly symbol: string | undefined;
  /** The word is not the one that cacheable accesses see. */
  readonly differs: boolean;
}
/** One line, with its contents. */
export interface CacheLineView extends Versioned {
  readonly core: number;
  readonly level: number;
  readonly kind: CacheKind;
  readonly set: number;
  readonly cell: CacheCell;
  readonly bytes: HexBytes;
  /** What cacheable accesses see at the same address; undefined where nothing can be read. */
  readonly current: HexBytes | undefined;
  readonly instructions: readonly InstructionRow[];
}

// Watched lines

export interface LineCopyRow {
  /** `L1I core0`, `L1D core1`, `L2 cluster0`, `PoU`, `PoC`, `view` (what cacheable accesses see). */
  readonly where: string;
  readonly core: number | undefined;
  readonly present: boolean;
  readonly dirty: boolean;
  /** From what cacheable accesses see. */
  readonly differs: boolean;
  /** Not as it was at the stop before. */
  readonly changed: boolean;
  /** Where `bytes` begin in the line: not 0 for further lines of a cache whose lines are shorter. */
  readonly offset: number;
  readonly bytes: HexBytes | undefined;
  /** For instruction caches, and for every copy when one I-cache holds the line. */
  readonly instructions: readonly InstructionRow[];
}
export interface LineStateView extends Versioned {
  /** As it was asked for. */
  readonly address: string;
  readonly symbol: string | undefined;
  readonly va: Hex64 | undefined;
  /** Of the line's first byte. */
  readonly pa: Hex64;
  /** Of the address in the line. */
  readonly offset: number;
  readonly lineBytes: number;
  /** Present copies that differ. */
  readonly differing: number;
  readonly copies: readonly LineCopyRow[];
}
/** One answer for each address asked for, in order. */
export interface WatchedLinesView extends Versioned {
  readonly lines: readonly (LineStateView | { readonly address: string; readonly error: string })[];
}

// Translation, findings, statistics

export interface TranslationStepRow {
  /** Stage 2's steps stand before the stage 1 descriptor that they lead to, and at the end. */
  readonly stage: 1 | 2;
  readonly level: number;
  readonly descriptorPa: Hex64;
  readonly descriptor: Hex64;
  readonly meaning: string;
}
export interface TranslationResult extends Versioned {
  readonly address: string;
  readonly core: number;
  readonly ok: boolean;
  readonly pa: Hex64 | undefined;
  /** Stage 1's result where stage 2 is on. */
  readonly ipa: Hex64 | undefined;
  readonly fault: string | undefined;
  readonly attributes: string;
  readonly fromTlb: boolean;
  readonly steps: readonly TranslationStepRow[];
}

export interface FindingRow {
  readonly id: number;
  readonly kind: string;
  readonly mode: 'actual' | 'architectural';
  readonly core: number;
  readonly el: number;
  readonly asid: number;
  readonly vmid: number;
  readonly pc: Hex64;
  readonly pa: Hex64;
  readonly symbol: string | undefined;
  readonly source: SourceLine | undefined;
  /** What was read or lost, where it is no instruction that ran: then `executed` and `current` say nothing. */
  readonly detail?: string;
  /** Under the hypervisor model: the vCPU that ran it, as `vm1/vcpu0`, and the one that brought the line. */
  readonly vcpu?: string;
  readonly filledBy?: string;
  readonly executed: { readonly word: string; readonly text: string };
  readonly current: { readonly word: string; readonly text: string };
  readonly writer: { readonly core: number; readonly pc: Hex64; readonly symbol: string | undefined } | undefined;
  readonly instructions: number;
  /** Maintenance steps that were missing, in the order in which they belong. */
  readonly missing: readonly string[];
  readonly advice: string;
}
export interface FindingsView extends Versioned {
  readonly findings: readonly FindingRow[];
}

export interface StatisticsView extends Versioned {
  readonly instructions: number;
  readonly guestSeconds: number;
  readonly cores: readonly {
    readonly core: number;
    readonly instructions: number;
    readonly cycles: number;
    readonly counters: Readonly<Record<string, number>>;
  }[];
}
