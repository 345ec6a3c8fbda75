/**
 * Exceptions that instructions and accesses ask for, with their checks, routing, syndromes and return addresses:
 * AArch64.CallSupervisor, CallHypervisor, CallSecureMonitor, SoftwareBreakpoint, Abort, PCAlignmentFault, SPAlignmentFault,
 * and interrupts. Each result is a Leave.
 */

import { PauthFlag } from '../arch/pointerAuthentication';
import { EC } from '../arch/syndromes/index';
import type { AbortFault } from '../memory/types';
import { accessSyndrome } from './accessSyndrome';
import type { CoreParts } from './behaviours';
import { controls, registerIndex } from './controls';
import { virtualErrorIss } from './errors';
import type { Exceptions } from './exceptions';
import { FpTrap } from './fpAccess';
import { type CpuPorts, ExceptionType, type Leave } from './ports';
import { Pstate } from './pstate';
import {
  dataAbortIss,
  describesAccess,
  FP_ACCESS_ISS,
  instructionAbortIss,
  isExternal,
  softwareStepIss,
} from './syndromes';

const C = controls({
  HCE: 'SCR_EL3.HCE',
  SMD: 'SCR_EL3.SMD',
  EA: 'SCR_EL3.EA',
  HCD: 'HCR_EL2.HCD',
  TSC: 'HCR_EL2.TSC',
  SA0: 'SCTLR_EL1.SA0',
  SA1: 'SCTLR_EL1.SA',
  SA2: 'SCTLR_EL2.SA',
  SA3: 'SCTLR_EL3.SA',
});
const spChecks = [C.SA0, C.SA1, C.SA2, C.SA3] as const;
const ELR = [-1, ...[1, 2, 3].map((el) => registerIndex(`ELR_EL${el}`))];
const HPFAR = registerIndex('HPFAR_EL2');
const SEMIHOSTING_CALL = 0xf000;
/** IFSC and DFSC of debug exceptions; WnR; CM. */
const DEBUG_EVENT = 0x22;
const WRITE = 1 << 6;
const MAINTENANCE = 1 << 8;

export class ExceptionCalls {
  constructor(
    private readonly core: number,
    private readonly parts: CoreParts,
    private readonly exceptions: Exceptions,
    private readonly ports: CpuPorts,
    /** Levels, masks and contexts may have changed: brings everything derived up to date. */
    private readonly levelChanged: () => void,
  ) {}

  /** A synchronous exception that returns to the current instruction. */
  here(target: number, ec: number, iss: number): 1 {
    const { state } = this.parts;
    return this.at(target, ec, iss, state.pcHi, state.pcLo);
  }
  /** One that returns to the next instruction. */
  private after(target: number, ec: number, iss: number): 1 {
    // The instruction is done: software step has advanced.
    this.parts.state.others &= ~Pstate.SS;
    this.parts.state.advance();
    return this.here(target, ec, iss);
  }
  private at(target: number, ec: number, iss: number, hi: number, lo: number): 1 {
    this.parts.pmu.sync(1);
    this.exceptions.sync(target, ec, iss, hi, lo);
    return this.done();
  }
  /** An abort, with its fault address: the instruction is not executed, but the turn counts it. */
  private withAddress(target: number, ec: number, iss: number, hi: number, lo: number): 1 {
    const { state, pmu } = this.parts;
    state.setDouble('aborted', state.getDouble('aborted') + 1);
    pmu.sync(1);
    this.exceptions.syncAt(target, ec, iss, hi, lo);
    return this.done();
  }
  private done(): 1 {
    const { state, facts } = this.parts;
    state.setDouble('penalty', state.getDouble('penalty') + facts.cost.exception);
    this.levelChanged();
    this.ports.memory.isb(this.core);
    return 1;
  }

  undefined(): Leave {
    return this.here(this.parts.levels.defaultTarget(), EC.UNKNOWN, 0);
  }

  /** A floating-point or SIMD instruction while the block's fpTrap is not 0. */
  fpAccess(): Leave {
    const { state, facts } = this.parts;
    const to = state.get('fpTrap');
    state.setDouble('penalty', state.getDouble('penalty') + facts.cost.trap);
    if (to === FpTrap.unknownEl2) return this.here(2, EC.UNKNOWN, 0);
    return this.here(to, EC.FP_ACCESS, FP_ACCESS_ISS);
  }

  svc(imm: number): Leave {
    return this.after(this.parts.levels.defaultTarget(), EC.SVC, imm);
  }

