/**
 * C types as debug information describes them. Types are lazy: following `target`, `members`, `parameters` reads the
 * debug information at that moment, so recursive types cost nothing until they are looked at. A type that cannot be read
 * is `{ kind: 'unknown' }`, never an exception. Sizes and offsets are in bytes unless the name says bits.
 */

export type CType =
  | VoidType
  | BaseType
  | PointerType
  | RecordType
  | ArrayType
  | EnumType
  | AliasType
  | FunctionType
  | UnknownType;

export interface VoidType {
  readonly kind: 'void';
}

export type BaseEncoding =
  | 'signed'
  | 'unsigned'
  | 'bool'
  | 'float'
  | 'char'
  | 'unsignedChar'
  | 'utf'
  | 'address'
  | 'other';

export interface BaseType {
  readonly kind: 'base';
  readonly name: string;
  readonly size: number;
  readonly encoding: BaseEncoding;
}

export interface PointerType {
  readonly kind: 'pointer';
  /** `reference` is C++'s `&`; it reads and writes as its target. */
  readonly flavour: 'pointer' | 'reference';
  readonly size: number;
  readonly target: CType;
}

export interface RecordType {
  readonly kind: 'record';
  readonly keyword: 'struct' | 'union' | 'class';
  /** Empty for an anonymous record. */
  readonly name: string;
  readonly size: number;
  /** True when only a declaration exists anywhere in the debug information. */
  readonly incomplete: boolean;
  readonly members: readonly Member[];
}

export interface Member {
  /** Empty for an anonymous struct or union member; its members are found as if they were its parent's. */
  readonly name: string;
  readonly type: CType;
  /** Byte offset in the record. For a bit field: of the first byte that holds a bit of it. */
  readonly offset: number;
  /** Present for bit fields: least significant bit counted from bit 0 of the byte at `offset`, and width. */
  readonly bits?: { readonly offset: number; readonly size: number };
  /** True for a C++ base class. */
  readonly inherited: boolean;
}

export interface ArrayType {
  readonly kind: 'array';
  readonly element: CType;
  /** Number of elements; undefined for `[]` and for lengths known only at run time. */
  readonly count: number | undefined;
  /** Bytes from one element to the next. */
  readonly stride: number;
  /** True for SIMD vector types. */
  readonly vector: boolean;
}

export interface EnumType {
  readonly kind: 'enum';
  readonly name: string;
  readonly size: number;
  readonly signed: boolean;
  readonly enumerators: readonly { readonly name: string; readonly value: bigint }[];
}

/** A typedef or a qualifier: same object, other name. */
export interface AliasType {
  readonly kind: 'alias';
  readonly flavour: 'typedef' | 'const' | 'volatile' | 'restrict' | 'atomic';
  /** The typedef's name; empty for qualifiers. */
  readonly name: string;
  readonly target: CType;
}

export interface FunctionType {
  readonly kind: 'function';
  readonly returns: CType;
  readonly parameters: readonly CType[];
  readonly variadic: boolean;
}

export interface UnknownType {
  readonly kind: 'unknown';
  readonly name: string;
  readonly size: number;
}
