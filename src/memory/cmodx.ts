/**
 * Instructions that may be modified while another core executes them, without synchronisation, as long as the new word is one
 * of them too: either the old or the new one is then executed (manual: Concurrent modification and execution of
 * instructions).
 */

/** [mask, value] of each. */
const PATTERNS: readonly (readonly [number, number])[] = [
  [0xfc000000, 0x14000000], // B
  [0xff000010, 0x54000000], // B.cond
  [0xfc000000, 0x94000000], // BL
  [0xffe0001f, 0xd4200000], // BRK
  [0x7e000000, 0x34000000], // CBZ, CBNZ
  [0xffe0001f, 0xd4000002], // HVC
  [0xfffff0ff, 0xd50330df], // ISB
  [0xffffffff, 0xd503201f], // NOP
  [0xffe0001f, 0xd4000003], // SMC
  [0xffe0001f, 0xd4000001], // SVC
  [0x7e000000, 0x36000000], // TBZ, TBNZ
];

export const isConcurrentlyModifiable = (word: number): boolean =>
  PATTERNS.some(([mask, value]) => ((word & mask) ^ value) >>> 0 === 0);
