/** FEAT_CSSC: what the manual says of each instruction, on edge values of both sizes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { InstructionId } from '../../../src/arch/instructions';
import { encode } from '../../../src/isa';
import { CODE_VA, makeRig } from '../engine/rig';

const VALUES = [0n, 1n, 0x7fn, 0x80n, 0xffn, 0x7fff_ffffn, 0x8000_0000n, 0xffff_ffffn, 0x8000_0000_0000_0000n].concat([
  0x7fff_ffff_ffff_ffffn,
  0xffff_ffff_ffff_ffffn,
  0x0123_4567_89ab_cdefn,
  0x0f00_0000_0010_0000n,
]);

type Meaning = (a: bigint, b: bigint, bits: number) => bigint;
const s = (v: bigint, bits: number): bigint => BigInt.asIntN(bits, v);
const u = (v: bigint, bits: number): bigint => BigInt.asUintN(bits, v);
const max = (a: bigint, b: bigint): bigint => (a > b ? a : b);
const min = (a: bigint, b: bigint): bigint => (a < b ? a : b);
const digits = (v: bigint, bits: number): string => u(v, bits).toString(2).padStart(bits, '0');

const one: Readonly<Partial<Record<InstructionId, Meaning>>> = {
  ABS: (a, _b, bits) => max(s(a, bits), -s(a, bits)),
  CNT: (a, _b, bits) => BigInt([...digits(a, bits)].filter((d) => d === '1').length),
  CTZ: (a, _b, bits) => BigInt(bits - 1 - digits(a, bits).lastIndexOf('1')),
};
const two: Readonly<Partial<Record<InstructionId, Meaning>>> = {
  SMAX_reg: (a, b, bits) => max(s(a, bits), s(b, bits)),
  SMIN_reg: (a, b, bits) => min(s(a, bits), s(b, bits)),
  UMAX_reg: (a, b, bits) => max(u(a, bits), u(b, bits)),
  UMIN_reg: (a, b, bits) => min(u(a, bits), u(b, bits)),
};

const rig = makeRig();

function run(word: number, a: bigint, b: bigint): bigint {
  rig.write([word]);
  rig.setX(1, a);
  rig.setX(2, b);
  rig.setPc(CODE_VA);
  rig.engine.run(0, rig.block, 1, false);
  return rig.x(0);
}

for (const sf of [0, 1]) {
  const bits = sf === 1 ? 64 : 32;
  for (const [id, meaning] of Object.entries(one) as [InstructionId, Meaning][])
    test(`${id}, ${bits} bits`, () => {
      const word = encode(id, { sf, Rn: 1, Rd: 0 });
      for (const a of VALUES) assert.equal(run(word, a, 0n), u(meaning(a, 0n, bits), bits), `${a.toString(16)}`);
    });
  for (const [id, meaning] of Object.entries(two) as [InstructionId, Meaning][])
    test(`${id} and its immediate form, ${bits} bits`, () => {
      const word = encode(id, { sf, Rm: 2, Rn: 1, Rd: 0 });
      const immediate = id.replace('_reg', '_imm') as InstructionId;
      for (const a of VALUES) {
        for (const b of VALUES) assert.equal(run(word, a, b), u(meaning(a, b, bits), bits), `${a} ${b}`);
        for (const imm8 of [0, 1, 0x7f, 0x80, 0xff]) {
          const b = id.startsWith('S') ? BigInt.asIntN(8, BigInt(imm8)) : BigInt(imm8);
          const found = run(encode(immediate, { sf, imm8, Rn: 1, Rd: 0 }), a, 0n);
          assert.equal(found, u(meaning(a, b, bits), bits), `${immediate} ${a} ${imm8}`);
        }
      }
    });
}
