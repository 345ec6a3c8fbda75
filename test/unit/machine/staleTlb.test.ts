/**
 * Bare-metal programs that change a page's descriptor at EL1, with the whole sequence and with parts of it left out: what the
 * checker says, at which instruction, on one core and on two.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Finding } from '../../../src/machine/api';
import { ElscopeMachine } from '../../../src/machine/machine';
import { presetConfig } from '../../../src/machine/presets';
import { nodePorts } from '../../../src/worker/nodePorts';

const CODE = 0x4000_0000;
const PARAMETERS = 0x4000_8000;
const FLAGS = 0x4000_9000;
const LEVEL1 = 0x4001_0000;
const LEVEL2 = 0x4001_1000;
const LEVEL3 = 0x4001_2000;
const PAGES = 0x4002_0000;
/** The page that is changed; everything else is mapped to itself. */
const VA = 0x8000_0000n;
const leaf = (n: number): bigint => BigInt(PAGES + n * 4096) | 0xf03n;

/** X10 the page's address, X11 its descriptor, X12 TLBI's operand, X13 a descriptor of another page, X15 two flags. */
const words = {
  'ldr x1, [x10]': 0xf9400141,
  'ldr x2, [x10]': 0xf9400142,
  'str xzr, [x11]': 0xf900017f,
  'str x13, [x11]': 0xf900016d,
  'dsb ishst': 0xd5033a9f,
  'dsb ish': 0xd5033b9f,
  isb: 0xd5033fdf,
  'tlbi vae1is, x12': 0xd508832c,
  'tlbi vae1, x12': 0xd508872c,
  'tlbi vmalle1is': 0xd508831f,
  'dc civac, x11': 0xd50b7e2b,
  'mrs x4, sctlr_el1': 0xd5381004,
  'msr sctlr_el1, x4': 0xd5181004,
  'msr sctlr_el1, xzr': 0xd518101f,
  'raise flag 0': 0xf90001ea, // str x10, [x15]
  'raise flag 1': 0xf90005ea,
  'load flag 0': 0xf94001e3, // ldr x3, [x15]
  'load flag 1': 0xf94005e3,
  'again while 0': 0xb4ffffe3, // cbz x3, . - 4
  'b .': 0x14000000,
} as const;
type Step = keyof typeof words;

/** Registers from the block at X0, then the MMU on. */
const prologue = [
  0xf9400001, 0xd518a201, 0xf9400401, 0xd5182041, 0xf9400801, 0xd5182001, 0xf9400c01, 0xd5033fdf, 0xd5181001,
  0xd5033fdf, 0xa9422c0a, 0xa943340c, 0xf940200f,
];
/** PSCI's CPU_ON of core 1, at the address in the block, with the block as its context. */
const startCore1 = [0xaa0003f3, 0xaa0003e3, 0xd2800060, 0xf2b88000, 0xd2800021, 0xf9402662, 0xd4000002, 0xaa1303e0];

const SCTLR = 0x30d0_1805n; // M, C, I and what is RES1
const TCR = 25n | (1n << 8n) | (1n << 10n) | (3n << 12n) | (1n << 23n);

interface Run {
  readonly findings: readonly Finding[];
  /** What the second load of each core got. */
  readonly x2: readonly bigint[];
  /** The step of core n at an address. */
  step(core: number, pc: bigint): Step | undefined;
}

function run(programs: readonly (readonly Step[])[], checker: 'actual' | 'architectural' = 'actual'): Run {
  const cores = programs.length;
  const config = { ...presetConfig('cortex-a57', cores), memoryBytes: 2 ** 24, highestEl: 1 as const, checker };
  const starts = [cores > 1 ? startCore1 : [], []].map((start, i) => [...start, ...prologue].length * 4 + i * 0x1000);
  const machine = new ElscopeMachine(config, nodePorts().wasm, {
    load: (m) => {
      const put = (at: number, list: readonly bigint[]): void =>
        void m.memory.pokeView(at, new Uint8Array(BigUint64Array.from(list).buffer));
      const code = (at: number, list: readonly number[]): void =>
        void m.memory.pokeView(at, new Uint8Array(Uint32Array.from(list).buffer));
      programs.forEach((steps, core) => {
        const start = core === 0 && cores > 1 ? startCore1 : [];
        code(CODE + core * 0x1000, [...start, ...prologue, ...steps.map((step) => words[step]), words['b .']]);
      });
      put(PARAMETERS, [0xffn, TCR, BigInt(LEVEL1), SCTLR, VA, BigInt(LEVEL3), VA >> 12n, leaf(1), BigInt(FLAGS)]);
      put(PARAMETERS + 72, [BigInt(CODE + 0x1000)]);
      put(LEVEL1, [0n, BigInt(CODE) | 0x701n, BigInt(LEVEL2) | 3n]);
      put(LEVEL2, [BigInt(LEVEL3) | 3n]);
      put(LEVEL3, [leaf(0)]);
      put(PAGES, [0x111n]);
      put(PAGES + 4096, [0x222n]);
      return { entry: CODE, x0: PARAMETERS };
    },
  });
  machine.run(20_000);
  return {
    findings: machine.findings(),
    x2: machine.units.map((unit) => unit.x(2)),
    step: (core, pc) => programs[core][(Number(pc) - CODE - starts[core]) / 4],
  };
}

