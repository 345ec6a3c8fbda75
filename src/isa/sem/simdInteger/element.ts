/** Semantics of Advanced SIMD by element. Rows: arch/instructions/simdInteger/element. */
import type { Semantics } from '../context';
import { binaryElement, inForms, longElement, type Operation } from './elements';
import type { Size } from './lanes';
import { accumulate, dotProduct, multiply } from './operations';
import { doublingAccumulateHigh, doublingAccumulateLong, doublingHigh, doublingLong } from './saturate';
import { longProduct } from './threeDifferent';

const vectorOnly = (size: Size) => ({
  MUL: binaryElement(multiply, size),
  MLA: binaryElement(accumulate(multiply), size),
  MLS: binaryElement(accumulate(multiply, true), size),
  SMULL: longElement(longProduct(true), size),
  UMULL: longElement(longProduct(false), size),
  SMLAL: longElement(longProduct(true, 'add'), size),
  UMLAL: longElement(longProduct(false, 'add'), size),
  SMLSL: longElement(longProduct(true, 'sub'), size),
  UMLSL: longElement(longProduct(false, 'sub'), size),
});

const bothForms = (size: Size) => ({
  SQDMULL: longElement(doublingLong, size),
  SQDMLAL: longElement((e, a, b) => doublingAccumulateLong(e, false, a, b), size),
  SQDMLSL: longElement((e, a, b) => doublingAccumulateLong(e, true, a, b), size),
  SQDMULH: binaryElement((e, a, b) => doublingHigh(e, false, a, b), size),
  SQRDMULH: binaryElement((e, a, b) => doublingHigh(e, true, a, b), size),
  SQRDMLAH: binaryElement((e, a, b) => doublingAccumulateHigh(e, false, a, b), size),
  SQRDMLSH: binaryElement((e, a, b) => doublingAccumulateHigh(e, true, a, b), size),
});

/** The element is a group of four bytes. */
const products = (operation: Operation): Semantics => binaryElement(accumulate(operation), 2);

export const elementSemantics = {
  ...inForms(['elem_h'], vectorOnly(1)),
  ...inForms(['elem_s'], vectorOnly(2)),
  ...inForms(['elem_h', 'elem_scalar_h'], bothForms(1)),
  ...inForms(['elem_s', 'elem_scalar_s'], bothForms(2)),
  ...inForms(['elem'], {
    SDOT: products(dotProduct(true, true)),
    UDOT: products(dotProduct(false, false)),
    SUDOT: products(dotProduct(true, false)),
    USDOT: products(dotProduct(false, true)),
  }),
} as const;