  hvc(imm: number): Leave {
    const { state, levels } = this.parts;
    const { el } = state;
    if (el > 0 && this.ports.firmware?.conduit === 'hvc') return this.firmware();
    if (levels.highestEl < 2 || el === 0 || (el === 1 && levels.lowerSecure())) return this.undefined();
    const enabled = levels.highestEl === 3 ? state.bit(C.HCE) : !state.bit(C.HCD);
    if (!enabled) return this.undefined();
    return this.after(el === 3 ? 3 : 2, EC.HVC, imm);
  }

  smc(imm: number): Leave {
    const { state, levels } = this.parts;
    const { el } = state;
    if (el === 0) return this.undefined();
    const firmware = this.ports.firmware?.conduit === 'smc';
    // A machine whose firmware answers SMC behaves as one with EL3.
    const monitor = levels.highestEl === 3 || firmware;
    if (monitor && el === 1 && levels.hcr(C.TSC)) return this.here(2, EC.SMC, imm);
    if (firmware) return this.firmware();
    if (levels.highestEl !== 3 || state.bit(C.SMD)) return this.undefined();
    return this.after(3, EC.SMC, imm);
  }

  private firmware(): Leave {
    const { state } = this.parts;
    const { pcHi, pcLo } = state;
    const leave = this.ports.firmware!.call(this.core);
    // A call that restarts or resets this core has given it a PC of its own.
    if (leave === 1 && state.pcLo === pcLo && state.pcHi === pcHi) state.advance();
    return leave;
  }

  /** Target of debug exceptions: never below the level that they come from. */
  private debugTarget(): number {
    return Math.max(this.parts.state.el, this.parts.debug.target());
  }

  /** A Breakpoint exception at the current instruction. */
  breakpoint(): 1 {
    const target = this.debugTarget();
    const ec = target > this.parts.state.el ? EC.BREAKPOINT_LOWER : EC.BREAKPOINT_SAME;
    return this.here(target, ec, DEBUG_EVENT);
  }

  /** What comes before the next instruction while the core goes on one at a time: a Software Step or Breakpoint exception. */
  debugException(): Leave {
    const { state, debug } = this.parts;
    if (debug.stepState() !== 'pending') return debug.breaksByContext(state.pcHi, state.pcLo) ? this.breakpoint() : 0;
    const target = this.debugTarget();
    const ec = target > state.el ? EC.STEP_LOWER : EC.STEP_SAME;
    return this.here(target, ec, softwareStepIss(state.get('stepped')) | DEBUG_EVENT);
  }

  private watchpoint(fault: AbortFault): Leave {
    const { hitHi, hitLo } = this.parts.debug;
    const target = this.debugTarget();
    const ec = target > this.parts.state.el ? EC.WATCHPOINT_LOWER : EC.WATCHPOINT_SAME;
    const iss = DEBUG_EVENT | (fault.write ? WRITE : 0) | (fault.cacheMaintenance ? MAINTENANCE : 0);
    return this.withAddress(target, ec, iss, hitHi, hitLo);
  }

  /** SPSR_ELx.BTYPE is that of the branch that came here (manual: AArch64.TakeException). */
  brk(imm: number): Leave {
    const { state } = this.parts;
    state.others |= state.landedType() << 10;
    return this.here(this.debugTarget(), EC.BRK, imm);
  }

  /** Halting debug is not there: UNDEFINED, unless it is a semihosting call. */
  hlt(imm: number): Leave {
    const { state } = this.parts;
    if (imm !== SEMIHOSTING_CALL || state.el === 0) return this.undefined();
    const result = this.ports.semihosting?.(this.core) ?? -1;
    if (result === -1) return this.undefined();
    if (result === 1) state.advance();
    return result;
  }

  /** ERET: the exclusive monitor is cleared and an event is sent to this core itself. */
  eret(): Leave {
    const { state } = this.parts;
    if (state.el === 0) return this.undefined();
    const link = ELR[state.el];
    return this.returnTo(state.hi(link), state.lo(link));
  }
  /** ELR of the current level as the value: what ERETAA and ERETAB authenticate. */
  exceptionLink(): Leave {
    const { state } = this.parts;
    if (state.el === 0) return this.undefined();
    state.setValue(state.hi(ELR[state.el]), state.lo(ELR[state.el]));
    return 0;
  }
  /** ERET to the value. */
  eretTo(): Leave {
    const { state } = this.parts;
    return this.returnTo(state.valueHi, state.valueLo);
  }
  private returnTo(hi: number, lo: number): Leave {
    const { state, pmu } = this.parts;
    state.setDouble('returns', state.getDouble('returns') + 1);
    pmu.sync(1);
    this.exceptions.exceptionReturn(hi, lo);
    this.ports.memory.clearExclusive(this.core);
    state.set('eventRegister', 1);
    this.levelChanged();
    this.ports.memory.isb(this.core);
    return 1;
  }

