/**
 * The host's operation in the handler itself, for the most frequent instructions: the routine is called only where it does not
 * do. That saves the call and the way through general registers.
 */
import { type I64, op32, type Value } from '../../../wasm/code';
import { type Attempt, type Float, type Host, host32, host64, hostSuffices } from '../../fp';
import type { Semantics, SemanticsContext } from '../context';
import { setScalar, type Width, widthOf } from './common';

/** Gives the lowest element of a register. */
type Operand<T extends Float> = (field: string) => Value<T>;

function setResult<T extends Float>(
  s: SemanticsContext,
  h: Host<T>,
  { result, right }: Attempt<T>,
  otherwise: () => I64,
): void {
  const n = h.format.bits;
  s.code.if(
    op32.and(right, hostSuffices(s)),
    () => setScalar(s, n, h.bits(result)),
    () => setScalar(s, n, otherwise()),
  );
}

/** Half precision has only the routine. */
export const tried =
  (
    attempt: <T extends Float>(s: SemanticsContext, h: Host<T>, of: Operand<T>) => Attempt<T>,
    otherwise: (s: SemanticsContext, n: Width) => I64,
  ): Semantics['emit'] =>
  (s) => {
    const n = widthOf(s);
    const soft = (): I64 => otherwise(s, n);
    if (n === 16) setScalar(s, n, soft());
    else if (n === 32)
      setResult(
        s,
        host32,
        attempt(s, host32, (field) => s.f32(field)),
        soft,
      );
    else
      setResult(
        s,
        host64,
        attempt(s, host64, (field) => s.f64(field)),
        soft,
      );
  };
