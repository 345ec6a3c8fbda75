/**
 * The performance monitors: storage that is brought up to date from the model's totals whenever a counter is looked at or what it
 * counts changes (level, filters, enables). Nothing is counted while instructions run. Sections: Performance Monitors Extension;
 * CountEvents, CheckForPMUOverflow.
 *
 * Index 0 to EVENT_COUNTERS - 1 are the event counters, CYCLES is the cycle counter. Overflow flags are exact whenever read;
 * the interrupt is raised where the machine looks at its events, at the earliest possible overflow and again until it happened.
 */
import { eventByNumber, performanceEvents } from '../arch/performanceEvents';
import { EVENT_COUNTERS } from '../arch/sysregs/performance';
import { controls, registerIndex } from './controls';
import type { Levels } from './levels';
import type { CpuPorts } from './ports';
import { type CoreState, WaitState } from './state';

const C = controls({
  E: 'PMCR_EL0.E',
  D: 'PMCR_EL0.D',
  LC: 'PMCR_EL0.LC',
  DP: 'PMCR_EL0.DP',
  SPME: 'MDCR_EL3.SPME',
  HPME: 'MDCR_EL2.HPME',
  HPMN: 'MDCR_EL2.HPMN',
});
const CYCLES = EVENT_COUNTERS;
const COUNTERS = EVENT_COUNTERS + 1;
const CYCLE_BIT = 31;
const ENABLES = registerIndex('PMCNTENSET_EL0');
const OVERFLOWS = registerIndex('PMOVSSET_EL0');
const INTERRUPTS = registerIndex('PMINTENSET_EL1');
/** Values and filters by counter. */
const VALUE = [...Array(EVENT_COUNTERS).keys()].map((n) => registerIndex(`PMEVCNTR${n}_EL0`));
const FILTER = [...Array(EVENT_COUNTERS).keys()].map((n) => registerIndex(`PMEVTYPER${n}_EL0`));
VALUE.push(registerIndex('PMCCNTR_EL0'));
FILTER.push(registerIndex('PMCCFILTR_EL0'));
/** PMEVTYPER<n>_EL0 and PMCCFILTR_EL0. */
const P = 1 << 31;
const U = 1 << 30;
const NSK = 1 << 29;
const NSU = 1 << 28;
const NSH = 1 << 27;
const M = 1 << 26;
const EVENT = 0xffff;
const CHAIN = performanceEvents.CHAIN.number;
const TWO32 = 2 ** 32;

const bitOf = (n: number): number => 1 << (n === CYCLES ? CYCLE_BIT : n);

export class Pmu {
  /** What storage would be as of now: lower words (the cycle counter's upper word apart) and new overflow flags. */
  private readonly value = new Float64Array(COUNTERS);
  private cyclesHigh = 0;
  private overflows = 0;
  private rest = 0;
  /** What the machine was told last. */
  private asserted = false;
  private scheduled = false;

  constructor(
    private readonly core: number,
    private readonly state: CoreState,
    private readonly levels: Levels,
    private readonly ports: Pick<CpuPorts, 'counted' | 'monitors'>,
  ) {}

  /** Event counters that software at a level may use: MDCR_EL2.HPMN of them at EL1 and EL0. */
  accessible(el: number): number {
    const limited = el < 2 && this.levels.el2Enabled();
    return limited ? Math.min(this.state.field(C.HPMN), EVENT_COUNTERS) : EVENT_COUNTERS;
  }
  /** The bits of those and of the cycle counter in PMCNTENSET_EL0 and the like. */
  mask(el: number): number {
    return ((1 << this.accessible(el)) - 1) | (1 << CYCLE_BIT);
  }

  // ---- what counts ----

  /** Counters from HPMN on belong to EL2, which enables them by HPME. */
  private on(n: number): boolean {
    const { state } = this;
    const forEl2 = n < CYCLES && this.levels.el2Enabled() && n >= state.field(C.HPMN);
    return state.bit(forEl2 ? C.HPME : C.E);
  }

  /** Anything may count at all. */
  private get active(): boolean {
    const { state } = this;
    return state.lo(ENABLES) !== 0 && (state.bit(C.E) || state.bit(C.HPME));
  }

  private counts(n: number): boolean {
    if ((this.state.lo(ENABLES) & bitOf(n)) === 0 || !this.on(n)) return false;
    return !this.prohibited(n) && !this.filtered(this.state.lo(FILTER[n]));
  }

