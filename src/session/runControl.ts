/**
 * Moving the guest: in slices of a few milliseconds, between which pause, breakpoint changes and views are served. Slices leave
 * no trace in the guest: a limit of instructions is exact and means nothing to it. What a step does is a plan, a generator that
 * yields moves; everything that a user may want to stop for comes before the plan.
 */
import type { CatchSet, CoreView, ExceptionRecord, ExecBreakpoint, Finding, Machine, Stop } from '../machine/api';
import { type Breakpoint, type BreakpointStore, stopReason } from './breakpoints';
import { type ActiveFilters, everyException } from './exceptionFilters';
import type { Expression } from './expressions/syntax';
import type { LogPart } from './hitCondition';

/** What session/ needs of the thread it runs in. */
export interface Scheduler {
  /** Milliseconds; only slice sizes and refresh rates follow from it. */
  now(): number;
  /** Calls back after other messages had their turn, `delay` milliseconds later. */
  later(work: () => void, delay?: number): void;
}

/** A bounded move of the guest, from which a stop comes back. */
export type Move =
  /** One instruction of the plan's core; exceptions it takes come back as stops. */
  | { readonly do: 'step'; readonly core?: number }
  | {
      readonly do: 'run';
      /** From now on the plan's core, where that has changed. */
      readonly core?: number;
      readonly until?: readonly Omit<ExecBreakpoint, 'id'>[];
      readonly catches?: Partial<CatchSet>;
    };
export interface PlanEnd {
  readonly reason: string;
  readonly text?: string;
  /** Where it ended, if not on the core that it began on. */
  readonly core?: number;
}
/** A plan ends when it has reached what it was for. */
export type Plan = Generator<Move, PlanEnd, Stop>;

/** Why the guest stands still. */
export interface StopReport {
  readonly reason: string;
  readonly core: number;
  readonly text?: string;
  readonly exception?: ExceptionRecord;
  readonly finding?: Finding;
  /** Breakpoints that were reached, by core, the stopping core's first. */
  readonly hits: readonly { readonly core: number; readonly ids: readonly number[] }[];
  readonly exited?: { readonly code: number; readonly how: string };
}

/** What run control asks of the rest of the session. */
export interface RunListener {
  /** Whether a condition holds on a core; an error counts as true and is told to the user. */
  holds(condition: Expression, core: number, specials: Readonly<Record<string, bigint>>): boolean;
  log(parts: readonly LogPart[], core: number, breakpoint: Breakpoint): void;
  started(): void;
  /** While running: views may be refreshed. */
  progress(): void;
  idle(): void;
  stopped(report: StopReport): void;
  /** Our own mistake came up while running. */
  failed(error: unknown): void;
}

const SLICE_MS = 6;
const RUN_MS = 3;
const REFRESH_MS = 250;
const IDLE_MS = 20;
const LEAST = 500;
const MOST = 20_000_000;

export class RunControl {
  private generation = 0;
  private plan: Plan | undefined;
  private move: Move = { do: 'run' };
  private core = 0;
  private frozen = false;
  private budget = 20_000;
  /** The machine has been told what the move under way stops for. */
  private armed = false;
  private refreshed = 0;
  private asleep = false;
  private toldIdle = false;
  /** Where the plan's core stood before the step under way. */
  private stepFrom = '';
  /** Cores whose position has been looked at for breakpoints: it does not hit again until the core moves. */
  private readonly seen = new Map<number, string>();
  running = false;
  exited = false;

  constructor(
    private readonly machine: Machine,
    private readonly breakpoints: BreakpointStore,
    private readonly filters: ActiveFilters,
    private readonly scheduler: Scheduler,
    private readonly listener: RunListener,
  ) {}

  /** Goes on from reset: a breakpoint at the first instruction hits. */
  startFresh(): void {
    this.seen.clear();
    const report = this.breakpointStop(0);
    if (report) this.scheduler.later(() => this.finish(report));
    else this.start(0);
  }

  /** Goes on; with a plan until its end. `singleThread` leaves the other cores standing. */
  start(core: number, plan?: Plan, singleThread = false): void {
    this.core = core;
    this.plan = plan;
    this.frozen = singleThread;
    for (const view of this.machine.cores) this.seen.set(view.index, place(view));
    if (plan === undefined) this.setMove({ do: 'run' });
    else {
      const first = plan.next();
      if (first.done) {
        const report = { core, ...first.value, hits: [] };
        this.scheduler.later(() => this.listener.stopped(report));
        return;
      }
      this.setMove(first.value);
    }
    this.running = true;
    this.toldIdle = false;
    this.refreshed = this.scheduler.now();
    const generation = ++this.generation;
    this.listener.started();
    this.scheduler.later(() => this.turn(generation));
  }

  /** Stops where the guest is. */
  pause(core: number): void {
    if (this.running) this.finish({ reason: 'pause', core, hits: [] });
  }

