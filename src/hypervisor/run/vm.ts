/** Virtual machines and their vCPUs as the model keeps them: plain values, but for the registers that threads 0 and 4 are about. */

import { BREAKPOINTS, WATCHPOINTS } from '../../arch/sysregs/debug';
import { copyPlain } from '../../base/plain';
import type { DirtyBitmap } from '../dirtyLog';
import type { Policies } from '../policies';
import type { CachesState, VirtualCaches } from '../virtualCaches';
import type { VmCtr } from '../vmCtr';
import { type HostMapping, mappedAt } from './hostMemory';
import type { Stage2Table } from './stage2Table';
import type { Vgic } from './vgic';

/** A memory slot. What is mapped at its user addresses is the VMM's (hostMemory.ts). */
export interface Memslot {
  readonly id: number;
  readonly guestAddress: number;
  readonly bytes: number;
  /** KVM_MEM_… bits. */
  readonly flags: number;
  /** User address of its first byte, which is its physical address too. */
  readonly hostAddress: number;
  /** Pages that were written while KVM_MEM_LOG_DIRTY_PAGES was set, since user space took them. */
  readonly dirty?: DirtyBitmap;
}

/** EL1 and EL0 system registers that a vCPU has to itself. */
export const VCPU_REGISTERS = [
  ...['SCTLR_EL1', 'CPACR_EL1', 'TTBR0_EL1', 'TTBR1_EL1', 'TCR_EL1', 'ESR_EL1', 'AFSR0_EL1', 'AFSR1_EL1', 'FAR_EL1'],
  ...['MAIR_EL1', 'VBAR_EL1', 'CONTEXTIDR_EL1', 'AMAIR_EL1', 'CNTKCTL_EL1', 'PAR_EL1', 'MDSCR_EL1'],
  ...['TPIDR_EL0', 'TPIDRRO_EL0', 'TPIDR_EL1', 'SP_EL0', 'SP_EL1', 'ELR_EL1', 'SPSR_EL1'],
  ...['CNTV_CTL_EL0', 'CNTV_CVAL_EL0', 'CSSELR_EL1'],
] as const;

/** Of the physical timer, which is emulated: never on a core. */
export const PHYSICAL_TIMER = ['CNTP_CTL_EL0', 'CNTP_CVAL_EL0'] as const;

/** Keys of pointer authentication, where cores have it. */
export const KEY_REGISTERS = ['APIA', 'APIB', 'APDA', 'APDB', 'APGA'].flatMap((key) => [
  `${key}KeyLo_EL1`,
  `${key}KeyHi_EL1`,
]);

const bank = (name: string, count: number): readonly string[] =>
  Array.from({ length: count }, (_, n) => `${name}${n}_EL1`);

/** Debug registers that are on a core only while a guest uses them: see debug.ts. */
export const DEBUG_REGISTERS: readonly string[] = [
  ...bank('DBGBCR', BREAKPOINTS),
  ...bank('DBGBVR', BREAKPOINTS),
  ...bank('DBGWCR', WATCHPOINTS),
  ...bank('DBGWVR', WATCHPOINTS),
  'MDCCINT_EL1',
];

/** As KVM's reset of a vCPU leaves SCTLR_EL1: everything off. */
const SCTLR_RESET = 0x00c5_0078n;
/** GICH_VMCR and ICH_VMCR_EL2: nothing enabled, everything masked. */
const VMCR_RESET = 0x004c_0000;
/** EL1h, all interrupts masked. */
const PSTATE_RESET = 0x3c5n;

export type VcpuState = 'runnable' | 'off' | 'waiting';

export interface SavedVcpu {
  /** Plain values by their names. */
  readonly rest: Readonly<Record<string, unknown>>;
  readonly caches: CachesState;
}

