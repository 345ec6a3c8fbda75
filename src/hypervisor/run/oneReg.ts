/**
 * KVM_GET_REG_LIST, KVM_GET_ONE_REG and KVM_SET_ONE_REG of a vCPU. ID registers are the host's; one that differs
 * from the saved one is EINVAL: that newer releases let user space lower some of them is not modelled.
 */
import { byName, registerNameOf, systemRegisters } from '../../arch/sysregs';
import type { Outcome } from '../errno';
import { lowersDebugVersion } from '../guestIdRegisters';
import { cacheTrap } from '../hcr';
import { coreRegs, decodeOneReg, KVM_REG_ARM_PSCI_VERSION, sysregId, timerRegs } from '../kvmApi';
import { oslsr, setOslsr } from './debug';
import { guestId } from './exits';
import { isPhysicalTimer } from './interrupts';
import type { Hypervisor } from './model';
import { psciVersion, setPsciVersion } from './psci';
import { vcpuRegisters } from './vcpuRegisters';
import { DEBUG_REGISTERS, KEY_REGISTERS, PHYSICAL_TIMER, VCPU_REGISTERS, type Vcpu, type Vm } from './vm';
import { hcrFacts } from './world';

/** The host's, which no release here lets user space change. */
const HOST_REGISTERS = [
  ...['MIDR_EL1', 'REVIDR_EL1', 'AIDR_EL1'],
  ...['ID_AA64PFR0_EL1', 'ID_AA64PFR1_EL1', 'ID_AA64DFR0_EL1', 'ID_AA64ISAR0_EL1', 'ID_AA64ISAR1_EL1'],
  ...['ID_AA64MMFR0_EL1', 'ID_AA64MMFR1_EL1', 'ID_AA64MMFR2_EL1'],
].filter((name) => systemRegisters[byName(name)] !== undefined);
const isHosts: ReadonlySet<string> = new Set(HOST_REGISTERS);

const timerNames: ReadonlyMap<bigint, string> = new Map([...timerRegs].map(([name, id]) => [id, name]));
const coreNames: ReadonlyMap<bigint, string> = new Map([...coreRegs].map(([name, id]) => [id, name]));

/** Registers of EL1 and EL0 that are neither core registers nor the timer's. */
const plainNames = (model: Hypervisor): readonly string[] => {
  const keys = model.port.hasFeature(0, 'FEAT_PAuth') ? KEY_REGISTERS : [];
  return [...VCPU_REGISTERS, ...PHYSICAL_TIMER, ...DEBUG_REGISTERS, ...keys].filter(
    (name) => !coreRegs.has(name) && !timerRegs.has(name),
  );
};

const hasOsLock = ({ policies }: Hypervisor): boolean => policies.osLock === 'emulated';

export function regList(model: Hypervisor, vcpu: Vcpu): bigint[] {
  const lock = hasOsLock(model) ? ['OSLSR_EL1'] : [];
  const names = [...plainNames(model), ...lock, 'MPIDR_EL1', ...HOST_REGISTERS, 'CLIDR_EL1', 'CTR_EL0'];
  const firmware = [KVM_REG_ARM_PSCI_VERSION];
  return [...coreRegs.values(), ...firmware, ...timerRegs.values(), ...names.map(sysregId), ...vcpu.caches.regList()];
}

/** What an id is called: `CCSIDR_EL1[2]` by its CSSELR_EL1 value. */
export function oneRegName(id: bigint): string {
  const reg = decodeOneReg(id);
  if (reg.kind === 'ccsidr') return `CCSIDR_EL1[${reg.csselr}]`;
  if (id === KVM_REG_ARM_PSCI_VERSION) return 'KVM_REG_ARM_PSCI_VERSION';
  return (
    coreNames.get(id) ?? timerNames.get(id) ?? (reg.kind === 'sysreg' ? registerNameOf(reg.key) : undefined) ?? '?'
  );
}

/** The registers that threads 0 and 4 are about. `wanted` undefined: a read. */
export function cacheReg({ vm, caches }: Vcpu, id: bigint, wanted: bigint | undefined): Outcome | bigint {
  const reg = decodeOneReg(id);
  if (reg.kind === 'ccsidr') {
    if (wanted !== undefined) return caches.setOneReg(id, wanted);
    const read = caches.getOneReg(id);
    return read.outcome === 'ok' ? read.value : read.outcome;
  }
  const name = reg.kind === 'sysreg' ? registerNameOf(reg.key) : undefined;
  if (name === 'CLIDR_EL1') return wanted === undefined ? caches.oneRegClidr : caches.setClidr(wanted);
  if (name !== 'CTR_EL0') return 'ENOENT';
  return wanted === undefined ? vm.ctr.oneReg : vm.ctr.set(wanted, vm.hasRun);
}

const trapped = (model: Hypervisor, vcpu: Vcpu): boolean =>
  cacheTrap(hcrFacts(model.cores[vcpu.core], vcpu)) !== 'none';

