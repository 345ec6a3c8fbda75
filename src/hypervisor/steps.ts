/**
 * What the hypervisor does to a physical core, as a list of named steps: system operations by the architecture's names, barriers,
 * and writes that the model's own code makes. A later step hands them to the machine's port one by one; views show them.
 */
import { operationByName } from '../arch/sysops';

export interface Step {
  /** 'IC IVAU', 'TLBI VMALLE1', 'DSB ISH', or a phrase for what is not one instruction ('write the entry'). */
  readonly name: string;
  /** How many times it is issued, on successive lines or pages; 1 when absent. */
  readonly count?: number;
}

const BARRIER = /^(?:DSB (?:SY|ISH|ISHST|NSH|NSHST)|ISB)$/;

export type StepKind = 'operation' | 'barrier' | 'other';

export function kindOf(step: Step): StepKind {
  if (BARRIER.test(step.name)) return 'barrier';
  return operationByName(step.name) === undefined ? 'other' : 'operation';
}

/** System operations that reach other cores: inner shareable by name, or by VA to the PoU (IC IVAU, DC CVAU). */
export const isBroadcast = (step: Step): boolean =>
  kindOf(step) === 'operation' && /(?:IS|OS)$|IVAU$|CVAU$/.test(step.name);

/** Operations issued that reach other cores. */
export const broadcasts = (steps: readonly Step[]): number =>
  steps.reduce((sum, step) => sum + (isBroadcast(step) ? (step.count ?? 1) : 0), 0);

/** Names that look like an operation or a barrier and are none: a test of every list of steps. */
export const misspelt = (steps: readonly Step[]): string[] =>
  steps
    .filter((step) => /^(?:IC|DC|TLBI|DSB|DMB|ISB|AT)\b/.test(step.name) && kindOf(step) === 'other')
    .map((step) => step.name);
