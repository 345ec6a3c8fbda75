/**
 * One core's processing element, without its instructions: what generated code calls for everything that is not arithmetic,
 * branches or a plain memory access. The engine has written the PC (address of the current instruction) before any call.
 *
 * Every entry returns 0 = go on with the next instruction or 1 = leave generated code; then the PC in the block is where to go
 * on. Before it runs a core, the machine looks at `ready`, `interruptPending` and `illegalPending`.
 */
import { byName } from '../arch/sysregs/index';
import { joinBig } from '../base/bits';
import { bug } from '../base/errors';
import { SeededRandom } from '../base/random';
import type { TranslationContext } from '../memory/types';
import type { CoreParts } from './behaviours';
import { controls } from './controls';
import { synchronizeErrors } from './errors';
import { ExceptionCalls } from './exceptionCalls';
import { Exceptions } from './exceptions';
import { fpTrapOf } from './fpAccess';
import { type Identity, identityOf } from './identity';
import { InterruptControllerRegisters } from './interruptController';
import { Interrupts } from './interrupts';
import { isLandingPad } from './landing';
import { coreLayout } from './layout';
import { Levels } from './levels';
import { Operations, Outcome } from './operations';
import { PointerAuthentication } from './pauth';
import { Pmu } from './pmu';
import type { CpuFacts, CpuPeer, CpuPorts, Leave } from './ports';
import { extensionBits, Pstate } from './pstate';
import { SelfHostedDebug } from './selfHostedDebug';
import { CoreState, WaitState, waitNames } from './state';
import { SystemAccess } from './systemAccess';
import { SystemRegisters } from './systemRegisters';
import { Timers } from './timers';
import { TranslationContexts } from './translationContext';
import { Waiting } from './waiting';

const BT = { BT0: 'SCTLR_EL1.BT0', BT1: 'SCTLR_EL1.BT1', BT2: 'SCTLR_EL2.BT', BT3: 'SCTLR_EL3.BT' } as const;
const C = controls({ NS: 'SCR_EL3.NS', HCE: 'SCR_EL3.HCE', APK: 'SCR_EL3.APK', API: 'SCR_EL3.API', ...BT });
const low = (value: bigint): number => Number(BigInt.asUintN(32, value));
const high = (value: bigint): number => Number(BigInt.asUintN(32, value >> 32n));

export class Cpu implements CpuPeer, CoreParts {
  readonly state: CoreState;
  readonly levels: Levels;
  readonly identity: Identity;
  readonly interrupts: Interrupts;
  readonly timers: Timers;
  readonly random: SeededRandom;
  readonly controller: InterruptControllerRegisters;
  readonly pmu: Pmu;
  readonly debug: SelfHostedDebug;
  readonly contexts: TranslationContexts;
  /** The context of the current level, always up to date. */
  context: TranslationContext;
  /** Bits of PSTATE that came with extensions and that this core has. */
  private readonly extensions: number;
  private readonly pointers: PointerAuthentication;
  private readonly registers: SystemRegisters;
  private readonly exceptions: Exceptions;
  private readonly calls: ExceptionCalls;
  private readonly access: SystemAccess;
  private readonly operations: Operations;
  private readonly waiting: Waiting;
  private readonly out = { hi: 0, lo: 0 };

  constructor(
    readonly index: number,
    buffer: ArrayBuffer,
    blockBase: number,
    readonly facts: CpuFacts,
    private readonly ports: CpuPorts,
  ) {
    const { highestEl } = facts;
    const state = (this.state = new CoreState(buffer, blockBase));
    this.identity = identityOf(facts);
    const { has } = this.identity;
    this.extensions = extensionBits(has);
    this.levels = new Levels(state, highestEl);
    this.random = new SeededRandom(state.u32, (blockBase + coreLayout.random[0]) >> 2);
    this.pointers = new PointerAuthentication(blockBase, state, this.levels, has);
    this.interrupts = new Interrupts(state, this.levels);
    this.controller = new InterruptControllerRegisters(index, ports.interruptController);
    this.timers = new Timers(index, state, this.levels, ports.counter, ports.timers);
    this.pmu = new Pmu(index, state, this.levels, ports);
    this.contexts = new TranslationContexts(state, this.levels, this.identity);
    this.context = this.contexts.byRegime[0];
    this.registers = new SystemRegisters(state, this.identity, highestEl);
    this.debug = new SelfHostedDebug(state, this.levels, has('FEAT_VHE'), has('FEAT_VMID16'));
    const exceptions = (this.exceptions = new Exceptions(
      index,
      state,
      this.levels,
      this.extensions,
      this.debug,
      ports.events,
    ));
    this.calls = new ExceptionCalls(index, this, exceptions, ports, () => this.levelChanged());
    this.operations = new Operations(index, this, ports, this.contexts);
    this.access = new SystemAccess(index, this, this.registers, this.operations, this.calls, ports, this.extensions);
    this.waiting = new Waiting(this, this.calls, ports);
  }

