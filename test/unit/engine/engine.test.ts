/** Running for exact counts: however a run is cut into pieces, and whether or not pairs were joined, it ends the same. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { SeededRandom } from '../../../src/base/random';
import { encode } from '../../../src/isa';
import { CODE_VA, makeRig, type Rig } from './rig';

const random = new SeededRandom(new Uint32Array(1));

/** A loop with loads, stores, flags and branches in both directions; x1 counts rounds. */
function program(): number[] {
  const add = (Rd: number, Rn: number, imm12: number) => encode('ADD_imm', { sf: 1, sh: 0, imm12, Rn, Rd });
  return [
    add(0, 0, 3),
    encode('EOR_shift', { sf: 1, shift: 0, Rm: 1, imm6: 0, Rn: 0, Rd: 3 }),
    encode('AND_imm', { sf: 1, N: 1, immr: 0, imms: 7, Rn: 3, Rd: 5 }), // x5 = x3 & 0xff
    encode('LDR_reg', { size: 3, Rm: 5, option: 3, S: 1, Rn: 10, Rt: 6 }),
    add(6, 6, 1),
    encode('STR_reg', { size: 3, Rm: 5, option: 3, S: 1, Rn: 10, Rt: 6 }),
    encode('ANDS_imm', { sf: 1, N: 1, immr: 0, imms: 1, Rn: 6, Rd: 31 }), // tst x6, #3
    encode('B_cond', { imm19: 3, cond: 0 }), // b.eq over the next two
    encode('MADD', { sf: 1, Rm: 6, Ra: 2, Rn: 3, Rd: 2 }),
    encode('SUBS_imm', { sf: 1, sh: 0, imm12: 1, Rn: 2, Rd: 2 }),
    add(1, 1, 1),
    encode('UBFM', { sf: 1, N: 1, immr: 3, imms: 63, Rn: 2, Rd: 7 }),
    encode('CSEL', { sf: 1, Rm: 7, cond: 8, Rn: 1, Rd: 8 }),
    encode('ADD_shift', { sf: 1, shift: 0, Rm: 8, imm6: 2, Rn: 0, Rd: 0 }),
    encode('STP_off', { sf: 1, imm7: 64, Rt2: 1, Rn: 10, Rt: 0 }),
    encode('LDP_off', { sf: 1, imm7: 64, Rt2: 12, Rn: 10, Rt: 11 }),
    encode('SUBS_imm', { sf: 1, sh: 0, imm12: 7, Rn: 1, Rd: 9 }),
    encode('B', { imm26: -17 & 0x3ffffff }),
  ];
}

function start(): Rig {
  const rig = makeRig();
  rig.write(program());
  for (let n = 0; n < 31; n++) rig.setX(n, BigInt(n) * 0x1234567n);
  rig.setX(10, 0n);
  rig.setPc(CODE_VA);
  return rig;
}
const all = (rig: Rig): string =>
  createHash('sha256').update(`${rig.pc()} ${rig.state()}`).update(rig.data).digest('hex');

const TOTAL = 30_000;

function runInPieces(piece: () => number): string {
  const rig = start();
  for (let left = TOTAL; left > 0; ) {
    const executed = rig.engine.run(0, rig.block, Math.min(left, piece()), false);
    assert.ok(executed > 0);
    left -= executed;
  }
  return all(rig);
}

test('a run cut into pieces of any size ends the same', () => {
  const whole = runInPieces(() => TOTAL);
  random.seed(7);
  for (const piece of [() => 1, () => 2, () => 15, () => 16, () => 17, () => 1000, () => 1 + random.below(40)]) {
    assert.equal(runInPieces(piece), whole);
  }
});

test('every run executes exactly as many instructions as it was given', () => {
  const rig = start();
  random.seed(3);
  for (let i = 0; i < 3000; i++) {
    const n = 1 + random.below(60);
    assert.equal(rig.engine.run(0, rig.block, n, false), n);
  }
});

test('accesses are counted alike in whole runs and single steps', () => {
  const count = (piece: number): { loads: number; stores: number } => {
    const rig = start();
    const out = { loads: 0, stores: 0 };
    for (let left = 6000; left > 0; ) left -= rig.engine.run(0, rig.block, Math.min(piece, left), false);
    rig.engine.takeAccesses(rig.block, out);
    return out;
  };
  const whole = count(6000);
  assert.ok(whole.loads > 900 && whole.stores > 900);
  assert.deepEqual(count(1), whole);
  assert.deepEqual(count(7), whole);
});

test('atomic accesses count a load, and a store where they store', () => {
  const rig = makeRig();
  rig.write([
    encode('LDADD', { size: 3, Rs: 1, Rn: 10, Rt: 2 }), // 0 + 5
    encode('CAS', { size: 3, Rs: 3, Rn: 10, Rt: 4 }), // equal: stores
    encode('CAS', { size: 3, Rs: 3, Rn: 10, Rt: 4 }), // differs
    encode('CASP', { sz: 1, Rs: 6, Rn: 10, Rt: 8 }), // differs
    encode('CASP', { sz: 0, Rs: 6, Rn: 10, Rt: 12 }), // equal to what the last one read: stores
  ]);
  const values: readonly (readonly [number, bigint])[] = [
    [1, 5n],
    [3, 5n],
    [4, 6n],
    [6, 1n],
    [7, 2n],
    [10, 0x100n],
  ];
  for (const [n, value] of values) rig.setX(n, value);
  rig.setPc(CODE_VA);
  assert.equal(rig.engine.run(0, rig.block, 5, false), 5);
  const out = { loads: 0, stores: 0 };
  rig.engine.takeAccesses(rig.block, out);
  assert.deepEqual(out, { loads: 5, stores: 3 });
  assert.equal(rig.data[0x100], 0);
});

test('hot granules get joined pairs, and stops inside a pair still hold', () => {
  const rig = start();
  rig.engine.sampleEvery = 0;
  for (let i = 0; i < 200; i++) rig.engine.run(0, rig.block, 100 + (i % 19), false);
  assert.ok(rig.engine.pairCount() > 5);
  const plain = start();
  for (let i = 0; i < 200; i++) {
    let left = 100 + (i % 19);
    for (; left > 0; left--) plain.engine.run(0, plain.block, 1, false);
  }
  assert.equal(all(rig), all(plain));
});

test('a slow path that asks for it ends the run after its instruction, in a pair too', () => {
  const rig = start();
  rig.engine.sampleEvery = 0;
  for (let i = 0; i < 200; i++) rig.engine.run(0, rig.block, 100 + (i % 19), false);
  rig.forgetEntries();
  rig.exitAfterLoads = true;
  const pcs = new Set<bigint>();
  for (let i = 0; i < 40; i++) {
    rig.forgetEntries();
    rig.engine.run(0, rig.block, 1000, false);
    pcs.add(rig.pc());
  }
  // After LDR (word 3) and after LDP (word 15), nowhere else.
  assert.deepEqual([...pcs].sort(), [BigInt(CODE_VA + 16), BigInt(CODE_VA + 64)]);
});
