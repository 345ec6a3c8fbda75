/** Floats of 2, 4 and 8 bytes as text, and back. NaNs are shown with their bits, as they differ. */

const view = new DataView(new ArrayBuffer(8));

/** A half-precision number: 5 bits of exponent, 10 of fraction. */
function halfValue(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 0x3ff;
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1024) * 2 ** (exponent - 15));
}

/** The nearest half-precision number, ties to even. */
function halfBits(value: number): number {
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const size = Math.abs(value);
  if (Number.isNaN(value)) return 0x7e00;
  if (size === 0) return sign;
  const exponent = Math.max(-14, Math.min(16, Math.floor(Math.log2(size))));
  const scaled = size * 2 ** (10 - exponent);
  const whole = Math.floor(scaled);
  const rest = scaled - whole;
  const rounded = whole + (rest > 0.5 || (rest === 0.5 && whole % 2 === 1) ? 1 : 0);
  // Denormals have exponent -14 and no leading one; a carry out of the fraction raises the exponent by itself.
  return sign | Math.min(0x7c00, (exponent + 14) * 1024 + rounded);
}

export function floatToText(bits: bigint, bytes: number): string {
  view.setBigUint64(0, bits, true);
  const value =
    bytes === 8 ? view.getFloat64(0, true) : bytes === 4 ? view.getFloat32(0, true) : halfValue(Number(bits));
  if (Number.isNaN(value)) return `nan (0x${bits.toString(16)})`;
  if (!Number.isFinite(value)) return value < 0 ? '-inf' : 'inf';
  return Object.is(value, -0) ? '-0' : bytes === 4 ? shortest(value) : `${value}`;
}

/** The shortest decimal that is this single-precision number. */
function shortest(value: number): string {
  for (let digits = 1; digits < 9; digits++) {
    const text = Number(value.toPrecision(digits));
    if (Math.fround(text) === value) return `${text}`;
  }
  return `${value}`;
}

/** The bits of the nearest float; undefined where the text is no number. */
export function textToFloat(text: string, bytes: number): bigint | undefined {
  const word = text.trim().toLowerCase();
  const named: Readonly<Record<string, number>> = {
    nan: Number.NaN,
    inf: Number.POSITIVE_INFINITY,
    '+inf': Number.POSITIVE_INFINITY,
    '-inf': Number.NEGATIVE_INFINITY,
  };
  const value = named[word] ?? (/^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/.test(word) ? Number(word) : undefined);
  if (value === undefined) return undefined;
  if (bytes === 2) return BigInt(halfBits(value));
  view.setBigUint64(0, 0n, true);
  if (bytes === 8) view.setFloat64(0, value, true);
  else view.setFloat32(0, value, true);
  const bits = view.getBigUint64(0, true);
  // The quiet NaN of Arm's default, whatever the host's is.
  return Number.isNaN(value) ? (bytes === 8 ? 0x7ff8n << 48n : 0x7fc0_0000n) : bits;
}
