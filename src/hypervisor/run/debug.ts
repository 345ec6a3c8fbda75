/**
 * Self-hosted debug registers of guests (arch/arm64/kvm/debug.c, hyp/debug-sr.h, sys_regs.c). Each vCPU has its own. They are on the
 * core, in place of the host's, only while they are in use; until then accesses trap, and are answered from where the vCPU keeps
 * them. What counts as use, and for how long, is policy debugRegisters. MDSCR_EL1 is switched with the registers of EL1.
 */
import { maskOf, masksOf } from '../fields';
import { composeMdcr } from '../mdcr';
import type { Policies } from '../policies';
import type { CoreContext } from './model';
import { done, type Routine, step } from './routines';
import { DEBUG_REGISTERS, type Vcpu } from './vm';

const isSwitched: ReadonlySet<string> = new Set(DEBUG_REGISTERS);

const ENABLED = masksOf('MDSCR_EL1', 'KDE', 'MDE');
/** What the OS lock takes from a guest. */
const LOCKED_OUT = {
  untilExit: masksOf('MDSCR_EL1', 'MDE', 'SS'),
  whileLoaded: masksOf('MDSCR_EL1', 'KDE', 'MDE', 'SS'),
} as const satisfies Record<Policies['debugRegisters'], bigint>;

/** OSLSR_EL1 of a guest: OSLM says that there is a lock. */
const OSLM = 8n;
const OSLK = maskOf('OSLSR_EL1.OSLK');
export const oslsr = ({ osLock }: Vcpu): bigint => OSLM | (osLock ? OSLK : 0n);

/** set_oslsr_el1 */
export function setOslsr(vcpu: Vcpu, value: bigint): boolean {
  if (((value ^ OSLM) & ~OSLK) !== 0n) return false;
  vcpu.osLock = (value & OSLK) !== 0n;
  return true;
}

/** A register that is kept by vCPU is where it was saved, though the vCPU is loaded. */
export const isKeptAside = ({ debugOnCore, debugOwner, osLock }: Vcpu, name: string): boolean =>
  isSwitched.has(name) ? !(debugOnCore && debugOwner === 'guest') : name === 'MDSCR_EL1' && osLock;

/** kvm_vcpu_load_debug; `mdscr` is the guest's. */
export function loadDebug({ model, vcpu }: CoreContext): void {
  if (model.policies.debugRegisters !== 'whileLoaded') return;
  if (vcpu.osLock) vcpu.debugOwner = 'host';
  else vcpu.debugOwner = (vcpu.registers.MDSCR_EL1 & ENABLED) !== 0n ? 'guest' : 'none';
}

/** Before each entry: kvm_arm_setup_debug, or what the owner says. */
export function setupDebug(c: CoreContext): void {
  const { vcpu, model } = c;
  const { debugRegisters } = model.policies;
  c.write('MDCR_EL2', composeMdcr(c.read('MDCR_EL2'), vcpu.debugOwner !== 'guest' || vcpu.osLock));
  if (vcpu.osLock) c.write('MDSCR_EL1', vcpu.registers.MDSCR_EL1 & ~LOCKED_OUT[debugRegisters]);
  // Behind the traps: they are set again by each exit, also while the guest's registers are switched.
  if (debugRegisters === 'untilExit' && (c.read('MDSCR_EL1') & ENABLED) !== 0n) vcpu.debugOwner = 'guest';
}

/** kvm_arm_clear_debug */
export function clearDebug(c: CoreContext): void {
  if (c.vcpu.osLock) c.write('MDSCR_EL1', c.vcpu.registers.MDSCR_EL1);
}

export const debugSwitchToGuest: Routine = {
  name: '__debug_switch_to_guest',
  steps: [
    // The host sets none.
    step('save the host’s debug registers', 20, () => undefined),
    step('restore the guest’s debug registers', 20, (c) => {
      const { vcpu } = c;
      const isGuests = vcpu.debugOwner === 'guest';
      for (const name of DEBUG_REGISTERS) c.write(name, isGuests ? (vcpu.registers[name] ?? 0n) : 0n);
      vcpu.debugOnCore = true;
      return done();
    }),
  ],
};

export const debugSwitchToHost: Routine = {
  name: '__debug_switch_to_host',
  steps: [
    step('save the guest’s debug registers', 20, (c) => {
      const { vcpu } = c;
      if (vcpu.debugOwner === 'guest') for (const name of DEBUG_REGISTERS) vcpu.registers[name] = c.read(name);
      vcpu.debugOnCore = false;
      return undefined;
    }),
    step('restore the host’s debug registers', 20, (c) => {
      for (const name of DEBUG_REGISTERS) c.write(name, 0n);
      if (c.model.policies.debugRegisters === 'untilExit') c.vcpu.debugOwner = 'none';
      return done();
    }),
  ],
};

/** The vCPU is loaded anew, which sees whose the debug registers are. */
export const handleOslar: Routine = {
  name: 'kvm_debug_handle_oslar',
  steps: [
    step('put the vCPU', 5, () => ({ call: 'kvm_arch_vcpu_put' })),
    step('load the vCPU', 5, () => ({ call: 'kvm_arch_vcpu_load' })),
  ],
};

// ---- accesses that trap ----

export type DebugAnswer = { readonly value?: bigint; readonly call?: string };

/** trap_raz_wi */
const IGNORED: ReadonlySet<string> = new Set([
  ...['OSDLR_EL1', 'DBGPRCR_EL1', 'MDRAR_EL1', 'DBGCLAIMSET_EL1', 'DBGCLAIMCLR_EL1'],
  ...['MDCCSR_EL0', 'DBGDTR_EL0', 'DBGDTRTX_EL0', 'DBGDTRRX_EL0'],
]);

/** What comes of an access; undefined: it is UNDEFINED, or no debug register. */
export function accessDebug(c: CoreContext, name: string, written: bigint | undefined): DebugAnswer | undefined {
  const { vcpu } = c;
  if (isSwitched.has(name) || name === 'MDSCR_EL1') return { value: trapDebugRegister(c, name, written) };
  if (IGNORED.has(name)) return { value: 0n };
  if (name === 'OSLSR_EL1') return { value: oslsr(vcpu) };
  if (name === 'DBGAUTHSTATUS_EL1') return { value: c.read(name) };
  return name === 'OSLAR_EL1' && written !== undefined ? lock(c, (written & 1n) !== 0n) : undefined;
}

/** trap_debug_regs, trap_bvr and its like. */
function trapDebugRegister(c: CoreContext, name: string, written: bigint | undefined): bigint {
  const { vcpu, model } = c;
  const { registers } = vcpu;
  if (written !== undefined) {
    registers[name] = written;
    if (name === 'MDSCR_EL1') c.write(name, written);
  }
  const isUse = written !== undefined || model.policies.debugRegisters === 'whileLoaded';
  if (isUse && vcpu.debugOwner === 'none') vcpu.debugOwner = 'guest';
  return name === 'MDSCR_EL1' ? c.read(name) : (registers[name] ?? 0n);
}

/** trap_oslar_el1 */
function lock(c: CoreContext, locks: boolean): DebugAnswer {
  const { vcpu, model } = c;
  if (model.policies.osLock === 'ignored') return {};
  vcpu.osLock = locks;
  vcpu.registers.MDSCR_EL1 = c.read('MDSCR_EL1');
  return model.policies.debugRegisters === 'whileLoaded' ? { call: 'kvm_debug_handle_oslar' } : {};
}