export class Vcpu {
  state: VcpuState = 'off';
  readonly x: bigint[] = new Array(31).fill(0n);
  readonly v: bigint[] = new Array(32).fill(0n);
  fpcr = 0n;
  fpsr = 0n;
  pc = 0n;
  pstate = PSTATE_RESET;
  readonly registers: Record<string, bigint> = {};
  /** GICH_VMCR and GICH_APR of the guest, or ICH_VMCR_EL2 and ICH_AP1R0_EL2. */
  vmcr = VMCR_RESET;
  apr = 0;
  /** ICH_AP0R0_EL2. */
  apr0 = 0;
  /**
   * HCR_EL2.TVM, where there is no FWB: stage-1 control registers are trapped until the guest's caches are on. From
   * KVM_ARM_VCPU_INIT on; PSCI CPU_ON does not set it again.
   */
  tvm = true;
  /** OSLSR_EL1.OSLK of the guest; MDSCR_EL1 is kept among `registers` while it is set. */
  osLock = false;
  /** Whose debug registers guest entries load: 'guest' is KVM's DEBUG_DIRTY too; 'host' takes them from the guest. */
  debugOwner: 'none' | 'guest' | 'host' = 'none';
  debugOnCore = false;
  /** HCR_EL2.TWE: others want its core too. */
  trapsWfe = false;
  /** The physical core it is loaded on or was last. */
  core: number;
  loaded = false;
  /** Where it goes on after its next exit. */
  wantsCore: number | undefined;
  hasRun = false;
  /** The only physical core that it may run on, but for a move that is asked for. */
  pinned: number | undefined;
  /** User space does not call KVM_RUN. */
  paused = false;
  /** KVM_ARM_VCPU_INIT comes when it has left its core. */
  wantsReset = false;
  /** PSCI CPU_ON has come, and it has not left its core yet. */
  start: { readonly entry: bigint; readonly x0: bigint } | undefined;
  /** Guest entries so far. */
  entries = 0;
  /** Exits by reason, trapped registers by name. */
  readonly exits: Record<string, number> = {};
  readonly traps: Record<string, number> = {};
  /** Cycles from an exit's exception to the next guest entry, or until it has left its core; by the same names. */
  readonly exitCycles: Record<string, number> = {};
  readonly trapCycles: Record<string, number> = {};
  /** The exit that goes on: when it began, in cycles of the core (-1: none), and the names that it is counted under. */
  leftAt = -1;
  readonly reasons: string[] = [];
  readonly trapped: string[] = [];

  constructor(
    readonly vm: Vm,
    readonly index: number,
    core: number,
    readonly caches: VirtualCaches,
  ) {
    this.core = core;
    for (const name of VCPU_REGISTERS) this.registers[name] = 0n;
    this.reset(0n, 0n);
  }

  save(): SavedVcpu {
    const { vm: _vm, index: _index, caches, ...rest } = this;
    return { rest: copyPlain(rest), caches: caches.save() };
  }
  load({ rest, caches }: SavedVcpu): void {
    Object.assign(this, copyPlain(rest));
    this.caches.load(caches);
  }

  /** KVM_ARM_VCPU_INIT, or PSCI CPU_ON. */
  reset(entry: bigint, x0: bigint): void {
    this.x.fill(0n);
    this.x[0] = x0;
    this.pc = entry;
    this.pstate = PSTATE_RESET;
    this.v.fill(0n);
    this.fpcr = 0n;
    this.fpsr = 0n;
    for (const name of VCPU_REGISTERS) this.registers[name] = 0n;
    for (const name of PHYSICAL_TIMER) this.registers[name] = 0n;
    for (const name of DEBUG_REGISTERS) this.registers[name] = 0n;
    this.osLock = false;
    this.registers.SCTLR_EL1 = SCTLR_RESET;
    this.vmcr = VMCR_RESET;
    this.apr = 0;
    this.apr0 = 0;
    this.caches.reset();
  }

  /** A number for what findings name: not 0, and no other vCPU's. */
  get owner(): number {
    return this.vm.id * 256 + this.index + 1;
  }
  get name(): string {
    return `vm${this.vm.id}/vcpu${this.index}`;
  }
  /** MPIDR_EL1 as the guest reads it. */
  get mpidr(): bigint {
    return 0x8000_0000n | BigInt(this.index);
  }

  count(reason: string): void {
    this.exits[reason] = (this.exits[reason] ?? 0) + 1;
    this.reasons.push(reason);
  }
  countTrap(register: string): void {
    this.traps[register] = (this.traps[register] ?? 0) + 1;
    this.trapped.push(register);
  }

