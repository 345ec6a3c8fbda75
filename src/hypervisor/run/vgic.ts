/**
 * The interrupt controller of a VM (arch/arm64/kvm/vgic): a GICv2 distributor in software, and list registers of the physical
 * core's virtual CPU interface, into which interrupts go when their vCPU enters and out of which their state comes when it
 * leaves. The distributor's own CPU interface stands for the list registers: an interrupt is acknowledged there when it gets one,
 * its priority dropped at once, and deactivated when the guest has ended it.
 */

import type { InterruptLine } from '../../devices/device';
import { GicDistributor } from '../../devices/gicDistributor';
import { CPU_CTLR_MASK, GicV2 } from '../../devices/gicv2';
import { VIRT_INTERRUPTS, virtMap, virtPpi } from '../../devices/virtBoard';

/** GICH_LRn. */
const LR = {
  idMask: 0x3ff,
  cpuShift: 10,
  pending: 1 << 28,
  state: 3 << 28,
  priorityShift: 23,
  hardware: 0x8000_0000,
} as const;
const SPURIOUS_GROUP1 = 1022;
const PPI = 16;
const SGIS = 16;
/** Physical interrupt of the virtual timer, and the guest's. */
export const VTIMER_INTERRUPT = PPI + virtPpi.virtualTimer;

export class Vgic {
  readonly gic: GicV2;
  readonly distributor: GicDistributor;
  /** By vCPU: something waits for a list register. */
  private readonly waiting: boolean[];
  /** By vCPU: GICH_LRn while it does not run. */
  readonly lists: number[][];

  constructor(
    vcpus: number,
    readonly listRegisters: number,
    /** Something new is pending for a vCPU. */
    private readonly raised: (vcpu: number) => void,
  ) {
    this.waiting = new Array<boolean>(vcpus).fill(false);
    this.lists = Array.from({ length: vcpus }, () => new Array<number>(listRegisters).fill(0));
    this.gic = new GicV2(vcpus, VIRT_INTERRUPTS, {
      setIrq: (vcpu, level) => {
        this.waiting[vcpu] = level;
        if (level) this.raised(vcpu);
      },
      setFiq: () => {},
      setVirtual: () => {},
    });
    this.distributor = new GicDistributor(virtMap.gicDistributor.base, this.gic);
    for (const cpu of this.gic.cpu) Object.assign(cpu, { ctlr: CPU_CTLR_MASK & ~8, pmr: 0x100 });
    this.gic.update();
  }

  privateLine(vcpu: number, n: number): InterruptLine {
    return this.gic.privateLine(vcpu, n);
  }
  sharedLine(n: number): InterruptLine {
    return this.gic.sharedLine(n);
  }

  /** vgic_flush_hwstate: pending interrupts get list registers. True: some had to stay behind. */
  flush(vcpu: number): boolean {
    const lists = this.lists[vcpu];
    for (let n = 0; n < lists.length && this.waiting[vcpu]; n++) {
      if ((lists[n] & LR.state) !== 0) continue;
      const value = this.gic.acknowledge(vcpu, false);
      const id = value & LR.idMask;
      if (id >= SPURIOUS_GROUP1) break;
      const priority = this.gic.priority[this.gic.slotOf(vcpu, id)];
      this.gic.endOfInterrupt(vcpu, value, false);
      const source = id < SGIS ? (value >>> LR.cpuShift) << LR.cpuShift : 0;
      const hardware = id === VTIMER_INTERRUPT ? LR.hardware | (VTIMER_INTERRUPT << LR.cpuShift) : source;
      lists[n] = (id | hardware | LR.pending | ((priority >> 3) << LR.priorityShift)) >>> 0;
    }
    return this.waiting[vcpu];
  }

  /** vgic_sync_hwstate: what the guest has ended is inactive again. */
  sync(vcpu: number): void {
    const lists = this.lists[vcpu];
    for (const [n, list] of lists.entries()) {
      if (list === 0 || (list & LR.state) !== 0) continue;
      lists[n] = 0;
      const id = list & LR.idMask;
      this.gic.deactivate(vcpu, id | (id < SGIS ? list & (7 << LR.cpuShift) : 0));
    }
  }

  /** kvm_vgic_vcpu_pending_irq */
  hasPending(vcpu: number): boolean {
    return this.waiting[vcpu] || this.lists[vcpu].some((list) => (list & LR.pending) !== 0);
  }

  /** The virtual timer's interrupt is in a list register: its physical one has to stay active. */
  holdsTimer(vcpu: number): boolean {
    return this.lists[vcpu].some((list) => (list & LR.state) !== 0 && (list & LR.idMask) === VTIMER_INTERRUPT);
  }
}
