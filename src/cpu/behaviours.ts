/**
 * What registers do beyond storage, by the behaviour ids of arch/sysregs/behaviours.ts (the compiler holds the two lists
 * together). `read` has no effects, so the debugger's peek is the same function; `el` is the level that reads.
 */
import type { RegisterBehaviour } from '../arch/sysregs/behaviours';
import type { SeededRandom } from '../base/random';
import { type ControlField, controls, registerIndex } from './controls';
import type { Identity } from './identity';
import { controllerBehaviours, type InterruptControllerRegisters } from './interruptController';
import type { Interrupts } from './interrupts';
import type { Levels } from './levels';
import type { Pmu } from './pmu';
import { pmuBehaviours } from './pmuRegisters';
import type { CpuFacts } from './ports';
import { Pstate } from './pstate';
import type { SelfHostedDebug } from './selfHostedDebug';
import type { CoreState } from './state';
import { type Pair, type Timers, timerRows } from './timers';

/** What behaviours see of their core. */
export interface CoreParts {
  readonly state: CoreState;
  readonly levels: Levels;
  readonly facts: CpuFacts;
  readonly identity: Identity;
  readonly interrupts: Interrupts;
  readonly timers: Timers;
  /** Behind RNDR. */
  readonly random: SeededRandom;
  readonly controller: InterruptControllerRegisters;
  readonly pmu: Pmu;
  /** A write changed translation or execution context. */
  contextChanged(): void;
  /** A write may have made an interrupt deliverable. */
  interruptsChanged(): void;
  timersChanged(): void;
  /** The guest's breakpoints or watchpoints may be others now. */
  comparatorsChanged(): void;
  readonly debug: SelfHostedDebug;
  /** A write to storage that leaves reserved and read-only bits alone. */
  storeMasked(index: number, hi: number, lo: number): void;
}

export interface Behaviour {
  /** Extra conditions under which the access is UNDEFINED. */
  readonly undefined?: (core: CoreParts, el: number, index: number) => boolean;
  /** Absent: storage. */
  readonly read?: (core: CoreParts, out: Pair, el: number, index: number) => void;
  /** What a guest's read gives where it has effects; the debugger's goes on reading without. */
  readonly access?: (core: CoreParts, out: Pair, index: number) => void;
  /** Absent: a masked write to storage. */
  readonly write?: (core: CoreParts, hi: number, lo: number, index: number) => void;
}

const low = (out: Pair, lo: number): void => {
  out.hi = 0;
  out.lo = lo >>> 0;
};
const stored = (core: CoreParts, out: Pair, index: number): void => {
  out.hi = core.state.hi(index);
  out.lo = core.state.lo(index);
};

const R = (name: string): number => registerIndex(name);
const VPIDR = R('VPIDR_EL2');
const VMPIDR = R('VMPIDR_EL2');
const VDISR = R('VDISR_EL2');
const CSSELR = R('CSSELR_EL1');
const OSLSR = R('OSLSR_EL1');
const CLAIM = R('DBGCLAIMCLR_EL1');

const C = controls({
  DZE: 'SCTLR_EL1.DZE',
  TDZ: 'HCR_EL2.TDZ',
  DZP: 'DCZID_EL0.DZP',
  cores: 'S3_1_C11_C0_2.Cores',
  EA: 'SCR_EL3.EA',
  hcrRW: 'HCR_EL2.RW',
  scrRW: 'SCR_EL3.RW',
});

/** EL1's DISR_EL1 is VDISR_EL2 where SErrors are routed to EL2. */
const deferredAt = (core: CoreParts, el: number, index: number): number =>
  el === 1 && core.levels.routedToEl2(Pstate.A) ? VDISR : index;

/** RW of the next lower level reads as one: there is no AArch32. */
const withAarch64Below = (rw: ControlField): Behaviour => ({
  write: (core, hi, lo, index) => {
    core.pmu.sync();
    core.storeMasked(index, hi, (lo | (rw.mask << rw.shift)) >>> 0);
    core.contextChanged();
    core.interruptsChanged();
    if (core.timers.offsetWanted) core.timersChanged();
  },
});

/** EL1 reads the value that EL2 gave it. */
const virtualised = (shadow: number): Behaviour => ({
  read: (core, out, el, index) => stored(core, out, el === 1 && core.levels.el2Enabled() ? shadow : index),
});

/** Exists at the highest level only. */
const onlyIfHighest = (el: number): Behaviour => ({ undefined: (core) => core.levels.highestEl !== el });

