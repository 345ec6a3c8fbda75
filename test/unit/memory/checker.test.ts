/**
 * Sequences that modify code, with each step of maintenance left out in turn: what runs, what actual mode reports, what
 * architectural mode reports. Verdicts follow FIDELITY B5 and the published ones: nothing is reported where the manual's
 * sequence for the core's CTR_EL0 was done.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SyncTracker } from '../../../src/memory/syncTracker';
import { type MemoryConfig, MemoryType } from '../../../src/memory/types';
import { Bench, coreConfig, memoryConfig, RAM } from './harness';

const F = RAM + 0x80;
const OLD = 0xd2800020; // MOV X0, #1
const NEW = 0xd2800040; // MOV X0, #2
const RET = 0xd65f03c0;
const NOP = 0xd503201f;
const B8 = 0x14000002;

type Step = 'write' | 'CVAU' | 'CVAC' | 'DSB' | 'IVAU' | 'IALLU' | 'IALLUIS' | 'ISB';
type Mode = 'actual' | 'architectural';

const machine = (idc: boolean, dic: boolean, checker: Mode, over: Partial<MemoryConfig> = {}): MemoryConfig =>
  memoryConfig({ cores: [coreConfig({ idc, dic }), coreConfig({ idc, dic })], checker, ...over });

/** The old word has run on `runner`; core 0 does the steps; the runner does an ISB if told; then the word runs again. */
function modify(config: MemoryConfig, steps: readonly Step[], runner = 0, runnerIsb = true): { ran: number; b: Bench } {
  const b = new Bench(config);
  b.poke(F, OLD);
  assert.equal(b.run(runner, F), OLD);
  assert.deepEqual(b.findings, [], 'what the loader put there counts as synchronised');
  b.setPc(0, 0x1234);
  for (const step of steps) {
    if (step === 'write') b.store(0, F, NEW);
    else if (step === 'DSB') b.memory.dsb(0);
    else if (step === 'ISB') b.memory.isb(0);
    else b.op(0, step, F);
  }
  if (runner !== 0 && runnerIsb) b.memory.isb(runner);
  const ran = b.run(runner, F);
  return { ran, b };
}

const reports = (b: Bench): string[] => b.findings.map((f) => `${f.kind}: ${f.missing.join(', ')}`);

const D0I0: readonly Step[] = ['write', 'CVAU', 'DSB', 'IVAU', 'DSB', 'ISB'];
const D0I1: readonly Step[] = ['write', 'DSB', 'IVAU', 'DSB', 'ISB']; // IDC: no clean
const D1I1: readonly Step[] = ['write', 'DSB', 'ISB'];
const without = (steps: readonly Step[], ...at: number[]): Step[] => steps.filter((_, i) => !at.includes(i));

interface Case {
  readonly name: string;
  readonly idc: boolean;
  readonly dic: boolean;
  readonly steps: readonly Step[];
  readonly ran: number;
  readonly actual: string[];
  readonly architectural: string[];
}
const both = (...text: string[]): Pick<Case, 'actual' | 'architectural'> => ({ actual: text, architectural: text });
const onlyArchitectural = (...text: string[]): Pick<Case, 'actual' | 'architectural'> => ({
  actual: [],
  architectural: text,
});
const d0i0 = { idc: false, dic: false };
const d0i1 = { idc: true, dic: false };
const d1i1 = { idc: true, dic: true };

