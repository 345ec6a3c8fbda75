/**
 * What all parts of the memory system share: views of the linear memory, sizes, the physical map, counters and penalties.
 * Units and granules are numbered by their place in linear memory (plan.ts); physical addresses appear at the edges only.
 */

import { COUNTER_NAMES, type Counter } from './counters';
import { type MemoryPlan, planMemory } from './plan';
import type { CostTable, MemoryConfig, MemoryPorts } from './types';

/** Bits of a unit's directory word. */
export const Dir = {
  L1D: 0xff, // cores whose L1D holds it
  L1I: 0xff00, // cores whose L1I may hold it (exact after InstructionCaches.refresh)
  L1IShift: 8,
  L2: 0xff0000, // outer caches that hold it
  L2Shift: 16,
  L1Dirty: 1 << 24, // dirty in the one L1D that holds it
  L2Dirty: 1 << 25, // dirty in one of the outer caches that hold it
  Watch: 1 << 26, // a watchpoint looks at it
  Walk: 1 << 27, // under the checker: a TLB entry came from a descriptor in it
} as const;

/** 31 - clz of a single-bit mask: the core (or cache) that it names. */
export const soleBit = (mask: number): number => 31 - Math.clz32(mask);

export class Shared {
  readonly plan: MemoryPlan;
  readonly u8: Uint8Array;
  readonly u16: Uint16Array;
  readonly u32: Uint32Array;
  readonly f64: Float64Array;
  readonly counters: Float64Array;
  readonly directory: Uint32Array;
  readonly cost: CostTable;
  readonly cores: number;
  readonly unitLog2: number;
  readonly unitBytes: number;
  readonly unitMask: number;
  readonly granuleLog2: number;
  readonly granuleBytes: number;
  readonly granuleWords: number;
  readonly ram: number;
  /** Per core, as indices into u32: where the 64-bit value and the PC stand. */
  readonly valueIndex: Uint32Array;
  readonly pcIndex: Uint32Array;
  private readonly penaltyIndex: Uint32Array;
  readonly monitorIndex: Uint32Array;
  private readonly regionPa: Float64Array;
  private readonly regionSize: Float64Array;
  private readonly regionHost: Float64Array;
  /** Index of the region that the last successful hostOf found. */
  region = 0;
  /** Per region: stores go to the bus (ROM, flash). */
  readonly isRom: Uint8Array;
  /** Per region: data reads go to the bus as well (flash in command mode). */
  readonly busMode: Uint8Array;

  constructor(
    readonly buffer: ArrayBuffer,
    base: number,
    readonly config: MemoryConfig,
    readonly ports: MemoryPorts,
  ) {
    const plan = (this.plan = planMemory(config, base));
    this.u8 = new Uint8Array(buffer);
    this.u16 = new Uint16Array(buffer);
    this.u32 = new Uint32Array(buffer);
    this.f64 = new Float64Array(buffer);
    this.cores = config.cores.length;
    this.counters = new Float64Array(buffer, plan.counters, COUNTER_NAMES.length * this.cores);
    this.directory = new Uint32Array(buffer, plan.directory, plan.units);
    this.cost = config.cost;
    this.unitLog2 = plan.unitLog2;
    this.unitBytes = 1 << plan.unitLog2;
    this.unitMask = this.unitBytes - 1;
    this.granuleLog2 = plan.granuleLog2;
    this.granuleBytes = 1 << plan.granuleLog2;
    this.granuleWords = this.granuleBytes >> 2;
    this.ram = plan.ram;
    const { layout } = ports;
    const at = (offset: number, shift: number): Uint32Array =>
      Uint32Array.from(config.cores, (_, core) => (ports.blockBase(core) + offset) >>> shift);
    this.valueIndex = at(layout.value[0], 2);
    this.pcIndex = at(layout.pc[0], 2);
    this.penaltyIndex = at(layout.penalty[0], 3);
    this.monitorIndex = at(layout.monitor[0], 3);
    this.regionPa = Float64Array.from(plan.regions, (r) => r.pa);
    this.regionSize = Float64Array.from(plan.regions, (r) => r.size);
    this.regionHost = Float64Array.from(plan.regions, (r) => r.host);
    this.isRom = Uint8Array.from(config.regions, (r) => (r.kind === 'rom' ? 1 : 0));
    this.busMode = new Uint8Array(config.regions.length);
  }

  /** Linear-memory address of a physical address, -1 where there is neither RAM nor ROM. */
  hostOf(pa: number): number {
    let i = this.region;
    let d = pa - this.regionPa[i];
    if (d >= 0 && d < this.regionSize[i]) return this.regionHost[i] + d;
    for (i = 0; i < this.regionPa.length; i++) {
      d = pa - this.regionPa[i];
      if (d >= 0 && d < this.regionSize[i]) {
        this.region = i;
        return this.regionHost[i] + d;
      }
    }
    return -1;
  }

  /** Whether all these bytes are RAM of one region that no bus access is made for. */
  isPlainRam(host: number, bytes: number): boolean {
    for (let i = 0; i < this.regionHost.length; i++) {
      const d = host - this.regionHost[i];
      if (d >= 0 && d + bytes <= this.regionSize[i]) return this.isRom[i] === 0 && this.busMode[i] === 0;
    }
    return false;
  }

  /** Physical address of a linear-memory address inside a region; -1 for padding. */
  paOf(host: number): number {
    for (let i = 0; i < this.regionPa.length; i++) {
      const d = host - this.regionHost[i];
      if (d >= 0 && d < this.regionSize[i]) return this.regionPa[i] + d;
    }
    return -1;
  }

  unitOf(host: number): number {
    return (host - this.ram) >>> this.unitLog2;
  }

  hostOfUnit(unit: number): number {
    return this.ram + unit * this.unitBytes;
  }

  count(core: number, counter: Counter): void {
    this.counters[core * COUNTER_NAMES.length + counter]++;
  }

  add(core: number, counter: Counter, n: number): void {
    this.counters[core * COUNTER_NAMES.length + counter] += n;
  }

  counter(core: number, counter: Counter): number {
    return this.counters[core * COUNTER_NAMES.length + counter];
  }

  penalty(core: number, cycles: number): void {
    this.f64[this.penaltyIndex[core]] += cycles;
  }

  /** Copies one unit between 4-byte aligned linear-memory addresses. */
  copyUnit(to: number, from: number): void {
    const { u32 } = this;
    let d = to >>> 2;
    let s = from >>> 2;
    for (let n = this.unitBytes >>> 4; n > 0; n--) {
      u32[d] = u32[s];
      u32[d + 1] = u32[s + 1];
      u32[d + 2] = u32[s + 2];
      u32[d + 3] = u32[s + 3];
      d += 4;
      s += 4;
    }
  }
}
