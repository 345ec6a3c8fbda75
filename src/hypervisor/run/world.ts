/** A vCPU's thread: load, run, put (arch/arm64/kvm/arm.c and hyp/switch), with the state of EL1 and EL0 moved in and out. */

import { loadSteps, vmidRolloverSteps } from '../guestSwitch';
import { composeHcr, type HcrFacts } from '../hcr';
import { hostMdcr } from '../mdcr';
import type { Stage2Host } from '../stage2Map';
import type { Step } from '../steps';
import { clearDebug, loadDebug, setupDebug } from './debug';
import { flushInterrupts, putTimer, syncInterrupts } from './interrupts';
import type { CoreContext } from './model';
import { hasLeft, mayGoBack, moveThread, nextCore } from './placement';
import { done, type Plain, type Routine, step } from './routines';
import { writeEntry } from './stage2Pages';
import { KEY_REGISTERS, VCPU_REGISTERS, type Vcpu } from './vm';

/** A list of steps as plain data, with what its operations are about: those by address go over `bytes` from `from` on. */
export const performing = (
  steps: readonly Step[],
  about: { from?: bigint; bytes?: number; entry?: bigint; at?: number } = {},
) => ({
  call: 'perform',
  with: {
    steps: steps.map(({ name, count }) => ({ name, count: count ?? 1 })),
    next: 0,
    from: about.from ?? 0n,
    bytes: about.bytes ?? 0,
    entry: about.entry ?? 0n,
    at: about.at ?? 0,
  } as { [name: string]: Plain },
});

/** What maintenance for stage 2 needs to know of the host. */
export function stage2Host({ model }: CoreContext): Stage2Host {
  const { host, config, fwb } = model;
  return {
    ctr: host.sanitisedCtr,
    aliasing: host.icacheIsAliasing,
    vpipt: host.icacheIsVpipt,
    hostEl: 1,
    pageBytes: config.pageBytes,
    fwb,
    dataLineBytes: 4 << Number((host.sanitisedCtr >> 16n) & 15n),
  };
}

const vttbr = ({ vm }: Vcpu): bigint => (BigInt(vm.vmid) << 48n) | BigInt(vm.stage2.root);

/** One operation or barrier after the other. */
export const perform: Routine = {
  name: 'perform',
  steps: [
    step('the next operation', 1, (c, locals) => {
      const steps = locals.steps as unknown as { name: string; count: number }[];
      const next = locals.next as number;
      if (next >= steps.length) return done();
      locals.next = next + 1;
      const { name, count } = steps[next];
      const operand = operandOf(c, name, locals);
      if (name === 'write the entry') writeEntry(c, c.vcpu.vm, locals.at as number, locals.entry as bigint);
      else if (name === 'clear the entry') writeEntry(c, c.vcpu.vm, locals.at as number, 0n);
      else if (name === "load the guest's VTTBR_EL2") c.write('VTTBR_EL2', vttbr(c.vcpu));
      else c.perform({ name, count }, operand, (locals.bytes as number) / count);
      return { goto: 'the next operation' };
    }),
  ],
};

/** By IPA the page number; by VA the physical address, which is EL2's; else nothing. */
function operandOf(_c: CoreContext, name: string, locals: { readonly [name: string]: Plain }): bigint {
  if (name.startsWith('TLBI IPAS2')) return ((locals.ipa as bigint | undefined) ?? 0n) >> 12n;
  return locals.from as bigint;
}

/** HCR_EL2 facts of a vCPU on a core. */
export function hcrFacts(c: CoreContext, vcpu: Vcpu): HcrFacts {
  const { model } = c;
  const { host, policies } = model;
  return {
    policies,
    vhe: false,
    evt: host.has('HAS_EVT'),
    stage2Fwb: host.has('HAS_STAGE2_FWB'),
    mismatchedCacheType: host.has('MISMATCHED_CACHE_TYPE'),
    mismatchedAssociativity: host.has('MISMATCHED_CACHE_ASSOCIATIVITY'),
    ras: c.port.hasFeature(c.core, 'FEAT_RAS'),
    hostCtr: vcpu.vm.ctr.isHost,
    mte: false,
    pointerAuthentication: c.port.hasFeature(c.core, 'FEAT_PAuth'),
    tvm: vcpu.tvm,
    alone: !vcpu.trapsWfe,
  };
}

