/**
 * GICv3 (Arm Generic Interrupt Controller Architecture Specification, GIC architecture version 3.0, affinity routing always
 * on): what distributor, redistributors and CPU interfaces share, and which interrupt each core has pending. No LPIs, no ITS,
 * no legacy operation: ICC_SRE_ELx.SRE reads as one.
 */
import type { CoreLines } from '../device';
import { IDLE_PRIORITY, InterruptMaps } from '../interruptMaps';

/** Interrupt groups, as indexes of the banks of CPU interface registers. In a single Security state group 1 is Group.one. */
export const Group = { zero: 0, oneSecure: 1, one: 2 } as const;
export type Group = (typeof Group)[keyof typeof Group];

export const GICD_CTLR = { group0: 1, group1: 2, group1Secure: 4, DS: 0x40 } as const;
/** GICD_CTLR's enable of a group, by group. */
const groupEnable = [GICD_CTLR.group0, GICD_CTLR.group1Secure, GICD_CTLR.group1] as const;
/** GICD_CTLR.ARE_S, and ARE_NS where there are two Security states: always one. */
const ARE = 0x10;
const ARE_NS = 0x20;
/** GICD_IROUTER<n>.Interrupt_Routing_Mode: any core. */
const ANY_CORE = 0x8000_0000;
const AFFINITY = 0x00ff_ffff;

const bitMaps = ['group', 'modifier', 'enabled', 'latched', 'level', 'active', 'edge'] as const;
export type BitMap = (typeof bitMaps)[number];

/** What the interrupt controller sees of a core. */
export interface CoreSight {
  el(core: number): number;
  /** Security state of the current level. */
  secure(core: number): boolean;
  /** Security state by which registers are banked: at EL3 that of SCR_EL3.NS. */
  secureBank(core: number): boolean;
  /** MPIDR_EL1's Aff3.Aff2.Aff1.Aff0 as 32 bits. */
  affinity(core: number): number;
  /** SCR_EL3.FIQ: Non-secure software has the Non-secure view of priorities. */
  fiqToEl3(core: number): boolean;
}

/** A CPU interface, told when what is pending changed. */
export interface CpuInterfacePort {
  update(core: number): void;
}

export interface GicV3Options {
  readonly cores: number;
  readonly interrupts: number;
  readonly lines: CoreLines;
  readonly sight: CoreSight;
  /** Two Security states (EL3 is implemented). */
  readonly security: boolean;
}

interface GicState {
  readonly ctlr: number;
  readonly maps: Record<BitMap, number[]>;
  readonly priority: readonly number[];
  readonly nonSecureAccess: readonly number[];
  readonly router: readonly number[];
  readonly waker: readonly number[];
}

export class GicV3 extends InterruptMaps<BitMap> {
  readonly security: boolean;
  readonly sight: CoreSight;
  /** GICD_NSACR and GICR_NSACR, two bits by slot. */
  readonly nonSecureAccess: Uint8Array;
  /** GICD_IROUTER<n>, lower and upper word, by id. */
  readonly router: Uint32Array;
  /** GICR_WAKER.ProcessorSleep by core. */
  readonly asleep: Uint8Array;
  /** GICD_CTLR's group enables and DS. */
  private control = 0;
  /** Core that a shared interrupt goes to, by id; -1 for none. */
  private readonly target: Int8Array;
  private ports: CpuInterfacePort[] = [];

  constructor(private readonly options: GicV3Options) {
    const { cores, interrupts } = options;
    super(cores, interrupts, bitMaps);
    this.security = options.security;
    this.sight = options.sight;
    this.nonSecureAccess = new Uint8Array(this.priority.length);
    this.router = new Uint32Array(interrupts * 2);
    this.target = new Int8Array(interrupts);
    this.asleep = new Uint8Array(cores);
    this.reset();
  }

  get lines(): CoreLines {
    return this.options.lines;
  }

  /** CPU interfaces hear of changes by this. */
  attach(port: CpuInterfacePort): void {
    this.ports.push(port);
  }

  /** Everything but the input levels, which are the devices'. */
  reset(): void {
    this.control = this.security ? 0 : GICD_CTLR.DS;
    for (const name of bitMaps) if (name !== 'level') this.maps[name].fill(0);
    this.maps.edge.fill(0xffff, 0, this.cores);
    this.priority.fill(0);
    this.nonSecureAccess.fill(0);
    this.router.fill(0);
    this.target.fill(0);
    this.asleep.fill(1);
    this.update();
  }

  // ---- GICD_CTLR ----

