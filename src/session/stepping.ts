/**
 * Steps as plans. One instruction is what the core does next; an interrupt that comes in between is run through, so that a step
 * never ends in a handler that has nothing to do with it. An exception that the instruction itself takes (SVC, HVC, SMC, a
 * fault) is stepped into or over; over means until the handler returns, at the same EL and stack pointer.
 */

import type { Vcpu } from '../hypervisor/run/vm';
import { disassemble } from '../isa';
import type { CoreView, ExceptionRecord, ExecBreakpoint, Machine, Stop } from '../machine/api';
import type { AddressRange, LineEntry } from '../program';
import { type Flow, flowOf, wordAt, wordsOf } from './instructions';
import { coreOfVcpu, isCall } from './model/stepping';
import type { Move, Plan, PlanEnd } from './runControl';
import type { Target } from './target';

/** Where a step starts from, and what it may look up. */
export interface StepContext {
  readonly machine: Machine;
  readonly target: Target;
  /** Under the hypervisor model: the one that `vcpu` is on. */
  readonly core: CoreView;
  readonly vcpu?: Vcpu;
}
/** A stretch of a plan that gives a value. */
type Part<T> = Generator<Move, T, Stop>;

const SP = 31;
const DONE: PlanEnd = { reason: 'step' };
const inside = (range: AddressRange, pc: bigint): boolean => pc >= range.low && pc < range.high;

/**
 * How the instruction at `from`, which has just run, handed on control. Looked up only where it went elsewhere than to the next
 * one: reading code through the tables costs far more than a step.
 */
function flowFrom(c: StepContext, from: bigint): Flow {
  if (c.core.pc() === from + 4n) return 'next';
  const word = wordAt(c.machine, c.core.index, from);
  return word === undefined ? 'next' : flowOf(word);
}

/** Runs until the core is at one of the addresses at `el` with a stack pointer that `fits`. */
function* until(c: StepContext, addresses: readonly bigint[], el: number, fits: (sp: bigint) => boolean): Part<void> {
  const { vcpu, machine } = c;
  const cores = vcpu === undefined ? [c.core] : machine.cores;
  const places = cores.flatMap(({ index }) =>
    addresses.map((address): Omit<ExecBreakpoint, 'id'> => ({ space: 'va', address, el, core: index })),
  );
  const isThere = (): boolean => vcpu === undefined || coreOfVcpu(machine, vcpu) !== undefined;
  const move: Move = { do: 'run', until: places, core: c.core.index };
  do yield move;
  while (!(isThere() && c.core.el === el && addresses.includes(c.core.pc()) && fits(c.core.x(SP))));
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
    const stop = yield { do: 'step', core: c.core.index };
    if (stop.reason !== 'exception') return undefined;
    if (stop.exception.kind === 'sync') return stop.exception;
    yield* comeBack(c, stop.exception, from, sp);
    if (c.core.pc() !== from) return undefined;
  }
}

/** One instruction, with everything that it calls or that is done for it by a higher EL. */
function* oneOver(c: StepContext): Part<Flow> {
  const { core } = c;
  const from = core.pc();
  const sp = core.x(SP);
  const el = core.el;
  for (;;) {
    const exception = yield* one(c);
    if (exception === undefined) break;
    yield* comeBack(c, exception, from, sp);
    if (core.pc() !== from) return 'next';
  }
  const flow = flowFrom(c, from);
  if (flow === 'call') yield* until(c, [from + 4n], el, (now) => now >= sp);
  return flow;
}

export function* stepInstruction(c: StepContext, kind: 'in' | 'over'): Plan {
  if (kind === 'in') yield* one(c);
  else yield* oneOver(c);
  return DONE;
}

/** Where a step into the function at `pc` ends: past its prologue; undefined when it has no lines. */
function entered(c: StepContext, pc: bigint): bigint | undefined {
  const linked = c.target.linked(pc);
  const body = c.target.bodyOf(linked);
  if (body !== undefined && c.target.lineAt(body) !== undefined) return body + (pc - linked);
  return c.target.lineAt(pc) === undefined ? undefined : pc;
}

