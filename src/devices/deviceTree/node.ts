/** A device tree as data: nodes with properties, which are bytes. Builders for the usual kinds of value stand below. */
import { encodeUtf8 } from '../../base/utf8';

export interface TreeProperty {
  readonly name: string;
  readonly value: Uint8Array;
}

export interface TreeNode {
  /** 'cpu@0'; empty for the root. */
  readonly name: string;
  readonly properties: readonly TreeProperty[];
  readonly children: readonly TreeNode[];
}

/** A memory range that the guest must leave alone. */
export interface Reservation {
  readonly address: bigint;
  readonly size: bigint;
}

export const node = (
  name: string,
  properties: readonly TreeProperty[] = [],
  children: readonly TreeNode[] = [],
): TreeNode => ({ name, properties, children });

/** A property without a value: present means true. */
export const flag = (name: string): TreeProperty => ({ name, value: new Uint8Array(0) });

/** 32-bit cells, big-endian. */
export function cells(name: string, ...values: readonly number[]): TreeProperty {
  const value = new Uint8Array(4 * values.length);
  const view = new DataView(value.buffer);
  values.forEach((cell, i) => void view.setUint32(4 * i, cell));
  return { name, value };
}

/** 64-bit numbers, two cells each. */
export function wide(name: string, ...values: readonly (number | bigint)[]): TreeProperty {
  const value = new Uint8Array(8 * values.length);
  const view = new DataView(value.buffer);
  values.forEach((number, i) => void view.setBigUint64(8 * i, BigInt(number)));
  return { name, value };
}

/** Strings, each with its end. */
export function strings(name: string, ...values: readonly string[]): TreeProperty {
  const parts = values.map((text) => encodeUtf8(text));
  const value = new Uint8Array(parts.reduce((sum, part) => sum + part.length + 1, 0));
  let at = 0;
  for (const part of parts) {
    value.set(part, at);
    at += part.length + 1;
  }
  return { name, value };
}
