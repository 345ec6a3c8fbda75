/** Branch target identification on a whole machine: EL1 with a guarded gigabyte, or one that is not. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encode } from '../../../src/isa';
import { ElscopeMachine } from '../../../src/machine/machine';
import { presetConfig } from '../../../src/machine/presets';
import { nodePorts } from '../../../src/worker/nodePorts';

const CODE = 0x4000_0000;
const TARGET = CODE + 0x400;
const VECTORS = CODE + 0x800;
const TABLE = CODE + 0x1000;
const NOP = 0xd503201f;
const BTI_C = 0xd503245f;
const BTI_J = 0xd503249f;
const HERE = 0x14000000;
const br = (Rn: number): number => encode('BR', { Rn });
const blr = (Rn: number): number => encode('BLR', { Rn });
const ret = (Rn: number): number => encode('RET', { Rn });

interface Setup {
  readonly type?: 'max' | 'cortex-a57';
  readonly piece?: number;
  readonly words: Readonly<Record<number, readonly number[]>>;
  /** X1, X2, X16 and X30. */
  readonly x: Readonly<Record<number, number>>;
  /** GP of the first and of the second 2 MiB of RAM. */
  readonly guarded: readonly [boolean, boolean];
}

function start({ type = 'max', words, x, guarded }: Setup): ElscopeMachine {
  const machine = new ElscopeMachine({ ...presetConfig(type, 1), memoryBytes: 2 ** 24 }, nodePorts().wasm, {
    load: (m) => {
      const put = (at: number, list: readonly number[]): void => {
        m.memory.pokeView(at, new Uint8Array(Uint32Array.from(list).buffer));
      };
      for (const [at, list] of Object.entries(words)) put(Number(at), list);
      put(VECTORS + 0x200, [HERE]);
      put(TABLE + 8, [(TABLE + 0x1000) | 3, 0]);
      // Blocks of 2 MiB: valid, access flag, inner shareable, attribute 0; bit 50 is GP.
      guarded.forEach((gp, i) => {
        put(TABLE + 0x1000 + 8 * i, [(CODE + i * 0x20_0000) | 0x701, gp ? 1 << 18 : 0]);
      });
      return { entry: CODE, x0: 0 };
    },
  });
  const [core] = machine.units;
  const set = (name: string, value: bigint): void => void assert.ok(core.pokeSystem(name, value), name);
  set('VBAR_EL1', BigInt(VECTORS));
  set('MAIR_EL1', 0xffn);
  set('TCR_EL1', 25n | (1n << 8n) | (1n << 10n) | (3n << 12n) | (1n << 23n));
  set('TTBR0_EL1', BigInt(TABLE));
  set('SCTLR_EL1', (core.peekSystem('SCTLR_EL1') ?? 0n) | 0x1005n);
  for (const [n, value] of Object.entries(x)) core.setX(Number(n), BigInt(value));
  return machine;
}

/** ESR_EL1 of a Branch Target exception that was taken at `target`; undefined if the instruction after it is reached. */
function result(machine: ElscopeMachine, target: number, piece: number): bigint | undefined {
  const [core] = machine.units;
  for (let left = 100; left > 0; left -= piece) machine.run(piece);
  if (core.pc() === BigInt(target + 4)) return undefined;
  assert.equal(core.pc(), BigInt(VECTORS + 0x200));
  assert.equal(core.peekSystem('ELR_EL1'), BigInt(target));
  assert.equal(((core.peekSystem('SPSR_EL1') ?? 0n) >> 10n) & 3n, (core.peekSystem('ESR_EL1') ?? 0n) & 3n);
  return core.peekSystem('ESR_EL1');
}

/** Runs `branch` (X1, X16 and X30 hold the target) and one more instruction. */
function outcome(
  branch: number,
  target: number,
  gp: boolean,
  type: Setup['type'] = 'max',
  piece = 100,
): bigint | undefined {
  const words = { [CODE]: [NOP, branch, NOP], [TARGET]: [target, HERE] };
  const x = { 1: TARGET, 16: TARGET, 30: TARGET };
  return result(start({ type, words, x, guarded: [gp, gp] }), TARGET, piece);
}

const esr = (btype: number): bigint => BigInt((0x0d << 26) | (1 << 25) | btype);

for (const piece of [100, 1])
  test(`in a guarded page branches come to landing pads only, run in pieces of ${piece}`, () => {
    const run = (branch: number, target: number): bigint | undefined => outcome(branch, target, true, 'max', piece);
    assert.equal(run(br(1), NOP), esr(3));
    assert.equal(run(br(16), NOP), esr(1));
    assert.equal(run(blr(1), NOP), esr(2));
    assert.equal(run(ret(30), NOP), undefined);
    assert.equal(run(br(1), BTI_J), undefined);
    assert.equal(run(br(1), BTI_C), esr(3));
    assert.equal(run(br(16), BTI_C), undefined);
    assert.equal(run(blr(1), BTI_C), undefined);
    assert.equal(run(blr(1), BTI_J), esr(2));
  });

test('pages that are not guarded, and cores without FEAT_BTI, do not care', () => {
  for (const branch of [br(1), br(16), blr(1)]) {
    assert.equal(outcome(branch, NOP, false), undefined);
    assert.equal(outcome(branch, NOP, true, 'cortex-a57'), undefined);
  }
});

test('a jump out of a page that is not guarded has BTYPE 1, also when guarded pages have been seen', () => {
  const GUARDED = CODE + 0x20_0000;
  const words = { [CODE]: [ret(30), br(1)], [GUARDED]: [br(2)], [GUARDED + 0x100]: [NOP, HERE] };
  const x = { 30: GUARDED, 2: CODE + 4, 1: GUARDED + 0x100 };
  for (const piece of [100, 1])
    assert.equal(result(start({ words, x, guarded: [false, true] }), GUARDED + 0x100, piece), esr(1));
});

test('BRK at the target of a branch saves its BTYPE, near and far', () => {
  const BRK = 0xd4200000;
  const saved = (branch: number, gp: boolean, near: boolean, piece: number): number => {
    const words = { [CODE]: near ? [ret(30)] : [branch], [TARGET]: [BRK, NOP, branch] };
    const machine = start({ words, x: { 1: TARGET, 16: TARGET, 30: TARGET + 8 }, guarded: [gp, gp] });
    const [core] = machine.units;
    for (let left = 100; left > 0; left -= piece) machine.run(piece);
    assert.equal(core.peekSystem('ELR_EL1'), BigInt(TARGET));
    assert.equal((core.peekSystem('ESR_EL1') ?? 0n) >> 26n, 0x3cn);
    return Number(((core.peekSystem('SPSR_EL1') ?? 0n) >> 10n) & 3n);
  };
  const back = encode('B', { imm26: 2 ** 26 - 2 });
  for (const piece of [100, 1])
    for (const near of [false, true])
      for (const gp of [false, true]) {
        assert.equal(saved(br(1), gp, near, piece), gp ? 3 : 1);
        assert.equal(saved(br(16), gp, near, piece), 1);
        assert.equal(saved(blr(1), gp, near, piece), 2);
        if (near) assert.equal(saved(back, gp, near, piece), 0);
      }
});
