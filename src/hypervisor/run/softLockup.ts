/**
 * The host's soft-lockup watchdog, in guest time: a core that executes kernel code for longer than twice kernel.watchdog_thresh
 * (10 s) without a place where another thread could have it. The kernel looks every 4 s and so reports up to 4 s later; here the
 * end of the step that took so long is the moment, and one step is one report. Source: kernel/watchdog.c, as remembered.
 */

export const LOCKUP_SECONDS = 20;

/** Routines whose every step is such a place: the loop around KVM_RUN, and the idle thread. */
const SCHEDULING: ReadonlySet<string> = new Set([
  'do_idle',
  'kvm_arch_vcpu_ioctl_run',
  'secondary_start_kernel',
  'start_kernel',
]);

export interface WatchdogState {
  readonly touched: readonly number[];
  readonly longest: number;
}

export class SoftLockup {
  private readonly touched: number[];
  /** The longest that any core was in the kernel without such a place, in seconds. */
  longest = 0;

  constructor(cores: number) {
    this.touched = new Array<number>(cores).fill(0);
  }

  save(): WatchdogState {
    return { touched: [...this.touched], longest: this.longest };
  }
  load({ touched, longest }: WatchdogState): void {
    this.touched.splice(0, this.touched.length, ...touched);
    this.longest = longest;
  }

  /** The core came from a guest. */
  touch(core: number, now: number): void {
    this.touched[core] = now;
  }

  /** The core made a step of `routine`. The kernel's line, if the watchdog barks. */
  look(core: number, routine: string, now: number, thread: string): string | undefined {
    const seconds = SCHEDULING.has(routine) ? 0 : now - this.touched[core];
    const barks = seconds > LOCKUP_SECONDS;
    if (barks || seconds === 0) this.touched[core] = now;
    this.longest = Math.max(this.longest, seconds);
    return barks
      ? `watchdog: BUG: soft lockup - CPU#${core} stuck for ${Math.floor(seconds)}s! [${thread}]`
      : undefined;
  }
}
