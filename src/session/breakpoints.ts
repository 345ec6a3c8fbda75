/**
 * Breakpoints as the user sees them, and the comparators that they become. Nothing is ever written into the guest. One
 * breakpoint may need several comparators: a line compiled to several places, a program that has not been moved yet.
 */
import type { DebugProtocol as Dap } from '@vscode/debugprotocol';
import type { CoreView, ExecBreakpoint, Machine, Watchpoint } from '../machine/api';
import { type Expression, ExpressionError, parseExpression } from './expressions/syntax';
import { type HitTest, type LogPart, parseHitCondition, parseLogMessage } from './hitCondition';

export type BreakpointKind = 'source' | 'function' | 'instruction' | 'data';

/** Where a comparator is: `pa` compares physical addresses. */
export interface Place {
  readonly space: 'va' | 'pa';
  readonly address: bigint;
  /** Only at this exception level: the hypervisor model's addresses may mean something else to a guest. */
  readonly el?: number;
}
export interface DataPlace extends Place {
  readonly size: number;
  readonly access: Watchpoint['access'];
}

interface Conditions {
  readonly condition?: string;
  readonly hitCondition?: string;
  readonly logMessage?: string;
}

export interface Breakpoint {
  readonly id: number;
  readonly kind: BreakpointKind;
  /** What must stay the same for the hit count to be kept when a client sends its list again. */
  readonly key: string;
  readonly places: readonly Place[];
  readonly data: DataPlace | undefined;
  readonly condition: Expression | undefined;
  readonly hitTest: HitTest | undefined;
  readonly log: readonly LogPart[] | undefined;
  hits: number;
  /** Why it is not active; undefined for one that is. */
  readonly problem: string | undefined;
}

/** A breakpoint asked for, already placed. */
export interface Wanted extends Conditions {
  readonly key: string;
  readonly places?: readonly Place[];
  readonly data?: DataPlace;
  readonly problem?: string;
}

export const verified = (b: Breakpoint): boolean => b.problem === undefined;

export class BreakpointStore {
  private nextId = 1;
  /** By kind, and for source breakpoints by file. */
  private readonly groups = new Map<string, Breakpoint[]>();
  private readonly byId = new Map<number, Breakpoint>();
  private temporary: readonly ExecBreakpoint[] = [];

  constructor(
    private readonly machine: Machine,
    /** The store that this one takes the place of: a breakpoint set again keeps its id. */
    private readonly previous?: BreakpointStore,
  ) {
    this.nextId = previous?.nextId ?? 1;
  }

  /** Replaces the group's breakpoints; comparators change at once, also between two slices of a run. */
  set(group: string, kind: BreakpointKind, wanted: readonly Wanted[]): readonly Breakpoint[] {
    const before = this.groups.get(group) ?? this.previous?.groups.get(group) ?? [];
    for (const old of before) this.byId.delete(old.id);
    const list = wanted.map((w) => this.make(group, kind, w, before));
    this.groups.set(group, list);
    for (const breakpoint of list) this.byId.set(breakpoint.id, breakpoint);
    this.apply();
    return list;
  }

  get(id: number): Breakpoint | undefined {
    return this.byId.get(id);
  }

  /** Comparators of a step or a run to somewhere; their ids are negative. */
  setTemporary(list: readonly Omit<ExecBreakpoint, 'id'>[]): void {
    this.temporary = list.map((place, i) => ({ ...place, id: -1 - i }));
    this.apply();
  }

  /** Breakpoints whose comparator matches the core's next instruction. */
  at(core: CoreView): readonly Breakpoint[] {
    if (core.state === 'off') return [];
    const pc = core.pc();
    let pa: bigint | undefined;
    const matches = ({ space, address, el }: Place): boolean => {
      if (el !== undefined && el !== core.el) return false;
      if (space === 'va') return address === pc;
      pa ??= this.machine.translate(core.index, 'va', pc).pa;
      return address === pa;
    };
    return [...this.byId.values()].filter((b) => verified(b) && b.places.some(matches));
  }

  private make(group: string, kind: BreakpointKind, wanted: Wanted, before: readonly Breakpoint[]): Breakpoint {
    const key = JSON.stringify([wanted.key, wanted.condition, wanted.hitCondition, wanted.logMessage]);
    const same = before.find((old) => old.key === key);
    const hitTest = wanted.hitCondition ? parseHitCondition(wanted.hitCondition) : undefined;
    let condition: Expression | undefined;
    let problem = wanted.problem;
    if (wanted.hitCondition && !hitTest)
      problem ??= `"${wanted.hitCondition}" is no hit condition: give 5, == 5, >= 5, % 5`;
    try {
      condition = wanted.condition ? parseExpression(wanted.condition) : undefined;
    } catch (error) {
      if (!(error instanceof ExpressionError)) throw error;
      problem ??= `the condition is wrong: ${error.message}`;
    }
    return {
      id: same?.id ?? this.nextId++,
      kind,
      key,
      places: wanted.places ?? [],
      data: wanted.data,
      condition,
      hitTest,
      log: wanted.logMessage ? parseLogMessage(wanted.logMessage) : undefined,
      hits: this.groups.has(group) ? (same?.hits ?? 0) : 0,
      problem,
    };
  }

  private apply(): void {
    const active = [...this.byId.values()].filter(verified);
    const comparators = active.flatMap(({ id, places }) => places.map((place) => ({ ...place, id })));
    this.machine.setBreakpoints([...comparators, ...this.temporary]);
    this.machine.setWatchpoints(active.flatMap(({ id, data }) => (data ? [{ ...data, id }] : [])));
  }
}

/** DAP's reason for a stop at breakpoints of these kinds. */
export function stopReason(kinds: readonly BreakpointKind[]): Dap.StoppedEvent['body']['reason'] {
  const [kind] = kinds;
  if (kind === 'function') return 'function breakpoint';
  if (kind === 'instruction') return 'instruction breakpoint';
  return kind === 'data' ? 'data breakpoint' : 'breakpoint';
}
