/** Accesses of 16 bytes: one access, whatever its address; elements of structures are aligned each by itself. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { coreLayout } from '../../../src/cpu/layout';
import { Desc } from '../../../src/memory/dataAccess';
import { MemoryType } from '../../../src/memory/types';
import { Bench, RAM } from './harness';

const QUADWORD = 4;
const PAGE = 4096;
const elements = (sizeLog2: number): number => QUADWORD | ((sizeLog2 + 1) << Desc.ElementShift);

const VALUE = [0x03020100, 0x07060504, 0x0b0a0908, 0x0f0e0d0c];
const valueWord = coreLayout.value[0] >> 2;
function put(b: Bench, words: readonly number[]): void {
  b.u32.set(words, valueWord);
}
const got = (b: Bench): number[] => [...b.u32.subarray(valueWord, valueWord + 4)];

test('any address within a line, across lines and across pages', () => {
  for (const offset of [0, 1, 8, 16, 48, 49, 56, 63, PAGE - 8, PAGE - 1]) {
    const b = new Bench();
    put(b, VALUE);
    assert.equal(b.memory.store(0, 0, RAM + offset, QUADWORD), 0);
    const bytes = b.memory.peekView(RAM + offset, 16);
    assert.deepEqual(
      [...bytes],
      Array.from({ length: 16 }, (_, i) => i),
      `stored at ${offset}`,
    );
    put(b, [1, 2, 3, 4]);
    assert.equal(b.memory.load(0, 0, RAM + offset, QUADWORD), 0);
    assert.deepEqual(got(b), VALUE, `loaded from ${offset}`);
    const { secondAccesses } = b.memory.statistics(0, 2, 0).counters;
    assert.equal(secondAccesses, offset % 64 > 48 ? 2 : 0, `lines of ${offset}`);
  }
});

test('nothing is stored when the second page faults, and the fault is there', () => {
  const b = new Bench();
  b.translator.pages.set((RAM + PAGE) >>> 12, { readOnly: true });
  put(b, VALUE);
  assert.equal(b.memory.store(0, 0, RAM + PAGE - 8, QUADWORD), 1);
  assert.equal(b.memory.faultLo, RAM + PAGE);
  assert.equal(b.memory.fault.kind, 'permission');
  assert.deepEqual([...b.memory.peekView(RAM + PAGE - 8, 8)], new Array(8).fill(0));
});

test('alignment is checked for 16 bytes, or for each element', () => {
  const b = new Bench();
  const fine = (address: number, desc: number): boolean =>
    b.memory.load(0, 0, address, desc) === 0 && b.memory.store(0, 0, address, desc) === 0;
  b.contexts[0].alignmentCheck = true;
  const rows: readonly [offset: number, desc: number, fine: boolean][] = [
    [0, QUADWORD, true],
    [8, QUADWORD, false],
    [8, elements(3), true],
    [4, elements(3), false],
    [4, elements(2), true],
    [2, elements(2), false],
    [2, elements(1), true],
    [1, elements(1), false],
    [1, elements(0), true],
    [63, elements(0), true],
  ];
  for (const [offset, desc, expected] of rows) {
    assert.equal(fine(RAM + offset, desc), expected, `offset ${offset}, desc ${desc}`);
    if (!expected) assert.equal(b.memory.fault.kind, 'alignment');
  }
  b.contexts[0].alignmentCheck = false;
  for (const [offset, desc] of rows) assert.ok(fine(RAM + offset, desc));
});

test('on Device memory too: aligned elements may cross a line together', () => {
  const b = new Bench();
  b.typed(MemoryType.DeviceNGnRnE, () => {
    put(b, VALUE);
    assert.equal(b.memory.store(0, 0, RAM + 56, elements(3)), 0);
    put(b, [0, 0, 0, 0]);
    assert.equal(b.memory.load(0, 0, RAM + 56, elements(3)), 0);
    assert.deepEqual(got(b), VALUE);
    for (const desc of [QUADWORD, elements(3)]) {
      assert.equal(b.memory.load(0, 0, RAM + 52, desc), 1);
      assert.equal(b.memory.store(0, 0, RAM + 52, desc), 1);
      assert.equal(b.memory.fault.kind, 'alignment');
    }
    assert.equal(b.memory.load(0, 0, RAM + 56, QUADWORD), 1);
  });
});
