/** The exception filters: what they are called, what they make the machine stop for, and what a condition on one may ask. */
import type { DebugProtocol as Dap } from '@vscode/debugprotocol';
import type { CatchSet, ExceptionKind, Machine, Stop } from '../machine/api';
import { type Expression, ExpressionError, parseExpression } from './expressions/syntax';

const kinds: readonly (readonly [ExceptionKind, string])[] = [
  ['sync', 'synchronous exceptions'],
  ['irq', 'IRQs'],
  ['fiq', 'FIQs'],
  ['serror', 'SErrors'],
];
const conditionDescription = 'e.g. $ec == 0x15 && $from == 0; also $iss, $esr, $far, $to, $core, registers';

const perLevel: readonly Dap.ExceptionBreakpointsFilter[] = [1, 2, 3].flatMap((el) =>
  kinds.map(([kind, what]) => ({
    filter: `EL${el}.${kind}`,
    label: `EL${el}: ${what}`,
    description: `Stop when EL${el} takes one, at its vector`,
    supportsCondition: true,
    conditionDescription,
  })),
);

export const exceptionFilters: readonly Dap.ExceptionBreakpointsFilter[] = [
  {
    filter: 'staleFetch',
    label: 'Findings of the coherence checker',
    description: 'Stop where a core runs a stale instruction, or maintenance is missing in another way',
    default: true,
    supportsCondition: true,
    conditionDescription: 'e.g. $core == 1',
  },
  {
    filter: 'undefined',
    label: 'Undefined instructions',
    description: 'Stop when an instruction is UNDEFINED at its EL',
    supportsCondition: true,
    conditionDescription,
  },
  {
    filter: 'elChange',
    label: 'Changes of exception level',
    description: 'Stop after every exception and every ERET that changes the EL',
    supportsCondition: true,
    conditionDescription: 'e.g. $to == 2; also $from, $core, registers',
  },
  ...perLevel,
];

/** Filters that the user has switched on, each with its condition if it has one. */
export class ActiveFilters {
  private conditions = new Map<string, Expression | undefined>([['staleFetch', undefined]]);
  private extra: Partial<CatchSet> = {};

  constructor(private readonly machine: Machine) {
    this.apply();
  }

  /** One result for each filter, then for each option, as DAP wants it. */
  set(filters: readonly string[], options: readonly { filterId: string; condition?: string }[]): Dap.Breakpoint[] {
    const next = new Map<string, Expression | undefined>();
    const wanted = [...filters.map((filterId) => ({ filterId, condition: undefined })), ...options];
    const results = wanted.map(({ filterId, condition }): Dap.Breakpoint => {
      if (!exceptionFilters.some((f) => f.filter === filterId)) {
        return { verified: false, message: `there is no filter "${filterId}"` };
      }
      try {
        next.set(filterId, condition ? parseExpression(condition) : undefined);
        return { verified: true };
      } catch (error) {
        if (!(error instanceof ExpressionError)) throw error;
        return { verified: false, message: `the condition is wrong: ${error.message}` };
      }
    });
    this.conditions = next;
    this.apply();
    return results;
  }

  /** Takes over another's filters. */
  copy(other: ActiveFilters): void {
    this.conditions = other.conditions;
    this.apply();
  }

  /** What a step in progress wants to be told of besides. */
  setExtra(extra: Partial<CatchSet>): void {
    this.extra = extra;
    this.apply();
  }

  /** The active filters that a stop belongs to, with their conditions. */
  matching(stop: Stop): readonly { readonly filter: string; readonly condition: Expression | undefined }[] {
    const names: string[] = [];
    if (stop.reason === 'finding') names.push('staleFetch');
    if (stop.reason === 'elChange') names.push('elChange');
    if (stop.reason === 'exception') {
      const { toEl, fromEl, kind, undefined: isUndefined } = stop.exception;
      names.push(`EL${toEl}.${kind}`);
      if (isUndefined) names.push('undefined');
      if (toEl !== fromEl) names.push('elChange');
    }
    return names.flatMap((filter) =>
      this.conditions.has(filter) ? [{ filter, condition: this.conditions.get(filter) }] : [],
    );
  }

  private apply(): void {
    const { extra } = this;
    const named = [...this.conditions.keys()].filter((name) => name.startsWith('EL'));
    this.machine.setCatch({
      exceptions: new Set([...named, ...(extra.exceptions ?? [])]),
      elChange: this.conditions.has('elChange') || extra.elChange === true,
      undefined: this.conditions.has('undefined') || extra.undefined === true,
      finding: this.conditions.has('staleFetch') || extra.finding === true,
    });
  }
}

/** Every exception: what a step catches to notice the ones that interrupt it. */
export const everyException: ReadonlySet<string> = new Set(perLevel.map(({ filter }) => filter));
