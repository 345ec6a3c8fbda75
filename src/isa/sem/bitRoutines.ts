/** Routines on the bits of 64-bit values: polynomial products and reversal. */
import { FunctionBuilder, type I64, i64, type Local, op64 } from '../../wasm/code';
import type { Routine } from '../fp';

const { and, or, shl, shrU, xor, mul } = op64;

/** BitReverse(), by swapping ever larger neighbours. */
const bitReverse64: Routine = {
  params: ['i32', 'i64'],
  result: 'i64',
  body: () => {
    const f = new FunctionBuilder(['i32', 'i64']);
    const v = f.param(1, 'i64');
    for (const [amount, mask] of [
      [1, 0x5555_5555_5555_5555n],
      [2, 0x3333_3333_3333_3333n],
      [4, 0x0f0f_0f0f_0f0f_0f0fn],
      [8, 0x00ff_00ff_00ff_00ffn],
      [16, 0x0000_ffff_0000_ffffn],
    ] as const)
      f.set(v, or(shl(and(v, i64(mask)), i64(amount)), and(shrU(v, i64(amount)), i64(mask))));
    f.return(op64.rotl(v, i64(32)));
    return f.finish();
  },
};

/**
 * The lower 64 bits of a polynomial product: integer products of operands with three zero bits between any two bits, so that
 * carries fall into the gaps. At most 16 terms meet in one place, and only in the highest, whose carry is lost.
 */
const polynomialMultLow64: Routine = {
  params: ['i32', 'i64', 'i64'],
  result: 'i64',
  body: () => {
    const f = new FunctionBuilder(['i32', 'i64', 'i64']);
    const mask = (k: number): I64 => i64(0x1111_1111_1111_1111n << BigInt(k));
    const parts = (v: Local<'i64'>): Local<'i64'>[] => [0, 1, 2, 3].map((k) => f.let(and(v, mask(k))));
    const [x, y] = [parts(f.param(1, 'i64')), parts(f.param(2, 'i64'))];
    const product = [0, 1, 2, 3].map((k) => {
      const terms = x.map((part, i) => mul(part, y[(k - i) & 3]));
      return and(terms.reduce(xor), mask(k));
    });
    f.return(product.reduce(or));
    return f.finish();
  },
};

export const bitRoutines: Readonly<Record<string, Routine>> = {
  BitReverse64: bitReverse64,
  PolynomialMultLow64: polynomialMultLow64,
};
