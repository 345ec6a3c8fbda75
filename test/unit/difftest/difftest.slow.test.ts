/**
 * The differential test's own test: outcomes worked out by hand, two runners that must agree with each other, and a
 * planted difference that must be seen and described.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { hasCrossCompiler } from '../../../src/build/crossCompiler';
import { onPath } from '../../../src/build/processes';
import { coreTypes } from '../../../src/machine/presets';
import { type Case, type CaseRunner, LAYOUT, type Outcome } from '../../difftest/cases';
import { compare, describeDifference } from '../../difftest/compare';
import { engineRunner, needsMachine } from '../../difftest/engineRunner';
import { allRecipes, isUnpredictable, makeCase } from '../../difftest/generate';
import { withSegment } from '../../difftest/guests';
import { qemuUserRunner } from '../../difftest/qemuUser';
import { parseReport, qemuSystemRunner } from '../../difftest/system';

const CPU = 'cortex-a57';
const tools = hasCrossCompiler() && onPath('qemu-aarch64') && onPath('qemu-system-aarch64');
const skip = tools ? false : 'the cross compiler or QEMU is not installed';

const CODE = BigInt(LAYOUT.codeStart);
const MEMORY = BigInt(LAYOUT.memoryBase);

function byHand(
  words: readonly number[],
  registers: Readonly<Record<number, bigint>>,
  nzcv = 0,
  vectors: Readonly<Record<number, bigint>> = {},
): Case {
  const x = Array.from({ length: 31 }, (_, i) => registers[i] ?? BigInt(i));
  const memory = new Uint8Array(LAYOUT.memorySize);
  memory.fill(0x11, 0x100, 0x108);
  const v = Array.from({ length: 32 }, (_, i) => vectors[i] ?? (BigInt(i) << 64n) | 3n);
  return { row: 'by hand', seed: 0, index: 0, words, x, sp: MEMORY + 0x800n, nzcv, v, fpcr: 0, fpsr: 0, memory };
}

interface Expected {
  readonly ending?: Outcome['ending'];
  readonly pc?: bigint;
  readonly x?: Readonly<Record<number, bigint>>;
  readonly sp?: bigint;
  readonly nzcv?: number;
  readonly v?: Readonly<Record<number, bigint>>;
  readonly fpsr?: number;
  readonly memory?: Readonly<Record<number, bigint>>;
  readonly faultAddress?: bigint;
}

const ALL_ONES = 0xffff_ffff_ffff_ffffn;

/** Instruction words, registers before, NZCV before, and what must differ afterwards. */
const HAND: readonly (readonly [what: string, c: Case, after: Expected])[] = [
  ['add x0, x1, x2', byHand([0x8b020020], { 1: 5n, 2: ALL_ONES }), { x: { 0: 4n } }],
  ['adds x0, x1, x2 sets C, Z', byHand([0xab020020], { 1: 1n, 2: ALL_ONES }), { x: { 0: 0n }, nzcv: 0b0110 }],
  ['subs w0, w1, w2 sets N', byHand([0x6b020020], { 1: 1n, 2: 2n }), { x: { 0: 0xffff_ffffn }, nzcv: 0b1000 }],
  ['cset w3, vs from V', byHand([0x1a9f77e3], {}, 0b0001), { x: { 3: 1n } }],
  ['str x1, [x2, #8]', byHand([0xf9000441], { 1: 0xabn, 2: MEMORY }), { memory: { 8: 0xabn } }],
  ['ldr x0, [x1]', byHand([0xf9400020], { 1: MEMORY + 0x100n }), { x: { 0: 0x1111_1111_1111_1111n } }],
  ['str x1, [sp, #-16]!', byHand([0xf81f0fe1], {}), { sp: MEMORY + 0x7f0n, memory: { 2032: 1n } }],
  [
    'ldr x0, [x1] unmapped',
    byHand([0xf9400020], { 1: 0x100n }),
    { ending: 'dataAbort', pc: CODE, faultAddress: 0x100n },
  ],
  [
    'ldar x0, [x1] unaligned',
    byHand([0xc8dffc20], { 1: MEMORY + 4n }),
    { ending: 'alignment', pc: CODE, faultAddress: MEMORY + 4n },
  ],
  ['br x1', byHand([0xd61f0020], { 1: CODE + 0x100n }), { pc: CODE + 0x100n }],
  [
    'blr x1 unmapped',
    byHand([0xd63f0020], { 1: 0x100n }),
    { ending: 'instructionAbort', pc: 0x100n, x: { 30: CODE + 4n } },
  ],
  ['br x1 unaligned', byHand([0xd61f0020], { 1: CODE + 2n }), { ending: 'pcAlignment', pc: CODE + 2n }],
  ['udf #0', byHand([0], {}), { ending: 'undefined', pc: CODE }],
  [
    'sqadd b0, b1, b2 saturates: QC',
    byHand([0x5e220c20], {}, 0, { 1: 0x7fn, 2: 1n }),
    { v: { 0: 0x7fn }, fpsr: 0x0800_0000 },
  ],
  ['ext v3.16b, v4.16b, v5.16b, #8', byHand([0x6e054083], {}), { v: { 3: (3n << 64n) | 4n } }],
  ['two instructions', byHand([0x91000421, 0x8b010020], { 1: 6n }), { x: { 1: 7n, 0: 14n }, pc: CODE + 8n }],
];

