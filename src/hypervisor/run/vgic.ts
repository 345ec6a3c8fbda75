/**
 * The interrupt controller of a VM (arch/arm64/kvm/vgic): a distributor in software, and list registers of the physical core's
 * virtual CPU interface, into which interrupts go when their vCPU enters and out of which their state comes when it leaves.
 * vgicV2.ts and vgicV3.ts are the two versions; a VM has that of the machine.
 */
import type { Device, InterruptLine } from '../../devices/device';
import { virtPpi } from '../../devices/virtBoard';
import type { CoreContext } from './model';

const PPI = 16;
/** Physical interrupt of the virtual timer, and the guest's. */
export const VTIMER_INTERRUPT = PPI + virtPpi.virtualTimer;
/** Of the virtual CPU interface. */
export const MAINTENANCE_INTERRUPT = PPI + virtPpi.virtualMaintenance;
/** Of the cores here, as GICH_VTR and ICH_VTR_EL2 say. */
export const LIST_REGISTERS = 4;
/** GICH_HCR and ICH_HCR_EL2: En, UIE. */
export const INTERFACE_ENABLE = 1;
export const UNDERFLOW_INTERRUPT = 2;

export interface Vgic {
  readonly version: 2 | 3;
  /** Its frames on the guest's bus: where user space finds them, the kernel's they are. */
  readonly devices: readonly Device[];
  privateLine(vcpu: number, n: number): InterruptLine;
  sharedLine(n: number): InterruptLine;
  /** vgic_flush_hwstate: pending interrupts get list registers. True: some had to stay behind. */
  flush(vcpu: number): boolean;
  /** vgic_sync_hwstate: what the guest has ended is inactive again. */
  sync(vcpu: number): void;
  /** kvm_vgic_vcpu_pending_irq */
  hasPending(vcpu: number): boolean;
  /** The virtual timer's interrupt is in a list register: its physical one has to stay active. */
  holdsTimer(vcpu: number): boolean;
  /** Puts the vCPU's interface on the core; `more`: tell when there is room for what stayed behind. */
  load(c: CoreContext, more: boolean): void;
  /** Takes it off. */
  store(c: CoreContext): void;
  /** What `store` would take off the core, without any effect. */
  peek(c: CoreContext): VgicCpu;
  /** What is not the devices'. */
  saveState(): unknown;
  /** After the devices. */
  loadState(state: unknown): void;
  /** A software interrupt that a system register asked for (GICv3): SGI0R, SGI1R or ASGI1R. */
  sendSgi?(vcpu: number, register: string, value: bigint): void;
}

/** A vCPU's part of the virtual CPU interface, as `Vcpu` and `lists` keep it while it does not run. */
export interface VgicCpu {
  readonly vmcr: number;
  readonly apr: number;
  readonly apr0: number;
  readonly lists: readonly (number | bigint)[];
}

/** What both versions keep by vCPU; `T` is a list register. */
export abstract class VgicLists<T extends number | bigint> {
  /** Something waits for a list register. */
  protected readonly waiting: boolean[];
  /** List registers while the vCPU does not run. */
  readonly lists: T[][];
  /** The distributor. */
  abstract readonly gic: Pick<Vgic, 'privateLine' | 'sharedLine'>;

  constructor(vcpus: number, empty: T) {
    this.waiting = new Array<boolean>(vcpus).fill(false);
    this.lists = Array.from({ length: vcpus }, () => new Array<T>(LIST_REGISTERS).fill(empty));
  }

  privateLine(vcpu: number, n: number): InterruptLine {
    return this.gic.privateLine(vcpu, n);
  }
  sharedLine(n: number): InterruptLine {
    return this.gic.sharedLine(n);
  }

  saveState(): VgicState<T> {
    return { waiting: [...this.waiting], lists: this.lists.map((list) => [...list]) };
  }
  loadState(state: unknown): void {
    const { waiting, lists } = state as VgicState<T>;
    waiting.forEach((waits, vcpu) => void (this.waiting[vcpu] = waits));
    lists.forEach((list, vcpu) => void (this.lists[vcpu] = [...list]));
  }
}

/** What of it is saved. */
export interface VgicState<T> {
  readonly waiting: readonly boolean[];
  readonly lists: readonly (readonly T[])[];
}
