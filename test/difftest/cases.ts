/**
 * One case of the differential test: a few instructions with everything that they can see, and what came of them. Plain
 * data, so that any runner can take it: QEMU's user mode (the oracle), QEMU's system mode, or elscope.
 */

/** Where a case lies; the guests are compiled with these. Instructions start in the middle of a region full of BRK. */
export const LAYOUT = {
  codeBase: 0x4400_0000,
  codeSize: 0x8000,
  codeStart: 0x4400_4000,
  memoryBase: 0x4401_0000,
  memorySize: 4096,
  /** Only on a bare machine: where the batch itself is. */
  dataBase: 0x4500_0000,
  dataSize: 0x0200_0000,
} as const;

export const MAX_WORDS = 16;

/** All of the state that a case starts from. */
export interface Case {
  /** What it tests, and how it is made again: row id, seed, number. */
  readonly row: string;
  readonly seed: number;
  readonly index: number;
  readonly words: readonly number[];
  /** X0 to X30. */
  readonly x: readonly bigint[];
  readonly sp: bigint;
  /** N, Z, C, V as bits 3 to 0. */
  readonly nzcv: number;
  /** V0 to V31, 128 bits each. */
  readonly v: readonly bigint[];
  readonly fpcr: number;
  readonly fpsr: number;
  /** The page at memoryBase. When absent it is all zero, and what is written to it is not looked at. */
  readonly memory?: Uint8Array;
}

/** How a case ended. `end`: it ran into a BRK, as all that go well do. */
export type Ending =
  | 'end'
  | 'undefined'
  | 'dataAbort'
  | 'instructionAbort'
  | 'alignment'
  | 'pcAlignment'
  | 'spAlignment'
  | 'other';

export interface Outcome {
  readonly ending: Ending;
  /** Of the BRK or of the instruction that faulted. */
  readonly pc: bigint;
  readonly x: readonly bigint[];
  readonly sp: bigint;
  readonly nzcv: number;
  readonly v: readonly bigint[];
  readonly fpcr: number;
  readonly fpsr: number;
  /** Of the access that faulted, without its top byte; absent when the runner does not know it. */
  readonly faultAddress?: bigint;
  /** Doublewords of memory that are not as they were: offset → value. */
  readonly memory: ReadonlyMap<number, bigint>;
}

/** Runs cases, each from its own state. Throws when it cannot run at all; whatever a case does is an outcome. */
export interface CaseRunner {
  readonly name: string;
  run(cases: readonly Case[]): Promise<Outcome[]>;
}

const VECTORS_AT = 8 + 33 * 8 + 4 * MAX_WORDS + 8;
const RECORD_BYTES = VECTORS_AT + 32 * 16;

export function setVector(view: DataView, at: number, value: bigint): void {
  view.setBigUint64(at, BigInt.asUintN(64, value), true);
  view.setBigUint64(at + 8, value >> 64n, true);
}
export const getVector = (view: DataView, at: number): bigint =>
  (view.getBigUint64(at + 8, true) << 64n) | view.getBigUint64(at, true);

/** The cases as guest/record.h has them. */
export function packCases(cases: readonly Case[]): Uint8Array {
  const size = cases.reduce((sum, c) => sum + RECORD_BYTES + (c.memory ? LAYOUT.memorySize : 0), 0);
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const c of cases) {
    if (c.words.length > MAX_WORDS || c.x.length !== 31) throw new Error(`${c.row}: too many words or registers`);
    view.setUint32(at, c.words.length, true);
    view.setUint32(at + 4, c.memory ? 1 : 0, true);
    c.x.forEach((value, i) => {
      view.setBigUint64(at + 8 + 8 * i, value, true);
    });
    view.setBigUint64(at + 256, c.sp, true);
    view.setBigUint64(at + 264, BigInt(c.nzcv) << 28n, true);
    c.words.forEach((word, i) => {
      view.setUint32(at + 272 + 4 * i, word, true);
    });
    view.setUint32(at + VECTORS_AT - 8, c.fpcr, true);
    view.setUint32(at + VECTORS_AT - 4, c.fpsr, true);
    c.v.forEach((value, i) => {
      setVector(view, at + VECTORS_AT + 16 * i, value);
    });
    at += RECORD_BYTES;
    if (!c.memory) continue;
    bytes.set(c.memory, at);
    at += LAYOUT.memorySize;
  }
  return bytes;
}

/** Doublewords that differ between what a case started with and `after`. */
export function changedMemory(before: Uint8Array | undefined, after: DataView): Map<number, bigint> {
  const changed = new Map<number, bigint>();
  const old = before ? new DataView(before.buffer, before.byteOffset, before.byteLength) : undefined;
  for (let offset = 0; offset < after.byteLength; offset += 8) {
    const value = after.getBigUint64(offset, true);
    if (value !== (old?.getBigUint64(offset, true) ?? 0n)) changed.set(offset, value);
  }
  return changed;
}

/** Addresses are compared without their top byte, which memory accesses ignore here. */
export const withoutTag = (address: bigint): bigint => address & 0x00ff_ffff_ffff_ffffn;
