/**
 * Marked records: their handler is `intercept`, so that the engine is asked before the instruction runs. A mark keeps the handler
 * that stood there. One record may also be marked as where the run ends; it is the outermost mark.
 */
import { RECORD_BYTES, recordField } from '../memory/layout';
import { FixedHandler } from './handlers';
import type { Pairs } from './pairs';

export interface Mark {
  readonly handler: number;
  breakpoint: boolean;
  stale: boolean;
}

export class RecordMarks {
  /** By record address. */
  private readonly marks = new Map<number, Mark>();
  /** The one record that ends the run (0: none), its own handler, and that of the record before it. */
  private stopRecord = 0;
  private stopHandler = 0;
  private beforeStop = 0;

  constructor(
    private readonly u16: Uint16Array,
    private readonly pairs: Pairs,
  ) {}

  get isEmpty(): boolean {
    return this.marks.size === 0;
  }
  get hasStop(): boolean {
    return this.stopRecord !== 0;
  }
  isStop(record: number): boolean {
    return record === this.stopRecord;
  }
  at(record: number): Mark | undefined {
    return this.marks.get(record);
  }

  /** Records from `first` to `last` were decoded anew: marks on their old contents are gone. */
  forget(first: number, last: number): void {
    if (this.marks.size > 0) for (let at = first; at <= last; at += RECORD_BYTES) this.marks.delete(at);
    if (this.stopRecord >= first && this.stopRecord <= last) this.stopRecord = 0;
  }

  mark(record: number, why: 'breakpoint' | 'stale'): void {
    if (record === this.stopRecord) this.clearStop();
    const known = this.marks.get(record);
    if (known) {
      known[why] = true;
      return;
    }
    const handler = this.single(record);
    this.marks.set(record, { handler, breakpoint: why === 'breakpoint', stale: why === 'stale' });
    this.setHandler(record, FixedHandler.intercept);
    this.setHandler(record - RECORD_BYTES, this.single(record - RECORD_BYTES));
  }

  /** Breakpoints are others now; marks of stale words stay. */
  clearBreakpoints(): void {
    for (const [record, mark] of this.marks) {
      mark.breakpoint = false;
      if (mark.stale) continue;
      this.setHandler(record, mark.handler);
      this.marks.delete(record);
    }
  }

  /** Marks the record at which the run ends; the record before it must not run past it in a pair. */
  stopAt(record: number): void {
    this.clearStop();
    this.stopRecord = record;
    this.stopHandler = this.handlerAt(record);
    this.setHandler(record, FixedHandler.intercept);
    this.beforeStop = this.handlerAt(record - RECORD_BYTES);
    this.setHandler(record - RECORD_BYTES, this.pairs.single(this.beforeStop));
  }

  clearStop(): void {
    const record = this.stopRecord;
    if (record === 0) return;
    this.setHandler(record, this.stopHandler);
    if (this.handlerAt(record - RECORD_BYTES) === this.pairs.single(this.beforeStop)) {
      this.setHandler(record - RECORD_BYTES, this.beforeStop);
    }
    this.stopRecord = 0;
  }

  /** A record's own instruction, pairs taken apart. The record before a granule's first one is a LINE_END or zero. */
  single(record: number): number {
    return this.pairs.single(this.handlerAt(record));
  }

  private handlerAt(record: number): number {
    return this.u16[(record + recordField.handler) >> 1];
  }
  private setHandler(record: number, handler: number): void {
    this.u16[(record + recordField.handler) >> 1] = handler;
  }
}