  // ---- reset and power ----

  /**
   * Resets the core to ELx with the stack pointer of that level, everything masked, MMU off, at `pc` with `x0`. Below the
   * highest level it starts as firmware would leave it: Non-secure, HVC enabled.
   */
  reset(el: 1 | 2 | 3, pc: bigint, x0: bigint): void {
    const { state, facts } = this;
    if (!this.ready) this.ports.waking?.();
    state.clear();
    state.set('coreIndex', this.index);
    this.random.seed((facts.seed ?? 1) + this.index);
    this.registers.reset();
    if (facts.highestEl === 3 && el < 3) {
      const at = state.system + C.NS.word;
      state.u32[at] |= (1 << C.NS.shift) | (1 << C.HCE.shift);
      if (this.identity.has('FEAT_PAuth')) state.u32[at] |= (1 << C.APK.shift) | (1 << C.API.shift);
    }
    state.setLevel(el, 1);
    state.setPc(high(pc), low(pc));
    state.setX(0, high(x0), low(x0));
    this.contexts.invalidate();
    this.ports.memory.clearExclusive(this.index);
    this.refresh();
    this.timers.update();
    this.comparatorsChanged();
    this.pmu.reset();
    this.ports.interruptController?.resetCore(this.index);
  }

  /** PSCI CPU_OFF, or a core that was not turned on yet. */
  powerOff(): void {
    this.state.set('waitState', WaitState.off);
  }

  /** Recomputes what is derived from linear memory, after a snapshot was loaded. */
  restored(): void {
    this.contexts.invalidate();
    this.refresh();
    this.timers.update();
    this.pmu.restored();
    this.tellComparators(true);
  }

  get waitState(): (typeof waitNames)[number] {
    return waitNames[this.state.waiting];
  }
  /** Neither waiting nor off. */
  get ready(): boolean {
    return this.state.waiting === WaitState.running;
  }

  // ---- system registers and operations ----

  systemRead(key: number): Leave {
    return this.access.read(key);
  }
  systemWrite(key: number): Leave {
    return this.access.write(key);
  }
  systemOperation(key: number): Leave {
    return this.access.operation(key);
  }
  msrImmediate(op1: number, op2: number, CRm: number): Leave {
    return this.access.immediate(op1, op2, CRm);
  }

  /** An IC, DC, TLBI or AT operation by its name, as the current level executes it, without traps. False: it faulted. */
  operate(name: string, hi: number, lo: number): boolean {
    const index = this.operations.named(name);
    if (index < 0) bug(`operation ${name}`);
    return this.operations.execute(index, hi, lo) === Outcome.done;
  }

  // ---- exceptions ----

