/**
 * GICv2 (Arm Generic Interrupt Controller Architecture Specification version 2.0): the state
 * that distributor and CPU interfaces share, and which interrupt each core is to take. Groups 0 and 1 exist; group 0 is
 * signalled as FIQ where GICC_CTLR.FIQEn says so. Lines are computed from state after every change. With the Security Extensions
 * Non-secure accesses see group 1 only, with priorities in the lower half (section 4.4 and 3.8 of the specification).
 */
import type { CoreLines } from './device';
import { IDLE_PRIORITY, InterruptMaps, SGIS } from './interruptMaps';

export const SPURIOUS = 1023;
/** Read instead of a group 1 interrupt where GICC_CTLR.AckCtl is 0. */
export const SPURIOUS_GROUP1 = 1022;
export const MAX_GIC_CORES = 8;

export const CTLR_GROUP0 = 1;
export const CTLR_GROUP1 = 2;
const CTLR_ACKCTL = 4;
const CTLR_FIQEN = 8;
const CTLR_CBPR = 16;
const CTLR_EOIMODE = 1 << 9;
export const CPU_CTLR_MASK = CTLR_GROUP0 | CTLR_GROUP1 | CTLR_ACKCTL | CTLR_FIQEN | CTLR_CBPR | CTLR_EOIMODE;
export const MIN_BPR = 0;
export const MIN_ABPR = 1;

/** A priority as Non-secure software sees it: the lower half of the range, spread over all of it; 0 for the upper half. */
export const nonSecureView = (priority: number): number => (priority >= 0x80 ? (priority << 1) & 0xff : 0);
/** What GICD_IPRIORITYR shows Non-secure software of a group 1 interrupt, wherever Secure software put it. */
export const shiftedPriority = (priority: number): number => (priority << 1) & 0xff;
/** What Non-secure software's priority means. */
export const fromNonSecure = (value: number): number => (value >> 1) | 0x80;

const bitMaps = ['group', 'enabled', 'latched', 'level', 'active', 'edge'] as const;
export type BitMap = (typeof bitMaps)[number];

/** The CPU interface of one core. */
interface CpuInterface {
  ctlr: number;
  pmr: number;
  bpr: number;
  abpr: number;
  /** Active priorities: bit n of the 128 is preemption level n. */
  readonly apr: Uint32Array;
}

interface GicState {
  readonly ctlr: number;
  readonly maps: Record<BitMap, number[]>;
  readonly priority: readonly number[];
  readonly targets: readonly number[];
  readonly sgiSources: readonly number[];
  readonly cpu: readonly { ctlr: number; pmr: number; bpr: number; abpr: number; apr: readonly number[] }[];
}

export class GicV2 extends InterruptMaps<BitMap> {
  ctlr = 0;
  /** Target cores of shared interrupts, by id. */
  readonly targets: Uint8Array;
  /** Cores that have sent software interrupt `id` to `core`: [core * 16 + id]. */
  readonly sgiSources: Uint8Array;
  readonly cpu: readonly CpuInterface[];
  private readonly irq: boolean[];
  private readonly fiq: boolean[];

  constructor(
    cores: number,
    interrupts: number,
    private readonly lines: CoreLines,
    /** Is this core's access Non-secure? Absent: no Security Extensions, every access sees everything. */
    readonly nonSecure?: (core: number) => boolean,
  ) {
    super(cores, interrupts, bitMaps);
    this.targets = new Uint8Array(interrupts);
    this.sgiSources = new Uint8Array(cores * SGIS);
    this.cpu = Array.from({ length: cores }, () => ({ ctlr: 0, pmr: 0, bpr: 0, abpr: 0, apr: new Uint32Array(4) }));
    this.irq = new Array<boolean>(cores).fill(false);
    this.fiq = new Array<boolean>(cores).fill(false);
    this.reset();
  }

  /** Everything but the input levels, which are the devices'. */
  reset(): void {
    this.ctlr = 0;
    for (const name of bitMaps) if (name !== 'level') this.maps[name].fill(0);
    for (let core = 0; core < this.cores; core++) {
      this.maps.enabled[core] = 0xffff;
      this.maps.edge[core] = 0xffff;
    }
    this.priority.fill(0);
    this.targets.fill(this.cores === 1 ? 1 : 0);
    this.sgiSources.fill(0);
    for (const cpu of this.cpu) {
      Object.assign(cpu, { ctlr: 0, pmr: 0, bpr: MIN_BPR, abpr: MIN_ABPR });
      cpu.apr.fill(0);
    }
    this.update();
  }

