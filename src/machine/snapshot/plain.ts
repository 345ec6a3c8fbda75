/**
 * Plain data with what JSON does not have: typed arrays (as blobs beside the text), BigInts, undefined, and numbers that are
 * not finite. An object with the one key "$" stands for such a value. What is read was checked against damage by its
 * container; what does not have the form throws `Malformed`.
 */

export class Malformed extends Error {}

const arrays = {
  Int8Array,
  Uint8Array,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  Float64Array,
} as const;
type TypedArray = InstanceType<(typeof arrays)[keyof typeof arrays]>;
const isTyped = (value: unknown): value is TypedArray => ArrayBuffer.isView(value) && !(value instanceof DataView);

export interface Plain {
  readonly text: string;
  readonly blobs: readonly Uint8Array[];
}

/** The blobs are views of what the value holds: write them before it changes. */
export function toPlain(value: unknown): Plain {
  const blobs: Uint8Array[] = [];
  const walk = (item: unknown): unknown => {
    if (item === undefined) return { $: ['undefined'] };
    if (typeof item === 'bigint') return { $: ['bigint', item.toString()] };
    if (typeof item === 'number' && (!Number.isFinite(item) || Object.is(item, -0)))
      return { $: ['number', Object.is(item, -0) ? '-0' : String(item)] };
    if (isTyped(item)) {
      blobs.push(new Uint8Array(item.buffer, item.byteOffset, item.byteLength));
      return { $: [item.constructor.name, blobs.length - 1] };
    }
    if (Array.isArray(item)) return Array.from(item, walk);
    if (typeof item !== 'object' || item === null) return item;
    return Object.fromEntries(Object.entries(item).map(([name, inner]) => [name, walk(inner)]));
  };
  return { text: JSON.stringify(walk(value)), blobs };
}

function special([kind, what]: readonly unknown[], blobs: readonly Uint8Array[]): unknown {
  if (kind === 'undefined') return undefined;
  if (kind === 'bigint' && typeof what === 'string' && /^-?\d+$/.test(what)) return BigInt(what);
  if (kind === 'number' && typeof what === 'string') return Number(what);
  const blob = typeof what === 'number' ? blobs[what] : undefined;
  const make =
    typeof kind === 'string' && Object.hasOwn(arrays, kind) ? arrays[kind as keyof typeof arrays] : undefined;
  if (blob === undefined || make === undefined || blob.length % make.BYTES_PER_ELEMENT !== 0) throw new Malformed();
  return new make(new Uint8Array(blob).buffer);
}

export function fromPlain({ text, blobs }: Plain): unknown {
  const walk = (item: unknown): unknown => {
    if (Array.isArray(item)) return item.map(walk);
    if (typeof item !== 'object' || item === null) return item;
    const names = Object.keys(item);
    const { $: one } = item as { $?: unknown };
    if (names.length === 1 && Array.isArray(one)) return special(one, blobs);
    return Object.fromEntries(Object.entries(item).map(([name, inner]) => [name, walk(inner)]));
  };
  try {
    return walk(JSON.parse(text));
  } catch (error) {
    if (error instanceof SyntaxError) throw new Malformed();
    throw error;
  }
}