  svc(imm: number): Leave {
    return this.calls.svc(imm);
  }
  hvc(imm: number): Leave {
    return this.calls.hvc(imm);
  }
  smc(imm: number): Leave {
    return this.calls.smc(imm);
  }
  brk(imm: number): Leave {
    return this.calls.brk(imm);
  }
  hlt(imm: number): Leave {
    return this.calls.hlt(imm);
  }
  undefined(_word: number): Leave {
    return this.calls.undefined();
  }
  fpAccess(): Leave {
    return this.calls.fpAccess();
  }
  /**
   * The instruction `word` is to run with PSTATE.BTYPE set. In a guarded page it must be one that such a branch may come to, else a
   * Branch Target exception is taken and the result is false; else BTYPE is clear.
   */
  land(guarded: boolean, word: number): boolean {
    const { state } = this;
    const type = (state.others & Pstate.BTYPE) >>> 10;
    if (guarded && !isLandingPad(word, type, () => this.stopsAtPac())) {
      this.calls.branchTarget(type);
      return false;
    }
    state.others &= ~Pstate.BTYPE;
    state.setLanded(state.pcHi, state.pcLo, type);
    return true;
  }
  /** SCTLR_ELx.BT, BT0 or BT1: PACIASP and PACIBSP are no landing pads of BR. */
  private stopsAtPac(): boolean {
    const { state, levels } = this;
    const { el } = state;
    if (el === 0) return levels.user(C.BT0);
    return state.bit(el === 1 ? C.BT1 : el === 2 ? C.BT2 : C.BT3);
  }
  esb(): Leave {
    return synchronizeErrors(this);
  }
  pauthTrap(): Leave {
    return this.calls.pauthTrap();
  }
  pauthFail(key: number): Leave {
    return this.calls.pauthFail(key);
  }
  exceptionLink(): Leave {
    return this.calls.exceptionLink();
  }
  eretTo(): Leave {
    return this.calls.eretTo();
  }
  eret(): Leave {
    return this.calls.eret();
  }
  /** A load, store or DC ZVA failed: memory.fault says how. */
  abort(): Leave {
    const { memory } = this.ports;
    return this.calls.dataAbort(memory.fault, memory.faultHi, memory.faultLo);
  }
  /** A fetch at the PC in the block failed. */
  fetchAbort(): Leave {
    const { memory } = this.ports;
    return this.calls.instructionAbort(memory.fault, memory.faultHi, memory.faultLo);
  }
  /** Upper word of the address that a branch to (hi, …) goes to. */
  branchAddress(hi: number): number {
    return this.exceptions.branchAddress(hi);
  }
  pcAlignment(): Leave {
    return this.calls.pcAlignment();
  }
  /** SP is misaligned at an access: 0 where SCTLR_ELx.SA lets it pass. */
  spAlignment(): Leave {
    return this.calls.spAlignment();
  }
  /** PSTATE.IL is set: the next instruction, whatever it is, is an Illegal Execution state exception. */
  /** A debug exception that comes before the next instruction is taken: 1. */
  debugException(): Leave {
    return this.calls.debugException();
  }
  /** The guest breaks at the instruction that is about to run: the exception was taken. */
  guestBreakpoint(hi: number, lo: number): boolean {
    if (!this.debug.breaks(hi, lo)) return false;
    this.calls.breakpoint();
    return true;
  }
  /** An instruction was run while software step was active: `exclusive` for a Load-Exclusive. */
  stepped(exclusive: boolean): void {
    this.debug.advance(exclusive);
  }
  get illegalPending(): boolean {
    return (this.state.others & Pstate.IL) !== 0;
  }
  illegalState(): Leave {
    return this.calls.illegalState();
  }

  // ---- interrupts, waiting, time ----

  /** An interrupt can be taken before the next instruction. */
  interruptPending(): boolean {
    return this.interrupts.find();
  }
  /** An interrupt of the hypervisor's own, taken to EL2. */
  interruptToHypervisor(): Leave {
    return this.calls.interruptTo(2);
  }
  /** Waiting for an interrupt, or no longer. */
  setWaiting(waiting: boolean): void {
    if (!waiting && !this.ready) this.ports.waking?.();
    this.state.set('waitState', waiting ? WaitState.wfi : WaitState.running);
  }
  /** Takes it; 0 when there is none. */
  takeInterrupt(): Leave {
    return this.calls.takeInterrupt();
  }
  setIrq(level: boolean): void {
    this.setLine(Pstate.I, level);
  }
  setFiq(level: boolean): void {
    this.setLine(Pstate.F, level);
  }
  /** Pends an SError; taking it clears the input. */
  setSError(level: boolean): void {
    this.setLine(Pstate.A, level);
  }
  private setLine(bit: number, level: boolean): void {
    this.interrupts.setLine(bit, level);
    this.waiting.lineChanged();
  }
  /** The virtual interrupts that the interrupt controller signals. */
  setVirtual(irq: boolean, fiq: boolean): void {
    this.interrupts.setVirtual((irq ? Pstate.I : 0) | (fiq ? Pstate.F : 0));
    this.waiting.lineChanged();
  }
  wfi(): Leave {
    return this.waiting.wfi();
  }
  wfe(): Leave {
    return this.waiting.wfe();
  }
  sev(): Leave {
    return this.waiting.sev();
  }
  sevl(): Leave {
    return this.waiting.sevl();
  }
  /** An event for WFE: SEV of any core, or the exclusive monitor was cleared by another agent. */
  signalEvent(): void {
    this.waiting.signalEvent();
  }
  /** Guest time reached the deadline given to ports.timers: levels and events are recomputed. */
  timersDue(): void {
    this.waiting.due();
  }

