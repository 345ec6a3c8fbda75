/** What DWARF expressions take from where they stand, and the names of registers in messages. */

import type { Location } from '../debugModel';
import { Malformed } from '../reader';

/** What an expression takes from the unit that it stands in. */
export interface ExpressionContext {
  readonly addressSize: number;
  readonly offsetSize: 4 | 8;
  /** Run-time address of a link-time one. */
  place(address: bigint): bigint;
  /** Link address (or constant) by index in .debug_addr. @throws Malformed */
  indexed(index: number): bigint;
  /** Base type by offset in the unit. */
  baseType(offset: number): { readonly size: number; readonly signed: boolean; readonly float: boolean } | undefined;
  /** Location expression of another entry (DW_OP_call2/4/_ref); `global` offsets count from the section's start. */
  called(offset: number, global: boolean): Uint8Array | undefined;
  /** For DW_OP_push_object_address. */
  readonly objectAddress?: bigint;
}

/** A context for expressions that stand in no unit (unwind tables). */
export const bareContext: ExpressionContext = {
  addressSize: 8,
  offsetSize: 4,
  place: (address) => address,
  indexed: () => {
    throw new Malformed('an index without a unit');
  },
  baseType: () => undefined,
  called: () => undefined,
};

export const OPTIMIZED_OUT: Location = { kind: 'unavailable', reason: 'optimized out' };

/** X0, SP, V3, or the DWARF number. */
export function registerName(n: number): string {
  if (n >= 0 && n <= 30) return `X${n}`;
  if (n === 31) return 'SP';
  if (n === 32) return 'PC';
  return n >= 64 && n < 96 ? `V${n - 64}` : `register ${n}`;
}
