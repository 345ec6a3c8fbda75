/**
 * Trap rules of the register and operation tables, with their control names turned into storage positions. The first rule
 * that holds decides. EL2 controls count only while EL2 is enabled in the current security state, EL3's only with EL3.
 */
import { EC } from '../arch/syndromes/index';
import type { TrapCondition, TrapRule } from '../arch/sysregs/types';
import { type ControlField, control } from './controls';
import type { Levels } from './levels';
import type { CoreState } from './state';

interface Condition {
  readonly field: ControlField;
  /** The field under HCR_EL2.E2H, where it stands elsewhere. */
  readonly e2h: ControlField | undefined;
  /** It does not apply to EL0 of a host. */
  readonly notOfHost: boolean;
  readonly value: number;
  /** MDCR_EL2.{TDRA,TDOSA,TDA} and CNTHCTL_EL2 without EL2 read as something else than their storage. */
  readonly onesForEl2: boolean;
}

export interface CompiledTrap {
  readonly condition: Condition;
  readonly and: Condition | undefined;
  readonly unless: readonly Condition[];
  /** Bit n: applies at ELn. */
  readonly from: number;
  readonly read: boolean;
  readonly write: boolean;
  readonly to: 1 | 2 | 3;
  readonly ec: number;
}

/** One while debug exceptions go to EL2. */
const debugTraps = new Set(['MDCR_EL2.TDRA', 'MDCR_EL2.TDOSA', 'MDCR_EL2.TDA']);

/** The register that a control stands in. */
const registerOf = (name: string): string => name.slice(0, name.indexOf('.'));

const compileCondition = (c: TrapCondition): Condition => ({
  field: control(c.control),
  e2h: c.underE2h === undefined ? undefined : control(`${registerOf(c.control)}(E2H).${c.underE2h}`),
  notOfHost: c.underE2h !== undefined || c.control.startsWith('HCR_EL2.'),
  value: c.value,
  onesForEl2: debugTraps.has(c.control),
});

export const compileTraps = (rules: readonly TrapRule[] | undefined): readonly CompiledTrap[] =>
  (rules ?? []).map((rule) => ({
    condition: compileCondition(rule),
    and: rule.and === undefined ? undefined : compileCondition(rule.and),
    unless: (rule.unless ?? []).map(compileCondition),
    from: rule.from.reduce<number>((mask, el) => mask | (1 << el), 0),
    read: rule.access !== 'write',
    write: rule.access !== 'read',
    to: rule.to,
    ec: rule.ec ?? EC.SYSTEM_REGISTER,
  }));

function holds(condition: Condition, state: CoreState, levels: Levels): boolean {
  const { field } = condition;
  if (field.el === 2 && !levels.el2Enabled()) return false;
  if (field.el === 3 && levels.highestEl !== 3) return false;
  if (condition.onesForEl2 && levels.debugToEl2()) return condition.value === 1;
  if (state.el === 0 && levels.host())
    return !condition.notOfHost && Number(state.bitOf(field.hostWord, field.shift)) === condition.value;
  const there = condition.e2h !== undefined && levels.e2h() ? condition.e2h : field;
  return state.field(there) === condition.value;
}

/** The trap that an access from the current level takes, if any. */
export function firstTrap(
  traps: readonly CompiledTrap[],
  state: CoreState,
  levels: Levels,
  write: boolean,
): CompiledTrap | undefined {
  const here = 1 << state.el;
  for (const trap of traps) {
    if ((trap.from & here) === 0 || !(write ? trap.write : trap.read)) continue;
    if (!holds(trap.condition, state, levels)) continue;
    if (trap.and !== undefined && !holds(trap.and, state, levels)) continue;
    if (!trap.unless.some((condition) => holds(condition, state, levels))) return trap;
  }
  return undefined;
}

/** The level that takes a trap: EL1's traps of EL0 go to EL2 under HCR_EL2.TGE. */
export const trapTarget = (to: number, levels: Levels): number => (to === 1 && levels.tge() ? 2 : to);
