/** Uses of stale TLB entries: which are found, with what, and which the kernel makes by right. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { PATIENCE } from '../../../src/memory/translationChecks';
import { Access } from '../../../src/memory/translator';
import { PXN, RO, USER, UXN } from './mmu/rig';
import { IPA, leaf, leaf2, OTHER_LEVEL3, TableBench, VA } from './tableBench';

const LEAF = leaf(0);
const found = (b: TableBench): string[] => b.found.filter((text) => text.startsWith('stale'));
const byCore = (core: number): string[] => [`stale TLB entry by core ${core} at ${core + 1}000`];

/** A core wrote page 0's descriptor, with barriers but no TLBI. The entry is in both cores' TLBs. */
function changed(value: bigint, b = new TableBench(), before?: bigint): TableBench {
  if (before !== undefined) b.map(0, before);
  for (const core of [0, 1]) for (const access of [Access.Read, Access.Write, Access.Fetch]) b.access(core, VA, access);
  b.store(0, b.entry(0), value);
  b.dsb(0);
  b.isb(0);
  return b;
}

describe('the core that wrote the descriptor', () => {
  test('an invalid one: a read, a write and a fetch are found, each change once', () => {
    for (const access of [Access.Read, Access.Write, Access.Fetch]) {
      const b = changed(0n);
      assert.equal(b.access(0, VA, access), 'ok', 'the stale entry is used');
      assert.deepEqual(found(b), byCore(0));
      b.setPc(0, 0x8000);
      b.access(0, VA, access);
      assert.equal(b.findings.length, 1, 'once');
    }
  });

  test('both PCs, both values and the steps are told', () => {
    const b = changed(0n);
    b.setPc(0, 0x1234);
    b.read(0, 0);
    const [f] = b.findings;
    assert.equal(
      f.detail,
      'read 0x200000 (PA 0x40010000) by a TLB entry made from the stage 1 level 3 descriptor 0x0000000040010f1b, ' +
        'which has become 0x0000000000000000: a walk gives a translation fault, level 3',
    );
    assert.deepEqual([f.pcLo, f.writerCore, f.writerPcLo, f.pa], [0x1234, 0, 0x1000, b.entry(0)]);
    assert.deepEqual(f.missing, ['TLBI VAE1IS', 'DSB ISH', 'ISB']);
    assert.equal(f.advice, 'after the change: DSB ISHST; TLBI VAE1IS; DSB ISH; ISB');
  });

  test('not before its DSB and context synchronisation', () => {
    const b = new TableBench();
    b.read(0, 0);
    b.store(0, b.entry(0), 0n);
    b.read(0, 0);
    assert.deepEqual(found(b), []);
    b.dsb(0);
    b.read(0, 0);
    assert.deepEqual(found(b), []);
    b.isb(0);
    b.read(0, 0);
    assert.deepEqual(found(b), byCore(0));
  });

  test('a barrier before the write is none', () => {
    const b = new TableBench();
    b.read(0, 0);
    b.dsb(0);
    b.store(0, b.entry(0), 0n);
    b.isb(0);
    b.read(0, 0);
    assert.deepEqual(found(b), []);
  });

  for (const [name, tlbi, n, stale] of [
    ['the TLBI that is due', 'VAE1IS', 0, false],
    ['its ASID', 'ASIDE1IS', 0, false],
    ['all of the regime, for itself', 'VMALLE1', 0, false],
    ['another page', 'VAE1IS', 1, true],
    ['another regime', 'ALLE2IS', 0, true],
  ] as const)
    test(`after a TLBI of ${name}: ${stale ? 'found' : 'nothing'}`, () => {
      const b = changed(0n);
      b.tlbi(0, tlbi, n);
      b.dsb(0);
      b.isb(0);
      assert.equal(b.read(0, 0), stale ? 'ok' : 'translation');
      assert.deepEqual(found(b), stale ? byCore(0) : []);
    });

  test('the stale use stays visible: no fast path stands in for it', () => {
    const b = new TableBench();
    assert.deepEqual([b.read(0, 0), b.read(0, 0)], ['ok', 'fast']);
    b.store(0, b.entry(0), 0n);
    assert.deepEqual([b.read(0, 0), b.read(0, 0)], ['ok', 'ok']);
    b.store(0, b.entry(0), LEAF);
    assert.deepEqual([b.read(0, 0), b.read(0, 0)], ['ok', 'fast'], 'as it was: no longer out of date');
  });
});

