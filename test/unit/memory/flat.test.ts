import assert from 'node:assert/strict';
import { test } from 'node:test';
import { coreLayout } from '../../../src/cpu/layout';
import { MemoryType } from '../../../src/memory/types';
import { Bench, MMIO, RAM } from './harness';

test('loads and stores of every size and alignment give back what was stored', () => {
  const b = new Bench();
  for (let log2 = 0; log2 <= 4; log2++)
    for (let at = RAM + 0x100; at < RAM + 0x180; at++) {
      const words = [0x01020304, 0x15161718, 0x292a2b2c, 0x3d3e3f40].map((w) => w + at);
      b.setValue(0, ...words);
      assert.equal(b.memory.store(0, 0, at, log2), 0);
      b.setValue(0, 1, 1, 1, 1);
      assert.equal(b.memory.load(0, 0, at, log2), 0);
      const v = coreLayout.value[0] >> 2;
      const mask = log2 < 2 ? 2 ** (8 << log2) - 1 : 0xffffffff;
      assert.equal(b.u32[v], (words[0] & mask) >>> 0);
      assert.equal(b.u32[v + 1], log2 < 3 ? 0 : words[1]);
      if (log2 === 4) assert.deepEqual([...b.u32.slice(v + 2, v + 4)], words.slice(2));
      assert.deepEqual(b.memory.checkSubset(), []);
    }
});

test('a cached access leaves a line-table entry with the place of its unit', () => {
  const b = new Bench();
  b.poke(RAM + 8, 0x1234);
  assert.equal(b.fast(0, 'loadTable', RAM + 8), 0);
  assert.equal(b.load(0, RAM + 8), 0x1234);
  assert.equal(b.fast(0, 'loadTable', RAM + 8), b.memory.ramAddress(RAM + 8));
  assert.equal(b.fast(0, 'storeTable', RAM + 8), 0);
  b.store(0, RAM + 8, 5);
  assert.equal(b.fast(0, 'storeTable', RAM + 12), b.memory.ramAddress(RAM + 12));
});

test('outside RAM goes to the bus, with Device alignment', () => {
  const b = new Bench();
  b.busValue = 0x55;
  assert.equal(b.load(0, MMIO + 4), 0x55);
  b.store(1, MMIO + 8, 0x66);
  assert.deepEqual(b.busLog, ['r4 9000004 core0', 'w4 9000008=66 core1']);
  assert.equal(b.memory.load(0, 0, MMIO + 2, 2), 1);
  assert.equal(b.memory.fault.kind, 'alignment');
  assert.equal(b.memory.faultLo, MMIO + 2);
  b.busFails = true;
  assert.equal(b.memory.store(0, 0, MMIO, 2), 1);
  assert.equal(b.memory.fault.kind, 'external');
  assert.equal(b.memory.fault.write, true);
});

test('Device memory that is RAM wants aligned accesses and is not cached', () => {
  const b = new Bench();
  b.typed(MemoryType.DeviceNGnRnE, () => {
    assert.equal(b.memory.load(0, 0, RAM + 1, 2), 1);
    assert.equal(b.memory.fault.kind, 'alignment');
    assert.equal(b.memory.store(0, 0, RAM + 62, 3), 1);
    assert.equal(b.memory.fault.kind, 'alignment');
    b.store(0, RAM, 7);
    assert.equal(b.load(0, RAM), 7);
  });
  assert.equal(b.memory.cacheLines(0, 1, 'D').filter((l) => l.valid).length, 0);
});

test('SCTLR.A and ordered accesses fault when unaligned', () => {
  const b = new Bench();
  assert.equal(b.memory.load(0, 0, RAM + 2, 2), 0);
  assert.equal(b.memory.load(0, 0, RAM + 2, 2 | 16), 1);
  b.contexts[0].alignmentCheck = true;
  assert.equal(b.memory.load(0, 0, RAM + 2, 2), 1);
  assert.equal(b.memory.fault.kind, 'alignment');
});

test('an access over a page end is translated twice, and a store that faults in its second half writes nothing', () => {
  const b = new Bench();
  b.poke(RAM + 0xffc, 0x11111111);
  b.translator.pages.set((RAM + 0x1000) >>> 12, { fault: true });
  b.setValue(0, 0x22222222, 0x33333333);
  assert.equal(b.memory.store(0, 0, RAM + 0xffc, 3), 1);
  assert.equal(b.memory.faultLo, RAM + 0x1000);
  assert.equal(b.load(0, RAM + 0xffc), 0x11111111);
  b.translator.pages.set((RAM + 0x1000) >>> 12, { pa: RAM + 0x5000 });
  b.setValue(0, 0x22222222, 0x33333333);
  assert.equal(b.memory.store(0, 0, RAM + 0xffe, 3), 0);
  assert.deepEqual(b.versions(RAM + 0x5000), { V: 0x33332222, P: 0, C: 0 });
});

test('fetch decodes a copy and leaves an I-line table entry', () => {
  const b = new Bench();
  b.poke(RAM + 0x84, 0xd503201f);
  assert.equal(b.run(0, RAM + 0x84), 0xd503201f);
  assert.notEqual(b.fetchFast(0, RAM + 0x84), 0);
  assert.equal(b.memory.fetch(0, 0, MMIO, true), 0);
  assert.equal(b.memory.fault.kind, 'external');
  assert.equal(b.memory.fetch(0, 0, RAM + 2, true), 0);
  assert.equal(b.memory.fault.kind, 'pcAlignment');
  b.translator.pages.set(RAM >>> 12, { fault: true });
  assert.equal(b.memory.fetch(0, 0, RAM + 0x100, true), 0);
  assert.equal(b.memory.fault.kind, 'translation');
});

test('ROM is read as memory and written on the bus; in command mode reads go there too', () => {
  const b = new Bench();
  b.poke(0x100, 0xabcd);
  assert.equal(b.load(0, 0x100), 0xabcd);
  b.store(0, 0x100, 0x90);
  assert.deepEqual(b.busLog, ['w4 100=90 core0']);
  assert.equal(b.load(0, 0x100), 0xabcd);
  b.memory.setRegionMode(1, 'bus');
  b.busValue = 0x51;
  assert.equal(b.load(0, 0x100), 0x51);
  b.memory.setRegionMode(1, 'memory');
  assert.equal(b.load(0, 0x100), 0xabcd);
});

test('DC ZVA zeroes 64 bytes, faults on Device', () => {
  const b = new Bench();
  for (let i = 0; i < 128; i += 4) b.store(0, RAM + 0x200 + i, 0xffffffff);
  assert.equal(b.op(0, 'ZVA', RAM + 0x215), 0);
  const bytes = b.memory.peekView(RAM + 0x200, 128);
  assert.deepEqual(
    [...bytes].map((x, i) => x === (i < 64 ? 0 : 255)),
    new Array(128).fill(true),
  );
  assert.equal(b.op(0, 'ZVA', MMIO), 1);
  assert.equal(b.memory.fault.kind, 'alignment');
});
