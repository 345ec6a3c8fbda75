/**
 * The contracts of the memory system: what it is configured with, what a translation context is, and the doors that the
 * engine, cpu/ and machine/ use. Physical addresses are plain numbers (exact up to 2^53), virtual addresses are (hi, lo)
 * pairs of unsigned 32-bit numbers.
 */

import type { FindingKind } from './findingKinds';
import type { Translator } from './translator';

/** One cache as built (not as advertised). `sets * ways * lineBytes` is its size. */
export interface CacheGeometry {
  readonly sets: number;
  readonly ways: number;
  readonly lineBytes: 16 | 32 | 64 | 128 | 256;
  readonly replacement: 'random' | 'fifo' | 'lru';
}

export type InstructionCachePolicy = 'PIPT' | 'VIPT' | 'VPIPT';

/** Penalty cycles added by slow paths; all zero = instruction counting. */
export interface CostTable {
  readonly l1iMiss: number;
  readonly l1dMiss: number;
  readonly l2Miss: number;
  readonly walkStep: number;
  readonly maintenance: number; // each DC / IC / TLBI operation
  readonly perCore: number; // each responding core of a broadcast
  readonly dvm: number; // each IC / TLBI operation that is sent to other cores
  readonly exception: number;
  readonly trap: number;
  readonly mmio: number;
  readonly counterRead: number; // reads of CNTPCT_EL0 and CNTVCT_EL0
}

export interface CoreMemoryConfig {
  readonly l1i: CacheGeometry & { readonly policy: InstructionCachePolicy };
  readonly l1d: CacheGeometry;
  /** Index of the L2 this core uses in MemoryConfig.l2, or -1. Cores of a cluster share one. */
  readonly l2: number;
  /** CTR_EL0.IDC: fetches see the coherent view at the point of unification without cleaning. */
  readonly idc: boolean;
  /** CTR_EL0.DIC: stores invalidate I-caches by themselves. */
  readonly dic: boolean;
  readonly tlb: { readonly sets: number; readonly ways: number };
  /** Fetched instructions held back until the next context synchronisation event; 0 = none. */
  readonly prefetch: number;
  /** FEAT_LSE2: ordered and atomic accesses may be unaligned within 16 bytes. */
  readonly lse2?: boolean;
}

export interface MemoryRegion {
  readonly kind: 'ram' | 'rom'; // rom: stores are ignored by the memory system and go to the bus
  readonly base: number;
  readonly size: number;
}

export interface MemoryConfig {
  readonly cores: readonly CoreMemoryConfig[];
  readonly l2: readonly CacheGeometry[];
  readonly regions: readonly MemoryRegion[];
  readonly cost: CostTable;
  readonly mmuOffFetch: 'architecture' | 'poc';
  readonly checker: 'off' | 'actual' | 'architectural';
  readonly seed: number;
}

/** A data or instruction abort as a value. */
export interface AbortFault {
  readonly kind:
    | 'translation'
    | 'accessFlag'
    | 'permission'
    | 'addressSize'
    | 'alignment'
    | 'external'
    | 'externalWalk'
    | 'tlbConflict'
    | 'unsupportedExclusive'
    | 'hardwareUpdate'
    | 'watchpoint'
    | 'pcAlignment';
  readonly level: number; // 0..3 for MMU faults
  readonly stage2: boolean;
  readonly s1ptw: boolean;
  readonly write: boolean;
  readonly cacheMaintenance: boolean;
  readonly ipa: number; // valid for stage 2
}

/** Memory type after all stages. Numbers, since they are compared on slow paths only but stored in TLB entries. */
export const MemoryType = {
  DeviceNGnRnE: 0,
  DeviceNGnRE: 1,
  DeviceNGRE: 2,
  DeviceGRE: 3,
  NormalNC: 4,
  NormalWT: 5,
  NormalWB: 6,
} as const;
export type MemoryType = (typeof MemoryType)[keyof typeof MemoryType];

/**
 * Everything translation reads, decoded from the system registers by cpu/ whenever one of them changes (never per access).
 * One object per core and regime context; mutable fields are rewritten in place.
 */
export interface TranslationContext {
  regime: 'EL1&0' | 'EL2&0' | 'EL2' | 'EL3';
  /** The regime has two address ranges and two privileges (those with EL0). */
  twoRanges: boolean;
  el: 0 | 1 | 2 | 3;
  secure: boolean;
  mmu: boolean; // stage 1 enabled
  dataCacheable: boolean; // SCTLR.C
  fetchCacheable: boolean; // SCTLR.I
  alignmentCheck: boolean; // SCTLR.A
  nAA: boolean; // SCTLR.nAA (FEAT_LSE2)
  wxn: boolean;
  bigEndianWalks: boolean;
  pan: boolean;
  /** LDTR and STTR access as EL0 does: at EL1, at EL2 of a host (HCR_EL2.{E2H,TGE}), not with PSTATE.UAO. */
  userAccess: boolean;
  asid: number;
  vmid: number;
  /** [TTBR0, TTBR1]: physical base (number), T0SZ/T1SZ as VA bits (64 - TxSZ), granule log2, EPD, TBI, A1-selected ASID already in `asid`. */
  ranges: readonly [TranslationRange, TranslationRange];
  ipsBits: number; // output address size in bits
  mairLo: number; // MAIR attributes 0..3
  mairHi: number; // MAIR attributes 4..7
  hcrDC: boolean; // HCR_EL2.DC default cacheable
  hardwareFlag: boolean; // TCR.HA: walks set the access flag
  hardwareDirty: boolean; // TCR.HD: writes set the dirty state
  stage2: boolean; // HCR_EL2.VM or DC, for the EL1&0 regime
  /** What `stage2` goes by; not looked at without it. */
  s2: Stage2Controls;
}

