/** Semantics of Advanced SIMD three registers of different types. Rows: arch/instructions/simdInteger/threeDifferent. */
import { i32, type V128 } from '../../../wasm/code';
import type { Semantics } from '../context';
import { type Elements, inForms, long, narrow, type Operation } from './elements';
import { wideLanes } from './lanes';
import { difference } from './operations';
import { doublingAccumulateLong, doublingLong } from './saturate';

type Way = 'add' | 'sub';

/** Both operands widened (`long`) or only the second (`wide`). */
const sum = (way: Way, isSigned: boolean, operands: 'long' | 'wide'): Semantics =>
  long((e, a, b) => wideLanes(e.size)[way](operands === 'long' ? e.widened(isSigned, a) : a, e.widened(isSigned, b)));

/** The upper halves of the wide elements of a sum, after rounding if asked. */
const sumHigh = (way: Way, round: boolean): Semantics =>
  narrow((e, a, b) => {
    const w = wideLanes(e.size);
    const value = w[way](a, b);
    return w.shrU(round ? w.add(value, w.all(1n << BigInt(e.z.width - 1))) : value, i32(e.z.width));
  });

/** A long value, alone or added to or subtracted from the destination. */
const longValue = (value: Operation, way?: Way): Operation => {
  if (!way) return value;
  return (e, a, b) => wideLanes(e.size)[way](e.d, value(e, a, b));
};
const longDifference =
  (isSigned: boolean): Operation =>
  (e: Elements, a, b): V128 =>
    e.widened(false, difference(isSigned)(e, a, b));

export const longProduct = (isSigned: boolean, way?: Way): Operation =>
  longValue((e, a, b) => e.product(isSigned, a, b), way);

export const threeDifferentSemantics = {
  ...inForms(['vec'], {
    SADDL: sum('add', true, 'long'),
    UADDL: sum('add', false, 'long'),
    SADDW: sum('add', true, 'wide'),
    UADDW: sum('add', false, 'wide'),
    SSUBL: sum('sub', true, 'long'),
    USUBL: sum('sub', false, 'long'),
    SSUBW: sum('sub', true, 'wide'),
    USUBW: sum('sub', false, 'wide'),
    ADDHN: sumHigh('add', false),
    RADDHN: sumHigh('add', true),
    SUBHN: sumHigh('sub', false),
    RSUBHN: sumHigh('sub', true),
    SABDL: long(longDifference(true)),
    UABDL: long(longDifference(false)),
    SABAL: long(longValue(longDifference(true), 'add')),
    UABAL: long(longValue(longDifference(false), 'add')),
    SMULL: long(longProduct(true)),
    UMULL: long(longProduct(false)),
    SMLAL: long(longProduct(true, 'add')),
    UMLAL: long(longProduct(false, 'add')),
    SMLSL: long(longProduct(true, 'sub')),
    UMLSL: long(longProduct(false, 'sub')),
  }),
  ...inForms(['vec', 'scalar'], {
    SQDMULL: long(doublingLong),
    SQDMLAL: long((e, a, b) => doublingAccumulateLong(e, false, a, b)),
    SQDMLSL: long((e, a, b) => doublingAccumulateLong(e, true, a, b)),
  }),
} as const;
