/**
 * A scenario: guests that somebody can run, break into and watch, and what has to come of it under each of several variants of host
 * and machine. Variants and expectations are data; an outcome is a name with a small function over what a run gave.
 */
import type { Hypervisor } from '../hypervisor/run/model';
import type { Finding, MachineStatistics } from '../machine/api';

export type Json = { readonly [name: string]: unknown };
export type Value = string | number | boolean;

/** What a run gave. */
export interface Ran {
  /** What the guests printed. */
  readonly console: string;
  /** The host kernel's log. */
  readonly log: readonly string[];
  readonly findings: readonly Finding[];
  readonly statistics: MachineStatistics;
  /** The hypervisor model as the run left it: operations, exits, traps, errors of ioctls. */
  readonly model: Hypervisor;
  /** How it ended: 'every vCPU is off', or 'limit' … */
  readonly ended: string;
}

export interface Outcome {
  readonly title: string;
  /** `undefined`: the run says nothing about it. */
  readonly of: (run: Ran) => Value | undefined;
}

export interface Variant<Name extends string = string> {
  /** For --variant. */
  readonly name: string;
  readonly title: string;
  /** Kernel release; the machine file's where absent. */
  readonly kvm?: string;
  readonly policies?: Readonly<Record<string, string>>;
  /** Changes of the machine file: objects are merged, all else is replaced. */
  readonly machine?: Json;
  /** Another guest than the scenario's. */
  readonly program?: string;
  readonly checker?: 'actual' | 'architectural';
  /** By the name of an outcome; those that are not named are shown and not judged. */
  readonly expect: { readonly [name in Name]?: Value };
}

export interface Scenario<Name extends string = string> {
  readonly name: string;
  readonly title: string;
  /** Number of the mail thread that it tells. */
  readonly thread: 0 | 1 | 2 | 3 | 4;
  /** Files of media/samples: `.elf` and `.json` are added. */
  readonly program: string;
  readonly machine: string;
  readonly outcomes: Readonly<Record<Name, Outcome>>;
  readonly variants: readonly Variant<Name>[];
  /** Instructions after which a run is given up. */
  readonly limit?: number;
}

/** Keeps the names of a scenario's outcomes and those of its expectations together. */
export const scenario = <Name extends string>(row: Scenario<Name>): Scenario<Name> => row;

/** One judged outcome. */
export interface Verdict {
  readonly outcome: string;
  readonly title: string;
  readonly value: Value | undefined;
  /** Absent: shown only. */
  readonly expected?: Value;
  readonly holds: boolean;
}

export interface Result {
  readonly variant: Variant;
  readonly verdicts: readonly Verdict[];
  readonly holds: boolean;
}
