/** Reading what guests print. */
import type { Ran, Value } from './types';

/** The first group of a match in the guests' output. */
export const said =
  (pattern: RegExp) =>
  (run: Ran): string | undefined =>
    pattern.exec(run.console)?.[1];

/** The same as a number. */
export const saidNumber =
  (pattern: RegExp) =>
  (run: Ran): number | undefined => {
    const text = said(pattern)(run);
    return text === undefined ? undefined : Number(text);
  };

/** How often a register of the first VM's vCPUs was trapped. */
export const trapped =
  (register: string) =>
  ({ model }: Ran): number =>
    model.vms.flatMap((vm) => vm.vcpus).reduce((sum, vcpu) => sum + (vcpu.traps[register] ?? 0), 0);

/** Operations that EL2 issued. */
export const issued =
  (...operations: readonly string[]) =>
  ({ model }: Ran): number =>
    operations.reduce((sum, name) => sum + (model.operations[name] ?? 0), 0);

/** Whether the host's log has a line like this. */
export const logged =
  (pattern: RegExp) =>
  ({ log }: Ran): boolean =>
    log.some((line) => pattern.test(line));

/** Two significant digits: a cost may move a little with the model and still say the same. */
export const rounded = (n: number | undefined): Value | undefined =>
  n === undefined ? undefined : Number(n.toPrecision(2));

/** What the checker found, each kind once. */
export const foundKinds = ({ findings }: Ran): string =>
  [...new Set(findings.map(({ kind }) => kind))].join(', ') || 'nothing';