const described = (r: Run): string[] =>
  r.findings.map((f) => `${f.kind}: core ${f.core} at ${r.step(f.core, f.pc)}, ${f.missing.join('; ')}`);

describe('one core', () => {
  const broken: readonly Step[] = ['ldr x1, [x10]', 'str xzr, [x11]'];
  const made: readonly Step[] = ['str x13, [x11]', 'dsb ishst', 'isb', 'ldr x2, [x10]'];

  test('the whole sequence: the new page is read, nothing is found', () => {
    for (const checker of ['actual', 'architectural'] as const) {
      const r = run([[...broken, 'dsb ishst', 'tlbi vae1is, x12', 'dsb ish', ...made]], checker);
      assert.deepEqual([described(r), r.x2], [[], [0x222n]], checker);
    }
  });

  test('barriers left out: architectural mode alone says so, at the load', () => {
    for (const [steps, missing] of [
      [['tlbi vae1is, x12', 'dsb ish', 'isb'], 'DSB ISHST before the TLBI'],
      [['dsb ishst', 'tlbi vae1is, x12'], 'DSB ISH; ISB'],
      [['dsb ishst', 'tlbi vae1is, x12', 'dsb ish'], 'ISB'],
    ] as const) {
      const program: readonly Step[] = [...broken, ...steps, 'str x13, [x11]', 'ldr x2, [x10]'];
      const [actual, architectural] = [run([program]), run([program], 'architectural')];
      assert.deepEqual([described(actual), actual.x2], [[], [0x222n]]);
      assert.deepEqual(described(architectural), [`incomplete TLB maintenance: core 0 at ldr x2, [x10], ${missing}`]);
    }
  });

  test('no TLBI: the break is not enough, and the stale page is read', () => {
    const r = run([[...broken, 'dsb ishst', 'dsb ish', ...made]]);
    assert.deepEqual(r.x2, [0x111n]);
    assert.deepEqual(described(r), [
      'break-before-make: core 0 at str x13, [x11], TLBI; DSB ISH',
      'stale TLB entry: core 0 at ldr x2, [x10], TLBI VAE1IS; DSB ISH; ISB',
    ]);
    const f = r.findings[1];
    assert.equal(r.step(0, f.writerPc ?? 0n), 'str xzr, [x11]', 'the first change that asked for it');
    assert.match(
      f.detail ?? '',
      /^read 0x80000000 \(PA 0x40020000\) .* 0x0000000040021f03: a walk gives PA 0x40021000$/,
    );
    assert.deepEqual([f.el, f.writerCore, f.pa], [1, 0, BigInt(LEVEL3)]);
  });

  test('with the MMU off no break is needed, but a TLBI before it is on again', () => {
    const off: readonly Step[] = ['mrs x4, sctlr_el1', 'dc civac, x11', 'dsb ish', 'msr sctlr_el1, xzr', 'isb'];
    const on: readonly Step[] = ['dsb ish', 'msr sctlr_el1, x4', 'isb', 'ldr x2, [x10]'];
    const change: readonly Step[] = ['ldr x1, [x10]', ...off, 'str x13, [x11]', 'dsb ish'];
    const done = run([[...change, 'tlbi vmalle1is', ...on]]);
    assert.deepEqual([described(done), done.x2], [[], [0x222n]]);
    const stale = run([[...change, ...on]]);
    assert.deepEqual(stale.x2, [0x111n]);
    assert.deepEqual(described(stale), ['stale TLB entry: core 0 at ldr x2, [x10], TLBI VAE1IS; DSB ISH; ISB']);
  });

  test('neither break nor TLBI', () => {
    const r = run([['ldr x1, [x10]', ...made]]);
    assert.equal(
      described(r)[0],
      'break-before-make: core 0 at str x13, [x11], an invalid entry; DSB ISHST; TLBI; DSB ISH',
    );
    assert.equal(r.x2[0], 0x111n);
  });
});

describe('two cores', () => {
  /** Core 1 reads the page before and after core 0 changed it; `steps` are core 0's between the write and the flag. */
  const change = (...steps: readonly Step[]): Run =>
    run([
      ['load flag 0', 'again while 0', 'str xzr, [x11]', ...steps, 'str x13, [x11]', 'dsb ishst', 'raise flag 1'],
      ['ldr x1, [x10]', 'raise flag 0', 'load flag 1', 'again while 0', 'isb', 'ldr x2, [x10]'],
    ]);

  test('a TLBI for all cores', () => {
    const r = change('dsb ishst', 'tlbi vae1is, x12', 'dsb ish');
    assert.deepEqual([described(r), r.x2[1]], [[], 0x222n]);
  });

  test('a TLBI for the writer alone: core 1 reads the old page', () => {
    const r = change('dsb ishst', 'tlbi vae1, x12', 'dsb ish');
    assert.equal(r.x2[1], 0x111n);
    assert.deepEqual(described(r), [
      'break-before-make: core 0 at str x13, [x11], TLBI; DSB ISH',
      'stale TLB entry: core 1 at ldr x2, [x10], TLBI VAE1IS in place of what reached core 0 alone; DSB ISH',
    ]);
  });

  test('no TLBI', () => {
    const r = change('dsb ishst');
    assert.equal(r.x2[1], 0x111n);
    assert.equal(described(r)[1], 'stale TLB entry: core 1 at ldr x2, [x10], TLBI VAE1IS; DSB ISH');
  });
});
