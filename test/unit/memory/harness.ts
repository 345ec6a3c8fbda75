/**
 * A memory system with a flat, scriptable translator and recording ports. Addresses up to 2^32 suffice here: helpers take the
 * low word, the high word is 0 unless said.
 */

import type { SystemOperationRow } from '../../../src/arch/sysops/types';
import { CORE_BLOCK_BYTES, coreLayout } from '../../../src/cpu/layout';
import { addDataPath } from '../../../src/engine/dataPath/dataPath';
import { MutableFault } from '../../../src/memory/faults';
import { RECORD_BYTES } from '../../../src/memory/layout';
import { MemorySystem } from '../../../src/memory/memorySystem';
import { Access, type TranslationResult, type Translator } from '../../../src/memory/translator';
import { type MemoryConfig, type MemoryFinding, MemoryType, type TranslationContext } from '../../../src/memory/types';
import { ModuleBuilder } from '../../../src/wasm/module';
import { context } from './mmu/rig';

export const RAM = 0x40000000;
export const MMIO = 0x09000000;

type CoreConfig = MemoryConfig['cores'][number];
type Mutable<T> = { -readonly [K in keyof T]: T[K] };

export const coreConfig = (over: Partial<CoreConfig> = {}): CoreConfig => ({
  l1i: { sets: 4, ways: 2, lineBytes: 64, replacement: 'random', policy: 'PIPT' },
  l1d: { sets: 4, ways: 2, lineBytes: 64, replacement: 'random' },
  l2: 0,
  idc: false,
  dic: false,
  tlb: { sets: 4, ways: 4 },
  prefetch: 0,
  ...over,
});

export const memoryConfig = (over: Partial<MemoryConfig> = {}): MemoryConfig => ({
  cores: [coreConfig(), coreConfig()],
  l2: [{ sets: 16, ways: 4, lineBytes: 64, replacement: 'random' }],
  regions: [
    { kind: 'ram', base: RAM, size: 0x40000 },
    { kind: 'rom', base: 0, size: 0x10000 },
  ],
  cost: {
    l1iMiss: 1,
    l1dMiss: 10,
    l2Miss: 100,
    walkStep: 0,
    maintenance: 1000,
    perCore: 0,
    dvm: 0,
    exception: 0,
    trap: 0,
    mmio: 10000,
    counterRead: 0,
  },
  mmuOffFetch: 'architecture',
  checker: 'off',
  seed: 1,
  ...over,
});

/** Flat map with exceptions by 4 KiB page: `pages` maps a page of VA to [page of PA, type], 'fault' makes a translation fault. */
export class FakeTranslator implements Translator {
  result: Mutable<TranslationResult> = {
    pa: 0,
    type: MemoryType.NormalWB,
    shareability: 3,
    pageLog2: 12,
    tlbIndex: -1,
    guarded: false,
    watched: false,
  };
  fault = new MutableFault();
  type: MemoryType = MemoryType.NormalWB;
  shareability: 0 | 2 | 3 = 3;
  tlbIndex = -1;
  readonly pages = new Map<number, { pa?: number; type?: MemoryType; fault?: boolean; readOnly?: boolean }>();
  log: Access[] = [];

  translate(_core: number, _c: TranslationContext, _hi: number, lo: number, access: Access): boolean {
    const page = this.pages.get(lo >>> 12);
    this.log.push(access);
    if (page?.fault) {
      this.fault.plain('translation', access === 1);
      this.fault.level = 3;
      return false;
    }
    if (page?.readOnly && access === Access.Write) {
      this.fault.plain('permission', true);
      this.fault.level = 3;
      return false;
    }
    this.result.pa = (page?.pa ?? (lo >>> 12) * 4096) + (lo & 4095);
    this.result.type =
      page?.type ?? (this.result.pa >= MMIO && this.result.pa < RAM ? MemoryType.DeviceNGnRE : this.type);
    this.result.shareability = this.shareability;
    this.result.tlbIndex = this.tlbIndex;
    return true;
  }
}

export interface AccessRecord {
  core: number;
  lo: number;
  pa: number;
  size: number;
  write: boolean;
}

