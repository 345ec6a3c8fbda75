/**
 * PMCCNTR_EL0: storage that is brought up to date from the core's cycles whenever it is looked at or whenever what it counts
 * changes (level, filter, enables). No event counters. PMCCFILTR_EL0's NS bits matter with EL3 only.
 */
import { controls, registerIndex } from './controls';
import type { Levels } from './levels';
import type { CoreState } from './state';
import type { Pair } from './timers';

const C = controls({
  E: 'PMCR_EL0.E',
  D: 'PMCR_EL0.D',
  LC: 'PMCR_EL0.LC',
  DP: 'PMCR_EL0.DP',
  enabled: 'PMCNTENSET_EL0.C',
  P: 'PMCCFILTR_EL0.P',
  U: 'PMCCFILTR_EL0.U',
  NSK: 'PMCCFILTR_EL0.NSK',
  NSU: 'PMCCFILTR_EL0.NSU',
  NSH: 'PMCCFILTR_EL0.NSH',
  M: 'PMCCFILTR_EL0.M',
  SPME: 'MDCR_EL3.SPME',
});
const COUNT = registerIndex('PMCCNTR_EL0');
const OVERFLOW = registerIndex('PMOVSSET_EL0');
const TWO32 = 2 ** 32;

export class CycleCounter {
  private readonly now: Pair = { hi: 0, lo: 0 };

  constructor(
    private readonly core: number,
    private readonly state: CoreState,
    private readonly levels: Levels,
    private readonly cycles: (core: number) => number,
  ) {}

  private counts(): boolean {
    const { state } = this;
    return state.bit(C.E) && state.bit(C.enabled) && !this.prohibited() && !this.filtered();
  }

  /** Counting in Secure state needs MDCR_EL3.SPME, for the cycle counter only while PMCR_EL0.DP is set. */
  private prohibited(): boolean {
    const { state, levels } = this;
    return levels.highestEl === 3 && levels.secure() && !state.bit(C.SPME) && state.bit(C.DP);
  }

  private filtered(): boolean {
    const { state, levels } = this;
    const p = state.bit(C.P);
    const el3 = levels.highestEl === 3;
    switch (state.el) {
      case 0:
        return el3 && !levels.secure() ? state.bit(C.U) !== state.bit(C.NSU) : state.bit(C.U);
      case 1:
        return el3 && !levels.secure() ? p !== state.bit(C.NSK) : p;
      case 2:
        return !state.bit(C.NSH);
      default:
        return p !== state.bit(C.M);
    }
  }

  /** Cycles since storage was brought up to date, in units that count. */
  private ticks(): number {
    const passed = this.cycles(this.core) - this.state.getDouble('cycleBase');
    return Math.floor(passed / this.divider());
  }
  private divider(): number {
    return this.state.bit(C.D) && !this.state.bit(C.LC) ? 64 : 1;
  }

  /** The count as of now, without storing it. True if it overflowed since storage was brought up to date. */
  current(out: Pair): boolean {
    const { state } = this;
    const lo = state.lo(COUNT) + (this.counts() ? this.ticks() : 0);
    const carry = Math.floor(lo / TWO32);
    const hi = state.hi(COUNT) + carry;
    out.hi = hi >>> 0;
    out.lo = lo % TWO32;
    return state.bit(C.LC) ? hi >= TWO32 : carry > 0;
  }

  /** Brings storage up to date. Call before anything that decides what counts changes. */
  sync(): void {
    const { state, now } = this;
    const cycles = this.cycles(this.core);
    if (!this.counts()) {
      state.setDouble('cycleBase', cycles);
      return;
    }
    const divider = this.divider();
    if (this.current(now)) state.store(OVERFLOW, 0, 0x80000000);
    state.store(COUNT, now.hi, now.lo);
    state.setDouble('cycleBase', cycles - ((cycles - state.getDouble('cycleBase')) % divider));
  }

  /** True while a change of level can change whether cycles count. */
  get active(): boolean {
    return this.state.bit(C.E);
  }
}
