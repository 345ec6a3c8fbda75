/**
 * Steps under the hypervisor model: of its routines, step by step, over calls and out to callers, and to the edges between it and
 * the guest. A guest's own steps follow its vCPU, which may go on on another core.
 */
import { EC } from '../../arch/syndromes';
import type { CoreContext, Frame, Thread } from '../../hypervisor/run/model';
import type { Vcpu } from '../../hypervisor/run/vm';
import type { CoreView, ExceptionRecord, Machine } from '../../machine/api';
import type { Move, Plan, PlanEnd } from '../runControl';
import { vcpuOf } from './values';

/** The core that a vCPU has now; undefined while it waits for its turn. */
export const coreOfVcpu = (machine: Machine, vcpu: Vcpu): CoreView | undefined =>
  machine.cores.find((core) => vcpuOf(machine, core) === vcpu);

/** The vCPU whose guest a core runs now. */
export const guestOn = (machine: Machine, core: CoreView): Vcpu | undefined =>
  machine.hypervisor?.cores[core.index].guest === 'entered' ? vcpuOf(machine, core) : undefined;

/** The core that runs a vCPU, whichever that is when it is asked. */
export function followed(machine: Machine, vcpu: Vcpu, from: CoreView): CoreView {
  let last = from;
  return new Proxy(from, {
    get: (_, name) => {
      last = coreOfVcpu(machine, vcpu) ?? last;
      const value: unknown = Reflect.get(last, name, last);
      return typeof value === 'function' ? value.bind(last) : value;
    },
  });
}

const CALLS: ReadonlySet<number> = new Set([EC.SYSTEM_REGISTER, EC.HVC, EC.SMC]);
/** What a guest's instruction asks of the hypervisor, other than memory: a step in goes there. */
export const isCall = ({ esr }: ExceptionRecord): boolean => CALLS.has(Number((esr >> 26n) & 63n));

const DONE: PlanEnd = { reason: 'step' };

/** Runs until one of the frames of a thread is the innermost again. */
function* backTo(machine: Machine, context: CoreContext, thread: Thread, frames: readonly Frame[]) {
  const { table } = context.model;
  const { core } = context;
  const until = frames.map(({ routine, at }) => {
    return { space: 'va' as const, address: BigInt(table.address(routine, at)), el: 2, core };
  });
  const move: Move = { do: 'run', until };
  const isBack = (): boolean => {
    const inner = thread.frames.at(-1);
    return context.thread === thread && machine.cores[core].el === 2 && inner !== undefined && frames.includes(inner);
  };
  do yield move;
  while (!isBack());
}

/** Frames that go on after a call. */
const goingOn = ({ model }: CoreContext, frames: readonly Frame[]): Frame[] =>
  frames.filter(({ routine, at }) => at < (model.table.get(routine)?.steps.length ?? 0));

/** One step; over: with everything that it calls, the guest's run as well. */
export function* stepModel(machine: Machine, context: CoreContext, kind: 'in' | 'over'): Plan {
  const { thread } = context;
  const before = [...thread.frames];
  yield { do: 'step' };
  const called = thread.frames.length > before.length && context.thread === thread;
  if (kind === 'over' && called) yield* backTo(machine, context, thread, goingOn(context, before));
  return DONE;
}

/** Until the routine has returned; from a vCPU's loop, which does not, into the guest. Undefined: there is nothing outside. */
export function stepOutOfRoutine(machine: Machine, context: CoreContext): Plan | undefined {
  const { thread } = context;
  const callers = goingOn(context, thread.frames.slice(0, -1));
  if (callers.length > 0) {
    return (function* (): Plan {
      yield* backTo(machine, context, thread, callers);
      return DONE;
    })();
  }
  return thread.vcpu === undefined ? undefined : toGuestEdge(context, 'entry');
}

/** Runs until the core enters a guest by ERET, or leaves one. */
export function* toGuestEdge(context: CoreContext, edge: 'entry' | 'exit'): Plan {
  for (;;) {
    const stop = yield { do: 'run', catches: { elChange: true } };
    if (stop.reason !== 'elChange') continue;
    // Programs of the host come and go as well.
    if (edge === 'entry' ? stop.from === 2 && context.guest === 'entered' : context.guest === 'onCore') return DONE;
  }
}
