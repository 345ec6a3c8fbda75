/** Saturating arithmetic, with FPSR.QC: SignedSatQ() and UnsignedSatQ(). Operands are used more than once: they are locals. */
import { i32, type Local, type V128 } from '../../../wasm/code';
import { bits } from '../../../wasm/vector';
import type { Elements } from './elements';
import { alternate, type Lanes, lanes8, lanes16, lanesOf, smallLanes, wideLanes } from './lanes';

type Vector = Local<'v128'>;

const largest = (z: Lanes): V128 => z.all((1n << BigInt(z.width - 1)) - 1n);
export const smallest = (z: Lanes): V128 => z.all(1n << BigInt(z.width - 1));
/** All ones in negative lanes. */
export const signsOf = (z: Lanes, a: V128): V128 => z.shrS(a, i32(z.width - 1));
/** The limit that a signed result passed, from its sign had it not. */
export const limitOf = (z: Lanes, a: V128): V128 => bits.xor(signsOf(z, a), largest(z));

/** wasm saturates lanes of 8 and 16 bits. */
const narrowLanes = (z: Lanes): typeof lanes8 | typeof lanes16 | undefined =>
  z.size === 0 ? lanes8 : z.size === 1 ? lanes16 : undefined;

/** a + b. */
export function addSaturating(e: Elements, z: Lanes, isSigned: boolean, a: Vector, b: Vector): V128 {
  const { c } = e;
  const sum = c.let(z.add(a, b));
  const small = narrowLanes(z);
  if (small) {
    const result = c.let(isSigned ? small.addSatS(a, b) : small.addSatU(a, b));
    e.saturated(bits.xor(result, sum));
    return result;
  }
  const over = c.let(isSigned ? signsOf(z, bits.and(bits.xor(a, sum), bits.xor(b, sum))) : z.gtU(a, sum));
  e.saturated(over);
  return isSigned ? bits.select(over, limitOf(z, a), sum) : bits.or(sum, over);
}

/** a - b. */
export function subSaturating(e: Elements, z: Lanes, isSigned: boolean, a: Vector, b: Vector): V128 {
  const { c } = e;
  const difference = c.let(z.sub(a, b));
  const small = narrowLanes(z);
  if (small) {
    const result = c.let(isSigned ? small.subSatS(a, b) : small.subSatU(a, b));
    e.saturated(bits.xor(result, difference));
    return result;
  }
  const over = c.let(isSigned ? signsOf(z, bits.and(bits.xor(a, b), bits.xor(a, difference))) : z.gtU(b, a));
  e.saturated(over);
  return isSigned ? bits.select(over, limitOf(z, a), difference) : bits.andNot(difference, over);
}

/**
 * Signed a plus unsigned b, as signed (`toSigned`); or unsigned a plus signed b, as unsigned. With the sign bit of a changed
 * it is one of the plain saturating sums, whose limits then are the same bits.
 */
export function addMixedSaturating(e: Elements, toSigned: boolean, a: Vector, b: Vector): V128 {
  const biased = e.c.let(bits.xor(a, smallest(e.z)));
  return bits.xor(addSaturating(e, e.z, !toSigned, biased, b), smallest(e.z));
}

/** What a wide element is saturated to. */
export type Saturation = 'signed' | 'unsigned' | 'signedToUnsigned';

/** Wide lanes, limited to what an element of half the width can hold. */
export function limited(e: Elements, to: Saturation, wide: Vector): Vector {
  const w = wideLanes(e.size);
  const n = BigInt(e.z.width);
  const [low, high] = to === 'signed' ? [-(1n << (n - 1n)), (1n << (n - 1n)) - 1n] : [0n, (1n << n) - 1n];
  if (w.size !== 3) {
    const z = smallLanes(w.size);
    return e.c.let(to === 'unsigned' ? z.minU(wide, z.all(high)) : z.maxS(z.minS(wide, z.all(high)), z.all(low)));
  }
  const z = lanesOf(3);
  if (to === 'unsigned') return e.c.let(bits.select(z.gtU(wide, z.all(high)), z.all(high), wide));
  const below = e.c.let(bits.select(z.gtS(wide, z.all(high)), z.all(high), wide));
  return e.c.let(bits.select(z.gtS(z.all(low), below), z.all(low), below));
}

