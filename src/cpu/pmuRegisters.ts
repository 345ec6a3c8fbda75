/** What the registers of the performance monitors do beyond storage; counting is pmu.ts. */
import { EVENT_COUNTERS } from '../arch/sysregs/performance';
import type { Behaviour, CoreParts } from './behaviours';
import { registerIndex } from './controls';
import type { Pair } from './timers';

const CCNT = registerIndex('PMCCNTR_EL0');
const CCFILTR = registerIndex('PMCCFILTR_EL0');
const SELR = registerIndex('PMSELR_EL0');
const ENABLES = registerIndex('PMCNTENSET_EL0');
const OVERFLOWS = registerIndex('PMOVSSET_EL0');
const INTERRUPTS = registerIndex('PMINTENSET_EL1');
const FIRST_COUNT = registerIndex('PMEVCNTR0_EL0');
const FIRST_TYPE = registerIndex('PMEVTYPER0_EL0');

const PMCR_P = 1 << 1;
const PMCR_C = 1 << 2;
const PMCR_N_SHIFT = 11;
const PMCR_N = 31 << PMCR_N_SHIFT;
const CYCLE_SELECT = 31;

const low = (out: Pair, lo: number): void => {
  out.hi = 0;
  out.lo = lo >>> 0;
};

/** The bits of one register, set (or cleared) by ones; those of counters that are another level's are left alone. */
const bits = (at: number, set: boolean): Behaviour => ({
  read: ({ state, pmu }, out, el) => low(out, (at === OVERFLOWS ? pmu.flags() : state.lo(at)) & pmu.mask(el)),
  write: ({ state, pmu }, _hi, lo) =>
    pmu.change(() => {
      const mine = lo & pmu.mask(state.el);
      state.store(at, 0, (set ? state.lo(at) | mine : state.lo(at) & ~mine) >>> 0);
    }),
});

/** A write of a register that decides what counts. */
const changing: Behaviour = {
  write: (core, hi, lo, index) => core.pmu.change(() => core.storeMasked(index, hi, lo)),
};
const controlling: Behaviour = {
  write: (core, hi, lo, index) => {
    core.pmu.change(() => core.storeMasked(index, hi, lo));
    core.contextChanged();
    core.interruptsChanged();
  },
};

/** The counter that PMSELR_EL0.SEL names, if it is the level's: an event counter, CYCLE_SELECT, or -1. */
function selected({ state, pmu }: CoreParts, el: number): number {
  const n = state.lo(SELR) & 31;
  return n === CYCLE_SELECT || n < pmu.accessible(el) ? n : -1;
}

const readCount = (core: CoreParts, out: Pair, n: number): void =>
  low(out, n >= 0 && n < EVENT_COUNTERS ? core.pmu.eventCount(n) : 0);
const writeCount = (core: CoreParts, n: number, lo: number): void => {
  if (n >= 0 && n < EVENT_COUNTERS) core.pmu.change(() => core.state.store(FIRST_COUNT + n, 0, lo));
};
/** Register that PMXEVTYPER_EL0 stands for, or -1. */
const typeOf = (n: number): number => (n === CYCLE_SELECT ? CCFILTR : n >= 0 ? FIRST_TYPE + n : -1);
/** An event counter's number from its register, or -1 where it is another level's. */
const numberOf = ({ pmu }: CoreParts, index: number, first: number, el: number): number =>
  index - first < pmu.accessible(el) ? index - first : -1;

export const pmuBehaviours = {
  PMCR_EL0: {
    read: ({ state, pmu }, out, el, index) =>
      low(out, (state.lo(index) & ~(PMCR_C | PMCR_P | PMCR_N)) | (pmu.accessible(el) << PMCR_N_SHIFT)),
    write: (core, hi, lo, index) =>
      core.pmu.change(() => {
        core.storeMasked(index, hi, lo & ~(PMCR_C | PMCR_P));
        if (lo & PMCR_C) core.state.store(CCNT, 0, 0);
        if (lo & PMCR_P) core.pmu.resetEvents(core.state.el);
      }),
  },
  PMCNTENSET_EL0: bits(ENABLES, true),
  PMCNTENCLR_EL0: bits(ENABLES, false),
  PMOVSSET_EL0: bits(OVERFLOWS, true),
  PMOVSCLR_EL0: bits(OVERFLOWS, false),
  PMINTENSET_EL1: bits(INTERRUPTS, true),
  PMINTENCLR_EL1: bits(INTERRUPTS, false),
  PMSWINC_EL0: {
    read: (_core, out) => low(out, 0),
    write: ({ state, pmu }, _hi, lo) => pmu.softwareIncrement(lo & pmu.mask(state.el)),
  },
  PMCCNTR_EL0: { read: ({ pmu }, out) => pmu.cycleCount(out), write: changing.write },
  PMCCFILTR_EL0: changing,
  PMEVCNTR_EL0: {
    read: (core, out, el, index) => readCount(core, out, numberOf(core, index, FIRST_COUNT, el)),
    write: (core, _hi, lo, index) => writeCount(core, numberOf(core, index, FIRST_COUNT, core.state.el), lo),
  },
  PMEVTYPER_EL0: {
    read: (core, out, el, index) => low(out, numberOf(core, index, FIRST_TYPE, el) < 0 ? 0 : core.state.lo(index)),
    write: (core, hi, lo, index) => {
      if (numberOf(core, index, FIRST_TYPE, core.state.el) >= 0) changing.write!(core, hi, lo, index);
    },
  },
  PMXEVCNTR_EL0: {
    read: (core, out, el) => readCount(core, out, selected(core, el)),
    write: (core, _hi, lo) => writeCount(core, selected(core, core.state.el), lo),
  },
  PMXEVTYPER_EL0: {
    read: (core, out, el) => {
      const at = typeOf(selected(core, el));
      low(out, at < 0 ? 0 : core.state.lo(at));
    },
    write: (core, hi, lo) => {
      const at = typeOf(selected(core, core.state.el));
      if (at >= 0) changing.write!(core, hi, lo, at);
    },
  },
  MDCR_EL2: controlling,
  MDCR_EL3: controlling,
} as const satisfies Readonly<Record<string, Behaviour>>;