const count = ({ port }: Hypervisor): bigint => port.read(0, 'CNTPCT_EL0');

/** KVM_GET_ONE_REG; the vCPU may be anywhere but in the midst of an exit. */
export function getOneReg(model: Hypervisor, vcpu: Vcpu, id: bigint): Outcome | bigint {
  const registers = vcpuRegisters(model, vcpu);
  const core = coreNames.get(id);
  if (core !== undefined) return coreValue(registers, core);
  if (id === KVM_REG_ARM_PSCI_VERSION) return psciVersion(vcpu.vm);
  const timer = timerNames.get(id);
  if (timer === 'CNTVCT_EL0') return BigInt.asUintN(64, count(model) - vcpu.vm.counterOffset);
  if (timer !== undefined) return registers.system(timer);
  const reg = decodeOneReg(id);
  const name = reg.kind === 'sysreg' ? (registerNameOf(reg.key) ?? '') : '';
  if (name === 'CSSELR_EL1' && trapped(model, vcpu)) return vcpu.caches.csselr;
  if (isPhysicalTimer(name)) return vcpu.registers[name];
  if (name === 'OSLSR_EL1' && hasOsLock(model)) return oslsr(vcpu);
  if (name === 'MPIDR_EL1') return vcpu.mpidr;
  if (isHosts.has(name)) return guestId(model, vcpu.vm, name);
  return plainNames(model).includes(name) ? registers.system(name) : cacheReg(vcpu, id, undefined);
}

function coreValue(registers: ReturnType<typeof vcpuRegisters>, name: string): bigint {
  const [, file, n] = /^([XV])(\d+)$/.exec(name) ?? [];
  if (file !== undefined) return registers[file === 'X' ? 'x' : 'v'][Number(n)];
  if (name === 'PC') return registers.pc;
  return name === 'PSTATE' ? registers.pstate : registers.system(name);
}

/** KVM_SET_ONE_REG, of a vCPU that is not loaded. */
export function setOneReg(model: Hypervisor, vcpu: Vcpu, id: bigint, value: bigint): Outcome {
  const core = coreNames.get(id);
  if (core !== undefined) return setCore(vcpu, core, value);
  if (id === KVM_REG_ARM_PSCI_VERSION) return setPsciVersion(vcpu.vm, value);
  const timer = timerNames.get(id);
  if (timer === 'CNTVCT_EL0') vcpu.vm.counterOffset = BigInt.asUintN(64, count(model) - value);
  else if (timer !== undefined) vcpu.registers[timer] = value;
  if (timer !== undefined) return 'ok';
  const reg = decodeOneReg(id);
  const name = reg.kind === 'sysreg' ? (registerNameOf(reg.key) ?? '') : '';
  if (name === 'ID_AA64DFR0_EL1') return setDebugFeatures(model, vcpu.vm, value);
  if (name === 'MPIDR_EL1' || isHosts.has(name)) return getOneReg(model, vcpu, id) === value ? 'ok' : 'EINVAL';
  if (name === 'OSLSR_EL1' && hasOsLock(model)) return setOslsr(vcpu, value) ? 'ok' : 'EINVAL';
  if (!plainNames(model).includes(name)) {
    const outcome = cacheReg(vcpu, id, value);
    return typeof outcome === 'string' ? outcome : 'ok';
  }
  if (name === 'CSSELR_EL1') vcpu.caches.csselr = value;
  vcpu.registers[name] = value;
  return 'ok';
}

/** set_id_aa64dfr0_el1 */
function setDebugFeatures(model: Hypervisor, vm: Vm, value: bigint): Outcome {
  const now = guestId(model, vm, 'ID_AA64DFR0_EL1');
  if (value === now) return 'ok';
  if (vm.hasRun && model.policies.debugVersion === 'v8p8') return 'EBUSY';
  if (!lowersDebugVersion(value, now, model.policies)) return 'EINVAL';
  vm.debugFeatures = value;
  return 'ok';
}

/** PSTATE.M of AArch64 EL0 and EL1: valid_user_regs of the kernel's set_core_reg. */
const MODES: ReadonlySet<bigint> = new Set([0n, 4n, 5n]);

function setCore(vcpu: Vcpu, name: string, value: bigint): Outcome {
  const [, file, n] = /^([XV])(\d+)$/.exec(name) ?? [];
  if (file !== undefined) vcpu[file === 'X' ? 'x' : 'v'][Number(n)] = value;
  else if (name === 'PC') vcpu.pc = value;
  else if (name === 'FPCR') vcpu.fpcr = value;
  else if (name === 'FPSR') vcpu.fpsr = value;
  else if (name === 'PSTATE') {
    if (!MODES.has(value & 0x1fn)) return 'EINVAL';
    vcpu.pstate = value & 0xffff_ffffn;
  } else vcpu.registers[name] = value;
  return 'ok';
}
