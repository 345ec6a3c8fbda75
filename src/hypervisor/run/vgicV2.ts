/**
 * GICv2 of a VM. The distributor's own CPU interface stands for the list registers: an interrupt is acknowledged there when it
 * gets one, its priority dropped at once, and deactivated when the guest has ended it.
 */
import type { Device } from '../../devices/device';
import { GicDistributor } from '../../devices/gicDistributor';
import { CPU_CTLR_MASK, GicV2 } from '../../devices/gicv2';
import { VIRT_INTERRUPTS, virtMap } from '../../devices/virtBoard';
import type { CoreContext } from './model';
import { INTERFACE_ENABLE, UNDERFLOW_INTERRUPT, type Vgic, type VgicCpu, VgicLists, VTIMER_INTERRUPT } from './vgic';

/** GICH_LRn. */
const LR = {
  idMask: 0x3ff,
  cpuShift: 10,
  pending: 1 << 28,
  state: 3 << 28,
  priorityShift: 23,
  hardware: 0x8000_0000,
} as const;
const GICH = { HCR: 0x000, VMCR: 0x008, APR: 0x0f0, LR: 0x100 } as const;
const SPURIOUS_GROUP1 = 1022;
const SGIS = 16;

const gichRead = (c: CoreContext, offset: number): number =>
  c.port.mmioRead(c.core, virtMap.gicHypervisor.base + offset);
const gich = (c: CoreContext, offset: number, value: number): void =>
  c.port.mmioWrite(c.core, virtMap.gicHypervisor.base + offset, value);

/** `lists` are GICH_LRn. */
export class VgicV2 extends VgicLists<number> implements Vgic {
  readonly version = 2;
  readonly gic: GicV2;
  readonly devices: readonly Device[];

  constructor(
    vcpus: number,
    /** Something new is pending for a vCPU. */
    private readonly raised: (vcpu: number) => void,
  ) {
    super(vcpus, 0);
    this.gic = new GicV2(vcpus, VIRT_INTERRUPTS, {
      setIrq: (vcpu, level) => {
        this.waiting[vcpu] = level;
        if (level) this.raised(vcpu);
      },
      setFiq: () => {},
      setVirtual: () => {},
    });
    this.devices = [new GicDistributor(virtMap.gicDistributor.base, this.gic)];
    for (const cpu of this.gic.cpu) Object.assign(cpu, { ctlr: CPU_CTLR_MASK & ~8, pmr: 0x100 });
    this.gic.update();
  }

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

  sync(vcpu: number): void {
    const lists = this.lists[vcpu];
    for (const [n, list] of lists.entries()) {
      if (list === 0 || (list & LR.state) !== 0) continue;
      lists[n] = 0;
      const id = list & LR.idMask;
      this.gic.deactivate(vcpu, id | (id < SGIS ? list & (7 << LR.cpuShift) : 0));
    }
  }

  hasPending(vcpu: number): boolean {
    return this.waiting[vcpu] || this.lists[vcpu].some((list) => (list & LR.pending) !== 0);
  }

  holdsTimer(vcpu: number): boolean {
    return this.lists[vcpu].some((list) => (list & LR.state) !== 0 && (list & LR.idMask) === VTIMER_INTERRUPT);
  }

  load(c: CoreContext, more: boolean): void {
    const { vcpu } = c;
    gich(c, GICH.VMCR, vcpu.vmcr);
    gich(c, GICH.APR, vcpu.apr);
    for (const [n, list] of this.lists[vcpu.index].entries()) gich(c, GICH.LR + 4 * n, list);
    gich(c, GICH.HCR, INTERFACE_ENABLE | (more ? UNDERFLOW_INTERRUPT : 0));
  }

  peek({ vcpu, port, core }: CoreContext): VgicCpu {
    const read = (offset: number): number => port.mmioPeek(core, virtMap.gicHypervisor.base + offset);
    const lists = this.lists[vcpu.index].map((_, n) => read(GICH.LR + 4 * n));
    return { vmcr: read(GICH.VMCR), apr: read(GICH.APR), apr0: 0, lists };
  }

  store(c: CoreContext): void {
    const { vcpu } = c;
    const lists = this.lists[vcpu.index];
    for (const n of lists.keys()) lists[n] = gichRead(c, GICH.LR + 4 * n);
    vcpu.vmcr = gichRead(c, GICH.VMCR);
    vcpu.apr = gichRead(c, GICH.APR);
    gich(c, GICH.HCR, 0);
  }
}
