/**
 * Values for SIMD&FP registers, FPCR and FPSR. A register's lanes are of one width; each holds a special value of the floats
 * of that width, an integer at an edge, a float of moderate size (so that sums and products stay finite and cancel) or chance.
 */
import type { SeededRandom } from '../../src/base/random';

interface FloatFormat {
  readonly width: number;
  readonly fraction: number;
}
const formats: readonly (FloatFormat | undefined)[] = [
  undefined, // bytes are no floats
  { width: 16, fraction: 10 },
  { width: 32, fraction: 23 },
  { width: 64, fraction: 52 },
];

const next64 = (random: SeededRandom): bigint => (BigInt(random.next()) << 32n) | BigInt(random.next());
const ones = (bits: number): bigint => (1n << BigInt(bits)) - 1n;

/** Zero, denormals, smallest and largest normal, infinity, quiet and signalling NaNs with and without payload, one, a half. */
function floatSpecials({ width, fraction }: FloatFormat): readonly bigint[] {
  const f = BigInt(fraction);
  const exponent = ones(width - 1 - fraction) << f;
  const one = (ones(width - 2 - fraction) << f) & exponent;
  const quiet = 1n << (f - 1n);
  return [
    0n,
    1n,
    ones(fraction),
    quiet,
    1n << f,
    (1n << f) + 1n,
    exponent - 1n,
    exponent - (1n << f),
    exponent,
    exponent | quiet,
    exponent | quiet | 5n,
    exponent | 1n,
    exponent | (quiet - 1n),
    one,
    one - 1n,
    one + 1n,
    one - (1n << f),
    one + (1n << f),
  ];
}

const integerEdges = (width: number): readonly bigint[] => [
  0n,
  1n,
  2n,
  ones(width - 1),
  1n << BigInt(width - 1),
  ones(width),
  ones(width) - 1n,
  (1n << BigInt(width - 1)) + 1n,
  ones(width >> 1),
  1n << BigInt(width >> 1),
];

const specials = formats.map((format) => (format ? floatSpecials(format) : []));
const edges = [8, 16, 32, 64].map(integerEdges);

/** A float whose exponent is near that of one, so that operands meet. */
function moderate({ width, fraction }: FloatFormat, random: SeededRandom): bigint {
  const bias = Number(ones(width - 2 - fraction));
  const spread = random.below(3) === 0 ? fraction + 3 : 4;
  const exponent = bias - spread + random.below(2 * spread + 1);
  const bits = next64(random) & ones(fraction);
  // Few significant bits now and then: exact results and halfway cases.
  const kept = random.below(2) === 0 ? bits : bits & ~ones(fraction - 1 - random.below(8));
  const clipped = Math.max(0, Math.min(exponent, 2 * bias));
  return (BigInt(random.below(2)) << BigInt(width - 1)) | (BigInt(clipped) << BigInt(fraction)) | kept;
}

function lane(log2: number, random: SeededRandom): bigint {
  const width = 8 << log2;
  const format = formats[log2];
  const choice = random.below(8);
  if (format && choice < 2) {
    const list = specials[log2];
    return list[random.below(list.length)] | (BigInt(random.below(2)) << BigInt(width - 1));
  }
  if (format && choice < 4) return moderate(format, random);
  if (choice < 6) return edges[log2][random.below(edges[log2].length)];
  return next64(random) & ones(width);
}

export function randomVector(random: SeededRandom): bigint {
  const log2 = random.below(4);
  const width = 8 << log2;
  let value = 0n;
  for (let at = 0; at < 128; at += width) value |= lane(log2, random) << BigInt(at);
  return value;
}

/** AHP, DN, FZ, RMode. */
const FPCR_BITS = [26, 25, 24, 23, 22];

/** Zero half of the time, else each bit on its own; of FZ16 where the core has half precision. */
export function randomFpcr(random: SeededRandom, hasHalf = false): number {
  if (random.below(2) === 0) return 0;
  let value = 0;
  for (const bit of FPCR_BITS) if (random.below(3) === 0) value |= 1 << bit;
  if (hasHalf && random.below(3) === 0) value |= 1 << 19;
  return value;
}

/**
 * QC, IDC, IXC, UFC, OFC, DZC, IOC: mostly clear, as what sets them is tested; but IXC alone is set often, as in any program
 * that computes: that is when the engine may use the host's floating point.
 */
export function randomFpsr(random: SeededRandom): number {
  const choice = random.below(4);
  if (choice === 0) return random.next() & 0x0800_009f;
  return choice === 1 ? 0x10 : 0;
}
