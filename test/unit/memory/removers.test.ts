/** Each remover of line-table entries: with it the invariant holds, with its omission planted the check sees it broken. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Remover, type RemoverName } from '../../../src/memory/removers';
import type { Confirm } from '../../../src/memory/subset';
import { Bench, coreConfig, memoryConfig, RAM } from './harness';

const A = RAM + 0x40;
const ALIAS = RAM + 0x4000; // VA pages from here map RAM

interface Scenario {
  readonly dic?: boolean;
  readonly checker?: 'off' | 'architectural';
  readonly run: (b: Bench) => void;
  /** What must hold afterwards besides the invariant. */
  readonly confirm?: (b: Bench) => Confirm;
  readonly also?: (b: Bench) => string[];
}

const flat =
  (b: Bench): Confirm =>
  (_core, slot, _hi, lo) => {
    if (slot !== 0) return -1;
    return b.translator.translate(0, b.contexts[0], 0, lo, 0) ? b.translator.result.pa : -1;
  };

const scenarios: Record<Exclude<RemoverName, 'none'>, Scenario> = {
  eviction: {
    run: (b) => {
      b.load(0, A);
      for (let i = 1; i < 16; i++) b.store(0, A + i * 256, 1);
    },
  },
  invalidate: {
    run: (b) => {
      b.load(0, A);
      b.run(0, A);
      b.op(1, 'CIVAC', A);
      b.op(1, 'IALLUIS');
    },
  },
  clean: {
    run: (b) => {
      b.store(0, A, 1);
      b.op(1, 'CVAU', A);
    },
  },
  snoop: {
    run: (b) => {
      b.store(0, A, 1);
      b.store(1, A, 2);
    },
  },
  tlb: {
    run: (b) => {
      b.translator.tlbIndex = 3;
      b.load(0, A);
      b.store(0, A, 1);
      b.run(0, A);
      b.translator.pages.set(A >>> 12, { fault: true });
      b.memory.dropTranslations(0, 0, A, 12, 3);
    },
    confirm: flat,
  },
  context: {
    run: (b) => {
      b.load(0, A);
      for (let asid = 1; asid <= 8; asid++) b.memory.selectContext(0, [asid]);
    },
    // Slot 0 now belongs to a context that maps nothing.
    confirm: () => () => -1,
  },
  alias: {
    run: (b) => {
      b.translator.pages.set(ALIAS >>> 12, { pa: RAM });
      b.load(0, A);
      b.load(0, ALIAS + 0x40);
    },
  },
  exclusive: {
    // Granule of 64 bytes, units of 32: the monitor covers a unit that the load itself does not touch.
    run: (b) => {
      b.store(0, RAM + 32, 1);
      assert.equal(b.memory.load(1, 0, RAM, 2 | 32), 0);
    },
  },
  watchpoint: {
    run: (b) => {
      b.load(0, A);
      b.memory.setWatchGranules(new Set([A]));
    },
  },
  region: {
    run: (b) => {
      b.load(0, 0x40);
      b.memory.setRegionMode(1, 'bus');
    },
  },
  iResident: {
    dic: true,
    run: (b) => {
      b.store(0, A, 1);
      b.run(1, A);
    },
  },
  instruction: {
    checker: 'architectural',
    run: (b) => {
      for (let at = 0; at < 24; at += 4) b.store(0, A + at, 1);
      b.store(0, A, 1);
      b.op(0, 'IVAU', A);
    },
    also: (b) => (b.fast(0, 'storeTable', A) === 0 ? [] : ['the next store to the line would not be seen']),
  },
};

function result(name: RemoverName, scenario: Scenario, omit: RemoverName): string[] {
  const line = name === 'exclusive' ? 32 : 64;
  const core = coreConfig({
    l1d: { sets: 4, ways: 2, lineBytes: line as 32 | 64, replacement: 'random' },
    idc: scenario.dic ?? false,
    dic: scenario.dic ?? false,
  });
  const b = new Bench(memoryConfig({ cores: [core, core], checker: scenario.checker ?? 'off' }));
  b.memory.omit = omit;
  scenario.run(b);
  return [...b.memory.checkSubset(scenario.confirm?.(b)), ...(scenario.also?.(b) ?? [])];
}