const row = (name: string, over: Partial<SystemOperationRow>): SystemOperationRow => ({
  name,
  kind: 'DC',
  encoding: [0, 7, 0, 0],
  section: name,
  el: 0,
  operand: 'va',
  status: 'done',
  ...over,
});
export const ops = {
  CVAU: row('DC CVAU', { action: 'clean', to: 'PoU' }),
  CVAC: row('DC CVAC', { action: 'clean', to: 'PoC' }),
  CVAP: row('DC CVAP', { action: 'clean', to: 'PoP' }),
  IVAC: row('DC IVAC', { action: 'invalidate', to: 'PoC', el: 1 }),
  CIVAC: row('DC CIVAC', { action: 'clean+invalidate', to: 'PoC' }),
  ZVA: row('DC ZVA', { action: 'zero' }),
  CSW: row('DC CSW', { action: 'clean', operand: 'setway', el: 1 }),
  ISW: row('DC ISW', { action: 'invalidate', operand: 'setway', el: 1 }),
  CISW: row('DC CISW', { action: 'clean+invalidate', operand: 'setway', el: 1 }),
  IVAU: row('IC IVAU', { kind: 'IC', action: 'invalidate', to: 'PoU' }),
  IALLU: row('IC IALLU', { kind: 'IC', action: 'invalidate', to: 'PoU', operand: 'none', el: 1 }),
  IALLUIS: row('IC IALLUIS', { kind: 'IC', action: 'invalidate', to: 'PoU', operand: 'none', el: 1, shareable: true }),
} as const;
export type OpName = keyof typeof ops;

/** The data path of generated code, with the memory system as what is outside. */
function generatedPath(bench: Bench, memory: WebAssembly.Memory) {
  const m = new ModuleBuilder();
  m.importMemory(memory.buffer.byteLength / 65536);
  const access = { params: new Array(5).fill('i32'), results: ['i32'] } as const;
  const outside = {
    load: m.importFunction('load', access),
    store: m.importFunction('store', access),
    look: m.importFunction('look', { params: ['i32', 'i32'], results: [] }),
    viewChanged: m.importFunction('viewChanged', { params: ['i32'], results: [] }),
  };
  const blocks = bench.config.cores.map((_, core) => core * CORE_BLOCK_BYTES);
  const inside = addDataPath(m, { ...bench.memory.dataPathFacts(), blocks }, outside);
  m.exportFunction('load', inside.load);
  m.exportFunction('store', inside.store);
  type Path = (record: number, block: number, lo: number, hi: number, desc: number) => number;
  const to =
    (what: 'load' | 'store'): Path =>
    (_record, block, lo, hi, desc) => {
      bench.outside++;
      return bench.memory[what](block / CORE_BLOCK_BYTES, hi, lo, desc);
    };
  const env = {
    ...{ memory, load: to('load'), store: to('store') },
    look: () => bench.looks++,
    viewChanged: (unit: number) => {
      bench.viewChanges++;
      bench.memory.viewChanged(unit);
    },
  };
  return new WebAssembly.Instance(new WebAssembly.Module(m.finish()), { env }).exports as Record<
    'load' | 'store',
    Path
  >;
}

export class Bench {
  readonly memory: MemorySystem;
  readonly u32: Uint32Array;
  readonly translator = new FakeTranslator();
  readonly contexts: TranslationContext[];
  readonly findings: MemoryFinding[] = [];
  /** Cores that run, to those who ask. */
  readonly active: boolean[] = [];
  readonly accesses: AccessRecord[] = [];
  readonly busLog: string[] = [];
  readonly cleared: number[] = [];
  /** Record addresses that markStale named since they were decoded last. */
  readonly marked = new Set<number>();
  /** What the guest watches: a doubleword's loads or stores. */
  guestWatch = { address: 0, stores: false };
  busValue = 0;
  busFails = false;
  time = 0;
  /** What generated code is told to be the record of the instruction. */
  record = 0;
  /** Accesses that generated code did not do, and the times it passed the penalty limit. */
  outside = 0;
  looks = 0;
  /** Lines that generated code dropped and that an I-cache may hold. */
  viewChanges = 0;
  private readonly base: number;
  private readonly generated: ReturnType<typeof generatedPath> | undefined;

