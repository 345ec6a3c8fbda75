/** Facts that follow from a machine's configuration: what each part of the machine is made from. */
import type { FeatureSet } from '../arch/features';
import type { Cpu } from '../cpu/cpu';
import type { CpuFacts } from '../cpu/ports';
import type { TreeFacts } from '../devices/deviceTree';
import type { CoreSight } from '../devices/gicv3/gicv3';
import { virtMap } from '../devices/virtBoard';
import type { CacheGeometry, CoreMemoryConfig, MemoryConfig } from '../memory/types';
import type { MachineConfig } from './config';

/** Region indices of the memory system. */
export const Region = { ram: 0, flash0: 1, flash1: 2 } as const;

/** Indices of the clusters that have an L2, in order. */
const outerIndex = (config: MachineConfig, cluster: number): number =>
  config.clusters[cluster] ? config.clusters.slice(0, cluster).filter((c) => c !== null).length : -1;

export function memoryConfig(config: MachineConfig): MemoryConfig {
  const cores = config.cores.map(
    (core): CoreMemoryConfig => ({
      l1i: core.l1i,
      l1d: core.l1d,
      l2: outerIndex(config, core.cluster),
      idc: core.idc,
      dic: core.dic,
      tlb: core.tlb,
      prefetch: core.prefetch,
      lse2: core.features.has('FEAT_LSE2'),
    }),
  );
  return {
    cores,
    l2: config.clusters.filter((c): c is CacheGeometry => c !== null),
    regions: [
      { kind: 'ram', base: virtMap.ram.base, size: config.memoryBytes },
      { kind: 'rom', ...virtMap.flash0 },
      { kind: 'rom', ...virtMap.flash1 },
    ],
    cost: config.cost,
    mmuOffFetch: config.mmuOffFetch,
    checker: config.checker,
    seed: config.seed,
  };
}

/** Affinity fields as QEMU's virt numbers cores: eight to a cluster, so Aff0 is the core's number. */
export const affinityOf = (index: number): number => index;

/** The interrupt controller is the board's: whether cores have its system registers follows from that. */
function withGic(features: FeatureSet, version: 2 | 3): FeatureSet {
  const set = new Set([...features].filter((name) => name !== GIC_REGISTERS));
  return version === 3 ? set.add(GIC_REGISTERS) : set;
}
const GIC_REGISTERS = 'FEAT_GICv3';

export function cpuFacts(config: MachineConfig, index: number, exclusivesBytes: number): CpuFacts {
  const core = config.cores[index];
  return {
    name: core.name,
    midr: core.midr,
    l1i: core.l1i,
    l1d: core.l1d,
    l2: config.clusters[core.cluster],
    idc: core.idc,
    dic: core.dic,
    features: withGic(core.features, config.gic),
    paBits: core.paBits,
    override: core.override,
    highestEl: config.highestEl,
    affinity: affinityOf(index),
    clusterCores: config.cores.filter((c) => c.cluster === core.cluster).length,
    exclusivesBytes,
    counterHz: config.counterHz,
    seed: config.seed,
    cost: config.cost,
  };
}

/** What the interrupt controller sees of the cores, which are there by the time it asks. */
export const coreSight = (cpus: readonly Cpu[]): CoreSight => ({
  el: (core) => cpus[core].state.el,
  secure: (core) => cpus[core].levels.secure(),
  secureBank: (core) => cpus[core].levels.lowerSecure(),
  fiqToEl3: (core) => cpus[core].levels.fiqToEl3(),
  affinity: affinityOf,
});

/** What the device tree of a virtual machine says. */
export const guestTreeFacts = (facts: TreeFacts, memoryBytes: number, vcpus: number): TreeFacts => ({
  ...facts,
  memoryBytes,
  cores: Array.from({ length: vcpus }, (_, index) => ({ ...facts.cores[index % facts.cores.length], affinity: index })),
  virtualization: false,
  hostVirtualTimer: false,
  psci: 'hvc',
  virtual: true,
  virtioSlots: false,
});

/** What the device tree says of the machine. */
export function treeFacts(config: MachineConfig, bootargs: string | undefined, initrd: TreeFacts['initrd']): TreeFacts {
  return {
    memoryBytes: config.memoryBytes,
    cores: config.cores.map((core, index) => ({
      compatible: core.compatible,
      affinity: affinityOf(index),
      cluster: core.cluster,
      l1i: core.l1i,
      l1d: core.l1d,
    })),
    clusters: config.clusters,
    gic: config.gic,
    virtualization: config.highestEl >= 2,
    hostVirtualTimer: config.highestEl >= 2 && config.cores.every(({ features }) => features.has('FEAT_VHE')),
    psci: config.highestEl === 3 ? undefined : config.highestEl === 2 ? 'smc' : 'hvc',
    dmaCoherent: config.dmaCoherent,
    virtioSlots: true,
    seed: config.seed,
    ...(bootargs === undefined ? {} : { bootargs }),
    ...(initrd === undefined ? {} : { initrd }),
  };
}