/** VTCR_EL2, VTTBR_EL2, and the bits of HCR_EL2 and SCTLR_EL2 that stage 2 reads. */
export interface Stage2Controls {
  /** False: T0SZ, SL0 and the granule do not fit together; every access is a level 0 translation fault. */
  valid: boolean;
  base: number; // VTTBR_EL2.BADDR, aligned to the size of the first tables
  ipaBits: number; // 64 - T0SZ
  granuleLog2: 12 | 14 | 16;
  startLevel: number;
  psBits: number; // output address size in bits
  walkCacheable: boolean;
  bigEndianWalks: boolean; // SCTLR_EL2.EE
  hardwareFlag: boolean;
  hardwareDirty: boolean;
  xnx: boolean; // FEAT_XNX: XN is two bits
  forcedWriteBack: boolean; // HCR_EL2.FWB
  dataUncached: boolean; // HCR_EL2.CD
  fetchUncached: boolean; // HCR_EL2.ID
  protectedWalks: boolean; // HCR_EL2.PTW
}
export interface TranslationRange {
  enabled: boolean; // false: the upper range of regimes that have one range
  disabledWalks: boolean; // EPDx
  base: number; // TTBR BADDR
  vaBits: number;
  granuleLog2: 12 | 14 | 16;
  tbi: boolean;
  tbid: boolean; // not for instructions (FEAT_PAuth)
  walkCacheable: boolean; // TCR.IRGN/ORGN and SCTLR.C say Normal cacheable
  flatPermissions: boolean; // TCR.HPD: permission limits of table descriptors are ignored
  closedToEl0: boolean; // TCR.E0PD: every access of EL0 faults
}

/** What the memory system asks of the world outside RAM: device accesses by physical address. */
export interface Bus {
  /** Reads `size` (1,2,4,8) bytes into `out` ([lo, hi]); returns false for an external abort. */
  read(pa: number, size: number, out: Uint32Array, core: number): boolean;
  write(pa: number, size: number, lo: number, hi: number, core: number): boolean;
  /** A read without any effect, for the debugger; undefined where nothing can be said. */
  peek(pa: number, size: number): number | undefined;
}

/**
 * Fields of a core's state block that the memory system touches: [byte offset, byte width]. `coreLayout` of cpu/layout.ts has
 * them all and is passed as it is (memory/ may not import cpu/).
 */
export type CoreBlockFields = Readonly<
  Record<
    'pc' | 'value' | 'penalty' | 'loadTable' | 'storeTable' | 'fetchTable' | 'contextSlot' | 'monitor',
    readonly [number, number]
  >
>;

/** A coherence finding as the memory system sees it; machine/ adds EL, ASID and VMID and makes a `Finding` of it. */
export interface MemoryFinding {
  readonly kind: FindingKind;
  readonly mode: 'actual' | 'architectural';
  readonly core: number;
  readonly pcHi: number;
  readonly pcLo: number;
  readonly pa: number;
  /** The word that ran, and the word in the coherent view. */
  readonly executed: number;
  readonly current: number;
  /** What was read or lost, where it is no instruction. */
  readonly detail?: string;
  /** The vCPU that the core runs, and the one that brought the line: numbers of `setOwner`, 0 = none. */
  readonly owner: number;
  readonly filler: number;
  /** -1: unknown, or not a core (DMA). */
  readonly writerCore: number;
  readonly writerPcHi: number;
  readonly writerPcLo: number;
  /** ports.time at the moment of the finding. */
  readonly time: number;
  readonly missing: readonly string[];
  readonly advice: string;
}

/** What the memory system asks of the rest of the machine. */
export interface MemoryPorts {
  readonly layout: CoreBlockFields;
  readonly translator: Translator;
  readonly bus: Bus;
  context(core: number): TranslationContext;
  /** A core is neither off nor asleep for good: what the data side of the checker asks. */
  active?(core: number): boolean;
  /** Low word of SP_ELx: whether one thread runs on. What the checker asks. */
  stack?(core: number, el: number): number;
  /** Byte address of the core's state block in the same buffer. */
  blockBase(core: number): number;
  /** Decodes one I-granule (the machine's smallest I-line) of bytes into records at recordBase, LINE_END last. */
  decode(core: number, bytesAddress: number, recordBase: number): void;
  /** Makes record `index` of the granule call checkStale before it runs, until the granule is decoded again. */
  markStale(recordBase: number, index: number): void;
  finding(finding: MemoryFinding): void;
  /** Instructions retired by the machine. */
  time(core: number): number;
  /** Another agent's store cleared this core's exclusive monitor (an event for WFE). */
  monitorCleared?(core: number): void;
  /** Whether the guest watches this access: bit 0 = its page has watched bytes, bit 1 = a hit. */
  watchpoint?(core: number, hi: number, lo: number, size: number, write: boolean, unprivileged: boolean): number;
  /** While watch granules are set: each data access that reaches a slow path, after it succeeded. */
  access?(core: number, vaHi: number, vaLo: number, pa: number, size: number, write: boolean): void;
}
