/**
 * Under the checker: which pieces of memory (syncTracker.ts) were written last by a plain store that the tracker knows of, with
 * nothing since that it orders stores by. Another such store by the same core would change nothing that it can tell, so it need
 * not hear of it: generated code looks here, and leaves all other stores to memory/.
 *
 * A word a piece: the epoch in which it was noted, plus the core. An epoch ends with whatever the tracker records but such a
 * store. Where it counts how old a write is, each of them leaves its time here. All of it stands in linear memory.
 */
import { MAX_CORES, type MemoryPlan } from './plan';

export class NotedWrites {
  private readonly marks: Uint32Array;
  /** A multiple of MAX_CORES, never 0. */
  private readonly epoch: Uint32Array;
  /** By piece: ports.time of the last write; empty where it does not count. */
  readonly times: Float64Array;

  constructor(buffer: ArrayBuffer, plan: Pick<MemoryPlan['noted'], 'marks' | 'pieces' | 'epoch' | 'times'>) {
    this.times = new Float64Array(buffer, plan.times, plan.times === 0 ? 0 : plan.pieces);
    this.marks = new Uint32Array(buffer, plan.marks, plan.pieces);
    this.epoch = new Uint32Array(buffer, plan.epoch, 1);
    this.end();
  }

  /** Nothing counts as noted any more. */
  end(): void {
    this.epoch[0] += MAX_CORES;
    if (this.epoch[0] !== 0) return;
    this.marks.fill(0);
    this.epoch[0] = MAX_CORES;
  }

  has(core: number, first: number, last: number): boolean {
    const mark = this.epoch[0] + core;
    for (let piece = first; piece <= last; piece++) if (this.marks[piece] !== mark) return false;
    return true;
  }

  note(core: number, piece: number): void {
    this.marks[piece] = this.epoch[0] + core;
  }

  forget(piece: number): void {
    this.marks[piece] = 0;
  }
}
