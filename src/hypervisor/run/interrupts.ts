/**
 * Interrupts of physical cores while guests run: the physical GICv2 as the host programs it, the virtual interface around each
 * run of a guest (vgic), and the virtual timer (arch_timer.c), whose registers are the guest's own while it runs.
 */
import { virtMap, virtPpi } from '../../devices/virtBoard';
import type { CoreContext } from './model';
import { done, type Next, type Routine, step } from './routines';
import { VTIMER_INTERRUPT } from './vgic';
import type { Vcpu } from './vm';

const GICD = { CTLR: 0x000, ISENABLER: 0x100, ISACTIVER: 0x300, ICACTIVER: 0x380 } as const;
const GICC = { CTLR: 0x00, PMR: 0x04, IAR: 0x0c, EOIR: 0x10, DIR: 0x1000 } as const;
const GICH = { HCR: 0x000, VMCR: 0x008, APR: 0x0f0, LR: 0x100 } as const;
const GICH_EN = 1;
const GICH_UIE = 2;
const EOI_MODE = 1 << 9;
const SPURIOUS = 1020;
const MAINTENANCE = 16 + virtPpi.virtualMaintenance;
/** CNTV_CTL_EL0. */
const ENABLE = 1n;
const IMASK = 2n;

const gicd = (c: CoreContext, offset: number, value: number): void =>
  c.port.mmioWrite(c.core, virtMap.gicDistributor.base + offset, value);
const gicc = (c: CoreContext, offset: number, value: number): void =>
  c.port.mmioWrite(c.core, virtMap.gicCpu.base + offset, value);
const gichRead = (c: CoreContext, offset: number): number =>
  c.port.mmioRead(c.core, virtMap.gicHypervisor.base + offset);
const gich = (c: CoreContext, offset: number, value: number): void =>
  c.port.mmioWrite(c.core, virtMap.gicHypervisor.base + offset, value);

/** The host's set-up of this core: the timer's and the maintenance interrupt, ends in two steps. */
export function enablePhysicalInterrupts(c: CoreContext): void {
  if (c.model.config.gic !== 2) return;
  gicd(c, GICD.CTLR, 1);
  gicd(c, GICD.ISENABLER, (1 << VTIMER_INTERRUPT) | (1 << MAINTENANCE));
  gicc(c, GICC.PMR, 0xf0);
  gicc(c, GICC.CTLR, 1 | EOI_MODE);
}

export const handleIrq: Routine = {
  name: 'gic_handle_irq',
  steps: [
    step('acknowledge', 20, (c, locals): Next => {
      if (c.model.config.gic !== 2) return done(null);
      const value = c.port.mmioRead(c.core, virtMap.gicCpu.base + GICC.IAR);
      locals.id = value & 0x3ff;
      return (value & 0x3ff) >= SPURIOUS ? done(null) : undefined;
    }),
    step('handle it', 20, (c, { id }) => {
      gicc(c, GICC.EOIR, id as number);
      // The timer's stays active until the guest has ended its own: the list register with HW does that.
      if (id !== VTIMER_INTERRUPT) gicc(c, GICC.DIR, id as number);
      return { goto: 'acknowledge' };
    }),
  ],
};

/** Level of the virtual timer's output, with the registers on the core. */
const timerLevel = (c: CoreContext): boolean => (c.read('CNTV_CTL_EL0') & 7n) === (ENABLE | 4n);

/** kvm_timer_sync_user, kvm_vgic_flush_hwstate: before the guest is entered. */
export function flushInterrupts(c: CoreContext): void {
  const { vcpu } = c;
  const { vgic } = vcpu.vm;
  if (vgic === undefined) return;
  const more = vgic.flush(vcpu.index);
  gich(c, GICH.VMCR, vcpu.vmcr);
  gich(c, GICH.APR, vcpu.apr);
  for (const [n, list] of vgic.lists[vcpu.index].entries()) gich(c, GICH.LR + 4 * n, list);
  gich(c, GICH.HCR, GICH_EN | (more ? GICH_UIE : 0));
  const holds = vgic.holdsTimer(vcpu.index);
  gicd(c, holds ? GICD.ISACTIVER : GICD.ICACTIVER, 1 << VTIMER_INTERRUPT);
}

/** kvm_vgic_sync_hwstate, kvm_timer_sync_hwstate: after it was left. */
export function syncInterrupts(c: CoreContext): void {
  const { vcpu } = c;
  const { vgic } = vcpu.vm;
  if (vgic === undefined) return;
  const lists = vgic.lists[vcpu.index];
  for (const n of lists.keys()) lists[n] = gichRead(c, GICH.LR + 4 * n);
  vcpu.vmcr = gichRead(c, GICH.VMCR);
  vcpu.apr = gichRead(c, GICH.APR);
  gich(c, GICH.HCR, 0);
  vgic.sync(vcpu.index);
  vgic.privateLine(vcpu.index, virtPpi.virtualTimer).set(timerLevel(c));
}

/** The vCPU leaves the core: its timer must not fire there. A blocked one is woken when it would have. */
export function putTimer(c: CoreContext, vcpu: Vcpu): void {
  const { port, core, model } = c;
  const ctl = vcpu.registers.CNTV_CTL_EL0;
  c.write('CNTV_CTL_EL0', 0n);
  if (vcpu.vm.vgic !== undefined) gicd(c, GICD.ICACTIVER, 1 << VTIMER_INTERRUPT);
  const id = `${vcpu.name} timer`;
  if ((ctl & (ENABLE | IMASK)) !== ENABLE) {
    port.schedule(id, Number.POSITIVE_INFINITY);
    return;
  }
  const ticks = BigInt.asIntN(64, vcpu.registers.CNTV_CVAL_EL0 - port.read(core, 'CNTVCT_EL0'));
  model.timers.set(id, vcpu);
  port.schedule(id, Math.max(0, Number(ticks)) * port.cyclesPerTick);
}

/** What `putTimer` asked for has come. */
export function timerFired(vcpu: Vcpu): void {
  if (!vcpu.loaded) vcpu.vm.vgic?.privateLine(vcpu.index, virtPpi.virtualTimer).set(true);
}
