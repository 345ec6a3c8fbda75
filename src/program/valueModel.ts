/** Typed values as session/ shows and changes them. Nodes are lazy: memory is read when a node is made, children when asked. */

import type { EvaluationPort, Location, Variable } from './debugModel';
import type { CType } from './types';

/** A typed object somewhere in the guest: what a variable or a C path means. Plain data. */
export interface TypedObject {
  readonly type: CType;
  readonly location: Location;
  /** Byte offset of the object inside of `location`. */
  readonly offset: number;
  /** Present for bit fields: see `Member.bits`. */
  readonly bits?: { readonly offset: number; readonly size: number };
}

/** One line of a variables view. */
export interface ValueNode {
  readonly name: string;
  /** One line: `42`, `0x40001000 <main+16>`, `{x = 1, y = 2}`, `<optimized out>`. */
  readonly display: string;
  /** C declaration without a name: `int (*)(struct node *)`, `char [16]`. */
  readonly typeName: string;
  /** What to type to get this node again (`p->next`, `arr[2]`), for watch and hover. */
  readonly path: string;
  /** Address of the object; undefined when it is in registers or nowhere, and for bit fields. */
  readonly address: bigint | undefined;
  /** Where a memory view should open: the pointer's target for pointers, otherwise `address`. */
  readonly memoryReference: bigint | undefined;
  readonly childCount: number;
  /** Children are array elements (page them with start/count). */
  readonly indexed: boolean;
  child(index: number): ValueNode;
  readonly object: TypedObject;
}

export interface FormatOptions {
  /** Integers and pointers: default is decimal for integers, hexadecimal for pointers. */
  readonly hex?: boolean;
  /** Name of the code or data at an address, added to pointers. */
  symbolAt?(address: bigint): string | undefined;
}

/** Names that a C path may start with. */
export interface PathScope {
  readonly pc: bigint;
  readonly port: EvaluationPort;
  variable(name: string): Variable | undefined;
  /** For casts; may be left out. */
  typeNamed?(name: string): CType | undefined;
  /** What else has a name and an integer value, such as a register or a symbol; may be left out. */
  integer?(name: string): { readonly value: bigint; readonly size: number } | undefined;
}
