/**
 * What makes the machine stop: breakpoints, watchpoints, caught exceptions, EL changes and findings. Comparators only: guest
 * code is never changed. Breakpoints are found per I-granule by their low address word, then compared in full.
 */
import type { CatchSet, ExceptionRecord, ExecBreakpoint, Finding, Stop, Watchpoint } from './api';

const noCatch: CatchSet = { exceptions: new Set(), elChange: false, undefined: false, finding: false };

/** The bytes of a watchpoint as the core sees them; undefined where there are none or more than eight. */
export type WatchedValue = (core: number, watchpoint: Watchpoint) => bigint | undefined;

export class Stops {
  pending: Stop | undefined;
  breakpoints: readonly ExecBreakpoint[] = [];
  watchpoints: readonly Watchpoint[] = [];
  /** What each watchpoint's bytes hold, to tell what a write changed. */
  private held: (bigint | undefined)[] = [];
  catches: CatchSet = noCatch;

  constructor(private readonly value: WatchedValue) {}

  /** Looks at the watched bytes anew: after they are set, and after the debugger has written. */
  remember(): void {
    this.held = this.watchpoints.map((w) => this.value(w.core ?? 0, w));
  }

  /** Ids of breakpoints that match an instruction. `pa` is asked for only where a physical one exists. */
  matching(core: number, el: number, pc: bigint, pa: () => bigint | undefined): number[] {
    const ids: number[] = [];
    let physical: bigint | undefined | null = null;
    for (const b of this.breakpoints) {
      if (b.core !== undefined && b.core !== core) continue;
      if (b.el !== undefined && b.el !== el) continue;
      if (b.space === 'va') {
        if (b.address === pc) ids.push(b.id);
      } else {
        if (physical === null) physical = pa();
        if (physical === b.address) ids.push(b.id);
      }
    }
    return ids;
  }

  exception(record: ExceptionRecord): void {
    const { catches } = this;
    const caught = catches.exceptions.has(`EL${record.toEl}.${record.kind}`) || (catches.undefined && record.undefined);
    if (caught) this.pending ??= { reason: 'exception', core: record.core, exception: record };
  }

  elChange(core: number, from: number, to: number): void {
    if (this.catches.elChange && from !== to) this.pending ??= { reason: 'elChange', core, from, to };
  }

  finding(finding: Finding): void {
    if (this.catches.finding) this.pending ??= { reason: 'finding', core: finding.core, finding };
  }

  /** A data access has happened: watchpoints that it touches. The values are those of the first of them. */
  access(core: number, va: bigint, pa: number, size: number, write: boolean): void {
    const ids: number[] = [];
    let address = va;
    let values: { oldValue?: bigint; newValue?: bigint } = {};
    this.watchpoints.forEach((w, i) => {
      const start = w.space === 'va' ? va : BigInt(pa);
      if (start >= w.address + BigInt(w.size) || start + BigInt(size) <= w.address) return;
      const newValue = this.value(core, w);
      const oldValue = write ? this.held[i] : newValue;
      this.held[i] = newValue;
      if (w.core !== undefined && w.core !== core) return;
      if (w.access !== 'readWrite' && (w.access === 'write') !== write) return;
      if (ids.length === 0 && newValue !== undefined) values = { oldValue: oldValue ?? newValue, newValue };
      ids.push(w.id);
      address = start;
    });
    if (ids.length > 0) {
      this.pending ??= { reason: 'watchpoint', core, ids, address, access: write ? 'write' : 'read', ...values };
    }
  }
}
