/**
 * PSCI of a guest (arch/arm64/kvm/psci.c): what KVM answers otherwise than firmware does, and what becomes of a system event. A vCPU may
 * be started at any address; one that is not gone from its core yet is reset when it is (KVM_REQ_VCPU_RESET). AFFINITY_INFO knows
 * levels. CPU_SUSPEND is WFI, whatever power state it names. Source: psci.c of v5.18 and later, hypercalls.c.
 */
import { type PsciPort, PsciResult, psciCall, psciName } from '../../devices/psci';
import type { Outcome } from '../errno';
import type { Policies } from '../policies';
import { waitForInterrupt } from './exits';
import type { CoreContext } from './model';
import { stopAll } from './placement';
import { done, type Routine, step } from './routines';
import { contextOf } from './vcpuRegisters';
import type { Vcpu, Vm } from './vm';

/** Fields of MPIDR_EL1 that name a core. */
const AFFINITY = 0xff_00ff_ffffn;
/** Lowest bit of each affinity level. */
const LEVEL_SHIFTS = [0n, 8n, 16n, 32n] as const;

const affinityOf = ({ mpidr }: Vcpu): bigint => mpidr & AFFINITY;

/** kvm_psci_vcpu_affinity_info: on if any vCPU is that a level and above names. */
function affinityInfo({ vcpus }: Vm, target: bigint, level: bigint): bigint {
  const shift = LEVEL_SHIFTS[Number(level)];
  if ((target & ~AFFINITY) !== 0n || shift === undefined) return PsciResult.INVALID_PARAMETERS;
  const same = vcpus.filter((vcpu) => affinityOf(vcpu) >> shift === target >> shift);
  if (same.length === 0) return PsciResult.INVALID_PARAMETERS;
  return same.some(({ state }) => state !== 'off') ? 0n : 1n;
}

const LATEST: Readonly<Record<Policies['psciVersion'], bigint>> = { v1_0: 0x1_0000n, v1_1: 0x1_0001n, v1_3: 0x1_0003n };
/** vCPUs have KVM_ARM_VCPU_PSCI_0_2: 0.1 is none of them. */
const VERSIONS = [0x2n, 0x1_0000n, 0x1_0001n, 0x1_0002n, 0x1_0003n] as const;

/** KVM_REG_ARM_PSCI_VERSION: what user space has asked for, or KVM_ARM_PSCI_LATEST. */
export const psciVersion = ({ psciVersion: asked, policies }: Vm): bigint => asked ?? LATEST[policies.psciVersion];

/** kvm_arm_set_fw_reg; of the whole VM, and at any time. */
export function setPsciVersion(vm: Vm, wanted: bigint): Outcome {
  if (!VERSIONS.some((known) => known === wanted && known <= LATEST[vm.policies.psciVersion])) return 'EINVAL';
  vm.psciVersion = wanted;
  return 'ok';
}

function portOf(c: CoreContext): PsciPort {
  const { model, port, vcpu } = c;
  const { vm } = vcpu;
  const end = (resets: boolean): void => {
    vcpu.count('KVM_EXIT_SYSTEM_EVENT');
    vm.resets = resets;
    stopAll(model, vm);
  };
  return {
    coreOf: (affinity) => vm.vcpus.findIndex((other) => affinityOf(other) === affinity),
    state: (index) => (vm.vcpus[index].state === 'off' ? 'off' : 'on'),
    isEntry: () => true,
    cpuOn: (index, entry, x0) => {
      const other = vm.vcpus[index];
      if (contextOf(model, other) === undefined) other.reset(entry, x0);
      else other.start = { entry, x0 };
      other.state = 'runnable';
      port.wake(other.core);
    },
    cpuOff: (index) => {
      vm.vcpus[index].state = 'off';
    },
    suspend: () => waitForInterrupt(vcpu),
    systemOff: () => end(false),
    systemReset: () => end(true),
  };
}

export const psci: Routine = {
  name: 'kvm_psci_call',
  steps: [
    step('answer', 50, (c) => {
      const { vcpu } = c;
      const [id, x1, x2, x3] = vcpu.x;
      const port = portOf(c);
      const name = psciName(id);
      if (name === 'CPU_SUSPEND') {
        port.suspend(vcpu.index);
        vcpu.x[0] = PsciResult.SUCCESS;
        return done('yield');
      }
      const answer =
        name?.startsWith('AFFINITY_INFO') === true
          ? affinityInfo(vcpu.vm, x1, x2)
          : psciCall(port, vcpu.index, id, [x1, x2, x3], Number(psciVersion(vcpu.vm))).x0;
      if (vcpu.state === 'off') return done('yield');
      vcpu.x[0] = BigInt.asUintN(64, answer);
      return done('resume');
    }),
  ],
};
