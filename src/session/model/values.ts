/**
 * What expressions see of the hypervisor model: the exit that is handled (`$exit`, `$trap`), where the core is (`$routine`,
 * `$step`), whose guest it runs (`$vcpu`), and the local values of a routine by their names.
 */
import { EC, trappedName } from '../../arch/syndromes';
import { exitReason } from '../../hypervisor/run/exits';
import type { Plain } from '../../hypervisor/run/routines';
import type { Vcpu } from '../../hypervisor/run/vm';
import type { CoreView, Machine } from '../../machine/api';
import type { Frame } from '../frames';
import type { Target } from '../target';
import { atEl2 } from './frames';

/** The vCPU whose thread the core runs. */
export const vcpuOf = (machine: Machine, core: CoreView): Vcpu | undefined =>
  machine.hypervisor?.cores[core.index].thread.vcpu;

/** Empty texts where nothing is handled. */
function exitOf(machine: Machine, core: CoreView): { readonly exit: string; readonly trap: string } {
  const context = atEl2(machine, core);
  if (context === undefined || context.guest === 'elsewhere') return { exit: '', trap: '' };
  const esr = core.peekSystem('ESR_EL2') ?? 0n;
  const isTrap = context.exception === 'sync' && Number((esr >> 26n) & 63n) === EC.SYSTEM_REGISTER;
  return { exit: exitReason(context.exception, esr), trap: isTrap ? trappedName(esr & 0x1ff_ffffn) : '' };
}

type Reader = (machine: Machine, target: Target, core: CoreView, frame: Frame) => string;

const texts: Readonly<Record<string, Reader>> = {
  $exit: (machine, _target, core) => exitOf(machine, core).exit,
  $trap: (machine, _target, core) => exitOf(machine, core).trap,
  $vcpu: (machine, _target, core) => vcpuOf(machine, core)?.name ?? '',
  $routine: (_machine, _target, _core, { model }) => model?.routine ?? '',
  $step: (_machine, { model: code }, _core, { model }) => (model && code?.stepName(model)) ?? '',
};
export const modelNames: readonly string[] = Object.keys(texts).map((name) => name.slice(1));

/** What a name means in a frame, with its `$`; undefined where the model has no such name. */
export function modelValue(
  machine: Machine,
  target: Target,
  core: CoreView,
  frame: Frame,
  name: string,
): string | bigint | undefined {
  if (machine.hypervisor === undefined) return undefined;
  if (Object.hasOwn(texts, name)) return texts[name](machine, target, core, frame);
  const local = frame.model && Object.hasOwn(frame.model.locals, name) ? frame.model.locals[name] : undefined;
  if (typeof local === 'number' && Number.isSafeInteger(local)) return BigInt(local);
  if (typeof local === 'boolean') return local ? 1n : 0n;
  return typeof local === 'string' || typeof local === 'bigint' ? local : undefined;
}

const SMALL = 10;

/** A plain value as the user reads it. */
export function plainText(value: Plain): string {
  if (typeof value === 'bigint') return `0x${value.toString(16)}`;
  if (typeof value === 'string') return `"${value}"`;
  if (typeof value === 'number' && Math.abs(value) >= SMALL) return `${value} (0x${value.toString(16)})`;
  if (Array.isArray(value)) return `${value.length} values`;
  if (typeof value === 'object' && value !== null)
    return Object.entries(value)
      .map(([name, part]) => `${name}: ${plainText(part)}`)
      .join(', ');
  return String(value);
}

/** What a value holds, by name or number. */
export function partsOf(value: Plain): (readonly [string, Plain])[] {
  return typeof value === 'object' && value !== null ? Object.entries(value as { readonly [name: string]: Plain }) : [];
}
