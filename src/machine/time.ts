/**
 * Guest time. A core's cycles are instructions plus penalties; the machine's time advances by the longest turn of a round, so N
 * busy cores advance it once. Inside a turn the running core is ahead of the round's start by the cycles of its turn.
 */
import type { Clock } from '../devices/device';

interface Event {
  at: number; // cycles
  readonly fire: () => void;
}

interface TimeState {
  readonly base: number;
  readonly roundMax: number;
  readonly events: readonly (readonly [id: string, at: number])[];
}

export class GuestTime implements Clock {
  /** Cycles at the start of the round. */
  private base = 0;
  private roundMax = 0;
  private readonly events = new Map<string, Event>();
  /** What every event that was ever asked for does. */
  private readonly fires = new Map<string, () => void>();
  /** Cycles the running core has used in its turn; set by the scheduler. */
  turnCycles: () => number = () => 0;
  /** Told of events that were scheduled. */
  scheduled: () => void = () => {};

  constructor(private readonly clockHz: number) {}

  cycles(): number {
    return this.base + this.turnCycles();
  }

  now(): number {
    return (this.cycles() * 1e9) / this.clockHz;
  }

  schedule(id: string, at: number, fire: () => void): void {
    this.fires.set(id, fire);
    if (at === Number.POSITIVE_INFINITY) this.events.delete(id);
    else this.events.set(id, { at: Math.ceil((at * this.clockHz) / 1e9), fire });
    this.scheduled();
  }

  /** A core has had its turn in this round. */
  get roundBegun(): boolean {
    return this.roundMax > 0;
  }

  /** Cycles until the next event from the round's start (at least 0), or Infinity. */
  untilNext(): number {
    let next = Number.POSITIVE_INFINITY;
    for (const event of this.events.values()) if (event.at < next) next = event.at;
    return Math.max(0, next - this.base);
  }

  /** A turn of the round ended after `cycles`. */
  turnEnded(cycles: number): void {
    if (cycles > this.roundMax) this.roundMax = cycles;
  }

  roundEnded(): void {
    this.base += this.roundMax;
    this.roundMax = 0;
  }

  /** All cores wait: time goes to the next event. False if there is none. */
  jump(): boolean {
    this.roundEnded();
    const wait = this.untilNext();
    if (wait === Number.POSITIVE_INFINITY) return false;
    this.base += wait;
    return true;
  }

  /** Fires what is due, in order of time, then of id. */
  fireDue(): void {
    for (;;) {
      let due: [string, Event] | undefined;
      for (const entry of this.events) {
        if (
          entry[1].at <= this.base &&
          (!due || entry[1].at < due[1].at || (entry[1].at === due[1].at && entry[0] < due[0]))
        )
          due = entry;
      }
      if (!due) return;
      this.events.delete(due[0]);
      due[1].fire();
    }
  }

  reset(): void {
    this.base = 0;
    this.roundMax = 0;
    this.events.clear();
  }

  save(): TimeState {
    const events = [...this.events].map(([id, { at }]) => [id, at] as const);
    return { base: this.base, roundMax: this.roundMax, events: events.sort(([a], [b]) => (a < b ? -1 : 1)) };
  }

  /** Events are known by those who have asked for them, at whatever time, before. */
  load(state: unknown): void {
    const { base, roundMax, events } = state as TimeState;
    this.base = base;
    this.roundMax = roundMax;
    this.events.clear();
    for (const [id, at] of events) {
      const fire = this.fires.get(id);
      if (fire !== undefined) this.events.set(id, { at, fire });
    }
  }
}