describe('what matters', () => {
  for (const [name, before, after, access, matters] of [
    ['another address', LEAF, leaf(1), Access.Read, true],
    ['read only: a write', LEAF, LEAF | RO, Access.Write, true],
    ['read only: a read', LEAF, LEAF | RO, Access.Read, false],
    ['never executed: a fetch', LEAF, LEAF | PXN, Access.Fetch, true],
    ['never executed: a read', LEAF, LEAF | PXN, Access.Read, false],
    ['another memory type', LEAF, LEAF ^ (2n << 2n), Access.Read, true],
    ['not cacheable any more', LEAF, LEAF ^ (2n << 2n), Access.Write, true],
    ['more rights', LEAF | RO, LEAF, Access.Read, false],
    ['the access flag', LEAF, LEAF & ~(1n << 10n), Access.Read, false],
    ['the Contiguous bit', LEAF, LEAF | (1n << 52n), Access.Read, false],
    ['dirty state and software bits', LEAF, LEAF | (1n << 51n) | (15n << 55n), Access.Read, false],
    ['the same', LEAF, LEAF, Access.Read, false],
  ] as const)
    test(`${name}: ${matters ? 'found' : 'nothing'}`, () => {
      const b = changed(after, new TableBench(), before);
      b.access(0, VA, access);
      assert.deepEqual(found(b), matters ? byCore(0) : []);
    });

  test('a table descriptor counts as its leaf does', () => {
    for (const [value, access, matters] of [
      [0n, Access.Read, true],
      [BigInt(OTHER_LEVEL3) | 3n, Access.Read, true],
      [0x4000_1003n | (1n << 62n), Access.Write, true],
      [0x4000_1003n | (1n << 62n), Access.Read, false],
      [0x4000_1003n | (15n << 55n), Access.Read, false],
    ] as const) {
      const b = new TableBench();
      b.access(0, VA, access);
      b.store(0, b.table, value);
      b.dsb(0);
      b.isb(0);
      b.access(0, VA, access);
      assert.deepEqual(found(b), matters ? byCore(0) : [], `0x${value.toString(16)} ${access}`);
      if (matters) assert.match(b.findings.at(-1)?.detail ?? '', /stage 1 level 2 table descriptor 0x0000000040001003/);
    }
  });
});

test('a change that takes nothing away leaves the fast paths', () => {
  const b = new TableBench();
  b.map(0, LEAF | RO);
  b.read(0, 0);
  b.store(0, b.table, 0x4000_1003n | (15n << 55n));
  b.store(0, b.entry(0), LEAF | (1n << 55n));
  assert.equal(b.read(0, 0), 'fast');
});

describe('another core', () => {
  test('a page closed to EL0: from the DSB of the writer on', () => {
    const b = new TableBench();
    b.read(1, 0);
    b.store(0, b.entry(0), 0n);
    b.read(1, 0);
    assert.deepEqual(found(b), []);
    b.dsb(1);
    b.read(1, 0);
    assert.deepEqual(found(b), [], 'its own barrier says nothing of the writer');
    b.dsb(0);
    b.read(1, 0);
    assert.deepEqual(found(b), byCore(1));
    assert.deepEqual([b.findings[0].writerCore, b.findings[0].missing], [0, ['TLBI VAE1IS', 'DSB ISH']]);
  });

  test('a TLBI for the writer alone and its DSB: found at once, even of a page of EL0', () => {
    const b = changed(LEAF | USER | RO, new TableBench(), LEAF | USER);
    assert.equal(b.write(1, 0), 'ok');
    b.tlbi(0, 'VAE1');
    assert.equal(b.write(1, 0), 'ok');
    assert.deepEqual(found(b), [], 'not before the DSB');
    b.dsb(0);
    b.write(1, 0);
    assert.deepEqual(found(b), byCore(1));
    assert.deepEqual(b.findings[0].missing, ['TLBI VAE1IS in place of what reached core 0 alone', 'DSB ISH']);
  });

  test('a TLBI of somebody else, for itself or of another page, proves nothing', () => {
    const b = changed(LEAF | USER | RO, new TableBench(), LEAF | USER);
    b.tlbi(0, 'VAE1', 1);
    b.dsb(0);
    b.write(1, 0);
    assert.deepEqual(found(b), []);
  });
});

describe('what kernels do by right', () => {
  test('a TLBI of a third for itself while a thread is about to invalidate', () => {
    const b = new TableBench();
    b.map(0, LEAF | USER);
    b.write(1, 0);
    b.store(1, b.entry(0), LEAF | USER | RO);
    b.tlbi(0, 'VMALLE1');
    b.dsb(0);
    b.dsb(1);
    b.isb(1);
    b.stacks[1] += 0x8000;
    b.write(1, 0);
    assert.deepEqual(found(b), []);
  });

  test('fork: write permission goes from pages of EL0 first, threads write meanwhile, the TLBI comes last', () => {
    const b = changed(LEAF | USER | RO | UXN, new TableBench(), LEAF | USER | UXN);
    b.dsb(1);
    b.isb(1);
    assert.equal(b.write(1, 0), 'ok');
    // A thread with another stack on the core that is about to invalidate.
    b.stacks[0] += 0x8000;
    assert.equal(b.write(0, 0), 'ok');
    assert.deepEqual(found(b), []);
    b.stacks[0] -= 0x8000;
    b.tlbi(0, 'ASIDE1IS');
    b.dsb(0);
    assert.equal(b.write(1, 0), 'permission');
    assert.deepEqual(found(b), []);
  });

  test('but not for ever', () => {
    const b = changed(LEAF | USER | RO, new TableBench(), LEAF | USER);
    b.time = PATIENCE;
    b.write(1, 0);
    assert.deepEqual(found(b), []);
    b.time++;
    b.write(1, 0);
    assert.deepEqual(found(b), byCore(1));
  });

  test('the thread that changed a page of EL0 and uses it itself is found', () => {
    const b = changed(LEAF | USER | RO, new TableBench(), LEAF | USER);
    b.stacks[0] += 0x100;
    b.write(0, 0);
    assert.deepEqual(found(b), byCore(0));
  });

  test('a lazy TLBI: invalid to valid holds nothing', () => {
    const b = new TableBench();
    b.map(0, 0n);
    assert.equal(b.read(0, 0), 'translation');
    b.store(0, b.entry(0), LEAF);
    b.dsb(0);
    b.isb(0);
    assert.equal(b.read(0, 0), 'ok');
    assert.deepEqual(b.found, []);
  });

  test('AT, which only asks', () => {
    const b = changed(0n);
    b.mmu.at(0, { name: 'AT S1E1R', regime: 'EL1', write: false, stage: 1 } as never, 0, VA, b.contexts[0], 1);
    assert.deepEqual(found(b), []);
  });
});

