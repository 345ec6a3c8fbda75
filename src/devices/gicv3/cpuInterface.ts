/**
 * The GICv3 CPU interfaces: the state behind ICC_* and what acknowledging, ending and signalling do. Names of functions in
 * comments are those of the specification's pseudocode. Priorities have 5 bits, all of them for preemption.
 *
 * Registers of group 1 are banked by Security state; in a single Security state the Non-secure bank (Group.one) is the one.
 */
import { nonSecureView } from '../gicv2';
import { IDLE_PRIORITY } from '../interruptMaps';
import { type CpuInterfacePort, type GicV3, Group } from './gicv3';

export const PRIORITY_BITS = 5;
export const PRIORITY_MASK = 0xf8;
const LEVEL_SHIFT = 8 - PRIORITY_BITS;
/** Smallest ICC_BPR0_EL1 and Secure ICC_BPR1_EL1; the Non-secure one's is one more. */
export const MIN_BPR = 7 - PRIORITY_BITS;

/** Special INTIDs: pending, but for the other Security state; no interrupt. */
export const INTID = { secure: 1020, nonSecure: 1021, spurious: 1023 } as const;

/** ICC_CTLR_EL1, ICC_CTLR_EL3 and ICV_CTLR_EL1: PRIbits, IDbits (24), A3V; and in ICC_CTLR_EL3 nDS. */
export const CTLR_FIXED = ((PRIORITY_BITS - 1) << 8) | (1 << 11) | (1 << 15);
const CTLR_CBPR = 1;
const CTLR_EOIMODE = 2;
const CTLR3 = { CBPR_EL1S: 1, CBPR_EL1NS: 2, EOImode_EL3: 4, EOImode_EL1S: 8, EOImode_EL1NS: 16 } as const;
const NO_DS = 1 << 17;

/** One core's interface. Arrays are by Group. */
interface CpuInterface {
  pmr: number;
  readonly bpr: [number, number, number];
  /** Active priorities, a bit a level. */
  readonly apr: [number, number, number];
  readonly enabled: [number, number, number];
  /** CBPR and EOImode of ICC_CTLR_EL1, Secure (0) and Non-secure (1). */
  readonly ctlr: [number, number];
  eoiMode3: number;
}

const fresh = (): CpuInterface => ({
  pmr: 0,
  bpr: [MIN_BPR, MIN_BPR, MIN_BPR + 1],
  apr: [0, 0, 0],
  enabled: [0, 0, 0],
  ctlr: [0, 0],
  eoiMode3: 0,
});

export class GicV3CpuInterfaces implements CpuInterfacePort {
  readonly cpu: CpuInterface[];
  private readonly irq: boolean[];
  private readonly fiq: boolean[];

  constructor(readonly gic: GicV3) {
    this.cpu = Array.from({ length: gic.cores }, fresh);
    this.irq = new Array<boolean>(gic.cores).fill(false);
    this.fiq = new Array<boolean>(gic.cores).fill(false);
    gic.attach(this);
  }

  reset(): void {
    for (let core = 0; core < this.gic.cores; core++) this.resetCore(core);
  }
  /** A core's reset resets its interface. */
  resetCore(core: number): void {
    this.cpu[core] = fresh();
    this.update(core);
  }

  // ---- where a core is ----

  atEl3(core: number): boolean {
    return this.gic.sight.el(core) === 3;
  }
  /** Accesses to banked registers are those of Secure software. */
  secure(core: number): boolean {
    return this.gic.security && !this.gic.singleState && this.gic.sight.secureBank(core);
  }
  /** Group 1 of the core's Security state. */
  ownGroup1(core: number): Group {
    return this.secure(core) ? Group.oneSecure : Group.one;
  }
  /** Non-secure software that sees priorities of the lower half only. */
  nonSecurePriorities(core: number): boolean {
    const { gic } = this;
    return gic.security && !gic.sight.secure(core) && gic.sight.fiqToEl3(core);
  }

  // ---- priorities ----

