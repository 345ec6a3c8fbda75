/**
 * Interrupts of physical cores while guests run: what the host does with its own (hostGic.ts), the virtual interface around each
 * run of a guest (vgic.ts), and the virtual timer (arch_timer.c), whose registers are the guest's own while it runs.
 */
import { virtPpi } from '../../devices/virtBoard';
import { hostGicOf } from './hostGic';
import type { CoreContext } from './model';
import { done, type Next, type Routine, step } from './routines';
import { VTIMER_INTERRUPT } from './vgic';
import type { Vcpu } from './vm';

/** CNTV_CTL_EL0. */
const ENABLE = 1n;
const IMASK = 2n;
const ISTATUS = 4n;

export const handleIrq: Routine = {
  name: 'gic_handle_irq',
  steps: [
    step('acknowledge', 20, (c, locals): Next => {
      const id = hostGicOf(c)?.acknowledge(c);
      if (id === undefined) return done(null);
      locals.id = id;
      return undefined;
    }),
    step('handle it', 20, (c, locals) => {
      const gic = hostGicOf(c);
      const id = locals.id as number;
      gic?.end(c, id);
      // The timer's stays active until the guest has ended its own: the list register with HW does that.
      if (id !== VTIMER_INTERRUPT) gic?.deactivate(c, id);
      return { goto: 'acknowledge' };
    }),
  ],
};

/** Level of the virtual timer's output, with the registers on the core. */
const timerLevel = (c: CoreContext): boolean => (c.read('CNTV_CTL_EL0') & 7n) === (ENABLE | ISTATUS);

/** Registers of the physical timer, which KVM emulates where the host has it for itself (CNTHCTL_EL2.EL1PCEN). */
export const isPhysicalTimer = (name: string): boolean => /^CNTP_(CTL|CVAL|TVAL)_EL0$/.test(name);
const CTL = 'CNTP_CTL_EL0';
const CVAL = 'CNTP_CVAL_EL0';

/** Enabled, and its condition met. */
const isMet = ({ registers }: Vcpu, now: bigint): boolean =>
  ((registers[CTL] ?? 0n) & ENABLE) !== 0n && now >= (registers[CVAL] ?? 0n);

/** timer_emulate: the line as it is now, and a time when it will be another. */
function updatePhysicalTimer({ port, core, model, vcpu }: CoreContext): void {
  const { registers, vm, index, name } = vcpu;
  const now = port.read(core, 'CNTPCT_EL0');
  const ctl = registers[CTL] ?? 0n;
  vm.vgic?.privateLine(index, virtPpi.physicalTimer).set(isMet(vcpu, now) && (ctl & IMASK) === 0n);
  const waits = (ctl & (ENABLE | IMASK)) === ENABLE && !isMet(vcpu, now);
  const id = `${name} ptimer`;
  if (waits) model.timers.set(id, vcpu);
  port.schedule(id, waits ? Number((registers[CVAL] ?? 0n) - now) * port.cyclesPerTick : Number.POSITIVE_INFINITY);
}

/** access_arch_timer: what is read; a write has its effect at once. */
export function accessPhysicalTimer(c: CoreContext, name: string, written: bigint | undefined): bigint {
  const { port, core, vcpu } = c;
  const { registers } = vcpu;
  const now = port.read(core, 'CNTPCT_EL0');
  if (written !== undefined) {
    if (name === CTL) registers[CTL] = written & (ENABLE | IMASK);
    else registers[CVAL] = name === CVAL ? written : BigInt.asUintN(64, now + BigInt.asIntN(32, written));
    updatePhysicalTimer(c);
    return written;
  }
  if (name === CVAL) return registers[CVAL] ?? 0n;
  if (name === CTL) return (registers[CTL] ?? 0n) | (isMet(vcpu, now) ? ISTATUS : 0n);
  return BigInt.asUintN(32, (registers[CVAL] ?? 0n) - now);
}

/** kvm_timer_sync_user, kvm_vgic_flush_hwstate: before the guest is entered. */
export function flushInterrupts(c: CoreContext): void {
  const { vcpu } = c;
  const { vgic } = vcpu.vm;
  if (vgic === undefined) return;
  if (((vcpu.registers[CTL] ?? 0n) & ENABLE) !== 0n) updatePhysicalTimer(c);
  vgic.load(c, vgic.flush(vcpu.index));
  // kvm_timer_vcpu_load_gic: while the guest does not take it, it must not fire for ever.
  hostGicOf(c)?.setTimerActive(c, vgic.holdsTimer(vcpu.index) || timerLevel(c));
}

/** kvm_vgic_sync_hwstate, kvm_timer_sync_hwstate: after it was left. */
export function syncInterrupts(c: CoreContext): void {
  const { vcpu } = c;
  const { vgic } = vcpu.vm;
  if (vgic === undefined) return;
  vgic.store(c);
  vgic.sync(vcpu.index);
  vgic.privateLine(vcpu.index, virtPpi.virtualTimer).set(timerLevel(c));
}

/** The vCPU leaves the core: its timer must not fire there. A blocked one is woken when it would have. */
export function putTimer(c: CoreContext, vcpu: Vcpu): void {
  const { port, core, model } = c;
  const ctl = vcpu.registers.CNTV_CTL_EL0;
  c.write('CNTV_CTL_EL0', 0n);
  if (vcpu.vm.vgic !== undefined) hostGicOf(c)?.setTimerActive(c, false);
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
export function timerFired(vcpu: Vcpu, id: string): void {
  if (id.endsWith(' ptimer')) vcpu.vm.vgic?.privateLine(vcpu.index, virtPpi.physicalTimer).set(true);
  else if (!vcpu.loaded) vcpu.vm.vgic?.privateLine(vcpu.index, virtPpi.virtualTimer).set(true);
}
