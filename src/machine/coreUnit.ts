/**
 * One core of the machine: runs it for the scheduler and shows its registers. Instructions and cycles are counted here; inside
 * a run the engine knows how far it is.
 */
import type { Cpu } from '../cpu/cpu';
import { coreLayout, SP_SLOT, vectorOffset } from '../cpu/layout';
import { WaitState, waitNames } from '../cpu/state';
import type { Engine } from '../engine/engine';
import { findRow } from '../isa';
import type { CoreView } from './api';
import type { ScheduledCore } from './scheduler';
import type { Stops } from './stops';

const INSTRUCTIONS = coreLayout.instructions[0];
const PENALTY = coreLayout.penalty[0];
const PC = coreLayout.pc[0];
const EL = coreLayout.el[0];
const WAIT_STATE = coreLayout.waitState[0];

const loadExclusives: ReadonlySet<string | undefined> = new Set(['LDXR', 'LDAXR', 'LDXP', 'LDAXP']);

/** What runs at EL2 in place of instructions: one step of the core, which is at EL2. */
export interface El2Model {
  step(core: number): void;
}

export class CoreUnit implements ScheduledCore, CoreView {
  /** The hypervisor model, where there is one. */
  model: El2Model | undefined;
  /** The hypervisor wants the guest to be left. */
  kicked = false;
  /** The next run does not stop at a breakpoint on its first instruction: it was reported already. */
  skipBreakpoint = false;
  /** Data accesses on fast paths, in all. */
  accesses = 0;
  private running = false;
  private readonly view: DataView;
  private readonly f64: Float64Array;
  private readonly instructionsAt: number;
  private readonly penaltyAt: number;
  private readonly taken = { loads: 0, stores: 0 };

  constructor(
    readonly index: number,
    buffer: ArrayBuffer,
    readonly block: number,
    readonly cpu: Cpu,
    private readonly engine: () => Engine,
    private readonly stops: Stops,
    /** The instruction that the core is about to execute. */
    private readonly nextWord: () => number,
    /** The debugger's breakpoints at the PC; a hit is a pending stop. */
    private readonly breaksHere: (core: number) => boolean = () => false,
  ) {
    this.view = new DataView(buffer);
    this.f64 = new Float64Array(buffer);
    this.instructionsAt = (block + INSTRUCTIONS) >> 3;
    this.penaltyAt = (block + PENALTY) >> 3;
  }

  /** Power-on of the core. */
  reset(el: 1 | 2 | 3, pc: bigint, x0: bigint): void {
    this.cpu.reset(el, pc, x0);
  }

  // ---- running ----

  ready(): boolean {
    return this.cpu.ready;
  }

  run(most: number, horizon?: (executed: number) => number, allowance = 0): number {
    const { cpu, stops, block } = this;
    const engine = this.engine();
    let limit = most;
    let done = 0;
    engine.penaltyLimit = this.f64[this.penaltyAt] + allowance;
    engine.horizon = horizon && ((executed) => horizon(done + executed) - done);
    while (done < limit && stops.pending === undefined && cpu.ready) {
      const turn = this.model === undefined ? 'guest' : this.hypervisorRuns(this.model);
      if (turn === 'breakpoint') break;
      if (turn === 'left') continue;
      if (turn === 'step') {
        done++;
        this.addInstructions(1);
        if (horizon) limit = Math.min(limit, horizon(done));
        continue;
      }
      const single = cpu.debug.single;
      if ((single && cpu.debugException() === 1) || this.illegal()) {
        done++;
        this.addInstructions(1);
        if (horizon) limit = Math.min(limit, horizon(done));
        continue;
      }
      if (cpu.interruptPending()) {
        cpu.takeInterrupt();
        continue;
      }
      this.running = true;
      const executed = single ? this.runOne() : engine.run(this.index, block, limit - done, this.skipBreakpoint);
      this.running = false;
      this.skipBreakpoint = false;
      if (!single) limit = done + engine.limit;
      done += executed;
      this.addInstructions(executed);
      if (single && horizon) limit = Math.min(limit, horizon(done));
      if (engine.endedByStop) break;
    }
    engine.takeAccesses(block, this.taken);
    this.accesses += this.taken.loads + this.taken.stores;
    return done;
  }