  /** Wakes a machine in which every core waits, for input may have come. */
  wake(): void {
    if (!this.asleep) return;
    this.asleep = false;
    const generation = ++this.generation;
    this.scheduler.later(() => this.turn(generation));
  }

  /** Forgets what is under way, for a reset. */
  abandon(): void {
    this.generation++;
    this.running = false;
    this.asleep = false;
    this.exited = false;
    this.plan = undefined;
    this.seen.clear();
    this.disarm();
  }

  private setMove(move: Move): void {
    // Telling the machine costs far more than a step, and most moves of a plan are steps.
    const goesOn = this.armed && (move === this.move || (move.do === 'step' && this.move.do === 'step'));
    this.move = move;
    this.core = move.core ?? this.core;
    this.armed = true;
    if (goesOn) return;
    if (move.do === 'run') {
      this.breakpoints.setTemporary(move.until ?? []);
      this.filters.setExtra(move.catches ?? {});
    } else {
      this.breakpoints.setTemporary([]);
      this.filters.setExtra({ exceptions: everyException });
    }
  }

  private disarm(): void {
    this.armed = false;
    this.breakpoints.setTemporary([]);
    this.filters.setExtra({});
  }

  /** A slice; a mistake of ours ends the run, not the session. */
  private turn(generation: number): void {
    try {
      this.slice(generation);
    } catch (error) {
      this.listener.failed(error);
      this.finish({ reason: 'exception', core: this.core, text: 'a bug in elscope', hits: [] });
    }
  }

  private slice(generation: number): void {
    if (generation !== this.generation || !this.running) return;
    const begin = this.scheduler.now();
    let now = begin;
    do {
      const stop = this.advance(now);
      if (stop.reason === 'idle' && this.sleep(generation)) return;
      const report = this.consider(stop);
      if (report) {
        this.finish(report);
        return;
      }
      now = this.scheduler.now();
    } while (now - begin < SLICE_MS);
    if (now - this.refreshed >= REFRESH_MS) {
      this.refreshed = now;
      this.listener.progress();
    }
    this.scheduler.later(() => this.turn(generation));
  }

  private advance(begin: number): Stop {
    if (this.move.do === 'step' || this.frozen) {
      this.stepFrom = place(this.machine.cores[this.core]);
      return this.machine.step(this.core, this.frozen);
    }
    const stop = this.machine.run(this.budget);
    if (stop.reason !== 'limit') return stop;
    const took = Math.max(0.05, this.scheduler.now() - begin);
    const factor = Math.min(4, Math.max(0.25, RUN_MS / took));
    this.budget = Math.round(Math.min(MOST, Math.max(LEAST, this.budget * factor)));
    return stop;
  }

  /** Every core waits and nothing will ever come by itself: only input or pause can go on. */
  private sleep(generation: number): boolean {
    if (!this.toldIdle) this.listener.idle();
    this.toldIdle = true;
    this.asleep = true;
    this.scheduler.later(() => {
      if (!this.asleep || generation !== this.generation) return;
      this.asleep = false;
      this.turn(generation);
    }, IDLE_MS);
    return true;
  }

  /** A report when the guest shall stand still, undefined when it goes on. */
  private consider(stop: Stop): StopReport | undefined {
    const user = this.userStop(stop);
    if (user) return user;
    const event = this.plan && this.eventOfPlan(stop);
    if (this.plan === undefined || event === undefined) return undefined;
    const next = this.plan.next(event);
    if (next.done) return { core: this.core, ...next.value, hits: [] };
    this.setMove(next.value);
    return undefined;
  }

  /** What of a stop concerns the plan: its own core's exceptions, its steps, the places that it waits for. */
  private eventOfPlan(stop: Stop): Stop | undefined {
    const own = this.machine.cores[this.core];
    const ownEvent = (stop.reason === 'exception' || stop.reason === 'elChange') && stop.core === this.core;
    if (this.move.do === 'step') {
      if (ownEvent && stop.reason === 'exception') return stop;
      return place(own) === this.stepFrom ? undefined : { reason: 'step', core: this.core };
    }
    if (ownEvent) return stop;
    const looked = stop.reason === 'breakpoint' || stop.reason === 'step';
    const reached = this.move.until?.find((place) => {
      const core = this.machine.cores[place.core ?? this.core];
      return place.address === core.pc() && (place.el ?? core.el) === core.el;
    });
    return looked && reached ? { reason: 'step', core: reached.core ?? this.core } : undefined;
  }

  private userStop(stop: Stop): StopReport | undefined {
    if (stop.reason === 'exited') {
      return { reason: 'exited', core: this.core, exited: { code: stop.code, how: stop.how }, hits: [] };
    }
    if (stop.reason === 'watchpoint') return this.watchpointStop(stop);
    if (stop.reason === 'exceptionLoop') {
      return { reason: 'exception', core: stop.core, exception: stop.exception, text: 'exception loop', hits: [] };
    }
    if (stop.reason === 'exception' || stop.reason === 'elChange' || stop.reason === 'finding') {
      return this.filterStop(stop);
    }
    if (stop.reason === 'breakpoint' || stop.reason === 'step') return this.breakpointStop(stop.core);
    return undefined;
  }

