/** View models as an adapter sends them, for tests of what is shown. */
import type {
  CacheCell,
  CacheLinesView,
  CachesView,
  CoreRow,
  CoresView,
  FindingRow,
  IdRegistersView,
  InstructionRow,
  LineCopyRow,
  LineStateView,
  VmsView,
} from '../../../src/protocol';

export const hex64 = (value: number): string => `0x${value.toString(16).padStart(16, '0')}`;

export const core = (changes: Partial<CoreRow> = {}): CoreRow => ({
  core: 0,
  threadId: 1,
  model: 'cortex-a57',
  state: 'running',
  el: 1,
  pc: hex64(0x40201234),
  symbol: 'main+0x10',
  source: { path: '/guest/kernel.c', line: 12 },
  mmu: true,
  asid: 3,
  vmid: undefined,
  instructions: 1234567,
  stopReason: undefined,
  ...changes,
});

export const cores = (running: boolean, ...rows: CoreRow[]): CoresView => ({ version: 1, running, cores: rows });

const field = (value: string, meaning: string, differs: boolean) => ({
  name: 'IminLine',
  hi: 3,
  lo: 0,
  value,
  meaning,
  differs,
});

/** CTR_EL0 of two cores with other I-lines, and CLIDR_EL1 that they agree on. */
export const idRegisters: IdRegistersView = {
  version: 1,
  running: false,
  cores: [
    { core: 0, model: 'cortex-a57' },
    { core: 1, model: 'small-lines' },
  ],
  rows: [
    {
      name: 'CTR_EL0',
      title: 'Cache Type Register',
      mismatch: true,
      cells: [
        { core: 0, raw: hex64(0x8444c004), fields: [field('0x4', '64 bytes', true)] },
        { core: 1, raw: hex64(0x84448003), fields: [field('0x3', '32 bytes', true)] },
      ],
    },
    {
      name: 'CLIDR_EL1',
      title: 'Cache Level ID Register',
      mismatch: false,
      cells: [0, 1].map((n) => ({
        core: n,
        raw: hex64(0x0a200023),
        fields: [{ name: 'LoC', hi: 26, lo: 24, value: '0x2', meaning: 'level 2', differs: false }],
      })),
    },
  ],
};

export const caches = (sets: number, changes: { differing?: number; dirty?: number } = {}): CachesView => ({
  version: 1,
  running: false,
  cores: [
    {
      core: 0,
      model: 'cortex-a57',
      caches: [
        {
          ...{ level: 1, kind: 'I', name: 'L1 I', sets, ways: 3, lineBytes: 64, sizeBytes: sets * 192 },
          ...{ policy: 'PIPT', replacement: 'lru', valid: 10, dirty: 0, differing: 0 },
          ...changes,
        },
      ],
    },
  ],
});

export const cell = (way: number, changes: Partial<CacheCell> = {}): CacheCell => ({
  way,
  state: 'clean',
  pa: hex64(0x40201200),
  va: hex64(0x40201200),
  vmid: undefined,
  symbol: 'main',
  differs: false,
  changed: false,
  matches: true,
  ...changes,
});
export const noLine = (way: number): CacheCell =>
  cell(way, { state: 'invalid', pa: undefined, va: undefined, symbol: undefined, matches: false });

/** A page of a cache with two ways; every set from `start` on holds one line. */
export const page = (start: number, count: number, totalRows: number, version = 1): CacheLinesView => ({
  ...{ version, running: false, core: 0, level: 1, kind: 'I', name: 'L1 I' },
  ...{ sets: totalRows, ways: 2, lineBytes: 64, totalRows, start, valid: totalRows, dirty: 0, differing: 0 },
  rows: Array.from({ length: Math.min(count, totalRows - start) }, (_, i) => ({
    set: start + i,
    cells: [cell(0, { pa: hex64(0x40000000 + 64 * (start + i)) }), noLine(1)],
  })),
});

