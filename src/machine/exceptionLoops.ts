/**
 * Notices a core that does nothing any more but take one and the same exception: vectors that are not mapped, a stack that the
 * handler's first store faults on. Such a core never returns from an exception, and between two of them there is no room for
 * work. Only faults count: a program may well make the same call for ever.
 */
import { EC } from '../arch/syndromes';
import { type ExceptionEvent, ExceptionType } from '../cpu/ports';

/** Exceptions in a row, and most instructions from one to the next. */
export const LOOP_LENGTH = 10_000;
const LOOP_INSTRUCTIONS = 64;

const faults: ReadonlySet<number> = new Set([
  EC.UNKNOWN,
  EC.ILLEGAL_STATE,
  EC.INSTRUCTION_ABORT_SAME,
  EC.PC_ALIGNMENT,
  EC.DATA_ABORT_SAME,
  EC.SP_ALIGNMENT,
]);
const EC_SHIFT = 26;

interface CoreLoop {
  esr: number;
  elrHi: number;
  elrLo: number;
  at: number;
  length: number;
}

export class ExceptionLoops {
  private readonly loops: CoreLoop[];

  constructor(cores: number) {
    this.loops = Array.from({ length: cores }, () => ({ esr: 0, elrHi: 0, elrLo: 0, at: 0, length: 0 }));
  }

  reset(): void {
    for (const loop of this.loops) loop.length = 0;
  }

  /** The core returned from an exception: it handles them. */
  returned(core: number): void {
    this.loops[core].length = 0;
  }

  /** An exception is taken after so many instructions of its core: is it the one that makes a loop of them? */
  taken(e: ExceptionEvent, instructions: number): boolean {
    const loop = this.loops[e.core];
    const same =
      loop.esr === e.esr &&
      loop.elrLo === e.elrLo &&
      loop.elrHi === e.elrHi &&
      e.fromEl === e.toEl &&
      instructions - loop.at <= LOOP_INSTRUCTIONS;
    loop.at = instructions;
    if (!same) {
      loop.esr = e.esr;
      loop.elrHi = e.elrHi;
      loop.elrLo = e.elrLo;
      loop.length = 0;
      return false;
    }
    if (e.type !== ExceptionType.Sync || !faults.has(e.esr >>> EC_SHIFT)) return false;
    loop.length++;
    if (loop.length < LOOP_LENGTH) return false;
    loop.length = 0;
    return true;
  }

  save(): CoreLoop[] {
    return this.loops.map((loop) => ({ ...loop }));
  }
  load(state: unknown): void {
    (state as CoreLoop[]).forEach((loop, core) => void Object.assign(this.loops[core], loop));
  }
}
