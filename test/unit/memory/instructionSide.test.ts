/** I-cache policies, where fetches read, the scope of IC operations, the prefetch buffer. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type CoreMemoryConfig, type InstructionCachePolicy, MemoryType } from '../../../src/memory/types';
import { Bench, coreConfig, memoryConfig, RAM } from './harness';

const F = RAM + 0x80;
/** A VA page of another colour (bit 12) that maps the first page of RAM, and one of the same colour. */
const OTHER = RAM + 0x7000;
const SAME = RAM + 0x4000;

const withICache = (policy: InstructionCachePolicy, over: Partial<CoreMemoryConfig> = {}): CoreMemoryConfig =>
  coreConfig({ l1i: { sets: 128, ways: 2, lineBytes: 64, replacement: 'random', policy }, ...over });

function aliased(core: CoreMemoryConfig, second: CoreMemoryConfig = core): Bench {
  const b = new Bench(memoryConfig({ cores: [core, second] }));
  for (const page of [OTHER, SAME]) b.translator.pages.set(page >>> 12, { pa: RAM });
  return b;
}
/** Stores and cleans, so that only I-caches can be old. */
function put(b: Bench, word: number): void {
  b.store(0, F, word);
  b.op(0, 'CVAU', F);
}

test('VIPT: IC IVAU reaches the set of its address only, IC IALLU everything', () => {
  const b = aliased(withICache('VIPT'));
  put(b, 1);
  for (const va of [F, OTHER + 0x80]) assert.equal(b.run(0, va), 1);
  put(b, 2);
  b.op(0, 'IVAU', F);
  assert.equal(b.run(0, F), 2);
  assert.equal(b.run(0, OTHER + 0x80), 1);
  assert.equal(b.run(0, SAME + 0x80), 2);
  b.op(0, 'IALLU');
  assert.equal(b.run(0, OTHER + 0x80), 2);
});

test('PIPT: one copy, whatever the address', () => {
  const b = aliased(withICache('PIPT'));
  put(b, 1);
  for (const va of [F, OTHER + 0x80]) assert.equal(b.run(0, va), 1);
  put(b, 2);
  b.op(0, 'IVAU', SAME + 0x80);
  for (const va of [F, OTHER + 0x80]) assert.equal(b.run(0, va), 2);
});

test('VIPT is tagged by PA: another page at the same address does not hit', () => {
  const b = aliased(withICache('VIPT'));
  put(b, 1);
  assert.equal(b.run(0, F), 1);
  b.poke(RAM + 0x5080, 7);
  b.translator.pages.set(F >>> 12, { pa: RAM + 0x5000 });
  b.memory.dropTranslations(0, 0, F, 12);
  assert.equal(b.run(0, F), 7);
});

test('IC IVAU is broadcast to all cores, by their own geometry; Non-shareable memory keeps it local', () => {
  const small = coreConfig({ l1i: { sets: 8, ways: 2, lineBytes: 32, replacement: 'random', policy: 'PIPT' } });
  for (const shareability of [3, 2, 0] as const) {
    const b = aliased(withICache('VIPT'), small);
    put(b, 1);
    b.poke(F + 32, 5);
    for (const at of [F, F + 32]) b.run(1, at);
    put(b, 2);
    b.store(0, F + 32, 6);
    b.op(0, 'CVAU', F);
    b.translator.shareability = shareability;
    b.op(0, 'IVAU', F);
    assert.equal(b.run(1, F), shareability === 0 ? 1 : 2);
    assert.equal(b.run(1, F + 32), 5);
  }
});

test('VPIPT: lines of EL1&0 belong to a VMID, EL2 sees and invalidates all', () => {
  const b = aliased(withICache('VPIPT'));
  const as = (vmid: number, regime: 'EL1&0' | 'EL2' = 'EL1&0'): void => {
    b.contexts[0].vmid = vmid;
    b.contexts[0].regime = regime;
    b.memory.selectContext(0, [vmid, regime === 'EL2' ? 2 : 1]);
  };
  put(b, 1);
  as(5);
  assert.equal(b.run(0, F), 1);
  put(b, 2);
  as(6);
  assert.equal(b.run(0, F), 2, 'another VMID misses');
  b.op(0, 'IVAU', F);
  as(5);
  assert.equal(b.run(0, F), 1, 'and does not invalidate for others');
  b.op(0, 'IALLU');
  assert.equal(b.run(0, F), 2);
  put(b, 3);
  as(0, 'EL2');
  assert.equal(b.run(0, F), 2, 'EL2 hits lines of any VMID');
  b.op(0, 'IVAU', F);
  as(5);
  assert.equal(b.run(0, F), 3);
});

test('PIPT and VIPT ignore the VMID', () => {
  for (const policy of ['PIPT', 'VIPT'] as const) {
    const b = aliased(withICache(policy));
    put(b, 1);
    b.contexts[0].vmid = 5;
    b.run(0, F);
    put(b, 2);
    b.contexts[0].vmid = 6;
    assert.equal(b.run(0, F), 1);
  }
});

