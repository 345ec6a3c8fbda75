/** Run control requests: continue, pause, the steps and their targets, stepTo, goto. */
import type { DebugProtocol as Dap } from '@vscode/debugprotocol';
import type { CoreView } from '../machine/api';
import type { Handlers, WorkerRequests } from '../protocol';
import { everyException } from './exceptionFilters';
import { instructionText } from './exceptionInfo';
import type { Frame } from './frames';
import { flowOf, wordAt } from './instructions';
import type { Plan } from './runControl';
import type { Session } from './session';
import {
  outOfException,
  type StepContext,
  stepInstruction,
  stepLine,
  stepOutOfRanges,
  stepOutTo,
  toElChange,
  toException,
} from './stepping';
import { refuse } from './variables';

type StepHandlers = Pick<
  Handlers<WorkerRequests>,
  'continue' | 'pause' | 'next' | 'stepIn' | 'stepOut' | 'stepInTargets' | 'elscope/stepTo'
>;
type GotoHandlers = Pick<Handlers<WorkerRequests>, 'gotoTargets' | 'goto'>;

const contextOf = (session: Session, core: CoreView): StepContext => {
  return { machine: session.machine, target: session.target, core };
};

/** Steps need a core that executes. */
function active(session: Session, threadId: number): CoreView {
  const core = session.core(threadId);
  if (core.state === 'off') refuse(`core ${core.index} is off`);
  return core;
}

function stepOutPlan(session: Session, core: CoreView): Plan {
  const context = contextOf(session, core);
  const stack = session.stack(core.index);
  const frame = stack.at(0) ?? refuse('the core has no frame');
  if (frame.inlined && frame.fn) return stepOutOfRanges(context, frame.fn.ranges);
  const caller = stack.caller(frame);
  if (caller === undefined) {
    return inHandler(core) ? outOfException(context) : refuse('no caller is known: there is nothing to step out to');
  }
  if (stack.interrupted(frame)) return outOfException(context);
  return stepOutTo(context, caller.pc, stack.cfaOf(frame) ?? core.x(31));
}

/** A handler of which no frame is known still may return by ERET. */
const inHandler = (core: CoreView): boolean => core.el > 0 && (core.peekSystem(`ELR_EL${core.el}`) ?? 0n) !== 0n;

/** Instructions of the statement ahead of the pc that go somewhere else. */
function targetsAhead(session: Session, frame: Frame): Dap.StepInTarget[] {
  const core = session.machine.cores[frame.core];
  const pc = core.pc();
  const linked = session.target.linked(pc);
  const range = session.target.debugAt(linked)?.lines.rangeAt(linked);
  const end = range ? pc + (range.high - linked) : pc + 4n;
  const targets: Dap.StepInTarget[] = [];
  for (let at = pc; at < end && targets.length < 100; at += 4n) {
    const word = wordAt(session.machine, core.index, at);
    const label = word === undefined ? undefined : targetLabel(session, core, word, at);
    const id = Number((at - pc) / 4n) + 1;
    const entry = session.target.lineAt(at);
    if (label !== undefined) targets.push({ id, label, ...(entry ? { line: entry.line } : {}) });
  }
  return targets;
}

function targetLabel(session: Session, core: CoreView, word: number, at: bigint): string | undefined {
  const flow = flowOf(word);
  if (flow !== 'call' && flow !== 'exception' && flow !== 'eret') return undefined;
  const text = instructionText(word, at, session.target);
  if (flow === 'eret') {
    const elr = core.peekSystem(`ELR_EL${core.el}`) ?? 0n;
    const el = Number(((core.peekSystem(`SPSR_EL${core.el}`) ?? 0n) >> 2n) & 3n);
    return `${text} → EL${el} ${session.target.describe(elr) ?? `0x${elr.toString(16)}`}`;
  }
  // A register call's target is known only at the call itself.
  const register = /^blr \w*?x(\d+)$/.exec(text)?.[1];
  if (register === undefined || at !== core.pc()) return text;
  const target = core.x(Number(register));
  return `${text} → ${session.target.describe(target) ?? `0x${target.toString(16)}`}`;
}

export function stepHandlers(session: Session): StepHandlers {
  const go = (core: CoreView, plan: Plan | undefined, singleThread: boolean | undefined): object => {
    session.resume(core.index, plan, singleThread === true);
    return {};
  };
  return {
    continue: ({ threadId, singleThread }) => {
      const core = singleThread ? active(session, threadId) : session.core(threadId);
      go(core, undefined, singleThread);
      return { allThreadsContinued: singleThread !== true };
    },
    pause: ({ threadId }) => {
      const core = threadId ? session.core(threadId) : session.core(1);
      session.pauseLater(core.index);
      return {};
    },
    next: ({ threadId, granularity, singleThread }) => {
      const core = active(session, threadId);
      const context = contextOf(session, core);
      const plan = granularity === 'instruction' ? stepInstruction(context, 'over') : stepLine(context, 'over');
      return go(core, plan, singleThread);
    },
    stepIn: ({ threadId, granularity, targetId, singleThread }) => {
      const core = active(session, threadId);
      const context = contextOf(session, core);
      const chosen = targetId ? core.pc() + 4n * BigInt(targetId - 1) : undefined;
      const byInstruction = granularity === 'instruction' && chosen === undefined;
      return go(core, byInstruction ? stepInstruction(context, 'in') : stepLine(context, 'in', chosen), singleThread);
    },
    stepOut: ({ threadId, singleThread }) => {
      const core = active(session, threadId);
      return go(core, stepOutPlan(session, core), singleThread);
    },
    stepInTargets: ({ frameId }) => {
      const { frame } = session.frameOf(frameId);
      return { targets: frame.live && frame.level === 0 ? targetsAhead(session, frame) : [] };
    },
    'elscope/stepTo': ({ threadId, kind, singleThread }) => {
      const core = active(session, threadId);
      const context = contextOf(session, core);
      if (kind === 'return' && !inHandler(core)) refuse(`core ${core.index} is in no exception handler`);
      const plan =
        kind === 'exception'
          ? toException(everyException)
          : kind === 'return'
            ? outOfException(context)
            : toElChange(context);
      go(core, plan, singleThread);
      // No client knows by itself that this request lets the guest run.
      session.emit('continued', { threadId, allThreadsContinued: singleThread !== true });
      return {};
    },
  };
}

/** Targets of goto are only good until the guest moves. */
export function gotoHandlers(session: Session): GotoHandlers {
  let targets: readonly { readonly address: bigint }[] = [];
  return {
    gotoTargets: ({ source, line }) => {
      const found = source.path === undefined ? [] : session.breakpoints.gotoTargets(source.path, line);
      targets = found;
      return {
        targets: found.map(({ label, line: at, address }, i) => {
          return { id: i + 1, label, line: at, instructionPointerReference: `0x${address.toString(16)}` };
        }),
      };
    },
    goto: ({ threadId, targetId }) => {
      const core = active(session, threadId);
      const target = targets[targetId - 1] ?? refuse(`there is no goto target ${targetId}`);
      session.moveTo(core, target.address);
      return {};
    },
  };
}