  private ctlrOf(core: number, group: Group): number {
    return this.cpu[core].ctlr[group === Group.oneSecure ? 0 : 1];
  }

  /** GroupBits: the bits of a priority that decide about preemption. */
  private groupMask(core: number, group: Group): number {
    const { bpr } = this.cpu[core];
    const common = group === Group.zero || (this.ctlrOf(core, group) & CTLR_CBPR) !== 0;
    const point = common ? bpr[0] + 1 : group === Group.oneSecure ? bpr[1] + 1 : bpr[2];
    return ~((1 << point) - 1);
  }

  private activeGroup(core: number): Group | -1 {
    const { apr } = this.cpu[core];
    const lowest = Math.min(...apr.map(lowestBit));
    return lowest === 32 ? -1 : (apr.findIndex((bits) => lowestBit(bits) === lowest) as Group);
  }

  /** GetHighestActivePriority: 0x100 when none is. */
  private running(core: number): number {
    const { apr } = this.cpu[core];
    const level = lowestBit(apr[0] | apr[1] | apr[2]);
    return level === 32 ? IDLE_PRIORITY : level << LEVEL_SHIFT;
  }

  /** ICC_RPR_EL1. */
  runningPriority(core: number): number {
    const running = this.running(core);
    if (running === IDLE_PRIORITY) return 0xff;
    return this.nonSecurePriorities(core) ? nonSecureView(running) : running;
  }

  // ---- what is pending ----

  /** The highest priority pending interrupt whose group the interface lets through, or -1. */
  private candidate(core: number): number {
    const id = this.gic.highestPending(core);
    return id >= 0 && this.cpu[core].enabled[this.gic.groupOf(core, id)] !== 0 ? id : -1;
  }

  /** CanSignalInterrupt: above the mask, and able to preempt what runs; or -1. */
  private signalled(core: number): number {
    const id = this.candidate(core);
    if (id < 0) return -1;
    const { gic } = this;
    const priority = gic.priority[gic.slotOf(core, id)];
    if (priority >= this.cpu[core].pmr) return -1;
    const mask = this.groupMask(core, gic.groupOf(core, id));
    return (priority & mask) < (this.running(core) & mask) ? id : -1;
  }

  /** Group 0, and group 1 of the other Security state, is an FIQ; EL3 takes both groups 1 as such. */
  private asFiq(core: number, id: number): boolean {
    const group = this.gic.groupOf(core, id);
    if (group === Group.zero) return true;
    if (this.gic.singleState) return false;
    if (this.atEl3(core)) return true;
    return (group === Group.oneSecure) !== this.gic.sight.secure(core);
  }

  update(core: number): void {
    const id = this.signalled(core);
    const fiq = id >= 0 && this.asFiq(core, id);
    const irq = id >= 0 && !fiq;
    if (irq !== this.irq[core]) {
      this.irq[core] = irq;
      this.gic.lines.setIrq(core, irq);
    }
    if (fiq !== this.fiq[core]) {
      this.fiq[core] = fiq;
      this.gic.lines.setFiq(core, fiq);
    }
  }

  // ---- acknowledge and end ----

  /** What ICC_IAR0_EL1 and ICC_HPPIR0_EL1 make of an interrupt. */
  private visible0(core: number, id: number): number {
    if (id < 0) return INTID.spurious;
    const { gic } = this;
    const group = gic.groupOf(core, id);
    if (group === Group.zero) return gic.hides(core) ? INTID.spurious : id;
    if (!this.atEl3(core)) return INTID.spurious;
    // Tells EL3 that a group 1 interrupt of a Security state is pending.
    return group === Group.oneSecure && !gic.singleState ? INTID.secure : INTID.nonSecure;
  }
  /** What ICC_IAR1_EL1 and ICC_HPPIR1_EL1 make of it: EL3 sees both Security states' group 1. */
  private visible1(core: number, id: number): number {
    if (id < 0) return INTID.spurious;
    const group = this.gic.groupOf(core, id);
    if (group === Group.zero) return INTID.spurious;
    return this.atEl3(core) || group === this.stateGroup1(core) ? id : INTID.spurious;
  }
  /** Group 1 of the Security state of the current level. */
  stateGroup1(core: number): Group {
    return !this.gic.singleState && this.gic.sight.secure(core) ? Group.oneSecure : Group.one;
  }

