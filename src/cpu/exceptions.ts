/**
 * Exception entry and return: AArch64.TakeException and AArch64.ExceptionReturn. Everything else decides what to take and
 * where; here the state changes. There is no AArch32: a return to it is illegal.
 *
 * Routing (target level), syndromes and preferred return addresses are given by the caller; vectors, SPSR, ELR, ESR, FAR and
 * PSTATE follow from the table below and from nothing else.
 */
import { EC } from '../arch/syndromes/index';
import { control, controls, registerIndex } from './controls';
import type { Levels } from './levels';
import { type CpuEvents, type ExceptionEvent, ExceptionType } from './ports';
import { Pstate } from './pstate';
import { type SelfHostedDebug, Stepped } from './selfHostedDebug';
import type { CoreState } from './state';

/** Registers of an exception level, by level (entry 0 unused). */
const bank = (name: string): readonly number[] => [-1, ...[1, 2, 3].map((el) => registerIndex(`${name}_EL${el}`))];
const SPSR = bank('SPSR');
const ELR = bank('ELR');
const ESR = bank('ESR');
const FAR = bank('FAR');
const VBAR = bank('VBAR');

const C = controls({
  NS: 'SCR_EL3.NS',
  TBI0: 'TCR_EL1.TBI0',
  TBI1: 'TCR_EL1.TBI1',
  TBI2: 'TCR_EL2.TBI',
  TBI3: 'TCR_EL3.TBI',
  TBID0: 'TCR_EL1.TBID0',
  TBID1: 'TCR_EL1.TBID1',
  TBID2: 'TCR_EL2.TBID',
  TBID3: 'TCR_EL3.TBID',
  SPAN: 'SCTLR_EL1.SPAN',
});

/** SCTLR_ELx.DSSBS by level (entry 0 unused). */
const DSSBS = [C.SPAN, ...[1, 2, 3].map((el) => control(`SCTLR_EL${el}.DSSBS`))];

/** Offsets from VBAR_ELx: by where the exception comes from, and by its type. */
const FROM_SP0 = 0x000;
const FROM_SPX = 0x200;
const FROM_LOWER = 0x400;
const typeOffset = [0x000, 0x080, 0x100, 0x180] as const;

/** ESR_ELx.IL: a 32-bit instruction; also set for all classes without a length. */
const ESR_IL = 1 << 25;

export class Exceptions {
  private readonly event: { -readonly [K in keyof ExceptionEvent]: ExceptionEvent[K] };

  constructor(
    private readonly core: number,
    private readonly state: CoreState,
    private readonly levels: Levels,
    /** Bits of PSTATE that came with extensions and that this core has. */
    private readonly extensions: number,
    private readonly debug: SelfHostedDebug,
    private readonly events: CpuEvents,
  ) {
    this.event = {
      core,
      type: 0,
      fromEl: 0,
      toEl: 0,
      esr: 0,
      farHi: 0,
      farLo: 0,
      elrHi: 0,
      elrLo: 0,
      vectorHi: 0,
      vectorLo: 0,
      undefined: false,
    };
  }

  /** A synchronous exception: returns to (hi, lo). */
  sync(target: number, ec: number, iss: number, elrHi: number, elrLo: number): void {
    this.event.type = ExceptionType.Sync;
    this.event.esr = ((ec << 26) | ESR_IL | iss) >>> 0;
    this.event.undefined = ec === EC.UNKNOWN;
    this.enter(target, elrHi, elrLo);
  }

  /** A synchronous exception that reports an address in FAR_ELx. */
  syncAt(target: number, ec: number, iss: number, farHi: number, farLo: number): void {
    this.event.farHi = farHi;
    this.event.farLo = farLo;
    this.state.store(FAR[target], farHi, farLo);
    this.sync(target, ec, iss, this.state.pcHi, this.state.pcLo);
  }

  /** @param iss of an SError. */
  interrupt(target: number, type: ExceptionType, iss = 0): void {
    this.event.type = type;
    this.event.esr = type === ExceptionType.SError ? ((EC.SERROR << 26) | ESR_IL | iss) >>> 0 : 0;
    this.event.undefined = false;
    this.enter(target, this.state.pcHi, this.state.pcLo);
  }

