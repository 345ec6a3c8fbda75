/**
 * Linear-memory layout shared by the memory system (TypeScript, slow paths) and the generated interpreter (fast paths).
 *
 * Line TLB entry, 16 bytes: tag (8), host byte address of the granule (4), way record index (4). The granule is the
 * machine's coherence unit (its smallest D-line). A plain hit has tag = VA of the granule. A tag with bit 3 set is a line that
 * is present and translated but whose hit must first reorder its set (true LRU, not the most recent way) or dirty it, and one
 * with bit 2 set as well is empty. Fast paths compare a tag with the VA of which they keep the granule and, so that unaligned
 * accesses fail, at most bits 2 to 0: bit 3 is never equal.
 *
 * I-line table entry, 16 bytes: tag (8) = VA of the I-granule (the machine's smallest I-line), record address of its first
 * instruction (4), I-cache granule index (4).
 */

/** Of the load and the store table; and of the I-line table, where an address that is not at hand is dearer. */
export const LINE_TABLE_ENTRIES = 1024;
export const FETCH_TABLE_ENTRIES = 2048;
export const LINE_ENTRY_BYTES = 16;
export const LINE_TABLE_BYTES = LINE_TABLE_ENTRIES * LINE_ENTRY_BYTES;
export const FETCH_TABLE_BYTES = FETCH_TABLE_ENTRIES * LINE_ENTRY_BYTES;
/** Every byte of an empty tag, and the bit of it that other tags do not have. */
export const EMPTY_TAG_BYTE = 0x0c;
export const TAG_EMPTY = 4;
/** Hit, but not a plain one. */
export const TAG_NOT_PLAIN = 8;

/** Translation contexts whose tables are kept at once, per core, and the tables of one: load, store, fetch. */
export const CONTEXT_SLOTS = 8;
export const SLOT_TABLES_BYTES = 2 * LINE_TABLE_BYTES + FETCH_TABLE_BYTES;
export const CONTEXT_TABLES_BYTES = CONTEXT_SLOTS * SLOT_TABLES_BYTES;

export const entryField = { tag: 0, host: 8, way: 12 } as const;

/** Table of recent pages of a core (recentPages.ts). */
export const PAGE_ENTRIES_LOG2 = 10;
export const PAGE_ENTRIES = 1 << PAGE_ENTRIES_LOG2;
export const PAGE_ENTRY_BYTES = 16;

/** A decoded instruction record, 16 bytes; an I-granule of n instructions has n + 1 records, the last one is LINE_END. */
export const RECORD_BYTES = 16;
export const recordField = {
  handler: 0, // u16 index into the handler table
  before: 2, // u8 loads, u8 stores in this granule before this instruction
  a: 4, // u16 operands: byte offsets of register slots, or small immediates
  b: 6,
  c: 8,
  d: 10,
  imm: 12, // i32 immediate …
  imm64: 8, // … or an i64 one, for rows with at most two registers
} as const;
