/** The fast paths against the integer code that they stand for, and against themselves under each of V8's compilers. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { test } from 'node:test';
import { SeededRandom } from '../../../../src/base/random';
import { ROOT } from '../../../../src/build/paths';
import { FPCR, FPSR } from '../../../../src/isa/fp';
import { formats } from '../../../../src/isa/fp/format';
import { type Library, makeLibrary } from './library';
import { randomFpcr, randomOperands } from './values';

const CASES = Number(process.env.ELSCOPE_FP_CASES ?? 20_000);

interface Pair {
  readonly fast: string;
  readonly soft: string;
  readonly operands: number;
  readonly more: readonly bigint[];
}

const pairs = ([32, 64] as const).flatMap((n): (Pair & { n: 32 | 64 })[] => [
  { n, fast: 'FPAdd', soft: 'FPAddSubSoft', operands: 2, more: [0n] },
  { n, fast: 'FPSub', soft: 'FPAddSubSoft', operands: 2, more: [formats[n].signMask] },
  { n, fast: 'FPMul', soft: 'FPMulSoft', operands: 2, more: [] },
  { n, fast: 'FPDiv', soft: 'FPDivSoft', operands: 2, more: [] },
  { n, fast: 'FPSqrt', soft: 'FPSqrtSoft', operands: 1, more: [] },
  { n, fast: 'FPMulAdd', soft: 'FPMulAddSoft', operands: 3, more: [] },
]);

/** (1 + u) * (1 - u), u being a unit in the last place: just below a power of two, further than two formats' precision. */
function justBelow(random: SeededRandom, n: 32 | 64, operands: bigint[]): void {
  const f = formats[n];
  const shift = BigInt(random.below(9) - 4) << BigInt(f.F);
  const one = BigInt(f.bias) << BigInt(f.F);
  operands[1] = one + 1n + shift;
  operands[2] = (one - 2n - shift) ^ (random.below(2) ? f.signMask : 0n);
}

/** Makes an addend (first operand) such that the sum with the product is near a tie, or nearly cancels. */
function aimAddend(library: Library, random: SeededRandom, n: 32 | 64, operands: bigint[]): void {
  const f = formats[n];
  if (random.below(3) === 0) justBelow(random, n, operands);
  const product = library.run(`FPMulSoft${n}`, 0, 0, [operands[1], operands[2]]).result;
  const exponent = Number((product & f.exponentMask) >> BigInt(f.F));
  const choice = random.below(4);
  if (choice === 0 || exponent === f.maxBiased) return;
  if (choice === 1) operands[0] = (product ^ f.signMask) + BigInt(random.below(3) - 1);
  else {
    // The product is about half a unit, or a unit, of the addend; or the other way round.
    const distance = f.F + 1 + random.below(3) - 1;
    const wanted = exponent + (choice === 2 ? distance : -distance);
    const field = BigInt(Math.min(Math.max(wanted, 0), f.maxBiased - 1)) << BigInt(f.F);
    operands[0] = (operands[0] & ~f.exponentMask) | field;
  }
  operands[0] = BigInt.asUintN(n, operands[0]);
}

test('fast paths equal the integer code', () => {
  const library = makeLibrary();
  const random = new SeededRandom(new Uint32Array(1));
  random.seed(Number(process.env.ELSCOPE_FP_SEED ?? 1));
  for (const { n, fast, soft, operands, more } of pairs) {
    for (let i = 0; i < CASES; i++) {
      const given = randomOperands(random, n, operands);
      if (operands === 3) aimAddend(library, random, n, given);
      const fpcr = random.below(4) === 0 ? randomFpcr(random) : random.below(2) * FPCR.FZ;
      const fpsr = random.below(2) ? FPSR.IXC : 0;
      const found = library.run(`${fast}${n}`, fpcr, fpsr, given);
      const wanted = library.run(`${soft}${n}`, fpcr, fpsr, [...given, ...more]);
      const shown = `${fast}${n} ${fpcr.toString(16)} ${given.map((v) => `0x${v.toString(16)}`)}`;
      assert.deepEqual(found, wanted, shown);
    }
  }
});

/** Routines on vectors, beside the one for a number; `asks`: 1 stands for all ones. */
const laneRoutines = [
  { name: 'FPAdd', operands: 2 },
  { name: 'FPSub', operands: 2 },
  { name: 'FPMul', operands: 2 },
  { name: 'FPDiv', operands: 2 },
  { name: 'FPSqrt', operands: 1 },
  { name: 'FPMulAdd', operands: 3 },
  { name: 'FPMax', operands: 2 },
  { name: 'FPMin', operands: 2 },
  { name: 'FPMaxNum', operands: 2 },
  { name: 'FPMinNum', operands: 2 },
  { name: 'FPCompareEQ', operands: 2, asks: true },
  { name: 'FPCompareGE', operands: 2, asks: true },
  { name: 'FPCompareGT', operands: 2, asks: true },
];

test('routines on vectors do in each lane what the one for a number does', () => {
  const library = makeLibrary();
  const random = new SeededRandom(new Uint32Array(1));
  random.seed(Number(process.env.ELSCOPE_FP_SEED ?? 1));
  for (const n of [32, 64] as const) {
    const count = 128 / n;
    const lane = (i: number): bigint => BigInt(n * i);
    for (const { name, operands, asks } of laneRoutines)
      for (let i = 0; i < CASES / 4; i++) {
        // All lanes alike half of the time: what goes wrong in one would else be hidden by another that is not for the host.
        const rows = Array.from({ length: random.below(2) ? count : 1 }, () => {
          const given = randomOperands(random, n, operands);
          if (operands === 3) aimAddend(library, random, n, given);
          // Zeros have a way of their own.
          return given.map((v) => (random.below(10) === 0 ? v & formats[n].signMask : v));
        });
        while (rows.length < count) rows.push(rows[0]);
        const fpcr = random.below(4) === 0 ? randomFpcr(random) : random.below(2) * FPCR.FZ;
        const before = random.below(8) ? FPSR.IXC : 0;
        const vectors = Array.from({ length: operands }, (_, k) =>
          rows.reduce((vector, row, at) => vector | (row[k] << lane(at)), 0n),
        );
        const found = library.runLanes(`${name}Lanes${n}`, fpcr, before, vectors);
        const each = rows.map((row) => library.run(`${name}${n}`, fpcr, before, row));
        const wanted = {
          result: each.reduce(
            (all, { result }, at) => all | ((asks ? -result & ((1n << BigInt(n)) - 1n) : result) << lane(at)),
            0n,
          ),
          fpsr: each.reduce((all, { fpsr }) => all | fpsr, 0),
        };
        assert.deepEqual(
          found,
          wanted,
          `${name}Lanes${n} ${fpcr.toString(16)} ${vectors.map((v) => `0x${v.toString(16)}`)}`,
        );
      }
  }
});

test('both of the compilers of V8 give the same bits', () => {
  const script = path.join(ROOT, 'test', 'unit', 'isa', 'fp', 'hashAll.ts');
  const hash = (flag: string): string =>
    execFileSync(process.execPath, [flag, '--import', 'tsx', script], { cwd: ROOT, encoding: 'utf8' });
  const [liftoff, turbofan] = ['--liftoff-only', '--no-liftoff'].map(hash);
  assert.match(liftoff, /^[0-9a-f]{64}$/m);
  assert.equal(liftoff, turbofan);
});
