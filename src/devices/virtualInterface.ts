/**
 * The virtual CPU interfaces of the Virtualization Extensions, of GICv2 (GICH, GICV) and GICv3 (ICH_*_EL2, ICV_*_EL1) alike:
 * list registers, virtual priorities, virtual IRQ and FIQ, maintenance interrupt. Kept in GICv3's form; GICv2's registers are
 * another view of it (gicHypervisor.ts). Names in comments are those of the GICv3 specification's pseudocode.
 *
 * Virtual priorities have 5 bits, all of them for preemption. There are no LPIs: every virtual interrupt has an active state.
 */

/** ICH_HCR_EL2 and GICH_HCR. */
export const HCR = {
  En: 1,
  UIE: 2,
  LRENPIE: 4,
  NPIE: 8,
  VGrp0EIE: 16,
  VGrp0DIE: 32,
  VGrp1EIE: 64,
  VGrp1DIE: 128,
} as const;
const EOI_COUNT_SHIFT = 27;
const EOI_COUNT = 0xf800_0000;

/** ICH_VMCR_EL2; GICH_VMCR has the same fields at the same places. */
export const VMCR = { VENG0: 1, VENG1: 2, VAckCtl: 4, VFIQEn: 8, VCBPR: 16, VEOIM: 0x200 } as const;
const VBPR1_SHIFT = 18;
const VBPR0_SHIFT = 21;
const VPMR_SHIFT = 24;
const VBPR = 7;

/** Upper word of ICH_LR<n>_EL2. */
export const LR = { pending: 1 << 30, active: 1 << 31, HW: 1 << 29, group1: 1 << 28, EOI: 1 << 9 } as const;
const LR_STATE = 3;
const LR_STATE_SHIFT = 30;
const STATE_PENDING = 1;
const STATE_ACTIVE = 2;
const LR_PRIORITY_SHIFT = 16;
const LR_PINTID = 0x1fff;

/** ICH_MISR_EL2. */
const MISR = { EOI: 1, U: 2, LRENP: 4, NP: 8, VGrp0E: 16, VGrp0D: 32, VGrp1E: 64, VGrp1D: 128 } as const;

export const VIRTUAL_PRIORITY_BITS = 5;
export const VIRTUAL_PRIORITY_MASK = 0xf8;
const LEVEL_SHIFT = 8 - VIRTUAL_PRIORITY_BITS;
const MIN_VBPR0 = 7 - VIRTUAL_PRIORITY_BITS;
const MIN_VBPR1 = MIN_VBPR0 + 1;
const IDLE = 0x100;
const FIRST_SPECIAL = 1020;
const SGIS = 16;

/** What the virtual interfaces drive. */
export interface VirtualLines {
  setVirtual(core: number, irq: boolean, fiq: boolean): void;
  /** Level of the maintenance interrupt. */
  setMaintenance(core: number, level: boolean): void;
  /** Deactivates the physical interrupt of a list register whose HW bit is set. */
  deactivate(core: number, id: number): void;
}

interface Interface {
  hcr: number;
  vmcr: number;
  readonly apr: [number, number];
  readonly lrLo: number[];
  readonly lrHi: number[];
}

const lowestBit = (word: number): number => (word === 0 ? 32 : 31 - Math.clz32(word & -word));

export class VirtualInterfaces {
  readonly core: Interface[];
  private readonly driven: { irq: boolean; fiq: boolean; maintenance: boolean }[];

  /**
   * `version` 2: active priorities of both groups in one register, group 0 an FIQ only with VFIQEn, ends of interrupts by the
   * rules of GICV_EOIR.
   */
  constructor(
    cores: number,
    readonly version: 2 | 3,
    readonly listRegisters: number,
    private readonly lines: VirtualLines,
  ) {
    this.core = Array.from({ length: cores }, () => this.fresh());
    this.driven = Array.from({ length: cores }, () => ({ irq: false, fiq: false, maintenance: false }));
  }

