/** One order of writes, maintenance and barriers of all cores, and each core's last barriers in it. */
import { MAX_CORES } from './plan';

interface State {
  readonly now: number;
  readonly lastDsb: Float64Array;
  readonly lastIsb: Float64Array;
  readonly dsbAtIsb: Float64Array;
}

export class SyncOrder {
  private now = 0;
  readonly lastDsb = new Float64Array(MAX_CORES);
  readonly lastIsb = new Float64Array(MAX_CORES);
  /** [core * MAX_CORES + k]: last DSB of k at core's last ISB. */
  private readonly dsbAtIsb = new Float64Array(MAX_CORES * MAX_CORES);

  reset(): void {
    this.now = 0;
    for (const a of [this.lastDsb, this.lastIsb, this.dsbAtIsb]) a.fill(0);
  }

  /** The place of what happens now. */
  next(): number {
    return ++this.now;
  }

  dsb(core: number): void {
    this.lastDsb[core] = this.next();
  }

  isb(core: number): void {
    this.lastIsb[core] = this.next();
    for (let k = 0; k < MAX_CORES; k++) this.dsbAtIsb[core * MAX_CORES + k] = this.lastDsb[k];
  }

  /** Was there a DSB of `by` after `at`? DMA (-1) needs none. */
  isDone(by: number, at: number): boolean {
    return by < 0 || this.lastDsb[by] > at;
  }

  /** Was there an ISB of `core` after a DSB of `by` after `at`? */
  isbAfter(core: number, by: number, at: number): boolean {
    return by < 0 ? this.lastIsb[core] > at : this.dsbAtIsb[core * MAX_CORES + by] > at;
  }

  save(): State {
    const { now, lastDsb, lastIsb, dsbAtIsb } = this;
    return { now, lastDsb, lastIsb, dsbAtIsb };
  }
  load(s: State): void {
    this.now = s.now;
    this.lastDsb.set(s.lastDsb);
    this.lastIsb.set(s.lastIsb);
    this.dsbAtIsb.set(s.dsbAtIsb);
  }
}