  /** Counting in Secure state needs MDCR_EL3.SPME; the cycle counter goes on without, unless PMCR_EL0.DP is set. */
  private prohibited(n: number): boolean {
    const { state, levels } = this;
    if (levels.highestEl !== 3 || !levels.secure() || state.bit(C.SPME)) return false;
    return n !== CYCLES || state.bit(C.DP);
  }

  private filtered(filter: number): boolean {
    const { state, levels } = this;
    const nonSecure = levels.highestEl === 3 && !levels.secure();
    const differs = (bit: number, other: number): boolean => ((filter & bit) !== 0) !== ((filter & other) !== 0);
    switch (state.el) {
      case 0:
        return nonSecure ? differs(U, NSU) : (filter & U) !== 0;
      case 1:
        return nonSecure ? differs(P, NSK) : (filter & P) !== 0;
      case 2:
        return (filter & NSH) === 0;
      default:
        return differs(P, M);
    }
  }

  private event(n: number): number {
    return n === CYCLES ? performanceEvents.CPU_CYCLES.number : this.state.lo(FILTER[n]) & EVENT;
  }

  /** The model's total of what a counter counts; `current` instructions of the one being executed count as well. */
  private total(n: number, current: number): number {
    const name = eventByNumber[this.event(n)];
    if (name === undefined) return 0;
    const row: { readonly perInstruction?: true } = performanceEvents[name];
    return this.ports.counted(this.core, name) + (row.perInstruction ? current : 0);
  }

  // ---- bringing up to date ----

  private divider(): number {
    const { state } = this;
    return state.bit(C.D) && !state.bit(C.LC) ? 64 : 1;
  }

  /** Fills `value` and `overflows` as of now. */
  private look(current: number): void {
    const { state, value } = this;
    this.overflows = 0;
    let chained = 0;
    for (let n = 0; n < CYCLES; n++) {
      const sum = state.lo(VALUE[n]) + (this.counts(n) ? this.passed(n, current, chained) : 0);
      const times = Math.floor(sum / TWO32);
      value[n] = sum % TWO32;
      if (times > 0) this.overflows |= bitOf(n);
      chained = (n & 1) === 0 ? times : 0;
    }
    const cycles = this.counts(CYCLES) ? this.passed(CYCLES, current, 0) : 0;
    const divider = this.divider();
    this.rest = cycles % divider;
    const lo = state.lo(VALUE[CYCLES]) + Math.floor(cycles / divider);
    const carry = Math.floor(lo / TWO32);
    const hi = state.hi(VALUE[CYCLES]) + carry;
    value[CYCLES] = lo % TWO32;
    this.cyclesHigh = hi % TWO32;
    if (state.bit(C.LC) ? hi >= TWO32 : carry > 0) this.overflows |= bitOf(CYCLES);
  }

  /** Events of a counting counter since its base; `chained`: overflows of the even counter before it. */
  private passed(n: number, current: number, chained: number): number {
    if ((n & 1) === 1 && n < CYCLES && this.event(n) === CHAIN) return chained;
    return this.total(n, current) - this.state.monitorBase(n);
  }

  /**
   * Before anything that decides what counts changes. `current`: the instruction that is being executed belongs to what was
   * before, as it does when an exception leaves its level.
   */
  sync(current: 0 | 1 = 0): void {
    if (this.active) this.store(current);
  }

  /** The same for writes to the monitors' registers, `change`, which may begin or end counting, or a flag's interrupt. */
  change(change: () => void): void {
    this.store(0);
    change();
    for (let n = 0; n < COUNTERS; n++) this.rebase(n, 0);
    this.update();
  }

  private store(current: 0 | 1): void {
    const { state, value } = this;
    this.look(current);
    for (let n = 0; n < CYCLES; n++) state.store(VALUE[n], 0, value[n]);
    state.store(VALUE[CYCLES], this.cyclesHigh, value[CYCLES]);
    if (this.overflows !== 0) state.store(OVERFLOWS, 0, (state.lo(OVERFLOWS) | this.overflows) >>> 0);
    const { rest } = this;
    for (let n = 0; n < COUNTERS; n++) this.rebase(n, current);
    if (rest !== 0) state.setMonitorBase(CYCLES, state.monitorBase(CYCLES) - rest);
  }
  private rebase(n: number, current: number): void {
    this.state.setMonitorBase(n, this.total(n, current));
  }

  // ---- what software sees ----

