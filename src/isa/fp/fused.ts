/** Fused multiply-add and the reciprocal steps in integer code. Manual: FPMulAdd, FPMulAddH, FPRecipStepFused, FPRSqrtStepFused. */
import { extendU, type I64, i32, i64, type Local, op32, op64, wrap } from '../../wasm/code';
import { multiplyWide, orderTerms, prepare, productOf, returnSum, type Term, term } from './arithmetic';
import { type Format, half, single } from './format';
import {
  isAnyNaN,
  isInfinite,
  isQuiet,
  isSpecial,
  isZero,
  type Routine,
  type RoutineCode,
  routine,
  signOfProduct,
  type Unpacked,
} from './routine';

const { add, and, or, xor, shl, shrU, sub, clz, eq, eqz, ne, ltU } = op64;

type Wide = Term & { readonly low: Local<'i64'> };

/** Shifts the 128 bits of a term right by 1 to 63, exactly. */
function shiftRightShort(c: RoutineCode, t: Wide, amount: I64): void {
  c.set(t.low, or(shrU(t.low, amount), shl(t.significand, sub(i64(0), amount))));
  c.set(t.significand, shrU(t.significand, amount));
}

/** Shifts the 128 bits of a term right by `amount`, which is positive; what falls out sticks in the lowest bit. */
function shiftRightWide(c: RoutineCode, t: Wide, amount: Local<'i32'>): void {
  const word = (): void => {
    c.set(t.low, or(t.significand, extendU(ne(t.low, i64(0)))));
    c.set(t.significand, i64(0));
  };
  c.if(
    op32.geS(amount, i32(64)),
    () => {
      word();
      c.set(amount, op32.sub(amount, i32(64)));
      c.shiftRightJam(t.low, amount);
    },
    () => {
      const n = c.let(extendU(amount));
      const sticky = c.let(ne(shl(t.low, sub(i64(0), n)), i64(0)));
      shiftRightShort(c, t, n);
      c.set(t.low, or(t.low, extendU(sticky)));
    },
  );
}

/** Adds a product and an addend as 128-bit numbers and rounds once. */
function returnWideSum(c: RoutineCode, f: Format, a: Wide, b: Wide, scale: number): void {
  const below = op32.or(
    ltU(a.significand, b.significand),
    op32.and(eq(a.significand, b.significand), ltU(a.low, b.low)),
  );
  orderTerms(c, a, b, below, () => {
    const kept = c.let(a.low);
    c.set(a.low, b.low);
    c.set(b.low, kept);
  });
  shiftRightShort(c, a, i64(1)); // room for a carry; a product has 106 bits at most
  c.if(ne(b.significand, i64(0)), () =>
    shiftRightWide(c, b, c.let(op32.add(op32.sub(a.exponent, b.exponent), i32(1)))),
  );
  c.if(
    op32.eq(a.sign, b.sign),
    () => {
      c.set(a.low, add(a.low, b.low));
      c.set(a.significand, add(add(a.significand, b.significand), extendU(ltU(a.low, b.low))));
    },
    () => {
      const borrow = c.let(extendU(ltU(a.low, b.low)));
      c.set(a.low, sub(a.low, b.low));
      c.set(a.significand, sub(sub(a.significand, b.significand), borrow));
    },
  );
  c.if(eqz(a.significand), () => {
    c.if(eqz(a.low), () => c.returnCancelled(f));
    c.set(a.significand, a.low);
    c.set(a.low, i64(0));
    c.set(a.exponent, op32.sub(a.exponent, i32(64)));
  });
  const zeros = c.let(clz(a.significand));
  c.if(ne(zeros, i64(0)), () => {
    c.set(a.significand, or(shl(a.significand, zeros), shrU(a.low, sub(i64(0), zeros))));
    c.set(a.low, shl(a.low, zeros));
  });
  const exponent = op32.sub(op32.add(a.exponent, i32(1 + scale)), wrap(zeros));
  c.returnRounded(f, a.sign, exponent, or(a.significand, extendU(ne(a.low, i64(0)))));
}

/** The rounded sum of an addend (finite, may be zero) and the product of x and y (both finite and not zero). */
function returnMulAdd(c: RoutineCode, f: Format, addend: Term, x: Unpacked, y: Unpacked, scale = 0): void {
  const productSign = c.let(op32.xor(x.sign, y.sign));
  const exponent = c.let(op32.add(op32.add(x.exponent, y.exponent), i32(1)));
  if (f.bits !== 64) {
    const product = productOf(c, f, x, y);
    const zeros = c.let(clz(product));
    c.set(product, shl(product, zeros));
    c.set(exponent, op32.sub(exponent, wrap(zeros)));
    returnSum(c, f, { sign: productSign, exponent, significand: product }, addend, scale);
    return;
  }
  const { hi, lo } = multiplyWide(c, x.significand, y.significand);
  c.if(op64.geS(hi, i64(0)), () => {
    c.set(hi, or(shl(hi, i64(1)), shrU(lo, i64(63))));
    c.set(lo, shl(lo, i64(1)));
    c.set(exponent, op32.sub(exponent, i32(1)));
  });
  const product = { sign: productSign, exponent, significand: hi, low: lo };
  returnWideSum(c, f, product, { ...addend, low: c.let(i64(0)) }, scale);
}

