/** Semantics of FEAT_CSSC: absolute value, counts of bits, minimum and maximum. */
import { select, type Value, type ValueType } from '../../wasm/code';
import { bySize, type Size, signed } from './common';
import type { Semantics, SemanticsContext } from './context';

type Comparison = 'gtS' | 'ltS' | 'gtU' | 'ltU';

const pick = <T extends ValueType>(s: SemanticsContext, z: Size<T>, keepsFirst: Comparison, second: Value<T>): void => {
  const a = s.code.let(z.get('Rn'));
  const b = s.code.let(second);
  z.set('Rd', select(z.ops[keepsFirst](a, b), a, b));
};

const register = (keepsFirst: Comparison): Semantics => ({
  emit: bySize((s, z) => pick(s, z, keepsFirst, z.get('Rm'))),
});
const immediate = (keepsFirst: Comparison): Semantics => ({
  emit: bySize((s, z) => {
    const isSigned = keepsFirst.endsWith('S');
    const value = s.small((f) => (isSigned ? signed(f.imm8, 8) : f.imm8));
    pick(s, z, keepsFirst, z.from32S(value));
  }),
});

export const shortSequenceSemantics = {
  ABS: {
    emit: bySize((s, z) => {
      const n = s.code.let(z.get('Rn'));
      z.set('Rd', select(z.ops.ltS(n, z.constant(0)), z.ops.sub(z.constant(0), n), n));
    }),
  },
  CNT: { emit: bySize((_s, z) => z.set('Rd', z.ops.popcnt(z.get('Rn')))) },
  CTZ: { emit: bySize((_s, z) => z.set('Rd', z.ops.ctz(z.get('Rn')))) },
  SMAX_reg: register('gtS'),
  SMAX_imm: immediate('gtS'),
  UMAX_reg: register('gtU'),
  UMAX_imm: immediate('gtU'),
  SMIN_reg: register('ltS'),
  SMIN_imm: immediate('ltS'),
  UMIN_reg: register('ltU'),
  UMIN_imm: immediate('ltU'),
} as const satisfies Record<string, Semantics>;
