/** Which words are allocated in Armv8.0 with CRC32, FP and SIMD: the table against LLVM. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SeededRandom } from '../../../src/base/random';
import { compiledRows, decoderFor, findRow, randomWord } from '../../../src/isa';
import { type LlvmText, llvmDisassemble } from './llvm';

interface Disagreement {
  readonly reason: string;
  readonly applies: (word: number, ours: boolean, llvm: LlvmText) => boolean;
}

/** Where the two may disagree. An entry that no word needs fails the test. */
const agreed: readonly Disagreement[] = [
  {
    reason: 'LLVM takes every word of the system space with op0 = 0 or 1 for MSR or MRS of a register; there are none',
    applies: (word, ours, llvm) =>
      !ours && (word & 0xffd00000) >>> 0 === 0xd5000000 && /^(msr|mrs) .*S[01]_/.test(llvm ?? ''),
  },
  {
    reason: 'groups of FP and SIMD that have one row for the whole group',
    applies: (word, ours, llvm) => !ours && findRow(word)?.row.asm === '' && llvm !== undefined,
  },
];

const has = (feature: string): boolean => ['FEAT_CRC32', 'FEAT_FP', 'FEAT_AdvSIMD'].includes(feature);
const decode = decoderFor(has);

/** Half of the words lie a few bits away from rows that execute, where the limits of patterns and reserved values are. */
function takeWords(count: number, seed: number): number[] {
  const random = new SeededRandom(new Uint32Array(1));
  random.seed(seed);
  const done = compiledRows.filter(({ row }) => row.status === 'done' && (!row.feature || has(row.feature)));
  return Array.from({ length: count }, (_, i) => {
    if (i % 4 === 0) return random.next();
    let word = randomWord(done[random.below(done.length)], random);
    for (let flips = random.below(4); flips > 0; flips--) word ^= 1 << ((random.next() >>> 8) & 31);
    return word >>> 0;
  });
}

test('the table and LLVM agree on which words are instructions', () => {
  const words = takeWords(24_000, 1);
  const llvm = llvmDisassemble(words, ['+v8a', '+crc', '+fp-armv8', '+neon']);
  assert.ok(llvm.filter((t) => t !== undefined).length > 10_000, 'most words should be instructions');
  const used = new Set<Disagreement>();
  const problems: string[] = [];
  words.forEach((word, i) => {
    const ours = decode(word)?.row.status === 'done';
    if (ours === (llvm[i] !== undefined)) return;
    const known = agreed.find((d) => d.applies(word, ours, llvm[i]));
    if (known) used.add(known);
    else
      problems.push(`${word.toString(16).padStart(8, '0')}: ours ${ours} (${findRow(word)?.row.id}), LLVM ${llvm[i]}`);
  });
  assert.deepEqual(problems, []);
  assert.deepEqual(
    agreed.filter((d) => !used.has(d)).map((d) => d.reason),
    [],
    'agreed disagreements that no longer occur',
  );
});
