import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SeededRandom } from '../../../src/base/random';
import { compiledRows, type DisassembleOptions, disassemble, encode, randomWord } from '../../../src/isa';

const text = (word: number, pc = 0n, options: DisassembleOptions = {}): string => disassemble(word, pc, options).text;

test('PC-relative operands are absolute addresses with symbols', () => {
  const symbol = (a: bigint): string | undefined => (a === 0x40000010n ? 'main+0x10' : undefined);
  const call = disassemble(0x94000004, 0x40000000n, { symbol });
  assert.deepEqual(call, {
    text: 'bl 0x40000010 <main+0x10>',
    mnemonic: 'bl',
    operands: '0x40000010 <main+0x10>',
    target: 0x40000010n,
  });
  assert.equal(text(0x54ffffee, 0x40000010n, { symbol }), 'b.al 0x4000000c');
  assert.equal(text(0x18000080, 0x40000000n, { symbol }), 'ldr w0, 0x40000010 <main+0x10>');
  assert.equal(text(0xb0000000, 0x40000ffcn), 'adrp x0, 0x40001000');
  assert.equal(text(0x10ffffe0, 0n), 'adr x0, 0xfffffffffffffffc');
});

test('mnemonic and operands are split at the first space', () => {
  assert.deepEqual(disassemble(0xd65f03c0, 0n), { text: 'ret', mnemonic: 'ret', operands: '' });
  assert.deepEqual(disassemble(0xd503233f, 0n), { text: 'paciasp', mnemonic: 'paciasp', operands: '' });
  assert.deepEqual(disassemble(0xd5033b9f, 0n), { text: 'dsb ish', mnemonic: 'dsb', operands: 'ish' });
});

test('system registers and operations are named by the caller', () => {
  const options: DisassembleOptions = {
    sysregName: (...key) => (key.join() === '3,0,4,2,2' ? 'CurrentEL' : undefined),
    sysOpName: (...key) => {
      if (key.join() === '3,7,5,1') return { name: 'ic ivau', register: true };
      return key.join() === '0,7,5,0' ? { name: 'ic iallu', register: false } : undefined;
    },
  };
  assert.equal(text(0xd5384240, 0n, options), 'mrs x0, CurrentEL');
  assert.equal(text(0xd5384240), 'mrs x0, S3_0_C4_C2_2');
  assert.equal(
    text(encode('MSR_reg', { o0: 1, op1: 4, CRn: 15, CRm: 2, op2: 0, Rt: 31 }), 0n, options),
    'msr S3_4_C15_C2_0, xzr',
  );
  assert.equal(text(0xd50b7520, 0n, options), 'ic ivau, x0');
  assert.equal(text(0xd50b753f, 0n, options), 'ic ivau, xzr');
  assert.equal(text(0xd508751f, 0n, options), 'ic iallu');
  assert.equal(text(0xd5087500, 0n, options), 'sys #0, c7, c5, #0, x0');
  assert.equal(text(0xd508751f), 'sys #0, c7, c5, #0');
});

test('what has no text prints as data and says why', () => {
  assert.deepEqual(disassemble(0xd4000000, 0n), {
    text: '.inst 0xd4000000',
    mnemonic: '.inst',
    operands: '0xd4000000',
    comment: 'unallocated',
  });
  assert.match(disassemble(0x04200000, 0n).comment ?? '', /^Scalable Vector Extension/);
});

test('no alias is shadowed by those before it', () => {
  const random = new SeededRandom(new Uint32Array(1));
  random.seed(1);
  for (const compiled of compiledRows) {
    const aliases = compiled.row.aliases ?? [];
    const seen = new Set<number>();
    for (let i = 0; i < 20_000 && seen.size < aliases.length; i++) {
      const word = randomWord(compiled, random);
      const fields = Object.fromEntries(
        compiled.pattern.fields.map((f) => [f.name, (word >>> f.lsb) & (2 ** f.width - 1)]),
      );
      seen.add(aliases.findIndex((a) => a.when(fields)));
      seen.delete(-1);
    }
    assert.equal(seen.size, aliases.length, `${compiled.row.id}: an alias is never chosen`);
  }
});
