/**
 * The device tree of the board: what QEMU's virt gives for the devices that exist here, and each core's own caches, which
 * QEMU leaves out.
 */
import { SeededRandom } from '../../base/random';
import { VIRT_APB_HZ, VIRT_POWER_PIN, virtMap, virtPpi, virtSpi } from '../virtBoard';
import type { DeviceTreeBlob } from './blob';
import { cells, flag, node, strings, type TreeNode, type TreeProperty, wide } from './node';

export interface TreeCache {
  readonly sets: number;
  readonly ways: number;
  readonly lineBytes: number;
}

export interface TreeCore {
  /** 'arm,cortex-a57'. */
  readonly compatible: string;
  /** MPIDR_EL1 affinity, Aff2:Aff1:Aff0. */
  readonly affinity: number;
  readonly cluster: number;
  readonly l1i: TreeCache;
  readonly l1d: TreeCache;
}

export interface TreeFacts {
  readonly memoryBytes: number;
  readonly cores: readonly TreeCore[];
  /** The L2 of each cluster, null where it has none. */
  readonly clusters: readonly (TreeCache | null)[];
  /** Version of the interrupt controller. */
  readonly gic: 2 | 3;
  /** EL2 is there, and the interrupt controller's part for it. */
  readonly virtualization: boolean;
  /** Every core has the EL2 virtual timer of FEAT_VHE. */
  readonly hostVirtualTimer: boolean;
  /** How the guest reaches PSCI; undefined where its own firmware brings it. */
  readonly psci: 'hvc' | 'smc' | undefined;
  readonly bootargs?: string;
  readonly initrd?: { readonly start: number; readonly end: number };
  /** Bus masters are coherent with the caches. */
  readonly dmaCoherent: boolean;
  /** A virtual machine's board: no caches are told of, and of the devices only the UART is there. */
  readonly virtual?: boolean;
  /** List the empty virtio-mmio slots as well. */
  readonly virtioSlots?: boolean;
  /** Chance for the guest follows from it: the same seed gives the same. */
  readonly seed: number;
}

const PHANDLE_CLOCK = 0x8000;
const PHANDLE_GIC = 0x8001;
const PHANDLE_GPIO = 0x8002;
const PHANDLE_L2 = 0x8010;
const PHANDLE_CPU = 0x8100;

const GIC_SPI = 0;
const GIC_PPI = 1;
const EDGE_RISING = 1;
const LEVEL_HIGH = 4;
/** Linux' number of the power key. */
const KEY_POWER = 116;

const hexName = (name: string, address: number): string => `${name}@${address.toString(16)}`;

const range = (base: number, size: number): TreeProperty => wide('reg', base, size);

const spi = (n: number, trigger: number): TreeProperty => cells('interrupts', GIC_SPI, n, trigger);

const cacheProperties = (prefix: '' | 'i-' | 'd-', cache: TreeCache): TreeProperty[] => [
  cells(`${prefix}cache-size`, cache.sets * cache.ways * cache.lineBytes),
  cells(`${prefix}cache-line-size`, cache.lineBytes),
  cells(`${prefix}cache-sets`, cache.sets),
];

function cpuNodes(facts: TreeFacts): TreeNode {
  const cpus = facts.cores.map((core, i) =>
    node(hexName('cpu', core.affinity), [
      strings('device_type', 'cpu'),
      strings('compatible', core.compatible),
      ...(facts.psci === undefined ? [] : [strings('enable-method', 'psci')]),
      cells('reg', core.affinity),
      ...(facts.virtual ? [] : [...cacheProperties('i-', core.l1i), ...cacheProperties('d-', core.l1d)]),
      ...(facts.clusters[core.cluster] && !facts.virtual ? [cells('next-level-cache', PHANDLE_L2 + core.cluster)] : []),
      cells('phandle', PHANDLE_CPU + i),
    ]),
  );
  const l2 = facts.clusters.flatMap((cache, i) =>
    cache === null || facts.virtual
      ? []
      : [
          node(`l2-cache${i}`, [
            strings('compatible', 'cache'),
            cells('cache-level', 2),
            flag('cache-unified'),
            ...cacheProperties('', cache),
            cells('phandle', PHANDLE_L2 + i),
          ]),
        ],
  );
  const clusterNumbers = [...new Set(facts.cores.map((core) => core.cluster))];
  const clusters = clusterNumbers.map((cluster, i) => {
    const members = facts.cores.flatMap((core, n) => (core.cluster === cluster ? [n] : []));
    const cores = members.map((n, k) => node(`core${k}`, [cells('cpu', PHANDLE_CPU + n)]));
    return node(`cluster${i}`, [], cores);
  });
  const map = node('cpu-map', [], [node('socket0', [], clusters)]);
  return node('cpus', [cells('#address-cells', 1), cells('#size-cells', 0)], [map, ...cpus, ...l2]);
}