  highestPending(core: number, group1: boolean): number {
    const id = this.candidate(core);
    return group1 ? this.visible1(core, id) : this.visible0(core, id);
  }
  /** What reading ICC_IAR<n>_EL1 would give, without doing it. */
  peekAcknowledge(core: number, group1: boolean): number {
    const id = this.signalled(core);
    return group1 ? this.visible1(core, id) : this.visible0(core, id);
  }
  acknowledge(core: number, group1: boolean): number {
    const id = this.peekAcknowledge(core, group1);
    if (id >= INTID.secure) return id;
    const { gic } = this;
    const group = gic.groupOf(core, id);
    const level = (gic.priority[gic.slotOf(core, id)] & this.groupMask(core, group)) >> LEVEL_SHIFT;
    this.cpu[core].apr[group] = (this.cpu[core].apr[group] | (1 << level)) >>> 0;
    gic.activate(core, id);
    return id;
  }

  /** EOImode as it holds for the current level. */
  private splits(core: number): boolean {
    if (this.atEl3(core)) return this.cpu[core].eoiMode3 !== 0;
    return (this.cpu[core].ctlr[this.secure(core) ? 0 : 1] & CTLR_EOIMODE) !== 0;
  }

  /** ICC_EOIR<n>_EL1: the running priority drops if the register is that of its group; the interrupt ends with EOImode 0. */
  endOfInterrupt(core: number, id: number, group1: boolean): void {
    if (id >= this.gic.interrupts) return;
    const group = this.activeGroup(core);
    if (group === -1 || group1 !== (group !== Group.zero)) return;
    if (group === Group.zero ? this.gic.hides(core) : !this.atEl3(core) && group !== this.stateGroup1(core)) return;
    const { apr } = this.cpu[core];
    apr[group] &= apr[group] - 1;
    if (this.splits(core)) this.update(core);
    else this.gic.deactivate(core, id);
  }

  /** ICC_DIR_EL1. With EOImode 0 that is UNPREDICTABLE; here it does nothing. */
  deactivate(core: number, id: number): void {
    if (id >= this.gic.interrupts || !this.splits(core)) return;
    if (this.gic.hides(core) && this.gic.groupOf(core, id) !== Group.one) return;
    this.gic.deactivate(core, id);
  }

  // ---- ICC_CTLR_EL1 and ICC_CTLR_EL3 ----

  ctlr(core: number): number {
    return CTLR_FIXED | this.cpu[core].ctlr[this.secure(core) ? 0 : 1];
  }
  /** Where EL3 has ICC_CTLR_EL3, CBPR is its alone. */
  setCtlr(core: number, value: number): void {
    const { ctlr } = this.cpu[core];
    const bank = this.secure(core) ? 0 : 1;
    const mask = this.gic.security && !this.gic.singleState ? CTLR_EOIMODE : CTLR_EOIMODE | CTLR_CBPR;
    ctlr[bank] = (ctlr[bank] & ~mask) | (value & mask);
    this.update(core);
  }
  ctlr3(core: number): number {
    const { ctlr, eoiMode3 } = this.cpu[core];
    return (
      CTLR_FIXED |
      NO_DS |
      (ctlr[0] & CTLR_CBPR ? CTLR3.CBPR_EL1S : 0) |
      (ctlr[1] & CTLR_CBPR ? CTLR3.CBPR_EL1NS : 0) |
      (eoiMode3 ? CTLR3.EOImode_EL3 : 0) |
      (ctlr[0] & CTLR_EOIMODE ? CTLR3.EOImode_EL1S : 0) |
      (ctlr[1] & CTLR_EOIMODE ? CTLR3.EOImode_EL1NS : 0)
    );
  }
  setCtlr3(core: number, value: number): void {
    const cpu = this.cpu[core];
    const bank = (cbpr: number, eoiMode: number): number =>
      (value & cbpr ? CTLR_CBPR : 0) | (value & eoiMode ? CTLR_EOIMODE : 0);
    cpu.ctlr[0] = bank(CTLR3.CBPR_EL1S, CTLR3.EOImode_EL1S);
    cpu.ctlr[1] = bank(CTLR3.CBPR_EL1NS, CTLR3.EOImode_EL1NS);
    cpu.eoiMode3 = value & CTLR3.EOImode_EL3;
    this.update(core);
  }

