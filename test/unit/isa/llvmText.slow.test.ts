/** The disassembler against LLVM's, for random words of every row that has a template. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { prefetchName } from '../../../src/arch/instructions';
import { systemOperations } from '../../../src/arch/sysops';
import { systemRegisters } from '../../../src/arch/sysregs';
import { namedRegisters } from '../../../src/arch/sysregs/named';
import { SeededRandom } from '../../../src/base/random';
import {
  type CompiledRow,
  compiledRows,
  disassemble,
  encode,
  extract,
  randomWord,
  systemNames,
} from '../../../src/isa';
import { type LlvmText, llvmDisassemble, llvmVersion } from './llvm';

const attributes = [
  '+v8.7a +crc +lse +pauth +mte +flagm +altnzcv +sb +rcpc +rcpc-immo +lor +tme +xs +wfxt +hbc +ls64 +bti +ras +spe',
  '+tracev8.4 +predres +ssbs +dit +pan +cssc +rand +sve +rdm +dotprod +i8mm +bf16 +sm4 +fullfp16 +fp16fml +aes +sha2 +sha3',
].flatMap((line) => line.split(' '));

interface Sample {
  readonly compiled: CompiledRow;
  readonly word: number;
  readonly ours: string;
  readonly llvm: LlvmText;
}

interface Difference {
  readonly reason: string;
  /** Versions of LLVM that differ, [from, before); all when absent. */
  readonly from?: number;
  readonly before?: number;
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
    before: 16,
    applies: (s) => isId('MSR_imm_ALLINT')(s) && /^msr S0_/.test(s.llvm ?? ''),
  },
  {
    reason: 'LLVM 14 does not know FEAT_CSSC',
    before: 16,
    applies: (s) => s.compiled.row.feature === 'FEAT_CSSC' && s.llvm === undefined,
  },
  {
    reason: 'later LLVM has names for prefetches to the system level cache and of ranges',
    from: 16,
    applies: (s) =>
      isId('PRFM_imm', 'PRFM_lit', 'PRFM_reg', 'PRFUM')(s) &&
      prefetchName(extract(s.compiled, s.word).Rt) === undefined,
  },
  {
    reason: 'LLVM wants CRm = 0, which is only should-be-zero',
    applies: (s) => isId('CFINV', 'XAFLAG', 'AXFLAG')(s) && extract(s.compiled, s.word).CRm > 0,
  },
  {
    reason: 'LLVM knows names of system registers that the register table does not have',
    applies: (s) =>
      isId('MRS', 'MSR_reg')(s) &&
      /S[23]_/.test(s.ours) &&
      s.ours.replace(/S\d\w+/, '') === s.llvm?.replace(/[A-Z]\w+/, ''),
  },
  {
    reason: 'LLVM knows names of system operations that the operation table does not have',
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
    const { text, target } = disassemble(word, 0n, systemNames);
    return { compiled, word, ours: text, llvm: absolute(llvm[i], target !== undefined) };
  });
}

test('every row prints as LLVM prints it', () => {
  const version = llvmVersion();
  const expected = agreed.filter((d) => version >= (d.from ?? 0) && version < (d.before ?? Infinity));
  const used = new Set<Difference>();
  const problems: string[] = [];
  for (const s of takeSamples(80, 1)) {
    if (s.ours === s.llvm) continue;
    const difference = expected.find((d) => d.applies(s));
    if (difference) used.add(difference);
    else problems.push(`${s.compiled.row.id} ${s.word.toString(16).padStart(8, '0')}: "${s.ours}", LLVM "${s.llvm}"`);
  }
  assert.deepEqual(problems, []);
  assert.deepEqual(
    expected.filter((d) => !used.has(d)).map((d) => d.reason),
    [],
    'agreed differences that no longer occur',
  );
});

/** Names that the oldest LLVM in use does not know. */
const newerThanLlvm14: readonly string[] = [
  ...['ID_DFR1_EL1', 'ID_AA64PFR2_EL1', 'ID_AA64ZFR0_EL1', 'ID_AA64SMFR0_EL1', 'ID_AA64MMFR3_EL1', 'ID_AA64MMFR4_EL1'],
  ...['DC CIVAPS', 'DC CIGDVAPS', 'DC CVAOC', 'DC CIVAOC', 'DC CIPAE', 'DC CIPAPA'],
];

test('system registers and operations have the names that LLVM gives them', () => {
  const rows = [...systemRegisters, ...namedRegisters, ...systemOperations].map((r) => r.name);
  assert.deepEqual(
    newerThanLlvm14.filter((name) => !rows.includes(name)),
    [],
  );
  const registers = systemRegisters.map(({ name, encoding: [op0, op1, CRn, CRm, op2], read }) => {
    const id = read === 'none' ? 'MSR_reg' : 'MRS';
    return { name, word: encode(id, { o0: op0 & 1, op1, CRn, CRm, op2, Rt: 1 }) };
  });
  const operations = systemOperations.map(({ name, encoding: [op1, CRn, CRm, op2], operand }) => {
    return { name, word: encode('SYS', { op1, CRn, CRm, op2, Rt: operand === 'none' ? 31 : 1 }) };
  });
  const all = [...registers, ...operations].filter(({ name }) => !newerThanLlvm14.includes(name));
  const llvm = llvmDisassemble(
    all.map((r) => r.word),
    attributes,
  );
  assert.deepEqual(
    all.map(({ word }) => disassemble(word, 0n, systemNames).text),
    llvm,
  );
});

test('registers with a name only have the name that LLVM gives them for reading or for writing', () => {
  const registers = namedRegisters.filter(({ name }) => !newerThanLlvm14.includes(name));
  const words = registers.flatMap(({ encoding: [op0, op1, CRn, CRm, op2] }) => {
    const fields = { o0: op0 & 1, op1, CRn, CRm, op2, Rt: 1 };
    return [encode('MRS', fields), encode('MSR_reg', fields)];
  });
  const llvm = llvmDisassemble(words, attributes);
  const same = words.map((word, i) => disassemble(word, 0n, systemNames).text === llvm[i]);
  assert.deepEqual(
    registers.filter((_, i) => !same[2 * i] && !same[2 * i + 1]).map(({ name }) => name),
    [],
  );
});