  /** Whether an access of `core` gets the Non-secure view. */
  hides(core: number): boolean {
    return this.nonSecure?.(core) === true;
  }

  /** Whether an access of `core` may see an interrupt at all. */
  sees(core: number, id: number): boolean {
    return !this.hides(core) || this.bit('group', core, id);
  }

  /** GICD_SGIR: software interrupt `id` from one core to a set of cores. */
  sendSgi(from: number, id: number, targets: number): void {
    for (let core = 0; core < this.cores; core++) if (((targets >> core) & 1) === 1) this.setSgi(core, id, 1 << from);
    this.update();
  }

  setSgi(core: number, id: number, sources: number): void {
    this.sgiSources[core * SGIS + id] |= sources;
    if (this.sgiSources[core * SGIS + id] !== 0) this.setBit('latched', core, id, true);
  }

  clearSgi(core: number, id: number, sources: number): void {
    this.sgiSources[core * SGIS + id] &= ~sources;
    if (this.sgiSources[core * SGIS + id] === 0) this.setBit('latched', core, id, false);
  }

  /** Bits of a priority that decide about preemption. */
  private groupPriority(core: number, id: number, priority: number): number {
    const { ctlr, bpr, abpr } = this.cpu[core];
    const common = (ctlr & CTLR_CBPR) !== 0 || !this.bit('group', core, id);
    const low = common ? bpr + 1 : abpr;
    return priority & ~((1 << low) - 1);
  }

  /** Running priority: the highest active one, 0x100 when none is. */
  private runningLevel(core: number): number {
    const { apr } = this.cpu[core];
    for (let i = 0; i < 4; i++) if (apr[i] !== 0) return (i * 32 + 31 - Math.clz32(apr[i] & -apr[i])) * 2;
    return IDLE_PRIORITY;
  }

  /** GICC_RPR. */
  runningPriority(core: number): number {
    return Math.min(this.runningLevel(core), 0xff);
  }

  /** The enabled pending interrupt of the highest priority for a core, and that priority; id -1 if there is none. */
  private best(core: number): { id: number; priority: number } {
    const { enabled, active, group } = this.maps;
    let id = -1;
    let priority = IDLE_PRIORITY;
    for (let index = 0; index < this.interrupts / 32; index++) {
      const word = this.wordOf(core, index * 32);
      const on =
        ((this.ctlr & CTLR_GROUP0) !== 0 ? ~group[word] : 0) | ((this.ctlr & CTLR_GROUP1) !== 0 ? group[word] : 0);
      let bits = this.pendingWord(word) & enabled[word] & ~active[word] & on;
      while (bits !== 0) {
        const n = 31 - Math.clz32(bits & -bits);
        bits &= bits - 1;
        const candidate = index * 32 + n;
        if (candidate >= 32 && ((this.targets[candidate] >> core) & 1) === 0) continue;
        const value = this.priority[word * 32 + n];
        if (value < priority) {
          priority = value;
          id = candidate;
        }
      }
    }
    return { id, priority };
  }

  /** Highest priority pending interrupt whose group the CPU interface lets through, or -1: what GICC_HPPIR is about. */
  private candidate(core: number): { id: number; priority: number } {
    const best = this.best(core);
    if (best.id < 0) return best;
    const enable = this.bit('group', core, best.id) ? CTLR_GROUP1 : CTLR_GROUP0;
    return (this.cpu[core].ctlr & enable) === 0 ? { id: -1, priority: IDLE_PRIORITY } : best;
  }

  /** The interrupt to be signalled now: above the mask, and able to preempt what runs. */
  private signalled(core: number): number {
    const { id, priority } = this.candidate(core);
    if (id < 0 || priority >= this.cpu[core].pmr) return -1;
    return this.groupPriority(core, id, priority) < this.runningLevel(core) ? id : -1;
  }

  update(): void {
    for (let core = 0; core < this.cores; core++) {
      const id = this.signalled(core);
      const asFiq = id >= 0 && !this.bit('group', core, id) && (this.cpu[core].ctlr & CTLR_FIQEN) !== 0;
      const irq = id >= 0 && !asFiq;
      if (irq !== this.irq[core]) {
        this.irq[core] = irq;
        this.lines.setIrq(core, irq);
      }
      if (asFiq !== this.fiq[core]) {
        this.fiq[core] = asFiq;
        this.lines.setFiq(core, asFiq);
      }
    }
  }

