/**
 * KVM_CHECK_EXTENSION: what each capability of kvmApi.ts is on this host. One that is not known to a release is 0. Source:
 * kvm_vm_ioctl_check_extension of arm64 and of kvm_main.c in v5.13 and later sources; releases from the pull requests.
 */
import { manualProtect } from './dirtyLog';
import { atLeast, type KernelVersion } from './kernelVersion';
import { capabilities } from './kvmApi';
import { USER_SLOTS } from './memslots';
import { cacheablePfnmapCapability, type PfnmapHost } from './pfnmap';

export interface ExtensionHost {
  readonly version: KernelVersion;
  readonly pfnmap: PfnmapHost;
  /** Cores that are online. */
  readonly cores: number;
  readonly ipaLimit: number;
  /** Of the host's interrupt controller, and so of the VMs'. */
  readonly gic: 2 | 3;
}

type CapabilityName = keyof typeof capabilities;

/** VGIC_V2_MAX_CPUS, VGIC_V3_MAX_CPUS */
const MOST_VCPUS = { 2: 8, 3: 512 } as const;
/** Bit 0: KVM_ARM_FEATURE_ID_RANGE. */
const FEATURE_ID_RANGE = 1;

const since =
  (major: number, minor: number, value = 1) =>
  ({ version }: ExtensionHost): number =>
    atLeast(version, { major, minor }) ? value : 0;
const always = (value: number) => (): number => value;

const rows: Readonly<Record<CapabilityName, (host: ExtensionHost, scope: 'system' | 'vm') => number | 'EINVAL'>> = {
  KVM_CAP_USER_MEMORY: always(1),
  KVM_CAP_NR_VCPUS: ({ cores, gic }) => Math.min(cores, MOST_VCPUS[gic]),
  KVM_CAP_NR_MEMSLOTS: always(USER_SLOTS),
  KVM_CAP_MAX_VCPUS: ({ gic }) => MOST_VCPUS[gic],
  KVM_CAP_ONE_REG: always(1),
  KVM_CAP_READONLY_MEM: always(1),
  KVM_CAP_DEVICE_CTRL: always(1),
  // No core here has AArch32.
  KVM_CAP_ARM_EL1_32BIT: always(0),
  KVM_CAP_ARM_PSCI_0_2: always(1),
  KVM_CAP_ARM_VM_IPA_SIZE: ({ ipaLimit }) => ipaLimit,
  KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2: always(manualProtect.ENABLE | manualProtect.INITIALLY_SET),
  // Guests have no memory tagging here.
  KVM_CAP_ARM_MTE: always(0),
  KVM_CAP_ARM_SUPPORTED_REG_MASK_RANGES: since(6, 7, FEATURE_ID_RANGE),
  KVM_CAP_USER_MEMORY2: since(6, 8),
  // x86 alone, up to the newest release that is known here.
  KVM_CAP_MEMORY_FAULT_INFO: always(0),
  KVM_CAP_ARM_WRITABLE_IMP_ID_REGS: since(6, 15),
  KVM_CAP_ARM_CACHEABLE_PFNMAP_SUPPORTED: ({ pfnmap }, scope) => cacheablePfnmapCapability(scope, pfnmap),
  KVM_CAP_ARM_SEA_TO_USER: always(0),
};

const names: ReadonlyMap<number, CapabilityName> = new Map(
  Object.entries(capabilities).map(([name, number]) => [number, name as CapabilityName]),
);

export function checkExtension(number: number, scope: 'system' | 'vm', host: ExtensionHost): number | 'EINVAL' {
  const name = names.get(number);
  return name === undefined ? 0 : rows[name](host, scope);
}
