/**
 * Runs cases on the engine alone, in this process: one core at EL0 with flat memory, no caches and no exceptions. What it
 * knows of memory is the code region and the page; everything else faults. Fast, and independent of the rest of the machine.
 */
import type { FeatureSet } from '../../src/arch/features';
import { coreLayout, SP_SLOT, slotOffset, vectorOffset } from '../../src/cpu/layout';
import { Engine } from '../../src/engine/engine';
import { type ImportName, importNames } from '../../src/engine/interpreter';
import { FPCR_OFFSET, FPSR_OFFSET } from '../../src/engine/vectorContext';
import { EMPTY_TAG_BYTE, RECORD_BYTES } from '../../src/memory/layout';
import {
  type Case,
  type CaseRunner,
  changedMemory,
  type Ending,
  getVector,
  LAYOUT,
  type Outcome,
  setVector,
} from './cases';

const PAGES = 128;
const BLOCK = 0x1000;
const TABLES = 0x4000; // one empty table serves loads, stores and fetches
const MEMORY = 0x10_0000;
const CODE = 0x20_0000;
const RECORDS = 0x30_0000;
const GRANULE = 64;
const BRK = 0xd4200000;
const LIMIT = 4096;
const ADDRESS_BITS = (1n << 56n) - 1n;

/** Recipes that the engine alone cannot run: system registers and operations are the core's. */
export const needsMachine: ReadonlySet<string> = new Set([
  'TPIDR_EL0',
  'MSR_NZCV',
  'MRS_NZCV',
  'FPCR',
  'FPSR',
  'DC_ZVA',
  'DIT',
  'SSBS',
]);

class EngineRig {
  readonly buffer: ArrayBuffer;
  private readonly u8: Uint8Array;
  private readonly view: DataView;
  private readonly engine: Engine;
  private ending: Ending | undefined;
  private faultAddress: bigint | undefined;
  private monitor = -1;
  private readonly decoded = new Set<number>();

  private readonly lse2: boolean;

  constructor(features: FeatureSet) {
    this.lse2 = features.has('FEAT_LSE2');
    const memory = new WebAssembly.Memory({ initial: PAGES, maximum: PAGES });
    this.buffer = memory.buffer as ArrayBuffer;
    this.u8 = new Uint8Array(this.buffer);
    this.view = new DataView(this.buffer);
    this.u8.fill(EMPTY_TAG_BYTE, TABLES, TABLES + 0x4000);
    for (const table of ['loadTable', 'storeTable', 'fetchTable'] as const) {
      this.view.setUint32(BLOCK + coreLayout[table][0], TABLES, true);
    }
    const slow = {} as Record<ImportName, (core: number, ...args: number[]) => number>;
    for (const name of importNames) slow[name] = () => this.end('other');
    slow.undefined = () => this.end('undefined');
    slow.brk = () => this.end('end');
    slow.load = (_core, lo, hi, bits) => this.access(lo, hi, bits, false);
    slow.store = (_core, lo, hi, bits) => this.access(lo, hi, bits, true);
    slow.barrier = () => 0;
    slow.clrex = () => {
      this.monitor = -1;
      return 0;
    };
    slow.loadExclusive = (_core, lo, hi, bits) => {
      const result = this.access(lo, hi, bits | 16, false);
      this.monitor = lo;
      return result;
    };
    slow.storeExclusive = (_core, lo, hi, bits) => {
      const armed = this.monitor === lo;
      this.monitor = -1;
      const result = armed ? this.access(lo, hi, bits | 16, true) : 0;
      this.view.setBigUint64(BLOCK + coreLayout.value[0] + 8, armed ? 0n : 1n, true);
      return result;
    };
    slow.spAlignment = () => 0; // user mode on QEMU does not check it
    this.engine = new Engine(
      this.buffer,
      {
        memoryImport: memory,
        instantiate: (bytes, imports) =>
          new WebAssembly.Instance(new WebAssembly.Module(bytes as BufferSource), imports as WebAssembly.Imports)
            .exports as Record<string, unknown>,
      },
      { pages: PAGES, unitLog2: 6, granuleLog2: 6 },
      { slow, breakpoint: () => 0, stale: () => false, fetch: (_core, hi, lo) => this.fetch(hi, lo) },
      [features],
    );
  }

  private end(how: Ending): 1 {
    this.ending = how;
    return 1;
  }

  /** Linear-memory address of a virtual one, tag ignored; -1 if nothing is there. */
  private host(hi: number, lo: number, bytes: number, write: boolean): number {
    if ((hi & 0xffffff) !== 0) return -1;
    const within = (base: number, size: number): boolean => lo >= base && lo + bytes <= base + size;
    if (within(LAYOUT.memoryBase, LAYOUT.memorySize)) return MEMORY + lo - LAYOUT.memoryBase;
    if (!write && within(LAYOUT.codeBase, LAYOUT.codeSize)) return CODE + lo - LAYOUT.codeBase;
    return -1;
  }