const cases: Case[] = [
  { name: 'D0I0 full sequence', ...d0i0, steps: D0I0, ran: NEW, ...both() },
  {
    name: 'D0I0 full sequence by IC IALLU',
    ...d0i0,
    steps: ['write', 'CVAU', 'DSB', 'IALLU', 'DSB', 'ISB'],
    ran: NEW,
    ...both(),
  },
  {
    name: 'D0I0 full sequence by IC IALLUIS',
    ...d0i0,
    steps: ['write', 'CVAU', 'DSB', 'IALLUIS', 'DSB', 'ISB'],
    ran: NEW,
    ...both(),
  },
  { name: 'D0I0 cleaned to PoC', ...d0i0, steps: ['write', 'CVAC', 'DSB', 'IVAU', 'DSB', 'ISB'], ran: NEW, ...both() },
  {
    name: 'D0I0 nothing',
    ...d0i0,
    steps: ['write'],
    ran: OLD,
    ...both('stale fetch: DC CVAU, DSB ISH, IC IVAU, DSB ISH, ISB'),
  },
  { name: 'D0I0 DSB, ISB', ...d0i0, steps: D1I1, ran: OLD, ...both('stale fetch: DC CVAU, DSB ISH, IC IVAU, DSB ISH') },
  { name: 'D0I0 no DC', ...d0i0, steps: D0I1, ran: OLD, ...both('stale fetch: DC CVAU, DSB ISH') },
  {
    name: 'D0I0 no DSB after DC',
    ...d0i0,
    steps: without(D0I0, 2),
    ran: NEW,
    ...onlyArchitectural('missing maintenance: DSB ISH'),
  },
  { name: 'D0I0 no IC', ...d0i0, steps: without(D0I0, 3, 4), ran: OLD, ...both('stale fetch: IC IVAU, DSB ISH') },
  {
    name: 'D0I0 IC before DC',
    ...d0i0,
    steps: ['write', 'IVAU', 'DSB', 'CVAU', 'DSB', 'ISB'],
    ran: NEW,
    ...onlyArchitectural('missing maintenance: DSB ISH'),
  },
  {
    name: 'D0I0 no DSB after IC',
    ...d0i0,
    steps: without(D0I0, 4),
    ran: NEW,
    ...onlyArchitectural('missing maintenance: DSB ISH'),
  },
  {
    name: 'D0I0 no ISB',
    ...d0i0,
    steps: without(D0I0, 5),
    ran: NEW,
    ...onlyArchitectural('missing context synchronisation: ISB'),
  },
  { name: 'D0I1 full sequence', ...d0i1, steps: D0I1, ran: NEW, ...both() },
  { name: 'D0I1 nothing', ...d0i1, steps: ['write'], ran: OLD, ...both('stale fetch: DSB ISH, IC IVAU, DSB ISH, ISB') },
  { name: 'D0I1 no IC', ...d0i1, steps: D1I1, ran: OLD, ...both('stale fetch: IC IVAU, DSB ISH') },
  {
    name: 'D0I1 no DSB before IC',
    ...d0i1,
    steps: without(D0I1, 1),
    ran: NEW,
    ...onlyArchitectural('missing maintenance: DSB ISH'),
  },
  {
    name: 'D0I1 no ISB',
    ...d0i1,
    steps: without(D0I1, 4),
    ran: NEW,
    ...onlyArchitectural('missing context synchronisation: ISB'),
  },
  { name: 'D1I1 full sequence', ...d1i1, steps: D1I1, ran: NEW, ...both() },
  { name: 'D1I1 the sequence for less', ...d1i1, steps: D0I0, ran: NEW, ...both() },
  {
    name: 'D1I1 nothing',
    ...d1i1,
    steps: ['write'],
    ran: NEW,
    ...onlyArchitectural('missing maintenance: DSB ISH, ISB'),
  },
  {
    name: 'D1I1 no ISB',
    ...d1i1,
    steps: without(D1I1, 2),
    ran: NEW,
    ...onlyArchitectural('missing context synchronisation: ISB'),
  },
];

for (const c of cases)
  for (const mode of ['actual', 'architectural'] as const)
    test(`${c.name}, ${mode} mode`, () => {
      const { ran, b } = modify(machine(c.idc, c.dic, mode), c.steps);
      assert.equal(ran, c.ran);
      assert.deepEqual(reports(b), c[mode]);
    });

