/**
 * Steps as plans. One instruction is what the core does next; an interrupt that comes in between is run through, so that a step
 * never ends in a handler that has nothing to do with it. An exception that the instruction itself takes (SVC, HVC, SMC, a
 * fault) is stepped into or over; over means until the handler returns, at the same EL and stack pointer.
 */
import type { CoreView, ExceptionRecord, ExecBreakpoint, Machine, Stop } from '../machine/api';
import type { AddressRange, LineEntry } from '../program';
import { type Flow, flowOf, wordAt } from './instructions';
import type { Move, Plan, PlanEnd } from './runControl';
import type { Target } from './target';

/** Where a step starts from, and what it may look up. */
export interface StepContext {
  readonly machine: Machine;
  readonly target: Target;
  readonly core: CoreView;
}
/** A stretch of a plan that gives a value. */
type Part<T> = Generator<Move, T, Stop>;

const SP = 31;
const DONE: PlanEnd = { reason: 'step' };
const inside = (range: AddressRange, pc: bigint): boolean => pc >= range.low && pc < range.high;

function flowAt(c: StepContext): Flow {
  const word = wordAt(c.machine, c.core.index, c.core.pc());
  return word === undefined ? 'next' : flowOf(word);
}

/** Runs until the core is at one of the addresses at `el` with a stack pointer that `fits`. */
function* until(c: StepContext, addresses: readonly bigint[], el: number, fits: (sp: bigint) => boolean): Part<void> {
  const places: Omit<ExecBreakpoint, 'id'>[] = addresses.map((address) => {
    return { space: 'va', address, el, core: c.core.index };
  });
  do yield { do: 'run', until: places };
  while (!(c.core.el === el && addresses.includes(c.core.pc()) && fits(c.core.x(SP))));
}

/** Runs from the vector until the handler returns to `e.elr`, or past the instruction at `from` if it emulates that. */
function* comeBack(c: StepContext, e: ExceptionRecord, from: bigint, sp: bigint): Part<void> {
  const addresses = [...new Set([e.elr, from + 4n])];
  yield* until(c, addresses, e.fromEl, (now) => now === sp);
}

/** One instruction; undefined when it was done, or the synchronous exception that it took. */
function* one(c: StepContext): Part<ExceptionRecord | undefined> {
  const from = c.core.pc();
  const sp = c.core.x(SP);
  for (;;) {
    const stop = yield { do: 'step' };
    if (stop.reason !== 'exception') return undefined;
    if (stop.exception.kind === 'sync') return stop.exception;
    yield* comeBack(c, stop.exception, from, sp);
    if (c.core.pc() !== from) return undefined;
  }
}

/** One instruction, with everything that it calls or that is done for it by a higher EL. */
function* oneOver(c: StepContext): Part<void> {
  const { core } = c;
  const from = core.pc();
  const sp = core.x(SP);
  const el = core.el;
  const flow = flowAt(c);
  for (;;) {
    const exception = yield* one(c);
    if (exception === undefined) break;
    yield* comeBack(c, exception, from, sp);
    if (core.pc() !== from) return;
  }
  if (flow === 'call' && core.pc() !== from + 4n) yield* until(c, [from + 4n], el, (now) => now >= sp);
}

export function* stepInstruction(c: StepContext, kind: 'in' | 'over'): Plan {
  if (kind === 'in') yield* one(c);
  else yield* oneOver(c);
  return DONE;
}

/** Where a step into the function at `pc` ends: past its prologue; undefined when it has no lines. */
function entered(c: StepContext, pc: bigint): bigint | undefined {
  const linked = c.target.linked(pc);
  const debug = c.target.debugAt(linked);
  if (debug?.lines.at(linked) === undefined) return undefined;
  const fn = debug.functionAt(linked);
  return fn !== undefined && fn.entry === linked ? debug.afterPrologue(fn) + (pc - linked) : pc;
}

function rangeAt(c: StepContext, pc: bigint): AddressRange {
  const linked = c.target.linked(pc);
  const range = c.target.debugAt(linked)?.lines.rangeAt(linked);
  const moved = pc - linked;
  return range ? { low: range.low + moved, high: range.high + moved } : { low: pc, high: pc + 4n };
}

const sameLine = (a: LineEntry, b: LineEntry): boolean => a.file === b.file && a.line === b.line;

/** What the instruction of a source step did. */
type Progress = 'on' | 'entered' | 'left';

