/** What the hypervisor does when a guest comes to EL2 (arch/arm64/kvm/handle_exit.c, sys_regs.c, hypercalls.c). */

import { EC } from '../../arch/syndromes';
import { operationByKey } from '../../arch/sysops';
import { registerNameOf } from '../../arch/sysregs';
import { bitsOf, getField } from '../fields';
import { guestDebugFeatures, guestIdRegister } from '../guestIdRegisters';
import { cacheTrap } from '../hcr';
import { controlWrite, setWayTrap } from '../setWay';
import type { CacheRegister } from '../virtualCaches';
import { accessDebug } from './debug';
import { injectUndefined, skip } from './inject';
import { accessPhysicalTimer, isPhysicalTimer } from './interrupts';
import type { CoreContext, Hypervisor } from './model';
import { stopAll } from './placement';
import { done, type Next, type Routine, step } from './routines';
import type { Vcpu, Vm } from './vm';
import { isVmmCall } from './vmmApi';
import { hcrFacts } from './world';

/** Handlers by ESR_EL2.EC, with the names by which exits are counted. */
const handlers: Readonly<Record<number, readonly [reason: string, routine: string]>> = {
  [EC.WFX]: ['WFx', 'kvm_handle_wfx'],
  [EC.HVC]: ['HVC64', 'handle_hvc'],
  [EC.SMC]: ['SMC64', 'handle_smc'],
  [EC.SYSTEM_REGISTER]: ['SYS64', 'kvm_handle_sys_reg'],
  [EC.INSTRUCTION_ABORT_LOWER]: ['IABT_LOW', 'kvm_handle_guest_abort'],
  [EC.DATA_ABORT_LOWER]: ['DABT_LOW', 'kvm_handle_guest_abort'],
};

/** Why a guest came to EL2, by the name under which exits are counted. */
export function exitReason(exception: string, esr: bigint): string {
  if (exception !== 'sync') return 'IRQ';
  const ec = bitsOf(esr, 31, 26);
  return handlers[ec]?.[0] ?? `EC ${ec.toString(16)}`;
}

export const handleExit: Routine = {
  name: 'handle_exit',
  steps: [
    step('decode ESR_EL2', 10, (c): Next => {
      const { vcpu, exception } = c;
      const esr = c.read('ESR_EL2');
      vcpu.count(exitReason(exception, esr));
      if (exception !== 'sync') return { call: 'gic_handle_irq' };
      return { call: handlers[bitsOf(esr, 31, 26)]?.[1] ?? 'kvm_handle_unknown_ec' };
    }),
    step('return to the loop', 2, (c, { result }) =>
      done(c.model.rescheduled.delete(c.core) ? 'yield' : (result ?? 'resume')),
    ),
  ],
};

export const unknownEc: Routine = {
  name: 'kvm_handle_unknown_ec',
  steps: [
    step('inject UNDEF', 20, (c) => {
      injectUndefined(c);
      return done('resume');
    }),
  ],
};

/** kvm_vcpu_halt: unless there is nothing to wait for, or an interrupt is there already. */
export function waitForInterrupt(vcpu: Vcpu): void {
  const { vgic } = vcpu.vm;
  if (vgic !== undefined && !vgic.hasPending(vcpu.index)) vcpu.state = 'waiting';
}

export const handleWfx: Routine = {
  name: 'kvm_handle_wfx',
  steps: [
    step('give way', 10, (c) => {
      const { vcpu } = c;
      skip(vcpu);
      const isWfe = (c.read('ESR_EL2') & 1n) !== 0n;
      if (!isWfe) waitForInterrupt(vcpu);
      return done('yield');
    }),
  ],
};

// ---- system registers ----

const CACHE_REGISTERS = new Set(['CCSIDR_EL1', 'CCSIDR2_EL1', 'CLIDR_EL1', 'CSSELR_EL1']);
const STAGE1_CONTROLS = new Set([
  ...['SCTLR_EL1', 'TTBR0_EL1', 'TTBR1_EL1', 'TCR_EL1', 'ESR_EL1', 'FAR_EL1', 'AFSR0_EL1', 'AFSR1_EL1'],
  ...['MAIR_EL1', 'AMAIR_EL1', 'CONTEXTIDR_EL1'],
]);
const SGI_REGISTERS = new Set(['ICC_SGI0R_EL1', 'ICC_SGI1R_EL1', 'ICC_ASGI1R_EL1']);
const SET_WAY = new Set(['DC ISW', 'DC CSW', 'DC CISW']);