for (const [name, scenario] of Object.entries(scenarios) as [RemoverName, Scenario][]) {
  test(`${name} removes what it must`, () => {
    assert.deepEqual(result(name, scenario, 'none'), []);
  });
  test(`the omission of ${name} is seen`, () => {
    assert.notDeepEqual(result(name, scenario, name), []);
  });
}

test('every remover has a scenario', () => {
  assert.deepEqual(
    Object.keys(scenarios).sort(),
    Object.keys(Remover)
      .filter((n) => n !== 'none')
      .sort(),
  );
});

test('dropping a large page or everything reaches entries of all contexts', () => {
  for (const pageLog2 of [16, 21, 64]) {
    const b = new Bench();
    for (const key of [0, 1]) {
      b.memory.selectContext(0, [key]);
      for (let i = 0; i < 8; i++) b.load(0, RAM + 0x1000 + i * 64);
    }
    b.run(0, RAM + 0x2000);
    b.memory.dropTranslations(0, 0, RAM + 0x8000, pageLog2);
    assert.deepEqual(
      b.memory.checkSubset(() => -1),
      [],
    );
  }
});

test('dropping a page leaves the entries of others, and the tag byte of an address does not matter', () => {
  const b = new Bench();
  b.load(0, RAM + 0x1040);
  assert.equal(b.memory.load(0, 0xab000000, RAM + 0x2040, 2), 0);
  b.memory.dropTranslations(0, 0, RAM + 0x2000, 12);
  assert.notEqual(b.fast(0, 'loadTable', RAM + 0x1040), 0);
  assert.deepEqual(
    b.memory.checkSubset((_c, _s, _hi, lo) => (lo === RAM + 0x1040 ? lo : -1)),
    [],
  );
});

test('with true LRU only the most recent way answers without the slow path', () => {
  const core = coreConfig({ l1d: { sets: 4, ways: 2, lineBytes: 64, replacement: 'lru' } });
  const b = new Bench(memoryConfig({ cores: [core] }));
  b.store(0, RAM, 1);
  b.load(0, RAM);
  assert.notEqual(b.fast(0, 'loadTable', RAM), 0);
  b.load(0, RAM + 256);
  assert.equal(b.fast(0, 'loadTable', RAM), 0);
  assert.equal(b.fast(0, 'storeTable', RAM), 0);
  b.load(0, RAM); // promotes: both of its entries are plain again, and the other line is the victim
  assert.notEqual(b.fast(0, 'storeTable', RAM), 0);
  assert.equal(b.fast(0, 'loadTable', RAM + 256), 0);
  b.load(0, RAM + 512);
  const held = b.memory.cacheLines(0, 1, 'D').filter((l) => l.valid);
  assert.deepEqual(held.map((l) => l.pa - RAM).sort(), [0, 512]);
});

test('FIFO lets the line filled first go, used or not', () => {
  const core = coreConfig({ l1d: { sets: 4, ways: 2, lineBytes: 64, replacement: 'fifo' } });
  const b = new Bench(memoryConfig({ cores: [core] }));
  for (const at of [0, 256, 0, 512]) b.load(0, RAM + at);
  const held = b.memory.cacheLines(0, 1, 'D').filter((l) => l.valid);
  assert.deepEqual(held.map((l) => l.pa - RAM).sort(), [256, 512]);
});

test('random replacement is the same for the same seed and uses all ways', () => {
  const core = coreConfig({ l1d: { sets: 4, ways: 4, lineBytes: 64, replacement: 'random' } });
  const lines = (seed: number): string => {
    const b = new Bench(memoryConfig({ cores: [core], seed }));
    const ways = new Set<number>();
    for (let i = 0; i < 40; i++) {
      b.load(0, RAM + i * 256);
      const last = b.memory.cacheLines(0, 1, 'D').find((l) => l.valid && l.pa === RAM + i * 256)!;
      ways.add(last.way);
    }
    assert.equal(ways.size, 4);
    return b.memory
      .cacheLines(0, 1, 'D')
      .map((l) => l.pa)
      .join();
  };
  assert.equal(lines(5), lines(5));
  assert.notEqual(lines(5), lines(6));
});
