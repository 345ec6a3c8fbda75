/** Semantics of flag manipulation: FEAT_FlagM and FEAT_FlagM2. Flags are four bits, N highest. */
import { type I32, i32, op32, op64, wrap } from '../../wasm/code';
import type { Semantics } from './context';

const { and, eqz, or, shl, shrU, xor } = op32;
const bit = (flags: I32, n: number): I32 => and(shrU(flags, i32(n)), i32(1));
const not = (flag: I32): I32 => xor(flag, i32(1));
const joined = (n: I32, z: I32, c: I32, v: I32): I32 => or(or(shl(n, i32(3)), shl(z, i32(2))), or(shl(c, i32(1)), v));

/** New flags from the old ones. */
const convert = (make: (z: I32, c: I32, v: I32) => I32): Semantics => ({
  emit: (s) => {
    const flags = s.code.let(s.nzcv());
    const [v, c, z] = [0, 1, 2].map((n) => s.code.let(bit(flags, n)));
    s.setNzcv(make(z, c, v));
  },
});

export const flagSemantics = {
  CFINV: { emit: (s) => s.setNzcv(xor(s.nzcv(), i32(2))) },
  XAFLAG: convert((z, c) => joined(and(not(c), not(z)), and(z, c), or(c, z), and(not(c), z))),
  AXFLAG: convert((z, c, v) => joined(i32(0), or(z, v), and(c, not(v)), i32(0))),
  RMIF: {
    emit: (s) => {
      const mask = s.code.let(s.tiny((f) => f.mask));
      const rotated = wrap(
        op64.rotr(
          s.x('Rn'),
          s.wide((f) => [0, f.imm6]),
        ),
      );
      s.setNzcv(or(and(s.nzcv(), xor(mask, i32(-1))), and(rotated, mask)));
    },
  },
  SETF: {
    emit: (s) => {
      const bits = s.statics.sz === 1 ? 16 : 8;
      const n = s.code.let(s.w('Rn'));
      const zero = eqz(shl(n, i32(32 - bits)));
      const carry = bit(s.nzcv(), 1);
      s.setNzcv(joined(bit(n, bits - 1), zero, carry, xor(bit(n, bits), bit(n, bits - 1))));
    },
  },
} as const satisfies Record<string, Semantics>;
