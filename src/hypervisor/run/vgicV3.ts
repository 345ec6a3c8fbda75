/**
 * GICv3 of a VM (vgic-v3.c): distributor and redistributors in software, one Security state, affinity routing always on. The
 * guest's ICC_* registers are the core's ICV_* ones; only ICC_SGI1R_EL1 and its kin come to EL2. No ITS, no LPIs.
 */
import type { Device } from '../../devices/device';
import { GicV3CpuInterfaces } from '../../devices/gicv3/cpuInterface';
import { GicV3Distributor } from '../../devices/gicv3/distributor';
import { type CoreSight, GicV3, Group } from '../../devices/gicv3/gicv3';
import { GicV3Redistributors } from '../../devices/gicv3/redistributors';
import { VIRT_INTERRUPTS, virtMap } from '../../devices/virtBoard';
import type { CoreContext } from './model';
import { INTERFACE_ENABLE, UNDERFLOW_INTERRUPT, type Vgic, type VgicCpu, VgicLists, VTIMER_INTERRUPT } from './vgic';

/** ICH_LR<n>_EL2. */
const LR = {
  idMask: 0xffff_ffffn,
  physicalShift: 32n,
  priorityShift: 48n,
  group1: 1n << 60n,
  hardware: 1n << 61n,
  pending: 1n << 62n,
  state: 3n << 62n,
} as const;

/** A vCPU is at EL1 or EL0, Non-secure; its affinity is its number. */
const vcpuSight: CoreSight = {
  el: () => 1,
  secure: () => false,
  secureBank: () => false,
  affinity: (vcpu) => vcpu,
  fiqToEl3: () => false,
};

/** `lists` are ICH_LR<n>_EL2. */
export class VgicV3 extends VgicLists<bigint> implements Vgic {
  readonly version = 3;
  readonly gic: GicV3;
  readonly devices: readonly Device[];
  /** Routes software interrupts by affinity; nothing else of it is used. */
  private readonly interfaces: GicV3CpuInterfaces;

  constructor(
    vcpus: number,
    /** Something new is pending for a vCPU. */
    private readonly raised: (vcpu: number) => void,
  ) {
    super(vcpus, 0n);
    const lines = { setIrq: () => {}, setFiq: () => {}, setVirtual: () => {} };
    this.gic = new GicV3({ cores: vcpus, interrupts: VIRT_INTERRUPTS, lines, sight: vcpuSight, security: false });
    this.interfaces = new GicV3CpuInterfaces(this.gic);
    this.gic.attach({ update: (vcpu) => this.update(vcpu) });
    this.devices = [
      new GicV3Distributor(virtMap.gicDistributor.base, this.gic, [this.interfaces]),
      new GicV3Redistributors(virtMap.gicRedistributors.base, this.gic),
    ];
  }

  private update(vcpu: number): void {
    const waits = this.gic.highestPending(vcpu) >= 0;
    if (waits === this.waiting[vcpu]) return;
    this.waiting[vcpu] = waits;
    if (waits) this.raised(vcpu);
  }

  flush(vcpu: number): boolean {
    const { gic } = this;
    const lists = this.lists[vcpu];
    for (let n = 0; n < lists.length && this.waiting[vcpu]; n++) {
      if ((lists[n] & LR.state) !== 0n) continue;
      const id = gic.highestPending(vcpu);
      const priority = BigInt(gic.priority[gic.slotOf(vcpu, id)]);
      const group = gic.groupOf(vcpu, id) === Group.one ? LR.group1 : 0n;
      const hardware = id === VTIMER_INTERRUPT ? LR.hardware | (BigInt(VTIMER_INTERRUPT) << LR.physicalShift) : 0n;
      gic.activate(vcpu, id);
      lists[n] = BigInt(id) | LR.pending | group | hardware | (priority << LR.priorityShift);
    }
    return this.waiting[vcpu];
  }

  sync(vcpu: number): void {
    const lists = this.lists[vcpu];
    for (const [n, list] of lists.entries()) {
      if (list === 0n || (list & LR.state) !== 0n) continue;
      lists[n] = 0n;
      this.gic.deactivate(vcpu, Number(list & LR.idMask));
    }
  }

  hasPending(vcpu: number): boolean {
    return this.waiting[vcpu] || this.lists[vcpu].some((list) => (list & LR.pending) !== 0n);
  }

  holdsTimer(vcpu: number): boolean {
    const timer = BigInt(VTIMER_INTERRUPT);
    return this.lists[vcpu].some((list) => (list & LR.state) !== 0n && (list & LR.idMask) === timer);
  }

  /** vgic_v3_dispatch_sgi */
  sendSgi(vcpu: number, register: string, value: bigint): void {
    const group = register === 'ICC_SGI1R_EL1' ? Group.one : Group.zero;
    this.interfaces.sendSgi(vcpu, Number(value >> 32n), Number(value & 0xffff_ffffn), group);
  }

  load(c: CoreContext, more: boolean): void {
    const { vcpu } = c;
    c.write('ICH_VMCR_EL2', BigInt(vcpu.vmcr));
    c.write('ICH_AP0R0_EL2', BigInt(vcpu.apr0));
    c.write('ICH_AP1R0_EL2', BigInt(vcpu.apr));
    for (const [n, list] of this.lists[vcpu.index].entries()) c.write(`ICH_LR${n}_EL2`, list);
    c.write('ICH_HCR_EL2', BigInt(INTERFACE_ENABLE | (more ? UNDERFLOW_INTERRUPT : 0)));
  }

  peek(c: CoreContext): VgicCpu {
    const read = (name: string): number => Number(c.read(name));
    const lists = this.lists[c.vcpu.index].map((_, n) => c.read(`ICH_LR${n}_EL2`));
    return { vmcr: read('ICH_VMCR_EL2'), apr: read('ICH_AP1R0_EL2'), apr0: read('ICH_AP0R0_EL2'), lists };
  }

  store(c: CoreContext): void {
    const { vcpu } = c;
    const lists = this.lists[vcpu.index];
    for (const n of lists.keys()) lists[n] = c.read(`ICH_LR${n}_EL2`);
    vcpu.vmcr = Number(c.read('ICH_VMCR_EL2'));
    vcpu.apr0 = Number(c.read('ICH_AP0R0_EL2'));
    vcpu.apr = Number(c.read('ICH_AP1R0_EL2'));
    c.write('ICH_HCR_EL2', 0n);
  }
}