/** What comes of an access: a value for Rt, nothing, or UNDEF; and what has to be done for it. */
type Answer = { readonly value?: bigint; readonly undefined?: true; readonly call?: string };

function answer(c: CoreContext, name: string, written: bigint | undefined): Answer {
  const { vcpu, model } = c;
  if (CACHE_REGISTERS.has(name)) {
    const access = vcpu.caches.access(name as CacheRegister, cacheTrap(hcrFacts(c, vcpu)), written);
    if (access.kind === 'undefined') return { undefined: true };
    return access.kind === 'value' ? { value: access.value } : {};
  }
  if (name === 'CTR_EL0') return written === undefined ? { value: vcpu.vm.ctr.value } : { undefined: true };
  if (/^ID_|^MIDR|^REVIDR|^AIDR/.test(name)) return idRegister(c, name, written);
  if (RESERVED_ID.test(name)) return written === undefined ? { value: 0n } : { undefined: true };
  if (name.startsWith('LOR')) return limitedOrder(c, name, written);
  if (SGI_REGISTERS.has(name) && vcpu.vm.vgic?.sendSgi !== undefined) {
    if (written === undefined) return { undefined: true };
    vcpu.vm.vgic.sendSgi(vcpu.index, name, written);
    return {};
  }
  if (isPhysicalTimer(name)) return { value: accessPhysicalTimer(c, name, written) };
  if (name === 'ACTLR_EL1') return written === undefined ? { value: 0n } : {};
  if (SET_WAY.has(name)) {
    const what = setWayTrap(vcpu.tvm, model.fwb);
    vcpu.tvm = what.tvm;
    return flushing(what);
  }
  if (STAGE1_CONTROLS.has(name) && written !== undefined) {
    if (name !== 'SCTLR_EL1') {
      c.write(name, written);
      return {};
    }
    const what = controlWrite(vcpu.tvm, c.read(name), written);
    c.write(name, written);
    vcpu.tvm = what.tvm;
    return flushing(what);
  }
  return accessDebug(c, name, written) ?? { undefined: true };
}

const flushing = ({ flush }: { readonly flush: boolean }): Answer => (flush ? { call: 'stage2_flush_vm' } : {});

/** ID registers without a name here, and those of AArch32's vectors, which no core has: they read as 0 (ID_UNALLOCATED). */
const RESERVED_ID = /^S3_0_C0_C[1-7]_[0-7]$|^MVFR[0-2]_EL1$/;

/** trap_loregion: there, without any region. */
function limitedOrder({ model, vcpu }: CoreContext, name: string, written: bigint | undefined): Answer {
  const isThere = getField('ID_AA64MMFR1_EL1.LO', guestId(model, vcpu.vm, 'ID_AA64MMFR1_EL1')) !== 0n;
  if (!isThere || (name === 'LORID_EL1' && written !== undefined)) return { undefined: true };
  return written === undefined ? { value: 0n } : {};
}

const PMUVER = 0xfn << 8n;

/** ID registers are the host's on every core, but for what KVM hides; there is no PMU for guests. */
export function guestId({ policies, port, host }: Hypervisor, vm: Vm, name: string): bigint {
  const value = guestIdRegister(name, host.mergedId(name, port.read(0, name)), policies);
  if (name !== 'ID_AA64DFR0_EL1') return value;
  return vm.debugFeatures ?? guestDebugFeatures(value & ~PMUVER, policies);
}

function idRegister(c: CoreContext, name: string, written: bigint | undefined): Answer {
  if (written !== undefined) return { undefined: true };
  return { value: guestId(c.model, c.vcpu.vm, name) };
}

