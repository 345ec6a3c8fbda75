/** Seeded random numbers: xorshift32 with its state kept in a caller-given Uint32Array, so that snapshots hold it. */
export class SeededRandom {
  constructor(
    private readonly state: Uint32Array,
    private readonly index = 0,
  ) {}

  /** Seeds the generator; a zero seed is mapped to a fixed non-zero one (xorshift has no zero state). */
  seed(seed: number): void {
    let x = (seed ^ 0x9e3779b9) >>> 0;
    x = Math.imul(x ^ (x >>> 16), 0x85ebca6b) >>> 0;
    x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35) >>> 0;
    this.state[this.index] = x === 0 ? 0x6d2b79f5 : x;
  }

  /** The next unsigned 32-bit number. */
  next(): number {
    let x = this.state[this.index];
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.state[this.index] = x;
    return x >>> 0;
  }

  /** A number in [0, n), n a power of two or small enough that the modulo bias does not matter. */
  below(n: number): number {
    const x = this.next();
    return (n & (n - 1)) === 0 ? (x & (n - 1)) >>> 0 : x % n;
  }
}