  private fresh(): Interface {
    const vmcr = (MIN_VBPR0 << VBPR0_SHIFT) | (MIN_VBPR1 << VBPR1_SHIFT) | (this.version === 3 ? VMCR.VFIQEn : 0);
    const zeroes = (): number[] => new Array<number>(this.listRegisters).fill(0);
    return { hcr: 0, vmcr, apr: [0, 0], lrLo: zeroes(), lrHi: zeroes() };
  }

  resetCore(core: number): void {
    this.core[core] = this.fresh();
    this.update(core);
  }
  reset(): void {
    for (let core = 0; core < this.core.length; core++) this.resetCore(core);
  }

  // ---- hypervisor control ----

  /** Bits of ICH_HCR_EL2 beyond these are traps (GICv3). */
  setHcr(core: number, value: number, mask: number): void {
    this.core[core].hcr = (value & mask) >>> 0;
    this.update(core);
  }
  setVmcr(core: number, value: number): void {
    const point = (shift: number, least: number): number => Math.max((value >>> shift) & VBPR, least) << shift;
    const flags =
      VMCR.VENG0 | VMCR.VENG1 | VMCR.VCBPR | VMCR.VEOIM | (this.version === 2 ? VMCR.VAckCtl | VMCR.VFIQEn : 0);
    const fixed = this.version === 3 ? VMCR.VFIQEn : 0;
    const priority = (VIRTUAL_PRIORITY_MASK << VPMR_SHIFT) & value;
    this.core[core].vmcr =
      (priority | point(VBPR0_SHIFT, MIN_VBPR0) | point(VBPR1_SHIFT, MIN_VBPR1) | (value & flags) | fixed) >>> 0;
    this.update(core);
  }
  /** A field of the guest's interface changes: bits `mask << shift` of VMCR. */
  setVmcrField(core: number, shift: number, mask: number, value: number): void {
    const { vmcr } = this.core[core];
    this.setVmcr(core, ((vmcr & ~(mask << shift)) | ((value & mask) << shift)) >>> 0);
  }
  setApr(core: number, group: 0 | 1, value: number): void {
    this.core[core].apr[group] = value >>> 0;
    this.update(core);
  }
  setListRegister(core: number, n: number, hi: number, lo: number): void {
    const fields = LR.pending | LR.active | LR.HW | LR.group1 | LR_PINTID;
    this.core[core].lrHi[n] = (hi & (fields | (VIRTUAL_PRIORITY_MASK << LR_PRIORITY_SHIFT))) >>> 0;
    this.core[core].lrLo[n] = lo >>> 0;
    this.update(core);
  }

  private state(core: number, n: number): number {
    return this.core[core].lrHi[n] >>> LR_STATE_SHIFT;
  }
  private setState(core: number, n: number, state: number): void {
    const { lrHi } = this.core[core];
    lrHi[n] = ((lrHi[n] & ~(LR_STATE << LR_STATE_SHIFT)) | (state << LR_STATE_SHIFT)) >>> 0;
  }
  /** List registers for which `test` holds, a bit each. */
  private listBits(core: number, test: (hi: number, state: number) => boolean): number {
    let bits = 0;
    this.core[core].lrHi.forEach((hi, n) => {
      if (test(hi, hi >>> LR_STATE_SHIFT)) bits |= 1 << n;
    });
    return bits;
  }
  /** ICH_EISR_EL2: ended, and the maintenance interrupt was asked for. */
  eisr(core: number): number {
    return this.listBits(core, (hi, state) => state === 0 && (hi & LR.HW) === 0 && (hi & LR.EOI) !== 0);
  }
  /** ICH_ELRSR_EL2: free for another interrupt. */
  elrsr(core: number): number {
    return this.listBits(core, (hi, state) => state === 0 && ((hi & LR.HW) !== 0 || (hi & LR.EOI) === 0));
  }
  /** ICH_MISR_EL2: why the maintenance interrupt is asserted, if ICH_HCR_EL2.En is set. */
  misr(core: number): number {
    const { hcr, vmcr } = this.core[core];
    const valid = this.listBits(core, (_hi, state) => state !== 0);
    const pending = this.listBits(core, (_hi, state) => state === STATE_PENDING);
    const when = (enable: number, condition: boolean, bit: number): number => (hcr & enable && condition ? bit : 0);
    return (
      (this.eisr(core) !== 0 ? MISR.EOI : 0) |
      when(HCR.UIE, (valid & (valid - 1)) === 0, MISR.U) |
      when(HCR.LRENPIE, hcr >>> EOI_COUNT_SHIFT !== 0, MISR.LRENP) |
      when(HCR.NPIE, pending === 0, MISR.NP) |
      when(HCR.VGrp0EIE, (vmcr & VMCR.VENG0) !== 0, MISR.VGrp0E) |
      when(HCR.VGrp0DIE, (vmcr & VMCR.VENG0) === 0, MISR.VGrp0D) |
      when(HCR.VGrp1EIE, (vmcr & VMCR.VENG1) !== 0, MISR.VGrp1E) |
      when(HCR.VGrp1DIE, (vmcr & VMCR.VENG1) === 0, MISR.VGrp1D)
    );
  }