/** Registers whose write is a change of context without a behaviour of its own. */
export const contextWrite: Behaviour = {
  write: (core, hi, lo, index) => {
    core.storeMasked(index, hi, lo);
    core.contextChanged();
    core.interruptsChanged();
  },
};

const stackPointer = (el: number): Behaviour => ({
  undefined: (core, at) => el === 0 && at > 0 && core.state.spsel === 0,
  read: (core, out) => {
    out.hi = core.state.bankedSpHi(el);
    out.lo = core.state.bankedSpLo(el);
  },
  write: (core, hi, lo) => core.state.setBankedSp(el, hi, lo),
});

const pstateBit = (bit: number): Behaviour => ({
  read: (core, out) => low(out, core.state.others & bit),
  write: (core, _hi, lo) => {
    core.state.others = (core.state.others & ~bit) | (lo & bit);
    core.contextChanged();
  },
});

const secureTimerUndefined = (core: CoreParts, el: number): boolean =>
  el === 2 || (el === 1 && !core.levels.lowerSecure()) || core.levels.highestEl !== 3;

/** The three registers of one timer. */
function timerBehaviours(prefix: string): {
  readonly tval: Behaviour;
  readonly ctl: Behaviour;
  readonly cval: Behaviour;
} {
  const row = timerRows.find((r) => r.prefix === prefix)!;
  const shared = prefix === 'CNTPS' ? { undefined: secureTimerUndefined } : {};
  const moves = (core: CoreParts, hi: number, lo: number, index: number): void => {
    core.storeMasked(index, hi, lo);
    core.timersChanged();
  };
  return {
    tval: {
      ...shared,
      read: (core, out) => low(out, core.timers.readTval(row)),
      write: (core, _hi, lo) => {
        core.timers.writeTval(row, lo);
        core.timersChanged();
      },
    },
    ctl: { ...shared, read: (core, out) => low(out, core.timers.readCtl(row)), write: moves },
    cval: { ...shared, write: moves },
  };
}
const CNTP = timerBehaviours('CNTP');
const CNTV = timerBehaviours('CNTV');
const CNTHP = timerBehaviours('CNTHP');
const CNTPS = timerBehaviours('CNTPS');
const CNTHV = timerBehaviours('CNTHV');

/** CNTVOFF_EL2 does not count at EL2 with E2H, nor at EL0 of a host. */
const offsetFree = ({ levels }: CoreParts, el: number): boolean =>
  el === 2 ? levels.e2h() : el === 0 && levels.host();

const CLAIM_TAGS = 0xff;

const plain: Behaviour = {};
/** A comparator changed. */
const debugWrite: Behaviour = {
  write: (core, hi, lo, index) => {
    core.storeMasked(index, hi, lo);
    core.comparatorsChanged();
  },
};

