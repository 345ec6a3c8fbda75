/**
 * Code at EL2 as data: routines with the kernel's names, each a list of named steps. A step is the unit that is executed, shown
 * and stopped at; what it leaves for later steps is plain data in its frame, so a snapshot holds it and nothing else is needed
 * to go on.
 */
import type { CoreContext } from './model';

export type Plain = null | boolean | number | string | bigint | readonly Plain[] | { readonly [key: string]: Plain };
export type Locals = { [name: string]: Plain };

/** What comes after a step: nothing said, the next one. */
export type Next =
  | undefined
  | { readonly call: string; readonly with?: Locals }
  /** Goes on at the step of this name. */
  | { readonly goto: string }
  /** Leaves the routine; `value` is in the caller's local `result`. */
  | { readonly done: true; readonly value?: Plain };

export interface StepRow {
  readonly name: string;
  /** Cycles, beside what its operations cost. */
  readonly cycles: number;
  run(c: CoreContext, locals: Locals): Next;
}

export interface Routine {
  /** As the kernel calls it; ours have a name that no kernel has. */
  readonly name: string;
  readonly steps: readonly StepRow[];
}

export const step = (name: string, cycles: number, run: StepRow['run']): StepRow => ({ name, cycles, run });
export const done = (value: Plain = null): Next => ({ done: true, value });

/** Where steps appear in EL2's address space: routine by routine, four bytes a step. Nothing is mapped there. */
export const TEXT_BASE = 0x7000_0000_0000;
export const ROUTINE_BYTES = 0x400;
const STEP_BYTES = 4;

/** All routines by name, with their addresses. */
export class RoutineTable {
  private readonly byName = new Map<string, number>();

  constructor(readonly routines: readonly Routine[]) {
    routines.forEach((routine, index) => {
      this.byName.set(routine.name, index);
    });
  }

  index(name: string): number {
    return this.byName.get(name) ?? -1;
  }
  get(name: string): Routine | undefined {
    return this.routines[this.index(name)];
  }
  address(name: string, at: number): number {
    return TEXT_BASE + this.index(name) * ROUTINE_BYTES + at * STEP_BYTES;
  }
  /** The step at an address. */
  at(address: number): { readonly routine: Routine; readonly at: number } | undefined {
    const routine = this.routines[Math.floor((address - TEXT_BASE) / ROUTINE_BYTES)];
    const at = ((address - TEXT_BASE) % ROUTINE_BYTES) / STEP_BYTES;
    return routine?.steps[at] && { routine, at };
  }
}

/** What must hold of the routines; an empty list is a pass. */
export function validateRoutines(routines: readonly Routine[]): string[] {
  const complaints: string[] = [];
  const names = routines.map((routine) => routine.name);
  for (const [at, { name, steps }] of routines.entries()) {
    if (names.indexOf(name) < at) complaints.push(`${name}: there are two`);
    if (steps.length === 0) complaints.push(`${name}: has no steps`);
    if (steps.length * STEP_BYTES > ROUTINE_BYTES) complaints.push(`${name}: has too many steps`);
    const own = steps.map((row) => row.name);
    for (const [n, row] of own.entries()) if (own.indexOf(row) < n) complaints.push(`${name}: two steps "${row}"`);
  }
  return complaints;
}