const OLD = '20008052c0035fd6';
const NEW = '40008052c0035fd6';
const instruction = (address: number, word: string, text: string, differs: boolean): InstructionRow => ({
  address: hex64(address),
  word,
  text,
  symbol: undefined,
  differs,
});
const instructions = (old: boolean): InstructionRow[] => [
  instruction(0x40201200, old ? '0x52800020' : '0x52800040', old ? 'mov w0, #1' : 'mov w0, #2', old),
  instruction(0x40201204, '0xd65f03c0', 'ret', false),
];
const copy = (where: string, core: number | undefined, old: boolean, changes: Partial<LineCopyRow>): LineCopyRow => ({
  ...{ where, core, present: true, dirty: false, differs: old, changed: false, offset: 0 },
  bytes: old ? OLD : NEW,
  instructions: instructions(old),
  ...changes,
});

/** Code was written and cleaned, but the I-cache still has the old line. */
export const staleLine = (changes: Partial<LineStateView> = {}): LineStateView => ({
  ...{ version: 1, running: false, address: 'patched', symbol: 'patched', va: hex64(0x40201200) },
  ...{ pa: hex64(0x40201200), offset: 0, lineBytes: 8, differing: 1 },
  copies: [
    copy('L1I core0', 0, true, {}),
    copy('L1D core0', 0, false, { dirty: true, changed: true }),
    copy('L2 cluster0', undefined, false, { present: false, bytes: undefined, instructions: [] }),
    copy('PoU', undefined, false, {}),
    copy('view', undefined, false, {}),
  ],
  ...changes,
});

/** One machine: a vCPU in its guest that is to move, and one that is off. */
export const vms = (changes: Partial<VmsView> = {}): VmsView => ({
  version: 1,
  running: false,
  model: true,
  kvm: '6.12',
  started: true,
  errors: [],
  policies: [
    {
      name: 'fb',
      about: 'HCR_EL2.FB',
      value: 'on',
      meaning: 'broadcast',
      standing: 'since v4.9',
      changed: false,
      released: 'on',
      values: [],
    },
    {
      name: 'fwb',
      about: 'stage 2',
      value: 'off',
      meaning: 'not used',
      standing: 'ours',
      changed: true,
      released: 'on',
      values: [],
    },
  ],
  vms: [
    {
      vm: 1,
      vmid: 3,
      slots: [
        {
          ...{ id: 0, guestAddress: hex64(0x40000000), bytes: 16 << 20, hostAddress: hex64(0x41000000) },
          ...{ flags: ['KVM_MEM_READONLY'], mapping: 'ordinary, NORMAL' },
        },
      ],
      stage2: { root: hex64(0x40000000), pageBytes: 4096, inputBits: 40, startLevel: 1, tables: 3 },
      vcpus: [
        {
          ...{ vcpu: 0, name: 'vm1/vcpu0', core: 2, state: 'guest', el: 1, pc: hex64(0x40201234), symbol: 'main+0x10' },
          ...{ source: { path: '/guest/kernel.c', line: 12 }, goesTo: 5, pinned: 5, paused: true },
          exits: [
            { name: 'SYS64', count: 1200, cycles: 240_000 },
            { name: 'IRQ', count: 1, cycles: 90 },
          ],
          traps: [{ name: 'CTR_EL0', count: 1200, cycles: 240_000 }],
        },
        {
          ...{ vcpu: 1, name: 'vm1/vcpu1', core: 1, state: 'off', el: 1, pc: hex64(0), symbol: undefined },
          ...{ source: undefined, goesTo: undefined, pinned: undefined, paused: false, exits: [], traps: [] },
        },
      ],
    },
  ],
  ...changes,
});

export const finding = (changes: Partial<FindingRow> = {}): FindingRow => ({
  id: 1,
  kind: 'stale fetch',
  mode: 'actual',
  core: 0,
  el: 1,
  asid: 0,
  vmid: 0,
  pc: hex64(0x40204280),
  pa: hex64(0x41204280),
  symbol: 'answer',
  source: { path: '/guest/patch.S', line: 63 },
  executed: { word: '0x52800020', text: 'mov w0, #1' },
  current: { word: '0x52800040', text: 'mov w0, #2' },
  writer: { core: 0, pc: hex64(0x40204270), symbol: 'rewrite' },
  instructions: 28406,
  missing: ['IC IVAU', 'DSB ISH'],
  advice: 'after writing: …',
  ...changes,
});