/** Infinities and zeros of addend + a * b, whose operands have format `p`: returns for them. No operand is a NaN. */
function returnSpecialMulAdd(c: RoutineCode, f: Format, p: Format, addend: I64, a: I64, b: I64): void {
  const product = c.let(signOfProduct(p, a, b));
  if (p !== f) c.set(product, shl(product, i64(f.bits - p.bits)));
  const anyInfinite = c.let(op32.or(isSpecial(p, a), isSpecial(p, b)));
  const anyZero = c.let(op32.or(isZero(p, a), isZero(p, b)));
  c.if(anyInfinite, () => {
    const opposite = op32.and(isInfinite(f, addend), ne(and(addend, i64(f.signMask)), product));
    c.if(op32.or(anyZero, opposite), () => c.returnInvalid(f));
    c.return(or(product, i64(f.exponentMask)));
  });
  c.if(isSpecial(f, addend), () => c.return(addend));
  c.if(anyZero, () => {
    c.if(op32.and(isZero(f, addend), ne(addend, product)), () => c.returnCancelled(f));
    c.return(addend);
  });
}

/** infinity * zero, which with a quiet NaN as the addend is an invalid operation all the same. */
const isInfinityTimesZero = (f: Format, a: I64, b: I64) =>
  op32.or(op32.and(isInfinite(f, a), isZero(f, b)), op32.and(isZero(f, a), isInfinite(f, b)));

/** (addend, a, b). */
const mulAdd = (f: Format): Routine =>
  routine(['i64', 'i64', 'i64'], (c) => {
    const [addend, a, b] = [c.bits(1), c.bits(2), c.bits(3)];
    for (const operand of [addend, a, b]) c.flush(f, operand);
    c.if(op32.and(isAnyNaN(f, addend), isQuiet(f, addend)), () =>
      c.if(isInfinityTimesZero(f, a, b), () => c.returnInvalid(f)),
    );
    prepare(c, f, addend, a, b);
    returnSpecialMulAdd(c, f, f, addend, a, b);
    returnMulAdd(c, f, term(c, f, addend), c.unpack(f, a), c.unpack(f, b));
  });

/** (single addend, half a, half b). */
const mulAddHalf: Routine = routine(['i64', 'i64', 'i64'], (c) => {
  const [addend, a, b] = [c.bits(1), c.bits(2), c.bits(3)];
  c.flush(single, addend);
  c.flush(half, a);
  c.flush(half, b);
  c.if(op32.and(isAnyNaN(single, addend), isQuiet(single, addend)), () =>
    c.if(isInfinityTimesZero(half, a, b), () => c.returnInvalid(single)),
  );
  const anyNaN = op32.or(op32.or(isAnyNaN(half, a), isAnyNaN(half, b)), isAnyNaN(single, addend));
  c.if(anyNaN, () => {
    const widened = [a, b].map((v) => c.callBits('FPWidenNaN', v));
    c.return(c.callBits('FPProcessNaNs332', addend, ...widened));
  });
  returnSpecialMulAdd(c, single, half, addend, a, b);
  returnMulAdd(c, single, term(c, single, addend), c.unpack(half, a), c.unpack(half, b));
});

/** Half precision to single for NaNs, keeping them signalling; a number or infinity becomes zero, which is not looked at. */
const widenNaN: Routine = routine(['i64'], (c) => {
  const a = c.bits(1);
  c.if(op32.eqz(isAnyNaN(half, a)), () => c.return(i64(0)));
  const sign = shl(and(a, i64(half.signMask)), i64(16));
  c.return(or(or(sign, i64(single.exponentMask)), shl(and(a, i64(half.fractionMask)), i64(13))));
});

/** (constant - a * b), and half of it for the square root's step. */
function step(f: Format, root: boolean): Routine {
  return routine(['i64', 'i64'], (c) => {
    const [a, b] = [c.bits(1), c.bits(2)];
    c.set(a, xor(a, i64(f.signMask)));
    prepare(c, f, a, b);
    const one = BigInt(f.bias) << BigInt(f.F);
    const [two, threeHalves] = [BigInt(f.bias + 1) << BigInt(f.F), one | (1n << BigInt(f.F - 1))];
    const anyZero = c.let(op32.or(isZero(f, a), isZero(f, b)));
    c.if(op32.and(op32.or(isSpecial(f, a), isSpecial(f, b)), op32.eqz(anyZero)), () =>
      c.return(or(signOfProduct(f, a, b), i64(f.exponentMask))),
    );
    c.if(anyZero, () => c.return(i64(root ? threeHalves : two)));
    const addend: Term = {
      sign: c.let(i32(0)),
      exponent: c.let(i32(1)),
      significand: c.let(i64(root ? 0xc000000000000000n : 0x8000000000000000n)),
    };
    returnMulAdd(c, f, addend, c.unpack(f, a), c.unpack(f, b), root ? -1 : 0);
  });
}

export const fusedRoutines = (f: Format): Record<string, Routine> => ({
  [`FPMulAddSoft${f.bits}`]: mulAdd(f),
  [`FPRecipStepFused${f.bits}`]: step(f, false),
  [`FPRSqrtStepFused${f.bits}`]: step(f, true),
});

export const halfProductRoutines: Record<string, Routine> = { FPMulAddH: mulAddHalf, FPWidenNaN: widenNaN };