  // ---- what changes of state bring about (CoreParts) ----

  contextChanged(): void {
    this.contexts.invalidate();
    this.refresh();
    if (this.facts.highestEl === 3) this.ports.interruptController?.levelChanged(this.index);
  }
  interruptsChanged(): void {
    if (this.interrupts.find() || this.debug.single) this.state.set('pendingExit', 1);
  }
  comparatorsChanged(): void {
    this.tellComparators(false);
  }
  private tellComparators(restored: boolean): void {
    this.ports.comparators(this.index, this.debug.armedAddresses(), this.debug.watching(), restored);
  }
  timersChanged(): void {
    this.timers.update();
  }
  storeMasked(index: number, hi: number, lo: number): void {
    this.registers.storeMasked(index, hi, lo);
  }
  private levelChanged(): void {
    this.refresh();
    if (this.facts.highestEl === 3) this.ports.interruptController?.levelChanged(this.index);
    this.pmu.levelChanged();
    if (this.interrupts.find()) this.state.set('pendingExit', 1);
  }
  private refresh(): void {
    this.context = this.contexts.current();
    this.ports.memory.selectContext(this.index, this.contexts.currentKey());
    this.state.set('alignMask', this.context.alignmentCheck ? 0xffffffff : 0);
    this.state.set('fpTrap', fpTrapOf(this.state, this.levels));
    this.pointers.refresh(this.context);
  }

  // ---- the debugger's door ----

  /** A register's value as the highest level reads it; undefined if this core does not have it. No effects. */
  peekSystem(name: string): bigint | undefined {
    const index = byName(name);
    if (index < 0 || !this.registers.present(index, this)) return undefined;
    this.registers.read(this, index, this.facts.highestEl, this.out);
    return joinBig(this.out.hi, this.out.lo);
  }
  /** MRS at the current level, without traps but with its effects; undefined if this core does not have the register. */
  accessSystem(name: string): bigint | undefined {
    const index = byName(name);
    if (index < 0 || !this.registers.present(index, this)) return undefined;
    this.registers.access(this, index, this.out);
    return joinBig(this.out.hi, this.out.lo);
  }
  /** A write without traps. False for a register that this core does not have or that cannot change. */
  pokeSystem(name: string, value: bigint): boolean {
    const index = byName(name);
    if (index < 0 || !this.registers.present(index, this, 'write') || !this.registers.writable(index)) return false;
    this.registers.write(this, index, high(value), low(value));
    return true;
  }
  /** PSTATE in SPSR_ELx form. */
  pstate(): bigint {
    return BigInt(this.state.spsr());
  }
  /** A debugger write of PSTATE; a mode that this core does not have is left out. */
  setPstate(value: bigint): void {
    const { state } = this;
    this.pmu.sync();
    const spsr = low(value);
    const el = (spsr >>> 2) & 3;
    state.nzcv = spsr;
    state.daif = spsr;
    state.others = spsr & (Pstate.IL | Pstate.SS | this.extensions);
    if (el <= this.facts.highestEl && (spsr & (Pstate.nRW | 2)) === 0) state.setLevel(el, spsr & 1);
    this.levelChanged();
  }
  /** A copy of the translation context of accesses at ELx; `stage2`: as a guest's, also while HCR_EL2 has stage 2 off. */
  contextOf(el: 0 | 1 | 2 | 3, stage2 = false): TranslationContext {
    return this.contexts.copyFor(el, stage2);
  }
  /** SP_ELx, current or banked. */
  peekSp(el: 0 | 1 | 2 | 3): bigint {
    return joinBig(this.state.bankedSpHi(el), this.state.bankedSpLo(el));
  }
  /** The machine's clock reached the point at which the performance monitors wanted to be looked at. */
  monitorsDue(): void {
    this.pmu.due();
  }
  /** Exception returns since reset. */
  get exceptionReturns(): number {
    return this.state.getDouble('returns');
  }
  /** Instructions since reset that had begun and were not executed: an abort came instead. Time has passed for them. */
  get abortedInstructions(): number {
    return this.state.getDouble('aborted');
  }
  /** Exceptions taken since reset. */
  get exceptionsTaken(): number {
    return this.state.getDouble('exceptions');
  }
}