/** As assemblers name what has no name: S3_0_C0_C4_3. */
const encodedName = (iss: bigint): string =>
  `S${bitsOf(iss, 21, 20)}_${bitsOf(iss, 16, 14)}_C${bitsOf(iss, 13, 10)}_C${bitsOf(iss, 4, 1)}_${bitsOf(iss, 19, 17)}`;

export const handleSysReg: Routine = {
  name: 'kvm_handle_sys_reg',
  steps: [
    step('decode the access', 20, (c, locals) => {
      const iss = c.read('ESR_EL2');
      const key =
        (bitsOf(iss, 21, 20) << 14) |
        (bitsOf(iss, 16, 14) << 11) |
        (bitsOf(iss, 13, 10) << 7) |
        (bitsOf(iss, 4, 1) << 3) |
        bitsOf(iss, 19, 17);
      locals.register = registerNameOf(key) ?? operationByKey(key)?.name ?? encodedName(iss);
      locals.rt = bitsOf(iss, 9, 5);
      locals.read = bitsOf(iss, 0, 0) === 1;
      c.vcpu.countTrap(locals.register);
      return undefined;
    }),
    step('emulate the access', 60, (c, locals) => {
      const { vcpu } = c;
      const rt = locals.rt as number;
      const operand = rt === 31 ? 0n : vcpu.x[rt];
      const what = answer(c, locals.register as string, locals.read === true ? undefined : operand);
      if (what.undefined === true) {
        injectUndefined(c);
        return done('resume');
      }
      if (what.value !== undefined && rt !== 31 && locals.read === true) vcpu.x[rt] = what.value;
      return what.call === undefined ? undefined : { call: what.call };
    }),
    step('skip the instruction', 5, ({ vcpu }) => {
      skip(vcpu);
      return done('resume');
    }),
  ],
};

// ---- hypercalls ----

/** Calls of ours, in SMCCC's range of vendor-specific hypervisor services: guests of the scenarios use them. */
export const VendorCall = {
  /** Gives the core to the next vCPU. */
  YIELD: 0xc600_0100n,
  /** Goes on on physical core X1. */
  MIGRATE: 0xc600_0101n,
  /** Ends the machine with exit status X1. */
  EXIT: 0xc600_0102n,
  /** X0 = physical core. */
  CORE: 0xc600_0103n,
} as const;

export const handleHvc: Routine = {
  name: 'handle_hvc',
  steps: [
    step('look at the function', 20, (c): Next => {
      const { vcpu, model } = c;
      const [id, argument] = vcpu.x;
      if (id === VendorCall.YIELD) return done('yield');
      if (id === VendorCall.CORE) vcpu.x[0] = BigInt(c.core);
      else if (id === VendorCall.MIGRATE) {
        const isPinned = vcpu.pinned !== undefined && vcpu.pinned !== Number(argument);
        if (isPinned || !model.host.online.includes(Number(argument))) vcpu.x[0] = -2n & 0xffff_ffff_ffff_ffffn;
        else {
          vcpu.x[0] = 0n;
          vcpu.wantsCore = Number(argument);
          return done('yield');
        }
      } else if (id === VendorCall.EXIT) {
        model.exitCode = Number(argument & 0xffn);
        stopAll(model, vcpu.vm);
        return done('yield');
      } else return { call: isVmmCall(id) ? 'vmm_hypercall' : 'kvm_psci_call' };
      return done('resume');
    }),
    step('return the answer', 5, (_c, { result }) => done(result)),
  ],
};

const SMC_IMMEDIATE = 0xffffn;
const NOT_SUPPORTED = BigInt.asUintN(64, -1n);

export const handleSmc: Routine = {
  name: 'handle_smc',
  steps: [
    step('skip the instruction', 5, (c) => {
      skip(c.vcpu);
      const isCall = c.model.policies.smcCalls === 'answered' && (c.read('ESR_EL2') & SMC_IMMEDIATE) === 0n;
      if (isCall) return undefined;
      c.vcpu.x[0] = NOT_SUPPORTED;
      return done('resume');
    }),
    step('do as for HVC', 5, () => ({ call: 'handle_hvc' })),
    step('return the answer', 5, (_c, { result }) => done(result)),
  ],
};
