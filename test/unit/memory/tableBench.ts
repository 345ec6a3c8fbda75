/**
 * Two cores with MMU, caches and the coherence checker over one memory. Stage 1 has 25-bit addresses: a block of 2 MB at 0 maps
 * the start of RAM, tables included, for EL1; pages from 2 MB on are what a test makes of them.
 */
import { operationByName } from '../../../src/arch/sysops/index';
import { CORE_BLOCK_BYTES, coreLayout } from '../../../src/cpu/layout';
import { MemorySystem } from '../../../src/memory/memorySystem';
import { Mmu } from '../../../src/memory/mmu/index';
import type { Access, TranslatorPort } from '../../../src/memory/translator';
import { Access as A } from '../../../src/memory/translator';
import type { MemoryConfig, MemoryFinding, TranslationContext } from '../../../src/memory/types';
import { coreConfig, memoryConfig, RAM } from './harness';
import { block, context, NG, page, range, stage2 } from './mmu/rig';

const BASE = 0x1_0000;
const LEVEL2 = RAM;
const LEVEL3 = RAM + 0x1000;
/** Of a second level 3 table. */
export const OTHER_LEVEL3 = RAM + 0x2000;
/** Stage 2: level 1 first, a block of 1 GB for RAM but for the pages of a second table at 0x80000000. */
const STAGE2 = RAM + 0x4000;
const STAGE2_LEVEL2 = RAM + 0x5000;
const STAGE2_LEVEL3 = RAM + 0x6000;
export const FRAMES = RAM + 0x1_0000;
/** Frames whose intermediate addresses differ from the physical ones. */
export const IPA = 0x8000_0000;
export const VA = 0x20_0000;
const STACK = 0x1000_0000;

export const frame = (n: number): bigint => BigInt(FRAMES + n * 4096);
export const leaf = (n: number, more = 0n): bigint => page(frame(n), NG | more);
/** A page of stage 2: read-write, Write-Back, Inner Shareable. */
export const leaf2 = (n: number, more = 0n): bigint => frame(n) | 0x7ffn | more;

export class TableBench {
  readonly memory: MemorySystem;
  readonly mmu: Mmu;
  readonly contexts: TranslationContext[];
  readonly findings: MemoryFinding[] = [];
  /** Stack pointers of both cores, whatever level. */
  readonly stacks = [STACK, STACK + 0x10000];
  time = 0;
  private readonly u32: Uint32Array;

  constructor(checker: MemoryConfig['checker'] = 'actual') {
    const config = memoryConfig({ cores: [coreConfig(), coreConfig()], checker });
    const buffer = new ArrayBuffer(BASE + MemorySystem.bytesNeeded(config, BASE));
    this.u32 = new Uint32Array(buffer);
    const late: { memory?: MemorySystem } = {};
    const port: TranslatorPort = {
      walkRead: (core, pa, cacheable) => late.memory!.walkRead(core, pa, cacheable),
      get walkLo() {
        return late.memory!.walkLo;
      },
      get walkHi() {
        return late.memory!.walkHi;
      },
      peekDescriptor: (pa, cacheable) => late.memory!.peekDescriptor(pa, cacheable),
      walkWrite: (core, pa, cacheable, hi, lo) => late.memory!.walkWrite(core, pa, cacheable, hi, lo),
      dropTranslations: (core, hi, lo, log2, index) => late.memory!.dropTranslations(core, hi, lo, log2, index),
      penalty: () => {},
    };
    this.mmu = new Mmu(config, port);
    this.memory = late.memory = new MemorySystem(buffer, BASE, config, {
      layout: coreLayout,
      translator: this.mmu,
      bus: { read: () => false, write: () => false, peek: () => undefined },
      context: (core) => this.contexts[core],
      blockBase: (core) => core * CORE_BLOCK_BYTES,
      decode: () => {},
      markStale: () => {},
      finding: (f) => void this.findings.push(f),
      time: () => this.time,
      stack: (core) => this.stacks[core],
    });
    if (this.memory.checker !== undefined) this.mmu.watchedBy(this.memory.checker.translations);
    const r = range({ vaBits: 25, base: LEVEL2 });
    this.contexts = [0, 1].map(() => context({ asid: 1, ranges: [r, r], mairLo: 0x0c080400, mairHi: 0x44ffbb44 }));
    this.poke(LEVEL2, block(BigInt(RAM)));
    this.poke(LEVEL2 + 8, BigInt(LEVEL3) | 3n);
    this.poke(STAGE2 + 8, BigInt(RAM) | 0x7fdn);
    this.poke(STAGE2 + 16, BigInt(STAGE2_LEVEL2) | 3n);
    this.poke(STAGE2_LEVEL2, BigInt(STAGE2_LEVEL3) | 3n);
    for (let n = 0; n < 8; n++) {
      this.map(n, leaf(n));
      this.poke(this.entry2(n), leaf2(n));
      this.poke(FRAMES + n * 4096, BigInt(n));
    }
    for (const core of [0, 1]) {
      this.memory.selectContext(core, [0]);
      this.setPc(core, 0x1000 * (core + 1));
    }
  }

