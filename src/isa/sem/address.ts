/** The base register of loads and stores. */
import type { Fields } from '../../arch/instructions';
import { type I64, i64, op64 } from '../../wasm/code';
import type { SemanticsContext } from './context';

/** A base register SP checks its alignment in a handler of its own, so that other bases pay nothing. */
export const stackBase = { name: 'spBase', count: 2, of: (f: Fields): number => (f.Rn === 31 ? 1 : 0) };

/** The base address, after CheckSPAlignment where the base is SP. */
export function base(s: SemanticsContext): I64 {
  const address = s.code.let(s.x('Rn'));
  if (s.statics.spBase === 1) {
    s.code.if(op64.ne(op64.and(address, i64(15)), i64(0)), () => s.slow('spAlignment'));
  }
  return address;
}
