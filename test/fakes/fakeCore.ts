/** Cores of the fake machine, and its configuration. */
import type { CatchSet, CoreView } from '../../src/machine/api';
import type { MachineConfig } from '../../src/machine/config';
import { type FakeBus, FakeCpu } from './fakeCpu';

export const RAM_BASE = 0x40000000n;
export const RAM_SIZE = 8 << 20;
export const UART = 0x09000000n;
export const LINE = 64;
export const SETS = 4;
export const NONE: CatchSet = { exceptions: new Set(), elChange: false, undefined: false, finding: false };

const coreConfig = (name: string) => ({
  name,
  compatible: 'arm,cortex-a57',
  midr: 0x411fd070,
  l1i: { sets: SETS, ways: 2, lineBytes: 64 as const, replacement: 'lru' as const, policy: 'PIPT' as const },
  l1d: { sets: SETS, ways: 2, lineBytes: 64 as const, replacement: 'lru' as const },
  cluster: 0,
  idc: false,
  dic: false,
  features: new Set<string>(),
  paBits: 44,
  tlb: { sets: 4, ways: 2 },
  prefetch: 0,
  override: {},
});

export const fakeConfig = (cores: number): MachineConfig => ({
  name: 'fake',
  cores: Array.from({ length: cores }, (_, i) => coreConfig(i === 0 ? 'cortex-a57' : 'cortex-a53')),
  clusters: [null],
  memoryBytes: RAM_SIZE,
  gic: 2,
  highestEl: 2,
  quantum: 1,
  jitter: false,
  seed: 1,
  clockHz: 1e9,
  counterHz: 62_500_000,
  cost: {
    l1iMiss: 0,
    l1dMiss: 0,
    l2Miss: 0,
    walkStep: 0,
    maintenance: 0,
    perCore: 0,
    dvm: 0,
    exception: 0,
    trap: 0,
    mmio: 0,
    counterRead: 0,
  },
  dmaCoherent: true,
  virtio: 'legacy',
  mmuOffFetch: 'architecture',
  checker: 'actual',
});

export interface Watched {
  readonly address: bigint;
  readonly size: number;
  readonly write: boolean;
  readonly old: bigint;
  readonly now: bigint;
}

export class FakeCore implements CoreView {
  readonly cpu: FakeCpu;
  readonly icache = new Map<bigint, Uint8Array>();
  state = 'running';
  count = 0;
  irq = false;
  /** Breakpoints do not hit while the count is still this. */
  skipAt = -1;
  accesses: Watched[] = [];

  constructor(
    readonly index: number,
    bus: FakeBus,
  ) {
    this.cpu = new FakeCpu(bus);
  }
  get el(): number {
    return this.cpu.el;
  }
  pc = (): bigint => this.cpu.pc;
  setPc = (value: bigint): void => void (this.cpu.pc = value);
  x = (n: number): bigint => this.cpu.get(n, true);
  setX = (n: number, value: bigint): void => this.cpu.set(n, value, 1, true);
  private readonly vectors: bigint[] = new Array(32).fill(0n);
  v = (n: number): bigint => this.vectors[n];
  setV = (n: number, value: bigint): void => {
    this.vectors[n] = BigInt.asUintN(128, value);
  };
  pstate = (): bigint => this.cpu.pstate();
  setPstate = (value: bigint): void => this.cpu.setPstate(value);
  instructions = (): number => this.count;
  peekSystem(name: string): bigint | undefined {
    if (name === 'CTR_EL0') return this.index === 0 ? 0x8444c004n : 0x84448003n;
    if (name === 'CLIDR_EL1') return 0x0a200023n;
    if (name === 'CCSIDR_EL1') return 0x700fe01an;
    if (name === 'CurrentEL') return BigInt(this.el << 2);
    if (/^(SCTLR|ELR|SPSR|ESR|FAR|VBAR|TTBR0|TTBR1|TCR|MAIR|SP|TPIDR)_EL[0-3]$/.test(name)) {
      return this.cpu.system.get(name) ?? 0n;
    }
    return name === 'CSSELR_EL1' || name === 'HCR_EL2' || name === 'MPIDR_EL1'
      ? (this.cpu.system.get(name) ?? 0n)
      : undefined;
  }
  pokeSystem(name: string, value: bigint): boolean {
    if (this.peekSystem(name) === undefined || /^(CTR|CLIDR|CCSIDR|CurrentEL|MPIDR)/.test(name)) return false;
    this.cpu.system.set(name, BigInt.asUintN(64, value));
    return true;
  }
}
