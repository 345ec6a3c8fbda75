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
   * be asked while fewer than `allowance` penalty cycles were added, no event was scheduled and no core was waking.
   */
  run(limit: number, horizon?: (executed: number) => number, allowance?: number): number;
  /** Instructions plus penalty cycles since power-on. */
  cycles(): number;
}

/** Most turns in one go. */
const TURNS = 256;

export type ScheduleEnd = 'limit' | 'stop' | 'idle';

interface SchedulerState {
  readonly turnCore: number;
  readonly turnLeft: number;
  readonly turnStart: number;
  readonly random: number;
}

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

  save(): SchedulerState {
    const { turnCore, turnLeft, turnStart } = this;
    return { turnCore, turnLeft, turnStart, random: this.randomState[0] };
  }

  load(state: unknown): void {
    const { turnCore, turnLeft, turnStart, random } = state as SchedulerState;
    Object.assign(this, { turnCore, turnLeft, turnStart });
    this.randomState[0] = random;
  }

  /** The turn's length is settled when its core is ready. */
  private beginTurn(): void {
    this.turnLeft = 0;
    this.turnStart = this.cores[this.turnCore].cycles();
  }

  private turnLength(): number {
    const { quantum, jitter } = this.options;
    return jitter ? 1 + this.random.below(quantum) : quantum;
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

  /** One instruction of `core`; the others go on by the schedule until then, but no further than `limit` instructions. */
  step(core: number, limit = Number.POSITIVE_INFINITY): ScheduleEnd {
    return this.loop(limit, core);
  }

  private loop(limit: number, stepped: number): ScheduleEnd {
    let left = limit;
    while (left > 0) {
      const turn = this.turnCore;
      const core = this.cores[turn];
      if (core.ready()) {
        if (this.turnLeft === 0) this.turnLeft = this.turnLength();
        const executed = turn === stepped ? core.run(1) : this.runTurns(core, left);
        left = turn === stepped && executed > 0 ? 0 : left - executed;
        this.turnLeft -= executed;
        if (this.turnLeft <= 0 || !core.ready()) this.endTurn();
      } else if (this.cores.some((c) => c.ready())) {
        this.endTurn();
      } else if (!this.advance()) {
        return 'idle';
      }
      if (this.stopPending()) return 'stop';
    }
    return 'limit';
  }

  /**
   * The rest of the turn, or many turns if no other core is ready nor had a turn in this round. Afterwards turnLeft has to be
   * lowered by the result.
   */
  private runTurns(core: ScheduledCore, left: number): number {
    const { quantum, jitter } = this.options;
    if (jitter || left <= this.turnLeft || this.time.roundBegun || this.othersReady(core)) {
      return core.run(Math.min(left, this.turnLeft));
    }
    const rest = this.turnLeft;
    /** Turns, after the current one, that n instructions of this call reach into. */
    const turnOf = (n: number): number => Math.max(0, Math.ceil((n - rest) / quantum));
    /** The first turn boundary at or after n instructions. */
    const boundary = (n: number): number => rest + turnOf(n) * quantum;
    const untilNext = (): number => this.time.untilNext() - (core.cycles() - this.turnStart);
    const horizon = (n: number): number => boundary(this.othersReady(core) ? n : Math.max(n, n - 1 + untilNext()));
    const until = untilNext();
    const most = Math.min(left, rest + TURNS * quantum, boundary(Math.max(1, until)));
    // Penalties below this leave the boundary where it is.
    const executed = core.run(most, horizon, until - most);
    // Turns that overlapped no other's may as well be one.
    this.turnLeft += turnOf(executed) * quantum;
    return executed;
  }

  /**
   * A core is about to be ready. Where the core whose turn it is was the only one, a round begins here: what it did before
   * overlaps nothing. `horizon` has to be asked.
   */
  waking(): void {
    const core = this.cores[this.turnCore];
    if (this.time.roundBegun || this.othersReady(core)) return;
    const cycles = core.cycles() - this.turnStart;
    this.time.turnEnded(cycles);
    this.time.roundEnded();
    this.turnStart += cycles;
  }

  private othersReady(core: ScheduledCore): boolean {
    for (const other of this.cores) if (other !== core && other.ready()) return true;
    return false;
  }

  /** No core is ready: time goes to the next event, and a new round begins. False if there is none. */
  private advance(): boolean {
    if (!this.time.jump()) return false;
    this.turnCore = 0;
    this.beginTurn();
    this.time.fireDue();
    return true;
  }
}