/** PPI cells: type, number, trigger and, for GICv2, the mask of cores that have it. */
const ppi = (n: number, { gic, cores }: TreeFacts): number[] => [
  GIC_PPI,
  n,
  LEVEL_HIGH | (gic === 2 ? ((1 << cores.length) - 1) << 8 : 0),
];

function timerNode(facts: TreeFacts): TreeNode {
  const timers = [virtPpi.secureTimer, virtPpi.physicalTimer, virtPpi.virtualTimer, virtPpi.hypTimer];
  const all = facts.hostVirtualTimer ? [...timers, virtPpi.hostVirtualTimer] : timers;
  return node('timer', [
    strings('compatible', 'arm,armv8-timer', 'arm,armv7-timer'),
    flag('always-on'),
    cells('interrupts', ...all.flatMap((n) => ppi(n, facts))),
  ]);
}

function pmuNode(facts: TreeFacts): TreeNode {
  return node('pmu', [strings('compatible', 'arm,armv8-pmuv3'), cells('interrupts', ...ppi(virtPpi.pmu, facts))]);
}

function psciNode(method: 'hvc' | 'smc'): TreeNode {
  return node('psci', [
    strings('compatible', 'arm,psci-1.0', 'arm,psci-0.2', 'arm,psci'),
    strings('method', method),
    cells('cpu_suspend', 0xc4000001),
    cells('cpu_off', 0x84000002),
    cells('cpu_on', 0xc4000003),
    cells('migrate', 0xc4000005),
  ]);
}

function chosenNode(facts: TreeFacts): TreeNode {
  return node('chosen', [
    strings('stdout-path', `/${hexName('pl011', virtMap.uart.base)}`),
    ...chosenProperties(facts),
    ...chance(facts.seed),
  ]);
}

const KASLR_SEED_BYTES = 8;
const RNG_SEED_BYTES = 32;

/** What a kernel moves itself by (0 would mean no chance, and does not occur), and what its random numbers begin with. */
function chance(seed: number): TreeProperty[] {
  const random = new SeededRandom(new Uint32Array(1));
  random.seed(seed);
  const property = (name: string, bytes: number): TreeProperty =>
    cells(name, ...Array.from({ length: bytes / 4 }, () => random.next()));
  return [property('rng-seed', RNG_SEED_BYTES), property('kaslr-seed', KASLR_SEED_BYTES)];
}

/** What a boot loader adds to /chosen. */
export function chosenProperties(facts: Pick<TreeFacts, 'bootargs' | 'initrd'>): TreeProperty[] {
  return [
    ...(facts.bootargs === undefined ? [] : [strings('bootargs', facts.bootargs)]),
    ...(facts.initrd === undefined
      ? []
      : [wide('linux,initrd-start', facts.initrd.start), wide('linux,initrd-end', facts.initrd.end)]),
  ];
}

/** A PrimeCell on the 24 MHz clock. */
function primeCell(name: string, base: number, size: number, irq: number, clocks: readonly string[]): TreeNode {
  return node(hexName(name, base), [
    strings('compatible', `arm,${name}`, 'arm,primecell'),
    range(base, size),
    spi(irq, LEVEL_HIGH),
    cells('clocks', ...clocks.map(() => PHANDLE_CLOCK)),
    strings('clock-names', ...clocks),
  ]);
}

function virtioNodes(coherent: readonly TreeProperty[]): TreeNode[] {
  const { base, size, count } = virtMap.virtio;
  return Array.from({ length: count }, (_, i) =>
    node(hexName('virtio_mmio', base + i * size), [
      strings('compatible', 'virtio,mmio'),
      range(base + i * size, size),
      spi(virtSpi.virtio + i, EDGE_RISING),
      ...coherent,
    ]),
  );
}

