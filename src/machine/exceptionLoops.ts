/**
 * Notices a core that does nothing any more but take one and the same exception, of one of two kinds. Either it never returns:
 * vectors that are not mapped, a stack that the handler's first store faults on. Or its handler returns to the very instruction
 * that faults, and nothing is different then. Between two exceptions there is no room for work. Calls do not count unless a
 * vector itself makes them: a program may well make the same call for ever.
 */
import { EC } from '../arch/syndromes';
import { type ExceptionEvent, ExceptionType } from '../cpu/ports';

/** Exceptions in a row without a return, and most instructions from one to the next. */
export const LOOP_LENGTH = 10_000;
const LOOP_INSTRUCTIONS = 64;
/** Exceptions in a row from the same instruction with a return to it each time: another core may be about to help. */
export const RETRY_LENGTH = 1_000_000;
/** Bytes of one entry of a vector table. */
const VECTOR_BYTES = 0x80;

const calls: ReadonlySet<number> = new Set([EC.SVC, EC.HVC, EC.SMC, EC.BRK]);
const EC_SHIFT = 26;

interface CoreLoop {
  esr: number;
  elrHi: number;
  elrLo: number;
  farHi: number;
  farLo: number;
  at: number;
  length: number;
  /** Returns since the last exception, all of them to where it was taken. */
  returns: number;
}

export class ExceptionLoops {
  private readonly loops: CoreLoop[];

  constructor(cores: number) {
    const none = { esr: 0, elrHi: 0, elrLo: 0, farHi: 0, farLo: 0, at: 0, length: 0, returns: 0 };
    this.loops = Array.from({ length: cores }, () => ({ ...none }));
  }

  reset(): void {
    for (const loop of this.loops) Object.assign(loop, { length: 0, returns: 0 });
  }

  /** The core returned from an exception to (hi, lo). */
  returned(core: number, hi: number, lo: number): void {
    const loop = this.loops[core];
    // Elsewhere than where the exception came from: it was handled.
    if (lo !== loop.elrLo || hi !== loop.elrHi) loop.length = 0;
    loop.returns++;
  }

  /** An exception is taken after so many instructions of its core: is it the one that makes a loop of them? */
  taken(e: ExceptionEvent, instructions: number): boolean {
    const loop = this.loops[e.core];
    const again = this.isAgain(loop, e, instructions);
    const retried = loop.returns === 1;
    loop.at = instructions;
    loop.returns = 0;
    if (!again) {
      const { esr, elrHi, elrLo, farHi, farLo } = e;
      Object.assign(loop, { esr, elrHi, elrLo, farHi, farLo, length: 0 });
      return false;
    }
    loop.length++;
    if (loop.length < (retried ? RETRY_LENGTH : LOOP_LENGTH)) return false;
    loop.length = 0;
    return true;
  }

  private isAgain(loop: CoreLoop, e: ExceptionEvent, instructions: number): boolean {
    const sameCause = e.type === ExceptionType.Sync && loop.esr === e.esr;
    if (!sameCause || loop.elrLo !== e.elrLo || loop.elrHi !== e.elrHi) return false;
    if (instructions - loop.at > LOOP_INSTRUCTIONS) return false;
    // A stack pointer may go further down each time where nobody returns.
    if (loop.returns === 1) return loop.farLo === e.farLo && loop.farHi === e.farHi;
    const inVector = e.elrHi === e.vectorHi && e.elrLo - e.vectorLo >= 0 && e.elrLo - e.vectorLo <= VECTOR_BYTES;
    return loop.returns === 0 && e.fromEl === e.toEl && (inVector || !calls.has(e.esr >>> EC_SHIFT));
  }

  save(): CoreLoop[] {
    return this.loops.map((loop) => ({ ...loop }));
  }
  load(state: unknown): void {
    (state as CoreLoop[]).forEach((loop, core) => void Object.assign(this.loops[core], loop));
  }
}