  /** At EL2, which is the model's, a step of it is made, unless there is a breakpoint before it. */
  private hypervisorRuns(model: El2Model): 'guest' | 'left' | 'breakpoint' | 'step' {
    const { cpu, skipBreakpoint } = this;
    if (this.el < 2) {
      if (!this.kicked) return 'guest';
      this.kicked = false;
      cpu.interruptToHypervisor();
      return 'left'; // somebody may have waited for that
    }
    this.skipBreakpoint = false;
    if (!skipBreakpoint && this.breaksHere(this.index)) return 'breakpoint';
    model.step(this.index);
    return 'step';
  }

  /** PSTATE.IL is set: the exception is taken instead of the next instruction. */
  private illegal(): boolean {
    if (!this.cpu.illegalPending) return false;
    this.cpu.illegalState();
    return true;
  }

  /** One instruction while the guest steps, or breaks by its context: what it did to the step is noted. */
  private runOne(): number {
    const { cpu } = this;
    const stepping = cpu.debug.stepState() === 'notPending';
    const word = stepping ? this.nextWord() : 0;
    const exceptions = cpu.exceptionsTaken;
    const executed = this.engine().run(this.index, this.block, 1, this.skipBreakpoint);
    if (stepping && executed > 0 && cpu.exceptionsTaken === exceptions)
      cpu.stepped(loadExclusives.has(findRow(word)?.row.id));
    return executed;
  }

  private addInstructions(n: number): void {
    this.f64[this.instructionsAt] += n;
  }

  /** Instructions executed, the run that is going on included. */
  instructions(): number {
    const before = this.f64[this.instructionsAt];
    return this.running ? before + this.engine().executedNow() : before;
  }

  /** Data accesses executed on fast paths, the run that is going on included. */
  accessesNow(): number {
    return this.accesses + this.engine().accessesNow(this.block, this.running);
  }

  cycles(): number {
    return this.instructions() + this.f64[this.penaltyAt];
  }

  /** What is not in the core's block. */
  save(): { accesses: number; kicked: boolean } {
    return { accesses: this.accesses, kicked: this.kicked };
  }
  load(state: unknown): void {
    const { accesses, kicked } = state as ReturnType<CoreUnit['save']>;
    this.accesses = accesses;
    this.kicked = kicked;
    this.skipBreakpoint = false;
  }

  // ---- registers ----

  get state(): string {
    return waitNames[this.view.getUint32(this.block + WAIT_STATE, true)];
  }
  get isOff(): boolean {
    return this.view.getUint32(this.block + WAIT_STATE, true) === WaitState.off;
  }
  get el(): number {
    return this.view.getUint32(this.block + EL, true);
  }
  pc(): bigint {
    return this.view.getBigUint64(this.block + PC, true);
  }
  setPc(value: bigint): void {
    this.view.setBigUint64(this.block + PC, BigInt.asUintN(64, value), true);
  }
  x(n: number): bigint {
    return this.view.getBigUint64(this.block + (n === 31 ? SP_SLOT : n) * 8, true);
  }
  setX(n: number, value: bigint): void {
    this.view.setBigUint64(this.block + (n === 31 ? SP_SLOT : n) * 8, BigInt.asUintN(64, value), true);
  }
  v(n: number): bigint {
    const at = this.block + vectorOffset(n);
    return (this.view.getBigUint64(at + 8, true) << 64n) | this.view.getBigUint64(at, true);
  }
  setV(n: number, value: bigint): void {
    const at = this.block + vectorOffset(n);
    this.view.setBigUint64(at, BigInt.asUintN(64, value), true);
    this.view.setBigUint64(at + 8, BigInt.asUintN(64, value >> 64n), true);
  }
  pstate(): bigint {
    return this.cpu.pstate();
  }
  setPstate(value: bigint): void {
    this.cpu.setPstate(value);
  }
  peekSystem(name: string): bigint | undefined {
    return this.cpu.peekSystem(name);
  }
  pokeSystem(name: string, value: bigint): boolean {
    return this.cpu.pokeSystem(name, value);
  }
  peekCacheSize(selector: number): bigint | undefined {
    return this.cpu.identity.ccsidr[selector & 15];
  }
}