describe('stage 2', () => {
  /** Page 0 of stage 1 goes to the first page of IPA, whose stage 2 is a page of its own. */
  function guest(): TableBench {
    const b = new TableBench().withStage2();
    b.map(0, leaf(0) - BigInt(b.frames) + BigInt(IPA));
    return b;
  }

  test('stage 2 unmapped, with stage 1’s entry of both stages left', () => {
    for (const [tlbi, stale] of [
      [[], true],
      [['IPAS2E1IS'], true],
      [['IPAS2E1IS', 'VMALLE1IS'], false],
    ] as const) {
      const b = guest();
      assert.equal(b.read(0, 0), 'ok');
      b.store(0, b.entry2(0), 0n);
      b.dsb(0);
      for (const name of tlbi) b.tlbi(0, name);
      b.dsb(0);
      b.isb(0);
      assert.equal(b.read(0, 0), stale ? 'ok' : 'translation');
      assert.deepEqual(found(b), stale ? byCore(0) : [], tlbi.join());
      if (!stale) continue;
      assert.match(
        b.findings[0].detail ?? '',
        /stage 2 level 3 descriptor .* a stage 2 translation fault, level 3, IPA/,
      );
      assert.deepEqual(b.findings[0].missing, ['TLBI IPAS2E1IS', 'DSB ISH', 'TLBI VMALLE1IS', 'DSB ISH', 'ISB']);
    }
  });

  test('stage 1 off: stage 2’s own entry', () => {
    const b = guest();
    b.store(0, b.entry2(1), leaf2(1));
    for (const c of b.contexts) c.mmu = false;
    assert.equal(b.access(0, IPA), 'ok');
    for (const c of b.contexts) c.mmu = true;
    b.store(0, b.entry2(0), leaf2(0) & ~0x80n);
    b.dsb(0);
    b.isb(0);
    for (const c of b.contexts) c.mmu = false;
    b.access(0, IPA);
    assert.deepEqual(found(b), [], 'still readable');
    b.access(0, IPA, Access.Write);
    assert.deepEqual(found(b), byCore(0));
  });

  test('an entry that is made from a stale one is stale itself', () => {
    const b = guest();
    b.map(1, leaf(0) - BigInt(b.frames) + BigInt(IPA));
    b.read(0, 0);
    b.store(0, b.entry2(0), 0n);
    b.dsb(0);
    b.isb(0);
    b.setPc(0, 0x1000);
    assert.equal(b.read(0, 1), 'ok', 'by stage 2’s own entry');
    assert.deepEqual(found(b), byCore(0));
  });

  test('a vCPU on another core: while the host may still be at it nothing is said', () => {
    const b = guest();
    b.read(1, 0);
    b.store(0, b.entry2(0), 0n);
    b.dsb(0);
    b.read(1, 0);
    assert.deepEqual(found(b), []);
    b.time = PATIENCE + 1;
    b.read(1, 0);
    assert.deepEqual(found(b), byCore(1));
  });
});

test('without a checker nothing is watched', () => {
  const b = changed(0n, new TableBench('off'));
  b.read(0, 0);
  assert.deepEqual(b.findings, []);
  assert.equal(b.read(0, 0), 'fast');
});

test('what is known of entries comes with a snapshot', () => {
  const b = changed(0n);
  const [state, tlbs] = [JSON.parse(JSON.stringify(b.memory.save())), b.mmu.save()];
  b.memory.checker?.translations.reset();
  b.memory.restore(state);
  b.mmu.load(tlbs);
  b.read(0, 0);
  assert.deepEqual([found(b), b.findings[0].writerPcLo], [byCore(0), 0x1000]);
  b.store(0, b.entry(1), leaf(2));
  assert.deepEqual(b.found.slice(1), [], 'no entry was made from it');
  b.store(0, b.entry(0), leaf(2));
  assert.deepEqual(b.found.slice(1), ['break-before-make by core 0 at 1000']);
});
