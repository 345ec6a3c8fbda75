/**
 * Whose turn it is. Cores take turns of `quantum` instructions in order; WFI, WFE and power-off end a turn. Where turns end
 * depends on instruction counts only, so running in slices of any size, or stepping, leaves no trace. A core that is alone runs
 * many turns in one go, up to the boundary at which an event comes due or another core wakes: the same as one by one.
 */
import { SeededRandom } from '../base/random';
import type { GuestTime } from './time';

export interface ScheduledCore {
  /** Neither off nor waiting for something that has not come. */
  ready(): boolean;
  /**
   * Executes at most `limit` instructions; returns how many. Fewer: it waits, or a stop is pending. `horizon` is asked on slow
   * paths, with the instructions of this call including the current one, for a new limit: it can only come nearer. It need not
   * be asked while fewer than `allowance` penalty cycles were added.
   */
  run(limit: number, horizon?: (executed: number) => number, allowance?: number): number;
  /** Instructions plus penalty cycles since power-on. */
  cycles(): number;
}

/** Most turns in one go. */
const TURNS = 256;

export type ScheduleEnd = 'limit' | 'stop' | 'idle';

export class Scheduler {
  private readonly randomState = new Uint32Array(1);
  private readonly random = new SeededRandom(this.randomState);
  turnCore = 0;
  private turnLeft = 0;
  private turnStart = 0;

  constructor(
    private readonly cores: readonly ScheduledCore[],
    private readonly time: GuestTime,
    private readonly options: { readonly quantum: number; readonly jitter: boolean; readonly seed: number },
    private readonly stopPending: () => boolean,
  ) {
    time.turnCycles = () => this.cores[this.turnCore].cycles() - this.turnStart;
    this.reset();
  }

  reset(): void {
    this.random.seed(this.options.seed);
    this.turnCore = 0;
    this.beginTurn();
  }

  private beginTurn(): void {
    const { quantum, jitter } = this.options;
    this.turnLeft = jitter ? 1 + this.random.below(quantum) : quantum;
    this.turnStart = this.cores[this.turnCore].cycles();
  }

  private endTurn(): void {
    this.time.turnEnded(this.cores[this.turnCore].cycles() - this.turnStart);
    this.turnCore++;
    if (this.turnCore === this.cores.length) {
      this.turnCore = 0;
      this.turnStart = this.cores[0].cycles();
      this.time.roundEnded();
      this.time.fireDue();
    }
    this.beginTurn();
  }

  /** Runs by the schedule until `limit` instructions were executed, a stop is pending, or nothing can ever happen. */
  run(limit: number): ScheduleEnd {
    return this.loop(limit, -1);
  }

  /** One instruction of `core`; the others go on by the schedule until then. */
  step(core: number): ScheduleEnd {
    return this.loop(Number.POSITIVE_INFINITY, core);
  }

  private loop(limit: number, stepped: number): ScheduleEnd {
    let left = limit;
    let waiting = 0;
    while (left > 0) {
      const turn = this.turnCore;
      const core = this.cores[turn];
      if (core.ready()) {
        waiting = 0;
        const executed = turn === stepped ? core.run(1) : this.runTurns(core, left);
        left = turn === stepped && executed > 0 ? 0 : left - executed;
        this.turnLeft -= executed;
        if (this.turnLeft <= 0 || !core.ready()) this.endTurn();
      } else {
        this.endTurn();
        if (++waiting > this.cores.length && !this.advance()) return 'idle';
      }
      if (this.stopPending()) return 'stop';
    }
    return 'limit';
  }

  /** The rest of the turn, or many turns if no other core is ready. Afterwards turnLeft has to be lowered by the result. */
  private runTurns(core: ScheduledCore, left: number): number {
    const { quantum, jitter } = this.options;
    if (jitter || left <= this.turnLeft || this.othersReady(core)) return core.run(Math.min(left, this.turnLeft));
    const rest = this.turnLeft;
    const first = core.cycles() - this.turnStart;
    const until = this.time.untilNext();
    /** The first turn boundary at or after n instructions of this call. */
    const boundary = (n: number): number => rest + Math.max(0, Math.ceil((n - rest) / quantum)) * quantum;
    /** Cycles since the turn began, at n instructions, with no more penalties than now. */
    const horizon = (n: number): number => {
      if (this.othersReady(core)) return boundary(n);
      const penalties = core.cycles() - this.turnStart - (n - 1);
      return boundary(Math.max(n, until - penalties));
    };
    const most = Math.min(left, rest + TURNS * quantum, boundary(Math.max(1, until - first)));
    // Penalties below this leave the boundary where it is; a machine of several cores also has to see others wake.
    const allowance = this.cores.length > 1 ? 0 : until - first - most;
    const executed = core.run(most, horizon, allowance);
    if (executed > rest) this.turnLeft += Math.ceil((executed - rest) / quantum) * quantum;
    return executed;
  }

  private othersReady(core: ScheduledCore): boolean {
    for (const other of this.cores) if (other !== core && other.ready()) return true;
    return false;
  }

  /** No core was ready for a whole round: time goes to the next event. False if there is none. */
  private advance(): boolean {
    if (this.cores.some((c) => c.ready())) return true;
    if (!this.time.jump()) return false;
    this.time.fireDue();
    this.turnStart = this.cores[this.turnCore].cycles();
    return true;
  }
}
