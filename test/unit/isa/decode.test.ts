import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { InstructionId } from '../../../src/arch/instructions';
import { SeededRandom } from '../../../src/base/random';
import { compiledRow, compiledRows, decodeWord, encode, extract, findRow, matches, randomWord } from '../../../src/isa';

const seeded = (seed: number): SeededRandom => {
  const random = new SeededRandom(new Uint32Array(1));
  random.seed(seed);
  return random;
};

test('words decode to the row and fields of the manual', () => {
  assert.deepEqual(decodeWord(0x910043ff)?.fields, { sf: 1, sh: 0, imm12: 16, Rn: 31, Rd: 31 });
  const ids: readonly (readonly [number, InstructionId])[] = [
    [0x910043ff, 'ADD_imm'],
    [0xd65f03c0, 'RET'],
    [0xd69f03e0, 'ERET'],
    [0xd503201f, 'NOP'],
    [0xd503207f, 'WFI'],
    [0xd503233f, 'PAC_link'],
    [0xd50323ff, 'PAC_link'],
    [0xd50320df, 'HINT'],
    [0xd5033fdf, 'ISB'],
    [0xd50b7520, 'SYS'],
    [0xd5384240, 'MRS'],
    [0xd50342df, 'MSR_imm'],
    [0xd500409f, 'MSR_imm_PAN'],
    [0xdac00820, 'REV32'],
    [0xdac00c20, 'REV'],
    [0x5ac00820, 'REV'],
    [0xf9800020, 'PRFM_imm'],
    [0xb9800020, 'LDRS_imm_uoff'],
    [0xc85ffc20, 'LDAXR'],
    [0x1e604000, 'FMOV_scalar'],
    [0x1e630820, 'FMUL_scalar'],
    [0x1fc20c20, 'FMADD_scalar_h'],
    [0x4e62cc20, 'FMLA_vec'],
    [0x04200000, 'SVE'],
  ];
  for (const [word, id] of ids) assert.equal(decodeWord(word)?.row.id, id, word.toString(16));
});

test('signed and unsigned words are the same', () => {
  assert.deepEqual(decodeWord(0xd65f03c0 | 0), decodeWord(0xd65f03c0));
});

test('reserved encodings decode to nothing', () => {
  const words: readonly (readonly [number, string])[] = [
    [0x0b018020, 'ADD_shift, W, amount 32'],
    [0x8bc10020, 'ADD_shift, ROR'],
    [0x8b211420, 'ADD_ext, amount 5'],
    [0x12400000, 'AND_imm, W, N = 1'],
    [0x9240fc00, 'AND_imm, 64 ones'],
    [0x9200f800, 'AND_imm, N:NOT(imms) = 1'],
    [0x52c00000, 'MOVZ, W, hw = 2'],
    [0x93000000, 'SBFM, sf = 1, N = 0'],
    [0x13008000, 'SBFM, W, imms = 32'],
    [0x93808000, 'EXTR, sf = 1, N = 0'],
    [0x5ac00c20, 'REV, W, opc = 3'],
    [0xb8c10400, 'LDRSW, opc = 3, post-index'],
    [0xf8c00400, 'LDRS, size = 3, post-index'],
    [0xf8610800, 'LDR_reg, option = 0'],
    [0xd50040ff, 'MSR_imm, op1 = 0, op2 = 7'],
  ];
  for (const [word, what] of words) {
    assert.ok(findRow(word), `${what} is matched by a pattern`);
    assert.equal(decodeWord(word), undefined, what);
  }
});

test('unallocated words match nothing', () => {
  for (const word of [0xd5032fe0, 0xd5033f1f, 0xd4000000, 0xd4200001, 0xd6000400, 0xe8000000]) {
    assert.equal(decodeWord(word), undefined, (word >>> 0).toString(16));
  }
});

test('op0 = 0 holds hints, barriers and PSTATE fields only', () => {
  const found = new Map<string, number>();
  for (let rest = 0; rest < 1 << 19; rest++) {
    const row = decodeWord(0xd5000000 | rest)?.row;
    if (row?.status === 'done') found.set(row.id, (found.get(row.id) ?? 0) + 1);
  }
  const names = { HINT: 104, NOP: 1, YIELD: 1, WFE: 1, WFI: 1, SEV: 1, SEVL: 1 };
  const others = {
    MSR_imm_UAO: 16,
    MSR_imm_PAN: 16,
    MSR_imm_SSBS: 16,
    MSR_imm_DIT: 16,
    CFINV: 16,
    XAFLAG: 16,
    AXFLAG: 16,
  };
  const authentication = { ESB: 1, BTI: 4, PAC_1716: 4, PAC_link: 8, XPACLRI: 1 };
  const barriers = { SB: 16, CLREX: 16, DSB: 16, DMB: 16, ISB: 16 };
  assert.deepEqual(Object.fromEntries(found), { ...names, MSR_imm: 48, ...others, ...authentication, ...barriers });
});

test('random words of every row come back with the same fields', () => {
  const random = seeded(1);
  for (const compiled of compiledRows) {
    for (let i = 0; i < 50; i++) {
      const word = randomWord(compiled, random);
      const decoded = decodeWord(word);
      assert.equal(decoded?.row.id, compiled.row.id);
      assert.equal(encode(compiled.row.id, decoded!.fields), word);
    }
  }
});

test('the bucket search finds what a search of the whole table finds', () => {
  const random = seeded(2);
  for (let i = 0; i < 20_000; i++) {
    const word = i % 2 ? random.next() : randomWord(compiledRows[random.below(compiledRows.length)], random);
    const all = compiledRows.filter((c) => matches(c.pattern, word));
    const winner = all.find((c) => all.every((other) => other === c || c.row.over?.includes(other.row.id)));
    assert.equal(findRow(word), winner, word.toString(16));
  }
});

test('encode refuses unknown fields and values that do not fit', () => {
  assert.equal(encode('RET', { Rn: 30 }), 0xd65f03c0);
  assert.throws(() => encode('RET', { Rm: 1 }), /RET has no field Rm/);
  assert.throws(() => encode('RET', { Rn: 32 }), /RET\.Rn cannot be 32/);
  assert.throws(() => encode('RET', { Rn: -1 }), /RET\.Rn cannot be -1/);
});

test('fixed fields stay fixed in random words', () => {
  const random = seeded(3);
  const compiled = compiledRow('LDR_imm_uoff');
  for (let i = 0; i < 20; i++) assert.equal(extract(compiled, randomWord(compiled, random, { size: 2 })).size, 2);
});
