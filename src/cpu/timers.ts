/**
 * The generic timer's side in the core: counts, comparators and event streams. A comparator's output is a level computed from
 * the count; the machine is told of levels and of the count at which the next one changes, and calls `update` then.
 * Section: The Generic Timer in AArch64 state. Comparisons are unsigned.
 */
import { controls, registerIndex } from './controls';
import type { Levels } from './levels';
import type { CoreState } from './state';

/** Output bits. */
export const TimerLine = { physical: 1, virtual: 2, hypervisor: 4, secure: 8, hostVirtual: 16 } as const;

interface TimerRow {
  readonly prefix: string;
  readonly line: number;
  readonly ctl: number;
  readonly cval: number;
  /** Whose count it compares. */
  readonly counts: Counts;
}

/** The count as such; minus CNTVOFF_EL2; minus CNTPOFF_EL2 where that counts, as EL1 and EL0 have the physical one. */
export type Counts = 'physical' | 'virtual' | 'offset';

const timer = (prefix: string, suffix: string, line: number): TimerRow => ({
  prefix,
  line,
  ctl: registerIndex(`${prefix}_CTL_${suffix}`),
  cval: registerIndex(`${prefix}_CVAL_${suffix}`),
  counts: prefix === 'CNTV' ? 'virtual' : prefix === 'CNTP' ? 'offset' : 'physical',
});

export const timerRows: readonly TimerRow[] = [
  timer('CNTP', 'EL0', TimerLine.physical),
  timer('CNTV', 'EL0', TimerLine.virtual),
  timer('CNTHP', 'EL2', TimerLine.hypervisor),
  timer('CNTPS', 'EL1', TimerLine.secure),
  timer('CNTHV', 'EL2', TimerLine.hostVirtual),
];

const VOFF = registerIndex('CNTVOFF_EL2');
const ENABLE = 1;
const IMASK = 2;
export const ISTATUS = 4;

const streams = [
  {
    virtual: true,
    ...controls({
      on: 'CNTKCTL_EL1.EVNTEN',
      down: 'CNTKCTL_EL1.EVNTDIR',
      bit: 'CNTKCTL_EL1.EVNTI',
      slow: 'CNTKCTL_EL1.EVNTIS',
    }),
  },
  {
    virtual: false,
    ...controls({
      on: 'CNTHCTL_EL2.EVNTEN',
      down: 'CNTHCTL_EL2.EVNTDIR',
      bit: 'CNTHCTL_EL2.EVNTI',
      slow: 'CNTHCTL_EL2.EVNTIS',
    }),
  },
];
/** EVNTIS: streams are of bits 8 to 23. */
const SLOW_BITS = 8;
const POFF = registerIndex('CNTPOFF_EL2');
const C = controls({ ECV: 'CNTHCTL_EL2.ECV', ECVEn: 'SCR_EL3.ECVEn' });
const TWO32 = 2 ** 32;

/** A 64-bit unsigned number in two words. */
export interface Pair {
  hi: number;
  lo: number;
}

const subtract = (out: Pair, aHi: number, aLo: number, bHi: number, bLo: number): void => {
  out.lo = (aLo - bLo) >>> 0;
  out.hi = (aHi - bHi - (aLo < bLo ? 1 : 0)) >>> 0;
};

export class Timers {
  private readonly hasEl2: boolean;
  private readonly now: Pair = { hi: 0, lo: 0 };
  private readonly left: Pair = { hi: 0, lo: 0 };

  constructor(
    private readonly core: number,
    private readonly state: CoreState,
    private readonly levels: Levels,
    private readonly counter: () => number,
    private readonly changed: (core: number, levels: number, deadline: number) => void,
  ) {
    this.hasEl2 = levels.highestEl >= 2;
  }

