/** Tags of line tables that are not plain or empty: no access and no branch takes them for a hit, however its address ends. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { coreLayout } from '../../../src/cpu/layout';
import { encode } from '../../../src/isa';
import {
  EMPTY_TAG_BYTE,
  FETCH_TABLE_ENTRIES,
  LINE_ENTRY_BYTES,
  LINE_TABLE_ENTRIES,
  TAG_NOT_PLAIN,
} from '../../../src/memory/layout';
import { CODE_VA, makeRig, type Rig } from './rig';

const LINE = 64;
const DATA = 0x1000n;

/** Host address of the entry for an address. */
function entryOf(rig: Rig, table: 'loadTable' | 'storeTable' | 'fetchTable', address: bigint): number {
  const base = new DataView(rig.buffer).getUint32(rig.block + coreLayout[table][0], true);
  const entries = table === 'fetchTable' ? FETCH_TABLE_ENTRIES : LINE_TABLE_ENTRIES;
  return base + Number((address / BigInt(LINE)) % BigInt(entries)) * LINE_ENTRY_BYTES;
}

/** Runs one word with x1 = address after the tag of its entry was set. @returns whether the slow path was taken. */
function isSlow(rig: Rig, word: number, table: 'loadTable' | 'storeTable' | 'fetchTable', at: bigint, tag: bigint) {
  rig.write([word]);
  rig.setX(1, at);
  rig.setPc(CODE_VA);
  rig.engine.run(0, rig.block, 1, false); // the code's own entry, and the handler
  const view = new DataView(rig.buffer);
  const entry = entryOf(rig, table, at);
  view.setBigUint64(entry, tag, true);
  rig.setX(1, at);
  rig.setPc(CODE_VA);
  rig.engine.run(0, rig.block, table === 'fetchTable' ? 17 : 1, false);
  return view.getBigUint64(entry, true) !== tag; // the slow paths of the rig install the line
}

const alignments = (alignMask: number): readonly number[] => (alignMask === 0 ? [0] : [0, alignMask]);

test('accesses of every size at every place of a line', () => {
  const rig = makeRig();
  const sizes = [0, 1, 2, 3].flatMap((size) => [
    [1 << size, 'loadTable', encode('LDR_imm_uoff', { size, imm12: 0, Rn: 1, Rt: 0 })] as const,
    [1 << size, 'storeTable', encode('STR_imm_uoff', { size, imm12: 0, Rn: 1, Rt: 0 })] as const,
  ]);
  const vectors = [
    [16, 'loadTable', 0x3dc00020] as const, // ldr q0, [x1]
    [16, 'storeTable', 0x3d800020] as const, // str q0, [x1]
  ];
  const view = new DataView(rig.buffer);
  for (const mask of alignments(15)) {
    view.setUint32(rig.block + coreLayout.alignMask[0], mask, true);
    for (const [bytes, table, word] of [...sizes, ...vectors])
      for (let offset = 0; offset + bytes <= LINE; offset++) {
        const shown = `${word.toString(16)} at ${offset}, alignment ${mask}`;
        const at = DATA + BigInt(offset);
        assert.ok(isSlow(rig, word, table, at, DATA | BigInt(TAG_NOT_PLAIN)), shown);
        const empty = BigInt(`0x${EMPTY_TAG_BYTE.toString(16).padStart(2, '0').repeat(8)}`);
        const inEmpty = (empty & -64n) + BigInt(offset);
        rig.write([word]);
        rig.setX(1, inEmpty);
        rig.setPc(CODE_VA);
        const entry = entryOf(rig, table, inEmpty);
        view.setBigUint64(entry, empty, true);
        view.setUint32(entry + 8, 0xffff_0000, true); // a hit would leave linear memory
        assert.doesNotThrow(() => rig.engine.run(0, rig.block, 1, false), shown);
      }
  }
});

test('branches to every place of a line', () => {
  const rig = makeRig();
  const target = BigInt(CODE_VA) + 0x400n;
  for (let offset = 0; offset < LINE; offset++) {
    const at = target + BigInt(offset);
    const word = encode('BR', { Rn: 1 });
    assert.ok(isSlow(rig, word, 'fetchTable', at, target | BigInt(TAG_NOT_PLAIN)), `offset ${offset}`);
  }
});

test('plain tags are hits', () => {
  const rig = makeRig();
  assert.ok(!isSlow(rig, encode('LDR_imm_uoff', { size: 3, imm12: 0, Rn: 1, Rt: 0 }), 'loadTable', DATA, DATA));
});
