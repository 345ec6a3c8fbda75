/**
 * The named machines. A preset is a list of cores with their clusters; `--cpus N` repeats or cuts the list. Geometry is the
 * published one of each core (Technical Reference Manuals; m2-like: the CCSIDR values of the mail thread on cache topology).
 */
import type { CacheGeometry, CostTable } from '../memory/types';
import type { CoreConfig, MachineConfig } from './config';
import { featuresOf } from './coreFeatures';

const KiB = 1024;

/** A cache of `bytes` with `ways`; sets follow. */
export function cache(
  bytes: number,
  ways: number,
  lineBytes: CacheGeometry['lineBytes'],
  replacement: CacheGeometry['replacement'],
): CacheGeometry {
  return { sets: bytes / ways / lineBytes, ways, lineBytes, replacement };
}

type CoreFacts = Omit<CoreConfig, 'cluster'>;

const common = {
  idc: false,
  dic: false,
  features: featuresOf.armv8,
  paBits: 44,
  tlb: { sets: 256, ways: 4 },
  prefetch: 0,
  override: {},
} as const;

/** Every core type, by the name that machine files use. */
export const coreTypes = {
  'cortex-a53': {
    ...common,
    name: 'cortex-a53',
    compatible: 'arm,cortex-a53',
    midr: 0x410fd034,
    paBits: 40,
    l1i: { ...cache(32 * KiB, 2, 64, 'random'), policy: 'VIPT' },
    l1d: cache(32 * KiB, 4, 64, 'random'),
    tlb: { sets: 128, ways: 4 },
  },
  'cortex-a57': {
    ...common,
    name: 'cortex-a57',
    compatible: 'arm,cortex-a57',
    midr: 0x411fd070,
    l1i: { ...cache(48 * KiB, 3, 64, 'lru'), policy: 'PIPT' },
    l1d: cache(32 * KiB, 2, 64, 'lru'),
  },
  'cortex-a72': {
    ...common,
    name: 'cortex-a72',
    compatible: 'arm,cortex-a72',
    midr: 0x410fd083,
    l1i: { ...cache(48 * KiB, 3, 64, 'lru'), policy: 'PIPT' },
    l1d: cache(32 * KiB, 2, 64, 'lru'),
  },
  'neoverse-n1': {
    ...common,
    name: 'neoverse-n1',
    compatible: 'arm,neoverse-n1',
    midr: 0x414fd0c1,
    features: featuresOf.neoverseN1,
    paBits: 48,
    l1i: { ...cache(64 * KiB, 4, 64, 'lru'), policy: 'PIPT' },
    l1d: cache(64 * KiB, 4, 64, 'lru'),
    idc: true,
    dic: true,
  },
  max: {
    ...common,
    name: 'max',
    compatible: 'arm,armv8',
    midr: 0x000f0510,
    features: featuresOf.max,
    paBits: 48,
    l1i: { ...cache(64 * KiB, 4, 64, 'lru'), policy: 'PIPT' },
    l1d: cache(64 * KiB, 4, 64, 'lru'),
    idc: true,
    dic: true,
  },
  vpipt: {
    ...common,
    name: 'vpipt',
    compatible: 'arm,armv8',
    midr: 0x411fd070,
    l1i: { ...cache(48 * KiB, 3, 64, 'lru'), policy: 'VPIPT' },
    l1d: cache(32 * KiB, 2, 64, 'lru'),
  },
  'small-lines': {
    ...common,
    name: 'small-lines',
    compatible: 'arm,armv8',
    midr: 0x410fd034,
    paBits: 40,
    l1i: { ...cache(32 * KiB, 2, 32, 'random'), policy: 'PIPT' },
    l1d: cache(32 * KiB, 4, 64, 'random'),
  },
  'large-lines': {
    ...common,
    name: 'large-lines',
    compatible: 'arm,armv8',
    midr: 0x411fd070,
    l1i: { ...cache(64 * KiB, 4, 64, 'lru'), policy: 'PIPT' },
    l1d: cache(64 * KiB, 4, 128, 'lru'),
  },
  'm2-efficiency': {
    ...common,
    name: 'm2-efficiency',
    compatible: 'apple,blizzard',
    midr: 0x611f0320,
    features: featuresOf.m2,
    paBits: 48,
    l1i: { ...cache(128 * KiB, 4, 64, 'lru'), policy: 'PIPT' },
    l1d: cache(64 * KiB, 8, 64, 'random'),
  },
  'm2-performance': {
    ...common,
    name: 'm2-performance',
    compatible: 'apple,avalanche',
    midr: 0x611f0320,
    features: featuresOf.m2,
    paBits: 48,
    l1i: { ...cache(192 * KiB, 6, 64, 'lru'), policy: 'PIPT' },
    l1d: cache(128 * KiB, 8, 64, 'random'),
  },
} as const satisfies Record<string, CoreFacts>;
export type CoreTypeName = keyof typeof coreTypes;

