/** The fast paths against the integer code that they stand for, and against themselves under each of V8's compilers. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { test } from 'node:test';
import { SeededRandom } from '../../../../src/base/random';
import { ROOT } from '../../../../src/build/paths';
import { FPSR } from '../../../../src/isa/fp';
import { formats } from '../../../../src/isa/fp/format';
import { makeLibrary } from './library';
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

/** Makes an addend (first operand) such that the sum with the product is near a tie, or nearly cancels. */
function aimAddend(random: SeededRandom, n: 32 | 64, operands: bigint[], product: bigint): void {
  const f = formats[n];
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
      // Factors of few bits make exact products and ties.
      if (operands === 3) aimAddend(random, n, given, library.run(`FPMulSoft${n}`, 0, 0, [given[1], given[2]]).result);
      const fpcr = random.below(4) === 0 ? randomFpcr(random) : 0;
      const fpsr = random.below(2) ? FPSR.IXC : 0;
      const found = library.run(`${fast}${n}`, fpcr, fpsr, given);
      const wanted = library.run(`${soft}${n}`, fpcr, fpsr, [...given, ...more]);
      const shown = `${fast}${n} ${fpcr.toString(16)} ${given.map((v) => `0x${v.toString(16)}`)}`;
      assert.deepEqual(found, wanted, shown);
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
