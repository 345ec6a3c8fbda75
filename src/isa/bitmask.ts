/**
 * DecodeBitMasks() of the manual: the wmask (rotated run of ones) of a logical immediate, as a pair of unsigned words, and
 * the tmask of bit field moves. The encoding must be valid.
 */

/** A 64-bit value as two unsigned 32-bit numbers. */
export interface Pair {
  readonly hi: number;
  readonly lo: number;
}

/** The low `n` bits set, 0 <= n <= 64. */
const ones = (n: number): Pair => ({
  hi: n <= 32 ? 0 : n === 64 ? 0xffffffff : (2 ** (n - 32) - 1) >>> 0,
  lo: n >= 32 ? 0xffffffff : (2 ** n - 1) >>> 0,
});

/** `pattern` of `size` bits, rotated right by `amount` and repeated to 64 bits. */
function rotateAndRepeat(pattern: Pair, size: number, amount: number): Pair {
  const bit = (i: number): number => (i < 32 ? pattern.lo >>> i : pattern.hi >>> (i - 32)) & 1;
  let hi = 0;
  let lo = 0;
  for (let i = 0; i < 64; i++) {
    const b = bit(((i % size) + amount) % size);
    if (i < 32) lo |= b << i;
    else hi |= b << (i - 32);
  }
  return { hi: hi >>> 0, lo: lo >>> 0 };
}

export interface BitMasks {
  readonly wmask: Pair;
  readonly tmask: Pair;
}

/** Both masks, 64 bits each; 32-bit instructions use the low halves. */
export function decodeBitMasks(N: number, imms: number, immr: number): BitMasks {
  const len = 31 - Math.clz32((N << 6) | (~imms & 0x3f));
  const size = 2 ** len;
  const levels = size - 1;
  const s = imms & levels;
  const r = immr & levels;
  const diff = (s - r) & levels;
  return {
    wmask: rotateAndRepeat(ones(s + 1), size, r),
    tmask: rotateAndRepeat(ones(diff + 1), size, 0),
  };
}