  /** An id as GICC_IAR and GICC_HPPIR (`alias` false) or their group 1 aliases show it. */
  private visible(core: number, id: number, alias: boolean): number {
    if (id < 0) return SPURIOUS;
    const group1 = this.bit('group', core, id);
    if (alias) return group1 ? id : SPURIOUS;
    return group1 && (this.cpu[core].ctlr & CTLR_ACKCTL) === 0 ? SPURIOUS_GROUP1 : id;
  }

  private sourceOf(core: number, id: number): number {
    if (id >= SGIS) return 0;
    const sources = this.sgiSources[core * SGIS + id];
    return sources === 0 ? 0 : 31 - Math.clz32(sources & -sources);
  }

  /** What reading GICC_HPPIR (GICC_AHPPIR) gives. */
  highestPending(core: number, alias: boolean): number {
    const id = this.visible(core, this.candidate(core).id, alias);
    return id >= SPURIOUS_GROUP1 ? id : id | (this.sourceOf(core, id) << 10);
  }

  /** What reading GICC_IAR (GICC_AIAR) would give, without doing it. */
  peekAcknowledge(core: number, alias: boolean): number {
    const id = this.visible(core, this.signalled(core), alias);
    return id >= SPURIOUS_GROUP1 ? id : id | (this.sourceOf(core, id) << 10);
  }

  /** Reads GICC_IAR or GICC_AIAR: the interrupt becomes active. */
  acknowledge(core: number, alias: boolean): number {
    const value = this.peekAcknowledge(core, alias);
    const id = value & 0x3ff;
    if (id >= SPURIOUS_GROUP1) return value;
    const level = this.groupPriority(core, id, this.priority[this.slotOf(core, id)]) >> 1;
    this.cpu[core].apr[level >> 5] |= 1 << (level & 31);
    if (id < SGIS) this.clearSgi(core, id, 1 << (value >> 10));
    else this.setBit('latched', core, id, false);
    this.setBit('active', core, id, true);
    this.update();
    return value;
  }

  /** Writes GICC_EOIR (GICC_AEOIR): the running priority drops; without EOImode the interrupt becomes inactive too. */
  endOfInterrupt(core: number, value: number, alias: boolean): void {
    const id = value & 0x3ff;
    if (id >= this.interrupts || (alias && !this.bit('group', core, id))) return;
    const { apr, ctlr } = this.cpu[core];
    const word = apr.findIndex((bits) => bits !== 0);
    if (word >= 0) apr[word] &= apr[word] - 1;
    if ((ctlr & CTLR_EOIMODE) === 0) this.setBit('active', core, id, false);
    this.update();
  }

  /** Writes GICC_DIR. Without EOImode that is UNPREDICTABLE; here it does nothing. */
  deactivate(core: number, value: number): void {
    const id = value & 0x3ff;
    if (id >= this.interrupts || (this.cpu[core].ctlr & CTLR_EOIMODE) === 0) return;
    this.setBit('active', core, id, false);
    this.update();
  }

  /** A list register of a virtual CPU interface ends a physical interrupt, as a Non-secure GICC_DIR would. */
  deactivateFor(core: number, id: number): void {
    const secure = this.nonSecure !== undefined && !this.bit('group', core, id);
    if (id >= this.interrupts || secure) return;
    this.setBit('active', core, id, false);
    this.update();
  }

  save(): GicState {
    return {
      ctlr: this.ctlr,
      maps: this.saveMaps(),
      priority: [...this.priority],
      targets: [...this.targets],
      sgiSources: [...this.sgiSources],
      cpu: this.cpu.map((cpu) => ({ ...cpu, apr: [...cpu.apr] })),
    };
  }

  load(state: unknown): void {
    const { ctlr, maps, priority, targets, sgiSources, cpu } = state as GicState;
    this.ctlr = ctlr;
    this.loadMaps(maps);
    this.priority.set(priority);
    this.targets.set(targets);
    this.sgiSources.set(sgiSources);
    cpu.forEach(({ apr, ...rest }, core) => {
      Object.assign(this.cpu[core], rest);
      this.cpu[core].apr.set(apr);
    });
    this.update();
  }
}