const l2 = {
  a53: cache(1024 * KiB, 16, 64, 'random'),
  big: cache(2048 * KiB, 16, 64, 'random'),
  private: cache(1024 * KiB, 8, 64, 'random'),
  large: cache(2048 * KiB, 16, 128, 'random'),
  m2Efficiency: cache(4096 * KiB, 16, 128, 'random'),
  m2Performance: cache(16384 * KiB, 16, 128, 'random'),
} as const;

export interface Preset {
  readonly doc: string;
  /** Core types in order, each with the L2 of its cluster. `--cpus` repeats or cuts. */
  readonly cores: readonly { readonly type: CoreTypeName; readonly l2: CacheGeometry; readonly cluster: number }[];
  /** Every core has an L2 of its own (repeating makes new clusters). */
  readonly privateL2?: boolean;
}

const same = (n: number, type: CoreTypeName, geometry: CacheGeometry, cluster: number): Preset['cores'] =>
  Array.from({ length: n }, () => ({ type, l2: geometry, cluster }));

/** The fixed preset names. */
export const presets: Readonly<Record<string, Preset>> = {
  'cortex-a57': { doc: 'PIPT I-cache, IDC=0, DIC=0: the default', cores: same(1, 'cortex-a57', l2.big, 0) },
  'cortex-a53': { doc: 'VIPT I-cache', cores: same(1, 'cortex-a53', l2.a53, 0) },
  'cortex-a72': { doc: 'PIPT I-cache, IDC=0, DIC=0', cores: same(1, 'cortex-a72', l2.big, 0) },
  'neoverse-n1': {
    doc: 'IDC=1, DIC=1, an L2 for each core',
    cores: same(1, 'neoverse-n1', l2.private, 0),
    privateL2: true,
  },
  max: { doc: 'every feature that is implemented', cores: same(1, 'max', l2.private, 0), privateL2: true },
  vpipt: { doc: 'VPIPT I-cache (withdrawn from the architecture)', cores: same(1, 'vpipt', l2.big, 0) },
  'pipt-vipt': {
    doc: 'a PIPT core and a VIPT core',
    cores: [...same(1, 'cortex-a57', l2.big, 0), ...same(1, 'cortex-a53', l2.a53, 1)],
  },
  'mixed-lines': {
    doc: 'two cores with 32- and 64-byte I-lines, 64- and 128-byte D-lines',
    cores: [...same(1, 'small-lines', l2.a53, 0), ...same(1, 'large-lines', l2.large, 1)],
  },
  'm2-like': {
    doc: 'four efficiency and four performance cores with different CCSIDR values',
    cores: [...same(4, 'm2-efficiency', l2.m2Efficiency, 0), ...same(4, 'm2-performance', l2.m2Performance, 1)],
  },
};
export const DEFAULT_PRESET = 'cortex-a57';

/** Rough costs in cycles of a mid-size core: machine files may set all to 0 to count instructions. */
export const defaultCost: CostTable = {
  l1iMiss: 10,
  l1dMiss: 10,
  l2Miss: 80,
  walkStep: 8,
  maintenance: 10,
  perCore: 10,
  dvm: 0,
  exception: 20,
  trap: 20,
  mmio: 50,
  counterRead: 40,
};

export const MAX_CORES = 8;

/** The cores and clusters of a preset, repeated or cut to `cpus`. */
export function presetCores(preset: Preset, cpus: number): Pick<MachineConfig, 'cores' | 'clusters'> {
  const cores: CoreConfig[] = [];
  const clusters: CacheGeometry[] = [];
  const rounds = Math.max(...preset.cores.map((c) => c.cluster)) + 1;
  for (let i = 0; i < cpus; i++) {
    const from = preset.cores[i % preset.cores.length];
    const round = preset.privateL2 ? Math.floor(i / preset.cores.length) : 0;
    const cluster = from.cluster + round * rounds;
    clusters[cluster] = from.l2;
    cores.push({ ...coreTypes[from.type], cluster });
  }
  return { cores, clusters };
}

/** The complete configuration of a preset with everything else at its default. */
export function presetConfig(name: string, cpus?: number): MachineConfig {
  const preset = presets[name];
  return {
    name,
    ...presetCores(preset, cpus ?? preset.cores.length),
    memoryBytes: 2 ** 30,
    highestEl: 1,
    gic: 2,
    quantum: 1000,
    jitter: false,
    seed: 1,
    clockHz: 1e9,
    counterHz: 62.5e6,
    cost: defaultCost,
    dmaCoherent: true,
    virtio: 'legacy',
    mmuOffFetch: 'architecture',
    checker: 'off',
  };
}
