/** Operands that find mistakes: edge values of a format, and random ones whose exponents are near each other. */
import type { SeededRandom } from '../../../../src/base/random';
import { type FormatBits, formats } from '../../../../src/isa/fp/format';

const next64 = (random: SeededRandom): bigint => (BigInt(random.next()) << 32n) | BigInt(random.next());

/** Zeros, denormals, numbers around powers of two and the ends of the range, infinities, NaNs. Both signs. */
function edgesOf(n: FormatBits): readonly bigint[] {
  const f = formats[n];
  const one = BigInt(f.bias) << BigInt(f.F);
  const power = (e: number): bigint => BigInt(f.bias + e) << BigInt(f.F);
  const magnitudes = [
    ...[0n, 1n, 2n, f.fractionMask, f.fractionMask >> 1n, f.quietBit, f.quietBit >> 1n, (f.quietBit >> 1n) - 1n],
    ...[f.fractionMask + 1n, f.fractionMask + 2n, (f.fractionMask + 1n) * 2n, (f.fractionMask + 1n) * 2n + 1n],
    ...[one, one + 1n, one - 1n, power(1), power(-1), power(-1) - 1n, power(-1) + 1n, one | f.quietBit],
    ...[power(f.F), power(f.F) - 1n, power(f.F) + 1n, power(f.F - 1) + 1n, power(f.F + 1)],
    ...[f.maxNormal, f.maxNormal - 1n, f.maxNormal - f.fractionMask, f.maxNormal - f.fractionMask - 1n],
    ...[f.exponentMask, f.exponentMask | 1n, f.defaultNaN, f.defaultNaN | 5n, f.magnitudeMask, f.defaultNaN - 1n],
    ...[15, 16, 31, 32, 63, 64].filter((e) => e <= f.bias).flatMap((e) => [power(e), power(e) - 1n, power(e - 1) + 1n]),
  ];
  return magnitudes.flatMap((m) => [m, m | f.signMask]);
}

const edges = { 16: edgesOf(16), 32: edgesOf(32), 64: edgesOf(64) } as const;

/** A fraction of few ones or zeros, or any. */
function fraction(random: SeededRandom, F: number): bigint {
  const mask = (1n << BigInt(F)) - 1n;
  const any = next64(random);
  switch (random.below(5)) {
    case 0:
      return (1n << BigInt(random.below(F))) & mask;
    case 1:
      return ~(1n << BigInt(random.below(F))) & mask;
    case 2:
      return (any << BigInt(random.below(F))) & mask;
    case 3:
      return (mask >> BigInt(random.below(F))) & mask;
    default:
      return any & mask;
  }
}

/** `count` operands of a format. */
export function randomOperands(random: SeededRandom, n: FormatBits, count: number): bigint[] {
  const f = formats[n];
  const list = edges[n];
  const kind = random.below(8);
  const middle = random.below(f.maxBiased);
  return Array.from({ length: count }, () => {
    const sign = random.below(2) ? f.signMask : 0n;
    if (kind === 0 || random.below(12) === 0) return list[random.below(list.length)];
    if (kind === 1) return next64(random) & ((1n << BigInt(n)) - 1n);
    const spread = [1, 3, f.F + 3, 2 * f.F + 4][random.below(4)];
    // Around one, so that products stay in range; around the least or greatest; or anywhere.
    const centre = kind < 4 ? f.bias : kind === 4 ? random.below(4) : kind === 5 ? f.maxBiased - 2 : middle;
    const exponent = Math.min(Math.max(centre + random.below(2 * spread + 1) - spread, 0), f.maxBiased - 1);
    return sign | (BigInt(exponent) << BigInt(f.F)) | fraction(random, f.F);
  });
}

export function randomInteger(random: SeededRandom): bigint {
  const any = next64(random);
  const shifted = any >> BigInt(random.below(64));
  switch (random.below(4)) {
    case 0:
      return BigInt.asUintN(64, (1n << BigInt(random.below(64))) + BigInt(random.below(5) - 2));
    case 1:
      return BigInt.asUintN(64, -shifted);
    case 2:
      return shifted;
    default:
      return any;
  }
}

/** Rounding modes, FZ, DN, AHP and FZ16; mostly few of them. */
export function randomFpcr(random: SeededRandom): number {
  if (random.below(3) === 0) return 0;
  const bit = (at: number, rarity: number): number => (random.below(rarity) === 0 ? 1 << at : 0);
  return ((random.below(4) << 22) | bit(24, 3) | bit(25, 3) | bit(26, 4) | bit(19, 3)) >>> 0;
}