const expectedOutcome = (c: Case, after: Expected): Outcome => ({
  ending: after.ending ?? 'end',
  pc: after.pc ?? CODE + 4n,
  x: c.x.map((value, i) => after.x?.[i] ?? value),
  sp: after.sp ?? c.sp,
  nzcv: after.nzcv ?? c.nzcv,
  v: c.v.map((value, i) => after.v?.[i] ?? value),
  fpcr: c.fpcr,
  fpsr: after.fpsr ?? c.fpsr,
  memory: new Map(Object.entries(after.memory ?? {}).map(([offset, value]) => [Number(offset), value])),
  faultAddress: after.faultAddress,
});

const runners: readonly (readonly [string, () => CaseRunner])[] = [
  ['qemu-aarch64', () => qemuUserRunner(CPU)],
  ['qemu-system-aarch64', () => qemuSystemRunner(CPU)],
];

describe('differential test', { skip }, () => {
  for (const [name, make] of runners)
    test(`${name} gives what was worked out by hand`, async () => {
      const outcomes = await make().run(HAND.map(([, c]) => c));
      HAND.forEach(([what, c, after], i) => {
        assert.deepEqual(outcomes[i], expectedOutcome(c, after), what);
      });
    });

  test('both runners agree on cases of every row', async () => {
    const cases = allRecipes(coreTypes[CPU].features).flatMap((recipe) =>
      [0, 1, 2].map((index) => makeCase(recipe, 3, index)),
    );
    const [a, b] = [await qemuUserRunner(CPU).run(cases), await qemuSystemRunner(CPU).run(cases)];
    cases.forEach((c, i) => {
      assert.equal(compare(c, a[i], b[i]), 'same', `${c.row} #${c.index}`);
    });
  });
});

describe('cases', () => {
  const recipes = allRecipes(new Set());

  test('follow from seed, row and index alone', () => {
    for (const recipe of recipes.slice(0, 40)) {
      assert.deepEqual(makeCase(recipe, 5, 9), makeCase(recipe, 5, 9));
      assert.notDeepEqual(makeCase(recipe, 5, 9).x, makeCase(recipe, 6, 9).x);
    }
  });

  test('leave out what is CONSTRAINED UNPREDICTABLE', () => {
    assert.ok(isUnpredictable('LDR_imm_post', { Rn: 3, Rt: 3 }));
    assert.ok(!isUnpredictable('LDR_imm_post', { Rn: 31, Rt: 31 }), 'base SP, target ZR');
    assert.ok(!isUnpredictable('LDUR', { Rn: 3, Rt: 3 }));
    assert.ok(isUnpredictable('LDP_off', { Rn: 1, Rt: 2, Rt2: 2 }));
    assert.ok(!isUnpredictable('STP_off', { Rn: 1, Rt: 2, Rt2: 2 }));
    assert.ok(isUnpredictable('STXR', { Rs: 4, Rt: 4, Rt2: 31, Rn: 1 }));
    assert.ok(isUnpredictable('STXP', { Rs: 4, Rt: 1, Rt2: 4, Rn: 2 }));
    assert.ok(!isUnpredictable('STXR', { Rs: 4, Rt: 1, Rt2: 4, Rn: 2 }), 'Rt2 is not a register of STXR');
  });
});

