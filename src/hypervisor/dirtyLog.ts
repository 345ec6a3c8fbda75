/**
 * Dirty pages of a memory slot: the bitmap, and what KVM_GET_DIRTY_LOG and KVM_CLEAR_DIRTY_LOG refuse, in the kernel's order
 * (kvm_get_dirty_log_protect, kvm_clear_dirty_log_protect in kvm_main.c, as remembered). Before v5.7 there was no
 * KVM_DIRTY_LOG_INITIALLY_SET, and before v5.2 no manual protection of this kind: the model has both at every release.
 */
import type { Outcome } from './errno';
import { USER_SLOTS } from './memslots';

/** 32 pages a word, the first in bit 0. */
export type DirtyBitmap = number[];

const WORD = 32;
/** Pages of a word of the kernel's bitmap, which the ioctls count in. */
export const LOG_WORD = 64;
/** Bits of KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2. */
export const manualProtect = { ENABLE: 1, INITIALLY_SET: 2 } as const;

export function newBitmap(pages: number, set = false): DirtyBitmap {
  const words = new Array<number>(Math.ceil(pages / LOG_WORD) * 2).fill(0);
  if (set) for (let page = 0; page < pages; page++) mark(words, page);
  return words;
}

export function mark(bitmap: DirtyBitmap, page: number): void {
  bitmap[Math.floor(page / WORD)] |= 1 << (page % WORD);
}

export const isDirty = (bitmap: DirtyBitmap, page: number): boolean =>
  ((bitmap[Math.floor(page / WORD)] >>> (page % WORD)) & 1) === 1;

/** Numbers of the pages that are dirty, from `first` to before `end`. */
export function dirtyPages(bitmap: DirtyBitmap, first = 0, end = bitmap.length * WORD): number[] {
  const pages: number[] = [];
  for (let word = Math.floor(first / WORD); word < Math.min(bitmap.length, Math.ceil(end / WORD)); word++)
    for (let bits = bitmap[word] >>> 0; bits !== 0; bits &= bits - 1) {
      const page = word * WORD + 31 - Math.clz32(bits & -bits);
      if (page >= first && page < end) pages.push(page);
    }
  return pages;
}

export function countDirty(bitmap: DirtyBitmap): number {
  let count = 0;
  for (const word of bitmap) for (let bits = word; bits !== 0; bits &= bits - 1) count++;
  return count;
}

/** 64 pages from page 64 × `n` on. */
export const wordOf = (bitmap: DirtyBitmap, n: number): bigint =>
  (BigInt((bitmap[2 * n + 1] ?? 0) >>> 0) << 32n) | BigInt((bitmap[2 * n] ?? 0) >>> 0);

export interface PageSpan {
  readonly first: number;
  readonly pages: number;
}

/** What is write-protected for pages that are taken from the log: from the first to the last of them in each word of 64. */
export function spansOf(pages: readonly number[]): PageSpan[] {
  const spans: PageSpan[] = [];
  for (const page of pages) {
    const last = spans.at(-1);
    if (last !== undefined && Math.floor(last.first / LOG_WORD) === Math.floor(page / LOG_WORD))
      spans[spans.length - 1] = { first: last.first, pages: page - last.first + 1 };
    else spans.push({ first: page, pages: 1 });
  }
  return spans;
}

/** `bitmap`: of the slot, if there is such a slot and it is logged. */
export function getOutcome(slot: number, bitmap: DirtyBitmap | undefined): Outcome {
  if (slot >= USER_SLOTS) return 'EINVAL';
  return bitmap === undefined ? 'ENOENT' : 'ok';
}

/** `slotPages`: of the whole slot. */
export function clearOutcome(
  slot: number,
  bitmap: DirtyBitmap | undefined,
  { first, pages }: PageSpan,
  slotPages: number,
): Outcome {
  if (slot >= USER_SLOTS || first % LOG_WORD !== 0) return 'EINVAL';
  if (bitmap === undefined) return 'ENOENT';
  const rest = slotPages - first;
  if (first > slotPages || pages > rest) return 'EINVAL';
  return pages < rest && pages % LOG_WORD !== 0 ? 'EINVAL' : 'ok';
}
