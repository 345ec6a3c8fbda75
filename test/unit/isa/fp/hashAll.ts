/** Prints a hash of what all routines give for random operands, NaNs among them: run under different compilers. */
import { createHash } from 'node:crypto';
import { SeededRandom } from '../../../../src/base/random';
import { fpRoutines } from '../../../../src/isa/fp';
import { makeLibrary } from './library';
import { operations } from './operations';
import { randomFpcr, randomInteger, randomOperands } from './values';

const CASES = 100;
const library = makeLibrary();
const random = new SeededRandom(new Uint32Array(1));
random.seed(7);
const hash = createHash('sha256');
for (const operation of operations) {
  for (let i = 0; i < CASES; i++) {
    const operand = (k: number): bigint => {
      const width = operation.operands[k] ?? 64;
      return width === 'integer' ? randomInteger(random) : randomOperands(random, width, 1)[0];
    };
    const fpcr = randomFpcr(random);
    const args = operation.args({ a: operand(0), b: operand(1), c: operand(2), rmode: (fpcr >>> 22) & 3 });
    const { result, fpsr } = library.run(operation.routine, fpcr, i & 16, args);
    hash.update(`${result} ${fpsr};`);
  }
}
const vector = (width: 32 | 64): bigint =>
  randomOperands(random, width, 128 / width).reduce((all, lane) => (all << BigInt(width)) | lane, 0n);
for (const [name, { params }] of Object.entries(fpRoutines)) {
  const width = name.endsWith('64') ? 64 : 32;
  if (params[1] !== 'v128') continue;
  for (let i = 0; i < CASES; i++) {
    const operands = params.slice(1).map(() => vector(width));
    const { result, fpsr } = library.runLanes(name, i % 3 === 0 ? randomFpcr(random) : 0, 16, operands);
    hash.update(`${result} ${fpsr};`);
  }
}
console.log(hash.digest('hex'));