  private enter(target: number, elrHi: number, elrLo: number): void {
    const { state, event } = this;
    const from = state.el;
    const base = target > from ? FROM_LOWER : state.spsel === 0 ? FROM_SP0 : FROM_SPX;
    const vectorLo = state.lo(VBAR[target]) + base + typeOffset[event.type];
    state.store(SPSR[target], 0, state.spsr());
    state.store(ELR[target], elrHi, elrLo);
    if (event.type === ExceptionType.Sync || event.type === ExceptionType.SError)
      state.store(ESR[target], 0, event.esr);
    state.daif = Pstate.DAIF;
    state.others = this.othersOnEntry(target);
    state.setLevel(target, 1);
    state.setPc(state.hi(VBAR[target]), vectorLo);
    state.setDouble('exceptions', state.getDouble('exceptions') + 1);
    state.set('stepped', Stepped.no);
    state.setLanded(0, 0, 0);
    event.fromEl = from;
    event.toEl = target;
    event.elrHi = elrHi;
    event.elrLo = elrLo;
    event.vectorHi = state.hi(VBAR[target]);
    event.vectorLo = vectorLo;
    this.events.exceptionTaken(event);
    event.farHi = 0;
    event.farLo = 0;
    if (from !== target) this.events.elChanged(this.core, from, target);
  }

  /**
   * PSTATE.{IL,SS,UAO,BTYPE} are clear after entry, DIT stays. Entry to EL1, or to a host at EL2, sets PAN where SCTLR_ELx.SPAN is
   * 0; SSBS is SCTLR_ELx.DSSBS.
   */
  private othersOnEntry(target: number): number {
    const { levels, state } = this;
    const spans = target === 1 || (target === 2 && levels.host());
    const setsPan = spans && !state.bitOf(target === 1 ? C.SPAN.word : C.SPAN.hostWord, C.SPAN.shift);
    const pan = setsPan ? Pstate.PAN : state.others & Pstate.PAN;
    const ssbs = state.bit(DSSBS[target]) ? Pstate.SSBS : 0;
    return (pan | ssbs | (state.others & Pstate.DIT)) & this.extensions;
  }

  /** ERET at the current level (EL1 or above) to (hi, lo). PC, PSTATE and SP change; false = the return was illegal, PSTATE.IL is set. */
  exceptionReturn(hi: number, lo: number): boolean {
    const { state } = this;
    const from = state.el;
    const spsr = state.lo(SPSR[from]);
    const legal = this.legalReturn(spsr, from);
    const step = this.debug.returnStep(spsr, legal);
    state.set('stepped', Stepped.no);
    state.others = (spsr & this.extensions) | step | (legal ? spsr & Pstate.IL : Pstate.IL);
    state.nzcv = spsr & (Pstate.N | Pstate.Z | Pstate.C | Pstate.V);
    state.daif = spsr;
    if (legal) state.setLevel((spsr >>> 2) & 3, spsr & 1);
    state.setPc(this.branchAddress(hi), lo);
    const to = state.el;
    if (to !== from) this.events.elChanged(this.core, from, to);
    return legal;
  }

  /** AArch64.IllegalExceptionReturn, the other way round. */
  private legalReturn(spsr: number, from: number): boolean {
    const target = (spsr >>> 2) & 3;
    if (spsr & (Pstate.nRW | 2)) return false;
    if (target === 0 && spsr & 1) return false;
    if (target > from || target > this.levels.highestEl) return false;
    if (target === 2 && this.levels.highestEl === 3 && !this.state.bit(C.NS)) return false;
    return !(target === 1 && this.levels.tge());
  }

  /** AArch64.BranchAddr: the upper word of an address without its tag. */
  branchAddress(hi: number): number {
    const { state, levels } = this;
    const { el } = state;
    const upper = (hi >>> 23) & 1;
    const twoRanges = el <= 1 || (el === 2 && levels.e2h());
    const tbi = twoRanges ? levels.own(upper ? C.TBI1 : C.TBI0) : state.bit(el === 2 ? C.TBI2 : C.TBI3);
    const tbid = twoRanges ? levels.own(upper ? C.TBID1 : C.TBID0) : state.bit(el === 2 ? C.TBID2 : C.TBID3);
    if (!tbi || tbid) return hi;
    return (twoRanges && upper ? hi | 0xff000000 : hi & 0x00ffffff) >>> 0;
  }
}
