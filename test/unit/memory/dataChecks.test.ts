/** The data side of the checker: what each kind is found by, and what is no finding. And lines of another vCPU. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MemoryType } from '../../../src/memory/types';
import { Bench, coreConfig, memoryConfig, RAM } from './harness';

const DATA = RAM + 0x400;
/** A second address of the same page, Non-cacheable. */
const ALIAS = 0x5000_0000;
const OLD = 0x11111111;
const NEW = 0x22222222;

function bench(checker: 'actual' | 'off' = 'actual'): Bench {
  const b = new Bench(memoryConfig({ cores: [coreConfig(), coreConfig()], checker }));
  b.translator.pages.set(ALIAS >>> 12, { pa: RAM, type: MemoryType.NormalNC });
  b.poke(DATA, OLD);
  b.setPc(0, 0x1234);
  b.setPc(1, 0x5678);
  return b;
}
const found = (b: Bench): string[] => b.findings.map((f) => `${f.kind} at ${f.pcLo.toString(16)}: ${f.detail}`);
const alias = ALIAS + (DATA & 0xfff);

test('a read past the caches that misses what a cache holds', () => {
  const b = bench();
  b.store(0, DATA, NEW);
  assert.equal(b.load(1, alias), OLD);
  assert.deepEqual(found(b), ['mismatched attributes at 5678: read 0x11111111 past the caches, which hold 0x22222222']);
  assert.equal(b.findings[0].writerCore, 0);
  b.load(1, alias);
  assert.equal(b.findings.length, 1, 'once for each instruction');
  b.setPc(1, 0x9000);
  b.op(0, 'CVAC', DATA);
  assert.equal(b.load(1, alias), NEW);
  assert.equal(b.findings.length, 1, 'cleaned to the point of coherency: no finding');
});

test('a line that is dirty with other bytes than those read is no finding', () => {
  const b = bench();
  b.store(0, DATA + 8, NEW);
  assert.equal(b.load(1, alias), OLD);
  assert.deepEqual(found(b), []);
});

test('an invalidation that loses written data', () => {
  const b = bench();
  b.store(0, DATA, NEW);
  b.op(0, 'CIVAC', DATA);
  b.store(0, DATA, OLD);
  b.op(0, 'IVAC', DATA);
  assert.equal(b.load(0, DATA), NEW);
  assert.deepEqual(found(b), ['lost data at 1234: 0x11111111 was written and is 0x22222222 again']);
});

test('an invalidation of clean data, or of data that is the same below, is no finding', () => {
  const b = bench();
  b.load(0, DATA);
  b.op(0, 'IVAC', DATA);
  b.store(0, DATA, OLD);
  b.op(0, 'IVAC', DATA);
  assert.deepEqual(found(b), []);
});

test('maintenance by set and way while another core runs', () => {
  const b = bench();
  b.op(0, 'CISW', 0);
  assert.deepEqual(found(b), []);
  b.active[1] = true;
  b.op(0, 'CISW', 0);
  assert.deepEqual(found(b), ['set/way at 1234: by set and way on core 0, while core 1 runs']);
});

test('with the checker off nothing is found', () => {
  const b = bench('off');
  b.store(0, DATA, NEW);
  b.load(1, alias);
  b.op(0, 'IVAC', DATA);
  b.op(0, 'CISW', 0);
  assert.deepEqual(found(b), []);
});

const F = RAM + 0x80;
const MOV_1 = 0xd2800020;
const MOV_2 = 0xd2800040;

test('a line that another vCPU brought is named with both, the own one is a stale fetch', () => {
  for (const [filler, runner, kind] of [
    [1, 2, 'inherited line'],
    [2, 2, 'stale fetch'],
  ] as const) {
    const b = new Bench(memoryConfig({ checker: 'actual' }));
    b.poke(F, MOV_1);
    b.memory.setOwner(0, filler);
    b.run(0, F);
    b.store(1, F, MOV_2);
    b.memory.setOwner(0, runner);
    b.memory.isb(0);
    assert.equal(b.run(0, F), MOV_1);
    assert.deepEqual(
      b.findings.map((f) => [f.kind, f.owner, f.filler]),
      [[kind, runner, kind === 'inherited line' ? filler : 0]],
    );
  }
});

test('a VIPT alias that was left behind', () => {
  const l1i = { sets: 256, ways: 2, lineBytes: 64, replacement: 'random', policy: 'VIPT' } as const;
  const b = new Bench(memoryConfig({ cores: [coreConfig({ l1i }), coreConfig({ l1i })], checker: 'actual' }));
  const other = F + 0x1000;
  b.translator.pages.set(other >>> 12, { pa: F & ~0xfff });
  b.poke(F, MOV_1);
  assert.equal(b.run(0, other), MOV_1);
  b.store(0, F, MOV_2);
  b.op(0, 'CVAU', F);
  b.memory.dsb(0);
  b.op(0, 'IVAU', F);
  b.memory.dsb(0);
  b.memory.isb(0);
  assert.equal(b.run(0, F), MOV_2);
  assert.equal(b.run(0, other), MOV_1);
  assert.deepEqual(
    b.findings.map((f) => f.kind),
    ['VIPT alias'],
  );
});
