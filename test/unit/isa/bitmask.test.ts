import assert from 'node:assert/strict';
import { test } from 'node:test';
import { joinBig } from '../../../src/base/bits';
import { decodeBitMasks, type Pair } from '../../../src/isa';

const big = ({ hi, lo }: Pair): bigint => joinBig(hi, lo);
const all64 = 0xffff_ffff_ffff_ffffn;

test('logical immediates of every element size', () => {
  assert.equal(big(decodeBitMasks(1, 0, 0).wmask), 1n);
  assert.equal(big(decodeBitMasks(1, 62, 0).wmask), 0x7fff_ffff_ffff_ffffn);
  assert.equal(big(decodeBitMasks(1, 0, 1).wmask), 1n << 63n);
  assert.equal(big(decodeBitMasks(0, 0b000111, 0).wmask), 0x0000_00ff_0000_00ffn);
  assert.equal(big(decodeBitMasks(0, 0b100111, 4).wmask), 0xf00f_f00f_f00f_f00fn);
  assert.equal(big(decodeBitMasks(0, 0b111100, 0).wmask), 0x5555_5555_5555_5555n);
  assert.equal(big(decodeBitMasks(0, 0b111100, 1).wmask), 0xaaaa_aaaa_aaaa_aaaan);
});

test('a different way to make the same masks agrees for all 64-bit encodings', () => {
  for (let imms = 0; imms < 64; imms++) {
    for (let immr = 0; immr < 64; immr++) {
      const { wmask, tmask } = decodeBitMasks(1, imms, immr);
      const run = imms === 63 ? all64 : (1n << BigInt(imms + 1)) - 1n;
      const rotated = BigInt.asUintN(64, (run >> BigInt(immr)) | (run << BigInt(64 - immr)));
      assert.equal(big(wmask), rotated, `wmask ${imms} ${immr}`);
      const width = (imms - immr + 64) % 64;
      assert.equal(big(tmask), width === 63 ? all64 : (1n << BigInt(width + 1)) - 1n, `tmask ${imms} ${immr}`);
    }
  }
});