/**
 * single_task_running, by which KVM sets and clears TWE when a vCPU is loaded (kvm_arch_vcpu_load of several sources). A thread that
 * is woken there brings that about, since it preempts; here it is before each entry, and costs nothing.
 */
const isSingleTask = ({ queue }: CoreContext): boolean =>
  queue.filter(({ vcpu }) => vcpu?.state === 'runnable' && !vcpu.paused).length <= 1;

const hasKeys = (c: CoreContext): boolean => c.port.hasFeature(c.core, 'FEAT_PAuth');

export const vcpuLoad: Routine = {
  name: 'kvm_arch_vcpu_load',
  steps: [
    step('take the core', 20, ({ vcpu, core, port }) => {
      vcpu.core = core;
      port.own(core, vcpu.owner);
      return undefined;
    }),
    step('see that the VMID is of this generation', 10, ({ model, vcpu, core }) =>
      model.updateVmid(vcpu.vm, core) ? performing(vmidRolloverSteps(model.host, model.policies)) : undefined,
    ),
    step('compare last_vcpu_ran', 10, ({ model, vcpu, core }) => {
      const last = vcpu.vm.lastVcpuRan[core];
      vcpu.vm.lastVcpuRan[core] = vcpu.index;
      return performing(loadSteps(last, vcpu.index, model.policies));
    }),
    step('restore EL1 registers', 60, (c) => {
      c.write('CNTVOFF_EL2', c.vcpu.vm.counterOffset);
      for (const name of VCPU_REGISTERS) c.write(name, c.vcpu.registers[name]);
      loadDebug(c);
      return undefined;
    }),
    step('restore pointer authentication keys', 10, (c) => {
      if (hasKeys(c)) for (const name of KEY_REGISTERS) c.write(name, c.vcpu.registers[name] ?? 0n);
      return undefined;
    }),
    step('restore SIMD and FP registers', 40, (c) => {
      const { port, core, vcpu } = c;
      for (let n = 0; n < 32; n++) port.setV(core, n, vcpu.v[n]);
      c.write('FPCR', vcpu.fpcr);
      c.write('FPSR', vcpu.fpsr);
      vcpu.loaded = true;
      return undefined;
    }),
  ],
};

export const vcpuPut: Routine = {
  name: 'kvm_arch_vcpu_put',
  steps: [
    step('save SIMD and FP registers', 40, (c) => {
      c.guest = 'elsewhere';
      const { port, core, vcpu } = c;
      for (let n = 0; n < 32; n++) vcpu.v[n] = port.v(core, n);
      vcpu.fpcr = c.read('FPCR');
      vcpu.fpsr = c.read('FPSR');
      return undefined;
    }),
    step('save EL1 registers', 60, (c) => {
      for (const name of VCPU_REGISTERS) c.vcpu.registers[name] = c.read(name);
      if (hasKeys(c)) for (const name of KEY_REGISTERS) c.vcpu.registers[name] = c.read(name);
      c.vcpu.loaded = false;
      c.model.clearVmid(c.core);
      c.port.own(c.core, 0);
      return undefined;
    }),
    step('put the timer', 20, (c) => {
      putTimer(c, c.vcpu);
      return undefined;
    }),
  ],
};

/** HCR_EL2 while the host has the core: EL1 is AArch64, nothing is trapped, stage 2 is off. */
const HOST_HCR = 1n << 31n;

