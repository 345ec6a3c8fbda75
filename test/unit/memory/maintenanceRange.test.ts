/** Operations on a range as one call: all of linear memory is as after the operations one by one. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { SeededRandom } from '../../../src/base/random';
import type { MemoryConfig } from '../../../src/memory/types';
import { Bench, coreConfig, memoryConfig, type OpName, ops, RAM } from './harness';

const BYTES = 0x2000;
/** What maintains is at EL2, where nothing is translated. */
const EL2 = { regime: 'EL2', el: 2, mmu: false, stage2: false } as const;

/** Cores with lines of every size, aliasing and VMID-tagged I-caches, costs that tell everything apart. */
function bench(seed: number, checker: MemoryConfig['checker'] = 'off'): Bench {
  const l1i = { sets: 16, ways: 2, lineBytes: 64, replacement: 'random' } as const;
  const l1d = { sets: 8, ways: 2, lineBytes: 64, replacement: 'lru' } as const;
  const cores = [
    coreConfig({ l1i: { ...l1i, policy: 'PIPT' }, l1d }),
    coreConfig({ l1i: { ...l1i, sets: 256, lineBytes: 32, policy: 'VIPT' }, l1d: { ...l1d, lineBytes: 128 } }),
    coreConfig({ l1i: { ...l1i, lineBytes: 128, policy: 'VPIPT' }, l1d, l2: -1 }),
  ];
  const cost = { ...memoryConfig().cost, maintenance: 3, perCore: 7, dvm: 1000 };
  const b = new Bench(memoryConfig({ cores, cost, checker, seed }));
  const random = new SeededRandom(new Uint32Array(1));
  random.seed(seed);
  for (const context of b.contexts) context.vmid = 5;
  for (let n = 0; n < 400; n++) {
    const core = random.below(3);
    const at = RAM + random.below(BYTES) * 4;
    const what = random.below(4);
    if (what === 0) b.store(core, at, n);
    else if (what === 1) b.load(core, at);
    else b.run(core, at);
  }
  Object.assign(b.contexts[0], EL2);
  return b;
}

const hash = (b: Bench): string => createHash('sha1').update(new Uint8Array(b.u32.buffer)).digest('hex');

test('a range has the effects, counts and costs of its operations', () => {
  const names: OpName[] = ['IVAU', 'CVAU', 'CVAC', 'CIVAC', 'IVAC'];
  for (let seed = 1; seed <= 12; seed++)
    for (const name of names)
      for (const stride of [32, 64, 128]) {
        const checker = seed % 2 === 0 ? 'actual' : 'off';
        const [one, all] = [bench(seed, checker), bench(seed, checker)];
        assert.equal(hash(one), hash(all));
        const first = RAM + (seed % 5) * 256;
        const count = (BYTES - 0x800) / stride;
        for (let i = 0; i < count; i++) one.memory.maintain(0, ops[name], 0, first + i * stride, 2);
        all.memory.maintainRange(0, ops[name], first, count, stride, 2);
        assert.equal(all.penalty(0), one.penalty(0), `${name} by ${stride}, seed ${seed}`);
        assert.equal(hash(all), hash(one), `${name} by ${stride}, seed ${seed}`);
      }
});

test('a checker hears of each operation, and where addresses are translated each of them is', () => {
  for (const translated of [false, true]) {
    const [one, all] = [bench(3, 'actual'), bench(3, 'actual')];
    for (const b of [one, all]) {
      b.contexts[0].mmu = translated;
      b.translator.log.length = 0;
    }
    for (let i = 0; i < 64; i++) one.memory.maintain(0, ops.IVAU, 0, RAM + i * 64, 2);
    all.memory.maintainRange(0, ops.IVAU, RAM, 64, 64, 2);
    assert.equal(all.translator.log.length, translated ? 64 : 0);
    for (const b of [one, all]) for (let at = RAM; at < RAM + 0x2000; at += 32) b.run(1, at);
    assert.equal(hash(all), hash(one));
    assert.deepEqual(all.findings, one.findings);
    assert.ok(one.findings.length > 0);
  }
});

test('what a range cleans and invalidates is done for the checker, not for the caches alone', () => {
  for (const left of [undefined, 'CVAU', 'IVAU'] as const) {
    const b = new Bench(memoryConfig({ cores: [coreConfig(), coreConfig()], checker: 'architectural' }));
    for (let at = RAM; at < RAM + 0x400; at += 64) {
      b.run(1, at);
      b.store(0, at, 1);
    }
    // No cache holds the lines any more, so only what the checker remembers can tell.
    for (let at = RAM + 0x4000; at < RAM + 0x8000; at += 64) {
      b.run(1, at);
      b.load(0, at);
    }
    Object.assign(b.contexts[0], EL2);
    for (const name of ['CVAU', 'IVAU'] as const) {
      if (name !== left) b.memory.maintainRange(0, ops[name], RAM, 16, 64, 2);
      b.memory.dsb(0);
    }
    b.memory.isb(1);
    for (let at = RAM; at < RAM + 0x400; at += 64) b.run(1, at);
    assert.equal(b.findings.length > 0, left !== undefined, `without ${left}`);
  }
});

test('where nothing is translated and nobody listens, no operation asks the MMU', () => {
  const b = bench(1);
  b.translator.log.length = 0;
  b.memory.maintainRange(0, ops.IVAU, RAM, 4096, 64, 2);
  assert.equal(b.translator.log.length, 0);
});
