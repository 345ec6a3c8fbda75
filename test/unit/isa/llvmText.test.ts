/** The disassembler against LLVM's, for random words of every row that has a template. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SeededRandom } from '../../../src/base/random';
import { type CompiledRow, compiledRows, disassemble, extract, randomWord } from '../../../src/isa';
import { type LlvmText, llvmDisassemble } from './llvm';

const attributes = [
  ...['+v8.7a', '+crc', '+lse', '+pauth', '+mte', '+flagm', '+altnzcv', '+sb', '+rcpc', '+rcpc-immo', '+lor', '+tme'],
  ...['+xs', '+wfxt', '+hbc', '+ls64', '+bti', '+ras', '+spe', '+tracev8.4', '+predres', '+ssbs', '+dit', '+pan'],
];

interface Sample {
  readonly compiled: CompiledRow;
  readonly word: number;
  readonly ours: string;
  readonly llvm: LlvmText;
}

interface Difference {
  readonly reason: string;
  readonly applies: (s: Sample) => boolean;
}

const isId =
  (...ids: readonly string[]) =>
  (s: Sample): boolean =>
    ids.includes(s.compiled.row.id);

/** Where the texts may differ. An entry that no sample needs fails the test. */
const agreed: readonly Difference[] = [
  {
    reason: 'LLVM takes only the immediates 0 and 1 for these PSTATE fields; the architecture ignores CRm<3:1>',
    applies: (s) =>
      isId('MSR_imm_UAO', 'MSR_imm_PAN', 'MSR_imm_SSBS', 'MSR_imm_DIT', 'MSR_imm_TCO')(s) &&
      extract(s.compiled, s.word).CRm > 1 &&
      /^msr S0_/.test(s.llvm ?? ''),
  },
  {
    reason: 'LLVM 14 does not know PSTATE.ALLINT',
    applies: (s) => isId('MSR_imm_ALLINT')(s) && /^msr (S0_|ALLINT)/i.test(s.llvm ?? ''),
  },
  {
    reason: 'LLVM wants CRm = 0, which is only should-be-zero',
    applies: (s) => isId('CFINV', 'XAFLAG', 'AXFLAG')(s) && extract(s.compiled, s.word).CRm > 0,
  },
  {
    reason: 'names of system registers come from the caller, and none was given',
    applies: (s) => isId('MRS', 'MSR_reg')(s) && s.ours.replace(/S\d\w+/, '') === s.llvm?.replace(/[A-Z]\w+/, ''),
  },
  {
    reason: 'names of system operations come from the caller, and none was given',
    applies: (s) => isId('SYS')(s) && /^sys /.test(s.ours) && /^(dc|ic|at|tlbi|cfp|dvp|cpp) /.test(s.llvm ?? ''),
  },
];

/** LLVM prints PC-relative operands as offsets; with the word at 0 they are addresses. */
function absolute(llvm: LlvmText, pcRelative: boolean): LlvmText {
  if (!pcRelative) return llvm;
  return llvm?.replace(/#(-?\d+)$/, (_, n: string) => '0x' + BigInt.asUintN(64, BigInt(n)).toString(16));
}

function takeSamples(perRow: number, seed: number): Sample[] {
  const random = new SeededRandom(new Uint32Array(1));
  random.seed(seed);
  const withText = compiledRows.filter((c) => c.row.asm !== '');
  const words = withText.flatMap((compiled) =>
    Array.from({ length: perRow }, () => ({ compiled, word: randomWord(compiled, random) })),
  );
  const llvm = llvmDisassemble(
    words.map((w) => w.word),
    attributes,
  );
  return words.map(({ compiled, word }, i) => {
    const { text, target } = disassemble(word, 0n);
    return { compiled, word, ours: text, llvm: absolute(llvm[i], target !== undefined) };
  });
}

test('every row prints as LLVM prints it', () => {
  const used = new Set<Difference>();
  const problems: string[] = [];
  for (const s of takeSamples(80, 1)) {
    if (s.ours === s.llvm) continue;
    const difference = agreed.find((d) => d.applies(s));
    if (difference) used.add(difference);
    else problems.push(`${s.compiled.row.id} ${s.word.toString(16).padStart(8, '0')}: "${s.ours}", LLVM "${s.llvm}"`);
  }
  assert.deepEqual(problems, []);
  assert.deepEqual(
    agreed.filter((d) => !used.has(d)).map((d) => d.reason),
    [],
    'agreed differences that no longer occur',
  );
});