function rangeAt(c: StepContext, pc: bigint): AddressRange {
  const linked = c.target.linked(pc);
  const range = c.target.debugAt(linked)?.lines.rangeAt(linked);
  const moved = pc - linked;
  return range ? { low: range.low + moved, high: range.high + moved } : { low: pc, high: pc + 4n };
}

const sameLine = (a: LineEntry, b: LineEntry): boolean => a.file === b.file && a.line === b.line;

/** What the instruction of a source step did. */
type Progress = 'on' | 'returned' | 'entered' | 'left';

/** One instruction of a source step. `chosen`: the only instruction whose call or exception is stepped into. */
function* sourceInstruction(c: StepContext, kind: 'in' | 'over', chosen: bigint | undefined): Part<Progress> {
  const { core } = c;
  const from = core.pc();
  const el = core.el;
  if (kind === 'over' || (chosen !== undefined && chosen !== from)) {
    const flow = yield* oneOver(c);
    return core.el !== el || flow === 'eret' ? 'left' : flow === 'return' ? 'returned' : 'on';
  }
  const sp = core.x(SP);
  const exception = yield* one(c);
  const flow = exception && c.vcpu ? 'exception' : flowFrom(c, from);
  if (exception) {
    const toModel = c.vcpu !== undefined && exception.toEl === 2;
    if (toModel ? isCall(exception) : flow === 'exception') return 'entered';
    yield* comeBack(c, exception, from, sp);
    return 'on';
  }
  if (flow === 'eret') return 'left';
  if (flow !== 'call') return flow === 'return' ? 'returned' : 'on';
  const body = entered(c, core.pc());
  if (body === undefined && chosen === undefined) {
    yield* until(c, [from + 4n], el, (now) => now >= sp);
    return 'on';
  }
  if (body !== undefined && body !== core.pc()) yield* until(c, [body], el, () => true);
  return 'entered';
}

/** Instructions of one line that are stepped one by one before the line is taken for a loop and run. */
const STEPS_BEFORE_RUN = 64;
const LONGEST_LINE = 1 << 16;

/**
 * Where a run inside of a line must be looked at: instructions that leave it in a way that a step cares about, and the places
 * outside to which it branches or falls through. Undefined when the code cannot be read.
 */
function waysOut(c: StepContext, range: AddressRange): readonly bigint[] | undefined {
  const length = Number(range.high - range.low);
  if (length > LONGEST_LINE) return undefined;
  const words = wordsOf(c.machine.peek(c.core.index, 'icache', range.low, length));
  if (words.length * 4 !== length) return undefined;
  const ways = words.flatMap((word, i): bigint[] => {
    const at = range.low + BigInt(4 * i);
    const flow = flowOf(word);
    if (flow === 'next') return [];
    const target = flow === 'branch' ? disassemble(word, at).target : undefined;
    return target === undefined ? [at] : inside(range, target) ? [] : [target];
  });
  return [...new Set([...ways, range.high])];
}

/** Runs on in the line until one of its ways out. */
function* runInLine(c: StepContext, range: AddressRange): Part<void> {
  const ways = waysOut(c, range);
  if (ways !== undefined && !ways.includes(c.core.pc())) yield* until(c, ways, c.core.el, () => true);
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
  for (let steps = 1; ; steps++) {
    let progress: Progress = 'on';
    if (steps > STEPS_BEFORE_RUN && inside(range, core.pc())) yield* runInLine(c, range);
    if (inside(range, core.pc())) progress = yield* sourceInstruction(c, kind, chosen);
    if (progress === 'entered' || progress === 'left') return DONE;
    const pc = core.pc();
    returned ||= progress === 'returned' && core.x(SP) >= startSp;
    if (inside(range, pc) && progress === 'on') continue;
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