describe('comparison', () => {
  const [, c, after] = HAND[1];
  const right = expectedOutcome(c, after);

  test('sees a wrong flag, register, address and memory', () => {
    assert.equal(compare(c, right, { ...right }), 'same');
    assert.equal(compare(c, right, { ...right, nzcv: 0b0010 }), 'different');
    assert.equal(compare(c, right, { ...right, pc: right.pc + 4n }), 'different');
    assert.equal(compare(c, right, { ...right, x: right.x.map((v, i) => (i === 30 ? 7n : v)) }), 'different');
    assert.equal(compare(c, right, { ...right, v: right.v.map((v, i) => (i === 31 ? 7n : v)) }), 'different');
    assert.equal(compare(c, right, { ...right, fpcr: 1 << 24 }), 'different');
    assert.equal(compare(c, right, { ...right, fpsr: 1 }), 'different');
    assert.equal(compare(c, right, { ...right, memory: new Map([[8, 1n]]) }), 'different');
    assert.equal(compare(c, { ...right, faultAddress: 1n }, { ...right, faultAddress: 2n }), 'different');
    assert.equal(compare(c, right, { ...right, faultAddress: 2n }), 'same', 'the oracle does not know the address');
  });

  test('describes a difference with listing, marks and how to see it again', () => {
    const text = describeDifference(c, right, { ...right, nzcv: 0b0010 }, ['A', 'B'], ' --cpu x');
    assert.match(text, /0x44004000: ab020020 {2}adds x0, x1, x2\n/);
    assert.match(text, /\n {2}\* nzcv +nzcv +nZCv +nzCv\n/);
    assert.match(text, /\n {4}x1 +0x0{15}1 /);
    assert.match(text, /npm run difftest -- --row by hand --seed 0 --case 0 --cpu x$/);
  });
});

describe('report of the guest on a bare machine', () => {
  const [, c] = HAND[0];
  test('is refused when it is cut off or out of turn', () => {
    assert.throws(() => parseReport('c 0 0 0 44004004 3c0\r\n', [c]), /stopped after 1 of 1/);
    assert.throws(() => parseReport('c 1 0 0 44004004 3c0\nend\n', [c]), /out of turn/);
    assert.throws(() => parseReport('unexpected exception: vector 4\n', [c]), /the guest says: unexpected/);
  });
  test('takes what it leaves out from the case', () => {
    const [outcome] = parseReport('c 0 f2000000 0 44004004 800003c0\r\nx 0 99\r\nm 8 1\r\nend\r\n', [c]);
    assert.deepEqual(outcome, expectedOutcome(c, { x: { 0: 0x99n }, nzcv: 8, memory: { 8: 1n } }));
  });
});

describe('a segment added to an ELF file', () => {
  test('is a program header of its own, and the old ones stay', () => {
    const elf = new Uint8Array(64 + 56);
    const view = new DataView(elf.buffer);
    view.setBigUint64(32, 64n, true);
    view.setUint16(52, 64, true);
    view.setUint16(56, 1, true);
    view.setBigUint64(64 + 24, 0x1234n, true); // p_paddr of the old one
    const out = new DataView(withSegment(elf, 0x4500_0000, Uint8Array.of(1, 2, 3)).buffer);
    const table = Number(out.getBigUint64(32, true));
    assert.equal(out.getUint16(56, true), 2);
    assert.equal(out.getBigUint64(table + 24, true), 0x1234n);
    assert.equal(out.getBigUint64(table + 56 + 24, true), 0x4500_0000n);
    assert.equal(out.getUint8(Number(out.getBigUint64(table + 56 + 8, true)) + 2), 3);
  });
});

describe('elscope against QEMU', { skip }, () => {
  test('the engine agrees on 24 cases of every row', async () => {
    const recipes = allRecipes(coreTypes[CPU].features).filter(({ name }) => !needsMachine.has(name));
    const cases = recipes.flatMap((r) => Array.from({ length: 24 }, (_, index) => makeCase(r, 1, index)));
    const [expected, found] = [
      await qemuUserRunner(CPU).run(cases),
      await engineRunner(coreTypes[CPU].features).run(cases),
    ];
    const wrong = cases.flatMap((c, i) =>
      compare(c, expected[i], found[i]) === 'different'
        ? [describeDifference(c, expected[i], found[i], [CPU, 'engine'], ' --subject engine')]
        : [],
    );
    assert.equal(wrong.length, 0, wrong.slice(0, 5).join('\n\n'));
  });
});