test('another core needs an ISB of its own', () => {
  const ok = modify(machine(false, false, 'architectural'), without(D0I0, 5), 1, true);
  assert.equal(ok.ran, NEW);
  assert.deepEqual(reports(ok.b), []);
  const no = modify(machine(false, false, 'architectural'), D0I0, 1, false);
  assert.deepEqual(reports(no.b), ['missing context synchronisation: ISB on core 1']);
});

test('IC IALLU does not reach another core', () => {
  const { ran, b } = modify(machine(false, false, 'actual'), ['write', 'CVAU', 'DSB', 'IALLU', 'DSB', 'ISB'], 1);
  assert.equal(ran, OLD);
  assert.deepEqual(reports(b), ['stale fetch: IC IVAU, DSB ISH']);
});

test('a finding tells words, place, time and writer', () => {
  const { b } = modify(machine(false, false, 'actual'), ['write']);
  const [f] = b.findings;
  assert.deepEqual(
    { ...f, time: 0, advice: '', missing: [] },
    {
      kind: 'stale fetch',
      mode: 'actual',
      core: 0,
      pcHi: 0,
      pcLo: F,
      pa: F,
      executed: OLD,
      current: NEW,
      owner: 0,
      filler: 0,
      writerCore: 0,
      writerPcHi: 0,
      writerPcLo: 0x1234,
      time: 0,
      missing: [],
      advice: '',
    },
  );
  assert.match(f.advice, /DC CVAU each D-line; DSB ISH; IC IVAU each I-line; DSB ISH; then ISB on core 0/);
});

test('one finding for each write and core, however often the word runs', () => {
  for (const mode of ['actual', 'architectural'] as const) {
    const { b } = modify(machine(false, false, mode), ['write']);
    for (let i = 0; i < 5; i++) b.run(0, F);
    assert.equal(b.findings.length, 1, mode);
    b.store(0, F, RET);
    for (let i = 0; i < 5; i++) b.run(0, F);
    assert.equal(b.findings.length, 2, mode);
  }
});

test('several old words of one line are one finding, those of two lines two', () => {
  const b = new Bench(machine(false, false, 'actual'));
  const words = [F, F + 4, F + 64];
  for (const at of words) {
    b.poke(at, OLD);
    b.run(0, at);
  }
  for (const at of words) b.store(0, at, NEW);
  for (const at of words) b.run(0, at);
  assert.deepEqual(
    b.findings.map((f) => f.pcLo),
    [F, F + 64],
  );
});

test('words of the same line that nobody changed are not reported in actual mode', () => {
  const b = new Bench(machine(false, false, 'actual'));
  b.poke(F, OLD);
  b.run(0, F);
  b.store(0, F, NEW);
  b.run(0, F + 4);
  assert.deepEqual(b.findings, []);
  b.run(0, F);
  assert.equal(b.findings.length, 1);
});

test('code that was never fetched is judged too: stored, then jumped to', () => {
  const expect: Record<string, string[]> = {
    // The line is dirty in L1D and not below: the fetch runs what was there before.
    'D0I0 actual': ['stale fetch: DC CVAU, DSB ISH, IC IVAU, DSB ISH, ISB'],
    'D0I0 architectural': ['stale fetch: DC CVAU, DSB ISH, IC IVAU, DSB ISH, ISB'],
    'D0I1 actual': [],
    'D0I1 architectural': ['missing maintenance: DSB ISH, IC IVAU, DSB ISH, ISB'],
    'D1I1 actual': [],
    'D1I1 architectural': ['missing maintenance: DSB ISH, ISB'],
  };
  for (const [key, text] of Object.entries(expect)) {
    const mode = key.endsWith('actual') ? 'actual' : 'architectural';
    const b = new Bench(machine(key[3] === '1', key[1] === '1', mode));
    b.store(0, F, RET);
    b.run(0, F);
    assert.deepEqual(reports(b), text, key);
  }
});