  /** PMEVCNTR<n>_EL0 as of now, without storing it. */
  eventCount(n: number): number {
    this.look(0);
    return this.value[n];
  }
  /** PMCCNTR_EL0. */
  cycleCount(out: { hi: number; lo: number }): void {
    this.look(0);
    out.hi = this.cyclesHigh;
    out.lo = this.value[CYCLES];
  }
  /** Overflow flags as of now. */
  flags(): number {
    this.look(0);
    return (this.state.lo(OVERFLOWS) | this.overflows) >>> 0;
  }
  /** PMSWINC_EL0: one more for each of these counters that counts software increments. */
  softwareIncrement(bits: number): void {
    const { state } = this;
    this.change(() => {
      for (let n = 0; n < CYCLES; n++) {
        const asked = (bits & bitOf(n)) !== 0 && this.event(n) === performanceEvents.SW_INCR.number;
        if (!asked || !this.counts(n)) continue;
        const value = (state.lo(VALUE[n]) + 1) >>> 0;
        state.store(VALUE[n], 0, value);
        if (value === 0) this.overflowed(n);
      }
    });
  }
  /** A counter went round by a software increment: its flag, and a counter that is chained to it. */
  private overflowed(n: number): void {
    const { state } = this;
    state.store(OVERFLOWS, 0, (state.lo(OVERFLOWS) | bitOf(n)) >>> 0);
    const odd = n + 1;
    if ((n & 1) === 1 || odd >= CYCLES || this.event(odd) !== CHAIN || !this.counts(odd)) return;
    const value = (state.lo(VALUE[odd]) + 1) >>> 0;
    state.store(VALUE[odd], 0, value);
    if (value === 0) this.overflowed(odd);
  }
  /** PMCR_EL0.P: event counters of a level become zero. Inside of `change`. */
  resetEvents(el: number): void {
    for (let n = 0; n < this.accessible(el); n++) this.state.store(VALUE[n], 0, 0);
  }

  // ---- the overflow interrupt ----

  /** CheckForPMUOverflow, from storage. */
  private interrupt(): boolean {
    const { state } = this;
    const due = state.lo(OVERFLOWS) & state.lo(INTERRUPTS);
    if (due === 0) return false;
    for (let n = 0; n < COUNTERS; n++) if ((due & bitOf(n)) !== 0 && this.on(n)) return true;
    return false;
  }

  /** Cycles until the next interrupt can come at the earliest: every instruction takes one. */
  private wait(): number {
    const { state } = this;
    const wanted = state.lo(INTERRUPTS) & ~state.lo(OVERFLOWS);
    let wait = Number.POSITIVE_INFINITY;
    if (wanted === 0 || state.waiting !== WaitState.running) return wait;
    for (let n = 0; n < COUNTERS; n++)
      if ((wanted & bitOf(n)) !== 0 && this.counts(n)) wait = Math.min(wait, Math.max(1, this.room(n)));
    return wait;
  }
  /** Cycles in which a counter cannot overflow, from storage. */
  private room(n: number): number {
    const { state } = this;
    if (n === CYCLES) {
      const left = TWO32 - state.lo(VALUE[n]);
      const more = state.bit(C.LC) ? (TWO32 - 1 - state.hi(VALUE[n])) * TWO32 : 0;
      return (left + more) * this.divider();
    }
    const left = TWO32 - state.lo(VALUE[n]);
    if ((n & 1) === 1 && this.event(n) === CHAIN) return this.room(n - 1) + (left - 1) * TWO32;
    const name = eventByNumber[this.event(n)];
    return name === undefined ? Number.POSITIVE_INFINITY : Math.floor(left / performanceEvents[name].most);
  }

  /** Tells the machine of the interrupt's level and when to look again. Storage is up to date. */
  update(): void {
    const asserted = this.interrupt();
    const wait = this.wait();
    const scheduled = wait < 2 ** 52;
    if (asserted === this.asserted && !scheduled && !this.scheduled) return;
    this.asserted = asserted;
    this.scheduled = scheduled;
    this.ports.monitors(this.core, asserted, scheduled ? wait : Number.POSITIVE_INFINITY);
  }

  /** The core was reset: totals may have begun anew. */
  reset(): void {
    for (let n = 0; n < COUNTERS; n++) this.rebase(n, 0);
    this.update();
  }
  /** Storage was put back, and what the machine was told with it: it only has to know whom to call. */
  restored(): void {
    this.asserted = this.interrupt();
    this.scheduled = true;
    this.ports.monitors(this.core, this.asserted, Number.POSITIVE_INFINITY);
  }
  /** The level changed, after a `sync`: other counters count. */
  levelChanged(): void {
    if (this.state.lo(INTERRUPTS) !== 0 || this.scheduled) this.update();
  }
  /** It is time to look, or the core woke up. */
  due(): void {
    if (this.active) this.store(0);
    this.update();
  }
}