/** One instruction of a source step. `chosen`: the only instruction whose call or exception is stepped into. */
function* sourceInstruction(c: StepContext, kind: 'in' | 'over', chosen: bigint | undefined): Part<Progress> {
  const { core } = c;
  const from = core.pc();
  const flow = flowAt(c);
  const into = kind === 'in' && (chosen === undefined || chosen === from);
  if (!into || (flow !== 'call' && flow !== 'exception')) {
    const el = core.el;
    yield* oneOver(c);
    return flow === 'eret' || core.el !== el ? 'left' : 'on';
  }
  const sp = core.x(SP);
  const el = core.el;
  const exception = yield* one(c);
  if (exception) {
    if (flow === 'exception') return 'entered';
    yield* comeBack(c, exception, from, sp);
    return 'on';
  }
  if (flow === 'exception' || core.pc() === from + 4n) return 'on';
  const body = entered(c, core.pc());
  if (body === undefined && chosen === undefined) {
    yield* until(c, [from + 4n], el, (now) => now >= sp);
    return 'on';
  }
  if (body !== undefined && body !== core.pc()) yield* until(c, [body], el, () => true);
  return 'entered';
}

/** Until another line begins, at this stack depth or further out. Without lines: one instruction. */
export function* stepLine(c: StepContext, kind: 'in' | 'over', chosen?: bigint): Plan {
  const { core, target } = c;
  const start = target.lineAt(core.pc());
  if (start === undefined) {
    yield* kind === 'in' ? one(c) : oneOver(c);
    return DONE;
  }
  const startSp = core.x(SP);
  let returned = false;
  let range = rangeAt(c, core.pc());
  for (;;) {
    const returns = flowAt(c) === 'return';
    const progress = yield* sourceInstruction(c, kind, chosen);
    if (progress !== 'on') return DONE;
    const pc = core.pc();
    returned ||= returns && core.x(SP) >= startSp;
    if (inside(range, pc) && !returns) continue;
    const entry = target.lineAt(pc);
    if (entry === undefined) return DONE;
    const begins = entry.isStmt && entry.address === target.linked(pc);
    if (begins && (returned || !sameLine(entry, start))) return DONE;
    range = rangeAt(c, pc);
  }
}

/** Leaves the inlined copies that cover the pc. */
export function* stepOutOfRanges(c: StepContext, ranges: readonly AddressRange[]): Plan {
  const { core, target } = c;
  do yield* oneOver(c);
  while (ranges.some((range) => inside(range, target.linked(core.pc()))));
  return DONE;
}

/** Runs until the function has returned to `pc` with its frame gone. */
export function* stepOutTo(c: StepContext, pc: bigint, cfa: bigint): Plan {
  yield* until(c, [pc], c.core.el, (sp) => sp >= cfa);
  return DONE;
}

/** Runs until the core takes an exception, of any kind, and stops at its vector. */
export function* toException(exceptions: ReadonlySet<string>): Plan {
  const stop = yield { do: 'run', catches: { exceptions } };
  return {
    reason: 'step',
    text: stop.reason === 'exception' ? `${stop.exception.kind} taken to EL${stop.exception.toEl}` : undefined,
  };
}

/** Runs until the handler that the core is in has returned: to a lower EL, or by ERET to where it was taken from. */
export function* outOfException(c: StepContext): Plan {
  const { core } = c;
  const el = core.el;
  const saved = core.peekSystem(`SPSR_EL${el}`) ?? 0n;
  const elr = core.peekSystem(`ELR_EL${el}`) ?? 0n;
  const sameEl = Number((saved >> 2n) & 3n) === el;
  const places: Omit<ExecBreakpoint, 'id'>[] = [{ space: 'va', address: elr, el, core: core.index }];
  for (;;) {
    const stop = yield { do: 'run', catches: { elChange: true }, until: sameEl ? places : [] };
    if (stop.reason === 'elChange' ? stop.to < el : stop.reason === 'step') return DONE;
  }
}

export function* toElChange(c: StepContext): Plan {
  const { el } = c.core;
  do yield { do: 'run', catches: { elChange: true } };
  while (c.core.el === el);
  return DONE;
}

/** Runs to an address on this core. */
export function* runTo(c: StepContext, address: bigint): Plan {
  yield* until(c, [address], c.core.el, () => true);
  return DONE;
}
