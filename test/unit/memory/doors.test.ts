/** The debugger's door: peeks change nothing, pokes reach the copies that they name; watches; reset; snapshots. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { MemoryType } from '../../../src/memory/types';
import { Bench, coreConfig, memoryConfig, RAM } from './harness';

const A = RAM + 0x40;
const F = RAM + 0x80;

const digest = (b: Bench): string =>
  createHash('sha256')
    .update(new Uint8Array(b.u32.buffer))
    .update(JSON.stringify(b.memory.save(), (_k, v) => (ArrayBuffer.isView(v) ? [...(v as Uint8Array)] : v)))
    .update(String(b.memory.shared.region))
    .digest('hex');

function busy(checker: 'off' | 'architectural' = 'off'): Bench {
  const cores = [coreConfig({ prefetch: 16 }), coreConfig({ l1i: { ...coreConfig().l1i, policy: 'VIPT' } })];
  const b = new Bench(memoryConfig({ cores, checker }));
  b.store(0, A, 2);
  b.op(0, 'CVAU', A);
  b.store(0, A, 3);
  for (const core of [0, 1]) for (const at of [A, F]) b.run(core, at);
  b.load(1, 0x100);
  b.dma(F, 7);
  return b;
}

test('no peek changes anything', () => {
  const b = busy('architectural');
  const before = digest(b);
  for (const pa of [A, F, RAM + 0x1000, 0x100]) {
    b.memory.peekView(pa, 100);
    b.memory.peekPoU(0, pa, 100);
    b.memory.peekPoC(pa, 100);
    for (const core of [0, 1]) b.memory.peekFetch(core, pa, pa, 100);
    b.memory.lineState(pa);
  }
  for (const core of [0, 1]) {
    for (const [level, kind] of [
      [1, 'I'],
      [1, 'D'],
      [2, 'U'],
      [3, 'U'],
    ] as const)
      b.memory.cacheLines(core, level, kind);
    b.memory.statistics(core, 10, 10);
  }
  b.memory.ramAddress(RAM);
  assert.equal(digest(b), before);
});

test('peeks end where RAM ends', () => {
  const b = new Bench();
  assert.equal(b.memory.peekView(RAM + 0x40000 - 4, 16).length, 4);
  assert.equal(b.memory.peekPoC(0x80000000, 16).length, 0);
  assert.equal(b.memory.lineState(0x80000000), undefined);
  assert.equal(b.memory.pokeView(RAM + 0x40000 - 4, new Uint8Array(8)), 4);
});

test('lineState and peekFetch show every copy', () => {
  const b = busy();
  assert.deepEqual(b.versions(A), { V: 3, P: 2, C: 0 });
  const rows = b.memory
    .lineState(A)!
    .copies.map((c) => `${c.where} ${c.present} ${c.dirty} ${c.bytes?.[0]} ${c.differs}`);
  assert.deepEqual(rows, [
    'L1I core0 true false 2 true',
    'L1D core0 true true 3 false',
    'L1I core1 true false 2 true',
    'L1D core1 false false undefined false',
    'L2 cluster0 true true 2 true',
    'view true false 3 false',
    'PoU true false 2 true',
    'PoC true false 0 true',
  ]);
  assert.equal(b.memory.peekFetch(1, A, A, 4)[0], 2);
  b.memory.instructions.invalidateAll(0, 0, 0);
  assert.equal(b.memory.peekFetch(0, A, A, 4)[0], 2, 'the prefetch buffer still has it');
});

test('cacheLines tells place, address, state and contents', () => {
  const b = new Bench();
  b.store(0, A, 3);
  b.run(0, A);
  const [d] = b.memory.cacheLines(0, 1, 'D').filter((l) => l.valid);
  assert.deepEqual([d.set, d.pa, d.vaLo, d.dirty, d.bytes[0], d.differs], [1, A, A, true, 3, false]);
  const [i] = b.memory.cacheLines(0, 1, 'I').filter((l) => l.valid);
  assert.deepEqual([i.set, i.pa, i.vaLo, i.bytes[0], i.differs], [1, A, A, 0, true]);
  const [u] = b.memory.cacheLines(0, 2, 'U').filter((l) => l.valid);
  assert.deepEqual([u.level, u.pa, u.dirty, u.bytes[0], u.differs], [2, A, false, 0, true]);
  assert.equal(b.memory.cacheLines(0, 1, 'D').length, 8);
});

test('pokeView reaches every copy and counts nothing', () => {
  const b = busy();
  const counters = [...b.memory.shared.counters];
  b.poke(A, 0x77);
  assert.deepEqual(b.versions(A), { V: 0x77, P: 0x77, C: 0x77 });
  for (const core of [0, 1]) assert.equal(b.memory.peekFetch(core, A, A, 4)[0], 0x77);
  assert.deepEqual([...b.memory.shared.counters], counters);
  for (const core of [0, 1]) assert.equal(b.run(core, A), 0x77, 'records are decoded again');
});

test('a poke that ends inside a line and one over several lines', () => {
  const b = busy();
  const bytes = Uint8Array.from({ length: 200 }, (_, i) => i + 1);
  assert.equal(b.memory.pokeView(A - 3, bytes), 200);
  for (const peek of [b.memory.peekView(A - 3, 200), b.memory.peekPoU(0, A - 3, 200), b.memory.peekPoC(A - 3, 200)])
    assert.deepEqual(peek, bytes);
  assert.deepEqual(b.memory.peekFetch(1, A, A, 64), bytes.slice(3, 67));
});

test('pokes of one copy leave the others', () => {
  const word = (n: number): Uint8Array => new Uint8Array(Uint32Array.of(n).buffer);
  const one = (poke: (b: Bench) => void): string => {
    const b = busy();
    poke(b);
    const { V, P, C } = b.versions(A);
    return [V, P, C, ...[0, 1].map((core) => b.memory.peekFetch(core, A, A, 4)[0])].join(' ');
  };
  assert.equal(
    one(() => {}),
    '3 2 0 2 2',
  );
  assert.equal(
    one((b) => b.memory.pokePoU(A, word(9))),
    '3 9 0 2 2',
  );
  assert.equal(
    one((b) => b.memory.pokePoC(A, word(9))),
    '3 2 9 2 2',
  );
  assert.equal(
    one((b) => b.memory.pokeICache(1, A, word(9))),
    '3 2 0 2 9',
  );
  const b = busy();
  assert.equal(b.memory.pokeICache(1, A, word(9)), 4);
  assert.equal(b.memory.pokeICache(1, RAM + 0x1000, word(9)), 0);
  assert.equal(b.run(1, A), 9);
});

test('pokes of one copy of a line that is clean everywhere', () => {
  const word = (n: number): Uint8Array => new Uint8Array(Uint32Array.of(n).buffer);
  for (const [name, expected] of [
    ['pokePoU', { V: 1, P: 9, C: 1 }],
    ['pokePoC', { V: 1, P: 1, C: 9 }],
  ] as const) {
    const b = new Bench();
    b.poke(A, 1);
    b.load(0, A);
    b.memory[name](A, word(9));
    assert.deepEqual(b.versions(A), expected);
  }
});

test('watched lines always come to the slow path and to the port', () => {
  const b = new Bench();
  b.load(0, A);
  b.store(0, A, 1);
  b.memory.setWatchGranules(new Set([A]));
  b.load(0, A + 4);
  b.store(0, A, 2);
  b.load(0, A, MemoryType.NormalNC);
  b.setValue(0, 1, 2);
  assert.equal(b.memory.store(0, 0, A - 4, 3), 0); // its second half is watched
  assert.deepEqual(
    b.accesses.map((a) => `${a.lo - A} ${a.size} ${a.write}`),
    ['4 4 false', '0 4 true', '0 4 false', '-4 4 true', '0 4 true'],
  );
  assert.equal(b.fast(0, 'loadTable', A), 0);
  b.memory.setWatchGranules(new Set());
  b.load(0, A);
  assert.notEqual(b.fast(0, 'loadTable', A), 0);
  assert.equal(b.accesses.length, 5);
});

test('reset empties the caches and loses what they held', () => {
  const b = busy('architectural');
  b.memory.reset();
  assert.deepEqual(b.versions(A), { V: 0, P: 0, C: 0 });
  assert.deepEqual(b.versions(F), { V: 7, P: 7, C: 7 });
  for (const core of [0, 1])
    for (const [level, kind] of [
      [1, 'I'],
      [1, 'D'],
      [2, 'U'],
    ] as const)
      assert.equal(b.memory.cacheLines(core, level, kind).filter((l) => l.valid).length, 0);
  assert.equal(b.memory.versions.recordsInUse(), 0);
  assert.deepEqual(b.memory.checkSubset(), []);
  assert.ok(b.memory.shared.directory.every((d) => d === 0));
});

test('a snapshot is the linear memory and save()', () => {
  const b = busy('architectural');
  const linear = new Uint8Array(b.u32.buffer).slice();
  const state = JSON.stringify(b.memory.save(), (_k, v) =>
    ArrayBuffer.isView(v) ? { list: [...(v as Uint8Array)] } : v,
  );
  const saved = b.memory.save();
  const go = (): string => {
    for (let i = 0; i < 200; i++) {
      b.store(i & 1, RAM + ((i * 104729) & 0x1ffc), i);
      b.run((i >> 1) & 1, RAM + ((i * 7919) & 0x1ffc));
      if (i % 7 === 0) b.op(0, 'CIVAC', RAM + ((i * 31) & 0x1ffc));
    }
    const findings = b.findings.splice(0).map((f) => ({ ...f, time: 0 }));
    return digest(b) + JSON.stringify(findings);
  };
  b.findings.length = 0;
  const first = go();
  new Uint8Array(b.u32.buffer).set(linear);
  b.memory.restore(saved);
  b.marked.clear();
  const again = JSON.stringify(b.memory.save(), (_k, v) =>
    ArrayBuffer.isView(v) ? { list: [...(v as Uint8Array)] } : v,
  );
  assert.equal(again, state, 'what was run on did not change the saved state');
  assert.equal(go(), first);
});