/** As `limited`, with FPSR.QC: the wide elements that count are those of `e`. */
export function limitedQ(e: Elements, to: Saturation, wide: V128): V128 {
  const value = e.c.let(wide);
  const result = limited(e, to, value);
  e.saturated(bits.xor(result, value));
  return result;
}

/** abs or neg: only the most negative number has no result. */
export function negationSaturating(e: Elements, operation: 'abs' | 'neg', a: Vector): V128 {
  const over = e.c.let(e.z.eq(a, smallest(e.z)));
  e.saturated(over);
  return bits.xor(e.z[operation](a), over);
}

/** Lanes where both are the most negative number: the only product, doubled, that has no result. */
const bothSmallest = (e: Elements, a: Vector, b: Vector): Vector =>
  e.c.let(bits.and(e.z.eq(a, smallest(e.z)), e.z.eq(b, smallest(e.z))));

/** SQDMULH, SQRDMULH: the upper half of 2 * a * b. */
export function doublingHigh(e: Elements, round: boolean, a: Vector, b: Vector): V128 {
  const over = bothSmallest(e, a, b);
  e.saturated(over);
  if (round && e.size === 1) return lanes16.roundMulHigh(a, b);
  const w = wideLanes(e.size);
  const half = w.all(1n << BigInt(e.z.width - 2));
  const upperOf = (product: V128): V128 => w.shrS(round ? w.add(product, half) : product, i32(e.z.width - 1));
  const result = alternate(e.size, 0, upperOf(w.mulLowS(a, b)), upperOf(w.mulHighS(a, b)));
  return bits.xor(result, over);
}

/** SQRDMLAH, SQRDMLSH: the upper half of d * 2^width +- 2 * a * b, rounded. Half of that fits in a wide lane. */
export function doublingAccumulateHigh(e: Elements, subtract: boolean, a: Vector, b: Vector): V128 {
  const { c, d } = e;
  const w = wideLanes(e.size);
  const half = w.all(1n << BigInt(e.z.width - 2));
  const sum = (accumulator: V128, product: V128): Vector => {
    const start = w.add(w.shl(accumulator, i32(e.z.width - 1)), half);
    return c.let(w.shrS(subtract ? w.sub(start, product) : w.add(start, product), i32(e.z.width - 1)));
  };
  const low = sum(w.extendLowS(d), w.mulLowS(a, b));
  const high = sum(w.extendHighS(d), w.mulHighS(a, b));
  const [limitedLow, limitedHigh] = [limited(e, 'signed', low), limited(e, 'signed', high)];
  e.saturated(alternate(e.size, 0, w.ne(limitedLow, low), w.ne(limitedHigh, high)));
  return alternate(e.size, 0, limitedLow, limitedHigh);
}

/** SQDMULL: 2 * a * b in wide lanes. */
export function doublingLong(e: Elements, a: Vector, b: Vector): Vector {
  const { c } = e;
  const w = wideLanes(e.size);
  const doubled = c.let(w.shl(e.product(true, a, b), i32(1)));
  const over = c.let(w.eq(doubled, smallest(w)));
  e.saturated(over);
  return c.let(bits.xor(doubled, over));
}

/** SQDMLAL, SQDMLSL: d +- that, saturating once more. */
export const doublingAccumulateLong = (e: Elements, subtract: boolean, a: Vector, b: Vector): V128 =>
  (subtract ? subSaturating : addSaturating)(e, wideLanes(e.size), true, e.d, doublingLong(e, a, b));