  /** `generated`: slow loads and stores go through generated code first, as in a machine. */
  constructor(
    readonly config: MemoryConfig = memoryConfig(),
    generated = false,
  ) {
    this.base = 0x10000;
    const pages = Math.ceil((this.base + MemorySystem.bytesNeeded(config, this.base)) / 65536);
    const linear = generated ? new WebAssembly.Memory({ initial: pages, maximum: pages }) : undefined;
    const buffer = (linear?.buffer ?? new ArrayBuffer(pages * 65536)) as ArrayBuffer;
    this.u32 = new Uint32Array(buffer);
    this.contexts = config.cores.map(() => context({ asid: 0 }));
    this.memory = new MemorySystem(buffer, this.base, config, {
      layout: coreLayout,
      translator: this.translator,
      bus: {
        read: (pa, size, out, core) => {
          this.busLog.push(`r${size} ${pa.toString(16)} core${core}`);
          out[0] = this.busValue;
          return !this.busFails;
        },
        write: (pa, size, lo, _hi, core) => {
          this.busLog.push(`w${size} ${pa.toString(16)}=${lo.toString(16)} core${core}`);
          return !this.busFails;
        },
        peek: () => undefined,
      },
      context: (core) => this.contexts[core],
      blockBase: (core) => core * CORE_BLOCK_BYTES,
      decode: (_core, bytes, records) => {
        // A record's word 1 stands for its decoded form: the instruction word itself.
        for (let i = 0; i < this.granuleWords; i++) {
          this.u32[(records + i * RECORD_BYTES + 4) >>> 2] = this.u32[(bytes >>> 2) + i];
          this.marked.delete(records + i * RECORD_BYTES);
        }
      },
      markStale: (records, index) => {
        this.marked.add(records + index * RECORD_BYTES);
      },
      finding: (f) => {
        this.findings.push(f);
      },
      time: () => this.time,
      active: (core) => this.active[core] === true,
      monitorCleared: (core) => {
        this.cleared.push(core);
      },
      watchpoint: (_core, _hi, lo, size, write) => {
        if (lo >>> 12 !== this.guestWatch.address >>> 12) return 0;
        const { address, stores } = this.guestWatch;
        return write === stores && lo < address + 8 && lo + size > address ? 3 : 1;
      },
      access: (core, _hi, lo, pa, size, write) => {
        this.accesses.push({ core, lo, pa, size, write });
      },
    });
    config.cores.forEach((_, core) => {
      this.memory.selectContext(core, [0]);
    });
    this.generated = linear && generatedPath(this, linear);
  }

  private get granuleWords(): number {
    return Math.min(...this.config.cores.map((c) => c.l1i.lineBytes)) / 4;
  }

  value(core: number): number {
    return this.u32[(core * CORE_BLOCK_BYTES + coreLayout.value[0]) >>> 2];
  }
  setValue(core: number, ...words: number[]): void {
    const at = (core * CORE_BLOCK_BYTES + coreLayout.value[0]) >>> 2;
    words.forEach((w, i) => {
      this.u32[at + i] = w;
    });
  }
  setPc(core: number, pc: number): void {
    this.u32[(core * CORE_BLOCK_BYTES + coreLayout.pc[0]) >>> 2] = pc;
  }
  penalty(core: number): number {
    return new Float64Array(this.u32.buffer)[(core * CORE_BLOCK_BYTES + coreLayout.penalty[0]) >>> 3];
  }

  /** The fast path as generated code has it: the host address that a table gives an aligned access, 0 if none. */
  fast(core: number, table: 'loadTable' | 'storeTable', va: number): number {
    const unit = this.memory.shared.unitBytes;
    const tables = this.u32[(core * CORE_BLOCK_BYTES + coreLayout[table][0]) >>> 2];
    const at = (tables >>> 2) + ((va >>> this.memory.shared.unitLog2) & 1023) * 4;
    if (this.u32[at] !== (va & -unit) >>> 0 || this.u32[at + 1] !== 0) return 0;
    return this.u32[at + 2] + (va & (unit - 1));
  }