test('with IDC and DIC old writes to pages that nobody fetched from need no barriers', () => {
  for (const [idc, dic, fetched, age, expected] of [
    [true, true, false, 5000, []],
    [true, true, false, 100, ['missing maintenance: DSB ISH, ISB']],
    [true, true, true, 5000, ['missing maintenance: DSB ISH, ISB']],
    [true, false, false, 5000, ['missing maintenance: DSB ISH, IC IVAU, DSB ISH, ISB']],
  ] as const) {
    const b = new Bench(machine(idc, dic, 'architectural'));
    if (fetched) b.run(0, F + 64);
    b.store(0, F, RET);
    b.time += age;
    b.run(0, F);
    assert.deepEqual(reports(b), expected, `${dic} ${fetched} ${age}`);
  }
});

test('architectural mode judges words: neighbours of a patched word in its line are not to blame', () => {
  const b = new Bench(machine(false, false, 'architectural'));
  b.run(0, F);
  b.store(0, F + 8, RET);
  b.run(0, F + 4);
  assert.deepEqual(reports(b), []);
  b.run(0, F + 8);
  assert.equal(b.findings.length, 1);
});

test('architectural mode tells data from code in a line that was in no I-cache', () => {
  const b = new Bench(machine(false, false, 'architectural'));
  b.store(0, F, RET);
  b.store(0, F + 4, RET);
  b.run(0, F + 8);
  b.run(0, F + 16);
  assert.deepEqual(reports(b), []);
  b.run(0, F + 4);
  assert.equal(b.findings.length, 1);
  for (let at = 0; at < 20; at += 4) b.store(0, F + 64 + at, RET);
  b.run(0, F + 64 + 32);
  assert.equal(b.findings.length, 2, 'a line that is filled is code that was written');
});

test('a word whose maintenance was not finished stays to blame when another word of its line is written', () => {
  for (const finished of [true, false]) {
    const b = new Bench(machine(false, false, 'architectural'));
    b.run(0, F);
    b.store(0, F + 8, RET);
    b.op(0, 'CVAU', F);
    if (finished) b.memory.dsb(0);
    b.op(0, 'IVAU', F);
    b.memory.dsb(0);
    b.memory.isb(0);
    b.run(0, F);
    b.store(0, F + 12, RET);
    b.findings.length = 0;
    b.run(0, F + 8);
    assert.equal(b.findings.length, finished ? 0 : 1);
  }
});

test('dirty data that was evicted is no stale fetch any more, but architectural mode still tells', () => {
  for (const mode of ['actual', 'architectural'] as const) {
    const b = new Bench(machine(false, false, mode));
    b.store(0, F, RET);
    b.op(0, 'CISW', 0); // set 0
    for (let way = 0; way < 2; way++)
      for (let set = 0; set < 4; set++) b.op(0, 'CSW', ((way << 31) | (set << 6)) >>> 0);
    assert.equal(b.run(0, F), RET);
    assert.equal(b.findings.length, mode === 'actual' ? 0 : 1);
  }
});

test('in architectural mode a store between IC and DSB is seen although its line had a store entry', () => {
  const b = new Bench(machine(true, false, 'architectural'));
  for (let at = F + 12; at >= F; at -= 4) {
    b.store(0, at, NEW);
    assert.equal(b.fast(0, 'storeTable', F), 0, 'which words were written still matters');
  }
  b.store(0, F + 16, NEW);
  assert.notEqual(b.fast(0, 'storeTable', F), 0);
  b.memory.dsb(0);
  b.op(0, 'IVAU', F);
  b.store(0, F, RET); // after the IC: needs another
  b.memory.dsb(0);
  b.memory.isb(0);
  b.run(0, F);
  assert.deepEqual(reports(b), ['missing maintenance: IC IVAU, DSB ISH']);
});

