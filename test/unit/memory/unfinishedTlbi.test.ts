/** Architectural mode: the barriers around a TLBI, which this machine could do without. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { RO, USER } from './mmu/rig';
import { leaf, TableBench } from './tableBench';

const LEAF = leaf(0);

describe('architectural mode asks for the barriers around a TLBI', () => {
  type Do = 'dsb' | 'isb' | 'VAE1IS' | 'VALE1IS' | 'VMALLE1';
  /** What is said when page 0, or its table, was made invalid and these steps were done. */
  function said(steps: readonly Do[], mode: 'actual' | 'architectural' = 'architectural', before = LEAF): string[] {
    const b = new TableBench(mode);
    b.map(0, before);
    b.read(0, 0);
    b.store(0, b.entry(0), 0n);
    for (const step of steps) {
      if (step === 'dsb' || step === 'isb') b[step](0);
      else b.tlbi(0, step);
    }
    assert.equal(b.read(0, 0), 'translation');
    b.read(0, 0);
    return b.findings.map((f) => `${f.kind}, ${f.mode}: ${f.missing.join('; ')}`);
  }
  const KIND = 'incomplete TLB maintenance, architectural: ';

  for (const [name, steps, missing] of [
    ['all of them', ['dsb', 'VAE1IS', 'dsb', 'isb'], undefined],
    ['all, for itself alone', ['dsb', 'VMALLE1', 'dsb', 'isb'], undefined],
    ['of the last level, as a leaf was changed', ['dsb', 'VALE1IS', 'dsb', 'isb'], undefined],
    ['no DSB before it', ['VAE1IS', 'dsb', 'isb'], 'DSB ISHST before the TLBI'],
    ['no DSB after it', ['dsb', 'VAE1IS', 'isb'], 'DSB ISH; ISB'],
    ['no ISB', ['dsb', 'VAE1IS', 'dsb'], 'ISB'],
    ['nothing', ['VAE1IS'], 'DSB ISHST before the TLBI; DSB ISH; ISB'],
  ] as const)
    test(name, () => {
      assert.deepEqual(said(steps), missing === undefined ? [] : [KIND + missing]);
      assert.deepEqual(said(steps, 'actual'), [], 'here it does no harm');
    });

  test('a page of EL0 needs no ISB: the return to EL0 is one', () => {
    assert.deepEqual(said(['dsb', 'VAE1IS', 'dsb'], 'architectural', LEAF | USER), []);
    assert.deepEqual(said(['dsb', 'VAE1IS'], 'architectural', LEAF | USER), [`${KIND}DSB ISH`]);
  });

  test('a table descriptor needs more than the last level', () => {
    for (const name of ['VAE1IS', 'VALE1IS'] as const) {
      const b = new TableBench('architectural');
      b.read(0, 0);
      b.store(0, b.table, 0n);
      b.dsb(0);
      b.tlbi(0, name);
      b.dsb(0);
      b.isb(0);
      b.read(0, 0);
      const missing = b.findings.map((f) => f.missing.join());
      assert.deepEqual(missing, name === 'VAE1IS' ? [] : ['a TLBI that is not of the last level alone']);
    }
  });

  test('both values and both PCs are told; other cores may still be waiting', () => {
    const b = new TableBench('architectural');
    b.read(0, 0);
    b.store(0, b.entry(0), 0n);
    b.tlbi(0, 'VAE1IS');
    b.read(1, 0);
    assert.equal(b.findings.length, 0);
    b.setPc(0, 0x1234);
    b.read(0, 0);
    const [f] = b.findings;
    assert.deepEqual([f.pcLo, f.writerPcLo, f.pa], [0x1234, 0x1000, b.entry(0)]);
    assert.equal(
      f.detail,
      'walked by the stage 1 level 3 descriptor 0x0000000000000000, while a TLB may still hold what it was, 0x0000000040010f1b',
    );
  });

  test('another thread that comes to the core says nothing of the sequence', () => {
    const b = new TableBench('architectural');
    b.map(0, LEAF | USER);
    b.read(0, 0);
    b.store(0, b.entry(0), 0n);
    b.tlbi(0, 'VAE1IS');
    b.stacks[0] += 0x8000;
    b.read(0, 0);
    assert.deepEqual(b.findings, []);
  });

  test('rights alone: no finding, since the access may be one that both allow', () => {
    const b = new TableBench('architectural');
    b.read(0, 0);
    b.store(0, b.entry(0), LEAF | RO);
    b.tlbi(0, 'VAE1IS');
    b.read(0, 0);
    assert.deepEqual(b.findings, []);
  });
});