  private access(lowWord: number, highWord: number, bits: number, write: boolean): number {
    const lo = lowWord >>> 0;
    const hi = highWord >>> 0;
    const size = 1 << (bits & 7);
    const host = this.host(hi, lo, size, write);
    // Ordered, exclusive and atomic accesses.
    const anywhere = this.lse2 && (lo & 15) + size <= 16;
    const misaligned = (bits & 0x70) !== 0 && (lo & (size - 1)) !== 0 && !anywhere;
    if (host < 0 || misaligned) {
      this.faultAddress = ((BigInt(hi) << 32n) | BigInt(lo)) & ADDRESS_BITS;
      return this.end(misaligned ? 'alignment' : 'dataAbort');
    }
    const value = BLOCK + coreLayout.value[0];
    if (write) this.u8.copyWithin(host, value, value + size);
    else {
      this.u8.fill(0, value, value + 16);
      this.u8.copyWithin(value, host, host + size);
    }
    return 0;
  }

  private fetch(hi: number, lo: number): number {
    const granule = (lo & -GRANULE) >>> 0;
    if ((lo & 3) !== 0) {
      this.end('pcAlignment');
      return 0;
    }
    if ((hi & 0xffffff) !== 0 || granule < LAYOUT.codeBase || granule >= LAYOUT.codeBase + LAYOUT.codeSize) {
      this.end('instructionAbort');
      return 0;
    }
    const offset = granule - LAYOUT.codeBase;
    const records = RECORDS + (offset / GRANULE) * (GRANULE / 4 + 1) * RECORD_BYTES;
    if (!this.decoded.has(granule)) {
      this.decoded.add(granule);
      this.engine.decode(0, CODE + offset, records);
    }
    return records + ((lo & (GRANULE - 1)) << 2);
  }

  run(c: Case): Outcome {
    const { view, u8 } = this;
    this.decoded.clear();
    this.ending = undefined;
    this.faultAddress = undefined;
    this.monitor = -1;
    for (let i = 0; i < LAYOUT.codeSize; i += 4) view.setUint32(CODE + i, BRK, true);
    const start = CODE + LAYOUT.codeStart - LAYOUT.codeBase;
    for (const [i, word] of c.words.entries()) view.setUint32(start + i * 4, word, true);
    u8.fill(0, MEMORY, MEMORY + LAYOUT.memorySize);
    if (c.memory) u8.set(c.memory, MEMORY);
    const slot = (n: number): number => BLOCK + slotOffset(n);
    const at = (name: keyof typeof coreLayout): number => BLOCK + coreLayout[name][0];
    for (const [n, value] of c.x.entries()) view.setBigUint64(slot(n), value, true);
    view.setBigUint64(slot(SP_SLOT), BigInt.asUintN(64, c.sp), true);
    view.setBigUint64(at('nf'), c.nzcv & 8 ? 1n << 63n : 0n, true);
    view.setBigUint64(at('zf'), c.nzcv & 4 ? 0n : 1n, true);
    view.setUint32(at('cf'), (c.nzcv >> 1) & 1, true);
    view.setBigUint64(at('vf'), c.nzcv & 1 ? 1n << 63n : 0n, true);
    for (const [n, value] of c.v.entries()) setVector(view, BLOCK + vectorOffset(n), value);
    view.setUint32(BLOCK + FPCR_OFFSET, c.fpcr, true);
    view.setUint32(BLOCK + FPSR_OFFSET, c.fpsr, true);
    view.setBigUint64(at('pc'), BigInt(LAYOUT.codeStart), true);
    for (let left = LIMIT; left > 0 && this.ending === undefined; ) left -= this.engine.run(0, BLOCK, left, false);
    const bit = (name: 'nf' | 'vf'): number => Number(view.getBigUint64(at(name), true) >> 63n);
    const z = view.getBigUint64(at('zf'), true) === 0n ? 1 : 0;
    return {
      ending: this.ending ?? 'other',
      pc: view.getBigUint64(at('pc'), true),
      x: c.x.map((_, n) => view.getBigUint64(slot(n), true)),
      sp: view.getBigUint64(slot(SP_SLOT), true),
      nzcv: (bit('nf') << 3) | (z << 2) | (view.getUint32(at('cf'), true) << 1) | bit('vf'),
      v: c.v.map((_, n) => getVector(view, BLOCK + vectorOffset(n))),
      fpcr: view.getUint32(BLOCK + FPCR_OFFSET, true),
      fpsr: view.getUint32(BLOCK + FPSR_OFFSET, true),
      faultAddress: this.faultAddress,
      memory: c.memory ? changedMemory(c.memory, new DataView(this.buffer, MEMORY, LAYOUT.memorySize)) : new Map(),
    };
  }
}

export function engineRunner(features: FeatureSet): CaseRunner {
  const rig = new EngineRig(features);
  return { name: 'engine', run: (cases) => Promise.resolve(cases.map((c) => rig.run(c))) };
}