export const vcpuRun: Routine = {
  name: '__kvm_vcpu_run',
  steps: [
    step('flush the vGIC', 20, (c) => {
      flushInterrupts(c);
      return undefined;
    }),
    // Others may have used them up since the vCPU was loaded or last entered. A compare: part of the cost of the steps around it.
    step('see that the VMID is still of this generation', 0, ({ model, vcpu, core }) =>
      model.updateVmid(vcpu.vm, core) ? performing(vmidRolloverSteps(model.host, model.policies)) : undefined,
    ),
    step('activate traps', 15, (c) => {
      const { vcpu, model } = c;
      c.guest = 'elsewhere';
      vcpu.trapsWfe = !isSingleTask(c);
      c.write('HCR_EL2', composeHcr(hcrFacts(c, vcpu)).value);
      c.write('CPTR_EL2', 0x33ffn);
      // The counter is the guest's to read; the physical timer is emulated.
      c.write('CNTHCTL_EL2', 1n);
      setupDebug(c);
      c.write('VPIDR_EL2', c.read('MIDR_EL1'));
      c.write('VMPIDR_EL2', vcpu.mpidr);
      model.entered++;
      vcpu.entries++;
      return undefined;
    }),
    step('load stage 2', 5, (c) => {
      const { vcpu } = c;
      const { host } = c.model;
      const paRange = Number(host.sanitisedId('ID_AA64MMFR0_EL1') & 7n);
      const hardwareFlag = c.port.hasFeature(c.core, 'FEAT_HAFDBS');
      c.write('VTCR_EL2', vcpu.vm.stage2.vtcr({ paRange, wideVmids: host.vmidBits === 16, hardwareFlag }));
      c.write('VTTBR_EL2', vttbr(vcpu));
      return vcpu.debugOwner === 'none' ? undefined : { call: '__debug_switch_to_guest' };
    }),
    step('restore general registers', 16, ({ port, core, vcpu }) => {
      for (let n = 0; n < 31; n++) port.setX(core, n, vcpu.x[n]);
      return undefined;
    }),
    step('ERET to the guest', 5, (c) => {
      const { vcpu, port, core } = c;
      c.write('ELR_EL2', vcpu.pc);
      c.write('SPSR_EL2', vcpu.pstate);
      vcpu.hasRun = true;
      vcpu.exitOver(port.cycles(core));
      c.guest = 'entered';
      port.eret(core);
      return undefined;
    }),
    step('save general registers', 16, (c) => {
      const { vcpu, port, core } = c;
      c.guest = 'left';
      for (let n = 0; n < 31; n++) vcpu.x[n] = port.x(core, n);
      vcpu.pc = c.read('ELR_EL2');
      vcpu.pstate = c.read('SPSR_EL2');
      return undefined;
    }),
    step('deactivate traps', 15, (c) => {
      c.write('HCR_EL2', HOST_HCR);
      c.write('MDCR_EL2', hostMdcr(c.read('MDCR_EL2')));
      clearDebug(c);
      return c.vcpu.debugOnCore ? { call: '__debug_switch_to_host' } : undefined;
    }),
    step('sync the vGIC', 20, (c) => {
      syncInterrupts(c);
      return done();
    }),
  ],
};

export const vcpuThread: Routine = {
  name: 'kvm_arch_vcpu_ioctl_run',
  steps: [
    step('load the vCPU', 10, ({ vcpu }) => ({ call: vcpu.vm.initAgain ? 'stage2_unmap_vm' : 'kvm_arch_vcpu_load' })),
    step('run the guest', 10, () => ({ call: '__kvm_vcpu_run' })),
    step('handle the exit', 10, () => ({ call: 'handle_exit' })),
    step('go back, or give the core away', 10, ({ vcpu, model }, { result }) =>
      mayGoBack(model, vcpu) && result === 'resume' ? { goto: 'run the guest' } : { call: 'kvm_arch_vcpu_put' },
    ),
    step('schedule', 50, (c) => {
      const { model, thread, core, vcpu } = c;
      hasLeft(model, vcpu, core);
      const to = nextCore(model, vcpu, core);
      if (to !== core) moveThread(c, thread, to);
      c.thread = c.idle;
      return { goto: 'load the vCPU' };
    }),
  ],
};
