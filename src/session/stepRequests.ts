/** Run control requests: continue, pause, the steps and their targets, stepTo, goto. */
import type { DebugProtocol as Dap } from '@vscode/debugprotocol';
import type { CoreView } from '../machine/api';
import type { Handlers, WorkerRequests } from '../protocol';
import { everyException } from './exceptionFilters';
import { instructionText } from './exceptionInfo';
import type { Frame } from './frames';
import { flowOf, wordAt } from './instructions';
import { atEl2 } from './model/frames';
import { followed, guestOn, stepModel, stepOutOfRoutine, toGuestEdge } from './model/stepping';
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

const contextOf = ({ machine, target }: Session, core: CoreView): StepContext => {
  const vcpu = guestOn(machine, core);
  return vcpu === undefined
    ? { machine, target, core }
    : { machine, target, core: followed(machine, vcpu, core), vcpu };
};

/** The plan, which ends where the followed vCPU is. */
function* ending(context: StepContext, plan: Plan): Plan {
  const end = yield* plan;
  return { ...end, core: context.core.index };
}

/** Steps need a core that executes. */
function active(session: Session, threadId: number): CoreView {
  const core = session.core(threadId);
  if (core.state === 'off') refuse(`core ${core.index} is off`);
  return core;
}

function stepOutPlan(session: Session, core: CoreView, context: StepContext): Plan {
  const model = atEl2(session.machine, core);
  if (model) return stepOutOfRoutine(session.machine, model) ?? refuse('this routine does not return');
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

function stepToPlan(session: Session, core: CoreView, kind: WorkerRequests['elscope/stepTo']['params']['kind']): Plan {
  const context = { ...contextOf(session, core), core };
  const model = session.machine.hypervisor?.cores[core.index];
  const edge = kind === 'guestEntry' ? 'entry' : kind === 'guestExit' ? 'exit' : undefined;
  if (edge) return model ? toGuestEdge(model, edge) : refuse('there is no hypervisor model: EL2 is the guest’s own');
  if (kind === 'exception') return toException(everyException);
  if (kind === 'elChange') return toElChange(context);
  // A vCPU’s thread goes back to its guest, which may not have run yet.
  if (model?.thread.vcpu && core.el === 2) return toGuestEdge(model, 'entry');
  return inHandler(core) ? outOfException(context) : refuse(`core ${core.index} is in no exception handler`);
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
      const model = atEl2(session.machine, core);
      if (model) return go(core, stepModel(session.machine, model, 'over'), singleThread);
      const plan = granularity === 'instruction' ? stepInstruction(context, 'over') : stepLine(context, 'over');
      return go(core, ending(context, plan), singleThread);
    },
    stepIn: ({ threadId, granularity, targetId, singleThread }) => {
      const core = active(session, threadId);
      const context = contextOf(session, core);
      const model = atEl2(session.machine, core);
      if (model) return go(core, stepModel(session.machine, model, 'in'), singleThread);
      const chosen = targetId ? core.pc() + 4n * BigInt(targetId - 1) : undefined;
      const byInstruction = granularity === 'instruction' && chosen === undefined;
      const plan = byInstruction ? stepInstruction(context, 'in') : stepLine(context, 'in', chosen);
      return go(core, ending(context, plan), singleThread);
    },
    stepOut: ({ threadId, singleThread }) => {
      const core = active(session, threadId);
      const context = contextOf(session, core);
      return go(core, ending(context, stepOutPlan(session, core, context)), singleThread);
    },
    stepInTargets: ({ frameId }) => {
      const { frame } = session.frameOf(frameId);
      return {
        targets: frame.live && frame.model === undefined && frame.level === 0 ? targetsAhead(session, frame) : [],
      };
    },
    'elscope/stepTo': ({ threadId, kind, singleThread }) => {
      const core = active(session, threadId);
      go(core, stepToPlan(session, core, kind), singleThread);
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