  private breakpointStop(first: number): StopReport | undefined {
    const hits = this.collect(first);
    if (hits.length === 0) return undefined;
    const kinds = hits.flatMap((h) => h.ids.map((id) => this.breakpoints.get(id)?.kind ?? 'source'));
    return { reason: stopReason(kinds), core: hits[0].core, hits };
  }

  /** Every core that has come to a breakpoint since it was last looked at, counted, tested and logged. */
  private collect(first: number): { core: number; ids: number[] }[] {
    const order = [...this.machine.cores].sort((a, b) => Number(b.index === first) - Number(a.index === first));
    const hits: { core: number; ids: number[] }[] = [];
    for (const core of order) {
      const here = place(core);
      if (this.seen.get(core.index) === here) continue;
      const found = this.breakpoints.at(core);
      if (found.length === 0) continue;
      this.seen.set(core.index, here);
      const ids = found.filter((b) => this.stops(b, core.index, {})).map((b) => b.id);
      if (ids.length > 0) hits.push({ core: core.index, ids });
    }
    return hits;
  }

  private stops(breakpoint: Breakpoint, core: number, specials: Readonly<Record<string, bigint>>): boolean {
    const { condition, hitTest, log } = breakpoint;
    const all = { ...specials, hits: BigInt(breakpoint.hits + 1) };
    if (condition && !this.listener.holds(condition, core, all)) return false;
    breakpoint.hits++;
    if (hitTest && !hitTest(breakpoint.hits)) return false;
    if (log === undefined) return true;
    this.listener.log(log, core, breakpoint);
    return false;
  }

  private watchpointStop(stop: Extract<Stop, { reason: 'watchpoint' }>): StopReport | undefined {
    const specials: Record<string, bigint> = { address: stop.address };
    if (stop.oldValue !== undefined) specials.old = stop.oldValue;
    if (stop.newValue !== undefined) specials.new = stop.newValue;
    const ids = stop.ids.filter((id) => {
      const breakpoint = this.breakpoints.get(id);
      return breakpoint !== undefined && this.stops(breakpoint, stop.core, specials);
    });
    if (ids.length === 0) return undefined;
    const { oldValue, newValue, access } = stop;
    const before = access === 'write' ? `${hexText(oldValue)} → ` : '';
    const change = newValue === undefined ? '' : `: ${before}${hexText(newValue)}`;
    const text = `${stop.access} of ${hexText(stop.address)}${change}`;
    return { reason: 'data breakpoint', core: stop.core, text, hits: [{ core: stop.core, ids }] };
  }

  private filterStop(stop: Extract<Stop, { reason: 'exception' | 'elChange' | 'finding' }>): StopReport | undefined {
    const specials = specialsOf(stop);
    const matching = this.filters.matching(stop);
    const holds = matching.some(({ condition: c }) => c === undefined || this.listener.holds(c, stop.core, specials));
    if (!holds) return undefined;
    const common = { reason: 'exception', core: stop.core, hits: [] };
    if (stop.reason === 'exception') return { ...common, exception: stop.exception };
    if (stop.reason === 'finding') return { ...common, finding: stop.finding };
    return { ...common, text: `EL${stop.from} → EL${stop.to}` };
  }

  private finish(report: StopReport): void {
    this.generation++;
    this.running = false;
    this.asleep = false;
    this.plan = undefined;
    this.disarm();
    this.exited = report.exited !== undefined;
    const others = this.exited ? [] : this.collect(report.core);
    const own = others.filter((h) => h.core === report.core);
    const hits = [...report.hits, ...others];
    if (own.length === 0 || report.reason !== 'step') this.listener.stopped({ ...report, hits });
    else {
      const kinds = own.flatMap((h) => h.ids.map((id) => this.breakpoints.get(id)?.kind ?? 'source'));
      this.listener.stopped({ ...report, reason: stopReason(kinds), hits });
    }
  }
}

const place = (core: CoreView): string => `${core.instructions()}:${core.pc()}:${core.el}`;
const hexText = (value: bigint | undefined): string => (value === undefined ? '?' : `0x${value.toString(16)}`);

function specialsOf(stop: Extract<Stop, { reason: 'exception' | 'elChange' | 'finding' }>): Record<string, bigint> {
  if (stop.reason === 'elChange') return { from: BigInt(stop.from), to: BigInt(stop.to) };
  if (stop.reason === 'finding') return {};
  const { fromEl, toEl, esr, far } = stop.exception;
  const syndrome = { ec: (esr >> 26n) & 63n, iss: esr & 0x1ffffffn, esr, far };
  return { from: BigInt(fromEl), to: BigInt(toEl), ...syndrome };
}