  /** CNTVOFF_EL2 is zero without EL2. */
  count(out: Pair, counts: Counts): void {
    const ticks = this.counter();
    out.hi = Math.floor(ticks / TWO32);
    out.lo = ticks >>> 0;
    if (counts === 'physical' || !this.hasEl2) return;
    const { state } = this;
    if (counts === 'virtual') subtract(out, out.hi, out.lo, state.hi(VOFF), state.lo(VOFF));
    else if (this.physicalOffset()) subtract(out, out.hi, out.lo, state.hi(POFF), state.lo(POFF));
  }

  /** CNTHCTL_EL2.ECV: the level that is in charge decides whether CNTPOFF_EL2 counts. */
  get offsetWanted(): boolean {
    return this.state.bit(C.ECV);
  }
  /** CNTPOFF_EL2 counts: CNTHCTL_EL2.ECV, not for a host, and SCR_EL3.ECVEn where there is EL3. */
  private physicalOffset(): boolean {
    const { state, levels } = this;
    if (!state.bit(C.ECV) || !levels.el2Enabled() || levels.host()) return false;
    return levels.highestEl < 3 || state.bit(C.ECVEn);
  }

  /** CNT*_CTL with ISTATUS. */
  readCtl(row: TimerRow): number {
    const ctl = this.state.lo(row.ctl) & (ENABLE | IMASK);
    return ctl & ENABLE && this.met(row) ? ctl | ISTATUS : ctl;
  }

  /** CVAL minus the count, 32 bits. */
  readTval(row: TimerRow): number {
    this.count(this.now, row.counts);
    return (this.state.lo(row.cval) - this.now.lo) >>> 0;
  }

  writeTval(row: TimerRow, value: number): void {
    const { now, state } = this;
    this.count(now, row.counts);
    const lo = now.lo + (value >>> 0);
    const hi = now.hi + (value | 0 ? (value | 0) >> 31 : 0) + (lo >= TWO32 ? 1 : 0);
    state.store(row.cval, hi >>> 0, lo >>> 0);
  }

  /** The count has reached CVAL; `left` is what is missing otherwise. */
  private met(row: TimerRow): boolean {
    const { now, left, state } = this;
    this.count(now, row.counts);
    const hi = state.hi(row.cval);
    const lo = state.lo(row.cval);
    if (now.hi > hi || (now.hi === hi && now.lo >= lo)) return true;
    subtract(left, hi, lo, now.hi, now.lo);
    return false;
  }

  /** Recomputes the outputs and tells the machine. `eventAt`: a further count to be called at. */
  update(eventAt = Number.POSITIVE_INFINITY): void {
    let levels = 0;
    let wait = Number.POSITIVE_INFINITY;
    for (const row of timerRows) {
      const ctl = this.state.lo(row.ctl);
      if ((ctl & ENABLE) === 0) continue;
      if (this.met(row)) levels |= ctl & IMASK ? 0 : row.line;
      else if ((ctl & IMASK) === 0) wait = Math.min(wait, this.left.hi * TWO32 + this.left.lo);
    }
    this.state.set('timerLevels', levels);
    const deadline = wait >= 2 ** 52 ? Number.POSITIVE_INFINITY : this.counter() + wait;
    this.changed(this.core, levels, Math.min(deadline, eventAt));
  }

  get eventStream(): boolean {
    return streams.some((s) => this.state.bit(s.on));
  }

  /** The next count after `from` at which an event stream makes an event. */
  nextEvent(from: number): number {
    let next = Number.POSITIVE_INFINITY;
    for (const s of streams) {
      if (!this.state.bit(s.on) || (!s.virtual && !this.hasEl2)) continue;
      const half = 2 ** (this.state.field(s.bit) + (this.state.bit(s.slow) ? SLOW_BITS : 0));
      const period = half * 2;
      // The bit rises at half (mod period) of its count and falls at 0; the virtual count is behind by CNTVOFF_EL2.
      const offset = s.virtual && this.hasEl2 ? this.state.lo(VOFF) % period : 0;
      const phase = ((this.state.bit(s.down) ? 0 : half) + offset) % period;
      const periods = Math.floor((from - phase) / period) + 1;
      next = Math.min(next, phase + periods * period);
    }
    return next;
  }
}