test('with IDC a store after the DSB is seen although its line had a store entry', () => {
  const b = new Bench(machine(true, false, 'architectural'));
  b.store(0, F, NEW);
  b.memory.dsb(0);
  b.store(0, F, RET); // not complete when the IC comes
  b.op(0, 'IVAU', F);
  b.memory.dsb(0);
  b.memory.isb(0);
  b.run(0, F);
  assert.deepEqual(reports(b), ['missing maintenance: DSB ISH']);
});

test('operations once more, not yet completed, do not undo complete ones', () => {
  for (const [ic, again] of [
    ['IVAU', 'IVAU'],
    ['IALLU', 'IALLU'],
    ['IVAU', 'CVAU'],
    ['IALLU', 'CVAU'],
  ] as const) {
    const b = new Bench(machine(false, false, 'architectural'));
    b.store(0, F, NEW);
    for (const op of ['CVAU', ic] as const) {
      b.op(0, op, F);
      b.memory.dsb(0);
    }
    b.memory.isb(0);
    b.op(0, again, F);
    b.run(0, F);
    assert.deepEqual(reports(b), [], `${ic}, then ${again}`);
  }
});

test('an IC IVAU that reaches this core only does not replace one that reached all', () => {
  const b = new Bench(machine(false, false, 'architectural'));
  b.store(0, F, NEW);
  b.op(0, 'CVAU', F);
  b.memory.dsb(0);
  b.op(0, 'IVAU', F);
  b.memory.dsb(0);
  b.translator.shareability = 0;
  b.op(0, 'IVAU', F);
  b.memory.dsb(0);
  b.memory.isb(1);
  b.run(1, F);
  assert.deepEqual(reports(b), []);
});

test('instructions that may be modified concurrently are reported only after a context synchronisation event', () => {
  for (const [from, to, note] of [
    [NOP, B8, true],
    [B8, NOP, true],
    [NOP, RET, false],
    [RET, NOP, false],
  ] as const) {
    const b = new Bench(machine(false, false, 'actual'));
    b.poke(F, from);
    b.run(0, F);
    b.store(0, F, to);
    b.run(0, F);
    assert.equal(b.findings.length, note ? 0 : 1);
    assert.equal(b.memory.checker?.notes, note ? 1 : 0);
    b.memory.isb(0);
    b.run(0, F);
    assert.equal(b.findings.length, 1);
  }
});

test('a view that changes because a clean line went is compared again', () => {
  const b = new Bench(machine(true, false, 'actual'));
  b.poke(F, OLD);
  b.run(0, F);
  b.dma(F, NEW); // below the outer cache's line: the view stays
  b.run(0, F);
  assert.equal(b.findings.length, 0);
  b.op(0, 'IVAC', F);
  b.run(0, F);
  assert.deepEqual(reports(b), ['stale fetch: IC IVAU, DSB ISH, ISB']);
  assert.equal(b.findings[0].writerCore, -1);
});

test('a debugger write is no finding: every copy is changed', () => {
  for (const mode of ['actual', 'architectural'] as const) {
    const b = new Bench(machine(false, false, mode));
    b.store(0, F, OLD);
    b.run(0, F);
    b.findings.length = 0;
    b.poke(F, NEW);
    assert.equal(b.run(0, F), NEW);
    assert.deepEqual(b.findings, []);
  }
});

test('wrong stride: the other core has smaller I-lines', () => {
  const small = coreConfig({ l1i: { sets: 8, ways: 2, lineBytes: 32, replacement: 'random', policy: 'PIPT' } });
  for (const mode of ['actual', 'architectural'] as const) {
    const b = new Bench(memoryConfig({ cores: [coreConfig(), small], checker: mode }));
    for (const at of [F, F + 32]) {
      b.poke(at, OLD);
      b.run(1, at);
    }
    for (const at of [F, F + 32]) b.store(0, at, NEW);
    b.op(0, 'CVAU', F);
    b.memory.dsb(0);
    b.op(0, 'IVAU', F); // 64 bytes here, 32 on core 1
    b.memory.dsb(0);
    b.memory.isb(1);
    assert.equal(b.run(1, F), NEW);
    assert.equal(b.run(1, F + 32), OLD);
    assert.deepEqual(reports(b), ['wrong stride: IC IVAU, DSB ISH']);
  }
});

