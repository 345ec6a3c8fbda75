/** Which words are instructions on a core with everything that is done, and on one of Armv8.0: the table against LLVM. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { featureRow, type HasFeature } from '../../../src/arch/features';
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
];

/** Half of the words lie a few bits away from rows that execute, where the limits of patterns and reserved values are. */
function takeWords(has: HasFeature, count: number, seed: number): number[] {
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

/** LLVM's attribute for each feature that has instructions of its own; those that are not done are switched off. */
const attributeOf: Readonly<Record<string, string>> = {
  FEAT_FP: 'fp-armv8',
  FEAT_AdvSIMD: 'neon',
  FEAT_CRC32: 'crc',
  FEAT_LSE: 'lse',
  FEAT_LOR: 'lor',
  FEAT_PAN: 'pan',
  FEAT_UAO: 'uaops',
  FEAT_PAuth: 'pauth',
  FEAT_LRCPC: 'rcpc',
  FEAT_LRCPC2: 'rcpc-immo',
  FEAT_FlagM: 'flagm',
  FEAT_FlagM2: 'altnzcv',
  FEAT_SB: 'sb',
  FEAT_SSBS2: 'ssbs',
  FEAT_DIT: 'dit',
  FEAT_BTI: 'bti',
  FEAT_RAS: 'ras',
  FEAT_WFxT: 'wfxt',
  FEAT_XS: 'xs',
  FEAT_RDM: 'rdm',
  FEAT_DotProd: 'dotprod',
  FEAT_I8MM: 'i8mm',
  FEAT_BF16: 'bf16',
  FEAT_FP16: 'fullfp16',
  FEAT_FHM: 'fp16fml',
  FEAT_FCMA: 'complxnum',
  FEAT_JSCVT: 'jsconv',
  FEAT_FRINTTS: 'fptoint',
  FEAT_AES: 'aes',
  FEAT_PMULL: 'aes',
  FEAT_SHA1: 'sha2',
  FEAT_SHA256: 'sha2',
  FEAT_SHA512: 'sha3',
  FEAT_SHA3: 'sha3',
  FEAT_SM3: 'sm4',
  FEAT_SM4: 'sm4',
};

/** Features that LLVM 14 does not know: left out. */
const unknownToLlvm: readonly string[] = ['FEAT_CSSC'];

function compare(has: HasFeature, seed: number): void {
  const words = takeWords(has, 24_000, seed);
  const on = new Set(Object.keys(attributeOf).flatMap((feature) => (has(feature) ? [attributeOf[feature]] : [])));
  const attributes = Object.values(attributeOf).map((name) => `${on.has(name) ? '+' : '-'}${name}`);
  const llvm = llvmDisassemble(words, ['+v8a', ...attributes]);
  const decode = decoderFor(has);
  assert.ok(llvm.filter((t) => t !== undefined).length > 10_000, 'most words should be instructions');
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
}

const used = new Set<Disagreement>();

test('the table and LLVM agree on which words are instructions, of all that is begun', () => {
  compare((feature) => featureRow(feature)?.status !== 'unimplemented' && !unknownToLlvm.includes(feature), 1);
});

test('and of Armv8.0 with CRC32 alone', () => {
  const armv8 = ['FEAT_FP', 'FEAT_AdvSIMD', 'FEAT_CRC32'];
  compare((feature) => armv8.includes(feature), 2);
});

test('no agreed disagreement is out of date', () => {
  assert.deepEqual(
    agreed.filter((d) => !used.has(d)).map((d) => d.reason),
    [],
  );
});

test('every feature with rows that are done has its name in LLVM', () => {
  const done = new Set(compiledRows.filter(({ row }) => row.status === 'done').map(({ row }) => row.feature));
  const missing = [...done].filter((f) => f !== undefined && !attributeOf[f] && !unknownToLlvm.includes(f));
  assert.deepEqual(missing, []);
});