test('what a fill reads: unification, the view with IDC, coherency when Non-cacheable', () => {
  for (const idc of [false, true]) {
    const b = new Bench(memoryConfig({ cores: [coreConfig({ idc })] }));
    b.poke(F, 1);
    b.store(0, F, 2);
    b.op(0, 'CVAU', F);
    b.store(0, F, 3); // view 3, unification 2, coherency 1
    assert.equal(b.run(0, F), idc ? 3 : 2);
    b.op(0, 'IALLU');
    assert.equal(
      b.typed(MemoryType.NormalNC, () => b.run(0, F)),
      1,
    );
    b.memory.dropTranslations(0, 0, F, 64);
    assert.equal(b.run(0, F), 1, 'a line from a Non-cacheable fetch is hit by cacheable ones');
  }
});

test('mmuOffFetch poc: with stage 1 off every fetch reads the point of coherency', () => {
  for (const mmuOffFetch of ['architecture', 'poc'] as const)
    for (const mmu of [true, false]) {
      const b = new Bench(memoryConfig({ mmuOffFetch }));
      b.poke(F, 1);
      b.store(0, F, 2);
      b.op(0, 'CVAU', F);
      b.contexts[0].mmu = mmu;
      const ran = b.typed(MemoryType.NormalWT, () => b.run(0, F));
      assert.equal(ran, mmuOffFetch === 'poc' && !mmu ? 1 : 2);
    }
});

test('cacheable fetches allocate in the outer cache, Non-cacheable ones do not', () => {
  const b = new Bench();
  const inL2 = (): boolean => b.memory.lineState(F)!.copies.find((c) => c.where.startsWith('L2'))!.present;
  b.typed(MemoryType.NormalNC, () => b.run(0, F));
  assert.equal(inL2(), false);
  b.run(1, F);
  assert.equal(inL2(), true);
});

test('DIC: stores of any core and type invalidate the I-lines of cores that have it', () => {
  const dic = withICache('VIPT', { idc: true, dic: true });
  for (const type of [MemoryType.NormalWB, MemoryType.NormalWT, MemoryType.NormalNC])
    for (const writer of [0, 1]) {
      const b = aliased(dic, coreConfig());
      b.poke(F, 1);
      for (const va of [F, OTHER + 0x80]) b.run(0, va);
      b.run(1, F);
      b.store(writer, F, 2, type);
      b.store(writer, F, 2, type);
      const expected = type === MemoryType.NormalNC ? 1 : 2; // the outer cache's line is older than memory
      for (const va of [F, OTHER + 0x80]) assert.equal(b.run(0, va), expected);
      assert.equal(b.run(1, F), 1, 'a core without DIC keeps its copy');
      assert.deepEqual(b.memory.checkSubset(), []);
    }
});

test('execution with many more lines than the I-cache holds is right', () => {
  for (const replacement of ['random', 'fifo', 'lru'] as const) {
    const core = coreConfig({ l1i: { sets: 4, ways: 2, lineBytes: 64, replacement, policy: 'PIPT' } });
    const b = new Bench(memoryConfig({ cores: [core] }));
    for (let i = 0; i < 64; i++) b.poke(RAM + i * 64 + 4, i + 1);
    for (let round = 0; round < 3; round++)
      for (let i = 0; i < 64; i++) {
        assert.equal(b.run(0, RAM + i * 64 + 4), i + 1);
        assert.deepEqual(b.memory.checkSubset(), []);
      }
  }
});

test('prefetch: words fetched before stay until a context synchronisation event', () => {
  const b = new Bench(memoryConfig({ cores: [coreConfig({ prefetch: 32, idc: true, dic: true })] }));
  b.poke(F, 1);
  assert.equal(b.run(0, F), 1);
  b.store(0, F, 2);
  b.memory.dsb(0);
  assert.equal(b.run(0, F), 1);
  assert.equal(b.run(0, F), 1);
  b.memory.isb(0);
  assert.equal(b.run(0, F), 2);
});

test('prefetch: no more than N words are held, the oldest go first', () => {
  const b = new Bench(memoryConfig({ cores: [coreConfig({ prefetch: 20, idc: true, dic: true })] }));
  const code = [F, F + 64, F + 128];
  for (const at of code) b.poke(at, 1);
  b.run(0, code[0]); // 16 words
  b.run(0, code[1] + 48); // the 4 last words of its granule: 20 in all
  for (const at of [...code, code[1] + 48]) b.store(0, at, 2);
  assert.equal(b.run(0, code[0]), 1);
  assert.equal(b.run(0, code[1] + 48), 0);
  assert.equal(b.run(0, code[1]), 2, 'words before the fetched one were not captured');
  b.run(0, code[2]); // pushes the first out
  assert.equal(b.run(0, code[0]), 2);
});

test('prefetch: what runs from the buffer is found by the checker', () => {
  const core = coreConfig({ prefetch: 16, idc: true, dic: true });
  const b = new Bench(memoryConfig({ cores: [core], checker: 'actual' }));
  b.poke(F, 0xd2800020);
  b.run(0, F);
  b.store(0, F, 0xd2800040);
  b.memory.dsb(0);
  assert.equal(b.run(0, F), 0xd2800020);
  assert.deepEqual(
    b.findings.map((f) => [f.kind, f.missing]),
    [['stale fetch', ['ISB']]],
  );
});