  /** The instruction is no landing pad of the branch that came to it. */
  branchTarget(type: number): Leave {
    return this.here(this.parts.levels.defaultTarget(), EC.BRANCH_TARGET, type);
  }
  /** TrapPACUse(): the level is in the flags. */
  pauthTrap(): Leave {
    const { state, facts } = this.parts;
    state.setDouble('penalty', state.getDouble('penalty') + facts.cost.trap);
    return this.here((state.get('pauthFlags') & PauthFlag.trap) >> PauthFlag.trapShift, EC.PAUTH, 0);
  }
  /** AArch64.PACFailException(): `key` is D:B. */
  pauthFail(key: number): Leave {
    return this.here(this.parts.levels.defaultTarget(), EC.PAUTH_FAILURE, key);
  }

  /** Level that takes an abort. */
  private abortTarget(fault: AbortFault): number {
    const { state, levels } = this.parts;
    if (isExternal(fault) && levels.scr(C.EA)) return 3;
    if (state.el <= 1 && fault.stage2) return 2;
    return levels.defaultTarget();
  }

  private reportIpa(target: number, fault: AbortFault): void {
    if (!fault.stage2 || target !== 2) return;
    const page = Math.floor(fault.ipa / 4096);
    this.parts.state.store(HPFAR, Math.floor(page / 2 ** 28), (page * 16) >>> 0);
  }

  dataAbort(fault: AbortFault, hi: number, lo: number): Leave {
    if (fault.kind === 'watchpoint') return this.watchpoint(fault);
    const target = this.abortTarget(fault);
    this.reportIpa(target, fault);
    const ec = target > this.parts.state.el ? EC.DATA_ABORT_LOWER : EC.DATA_ABORT_SAME;
    const access = target === 2 && describesAccess(fault) ? accessSyndrome(this.ports.instructionWord(this.core)) : 0;
    return this.withAddress(target, ec, dataAbortIss(fault) | access, hi, lo);
  }

  instructionAbort(fault: AbortFault, hi: number, lo: number): Leave {
    if (fault.kind === 'pcAlignment') return this.pcAlignment();
    const target = this.abortTarget(fault);
    this.reportIpa(target, fault);
    const ec = target > this.parts.state.el ? EC.INSTRUCTION_ABORT_LOWER : EC.INSTRUCTION_ABORT_SAME;
    return this.withAddress(target, ec, instructionAbortIss(fault), hi, lo);
  }

  /** The PC is not a multiple of four; it is both return address and fault address. */
  pcAlignment(): Leave {
    const { state, levels } = this.parts;
    return this.withAddress(levels.defaultTarget(), EC.PC_ALIGNMENT, 0, state.pcHi, state.pcLo);
  }

  /** SP is not a multiple of 16 at an access that uses it: an exception only where SCTLR_ELx.SA or SA0 asks for it. */
  spAlignment(): Leave {
    const { state, levels } = this.parts;
    const check = spChecks[state.el];
    if (state.el === 0 ? !levels.user(check) : !state.bit(check)) return 0;
    return this.here(levels.defaultTarget(), EC.SP_ALIGNMENT, 0);
  }

  /** An instruction is about to run with PSTATE.IL set. */
  illegalState(): Leave {
    return this.here(this.parts.levels.defaultTarget(), EC.ILLEGAL_STATE, 0);
  }

  /** Takes the interrupt that can be taken, if any. */
  /** An IRQ that has no input: level `target` takes it. */
  interruptTo(target: number): 1 {
    this.parts.pmu.sync();
    this.exceptions.interrupt(target, ExceptionType.Irq);
    return this.done();
  }

  takeInterrupt(): Leave {
    const { interrupts, pmu } = this.parts;
    if (!interrupts.find()) return 0;
    const { type, target, virtual } = interrupts;
    const iss = virtual && type === ExceptionType.SError ? virtualErrorIss(this.parts) : 0;
    if (virtual && type === ExceptionType.SError) interrupts.virtualErrorTaken();
    // The SError input is an event, not a level.
    if (!virtual && type === ExceptionType.SError) interrupts.setLine(Pstate.A, false);
    pmu.sync();
    this.exceptions.interrupt(target, type, iss);
    return this.done();
  }
}
