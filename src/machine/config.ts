/**
 * A machine file, as parsed and checked: what presets produce and what `--machine FILE` gives. The JSON schema for machine
 * files is generated from the same table (machine/schema.ts).
 */
import type { FeatureSet } from '../arch/features';
import type { PageBytes } from '../hypervisor/icacheRange';
import type { Vma } from '../hypervisor/pfnmap';
import type { ScheduleRow } from '../hypervisor/run/model';
import type { CacheGeometry, CostTable, InstructionCachePolicy } from '../memory/types';

export interface CoreConfig {
  readonly name: string; // 'cortex-a57'
  /** Of its device tree node. */
  readonly compatible: string;
  readonly midr: number;
  readonly l1i: CacheGeometry & { readonly policy: InstructionCachePolicy };
  readonly l1d: CacheGeometry;
  readonly cluster: number;
  readonly idc: boolean;
  readonly dic: boolean;
  /** FEAT_xxx that it has: done ones, each with all that it needs. */
  readonly features: FeatureSet;
  /** Physical address bits (ID_AA64MMFR0_EL1.PARange). */
  readonly paBits: number;
  readonly tlb: { readonly sets: number; readonly ways: number };
  readonly prefetch: number;
  /** ID register values that lie (register name -> value), as real machines' do. */
  readonly override: Readonly<Record<string, bigint>>;
}

/** A vCPU; without `core`, it starts on the core of its own number. */
export interface VcpuSettings {
  readonly core?: number;
  readonly on?: boolean;
  readonly pinned?: boolean;
}

/** A memory slot beside the guest's RAM, and the mapping of user space behind it. */
export interface SlotSettings {
  readonly guestAddress: number;
  readonly bytes: number;
  readonly mapBytes?: number;
  readonly vma: Pick<Vma, 'kind' | 'memory' | 'anyUncached'>;
  readonly remap?: Vma['memory'];
}

export interface VmSettings {
  readonly memoryBytes?: number;
  readonly mapBytes?: number;
  readonly vcpus?: readonly VcpuSettings[];
  readonly slots?: readonly SlotSettings[];
  readonly ipaBits?: number;
  readonly cacheablePfnmap?: boolean;
}

/** EL2 is the hypervisor model's. */
export interface HypervisorSettings {
  /** Kernel release; the newest that is known when absent. */
  readonly kvm?: string;
  /** Single policies that are different from the release's. */
  readonly policies: Readonly<Record<string, string>>;
  readonly pageBytes: PageBytes;
  readonly bootCores?: number;
  /** Cycles of a vCPU's time slice. */
  readonly slice?: number;
  readonly schedule?: readonly ScheduleRow[];
  /** After each slice a vCPU goes on on a core chosen by the machine's seed. */
  readonly migrate?: boolean;
  readonly vms: readonly VmSettings[];
}

export interface MachineConfig {
  readonly name: string;
  readonly cores: readonly CoreConfig[];
  /** One L2 per cluster, or null where a cluster has none. */
  readonly clusters: readonly (CacheGeometry | null)[];
  readonly memoryBytes: number;
  readonly highestEl: 1 | 2 | 3;
  /** Version of the interrupt controller. */
  readonly gic: 2 | 3;
  readonly quantum: number;
  readonly jitter: boolean;
  readonly seed: number;
  readonly clockHz: number;
  readonly counterHz: number;
  readonly cost: CostTable;
  /** Devices' accesses to memory are snooped; else they pass the caches by, and the device tree says so. */
  readonly dmaCoherent: boolean;
  /** Interface of virtio-mmio slots: version 1 or 2. */
  readonly virtio: 'legacy' | 'modern';
  readonly mmuOffFetch: 'architecture' | 'poc';
  readonly checker: 'off' | 'actual' | 'architectural';
  /** Absent: EL2 is the guest's own. */
  readonly hypervisor?: HypervisorSettings;
}
