/** The bitmap of dirty pages, and what the ioctls about it refuse. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  clearOutcome,
  countDirty,
  dirtyPages,
  getOutcome,
  isDirty,
  mark,
  newBitmap,
  spansOf,
  wordOf,
} from '../../../src/hypervisor/dirtyLog';

test('pages are bits, 64 of them a word', () => {
  const bitmap = newBitmap(130);
  assert.equal(bitmap.length, 6, 'whole words of the kernel');
  for (const page of [0, 31, 32, 63, 64, 129]) mark(bitmap, page);
  assert.deepEqual(dirtyPages(bitmap), [0, 31, 32, 63, 64, 129]);
  assert.deepEqual(dirtyPages(bitmap, 31, 64), [31, 32, 63]);
  assert.equal(countDirty(bitmap), 6);
  assert.deepEqual([isDirty(bitmap, 31), isDirty(bitmap, 30)], [true, false]);
  assert.deepEqual([wordOf(bitmap, 0), wordOf(bitmap, 1), wordOf(bitmap, 9)], [0x8000_0001_8000_0001n, 1n, 0n]);
  assert.equal(countDirty(newBitmap(130, true)), 130);
});

test('what is protected again reaches from the first to the last dirty page of each word', () => {
  assert.deepEqual(spansOf([3, 9, 63, 64, 200]), [
    { first: 3, pages: 61 },
    { first: 64, pages: 1 },
    { first: 200, pages: 1 },
  ]);
});

test('KVM_GET_DIRTY_LOG and KVM_CLEAR_DIRTY_LOG, errno for errno', () => {
  const bitmap = newBitmap(100);
  assert.deepEqual(
    [getOutcome(1, bitmap), getOutcome(1, undefined), getOutcome(32767, bitmap)],
    ['ok', 'ENOENT', 'EINVAL'],
  );
  const clear = (first: number, pages: number, map: number[] | undefined = bitmap): string =>
    clearOutcome(1, map, { first, pages }, 100);
  assert.deepEqual([clear(0, 100), clear(64, 36), clear(0, 64)], ['ok', 'ok', 'ok']);
  assert.equal(clear(1, 64), 'EINVAL', 'not at a word');
  assert.equal(clear(0, 63), 'EINVAL', 'a part of a word that is not the last');
  assert.equal(clear(64, 64), 'EINVAL', 'beyond the slot');
  assert.equal(clear(128, 0), 'EINVAL');
  assert.equal(clearOutcome(1, undefined, { first: 0, pages: 64 }, 0), 'ENOENT');
  assert.equal(clearOutcome(1, undefined, { first: 1, pages: 64 }, 0), 'EINVAL', 'before the slot is looked for');
});