export const behaviours: Readonly<Record<RegisterBehaviour, Behaviour>> = {
  MIDR_EL1: virtualised(VPIDR),
  MPIDR_EL1: virtualised(VMPIDR),
  CCSIDR_EL1: {
    read: (core, out) => {
      const value = core.identity.ccsidr[core.state.lo(CSSELR) & 15];
      out.hi = Number(value >> 32n);
      out.lo = Number(value & 0xffffffffn);
    },
  },
  CCSIDR2_EL1: { read: (_core, out) => low(out, 0) },
  DCZID_EL0: {
    read: (core, out, el, index) => {
      const prohibited = (el === 0 && !core.levels.user(C.DZE)) || (el <= 1 && core.levels.hcrTrap(C.TDZ));
      low(out, core.state.lo(index) | (prohibited ? 1 << C.DZP.shift : 0));
    },
  },
  RVBAR_EL1: onlyIfHighest(1),
  RVBAR_EL2: onlyIfHighest(2),
  RVBAR_EL3: onlyIfHighest(3),
  RMR_EL1: onlyIfHighest(1),
  RMR_EL2: onlyIfHighest(2),
  RMR_EL3: onlyIfHighest(3),
  HCR_EL2: withAarch64Below(C.hcrRW),
  SCR_EL3: withAarch64Below(C.scrRW),
  // Not of the level that asks: a debugger asks as the highest one.
  CurrentEL: { read: (core, out) => low(out, core.state.el << 2) },
  DAIF: {
    read: (core, out) => low(out, core.state.daif),
    write: (core, _hi, lo) => {
      core.state.daif = lo;
      core.interruptsChanged();
    },
  },
  NZCV: {
    read: (core, out) => low(out, core.state.nzcv),
    write: (core, _hi, lo) => {
      core.state.nzcv = lo;
    },
  },
  SPSel: {
    read: (core, out) => low(out, core.state.spsel),
    write: (core, _hi, lo) => core.state.setLevel(core.state.el, lo & 1),
  },
  PAN: pstateBit(Pstate.PAN),
  UAO: pstateBit(Pstate.UAO),
  DIT: pstateBit(Pstate.DIT),
  SSBS: pstateBit(Pstate.SSBS),
  SP_EL0: stackPointer(0),
  SP_EL1: stackPointer(1),
  SP_EL2: stackPointer(2),
  ISR_EL1: { read: (core, out, el) => low(out, core.interrupts.isr(el)) },
  RNDR: {
    read: (_core, out) => low(out, 0),
    access: (core, out) => {
      out.hi = core.random.next();
      out.lo = core.random.next();
      core.state.nzcv = 0;
    },
  },
  DISR_EL1: {
    read: (core, out, el, index) => {
      if (el < 3 && core.levels.scr(C.EA)) low(out, 0);
      else stored(core, out, deferredAt(core, el, index));
    },
    write: (core, hi, lo, index) => {
      const { el } = core.state;
      if (el < 3 && core.levels.scr(C.EA)) return;
      core.storeMasked(deferredAt(core, el, index), hi, lo);
    },
  },
  PAR_EL1: {
    write: (core, hi, lo, index) => core.state.store(index, hi, lo),
  },
  CNTFRQ_EL0: plain,
  CNTPCT_EL0: { read: (core, out, el) => core.timers.count(out, el < 2 ? 'offset' : 'physical') },
  CNTVCT_EL0: { read: (core, out, el) => core.timers.count(out, offsetFree(core, el) ? 'physical' : 'virtual') },
  CNTVOFF_EL2: CNTV.cval,
  CNTKCTL_EL1: CNTP.cval,
  CNTHCTL_EL2: CNTP.cval,
  CNTP_TVAL_EL0: CNTP.tval,
  CNTP_CTL_EL0: CNTP.ctl,
  CNTP_CVAL_EL0: CNTP.cval,
  CNTV_TVAL_EL0: CNTV.tval,
  CNTV_CTL_EL0: CNTV.ctl,
  CNTV_CVAL_EL0: CNTV.cval,
  CNTHP_TVAL_EL2: CNTHP.tval,
  CNTHP_CTL_EL2: CNTHP.ctl,
  CNTHP_CVAL_EL2: CNTHP.cval,
  CNTHV_TVAL_EL2: CNTHV.tval,
  CNTHV_CTL_EL2: CNTHV.ctl,
  CNTHV_CVAL_EL2: CNTHV.cval,
  CNTPS_TVAL_EL1: CNTPS.tval,
  CNTPS_CTL_EL1: CNTPS.ctl,
  CNTPS_CVAL_EL1: CNTPS.cval,
  MDSCR_EL1: contextWrite,
  OSLAR_EL1: {
    read: (_core, out) => low(out, 0),
    write: (core, _hi, lo) => {
      core.state.store(OSLSR, 0, (core.state.lo(OSLSR) & ~2) | ((lo & 1) << 1));
      core.interruptsChanged();
    },
  },
  OSLSR_EL1: plain,
  DBGBVR_EL1: debugWrite,
  DBGBCR_EL1: debugWrite,
  DBGWVR_EL1: debugWrite,
  DBGWCR_EL1: debugWrite,
  DBGCLAIMSET_EL1: {
    read: (_core, out) => low(out, CLAIM_TAGS),
    write: (core, _hi, lo) => core.state.store(CLAIM, 0, core.state.lo(CLAIM) | (lo & CLAIM_TAGS)),
  },
  DBGCLAIMCLR_EL1: {
    write: (core, _hi, lo) => core.state.store(CLAIM, 0, core.state.lo(CLAIM) & ~(lo & CLAIM_TAGS)),
  },
  ...pmuBehaviours,
  ...controllerBehaviours,
  L2CTLR_EL1: {
    read: (core, out, _el, index) => {
      const cores = (core.facts.clusterCores - 1) & C.cores.mask;
      low(out, (core.state.lo(index) & ~(C.cores.mask << C.cores.shift)) | (cores << C.cores.shift));
    },
  },
};