  /** One Security state: GICD_CTLR.DS. */
  get singleState(): boolean {
    return (this.control & GICD_CTLR.DS) !== 0;
  }

  /** GICD_CTLR as Secure software (or the only Security state) reads it. */
  get ctlr(): number {
    return this.control | ARE | (this.singleState ? 0 : ARE_NS);
  }
  /** DS can be set but not cleared; setting it makes Secure group 1 part of no Security state. */
  set ctlr(value: number) {
    const enables = this.singleState
      ? GICD_CTLR.group0 | GICD_CTLR.group1
      : GICD_CTLR.group0 | GICD_CTLR.group1 | GICD_CTLR.group1Secure;
    this.control = (this.control & GICD_CTLR.DS) | (value & (enables | GICD_CTLR.DS));
    if (this.singleState) this.control &= ~GICD_CTLR.group1Secure;
    this.update();
  }
  /** The Non-secure view: group 1's enable as EnableGrp1A, ARE_NS as bit 4. */
  get nonSecureCtlr(): number {
    return (this.control & GICD_CTLR.group1) | ARE;
  }
  set nonSecureCtlr(value: number) {
    this.control = (this.control & ~GICD_CTLR.group1) | (value & GICD_CTLR.group1);
    this.update();
  }

  /** Whether an access of `core` gets the Non-secure view. */
  hides(core: number): boolean {
    return !this.singleState && !this.sight.secure(core);
  }

  // ---- interrupts ----

  groupOf(core: number, id: number): Group {
    if (this.bit('group', core, id)) return Group.one;
    return !this.singleState && this.bit('modifier', core, id) ? Group.oneSecure : Group.zero;
  }

  /** GICD_IROUTER<n> was written. Any core: the first one. */
  route(id: number): void {
    const low = this.router[id * 2];
    const core = (low & ANY_CORE) !== 0 ? 0 : low & AFFINITY;
    this.target[id] = this.router[id * 2 + 1] === 0 && core < this.cores ? core : -1;
    this.update();
  }

  /** The enabled pending interrupt of the highest priority for a core, or -1. */
  highestPending(core: number): number {
    const { enabled, active } = this.maps;
    let found = -1;
    let best = IDLE_PRIORITY;
    for (let index = 0; index < this.interrupts / 32; index++) {
      const word = this.wordOf(core, index * 32);
      let bits = this.pendingWord(word) & enabled[word] & ~active[word];
      while (bits !== 0) {
        const n = 31 - Math.clz32(bits & -bits);
        bits &= bits - 1;
        const id = index * 32 + n;
        const priority = this.priority[word * 32 + n];
        if (priority >= best || (id >= 32 && this.target[id] !== core)) continue;
        if ((this.control & groupEnable[this.groupOf(core, id)]) === 0) continue;
        best = priority;
        found = id;
      }
    }
    return found;
  }

  /** An acknowledge: active, and no longer pending unless the level asks for it. */
  activate(core: number, id: number): void {
    this.setBit('latched', core, id, false);
    this.setBit('active', core, id, true);
    this.update();
  }
  deactivate(core: number, id: number): void {
    if (id >= this.interrupts) return;
    this.setBit('active', core, id, false);
    this.update();
  }

  /** A software interrupt for `core`, if its configuration there lets the sender's group and Security state. */
  sendSgi(core: number, id: number, group: Group, nonSecure: boolean): void {
    const configured = this.groupOf(core, id);
    // A request for Secure group 1 also reaches what is configured as group 0.
    if (configured !== group && !(group === Group.oneSecure && configured === Group.zero)) return;
    if (nonSecure && !this.singleState && configured !== Group.one) {
      const needed = configured === Group.zero ? 1 : 2;
      if (this.nonSecureAccess[this.slotOf(core, id)] < needed) return;
    }
    this.setBit('latched', core, id, true);
  }

  update(): void {
    for (const port of this.ports) for (let core = 0; core < this.cores; core++) port.update(core);
  }

  save(): GicState {
    return {
      ctlr: this.control,
      maps: this.saveMaps(),
      priority: [...this.priority],
      nonSecureAccess: [...this.nonSecureAccess],
      router: [...this.router],
      waker: [...this.asleep],
    };
  }

  load(saved: unknown): void {
    const { ctlr, maps, priority, nonSecureAccess, router, waker } = saved as GicState;
    this.control = ctlr;
    this.loadMaps(maps);
    this.priority.set(priority);
    this.nonSecureAccess.set(nonSecureAccess);
    this.router.set(router);
    this.asleep.set(waker);
    for (let id = 32; id < this.interrupts; id++) this.route(id);
  }
}