  /** The exit is over after so many cycles of the core in all. */
  exitOver(now: number): void {
    const cost = now - this.leftAt;
    if (this.leftAt >= 0) {
      for (const name of this.reasons) this.exitCycles[name] = (this.exitCycles[name] ?? 0) + cost;
      for (const name of this.trapped) this.trapCycles[name] = (this.trapCycles[name] ?? 0) + cost;
    }
    this.leftAt = -1;
    this.reasons.length = 0;
    this.trapped.length = 0;
  }
}

export interface SavedVm {
  readonly id: number;
  /** Of its stage-2 tables. */
  readonly root: number;
  readonly ctr: bigint;
  readonly vgic: unknown;
  readonly vcpus: readonly SavedVcpu[];
  /** Plain values by their names. */
  readonly rest: Readonly<Record<string, unknown>>;
}

export class Vm {
  slots: Memslot[] = [];
  /** Slots that KVM did not accept. */
  refused: Memslot[] = [];
  /** What user space has mapped. */
  readonly mappings: HostMapping[] = [];
  /** Valid entries of each stage-2 table, by its address; and pages of tables that are no longer used. */
  readonly tableEntries: Record<number, number> = {};
  readonly freeTables: number[] = [];
  /** The owner number of the vCPU that holds mmu_lock; 0: nobody. */
  mmuLock = 0;
  /** mmu_invalidate_seq, and how many invalidations are going on (mmu_invalidate_in_progress). */
  invalidateSequence = 0;
  invalidating = 0;
  /** KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2: what user space enabled. */
  manualDirtyLog = 0;
  /** By slot: the bitmap that user space got last. */
  readonly dirtyLogs: Record<number, DirtyBitmap> = {};
  /** User space enabled cacheable PFNMAP mappings (ours). */
  cacheablePfnmap = false;
  /** ID_AA64DFR0_EL1, where user space wants less than the host has. */
  debugFeatures: bigint | undefined;
  /** Of PSCI, where user space has asked for one. */
  psciVersion: bigint | undefined;
  /** The guest has asked for a reset: user space does it when no vCPU is on a core any more. */
  resets = false;
  /** A vCPU that has run was initialised again: what the guest finds with its caches off has to be in memory. */
  initAgain = false;
  readonly vcpus: Vcpu[] = [];
  /** By physical core: the vCPU that ran there last. */
  readonly lastVcpuRan: number[];
  /** CNTVOFF_EL2: what the guest's virtual count is behind by, in ticks. */
  counterOffset = 0n;
  /** 0: none yet, or one of an earlier generation. */
  vmid = 0;
  generation = 0;
  /** Absent where the machine has no interrupt controller. */
  vgic: Vgic | undefined;

  constructor(
    readonly id: number,
    readonly policies: Policies,
    readonly ctr: VmCtr,
    readonly stage2: Stage2Table,
    cores: number,
    none: number,
  ) {
    this.lastVcpuRan = new Array(cores).fill(none);
  }

  /** Of the VM alone. */
  save(): SavedVm {
    const { id, policies: _policies, ctr, stage2, vcpus, vgic, ...rest } = this;
    return {
      id,
      root: stage2.root,
      ctr: ctr.save(),
      vgic: vgic?.saveState(),
      vcpus: vcpus.map((vcpu) => vcpu.save()),
      rest: copyPlain(rest),
    };
  }

  /** Its devices come before, since what they do about interrupts is nothing that happened. */
  load({ ctr, vgic, vcpus, rest }: SavedVm): void {
    this.ctr.load(ctr);
    this.vgic?.loadState(vgic);
    for (const [index, vcpu] of this.vcpus.entries()) vcpu.load(vcpus[index]);
    Object.assign(this, copyPlain(rest));
  }

  get hasRun(): boolean {
    return this.vcpus.some((vcpu) => vcpu.hasRun);
  }

  slotOf(ipa: number): Memslot | undefined {
    return this.slots.find((slot) => ipa >= slot.guestAddress && ipa < slot.guestAddress + slot.bytes);
  }

  /** What is mapped at a user address. */
  mappedAt(address: number): HostMapping | undefined {
    return mappedAt(this.mappings, address);
  }
}