  /** A 32-bit load as the machine does it: fast path, else slow. */
  load(core: number, va: number, type?: MemoryType): number {
    if (type !== undefined) return this.typed(type, () => this.load(core, va));
    const host = this.translator.type === MemoryType.NormalWB ? this.fast(core, 'loadTable', va) : 0;
    if (host !== 0) return this.u32[host >>> 2];
    this.slow(core, va, 2, false);
    return this.value(core);
  }
  store(core: number, va: number, word: number, type?: MemoryType): void {
    if (type !== undefined) {
      this.typed(type, () => this.store(core, va, word));
      return;
    }
    const host = this.translator.type === MemoryType.NormalWB ? this.fast(core, 'storeTable', va) : 0;
    if (host !== 0) {
      this.u32[host >>> 2] = word;
      return;
    }
    this.setValue(core, word, 0);
    this.slow(core, va, 2, true);
  }
  slow(core: number, va: number, desc: number, write: boolean, hi = 0): void {
    const what = write ? 'store' : 'load';
    const fault = this.generated
      ? this.generated[what](this.record, core * CORE_BLOCK_BYTES, va, hi, desc)
      : this.memory[what](core, hi, va, desc);
    if (fault) throw new Error(`fault ${this.memory.fault.kind}`);
  }
  typed<T>(type: MemoryType, body: () => T): T {
    const before = this.translator.type;
    this.retype(type);
    try {
      return body();
    } finally {
      this.retype(before);
    }
  }
  /** Pages get another type; where they come from TLB entries, these vanish as a guest would have it. */
  private retype(type: MemoryType): void {
    this.translator.type = type;
    if (this.translator.tlbIndex < 0) return;
    for (let core = 0; core < this.config.cores.length; core++) this.memory.dropTranslations(core, 0, 0, 64);
  }

  /** Runs the word at va: fetch (through the table where there is an entry), CHECK when marked. Returns the decoded word. */
  run(core: number, va: number, install = true): number {
    const record = this.fetchFast(core, va) || this.memory.fetch(core, 0, va, install);
    if (record === 0) throw new Error(`fetch fault ${this.memory.fault.kind}`);
    if (this.marked.has(record)) this.memory.checkStale(core, 0, va, record);
    return this.u32[(record + 4) >>> 2];
  }
  fetchFast(core: number, va: number): number {
    const { granuleBytes, granuleLog2 } = this.memory.shared;
    const table = this.u32[(core * CORE_BLOCK_BYTES + coreLayout.fetchTable[0]) >>> 2];
    const at = (table >>> 2) + ((va >>> granuleLog2) & 1023) * 4;
    if (this.u32[at] !== (va & -granuleBytes) >>> 0 || this.u32[at + 1] !== 0) return 0;
    return this.u32[at + 2] + ((va & (granuleBytes - 1)) >>> 2) * RECORD_BYTES;
  }

  op(core: number, name: OpName, operand = 0, el = 1): 0 | 1 {
    return this.memory.maintain(core, ops[name], 0, operand, el);
  }

  /** Words at the three points. */
  versions(pa: number): { V: number; P: number; C: number } {
    const word = (b: Uint8Array): number => new DataView(b.buffer, b.byteOffset).getUint32(0, true);
    return {
      V: word(this.memory.peekView(pa, 4)),
      P: word(this.memory.peekPoU(0, pa, 4)),
      C: word(this.memory.peekPoC(pa, 4)),
    };
  }
  poke(pa: number, word: number): void {
    this.memory.pokeView(pa, new Uint8Array(Uint32Array.of(word).buffer));
  }
  dma(pa: number, word: number, coherent = false): void {
    this.memory.dmaWrite(pa, new Uint8Array(Uint32Array.of(word).buffer), coherent);
  }
  dmaRead(pa: number, coherent: boolean): number {
    const out = new Uint8Array(4);
    this.memory.dmaRead(pa, out, coherent);
    return new DataView(out.buffer).getUint32(0, true);
  }
}