  // ---- the guest's interface ----

  bpr0(core: number): number {
    return (this.core[core].vmcr >>> VBPR0_SHIFT) & VBPR;
  }
  bpr1(core: number): number {
    return (this.core[core].vmcr >>> VBPR1_SHIFT) & VBPR;
  }
  setBpr0(core: number, value: number): void {
    this.setVmcrField(core, VBPR0_SHIFT, VBPR, value);
  }
  setBpr1(core: number, value: number): void {
    this.setVmcrField(core, VBPR1_SHIFT, VBPR, value);
  }
  pmr(core: number): number {
    return this.core[core].vmcr >>> VPMR_SHIFT;
  }
  setPmr(core: number, value: number): void {
    this.setVmcrField(core, VPMR_SHIFT, 0xff, value);
  }
  flag(core: number, bit: number): boolean {
    return (this.core[core].vmcr & bit) !== 0;
  }
  setFlags(core: number, mask: number, value: number): void {
    this.setVmcr(core, ((this.core[core].vmcr & ~mask) | (value & mask)) >>> 0);
  }

  priorityOf(core: number, n: number): number {
    return (this.core[core].lrHi[n] >>> LR_PRIORITY_SHIFT) & 0xff;
  }
  isGroup1(core: number, n: number): boolean {
    return (this.core[core].lrHi[n] & LR.group1) !== 0;
  }

  /** VGroupBits: the bits of a list register's priority that decide about preemption. */
  private groupMask(core: number, n: number): number {
    const common = !this.isGroup1(core, n) || this.flag(core, VMCR.VCBPR);
    const point = common ? this.bpr0(core) + 1 : this.bpr1(core);
    return ~((1 << point) - 1);
  }
  /** That part of its priority, which an acknowledge makes active. */
  groupPriority(core: number, n: number): number {
    return this.priorityOf(core, n) & this.groupMask(core, n);
  }

  /** Highest active virtual priority; 0x100 when none is. */
  private running(core: number): number {
    const { apr } = this.core[core];
    const level = lowestBit(apr[0] | apr[1]);
    return level === 32 ? IDLE : level << LEVEL_SHIFT;
  }
  /** ICV_RPR_EL1. */
  runningPriority(core: number): number {
    return Math.min(this.running(core), 0xff);
  }

  /** The list register with the highest priority pending virtual interrupt of an enabled group, or -1. */
  candidate(core: number): number {
    const { vmcr, lrHi } = this.core[core];
    let found = -1;
    let best = IDLE;
    for (let n = 0; n < lrHi.length; n++) {
      if (this.state(core, n) !== STATE_PENDING) continue;
      if ((vmcr & (this.isGroup1(core, n) ? VMCR.VENG1 : VMCR.VENG0)) === 0) continue;
      const priority = this.priorityOf(core, n);
      if (priority >= best) continue;
      best = priority;
      found = n;
    }
    return found;
  }
  /** CanSignalVirtualInterrupt: that list register if it passes the mask and preempts what runs, else -1. */
  signalled(core: number): number {
    if ((this.core[core].hcr & HCR.En) === 0) return -1;
    const n = this.candidate(core);
    if (n < 0 || this.priorityOf(core, n) >= this.pmr(core)) return -1;
    return this.groupPriority(core, n) < (this.running(core) & this.groupMask(core, n)) ? n : -1;
  }

