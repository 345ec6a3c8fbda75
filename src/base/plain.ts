/** Plain data: what a snapshot can hold. */
import { bug } from './errors';

/** A copy that shares nothing with the value: primitives, arrays, typed arrays and objects without a class. */
export function copyPlain<T>(value: T): T {
  return copy(value) as T;
}

function copy(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return Array.from(value, copy);
  if (ArrayBuffer.isView(value) && 'slice' in value) return (value as Uint8Array).slice();
  if (Object.getPrototypeOf(value) !== Object.prototype) bug(`no plain data: ${value.constructor.name}`);
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, copy(inner)]));
}