  /** ICC_BPR1_EL1 is ICC_BPR0_EL1 below EL3 while CBPR is set: one more for Non-secure software, which cannot write it. */
  bpr1(core: number): number {
    const { bpr } = this.cpu[core];
    const group = this.ownGroup1(core);
    if (!this.isCommon(core, group)) return bpr[group];
    return group === Group.oneSecure ? bpr[0] : Math.min(bpr[0] + 1, 7);
  }
  private isCommon(core: number, group: Group): boolean {
    return !this.atEl3(core) && (this.ctlrOf(core, group) & CTLR_CBPR) !== 0;
  }
  setBpr1(core: number, value: number): void {
    const group = this.ownGroup1(core);
    const common = this.isCommon(core, group);
    if (common && group === Group.one) return;
    this.setBpr(core, common ? Group.zero : group, value);
  }
  setBpr(core: number, group: Group, value: number): void {
    this.cpu[core].bpr[group] = Math.max(value & 7, group === Group.one ? MIN_BPR + 1 : MIN_BPR);
    this.update(core);
  }

  // ---- software interrupts ----

  /**
   * ICC_SGI0R_EL1, ICC_SGI1R_EL1 and ICC_ASGI1R_EL1: the cores of Aff3.Aff2.Aff1 whose Aff0 is in TargetList; with IRM all but
   * this one. Range selection (RS) is not supported, as ICC_CTLR_EL1.RSS says.
   */
  sendSgi(core: number, hi: number, lo: number, group: Group): void {
    const { gic } = this;
    const id = (lo >>> 24) & 15;
    const nonSecure = !gic.sight.secure(core);
    const everyOther = ((hi >>> 8) & 1) === 1;
    const cluster = (((lo >>> 16) & 0xff) | ((hi & 0xff) << 8) | (((hi >>> 16) & 0xff) << 16)) >>> 0;
    for (let target = 0; target < gic.cores; target++) {
      const affinity = gic.sight.affinity(target);
      const aff0 = affinity & 0xff;
      const inList = aff0 < 16 && ((lo >>> aff0) & 1) === 1;
      const wanted = everyOther ? target !== core : affinity >>> 8 === cluster && inList;
      if (wanted) gic.sendSgi(target, id, group, nonSecure);
    }
    gic.update();
  }

  /** GICD_CTLR.EnableGrp1S and EnableGrp1NS are not among these: ICC_IGRPEN<n>_EL1 of the core alone. */
  enable(core: number, group: Group, on: boolean): void {
    this.cpu[core].enabled[group] = on ? 1 : 0;
    this.update(core);
  }

  save(): unknown {
    return this.cpu.map((cpu) => copyOf(cpu));
  }
  load(state: unknown): void {
    (state as CpuInterface[]).forEach((cpu, core) => {
      this.cpu[core] = copyOf(cpu);
      this.update(core);
    });
  }
}

const copyOf = (cpu: CpuInterface): CpuInterface => ({
  ...cpu,
  bpr: [...cpu.bpr],
  apr: [...cpu.apr],
  enabled: [...cpu.enabled],
  ctlr: [...cpu.ctlr],
});

/** Number of the lowest set bit of a word, 32 if it is zero. */
export const lowestBit = (word: number): number => (word === 0 ? 32 : 31 - Math.clz32(word & -word));
