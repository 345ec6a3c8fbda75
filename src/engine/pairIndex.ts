/** Which pair handler two neighbouring handlers have: a hash table in typed arrays, as every decoded word asks. */

const SLOTS_LOG2 = 15;
const MASK = (1 << SLOTS_LOG2) - 1;
/** Half full at most, so that a search ends soon. */
export const PAIR_CAPACITY = 8192;

export class PairIndex {
  /** first << 16 | second; an empty slot has no pair. */
  private readonly keys = new Int32Array(1 << SLOTS_LOG2);
  private readonly pairs = new Uint16Array(1 << SLOTS_LOG2);

  private slot(key: number): number {
    let slot = Math.imul(key, 0x9e3779b1) >>> (32 - SLOTS_LOG2);
    while (this.pairs[slot] !== 0 && this.keys[slot] !== key) slot = (slot + 1) & MASK;
    return slot;
  }

  /** 0 = none. */
  get(first: number, second: number): number {
    return this.pairs[this.slot((first << 16) | second)];
  }
  set(first: number, second: number, pair: number): void {
    const key = (first << 16) | second;
    const slot = this.slot(key);
    this.keys[slot] = key;
    this.pairs[slot] = pair;
  }
}