/** The GPIO block, whose pin is the power key. */
function gpioNodes(): TreeNode[] {
  const { base, size } = virtMap.gpio;
  const { name, properties } = primeCell('pl061', base, size, virtSpi.gpio, ['apb_pclk']);
  const controller = [cells('#gpio-cells', 2), flag('gpio-controller'), cells('phandle', PHANDLE_GPIO)];
  const key = node('poweroff', [
    strings('label', 'GPIO Key Poweroff'),
    cells('linux,code', KEY_POWER),
    cells('gpios', PHANDLE_GPIO, VIRT_POWER_PIN, 0),
  ]);
  return [node(name, [...properties, ...controller]), node('gpio-keys', [strings('compatible', 'gpio-keys')], [key])];
}

/** The interrupt controller: distributor, and what cores reach it by. */
function gicNode({ gic, virtualization }: TreeFacts): TreeNode {
  const { gicDistributor, gicCpu, gicHypervisor, gicVirtualCpu, gicRedistributors } = virtMap;
  const parts = [
    gicDistributor,
    ...(gic === 3 ? [gicRedistributors] : virtualization ? [gicCpu, gicHypervisor, gicVirtualCpu] : [gicCpu]),
  ];
  return node(hexName('intc', gicDistributor.base), [
    strings('compatible', gic === 3 ? 'arm,gic-v3' : 'arm,cortex-a15-gic'),
    cells('#interrupt-cells', 3),
    flag('interrupt-controller'),
    cells('#address-cells', 2),
    cells('#size-cells', 2),
    flag('ranges'),
    ...(gic === 3 ? [cells('#redistributor-regions', 1)] : []),
    wide('reg', ...parts.flatMap(({ base, size }) => [base, size])),
    ...(virtualization ? [cells('interrupts', GIC_PPI, virtPpi.virtualMaintenance, LEVEL_HIGH)] : []),
    cells('phandle', PHANDLE_GIC),
  ]);
}

function clockNode(): TreeNode {
  return node('apb-pclk', [
    strings('compatible', 'fixed-clock'),
    cells('#clock-cells', 0),
    cells('clock-frequency', VIRT_APB_HZ),
    strings('clock-output-names', 'clk24mhz'),
    cells('phandle', PHANDLE_CLOCK),
  ]);
}

const uartNode = (): TreeNode =>
  primeCell('pl011', virtMap.uart.base, virtMap.uart.size, virtSpi.uart, ['uartclk', 'apb_pclk']);

function boardNodes(facts: TreeFacts): TreeNode[] {
  const { flash0, flash1, rtc, fwCfg } = virtMap;
  const coherent = facts.dmaCoherent ? [flag('dma-coherent')] : [];
  if (facts.virtual) return [clockNode(), gicNode(facts), uartNode()];
  return [
    clockNode(),
    node(hexName('flash', flash0.base), [
      strings('compatible', 'cfi-flash'),
      wide('reg', flash0.base, flash0.size, flash1.base, flash1.size),
      cells('bank-width', 4),
    ]),
    gicNode(facts),
    uartNode(),
    primeCell('pl031', rtc.base, rtc.size, virtSpi.rtc, ['apb_pclk']),
    ...gpioNodes(),
    node(hexName('fw-cfg', fwCfg.base), [
      strings('compatible', 'qemu,fw-cfg-mmio'),
      range(fwCfg.base, fwCfg.size),
      ...coherent,
    ]),
    ...(facts.virtioSlots === true ? virtioNodes(coherent) : []),
  ];
}

export function virtDeviceTree(facts: TreeFacts): DeviceTreeBlob {
  const root = node(
    '',
    [
      strings('compatible', 'linux,dummy-virt'),
      strings('model', 'linux,dummy-virt'),
      cells('#address-cells', 2),
      cells('#size-cells', 2),
      cells('interrupt-parent', PHANDLE_GIC),
    ],
    [
      chosenNode(facts),
      node(hexName('memory', virtMap.ram.base), [
        strings('device_type', 'memory'),
        range(virtMap.ram.base, facts.memoryBytes),
      ]),
      cpuNodes(facts),
      ...(facts.psci === undefined ? [] : [psciNode(facts.psci)]),
      timerNode(facts),
      ...(facts.virtual ? [] : [pmuNode(facts)]),
      ...boardNodes(facts),
    ],
  );
  return { root, reservations: [], bootCpu: facts.cores[0]?.affinity ?? 0 };
}