  /** The interrupt of a list register becomes active; its INTID. */
  acknowledge(core: number, n: number): number {
    const cpu = this.core[core];
    const id = cpu.lrLo[n];
    if (id >= FIRST_SPECIAL && id <= 1023) this.setState(core, n, 0);
    else {
      const group = this.version === 3 && this.isGroup1(core, n) ? 1 : 0;
      cpu.apr[group] = (cpu.apr[group] | (1 << (this.groupPriority(core, n) >> LEVEL_SHIFT))) >>> 0;
      this.setState(core, n, STATE_ACTIVE);
    }
    this.update(core);
    return id;
  }

  /** Which group's priority runs: 0, 1 or -1 for none. */
  activeGroup(core: number): 0 | 1 | -1 {
    const { apr } = this.core[core];
    const [zero, one] = apr.map(lowestBit);
    return zero === 32 && one === 32 ? -1 : zero <= one ? 0 : 1;
  }
  /** The running priority drops; what it was. */
  dropPriority(core: number): number {
    const group = this.activeGroup(core);
    if (group === -1) return IDLE;
    const { apr } = this.core[core];
    const priority = this.running(core);
    apr[group] = (apr[group] & (apr[group] - 1)) >>> 0;
    return priority;
  }

  /** CPUID of a software interrupt (GICv2): the core that sent it. */
  sourceOf(core: number, n: number): number {
    const { lrHi, lrLo } = this.core[core];
    return lrLo[n] < SGIS && (lrHi[n] & LR.HW) === 0 ? lrHi[n] & 7 : 0;
  }
  /** The list register that holds an active interrupt, or -1. */
  findActive(core: number, id: number, source = 0): number {
    return this.core[core].lrLo.findIndex(
      (lo, n) =>
        lo === id &&
        (this.state(core, n) & STATE_ACTIVE) !== 0 &&
        (this.version === 3 || this.sourceOf(core, n) === source),
    );
  }
  /** VirtualDeactivate, of a list register; of one that is not there (-1) it is counted. */
  deactivate(core: number, n: number): void {
    const cpu = this.core[core];
    if (n < 0) {
      const count = ((cpu.hcr >>> EOI_COUNT_SHIFT) + 1) << EOI_COUNT_SHIFT;
      cpu.hcr = ((cpu.hcr & ~EOI_COUNT) | count) >>> 0;
    } else {
      this.setState(core, n, this.state(core, n) & ~STATE_ACTIVE);
      const id = cpu.lrHi[n] & 0x3ff;
      if ((cpu.lrHi[n] & LR.HW) !== 0 && id < FIRST_SPECIAL) this.lines.deactivate(core, id);
    }
    this.update(core);
  }

  /** Recomputes the core's lines. */
  update(core: number): void {
    const n = this.signalled(core);
    const fiq = n >= 0 && !this.isGroup1(core, n) && this.flag(core, VMCR.VFIQEn);
    const irq = n >= 0 && !fiq;
    const maintenance = (this.core[core].hcr & HCR.En) !== 0 && this.misr(core) !== 0;
    const driven = this.driven[core];
    if (irq !== driven.irq || fiq !== driven.fiq) {
      driven.irq = irq;
      driven.fiq = fiq;
      this.lines.setVirtual(core, irq, fiq);
    }
    if (maintenance !== driven.maintenance) {
      driven.maintenance = maintenance;
      this.lines.setMaintenance(core, maintenance);
    }
  }

  save(): readonly Interface[] {
    return this.core.map(copyOf);
  }
  load(saved: unknown): void {
    (saved as Interface[]).forEach((state, core) => {
      this.core[core] = copyOf(state);
      this.update(core);
    });
  }
}

const copyOf = (state: Interface): Interface => ({
  ...state,
  apr: [...state.apr],
  lrLo: [...state.lrLo],
  lrHi: [...state.lrHi],
});
