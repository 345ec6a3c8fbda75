/**
 * An engine without a machine: one core, flat memory, no caches. Virtual addresses 0 … 64 KiB are data, code stands at
 * CODE_VA; line tables are filled as the memory system would.
 */
import { type FeatureSet, featureNames } from '../../../src/arch/features';
import { CORE_BLOCK_BYTES, coreLayout, slotOffset } from '../../../src/cpu/layout';
import { Engine } from '../../../src/engine/engine';
import { type ImportName, importNames } from '../../../src/engine/interpreter';
import {
  EMPTY_TAG_BYTE,
  FETCH_TABLE_ENTRIES,
  LINE_TABLE_BYTES,
  RECORD_BYTES,
  SLOT_TABLES_BYTES,
} from '../../../src/memory/layout';

export const CODE_VA = 0x10_0000;
export const DATA_BYTES = 0x1_0000;
const PAGES = 64;
const BLOCK = 0x1000;
const TABLES = 0x4000;
const RECORDS = 0x20_0000;
const CODE = 0x18_0000;
const DATA = 0x10_0000;
const LINE = 64;

export interface Rig {
  readonly buffer: ArrayBuffer;
  readonly memory: WebAssembly.Memory;
  readonly engine: Engine;
  readonly block: number;
  /** Slow paths taken, by name. */
  readonly taken: Map<string, number>;
  readonly data: Uint8Array;
  /** Slow loads ask for an exit after their instruction. */
  exitAfterLoads: boolean;
  /** Empties the line tables of loads and stores. */
  forgetEntries(): void;
  readonly slow: Record<ImportName, (core: number, ...args: number[]) => number>;
  write(words: readonly number[]): void;
  x(n: number): bigint;
  setX(n: number, value: bigint): void;
  setPc(va: number): void;
  pc(): bigint;
  /** The core block without fields that say how code ran. */
  state(): string;
}

/** @param features of the core: all that there are, done or not, where none are given. */
export function makeRig(features: FeatureSet = new Set(featureNames)): Rig {
  const memory = new WebAssembly.Memory({ initial: PAGES, maximum: PAGES });
  const buffer = memory.buffer as ArrayBuffer;
  const u32 = new Uint32Array(buffer);
  const u8 = new Uint8Array(buffer);
  const view = new DataView(buffer);
  const taken = new Map<string, number>();
  const at = (name: keyof typeof coreLayout): number => BLOCK + coreLayout[name][0];
  u8.fill(EMPTY_TAG_BYTE, TABLES, TABLES + SLOT_TABLES_BYTES);
  u32[at('loadTable') >> 2] = TABLES;
  u32[at('storeTable') >> 2] = TABLES + LINE_TABLE_BYTES;
  u32[at('fetchTable') >> 2] = TABLES + 2 * LINE_TABLE_BYTES;

  /** Data wraps at 64 KiB, whatever the high address bits are: every address is mapped. */
  const access = (store: boolean) => (_core: number, lo: number, _hi: number, bits: number) => {
    const n = 1 << (bits & 7);
    const value = at('value');
    for (let i = 0; i < n; i++) {
      const host = DATA + ((lo + i) & (DATA_BYTES - 1));
      if (store) u8[host] = u8[value + i];
      else u8[value + i] = u8[host];
    }
    if (!store) u8.fill(0, value + n, value + 8);
    if (!store && rig.exitAfterLoads) u32[at('pendingExit') >> 2] = 1;
    if (lo >= 0 && (lo & (LINE - 1)) + n <= LINE && _hi === 0) {
      const entry = (TABLES + (store ? LINE_TABLE_BYTES : 0) + (((lo >>> 6) & 1023) << 4)) >> 2;
      u32[entry] = lo & -LINE;
      u32[entry + 1] = 0;
      u32[entry + 2] = DATA + (lo & (DATA_BYTES - 1) & -LINE);
    }
    return 0;
  };
  const slow = {} as Record<ImportName, (core: number, ...args: number[]) => number>;
  for (const name of importNames) {
    slow[name] = () => {
      taken.set(name, (taken.get(name) ?? 0) + 1);
      return 1;
    };
  }
  slow.load = access(false);
  slow.store = access(true);
  const granules = new Set<number>();
  const engine: Engine = new Engine(
    buffer,
    {
      memoryImport: memory,
      instantiate: (bytes, imports) =>
        new WebAssembly.Instance(new WebAssembly.Module(bytes as BufferSource), imports as WebAssembly.Imports)
          .exports as Record<string, unknown>,
    },
    { pages: PAGES, unitLog2: 6, granuleLog2: 6 },
    {
      slow,
      breakpoint: () => 0,
      stale: () => false,
      fetch: (_core, hi, lo, install) => {
        if (hi !== 0 || lo < CODE_VA || lo >= CODE_VA + 0x8000) return 0;
        const granule = lo & -LINE;
        const records = RECORDS + ((granule - CODE_VA) / LINE) * 17 * RECORD_BYTES;
        if (!granules.has(granule)) {
          granules.add(granule);
          engine.decode(0, CODE + granule - CODE_VA, records);
        }
        if (install) {
          const entry = (TABLES + 2 * LINE_TABLE_BYTES + (((lo >>> 6) & (FETCH_TABLE_ENTRIES - 1)) << 4)) >> 2;
          u32[entry] = granule;
          u32[entry + 1] = 0;
          u32[entry + 2] = records;
        }
        return records + ((lo & (LINE - 1)) << 2);
      },
    },
    [features],
  );
  const rig: Rig = {
    exitAfterLoads: false,
    forgetEntries: () => void u8.fill(EMPTY_TAG_BYTE, TABLES, TABLES + 2 * LINE_TABLE_BYTES),
    buffer,
    memory,
    engine,
    block: BLOCK,
    taken,
    slow,
    data: u8.subarray(DATA, DATA + DATA_BYTES),
    write(words) {
      for (const [i, w] of words.entries()) view.setUint32(CODE + i * 4, w, true);
      granules.clear();
      u8.fill(EMPTY_TAG_BYTE, TABLES, TABLES + SLOT_TABLES_BYTES);
    },
    x: (n) => view.getBigUint64(BLOCK + slotOffset(n), true),
    setX: (n, value) => view.setBigUint64(BLOCK + slotOffset(n), BigInt.asUintN(64, value), true),
    setPc: (va) => view.setBigUint64(at('pc'), BigInt(va), true),
    pc: () => view.getBigUint64(at('pc'), true),
    state: () => {
      const copy = u8.slice(BLOCK, BLOCK + CORE_BLOCK_BYTES);
      const clear = (name: keyof typeof coreLayout): void => {
        copy.fill(0, coreLayout[name][0], coreLayout[name][0] + coreLayout[name][1]);
      };
      const run = ['budget', 'entryRec', 'pcDelta', 'limit', 'pendingExit', 'accesses', 'value', 'pc'] as const;
      for (const name of run) clear(name);
      copy.fill(0, slotOffset(33), slotOffset(34));
      return Buffer.from(copy).toString('hex');
    },
  };
  return rig;
}
