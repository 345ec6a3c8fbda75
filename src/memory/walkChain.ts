/** The descriptors of one walk, as it read them: places are linear-memory addresses / 8, `what` as in descriptorUsers.ts. */

const LEVELS = 4;

export class WalkChain {
  count = 0;
  readonly place = new Int32Array(LEVELS);
  readonly what = new Uint8Array(LEVELS);
  readonly hi = new Uint32Array(LEVELS);
  readonly lo = new Uint32Array(LEVELS);

  add(place: number, what: number, hi: number, lo: number): void {
    const i = this.count;
    if (i >= LEVELS) return;
    this.count++;
    this.place[i] = place;
    this.what[i] = what;
    this.hi[i] = hi;
    this.lo[i] = lo;
  }
}