  poke(pa: number, value: bigint): void {
    const bytes = new Uint8Array(8);
    new DataView(bytes.buffer).setBigUint64(0, value, true);
    this.memory.pokeView(pa, bytes);
  }
  map(n: number, value: bigint): void {
    this.poke(this.entry(n), value);
  }
  /** Physical addresses of the descriptors of page n, and of its table. */
  entry = (n: number): number => LEVEL3 + n * 8;
  entry2 = (n: number): number => STAGE2_LEVEL3 + n * 8;
  readonly table = LEVEL2 + 8;
  readonly frames = FRAMES;

  /** Stage 2 on, for both cores. */
  withStage2(): this {
    const s2 = stage2({ base: STAGE2, ipaBits: 39 });
    for (const c of this.contexts) Object.assign(c, { stage2: true, s2, vmid: 1 });
    for (const core of [0, 1]) this.memory.selectContext(core, [2]);
    return this;
  }

  setPc(core: number, pc: number): void {
    this.u32[(core * CORE_BLOCK_BYTES + coreLayout.pc[0]) >>> 2] = pc;
  }

  /** An access as generated code makes it: 'fast' through a line table, else its result or fault. */
  access(core: number, va: number, access: Access = A.Read): string {
    const { memory } = this;
    if (access === A.Fetch) return memory.fetch(core, 0, va, true) === 0 ? memory.fault.kind : 'ok';
    const table =
      this.u32[(core * CORE_BLOCK_BYTES + coreLayout[access === A.Read ? 'loadTable' : 'storeTable'][0]) >>> 2];
    const at = (table >>> 2) + ((va >>> memory.shared.unitLog2) & 1023) * 4;
    if (this.u32[at] === (va & -memory.shared.unitBytes) >>> 0) return 'fast';
    const done = access === A.Read ? memory.load(core, 0, va, 3) : memory.store(core, 0, va, 3);
    return done === 0 ? 'ok' : memory.fault.kind;
  }
  read = (core: number, n: number): string => this.access(core, VA + n * 4096);
  write = (core: number, n: number): string => this.access(core, VA + n * 4096, A.Write);
  run = (core: number, n: number): string => this.access(core, VA + n * 4096, A.Fetch);

  /** A core stores a descriptor, through the block that maps the tables. */
  store(core: number, pa: number, value: bigint): void {
    const at = (core * CORE_BLOCK_BYTES + coreLayout.value[0]) >>> 2;
    this.u32[at] = Number(value & 0xffff_ffffn);
    this.u32[at + 1] = Number(value >> 32n);
    if (this.memory.store(core, 0, pa - RAM, 3) !== 0) throw new Error(`fault ${this.memory.fault.kind}`);
  }

  dsb = (core: number): void => this.memory.dsb(core);
  isb = (core: number): void => this.memory.isb(core);
  tlbi(core: number, name: string, n = 0): void {
    const row = operationByName(`TLBI ${name}`)!;
    const page = row.operand === 'ipa' ? (IPA >>> 12) + n : (VA >>> 12) + n;
    const cores = row.shareable === true ? [0, 1] : [core];
    const asid = row.asid === true ? 1 << 16 : 0;
    for (const c of cores) this.mmu.tlbi(c, row, asid, page, this.contexts[core], core);
  }

  /** 'kind by core N at PC'. */
  get found(): string[] {
    return this.findings.map((f) => `${f.kind} by core ${f.core} at ${f.pcLo.toString(16)}`);
  }
}
