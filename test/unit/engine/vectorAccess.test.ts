/** When a 16-byte access is answered by the line table: anywhere within the line, but for what alignment checking forbids. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { coreLayout, vectorOffset } from '../../../src/cpu/layout';
import { LINE_ENTRY_BYTES, LINE_TABLE_ENTRIES } from '../../../src/memory/layout';
import { CODE_VA, makeRig } from './rig';

const LINE = 64;
const DATA = 0x1000;
/** Elsewhere in data: an entry that points there tells table hits from slow accesses. */
const ELSEWHERE = 0x8000;

const LDR_Q = 0x3dc00020; // ldr q0, [x1]
const LD1_B = 0x4c407020; // ld1 { v0.16b }, [x1]
const LD2_H = 0x4c408420; // ld2 { v0.8h, v1.8h }, [x1]
const LD2_S = 0x4c408820;
const LD2_D = 0x4c408c20;

test('16-byte loads', () => {
  const rig = makeRig();
  const view = new DataView(rig.buffer);
  for (let i = 0; i < rig.data.length; i++) rig.data[i] = (i ^ (i >> 8)) & 0xff;
  const dataHost = rig.data.byteOffset;
  const isHit = (word: number, offset: number, alignMask: number): boolean => {
    rig.write([word]);
    const entry =
      view.getUint32(rig.block + coreLayout.loadTable[0], true) +
      ((DATA / LINE) % LINE_TABLE_ENTRIES) * LINE_ENTRY_BYTES;
    view.setBigUint64(entry, BigInt(DATA), true);
    view.setUint32(entry + 8, dataHost + ELSEWHERE, true);
    view.setUint32(rig.block + coreLayout.alignMask[0], alignMask, true);
    rig.setX(1, BigInt(DATA + offset));
    rig.setPc(CODE_VA);
    rig.engine.run(0, rig.block, 1, false);
    const first = view.getUint8(rig.block + vectorOffset(0));
    const from = [DATA, ELSEWHERE].filter((base) => rig.data[base + offset] === first);
    assert.equal(from.length, 1);
    return from[0] === ELSEWHERE;
  };
  for (let offset = 0; offset < LINE; offset++) {
    const within = offset <= LINE - 16;
    assert.equal(isHit(LDR_Q, offset, 0), within, `offset ${offset}`);
    assert.equal(isHit(LDR_Q, offset, -1), within && offset % 16 === 0, `offset ${offset}, checked`);
    assert.equal(isHit(LD1_B, offset, -1), within, `bytes at ${offset}, checked`);
    for (const [word, size] of [
      [LD2_H, 2],
      [LD2_S, 4],
      [LD2_D, 8],
    ] as const)
      assert.equal(isHit(word, offset, -1), within && offset % size === 0, `elements of ${size} at ${offset}, checked`);
  }
});
