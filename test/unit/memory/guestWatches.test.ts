/** The guest's watchpoints: no access to a watched page goes by a way on which nobody asks. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Bench, memoryConfig, RAM } from './harness';

const A = RAM + 0x2040;
const NEXT_LINE = A + 0x40;
const ELSEWHERE = RAM + 0x5000;

for (const generated of [false, true])
  test(`watched pages keep to the slow path, ${generated ? 'generated code in front' : 'memory system alone'}`, () => {
    const b = new Bench(memoryConfig(), generated);
    b.translator.tlbIndex = 3;
    for (const va of [A, NEXT_LINE, ELSEWHERE]) {
      b.load(0, va);
      b.store(0, va, 1);
    }
    assert.ok(b.fast(0, 'loadTable', A) !== 0 && b.fast(0, 'storeTable', A) !== 0);
    b.guestWatch = { address: A, stores: true };
    b.memory.setGuestWatches(0, true);
    for (const va of [A, NEXT_LINE]) {
      assert.equal(b.fast(0, 'storeTable', va), 0, 'entries of before are gone');
      assert.equal(b.load(0, va), 1);
      assert.equal(b.fast(0, 'loadTable', va), 0, 'and come not back');
    }
    assert.throws(() => b.store(0, A, 2), /watchpoint/);
    assert.equal(b.load(0, A), 1, 'nothing was stored');
    b.store(0, NEXT_LINE, 3);
    assert.throws(() => b.slow(0, A - 4, 3, true), /watchpoint/, 'a wider access that reaches it');
    assert.throws(() => b.slow(0, A - 2, 2, true), /watchpoint/, 'one across two lines');
    for (let n = 0; n < 2; n++) b.load(0, ELSEWHERE);
    assert.ok(b.fast(0, 'loadTable', ELSEWHERE) !== 0, 'other pages are as fast as ever');
    b.guestWatch = { address: A, stores: false };
    assert.throws(() => b.load(0, A), /watchpoint/);
    b.memory.setGuestWatches(0, false);
    for (let n = 0; n < 2; n++) b.store(0, A, 4);
    assert.ok(b.fast(0, 'storeTable', A) !== 0);
  });