test('wrong stride: the writer has smaller D-lines', () => {
  const wide = coreConfig({ l1d: { sets: 4, ways: 2, lineBytes: 128, replacement: 'random' } });
  const l2 = [
    { sets: 16, ways: 4, lineBytes: 128, replacement: 'random' },
    { sets: 16, ways: 4, lineBytes: 64, replacement: 'random' },
  ] as const;
  const b = new Bench(memoryConfig({ cores: [wide, coreConfig({ l2: 1 })], l2, checker: 'architectural' }));
  for (const at of [F, F + 64]) b.store(1, at, NEW);
  b.memory.dsb(1);
  b.op(0, 'CVAU', F); // 128 bytes in core 0, 64 in core 1 where the dirty lines are
  b.memory.dsb(0);
  for (const at of [F, F + 64]) b.op(0, 'IVAU', at);
  b.memory.dsb(0);
  b.memory.isb(0);
  assert.equal(b.run(0, F), NEW);
  assert.notEqual(b.run(0, F + 64), NEW);
  assert.deepEqual(reports(b), ['wrong stride: DC CVAU, DSB ISH']);
});

test('a Non-cacheable fetch reads the point of coherency and wants DC CVAC', () => {
  const steps: ['CVAU' | 'CVAC', string[]][] = [
    ['CVAU', ['stale fetch: DC CVAC, DSB ISH']],
    ['CVAC', []],
  ];
  for (const [clean, text] of steps) {
    const b = new Bench(machine(false, false, 'architectural'));
    b.store(0, F, NEW);
    b.op(0, clean, F);
    b.memory.dsb(0);
    b.op(0, 'IVAU', F);
    b.memory.dsb(0);
    b.memory.isb(0);
    assert.equal(
      b.typed(MemoryType.NormalNC, () => b.run(0, F)),
      clean === 'CVAC' ? NEW : 0,
    );
    assert.deepEqual(reports(b), text);
  }
});

test('before any MMU is on, code written where nothing was fetched needs no barriers and no I-invalidation', () => {
  const b = new Bench(machine(false, false, 'architectural'));
  for (const c of b.contexts) c.mmu = false;
  const put = (at: number): void => b.store(0, at, RET, MemoryType.DeviceNGnRnE);
  b.run(0, RAM); // page 0; the next one may be prefetched
  put(RAM + 0x3000);
  b.run(0, RAM + 0x3000);
  assert.deepEqual(reports(b), []);
  put(RAM + 0x1000);
  b.run(0, RAM + 0x1000);
  assert.deepEqual(reports(b), ['missing maintenance: DSB ISH, IC IVAU, DSB ISH, ISB']);
});

test('words beyond 2 GiB of RAM are told apart as well', () => {
  const config = machine(false, false, 'architectural');
  const noted = { end: () => {}, has: () => false, note: () => {}, forget: () => {}, times: new Float64Array() };
  const tracker = new SyncTracker(config, 6, 3 * 2 ** 30, noted);
  const writer = { pcHi: 0, pcLo: 0, mmu: true, everyStoreSeen: true, time: 0 };
  for (const offset of [0x1000, 0x7fffffc8, 0xb0000008]) {
    tracker.wrote(0, offset, 4, false, writer);
    assert.notEqual(tracker.judgeWord(0, offset, false, 0), 0);
    assert.equal(tracker.judgeWord(0, offset + 4, false, 0), 0);
    tracker.cleaned(0, offset, false);
    tracker.dsb(0);
    tracker.invalidated(0, offset, 1);
    tracker.dsb(0);
    tracker.isb(0);
    assert.equal(tracker.judgeWord(0, offset, false, 0), 0);
  }
});
