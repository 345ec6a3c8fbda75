/**
 * When a view asks for its data again: at every new state while the guest stands still, at a modest rate while it runs, and
 * never while nobody sees it. One request is under way at a time; what happened meanwhile makes one more. The clock is the
 * caller's.
 */

export interface Clock {
  /** Milliseconds. */
  now(): number;
  /** @returns what cancels it. */
  after(ms: number, action: () => void): () => void;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  after(ms, action) {
    const timer = setTimeout(action, ms);
    return () => clearTimeout(timer);
  },
};

/** Between two loads while the guest runs. */
export const RUNNING_PERIOD_MS = 500;

export class RefreshPolicy {
  private visible = false;
  private stale = false;
  private loading: Promise<void> | undefined;
  /** What came while a load was under way. */
  private pending: 'now' | 'atRate' | undefined;
  private lastLoad = Number.NEGATIVE_INFINITY;
  private cancelTimer: (() => void) | undefined;

  constructor(
    /** Must not reject. */
    private readonly load: () => Promise<void>,
    private readonly clock: Clock = systemClock,
  ) {}

  setVisible(visible: boolean): void {
    this.visible = visible;
    if (!visible) this.stopWaiting();
    else if (this.stale) this.start();
  }

  /** Something may have changed: in a guest that `running` says goes on changing, or once. */
  stateChanged(running: boolean): void {
    this.stale = true;
    if (!this.visible) return;
    if (this.loading) {
      if (this.pending !== 'now') this.pending = running ? 'atRate' : 'now';
      return;
    }
    const wait = running ? this.lastLoad + RUNNING_PERIOD_MS - this.clock.now() : 0;
    if (wait <= 0) this.start();
    else this.cancelTimer ??= this.clock.after(wait, () => this.start());
  }

  /** For who shows what was loaded: waits until that is what there is now. */
  async upToDate(): Promise<void> {
    if (this.stale) this.start();
    await this.loading;
  }

  dispose(): void {
    this.visible = false;
    this.stopWaiting();
  }

  private stopWaiting(): void {
    this.cancelTimer?.();
    this.cancelTimer = undefined;
  }

  private start(): void {
    this.stopWaiting();
    if (this.loading) return;
    this.stale = false;
    this.pending = undefined;
    this.lastLoad = this.clock.now();
    this.loading = this.load().finally(() => {
      this.loading = undefined;
      if (this.pending) this.stateChanged(this.pending === 'atRate');
    });
  }
}
